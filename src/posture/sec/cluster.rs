//! SEC-09: stores and logins that do not belong to the tenant and that it may use.

use crate::model::consumer::{ConsumerFact, ConsumerSpec};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::labels::LabelSet;
use crate::model::secretstore::{SecretStoreFact, VaultProvider};
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list, shortened};
use crate::vaultacl::reach::consumers::chosen;

/// SEC-09: no ClusterSecretStore that this tenant may use logs in as somebody whom others log in as too.
pub fn cluster_stores(view: &TenantView<'_>) -> Vec<Point> {
    let stores = &view.snapshot.cluster.stores;
    let mut points: Vec<Point> = stores.values().flat_map(|store| judge(view, store)).collect();
    points.extend(auths(view));
    if points.is_empty() && stores.is_empty() {
        return vec![Point::new(Declared::NotApplicable, view.subject(), "there is no ClusterSecretStore").because("no-store")];
    }
    if points.is_empty() {
        points.push(Point::new(Declared::Right, view.subject(), "no ClusterSecretStore admits this tenant's namespaces"));
    }
    shortened(points)
}

/// Whether a store admits a namespace; none where that can't be told. Without any condition it admits all.
fn admits(store: &SecretStoreFact, namespace: &str, labels: Option<&LabelSet>) -> Option<bool> {
    if store.conditions.is_empty() { Some(true) } else { chosen(&store.conditions, namespace, labels) }
}

fn labels<'a>(view: &TenantView<'a>, name: &str) -> Option<&'a LabelSet> {
    view.snapshot.namespace(name).and_then(|facts| facts.own.as_ref()).map(|own| own.labels.as_ref())
}

/// Nothing where the store does not admit the tenant; else as whom it logs in, and an expression that admits by accident.
fn judge(view: &TenantView<'_>, store: &SecretStoreFact) -> Vec<Point> {
    let here: Vec<Option<bool>> = view.namespaces.iter().map(|(name, _)| admits(store, name, labels(view, name))).collect();
    if here.iter().all(|one| *one == Some(false)) {
        return Vec::new();
    }
    let object = store.meta.object(Kind::ClusterSecretStore);
    let shown = format!("ClusterSecretStore {}", clean(&store.meta.name));
    let conditions = if store.conditions.is_empty() { "absent: every namespace" } else { "admit this tenant" };
    let say = |declared, reason, message: String| {
        Point::new(declared, Subject::object(&object), message).because(reason).with(object.clone(), "spec.conditions", conditions)
    };
    if here.iter().all(|one| *one != Some(true)) {
        return vec![say(Declared::Unknown, "conditions-unread", format!("whether {shown} admits this tenant can't be told"))];
    }
    let loose = unanchored(view, store).map(|pattern| {
        let message =
            format!("{shown} admits namespaces by `{}`, which matches anywhere in a name: anchor it with ^ and $", clean(pattern));
        say(Declared::Partly, "ESO-02", message).with(object.clone(), "spec.conditions.namespaceRegexes", pattern)
    });
    loose.into_iter().chain([as_whom(view, store, &shown, &say)]).collect()
}

/// As whom a store that admits the tenant logs in, and who else does.
fn as_whom(view: &TenantView<'_>, store: &SecretStoreFact, shown: &str, say: &dyn Fn(Declared, &'static str, String) -> Point) -> Point {
    let object = store.meta.object(Kind::ClusterSecretStore);
    let Some(vault) = &store.vault else {
        let message = format!("{shown} is for {}, whose logins are not judged here", clean(&store.provider));
        return say(Declared::Unknown, "other-provider", message).with(object, "spec.provider", &store.provider);
    };
    let (reason, identity, field, value) = match identity(vault) {
        Identity::Referent(name) => {
            let message = format!("{shown} logs in as the ServiceAccount {} of whoever uses it: as the tenant itself", clean(name));
            let field = "spec.provider.vault.auth.kubernetes.serviceAccountRef.name";
            return say(Declared::Right, "referent", message).with(object, field, name);
        }
        Identity::Unjudged(method) => {
            let message = format!("{shown} logs in by {}, which this release does not judge", clean(method));
            return say(Declared::Unknown, "other-auth", message).with(object, "spec.provider.vault.auth", method);
        }
        Identity::Shared(reason, words, field, value) => (reason, words, field, value),
    };
    let point = match others(view, store) {
        Others::Named(others) => {
            let message = format!("{shown} logs in as {identity} for {}: one identity for all of them", clean(&list(&others)));
            say(Declared::Open, reason, message)
        }
        Others::Perhaps => {
            let message = format!("{shown} logs in as {identity}, and whether it admits other tenants too can't be told");
            say(Declared::Unknown, "conditions-unread", message)
        }
        Others::None => say(Declared::Right, "only-this-tenant", format!("{shown} logs in as {identity}, and admits no other tenant")),
    };
    point.with(object, field, &value)
}

