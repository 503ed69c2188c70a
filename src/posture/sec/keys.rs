//! SEC-20: the key an application encrypts its stored credentials with. Compared is where it comes from, never what it is.

use std::collections::BTreeSet;

use super::typed::uses;
use crate::model::consumer::UseKind;
use crate::model::ids::{Name, ObjectRef, TenantId};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list, shortened};
use crate::vaultacl::capability::Operation;
use crate::vaultacl::reach::consumers::Row;

/// Variables that hold such a key: n8n's, and those that Node-RED's settings read by custom (`spec/applications.md` 2, 3).
const VARIABLES: [&str; 3] = ["N8N_ENCRYPTION_KEY", "NODE_RED_CREDENTIAL_SECRET", "CREDENTIAL_SECRET"];

/// Where a key comes from: path of the request, and the field there (empty for the value itself).
pub(in crate::posture) type Origin = (String, Name);

/// How a namespace's applications get a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::posture) struct KeyUse {
    /// Where from; none for a Secret that nothing fills from Vault.
    pub origin: Option<Origin>,
    /// Who takes it.
    pub user: ObjectRef,
    /// The Secret.
    pub secret: Name,
    /// The variable.
    pub variable: &'static str,
}

/// The keys that a namespace's applications take, by its rows. O(uses × rows).
pub(in crate::posture) fn key_uses(facts: &NamespaceFacts, rows: &[Row]) -> BTreeSet<KeyUse> {
    let mut found = BTreeSet::new();
    for ((secret, one), user) in uses(facts) {
        let known = |name: &str| VARIABLES.into_iter().find(|variable| *variable == name);
        let (variable, key) = match &one.how {
            UseKind::Env { variable, key } => match known(variable) {
                Some(variable) => (variable, key.as_ref()),
                None => continue,
            },
            // each key of the Secret becomes a variable: only what is filled by name is told
            UseKind::EnvFrom => {
                for variable in VARIABLES {
                    let origins = origins(rows, secret, variable).into_iter().filter(|origin| !origin.1.is_empty());
                    found.extend(origins.map(|origin| KeyUse {
                        origin: Some(origin),
                        user: user.clone(),
                        secret: secret.clone(),
                        variable,
                    }));
                }
                continue;
            }
            UseKind::Volume { .. } | UseKind::ProviderClass => continue,
        };
        let origins = origins(rows, secret, key);
        let one = |origin| KeyUse { origin, user: user.clone(), secret: secret.clone(), variable };
        if origins.is_empty() {
            found.insert(one(None));
        }
        found.extend(origins.into_iter().map(|origin| one(Some(origin))));
    }
    found
}

/// From where in Vault a key of a Secret is filled.
fn origins(rows: &[Row], secret: &Name, key: &str) -> Vec<Origin> {
    let reads =
        rows.iter().flat_map(|row| &row.paths).filter(|asked| asked.operation == Operation::Read && asked.target.as_ref() == Some(secret));
    let filled = reads.filter_map(|asked| match &asked.target_key {
        Some(target) if target.as_ref() == key => Some((asked.request.clone(), asked.property.clone().unwrap_or_default())),
        Some(_) => None,
        // all fields are taken over under their own names
        None => Some((asked.request.clone(), asked.property.clone().unwrap_or_else(|| key.into()))),
    });
    filled.collect()
}

/// SEC-20: no other tenant's application takes its key from the same place.
pub fn own_key(view: &TenantView<'_>) -> Vec<Point> {
    let uses: Vec<&KeyUse> = view.namespaces.iter().flat_map(|(name, _)| view.commons.keys_of(name)).collect();
    if uses.is_empty() {
        let message = "no workload of this tenant takes an encryption key by reference";
        return vec![Point::new(Declared::NotApplicable, view.subject(), message).because("no-reference")];
    }
    shortened(uses.into_iter().map(|one| judge(view, one)).collect())
}

fn judge(view: &TenantView<'_>, one: &KeyUse) -> Point {
    let shown = format!("{} of {} {}/{}", one.variable, one.user.kind, clean(&one.user.namespace), clean(&one.user.name));
    let say = |declared, message: String| {
        Point::new(declared, Subject::object(&one.user), message).with(one.user.clone(), one.variable, &one.secret)
    };
    let Some(origin) = &one.origin else {
        return say(Declared::Right, format!("{shown} comes from Secret {}, which nothing fills from Vault", clean(&one.secret)));
    };
    let (path, field) = origin;
    let whence = if field.is_empty() { clean(path) } else { format!("{}, field {}", clean(path), clean(field)) };
    let others: Vec<&TenantId> = view.commons.sharing(origin, view.tenants, view.tenant);
    if others.is_empty() {
        return say(Declared::Right, format!("{shown} comes from `{whence}`, as no other tenant's does"));
    }
    let message = format!("{shown} comes from `{whence}`, and so does {}'s: each decrypts what the other stores", clean(&list(&others)));
    say(Declared::Open, message).because("shared-key")
}
