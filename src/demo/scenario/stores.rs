//! How the tenants ask for their secrets: stores, ExternalSecrets, what their controller says of them.

use serde_json::{Value, json};

use super::forge::{By, Forge, by_kubectl};
use super::plan::{Plan, Secrets};

/// The store that two tenants may use, with the account of one of them.
const LENT: &str = "platform-vault";
/// Whose path a tenant asks for that should not.
const COVETED: &str = "web-tenant-globex";
/// Where Vault answers.
const SERVER: &str = "sys-vault.sys-vault.svc.cluster.local:8200";

/// The stores and ExternalSecrets of a tenant.
pub(crate) fn build(forge: &mut Forge<'_>, plan: &Plan, by: By) {
    if plan.secrets == Secrets::Nothing {
        return;
    }
    let namespace = plan.home();
    let account = (plan.secrets != Secrets::NoAccount).then(|| json!({"name": plan.account()}));
    forge.add(
        json!({
            "kind": "SecretStore", "metadata": {"name": "vault", "namespace": namespace},
            "spec": {"provider": {"vault": provider(plan, account)}}, "status": valid(),
        }),
        by,
    );
    external(forge, namespace, "app-keys", ("SecretStore", "vault"), namespace, by);
    match plan.secrets {
        Secrets::Trespass => external(forge, namespace, "partner-keys", ("SecretStore", "vault"), COVETED, by_kubectl(5_400)),
        Secrets::Lender => {
            let account = json!({"name": plan.account(), "namespace": namespace});
            // meant for two; the second is a pattern without its ends
            let conditions = json!([{"namespaces": [namespace]}, {"namespaceRegexes": ["tenant-vandelay"]}]);
            let store = json!({
                "kind": "ClusterSecretStore", "metadata": {"name": LENT},
                "spec": {"conditions": conditions, "provider": {"vault": provider(plan, Some(account))}}, "status": valid(),
            });
            forge.add(store, by_kubectl(60 * 86_400));
        }
        Secrets::Borrower => external(forge, namespace, "mail-keys", ("ClusterSecretStore", LENT), "web-tenant-wayne", by),
        _ => {}
    }
}

fn provider(plan: &Plan, account: Option<Value>) -> Value {
    let scheme = if plan.secrets == Secrets::LooseRole { "http" } else { "https" };
    let mut auth = json!({"mountPath": "kubernetes", "role": format!("tenant-{}", plan.name)});
    if let (Some(map), Some(account)) = (auth.as_object_mut(), account) {
        map.insert("serviceAccountRef".into(), account);
    }
    json!({"server": format!("{scheme}://{SERVER}"), "path": "secret", "version": "v2", "auth": {"kubernetes": auth}})
}

fn valid() -> Value {
    let condition = json!({"type": "Ready", "status": "True", "reason": "Valid", "message": "store validated"});
    json!({"conditions": [condition], "capabilities": "ReadWrite"})
}

/// An ExternalSecret with the status its controller gives it.
fn external(forge: &mut Forge<'_>, namespace: &str, name: &str, store: (&str, &str), key: &str, by: By) {
    let refused = key == COVETED && namespace != COVETED;
    let condition = if refused {
        json!({"type": "Ready", "status": "False", "reason": "SecretSyncedError", "message": "could not get secret data from provider"})
    } else {
        json!({"type": "Ready", "status": "True", "reason": "SecretSynced", "message": "secret synced"})
    };
    let secret = json!({
        "kind": "ExternalSecret", "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": "1h", "secretStoreRef": {"kind": store.0, "name": store.1}, "target": {"name": name},
            "dataFrom": [{"extract": {"key": key}}],
        },
        "status": {"conditions": [condition]},
    });
    forge.add(secret, by);
}

/// What External Secrets had to say about the tenant lately: the refusal itself stands in an Event only.
pub(crate) fn events(forge: &mut Forge<'_>, plan: &Plan) {
    if plan.secrets != Secrets::Trespass {
        return;
    }
    let about = json!({"kind": "ExternalSecret", "apiVersion": "external-secrets.io/v1", "namespace": plan.home(), "name": "partner-keys"});
    let message = format!(
        "error processing spec.dataFrom[0].extract, err: cannot read secret data from Vault: Error making API request.\n\nURL: GET https://{SERVER}/v1/secret/data/{COVETED}\nCode: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n"
    );
    forge.event(&about, "UpdateFailed", &message, 6, 420);
}