/// As whom a cluster-wide store logs in.
enum Identity<'a> {
    /// As a ServiceAccount of the namespace that uses it.
    Referent(&'a Name),
    /// As the same one for everybody: sub-reason, words, field, value.
    Shared(&'static str, String, &'static str, String),
    /// In a way that is not judged.
    Unjudged(&'a Name),
}

fn identity(vault: &VaultProvider) -> Identity<'_> {
    match (&vault.other_auth, &vault.service_account, &vault.service_account_namespace) {
        (Some(method), ..) if matches!(method.as_ref(), "jwt" | "iam" | "gcp") => Identity::Unjudged(method),
        (Some(method), ..) => {
            Identity::Shared("ESO-04", format!("whoever its stored {} says", clean(method)), "spec.provider.vault.auth", method.to_string())
        }
        (None, Some(name), None) => Identity::Referent(name),
        (None, Some(name), Some(namespace)) => Identity::Shared(
            "ESO-01",
            format!("ServiceAccount {}/{}", clean(namespace), clean(name)),
            "spec.provider.vault.auth.kubernetes.serviceAccountRef",
            format!("{namespace}/{name}"),
        ),
        (None, None, _) if vault.token_from_secret => Identity::Shared(
            "ESO-04",
            "whoever its stored token is".to_owned(),
            "spec.provider.vault.auth.kubernetes.secretRef",
            "set".to_owned(),
        ),
        (None, None, _) => Identity::Shared(
            "ESO-03",
            "External Secrets itself".to_owned(),
            "spec.provider.vault.auth.kubernetes.serviceAccountRef",
            "absent".to_owned(),
        ),
    }
}

/// Which other tenants a store admits.
enum Others<'a> {
    /// None.
    None,
    /// Perhaps some: its conditions can't be read.
    Perhaps,
    /// These.
    Named(Vec<&'a Name>),
}

/// Other tenants that a store admits. O(namespaces × conditions).
fn others<'a>(view: &TenantView<'a>, store: &SecretStoreFact) -> Others<'a> {
    let (mut found, mut perhaps): (Vec<&Name>, bool) = (Vec::new(), false);
    for (name, tenant) in view.tenants.of.iter().filter(|(_, tenant)| *tenant != view.tenant) {
        match admits(store, name, labels(view, name)) {
            Some(true) => found.push(tenant),
            Some(false) => {}
            None => perhaps = true,
        }
    }
    found.sort();
    found.dedup();
    match (found.is_empty(), perhaps) {
        (false, _) => Others::Named(found),
        (true, true) => Others::Perhaps,
        (true, false) => Others::None,
    }
}

/// A regular expression that admits the tenant and is not held at both ends.
fn unanchored<'a>(view: &TenantView<'_>, store: &'a SecretStoreFact) -> Option<&'a Name> {
    let patterns = store.conditions.iter().flat_map(|choice| choice.patterns.iter());
    let mut loose = patterns.filter(|pattern| !(pattern.starts_with('^') && pattern.ends_with('$')));
    loose.find(|pattern| {
        let only = crate::model::consumer::NamespaceChoice { patterns: [Name::clone(pattern)].into(), ..Default::default() };
        view.namespaces.iter().any(|(name, _)| chosen(std::slice::from_ref(&only), name, None) == Some(true))
    })
}

/// VaultAuths that the whole cluster may use (VSO-01): the tenant's own that admit everybody, and the operator's default.
fn auths(view: &TenantView<'_>) -> Vec<Point> {
    let own = view.namespaces.iter().flat_map(|(_, facts)| facts.consumers.values());
    let open = |consumer: &ConsumerFact| matches!(&consumer.spec, ConsumerSpec::Auth(auth) if auth.allowed.iter().any(|name| name.as_ref() == "*"));
    let point = |consumer: &ConsumerFact, field: &str, value: &str, message: String| {
        let object = consumer.meta.object(consumer.kind);
        Point::new(Declared::Partly, Subject::object(&object), message).because("VSO-01").with(object, field, value)
    };
    let mut points: Vec<Point> = own
        .filter(|consumer| consumer.kind == Kind::VaultAuth && open(consumer))
        .map(|consumer| {
            let message =
                format!("VaultAuth {}/{} may be used from every namespace", clean(&consumer.meta.namespace), clean(&consumer.meta.name));
            point(consumer, "spec.allowedNamespaces", "*", message)
        })
        .collect();
    let asks = view.namespaces.iter().any(|(_, facts)| facts.consumers.values().any(|c| matches!(c.spec, ConsumerSpec::Operator(_))));
    if !asks {
        return points;
    }
    for namespace in view.commons.auths() {
        let consumers = view.snapshot.namespace(namespace).into_iter().flat_map(|facts| facts.consumers.values());
        for consumer in
            consumers.filter(|consumer| consumer.kind == Kind::VaultAuth && (open(consumer) || *consumer.meta.name == *"default"))
        {
            let message = format!(
                "VaultAuth {}/{} may be used from every namespace: it is no tenant's",
                clean(&consumer.meta.namespace),
                clean(&consumer.meta.name)
            );
            points.push(point(consumer, "spec.allowedNamespaces", if open(consumer) { "*" } else { "the operator's default" }, message));
        }
    }
    points
}
