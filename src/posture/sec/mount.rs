//! SEC-24: the auth mounts the tenant logs in at.

use std::collections::BTreeSet;

use super::no_role;
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::text::clean;
use crate::model::vault::KubernetesConfig;
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, shortened};

/// SEC-24: the auth mounts trust this cluster's API server, by its certificate, and keep no credential of it. Whether another cluster uses
/// the same mount is not to be seen from here; the host is shown.
pub fn auth_mounts(view: &TenantView<'_>) -> Vec<Point> {
    let mounts: BTreeSet<&Name> = view.own_roles().iter().map(|at| at.mount).collect();
    if mounts.is_empty() {
        return vec![no_role(view)];
    }
    let configs = &view.snapshot.vault.kubernetes_config;
    let points = mounts.into_iter().map(|mount| {
        let object = ObjectRef::new(Kind::VaultServer, "", Name::from(format!("auth/{mount}/config")));
        match (configs.items.get(mount), configs.unreadable.get(mount)) {
            (Some(config), _) => judge(mount, object, config),
            (None, why) => {
                let why = why.map_or_else(|| "not told".to_owned(), |why| clean(why));
                let message = format!("how auth mount {} is set up can't be read: {why}", clean(mount));
                Point::new(Declared::Unknown, Subject::object(&object), message).because("unreadable-config")
            }
        }
    });
    shortened(points.collect())
}

/// What is wrong with a mount: each with the field that says so.
type Fault = (fn(&KubernetesConfig) -> bool, &'static str, &'static str, &'static str);

/// In the order in which they are told (`spec/vault.md` 8, VLT-21).
const FAULTS: [Fault; 3] = [
    (
        |config| !config.has_ca && (config.disable_local_ca_jwt || !config.host.starts_with("https://")),
        "it does not check whom it asks: there is no certificate of the API server",
        "kubernetes_ca_cert",
        "absent",
    ),
    (
        |config| config.reviewer_set,
        "it keeps a reviewer token of the cluster, which does not expire by itself",
        "token_reviewer_jwt_set",
        "true",
    ),
    (
        |config| !config.disable_iss_validation && config.issuer.is_empty(),
        "it checks the issuer of tokens, and nobody told it which",
        "issuer",
        "absent",
    ),
];

fn judge(mount: &Name, object: ObjectRef, config: &KubernetesConfig) -> Point {
    let faults: Vec<&Fault> = FAULTS.iter().filter(|(is, ..)| is(config)).collect();
    let point = if faults.is_empty() {
        let message = format!("auth mount {} asks {} about tokens, and keeps none", clean(mount), clean(&config.host));
        Point::new(Declared::Right, Subject::object(&object), message)
    } else {
        let said: Vec<&str> = faults.iter().map(|(_, what, ..)| *what).collect();
        Point::new(Declared::Partly, Subject::object(&object), format!("auth mount {}: {}", clean(mount), said.join("; ")))
            .because("VLT-21")
    };
    let point = faults.into_iter().fold(point, |point, (_, _, field, value)| point.with(object.clone(), field, value));
    point.with(object, "kubernetes_host", &config.host)
}
