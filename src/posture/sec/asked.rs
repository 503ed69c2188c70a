//! SEC-10: what the tenant's objects ask Vault for.

use std::collections::BTreeSet;

use crate::model::event::{Authority, RefusalFact};
use crate::model::ids::{ObjectRef, TenantId};
use crate::model::kind::Kind;
use crate::model::source::Sight;
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::sight::Source;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, count, list, shortened};
use crate::vaultacl::capability::Operation;
use crate::vaultacl::reach::Who;
use crate::vaultacl::reach::consumers::{Account, Asked, LoginBy, Row, cleaned, of_namespace, place};

/// Kinds whose objects ask for secrets.
const ASKING: [Kind; 10] = [
    Kind::ExternalSecret,
    Kind::ClusterExternalSecret,
    Kind::PushSecret,
    Kind::VaultGenerator,
    Kind::VaultStaticSecret,
    Kind::VaultDynamicSecret,
    Kind::VaultPKISecret,
    Kind::CSISecrets,
    Kind::SecretProviderClass,
    Kind::ClusterSecretStore,
];

/// SEC-10: every path that an object of the tenant asks for is the tenant's own.
pub fn asked(view: &TenantView<'_>) -> Vec<Point> {
    let rows = rows(view);
    let mut points: Vec<Point> = rows.iter().flat_map(|row| of_row(view, row)).collect();
    let told: BTreeSet<String> = points.iter().flat_map(|point| &point.evidence).map(|evidence| evidence.value.clone()).collect();
    points.extend(refused(view).into_iter().filter_map(|denial| unattributed(view, &denial, &told)));
    // what may not be listed may ask for anything
    let unseen = ASKING.into_iter().filter(|kind| view.snapshot.sight(*kind) == Sight::Blind);
    let words = unseen.filter_map(|kind| Some(format!("{kind} {}", view.blind(Source::Objects(kind))?)));
    let unseen: Vec<String> = words.collect();
    if !unseen.is_empty() {
        let message = format!("what asks for secrets here is not all seen: {}", list(&unseen));
        points.push(Point::new(Declared::Unknown, view.subject(), message).because("unseen"));
    }
    if points.is_empty() && rows.is_empty() {
        return vec![
            Point::new(Declared::NotApplicable, view.subject(), "nothing of this tenant asks Vault for secrets").because("nothing-asks"),
        ];
    }
    if points.is_empty() {
        let paths: BTreeSet<&str> = rows.iter().flat_map(|row| &row.paths).map(|asked| asked.request.as_str()).collect();
        let message = format!("{} asked for by {}, none of it another tenant's", count(paths.len(), "path"), count(rows.len(), "object"));
        let objects = rows.iter().map(|row| &row.consumer);
        let point = Point::new(Declared::Right, view.subject(), message);
        points.push(objects.take(1).fold(point, |point, object| point.with(object.clone(), "paths", &list(&paths))));
    }
    shortened(points)
}

/// The rows of the tenant's namespaces. O(objects that ask × entries).
pub(super) fn rows(view: &TenantView<'_>) -> Vec<Row> {
    view.namespaces.iter().flat_map(|(name, _)| of_namespace(view.snapshot, view.tenants, name)).collect()
}

fn of_row(view: &TenantView<'_>, row: &Row) -> Vec<Point> {
    let shown = shown(&row.consumer);
    let mut points = Vec::new();
    for asked in row.paths.iter().filter(|asked| asked.kv) {
        let owners = view.commons.owners(asked, view.tenant);
        if !owners.is_empty() {
            points.push(foreign(view, row, asked, &owners));
        }
    }
    if row.admitted == Some(false) {
        let via = row.via.first().map(self::shown).unwrap_or_default();
        let message = format!("{shown} asks by {via}, which does not admit this namespace: refused");
        let object = row.consumer.clone();
        points.push(Point::new(Declared::Right, Subject::object(&object), message).because("not-admitted").with(object, "store", &via));
    }
    for doubt in &row.doubts {
        let object = row.consumer.clone();
        let message = format!("what {shown} asks for is not all known: {doubt}");
        points.push(Point::new(Declared::Unknown, Subject::object(&object), message).because("asks-unknown").with(object, "spec", doubt));
    }
    points
}

fn shown(object: &ObjectRef) -> String {
    let place = if object.namespace.is_empty() { String::new() } else { format!("{}/", clean(&object.namespace)) };
    format!("{} {place}{}", object.kind, clean(&object.name))
}

/// An object asks for another tenant's path: open where its login may have it, else an attempt that Vault refuses (ESO-06).
fn foreign(view: &TenantView<'_>, row: &Row, asked: &Asked, owners: &[TenantId]) -> Point {
    let object = row.consumer.clone();
    let (shown, whose) = (shown(&object), clean(&list(owners)));
    let base = format!("{shown} asks to {} `{}`, which is {whose}'s", asked.operation.word(), clean(&asked.request));
    let allowed = allowed(view, row, asked);
    let (declared, message) = match allowed {
        Some(true) => (Declared::Open, format!("{base}, and Vault grants it")),
        Some(false) => (Declared::Partly, format!("{base}; Vault refuses it by what is declared")),
        None => (Declared::Partly, format!("{base}; whether Vault grants it can't be told")),
    };
    let denial = refused(view).into_iter().find(|denial| denial.is_about(row, asked));
    let point =
        Point::new(declared, Subject::object(&object), message.clone()).because("ESO-06").with(object.clone(), "path", &asked.request);
    let point = match &row.login {
        LoginBy::Kubernetes { account: Account::Named { namespace, name }, .. } if *namespace != row.namespace => {
            point.with(ObjectRef::new(Kind::ServiceAccount, namespace.clone(), name.clone()), "logs in", "for it")
        }
        _ => point,
    };
    match denial {
        Some(denial) if declared != Declared::Open => {
            let message = format!("{message}; held {} times as Events tell, last at {}", denial.fact.count, denial.fact.last);
            Point { message, ..point }.with(object, "held", &format!("{}: {}", denial.fact.last, denial.fact.message))
        }
        _ => point,
    }
}

