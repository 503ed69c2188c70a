//! Vault, access reviews and tokens.

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Client;
use kube::api::{Api, PostParams};
use partywall::demo::{DemoHandle, Faults, VaultFault};
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};
use vaultrs::error::ClientError;

use super::{ACME, admin, client, fleet};

fn vault(demo: &DemoHandle, token: &str) -> VaultClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    VaultClient::new(VaultClientSettingsBuilder::default().address(demo.vault_url()).token(token).build().unwrap()).unwrap()
}

async fn token(client: &Client, namespace: &str, account: &str, audience: Option<&str>) -> String {
    let spec = TokenRequestSpec {
        audiences: audience.map(str::to_owned).into_iter().collect(),
        expiration_seconds: Some(600),
        bound_object_ref: None,
    };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    accounts.create_token_request(account, &PostParams::default(), &request).await.unwrap().status.unwrap().token
}

fn said(error: ClientError) -> (u16, Vec<String>) {
    match error {
        ClientError::APIError { code, errors } => (code, errors),
        _ => panic!("not an answer of Vault's"),
    }
}

#[tokio::test]
async fn a_tenant_logs_in_and_stays_in_its_path() {
    let demo = fleet().await;
    let client = admin(&demo).await;
    let operator = vault(&demo, demo.vault_token());
    let roles = vaultrs::auth::kubernetes::role::list(&operator, "kubernetes").await.unwrap().keys;
    assert_eq!(roles.len(), 12);
    let root = vault(&demo, demo.vault_root_token());
    assert!(vaultrs::sys::policy::list(&root).await.unwrap().policies.contains(&"tenant-acme".to_owned()));
    let old_path = vaultrs::sys::policy::list(&operator).await.unwrap_err();
    assert_eq!(said(old_path).0, 403, "the old path is not in the operator policy");
    assert!(vaultrs::token::lookup_self(&operator).await.unwrap().policies.contains(&"operator".to_owned()));
    let jwt = token(&client, ACME, "n8n-acme", None).await;
    let login = |role: &'static str, jwt: String| {
        let anonymous = vault(&demo, "");
        async move { vaultrs::auth::kubernetes::login(&anonymous, "kubernetes", role, &jwt).await }
    };
    let auth = login("tenant-acme", jwt.clone()).await.unwrap();
    assert_eq!(auth.policies, ["default", "tenant-acme"]);
    for (role, jwt, expected) in [
        ("tenant-globex", jwt.clone(), (403, "service account name not authorized")),
        ("nobody", jwt.clone(), (400, "invalid role name \"nobody\"")),
        ("tenant-acme", token(&client, ACME, "default", None).await, (403, "service account name not authorized")),
        (
            "tenant-initech",
            token(&client, "web-tenant-initech", "n8n-initech", None).await,
            (403, "invalid audience (aud) claim: audience claim does not match any expected audience"),
        ),
    ] {
        assert_eq!(said(login(role, jwt).await.unwrap_err()), (expected.0, vec![expected.1.to_owned()]), "{role}");
    }
    let tenant = vault(&demo, &auth.client_token);
    let get = async |path: &str| {
        let url = format!("{}/v1/{path}", demo.vault_url());
        let answer = tenant.http.http.get(url).header("X-Vault-Token", &auth.client_token).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("secret/data/web-tenant-acme?version=999999999").await, (404, "{\"errors\":[]}".to_owned()));
    let denied = "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n\"]}";
    assert_eq!(get("secret/data/web-tenant-globex?version=999999999").await, (403, denied.to_owned()));
    demo.mutate().seal(true);
    assert_eq!(get("secret/data/web-tenant-acme").await, (503, "{\"errors\":[\"Vault is sealed\"]}".to_owned()));
    demo.mutate().seal(false);
    demo.set_faults(Faults { vault: VaultFault::Unreachable, ..Faults::default() });
    assert_eq!(get("sys/health").await.0, 502);
    demo.set_faults(Faults::default());
    vaultrs::token::revoke_self(&tenant).await.unwrap();
    assert_eq!(get("auth/token/lookup-self").await.0, 403);
}

#[tokio::test]
async fn reviews_say_what_would_be_allowed() {
    let demo = fleet().await;
    let ask = async |yaml: String, verb: &str, resource: &str| {
        let attributes = ResourceAttributes { verb: Some(verb.into()), resource: Some(resource.into()), ..Default::default() };
        let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..Default::default() };
        Api::all(client(&yaml).await).create(&PostParams::default(), &review).await.unwrap().status.unwrap().allowed
    };
    for (user, verb, resource, expected) in [
        ("demo-admin", "delete", "pods", true),
        ("demo-viewer", "list", "pods", true),
        ("demo-viewer", "create", "pods", false),
        ("demo-prober", "create", "pods", true),
        ("demo-prober", "delete", "pods", false),
        ("demo-nslister", "list", "namespaces", true),
        ("demo-nslister", "list", "pods", false),
    ] {
        assert_eq!(ask(demo.kubeconfig_for(user), verb, resource).await, expected, "{user} {verb} {resource}");
    }
}
