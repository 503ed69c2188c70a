//! The fleet that the pictures show: twelve tenants made of facts and judged by the real engine, with real receipts, at a fixed time.

mod facts;
mod receipts;
pub mod secrets;
pub mod walls;

use std::sync::Arc;

use crate::app::msg::View;
use crate::model::changes::{Change, Fact};
use crate::model::event::Authority;
use crate::model::ids::{Name, TenantId};
use crate::model::kind::{Kind, WATCHED};
use crate::model::snapshot::ServerFacts;
use crate::model::source::SourceState;
use crate::model::store::Store;
use crate::model::time::{HOUR, MINUTE, SECOND, Time};
use crate::model::vault::VaultFacts;
use crate::netpol::matrix::Matrix;
use crate::posture::engine::{Engine, EngineConfig};
use crate::probe::spec::ProbeId;
use crate::receipt::Receipt;
use crate::receipt::book::Book;
use crate::vaultacl::reach::Picture;

pub use receipts::Said;

/// The time on every picture.
pub const NOW: Time = Time(1_795_262_400_000);

/// The fleet, its engine and its receipts.
pub struct Fleet {
    store: Store,
    engine: Engine,
    book: Book,
    at: Time,
}

impl Fleet {
    /// The fleet as it stands two minutes before the pictures are taken: receipts made, nothing broken since.
    pub fn new() -> Self {
        let mut fleet = Self {
            store: Store::default(),
            engine: Engine::new(EngineConfig::default()),
            book: Book::default(),
            at: NOW.plus(-2 * MINUTE),
        };
        let server = ServerFacts { context: "kind-tenants".into(), version: "v1.36.2".into(), cluster_uid: "5b1f".into(), simulated: true };
        fleet.store.apply(Change::Server(server));
        fleet.store.apply(Change::User("operator@example.org".into()));
        for info in &WATCHED {
            fleet.store.apply(Change::Listing(info.kind));
        }
        for fact in facts::everything() {
            fleet.put(fact);
        }
        for info in &WATCHED {
            fleet.store.apply(Change::Listed(info.kind));
        }
        fleet.store.apply(Change::Vault(Box::new(facts::vault())));
        fleet.publish();
        fleet.prove();
        fleet
    }

    /// The fleet of the pictures: acme's only NetworkPolicy was deleted a moment ago.
    pub fn broken() -> Self {
        let mut fleet = Self::new();
        fleet.publish();
        fleet.at = NOW.plus(-12 * SECOND);
        fleet.gone(Kind::NetworkPolicy, "web-tenant-acme", "tenant-isolation");
        fleet.publish();
        fleet.at = NOW;
        fleet
    }

    /// A fact comes or changes.
    pub fn put(&mut self, fact: Fact) {
        self.store.apply(Change::Put(Box::new(fact)));
    }

    /// An object goes.
    pub fn gone(&mut self, kind: Kind, namespace: &str, name: &str) {
        self.store.apply(Change::Gone { kind, namespace: namespace.into(), name: name.into() });
    }

    /// A source changes its state.
    pub fn source(&mut self, kind: Kind, state: SourceState) {
        self.store.apply(Change::State(kind, state));
    }

    /// Vault as another poll finds it.
    pub fn vault(&mut self, change: impl FnOnce(&mut VaultFacts)) {
        let mut vault = facts::vault();
        change(&mut vault);
        self.store.apply(Change::Vault(Box::new(vault)));
    }

    /// What a screen is given now.
    pub fn publish(&mut self) -> Arc<View> {
        let (snapshot, dirty) = self.store.publish();
        let assessment = self.engine.evaluate(&snapshot, &dirty, &self.book, self.at);
        Arc::new(View { snapshot, assessment, book: Arc::new(self.book.clone()) })
    }

    /// A receipt of now.
    pub fn receipt(&mut self, probe: ProbeId, tenant: &str, said: Said, age: i64) -> Option<Arc<Receipt>> {
        let (snapshot, dirty) = self.store.publish();
        let assessment = self.engine.evaluate(&snapshot, &dirty, &self.book, self.at);
        receipts::receipt(&snapshot, &assessment.tenants, probe, tenant, said, NOW.plus(-age)).map(Arc::new)
    }

