//! The engine's face: follows snapshots and answers who can reach whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipnet::IpNet;

use super::answer::Answer;
use super::isolation::{Direction, Isolation};
use super::matrix::Matrix;
use super::picture::{Picture, blind};
use super::ports::PortSet;
use super::profile::{Enforcement, Profile};
use super::story::{End, Story};
use super::target::Places;
use super::world::World;
use super::{ends, listing};
use crate::model::ids::{Name, TenantId};
use crate::model::snapshot::{Dirty, Snapshot};
use crate::model::tenant::Tenants;

/// How the engine reads what it is given.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// The CNI's reading.
    pub profile: Profile,
    /// Cilium's mode; only in its profile.
    pub enforcement: Enforcement,
    /// Where the fixed targets are.
    pub places: Places,
}

/// Whose answers changed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Touched {
    /// Everybody's may have.
    pub all: bool,
    /// Tenants with a changed row, column or target.
    pub tenants: BTreeSet<TenantId>,
}

/// Pods of one controller, or one pod without any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// Namespace.
    pub namespace: Name,
    /// Name of the owner, or of the pod.
    pub name: Name,
    /// Kind of the owner, or `Pod`.
    pub kind: Name,
    /// Other names it goes by, as (kind, name): the ReplicaSet of a Deployment.
    pub aliases: Vec<(Name, Name)>,
}

/// An end in the list of connections.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// The workload at this place in [`Reach::workloads`].
    Workload(usize),
    /// Addresses outside, as ranges from–to of one family, sorted.
    Addresses(Vec<(std::net::IpAddr, std::net::IpAddr)>),
}

/// A pair of ends with an open port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// From.
    pub from: Peer,
    /// To.
    pub to: Peer,
    /// On which ports; `may` is not empty.
    pub answer: Answer,
}

/// A port of a Service and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceReach {
    /// Port and protocol of the Service.
    pub port: (crate::model::containers::PortProtocol, u16),
    /// Whether any pod behind it can be reached through it, on its target port.
    pub openness: super::answer::Openness,
}

/// Follows snapshots and answers.
#[derive(Debug, Default)]
pub struct Reach {
    options: Options,
    tenants: Arc<Tenants>,
    world: Option<World>,
    picture: Picture,
}

impl Reach {
    /// An engine that has seen nothing.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// How it reads.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Brings it up to date. `dirty` says what changed since the snapshot given last; the first call looks at everything.
    /// O(what the dirty namespaces hold and whom they name); O(tenants) when a tenant looks other to strangers than before; from nothing,
    /// O(pods + policies + classes × units and terms of their namespace + tenants) when namespaces, their labels, cluster-wide policies, nodes, or
    /// what every namespace looks at changed.
    pub fn sync(&mut self, snapshot: &Snapshot, tenants: &Arc<Tenants>, dirty: &Dirty) -> Touched {
        let blind = blind(snapshot);
        let regrouped = !Arc::ptr_eq(&self.tenants, tenants) && *self.tenants != **tenants;
        let known = self.world.take().and_then(|mut world| world.follow(&self.options, snapshot, dirty).map(|followed| (world, followed)));
        self.tenants = tenants.clone();
        let (world, touched) = match known {
            Some((mut world, followed)) if !regrouped => {
                let touched = self.picture.touch_up(&mut world, &followed, blind);
                (world, touched)
            }
            known => {
                let mut world = known.map_or_else(|| World::new(&self.options, snapshot), |(world, _)| world);
                let touched = self.picture.redraw(&mut world, tenants, blind);
                (world, touched)
            }
        };
        self.world = Some(world);
        touched
    }

    /// Tenant by tenant.
    pub fn matrix(&self) -> Arc<Matrix> {
        self.picture.matrix.clone()
    }

    /// Every workload, sorted. O(pods).
    pub fn workloads(&self) -> Vec<Workload> {
        self.world.as_ref().map(|world| listing::workloads(world).into_iter().map(|one| one.workload).collect()).unwrap_or_default()
    }

    /// Every pair of workloads, and of workloads and addresses, with an open port; a workload to itself is left out. Sorted.
    /// O(workloads² + kinds of them² × entries).
    pub fn connections(&self) -> Vec<Connection> {
        self.world.as_ref().map(listing::connections).unwrap_or_default()
    }

    /// One pair. None where an end does not exist. O(classes of both ends × entries).
    pub fn answer(&self, from: &End, to: &End) -> Option<Answer> {
        let world = self.world.as_ref()?;
        let mut book = world.ground.ports.copy();
        let open = ends::answer(world, &self.tenants, from, to, &mut book)?;
        Some(book.answer(open))
    }

    /// Why. None where an end does not exist. As [`Reach::answer`], and O(entries × ports they name) for the pair that is told.
    pub fn explain(&self, from: &End, to: &End) -> Option<Story> {
        let world = self.world.as_ref()?;
        ends::explain(world, &self.tenants, from, to, &mut world.ground.ports.copy())
    }

    /// Whether pods of a namespace refuse what no rule allows, in one direction: every kind of policy counts.
    /// What a rule of NetworkPolicy or Cilium allows to everybody is left out: it is asked for by [`super::openness`]. None for a namespace that is not
    /// there. O(classes × entries + pods).
    pub fn isolation(&self, namespace: &str, direction: Direction) -> Option<Isolation> {
        self.world.as_ref()?.isolation(namespace, direction)
    }

    /// What pods of a namespace (existing ones, and with `future` any that may be made) reach of addresses: the union over them, and the
    /// ranges that are open with their ports, sorted.
    /// O(ranges × entries of its classes).
    pub fn addresses(&self, namespace: &str, within: &[IpNet], future: bool) -> (Answer, Vec<(IpNet, Answer)>) {
        self.world.as_ref().map(|world| world.addresses(namespace, within, future)).unwrap_or_default()
    }

    /// A Service, as pods of a namespace reach it: by port. Empty for a Service that is not there.
    /// O(classes of both namespaces × entries + pods).
    pub fn service(&self, from: &str, namespace: &str, name: &str) -> Vec<ServiceReach> {
        self.world.as_ref().map(|world| world.service(from, namespace, name)).unwrap_or_default()
    }

    /// All ports that a pair allows, as one set: what is open for sure.
    pub fn open_ports(&self, from: &End, to: &End) -> Option<PortSet> {
        self.answer(from, to).map(|answer| (*answer.sure).clone())
    }
}
