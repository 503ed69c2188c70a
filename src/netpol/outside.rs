//! What lies outside the tenants: addresses and the fixed targets.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use ipnet::IpNet;

use super::answer::Answer;
use super::class::Class;
use super::ground::ranges_of;
use super::isolation::Direction;
use super::judge::Held;
use super::portbook::{Open, PortBook, Ports};
use super::ports::PortSet;
use super::ranges::{FAMILIES, Family, Ranges};
use super::reach::Options;
use super::target::{Extent, Target, VaultPlace};
use super::term::{Outside, Term, TermId};
use super::truth::Truth;
use super::world::{ClassAt, World, owns};
use crate::model::containers::PortProtocol;
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;

/// Ranges that no public address lies in.
const NOT_PUBLIC: [&str; 20] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/96",
    "::ffff:0:0/96",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
/// Where clouds hand out credentials: AWS, GCP, Azure and OpenStack; AWS over IPv6; ECS; EKS Pod Identity; Alibaba; Azure's wire server.
const METADATA: [&str; 6] =
    ["169.254.169.254/32", "fd00:ec2::254/128", "169.254.170.2/32", "169.254.170.23/32", "100.100.100.200/32", "168.63.129.16/32"];
/// The address of the resolver's cache on each node.
const NODE_DNS: &str = "169.254.20.10/32";

/// Where the fixed targets are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Landmarks {
    pub nodes: Ranges,
    /// Addresses at which the API server answers.
    pub api: Ranges,
    internet: Ranges,
    private: Ranges,
    metadata: Ranges,
    node_dns: Ranges,
    vault: Option<VaultPlace>,
}

/// What is asked of one target: addresses, pods, on which ports.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Aim {
    pub addresses: Ranges,
    pub pods: Vec<ClassAt>,
    pub ports: Ports,
    /// Only one of the addresses is meant, and it is not known which.
    pub somewhere: bool,
    pub unknown: Option<&'static str>,
}

/// What a subject reaches of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Gain {
    pub open: Open,
    /// All of it is open for sure.
    pub whole: bool,
}

fn nets(list: &[&str]) -> Ranges {
    Ranges::new(list.iter().filter_map(|text| text.parse::<IpNet>().ok()))
}

impl Landmarks {
    /// From what Nodes, Services and the options say. O(nodes).
    pub(super) fn new(options: &Options, snapshot: &Snapshot) -> Self {
        let nodes = Ranges::of_addresses(snapshot.nodes.values().flat_map(|node| node.ips.iter().copied()));
        let slices = snapshot.namespace("default").into_iter().flat_map(|facts| facts.endpoint_slices.values());
        let own = slices.filter(|slice| slice.service.as_deref() == Some("kubernetes"));
        let api = Ranges::of_addresses(own.flat_map(|slice| slice.addresses.iter().copied()));
        let pods = snapshot.nodes.values().flat_map(|node| node.pod_cidrs.iter()).chain(&options.places.pod_ranges);
        let cluster = Ranges::new(pods.chain(&options.places.service_ranges).copied()).union(&nodes).union(&api);
        let metadata = nets(&METADATA);
        let system = snapshot.namespace("kube-system");
        let cached = system.is_some_and(|facts| facts.workloads.contains_key(&(Kind::DaemonSet, Name::from("node-local-dns"))));
        Self {
            internet: Ranges::all().minus(&nets(&NOT_PUBLIC)).minus(&cluster).minus(&metadata),
            private: nets(&PRIVATE).minus(&cluster).minus(&metadata),
            metadata,
            node_dns: if cached { nets(&[NODE_DNS]) } else { Ranges::default() },
            vault: options.places.vault.clone(),
            nodes,
            api,
        }
    }
}

