//! The Vault side of the tenants: roles, policies, secrets.

use serde_json::json;

use super::plan::{Plan, Secrets};
use crate::demo::clock;
use crate::demo::vault::state::{Role, Secret, Vault};

/// The settings of the Kubernetes auth mount.
pub(crate) fn mount(vault: &mut Vault) {
    vault.kubernetes = json!({
        "disable_iss_validation": true, "disable_local_ca_jwt": false, "issuer": "", "kubernetes_ca_cert": "",
        "kubernetes_host": "https://10.96.0.1:443", "pem_keys": [], "token_reviewer_jwt_set": false,
    });
}

/// Role, policy and secret of one tenant.
pub(crate) fn build(vault: &mut Vault, plan: &Plan) {
    if plan.secrets == Secrets::Nothing {
        return;
    }
    let name = format!("tenant-{}", plan.name);
    let home = plan.home();
    vault.policies.insert(name.clone(), policy(plan));
    let (names, namespaces) = match plan.secrets {
        Secrets::LooseRole => ("*".to_owned(), format!("*-{}", plan.name)),
        _ => (plan.account(), home.to_owned()),
    };
    let audience = if plan.secrets == Secrets::Walkthrough { "" } else { "vault" };
    let mut policies = vec![name.clone()];
    if plan.secrets == Secrets::MissingPolicy {
        policies.push(format!("{name}-shared"));
    }
    let role = Role {
        names: vec![names],
        namespaces: vec![namespaces],
        audience: audience.to_owned(),
        policies,
        ttl: 3_600,
        max_ttl: 0,
        ..Role::default()
    };
    vault.roles.insert(name, role);
    // a value nobody may ever see: anything that shows it has read a secret
    let value =
        json!({"api_key": format!("CANARY-{}-api-key", plan.name), "encryption_key": format!("CANARY-{}-encryption-key", plan.name)});
    vault.secrets.insert(home.to_owned(), Secret { versions: vec![(clock::ago(plan.days * 86_400), value)] });
}

fn policy(plan: &Plan) -> String {
    let home = plan.home();
    match plan.secrets {
        Secrets::WidePolicy => format!(
            "# written in a hurry\npath \"secret/data/web-tenant-*\" {{ capabilities = [\"read\"] }}\npath \"secret/metadata/{home}\" {{ capabilities = [\"read\"] }}\n"
        ),
        Secrets::Walkthrough => format!(
            "# Vault policy: tenant-{} can read its own secrets, nothing else.\npath \"secret/data/{home}\"     {{ capabilities = [\"read\"] }}\npath \"secret/metadata/{home}\" {{ capabilities = [\"read\"] }}\n",
            plan.name
        ),
        Secrets::Template => {
            // as the Kubernetes auth mount names it
            let own = "{{identity.entity.aliases.auth_kubernetes_8d26875b.metadata.service_account_namespace}}";
            format!(
                "# each namespace its own folder, whoever logs in\npath \"secret/data/{own}\" {{ capabilities = [\"read\"] }}\npath \"secret/data/{own}/*\" {{ capabilities = [\"read\"] }}\npath \"secret/metadata/{own}\" {{ capabilities = [\"read\"] }}\n"
            )
        }
        Secrets::Segment => format!(
            "path \"secret/data/{home}\" {{ capabilities = [\"read\"] }}\n# meant for its own\npath \"secret/metadata/+\" {{ capabilities = [\"read\", \"list\"] }}\n"
        ),
        _ => ["secret/data", "secret/metadata"]
            .iter()
            .flat_map(|area| {
                [
                    format!("path \"{area}/{home}\" {{ capabilities = [\"read\"] }}\n"),
                    format!("path \"{area}/{home}/*\" {{ capabilities = [\"read\"] }}\n"),
                ]
            })
            .collect(),
    }
}