/// Whether the login of a row may do what it asks, by the evaluator; none where its login is not one we follow. The ServiceAccount may be
/// another tenant's, as with a ClusterSecretStore: then its tenant's logins are asked.
fn allowed(view: &TenantView<'_>, row: &Row, asked: &Asked) -> Option<bool> {
    let LoginBy::Kubernetes { mount, role: Some(role), account } = &row.login else { return None };
    let namespace = match account {
        Account::Named { namespace, .. } => namespace,
        Account::Pods => &row.namespace,
        Account::Controller | Account::Stored => return None,
    };
    let whose = view.tenants.of.get(namespace)?;
    let reach = view.secrets.by_tenant.get(whose)?;
    let is_it = |login: &crate::vaultacl::reach::Login| {
        let who = match (account, &login.who) {
            (Account::Named { name, .. }, Who::Account { namespace: of, name: called }) => namespace == of && name == called,
            (Account::Pods, Who::Account { namespace: of, .. }) => namespace == of,
            _ => false,
        };
        who && login.mount == *mount && login.role.eq_ignore_ascii_case(role)
    };
    let decisions = view.secrets.who(&asked.request, asked.operation, Some(whose));
    let logins = reach.logins.iter().enumerate().filter(|(_, login)| is_it(login)).map(|(at, _)| at).collect::<BTreeSet<_>>();
    Some(decisions.iter().any(|decision| decision.allowed && logins.contains(&decision.login)))
}

/// A refusal by Vault that an Event of the tenant tells of. Hearsay: whoever may write Events may have written it. It shows, and proves nothing.
pub(super) struct Denial<'a> {
    /// The Event.
    pub fact: &'a RefusalFact,
    /// The path that was refused, where the message tells it.
    pub request: Option<String>,
    /// What is done there.
    pub operation: Operation,
}

impl Denial<'_> {
    fn is_about(&self, row: &Row, asked: &Asked) -> bool {
        let same_path = self.request.as_deref().is_none_or(|request| request == asked.request);
        let same_object = self.fact.about.as_ref().is_some_and(|about| *about == row.consumer);
        same_path && (same_object || self.request.is_some())
    }
}

/// The denials of Vault's ACL on record for the tenant's objects.
pub(super) fn refused<'a>(view: &TenantView<'a>) -> Vec<Denial<'a>> {
    let facts = view.namespaces.iter().flat_map(|(_, facts)| facts.refusals.values());
    let by_vault = facts.filter(|fact| fact.authority == Authority::VaultAcl && fact.last <= view.now);
    let read = |fact: &'a RefusalFact| {
        let (method, path) = fact.vault_request().unzip();
        Denial { fact, request: path.map(cleaned), operation: if method == Some("LIST") { Operation::List } else { Operation::Read } }
    };
    by_vault.map(|fact| read(fact)).collect()
}

/// Whose the path of a denial is, as far as that is told: the tenant's own (none), or others.
pub(super) fn whose(view: &TenantView<'_>, denial: &Denial<'_>) -> Option<Vec<TenantId>> {
    let mounts = &view.snapshot.vault.secret_mounts.items;
    let asked = place(denial.request.as_deref()?, None, 2, denial.operation, mounts);
    Some(view.commons.owners(&asked, view.tenant))
}

/// A denial of another tenant's path that no object asks for any more: it was tried, and held (ESO-07).
fn unattributed(view: &TenantView<'_>, denial: &Denial<'_>, told: &BTreeSet<String>) -> Option<Point> {
    let owners = whose(view, denial).filter(|owners| !owners.is_empty())?;
    let request = denial.request.as_deref()?;
    if told.contains(&clean(request)) {
        return None;
    }
    let object = denial.fact.about.clone().unwrap_or_else(|| denial.fact.meta.object(Kind::Event));
    let message = format!(
        "{} tried `{}`, which is {}'s: held {} times as Events tell, last at {}",
        clean(&denial.fact.about_text),
        clean(request),
        clean(&list(&owners)),
        denial.fact.count,
        denial.fact.last
    );
    let point = Point::new(Declared::Right, Subject::object(&object), message).because("ESO-07");
    Some(point.with(object, "held", &format!("{}: {}", denial.fact.last, denial.fact.message)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Name;

    #[test]
    fn names_are_shown_with_their_place() {
        let object = ObjectRef::new(Kind::ExternalSecret, "ns", Name::from("one"));
        assert_eq!(shown(&object), "ExternalSecret ns/one");
    }
}
