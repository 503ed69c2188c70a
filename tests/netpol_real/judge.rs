//! What partywall says: the real watcher's facts, and two engines over them. One follows every change, one is new for each set of policies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use partywall::cluster::Cluster;
use partywall::cluster::watch::{FollowHandle, follow};
use partywall::model::changes::Change;
use partywall::model::containers::PortProtocol;
use partywall::model::networkpolicy::PortMatch;
use partywall::model::snapshot::{Dirty, Snapshot};
use partywall::model::store::Store;
use partywall::model::tenant::{TenantRules, Tenants};
use partywall::netpol::answer::{Answer, Openness};
use partywall::netpol::matrix::Matrix;
use partywall::netpol::reach::{Connection, Options, Peer, Reach};
use partywall::netpol::story::{End, Story};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use crate::world::{NAMESPACES, World};

/// A pod's namespace and name.
pub type Place = (String, String);

/// Follows the cluster and answers.
pub struct Judge {
    _following: FollowHandle,
    changes: Receiver<Vec<Change>>,
    store: Store,
    rules: TenantRules,
    followed: Reach,
    fresh: Reach,
    pub snapshot: Arc<Snapshot>,
}

impl Judge {
    pub fn new(cluster: &Cluster, world: &World) -> Self {
        let (tx, changes) = tokio::sync::mpsc::channel(64);
        // every namespace a tenant, so that the matrix can be held against the kernel as well
        let listed = NAMESPACES.iter().map(|(name, _)| ((*name).into(), vec![world.namespace(name).into()])).collect();
        Self {
            _following: follow(cluster, tx),
            changes,
            store: Store::default(),
            rules: TenantRules { listed, ..TenantRules::default() },
            followed: Reach::new(Options::default()),
            fresh: Reach::new(Options::default()),
            snapshot: Arc::default(),
        }
    }

    /// Follows until the snapshot is as `wanted`, at most 30 s; the engine that follows is given every change on the way.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !wanted(&self.snapshot) {
            match timeout_at(end, self.changes.recv()).await {
                Ok(Some(batch)) => batch.into_iter().for_each(|change| self.store.apply(change)),
                _ => panic!("not seen: {what}; {:#?}", self.snapshot.sources),
            }
            let (snapshot, dirty) = self.store.publish();
            self.followed.sync(&snapshot, &self.tenants(&snapshot), &dirty);
            self.snapshot = snapshot;
        }
        self.fresh = Reach::new(Options::default());
        self.fresh.sync(&self.snapshot, &self.tenants(&self.snapshot), &Dirty { everything: true, ..Dirty::default() });
    }

    fn tenants(&self, snapshot: &Snapshot) -> Arc<Tenants> {
        let owned = snapshot.namespaces.iter().map(|(name, facts)| (name, facts.own.as_ref().map(|own| own.labels.as_ref())));
        Arc::new(self.rules.resolve(owned))
    }

    /// Until the canary's policy of a generation has come; all that was applied before it has come then too.
    pub async fn until_generation(&mut self, world: &World, port: u16) {
        let space = world.namespace("canary");
        let seen = |snapshot: &Snapshot| {
            let policy = snapshot.namespace(&space)?.policies.get("generation")?;
            Some(policy.ingress.first()?.ports.first()?.port == PortMatch::Range(port, port))
        };
        self.until("the canary's policy", |snapshot| seen(snapshot) == Some(true)).await;
    }

    /// What both engines say; they must say the same.
    pub fn answer(&self, from: &End, to: &End) -> Answer {
        let (followed, fresh) = (self.followed.answer(from, to), self.fresh.answer(from, to));
        assert_eq!(followed, fresh, "an engine that followed and a new one differ on {from:?} -> {to:?}");
        fresh.unwrap_or_else(|| panic!("the engine does not know {from:?} or {to:?}"))
    }

    /// The story of a pair, in which every port is once.
    pub fn story(&self, from: &End, to: &End) -> Story {
        self.fresh.explain(from, to).unwrap_or_else(|| panic!("no story of {from:?} and {to:?}"))
    }

    /// What the list of connections says, which `partywall reach` prints, by the pods' (namespace, name).
    pub fn listed(&self) -> BTreeMap<(Place, Place), Answer> {
        let workloads = self.fresh.workloads();
        let place = |peer: &Peer| match peer {
            Peer::Workload(at) => Some((workloads[*at].namespace.to_string(), workloads[*at].name.to_string())),
            Peer::Addresses(_) => None,
        };
        let pods = |one: Connection| Some(((place(&one.from)?, place(&one.to)?), one.answer));
        self.fresh.connections().into_iter().filter_map(pods).collect()
    }

    /// What pods of a namespace meet at a port of a Service.
    pub fn service(&self, from: &str, (namespace, name): (&str, &str), at: &str) -> Openness {
        let asked = port(at);
        let ports = self.fresh.service(from, namespace, name);
        ports.iter().find(|one| one.port == asked).unwrap_or_else(|| panic!("{name} has no {at}")).openness
    }

    pub fn matrix(&self) -> Arc<Matrix> {
        assert_eq!(self.followed.matrix().rows, self.fresh.matrix().rows, "an engine that followed and a new one differ");
        self.fresh.matrix()
    }

    /// Everything the engine was asked, by protocol, in words for a failure.
    pub fn words(&self, from: &End, to: &End) -> String {
        let segments: Vec<_> = self
            .story(from, to)
            .segments
            .iter()
            .map(|part| format!("{}: {:?}; egress {:?}; ingress {:?}", part.ports.words(), part.openness, part.egress, part.ingress))
            .collect();
        segments.join("\n      ")
    }
}

/// `tcp/8080` as the engine's words.
pub fn port(text: &str) -> (PortProtocol, u16) {
    let names: BTreeMap<_, _> = [("tcp", PortProtocol::Tcp), ("udp", PortProtocol::Udp), ("sctp", PortProtocol::Sctp)].into();
    let (protocol, number) = text.split_once('/').unwrap();
    (names[protocol], number.parse().unwrap())
}
