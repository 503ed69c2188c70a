//! RBC-01: whether the tenant may make the ServiceAccount that a role waits for, or a token of one.

use std::cell::OnceCell;

use crate::model::kind::Kind;
use crate::model::rbac::BindingFact;
use crate::model::text::clean;
use crate::posture::rbac::{Crew, Doubt, Holding, Right, holders, person};
use crate::posture::sight::Source;
use crate::posture::view::TenantView;

/// What makes a ServiceAccount of any name.
const MAKES: [Right; 1] = [Right { verb: "create", group: "", resource: "serviceaccounts" }];
/// Where rights are written.
const GRANTS: [Kind; 4] = [Kind::Role, Kind::RoleBinding, Kind::ClusterRole, Kind::ClusterRoleBinding];

/// Whether a ServiceAccount may be made.
pub(super) enum Makes<'a> {
    /// Somebody of the tenant may.
    Yes(&'a BindingFact, String),
    /// Nobody of the tenant.
    No,
    /// Can't be said: why.
    Unseen(String),
}

type Found<'a> = (Vec<Holding<'a>>, Vec<Doubt<'a>>);

/// Who of the tenant may make ServiceAccounts, worked out when first asked.
pub(super) struct Makers<'a, 'v> {
    view: &'v TenantView<'a>,
    found: OnceCell<Found<'a>>,
}

impl<'a, 'v> Makers<'a, 'v> {
    pub(super) const fn new(view: &'v TenantView<'a>) -> Self {
        Self { view, found: OnceCell::new() }
    }

    /// Whether the tenant may make one in this namespace. O(grants) after the first question, which walks all bindings that may serve it.
    pub(super) fn may(&self, namespace: &str) -> Makes<'_> {
        if let Some(why) = GRANTS.iter().find_map(|kind| self.view.blind(Source::Objects(*kind)).map(|why| format!("{kind} {why}"))) {
            return Makes::Unseen(why);
        }
        let (found, doubts) = self.found.get_or_init(|| self.find());
        let here = |binding: &BindingFact| binding.kind == Kind::ClusterRoleBinding || *binding.meta.namespace == *namespace;
        if let Some(holding) = found.iter().find(|holding| here(holding.binding)) {
            let who = clean(&person(holding.subject, &holding.binding.meta.namespace));
            return Makes::Yes(holding.binding, format!("{who} may create ServiceAccounts there"));
        }
        match doubts.iter().find(|doubt| here(doubt.binding)) {
            Some(doubt) => Makes::Unseen(format!("{} {}: {}", doubt.binding.kind, clean(&doubt.binding.meta.name), doubt.why)),
            None => Makes::No,
        }
    }

    fn find(&self) -> Found<'a> {
        let crew = Crew::of(&self.view.namespaces);
        let own = self.view.namespaces.iter().flat_map(|(_, facts)| facts.bindings.values());
        let bindings = own.chain(self.view.snapshot.cluster.bindings.values()).map(AsRef::as_ref);
        holders(self.view.snapshot, bindings, &|subject, bound_in| crew.has(subject, bound_in), &MAKES)
    }
}