impl World {
    /// What is asked of a target. O(1), and O(classes of the namespace) for targets that are pods.
    pub(super) fn aim(&self, target: Target, book: &mut PortBook) -> Aim {
        let marks = &self.marks;
        let at =
            |addresses: &Ranges| Aim { addresses: addresses.clone(), pods: Vec::new(), ports: Ports::ALL, somewhere: false, unknown: None };
        let known = |addresses: &Ranges, why: &'static str| {
            let unknown = addresses.is_empty().then_some(why);
            Aim { unknown, ..at(addresses) }
        };
        match target {
            Target::Internet => at(&marks.internet),
            Target::Metadata => at(&marks.metadata),
            Target::Private => at(&marks.private),
            Target::ApiServer => known(&marks.api, "the API server's addresses are not seen"),
            Target::Nodes => known(&marks.nodes, "no address of a node is seen"),
            Target::Kubelet => {
                let ports = book.number(PortSet::from_ranges([10_250, 10_255].map(|port| (PortProtocol::Tcp, port, port))));
                Aim { ports, ..known(&marks.nodes, "no address of a node is seen") }
            }
            Target::ClusterDns => {
                let pods = self.dns_pods();
                let unknown = (pods.is_empty() && marks.node_dns.is_empty()).then_some("no pod of the cluster's resolver is seen");
                Aim { pods, unknown, ..at(&marks.node_dns) }
            }
            Target::Vault => self.aim_vault(book),
        }
    }

    fn aim_vault(&self, book: &mut PortBook) -> Aim {
        let none = Aim { addresses: Ranges::default(), pods: Vec::new(), ports: Ports::NONE, somewhere: false, unknown: None };
        let on = |port: u16, book: &mut PortBook| book.number(PortSet::range(PortProtocol::Tcp, port, port));
        match &self.marks.vault {
            None => Aim { unknown: Some("it is not said where Vault is"), ..none },
            Some(VaultPlace::Addresses(nets, port)) => Aim { addresses: Ranges::new(nets.iter().copied()), ports: on(*port, book), ..none },
            Some(VaultPlace::Host(_, port)) => Aim {
                addresses: Ranges::all(),
                ports: on(*port, book),
                somewhere: true,
                unknown: Some("the address of Vault's name is not known here"),
                ..none
            },
            Some(VaultPlace::Service { namespace, name, port }) => {
                let behind = self.behind(namespace, name);
                let ports = behind.ports(PortProtocol::Tcp, *port, self, book);
                let unknown = (behind.pods.is_empty() && behind.addresses.is_empty()).then_some("nothing is seen behind Vault's Service");
                Aim { addresses: behind.addresses, pods: behind.pods, ports, ..Aim { unknown, ..none } }
            }
        }
    }

    fn dns_pods(&self) -> Vec<ClassAt> {
        let behind = self.behind("kube-system", "kube-dns").pods;
        if !behind.is_empty() {
            return behind;
        }
        let labels = crate::model::labels::LabelSet::new([("k8s-app".into(), "kube-dns".into())]);
        self.selected("kube-system", &labels)
    }

    /// What a subject's rules open of addresses of its families: the union, and whether all is open. `nodes`: where its pods run, where that counts.
    /// O(ranges × entries).
    pub(super) fn gain<'a>(
        &self,
        held: &(impl Iterator<Item = Held<'a>> + Clone),
        aim: &Aim,
        families: [bool; 2],
        nodes: Option<&BTreeSet<Option<Name>>>,
        book: &mut PortBook,
    ) -> Gain {
        let mut gain = Gain { open: Open::NONE, whole: true };
        let mut everywhere = Open::ALL;
        let mut any = false;
        for (family, from, _) in intervals(self, held.clone(), &of_families(&aim.addresses, families)) {
            let there = self.outside_at(family, from);
            let mut open = Open::NONE;
            for own in self.owns_at(&there, nodes) {
                let one = self.ground.outside(held.clone(), &Outside { own, ..there }, book);
                open = book.join(open, one);
            }
            let open = Open { sure: book.intersect(open.sure, aim.ports), may: book.intersect(open.may, aim.ports) };
            gain.open = book.join(gain.open, open);
            everywhere = book.meet(everywhere, open);
            gain.whole &= open.sure == aim.ports;
            any = true;
        }
        if aim.somewhere {
            gain.open.sure = if any { everywhere.sure } else { Ports::NONE };
        }
        gain.whole &= any;
        gain
    }

    /// What pods of a namespace open to addresses: the union, and the ranges with an open port. O(ranges × entries of its classes).
    pub(super) fn addresses(&self, namespace: &str, within: &[IpNet], future: bool) -> (Answer, Vec<(IpNet, Answer)>) {
        let Some(space) = self.space(namespace) else { return Default::default() };
        let mut book = self.ground.ports.copy();
        let classes: Vec<&Class> = space.classes.iter().filter(|class| future || class.count > 0).collect();
        let held = classes.iter().flat_map(|class| class.held(Direction::Egress, &self.ground));
        let mut all = Open::NONE;
        let mut by_answer: BTreeMap<Open, Vec<(Family, u128, u128)>> = BTreeMap::new();
        for (family, from, to) in intervals(self, held, &Ranges::new(within.iter().copied())) {
            let there = self.outside_at(family, from);
            let mut open = Open::NONE;
            for class in &classes {
                let nodes = there.node.then(|| space.nodes_of(class));
                for own in self.owns_at(&there, nodes.as_ref()) {
                    let one = self.ground.class_outside(class, Direction::Egress, &Outside { own, ..there }, &mut book);
                    open = book.join(open, one);
                }
            }
            if future && space.imagined_cut {
                open = book.join(open, Open::UNKNOWN);
            }
            all = book.join(all, open);
            if !open.may.is_none() {
                by_answer.entry(open).or_default().push((family, from, to));
            }
        }
        let mut ranges: Vec<(IpNet, Answer)> = Vec::new();
        for (open, list) in by_answer {
            let answer = book.answer(open);
            ranges.extend(Ranges::from_intervals(list).nets().into_iter().map(|net| (net, answer.clone())));
        }
        ranges.sort_by_key(|(net, _)| *net);
        (book.answer(all), ranges)
    }

    /// Whether what is at an address may be the node of pods that run on these.
    pub(super) fn owns_at(&self, there: &Outside, nodes: Option<&BTreeSet<Option<Name>>>) -> BTreeSet<Truth> {
        let Some(nodes) = nodes.filter(|_| there.node) else { return BTreeSet::from([Truth::No]) };
        let at = self.ground.nodes_at(there);
        at.into_iter().flat_map(|name| owns(Some(name), nodes)).collect()
    }
}

