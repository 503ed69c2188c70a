//! Starting the simulated servers, and the handle by which they are asked about, changed and stopped.

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::auth::{self, ADMIN};
use super::faults::Faults;
use super::json::Json;
use super::kinds::{by_name, by_path};
use super::store::{Key, Objects};
use super::vault::state::{OPERATOR, ROOT};
use super::world::{RequestLog, Server, World};
use super::{http, kube, scenario, script, vault, workloads};

/// What to simulate.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// How many tenants; at least two.
    pub tenants: usize,
    /// Makes names, addresses and the script of changes; the same seed gives the same fleet.
    pub seed: u64,
    /// Whether something happens every few seconds.
    pub script: bool,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self { tenants: 12, seed: 1, script: false, faults: Faults::default() }
    }
}

/// The running servers. They stop when it is dropped.
pub struct DemoHandle {
    world: Arc<World>,
    kube: SocketAddr,
    vault: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for DemoHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoHandle").field("kube", &self.kube).field("vault", &self.vault).finish_non_exhaustive()
    }
}

/// Starts both servers on free ports of the loopback address.
///
/// # Errors
/// When no port can be bound.
pub async fn start(options: DemoOptions) -> io::Result<DemoHandle> {
    let kube_listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let vault_listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (kube_at, vault_at) = (kube_listener.local_addr()?, vault_listener.local_addr()?);
    let world = Arc::new(World::new(options.seed, options.faults));
    scenario::build(&world, options.tenants);
    let mut tasks = vec![
        tokio::spawn(http::serve(kube_listener, Arc::clone(&world), Server::Kubernetes, kube::answer)),
        tokio::spawn(workloads::run(Arc::clone(&world))),
        tokio::spawn(http::serve(vault_listener, Arc::clone(&world), Server::Vault, vault::answer)),
    ];
    if options.script {
        tasks.push(tokio::spawn(script::run(Arc::clone(&world))));
    }
    Ok(DemoHandle { world, kube: kube_at, vault: vault_at, tasks })
}

impl DemoHandle {
    /// Address of the API server.
    pub fn kube_url(&self) -> String {
        format!("http://{}", self.kube)
    }

    /// Address of Vault.
    pub fn vault_url(&self) -> String {
        format!("http://{}", self.vault)
    }

    /// A Vault token that may read what an operator needs and no secret.
    pub fn vault_token(&self) -> &str {
        OPERATOR
    }

    /// A Vault token that may do everything.
    pub fn vault_root_token(&self) -> &str {
        ROOT
    }

    /// A kubeconfig with one context per built-in user; the current one is the administrator's, `partywall-demo`.
    pub fn kubeconfig_yaml(&self) -> String {
        self.kubeconfig_for(ADMIN)
    }

    /// The same with the context of another user: `demo-admin`, `demo-viewer`, `demo-prober` or `demo-nslister`.
    pub fn kubeconfig_for(&self, user: &str) -> String {
        let name = |token: &str| if token == ADMIN { "partywall-demo".to_owned() } else { format!("partywall-{token}") };
        let (mut clusters, mut contexts, mut users) = (String::new(), String::new(), String::new());
        for token in auth::tokens() {
            let context = name(token);
            let server = if token == ADMIN { self.kube_url() } else { format!("{}/as/{token}", self.kube_url()) };
            let _ = write!(clusters, "- name: {context}\n  cluster:\n    server: {server}\n");
            let _ = write!(contexts, "- name: {context}\n  context:\n    cluster: {context}\n    user: {token}\n");
            let _ = write!(users, "- name: {token}\n  user:\n    token: {token}\n");
        }
        format!("apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters:\n{clusters}contexts:\n{contexts}users:\n{users}", name(user))
    }

    /// Every request answered so far, oldest first. A watch appears when it opens.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.world.requests()
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        *self.world.faults() = faults;
    }

    /// Changes of the fleet itself, past every check.
    pub fn mutate(&self) -> Mutator<'_> {
        Mutator { world: &self.world }
    }

    /// Stops both servers and waits until they have.
    pub async fn shutdown(mut self) {
        self.world.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            // a server that panicked has stopped too
            let _ = task.await;
        }
    }
}

impl Drop for DemoHandle {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}

/// Changes the fleet from outside, as an unseen administrator would.
pub struct Mutator<'a> {
    world: &'a World,
}

impl Mutator<'_> {
    /// Stores an object as it is (with the server's defaults), replacing an older one. Returns whether its kind is known.
    pub fn apply(&self, mut object: Value) -> bool {
        let (group, version) = object.text("apiVersion").rsplit_once('/').unwrap_or(("", object.text("apiVersion")));
        let known = by_name(object.text("kind")).filter(|(_, k)| (k.group == group && k.version == version) || !object.has("apiVersion"));
        let Some((id, kind)) = known else { return false };
        if super::defaults::apply(kind, &mut object).is_err() {
            return false;
        }
        let namespace = if kind.namespaced { object.text("metadata/namespace").to_owned() } else { String::new() };
        let key = Key::new(id, &namespace, object.text("metadata/name"));
        self.world.store.write(|objects| {
            objects.put(key, object);
            super::controllers::settle(objects, kind, &namespace);
        });
        true
    }

    /// Deletes an object by kind (`Pod` or `pods`), namespace ("" if it has none) and name. Returns whether it was there.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let found = by_name(kind)
            .or_else(|| super::kinds::KINDS.iter().find_map(|k| (k.plural == kind).then(|| by_path(k.group, k.version, k.plural))?));
        let Some((id, kind)) = found else { return false };
        self.world.store.write(|objects| {
            let gone = objects.remove(&Key::new(id, namespace, name)).is_some();
            super::controllers::settle(objects, kind, namespace);
            gone
        })
    }

    /// Seals or unseals Vault.
    pub fn seal(&self, sealed: bool) {
        self.world.vault().sealed = sealed;
    }

    /// Switches the simulated packet filter on or off. Off, every policy is declared and none acts.
    pub fn enforce(&self, on: bool) {
        self.world.enforce(on);
    }

    /// Writes or (with `None`) removes a Vault policy.
    pub fn vault_policy(&self, name: &str, text: Option<&str>) {
        let mut vault = self.world.vault();
        match text {
            Some(text) => vault.policies.insert(name.to_owned(), text.to_owned()),
            None => vault.policies.remove(name),
        };
    }

    /// Forgets the watch history: every watch that resumes from before is answered with 410.
    pub fn compact(&self) {
        self.world.store.write(Objects::compact);
    }
}