    fn add(&mut self, probe: ProbeId, tenant: &str, said: Said, age: i64) {
        if let Some(receipt) = self.receipt(probe, tenant, said, age) {
            self.book.add(receipt);
        }
    }

    /// The receipts that were made in the course of the day.
    fn prove(&mut self) {
        use ProbeId::{Network, Resource, Vault};
        let made = [
            ("globex", Network, Said::Held, 3 * HOUR),
            ("globex", Vault, Said::Held, 3 * HOUR),
            ("globex", Resource, Said::Held, 3 * HOUR),
            ("acme", Network, Said::Held, 26 * MINUTE),
            ("acme", Vault, Said::Held, 25 * MINUTE),
            ("acme", Resource, Said::Held, 25 * MINUTE),
            ("wayne", Network, Said::Held, 5 * HOUR),
            ("wayne", Vault, Said::Held, 5 * HOUR),
            ("wayne", Resource, Said::Held, 5 * HOUR),
            ("tyrell", Network, Said::Crossed, 48 * MINUTE),
            ("tyrell", Vault, Said::Held, 47 * MINUTE),
            ("cyberdyne", Network, Said::DeadTarget, 2 * HOUR),
            ("hooli", Resource, Said::Held, 9 * HOUR),
        ];
        for (tenant, probe, said, age) in made {
            self.add(probe, tenant, said, age);
        }
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}

/// A fleet of so many tenants of the walkthrough's kind, for measuring.
pub fn large(tenants: usize) -> Arc<View> {
    let mut fleet = Fleet::new();
    for i in 0..tenants {
        for fact in facts::plain(&format!("t{i:04}"), i) {
            fleet.put(fact);
        }
    }
    fleet.publish()
}

/// A view with another matrix.
pub fn with_matrix(view: &View, matrix: Matrix) -> Arc<View> {
    let mut assessment = (*view.assessment).clone();
    assessment.matrix = Arc::new(matrix);
    Arc::new(View { assessment: Arc::new(assessment), ..view.clone() })
}

/// A view with another picture of what tenants reach in Vault.
pub fn with_secrets(view: &View, picture: Picture) -> Arc<View> {
    let mut assessment = (*view.assessment).clone();
    assessment.secrets = Arc::new(picture);
    Arc::new(View { assessment: Arc::new(assessment), ..view.clone() })
}

/// A view with a matrix that holds every shade there is.
pub fn shaded(view: &View) -> Arc<View> {
    let tenants: Vec<TenantId> = view.assessment.by_tenant.keys().cloned().collect();
    with_matrix(view, walls::matrix(&tenants))
}

/// A refusal as an Event records it.
pub fn refusal(namespace: &str, about: &str, authority: Authority, message: &str, age: i64, count: u32) -> Fact {
    facts::refusal(namespace, about, authority, message, age, count)
}

/// A cluster of which only the namespaces may be listed.
pub fn only_namespaces() -> Arc<View> {
    let mut store = Store::default();
    let server = ServerFacts { context: "prod-eu".into(), version: "v1.36.2".into(), cluster_uid: "77aa".into(), simulated: true };
    store.apply(Change::Server(server));
    for fact in facts::everything().into_iter().filter(|fact| fact.kind() == Kind::Namespace) {
        store.apply(Change::Put(Box::new(fact)));
    }
    for info in &WATCHED {
        let why = format!(
            "{} is forbidden: User \"nslister\" cannot list resource \"{}\" in API group \"{}\" at the cluster scope",
            info.plural, info.plural, info.group
        );
        let state = if info.kind == Kind::Namespace { SourceState::Live } else { SourceState::Denied { why: Name::from(why) } };
        store.apply(Change::State(info.kind, state));
    }
    let (snapshot, dirty) = store.publish();
    let book = Arc::new(Book::default());
    let assessment = Engine::new(EngineConfig::default()).evaluate(&snapshot, &dirty, &book, NOW);
    Arc::new(View { snapshot, assessment, book })
}
