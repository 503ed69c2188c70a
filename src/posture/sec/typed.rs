//! SEC-15 and SEC-21: what only the type of a Kubernetes Secret tells, read from its metadata where the operator allows that; and keys that
//! tell by their name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::consumer::{SecretUse, UseKind};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::sight::{NOT_ASKED, Source};
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, count, shortened};

/// SEC-15: no token of a ServiceAccount lies in a Secret, where it never ends.
pub fn long_lived(view: &TenantView<'_>) -> Vec<Point> {
    let secrets = view.namespaces.iter().flat_map(|(_, facts)| facts.secrets.values());
    let mut points: Vec<Point> = secrets
        .filter(|secret| secret.kind == Kind::TokenSecret)
        .map(|secret| {
            let object = secret.meta.object(Kind::TokenSecret);
            let account = secret.account.as_deref().unwrap_or("unknown");
            let used = secret.last_used.as_deref().map(|day| format!(", used last on {}", clean(day))).unwrap_or_default();
            let message = format!(
                "Secret {}/{} holds a token of ServiceAccount {} that never ends{used}",
                clean(&secret.meta.namespace),
                clean(&secret.meta.name),
                clean(account)
            );
            Point::new(Declared::Open, Subject::object(&object), message)
                .because("long-lived-token")
                .with(object.clone(), "metadata.annotations.kubernetes.io/service-account.name", account)
                .with(object, "metadata.creationTimestamp", &secret.meta.created.to_string())
        })
        .collect();
    if points.is_empty() {
        points.push(Point::new(Declared::Right, view.subject(), "no Secret of the tenant holds a ServiceAccount's token"));
    }
    shortened(points)
}

/// Where a Secret is taken: the template or the pod, shown once.
type Uses<'a> = BTreeMap<(&'a Name, &'a SecretUse), ObjectRef>;

/// Every use of a Secret by a template, or by a pod that no template made. O(uses).
pub(super) fn uses(facts: &NamespaceFacts) -> Uses<'_> {
    let mut found = Uses::new();
    for workload in facts.workloads.values() {
        for one in workload.secrets.iter() {
            found.entry((&one.secret, one)).or_insert_with(|| workload.meta.object(workload.kind));
        }
    }
    for pod in facts.pods.values().filter(|pod| !pod.finished()) {
        for one in pod.secrets.iter() {
            found.entry((&one.secret, one)).or_insert_with(|| pod.meta.object(Kind::Pod));
        }
    }
    found
}

/// How much a use says of whether a private key comes into the workload.
enum Takes {
    /// A key by its name: which.
    Key(Name),
    /// Everything in the Secret: its type decides.
    All,
    /// Something else.
    Other,
}

fn is_key(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("key"))
}

fn takes(how: &UseKind) -> Takes {
    match how {
        UseKind::Env { key, .. } if is_key(key) => Takes::Key(key.clone()),
        UseKind::Env { .. } | UseKind::ProviderClass => Takes::Other,
        UseKind::Volume { items } if !items.is_empty() => {
            let named = items.iter().find(|(key, file)| is_key(key) || is_key(file));
            named.map_or(Takes::Other, |(key, _)| Takes::Key(key.clone()))
        }
        UseKind::EnvFrom | UseKind::Volume { .. } => Takes::All,
    }
}

/// SEC-21: no workload of the tenant takes the private key of a certificate: TLS ends at the entry point.
pub fn tls_keys(view: &TenantView<'_>) -> Vec<Point> {
    let types = view.blind(Source::Objects(Kind::TlsSecret));
    let not_asked = Source::Objects(Kind::TlsSecret).not_asked(view.snapshot);
    let mut points = Vec::new();
    let mut untold: BTreeSet<(&Name, &Name)> = BTreeSet::new();
    for (namespace, facts) in &view.namespaces {
        for ((secret, one), user) in uses(facts) {
            let is_tls = facts.secrets.contains_key(&(Kind::TlsSecret, secret.clone()));
            let (reason, key) = match takes(&one.how) {
                Takes::Key(key) => ("key-by-name", key),
                Takes::All if is_tls => ("tls-secret", Name::from("tls.key")),
                Takes::All if types.is_some() => {
                    untold.insert((namespace, secret));
                    continue;
                }
                Takes::All | Takes::Other => continue,
            };
            let message = format!(
                "{} {}/{} takes {} of Secret {}: whoever gets into it is the site",
                user.kind,
                clean(namespace),
                clean(&user.name),
                clean(&key),
                clean(secret)
            );
            let field = match one.how {
                UseKind::Volume { .. } | UseKind::ProviderClass => "volumes.secret",
                UseKind::Env { .. } => "env.valueFrom.secretKeyRef",
                UseKind::EnvFrom => "envFrom.secretRef",
            };
            points.push(Point::new(Declared::Open, Subject::object(&user), message).because(reason).with(user.clone(), field, secret));
        }
    }
    if let Some(((namespace, secret), why)) = untold.iter().next().copied().zip(types) {
        let message = format!(
            "whether {} that workloads take whole hold a private key is told by their type alone, {}/{} among them: {why}",
            count(untold.len(), "Secret"),
            clean(namespace),
            clean(secret)
        );
        let reason = if not_asked { NOT_ASKED } else { "unseen" };
        points.push(Point::new(Declared::Unknown, view.subject(), message).because(reason));
    }
    if points.is_empty() {
        points.push(Point::new(Declared::Right, view.subject(), "no workload of the tenant takes a private key"));
    }
    shortened(points)
}