/// Ranges of some families; of all where none is known.
pub(super) fn of_families(ranges: &Ranges, families: [bool; 2]) -> Ranges {
    if families == [false, false] {
        return ranges.clone();
    }
    let spoken = FAMILIES.into_iter().filter(|family| families.get(*family as usize) == Some(&true));
    spoken.fold(Ranges::default(), |all, family| all.union(&ranges.only(family)))
}

/// How much of a target was gained.
pub(super) fn extent(gain: Gain) -> Extent {
    match (gain.open.sure.is_none(), gain.whole) {
        (true, _) => Extent::None,
        (false, true) => Extent::All,
        (false, false) => Extent::Some,
    }
}

/// The elementary intervals of ranges: within each, these rules tell no address from another. O(n log n) in the ranges they name.
pub(super) fn intervals<'a>(world: &World, held: impl Iterator<Item = Held<'a>>, within: &Ranges) -> Vec<(Family, u128, u128)> {
    let ground = &world.ground;
    let peers: BTreeSet<TermId> = held.flat_map(|held| &held.rules.entries).flat_map(|entry| entry.peers.iter().copied()).collect();
    let of_terms = peers.iter().filter_map(|id| ranges_of(ground.terms.get(*id))).map(|(ranges, _)| ranges);
    let zones = peers.iter().any(|id| !matches!(ground.terms.get(*id), Term::Anybody | Term::Unclear | Term::Pods(_)));
    let own = [&world.marks.nodes, &world.marks.api].into_iter().filter(|_| zones);
    let cuts: Vec<&Ranges> = of_terms.chain(own).collect();
    let mut all = Vec::new();
    for family in FAMILIES.into_iter().filter(|family| *family == Family::V4 || ground.edges.ipv6) {
        let mut starts: BTreeSet<u128> = BTreeSet::new();
        for (from, to) in cuts.iter().flat_map(|ranges| ranges.of(family)) {
            starts.insert(*from);
            starts.extend(to.checked_add(1));
        }
        for (from, to) in within.of(family) {
            let mut at = *from;
            for next in starts.range((Bound::Excluded(*from), Bound::Included(*to))) {
                all.push((family, at, next - 1));
                at = *next;
            }
            all.push((family, at, *to));
        }
    }
    all
}
