//! PLT-01 and PLT-02: is anything enforcing network policies, as far as the CNI's own configuration says? Only a trial proves it.

use std::collections::{BTreeMap, BTreeSet};

use super::assessment::UNENFORCED;
use super::finding::Subject;
use super::net::is_policy;
use super::plt::{FleetView, cluster};
use super::sight::Source::{self, Objects};
use super::verdict::Declared;
use super::view::{NAMES_SHOWN, Point, count, list};
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::{Kind, WATCHED};
use crate::model::platform::CiliumConfigFact;
use crate::model::snapshot::Snapshot;
use crate::model::source::Sight;
use crate::model::text::clean;
use crate::model::workload::WorkloadFact;
use crate::netpol::profile::Profile;

/// What PLT-01 asks.
pub const SOURCES: [Source; 3] = [Objects(Kind::DaemonSet), Objects(Kind::CiliumConfig), Objects(Kind::NetworkPolicy)];

/// Whether an agent enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enforces {
    /// These kinds.
    Kinds(&'static [Kind]),
    /// Perhaps NetworkPolicies: on what it depends.
    Depends(&'static str),
    /// Nothing.
    Nothing,
}

const NETWORK_POLICY: &[Kind] = &[Kind::NetworkPolicy];
const CILIUM: &[Kind] = &[
    Kind::NetworkPolicy,
    Kind::CiliumNetworkPolicy,
    Kind::CiliumClusterwideNetworkPolicy,
    Kind::CiliumCIDRGroup,
    Kind::ClusterNetworkPolicy,
];
const CALICO: &[Kind] = &[
    Kind::NetworkPolicy,
    Kind::CalicoNetworkPolicy,
    Kind::CalicoGlobalNetworkPolicy,
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
    Kind::ClusterNetworkPolicy,
];
const ANTREA: &[Kind] = &[
    Kind::NetworkPolicy,
    Kind::AntreaNetworkPolicy,
    Kind::AntreaClusterNetworkPolicy,
    Kind::AdminNetworkPolicy,
    Kind::BaselineAdminNetworkPolicy,
];
const OVN: &[Kind] = &[Kind::NetworkPolicy, Kind::EgressFirewall, Kind::AdminNetworkPolicy, Kind::BaselineAdminNetworkPolicy];
const SIG_NETWORK: &[Kind] = &[Kind::NetworkPolicy, Kind::AdminNetworkPolicy, Kind::BaselineAdminNetworkPolicy, Kind::ClusterNetworkPolicy];
const ISTIO: &[Kind] = &[Kind::AuthorizationPolicy];

/// DaemonSets that carry a cluster's network, by name, outside the tenants' namespaces.
const AGENTS: [(&str, &str, Enforces); 17] = [
    ("cilium", "Cilium", Enforces::Kinds(CILIUM)),
    ("anetd", "Cilium (GKE)", Enforces::Kinds(CILIUM)),
    ("calico-node", "Calico", Enforces::Kinds(CALICO)),
    ("canal", "Canal", Enforces::Kinds(CALICO)),
    ("rke2-canal", "Canal", Enforces::Kinds(CALICO)),
    ("antrea-agent", "Antrea", Enforces::Kinds(ANTREA)),
    ("ovnkube-node", "OVN-Kubernetes", Enforces::Kinds(OVN)),
    ("kube-network-policies", "kube-network-policies", Enforces::Kinds(SIG_NETWORK)),
    ("kube-router", "kube-router", Enforces::Kinds(NETWORK_POLICY)),
    ("weave-net", "Weave Net", Enforces::Kinds(NETWORK_POLICY)),
    ("azure-npm", "Azure NPM", Enforces::Kinds(NETWORK_POLICY)),
    ("ztunnel", "Istio ambient", Enforces::Kinds(ISTIO)),
    ("aws-node", "Amazon VPC CNI", Enforces::Depends("only with its network policy agent switched on")),
    ("kindnet", "kindnet", Enforces::Depends("only since kind 0.24")),
    ("kube-flannel-ds", "Flannel", Enforces::Nothing),
    ("kube-flannel", "Flannel", Enforces::Nothing),
    ("flannel", "Flannel", Enforces::Nothing),
];

/// An agent that is there.
struct Agent<'a> {
    name: &'static str,
    enforces: Enforces,
    fact: &'a WorkloadFact,
}

/// Agents in namespaces that are no tenant's: a tenant may call a DaemonSet what it likes.
fn agents<'a>(view: &FleetView<'a>) -> Vec<Agent<'a>> {
    let platform = view.snapshot.namespaces.iter().filter(|(name, _)| !view.tenants.of.contains_key(*name));
    let mut found = Vec::new();
    for (_, facts) in platform {
        for ((_, name), fact) in facts.workloads.iter().filter(|((kind, _), _)| *kind == Kind::DaemonSet) {
            let row = AGENTS.iter().find(|(agent, _, _)| *agent == name.as_ref());
            found.extend(row.map(|(_, name, enforces)| Agent { name, enforces: *enforces, fact }));
        }
    }
    found
}

fn daemon_set(agent: &Agent<'_>) -> ObjectRef {
    agent.fact.meta.object(Kind::DaemonSet)
}

fn unseen(view: &FleetView<'_>, kind: Kind) -> Option<Point> {
    let why = Objects(kind).blind(view.snapshot)?;
    Some(Point::new(Declared::Unknown, cluster(), format!("{kind}: {why}")).because("unseen"))
}

/// PLT-01.
pub fn enforces(view: &FleetView<'_>) -> Vec<Point> {
    if let Some(point) = unseen(view, Kind::DaemonSet) {
        return vec![point];
    }
    let agents = agents(view);
    let mut points = vec![by_whom(&agents)];
    points.extend(agents.iter().filter_map(not_everywhere));
    if is_cilium(&agents) {
        points.extend(cilium(view));
    }
    points.extend(unenforced(view, &agents));
    points.extend(profile(view, &agents));
    points
}

/// Who enforces NetworkPolicies here, if anybody that is known does.
fn by_whom(agents: &[Agent<'_>]) -> Point {
    let enforcing: Vec<&Agent<'_>> =
        agents.iter().filter(|agent| matches!(agent.enforces, Enforces::Kinds(kinds) if kinds.contains(&Kind::NetworkPolicy))).collect();
    let named = |agents: &[&Agent<'_>]| {
        let mut names: Vec<&str> = agents.iter().map(|agent| agent.name).collect();
        names.dedup();
        list(names)
    };
    let with = |point: Point, agents: &[&Agent<'_>]| {
        agents.iter().take(NAMES_SHOWN).fold(point, |point, agent| {
            let of = format!("{} of {} ready", agent.fact.ready, agent.fact.wanted.map_or_else(|| "?".to_owned(), |n| n.to_string()));
            point.with(daemon_set(agent), "status.numberReady", &of)
        })
    };
    if !enforcing.is_empty() {
        let message = format!("{} runs here and is known to enforce NetworkPolicy; no trial in this release shows it", named(&enforcing));
        return with(Point::new(Declared::Right, cluster(), message), &enforcing);
    }
    let depends = agents.iter().find_map(|agent| match agent.enforces {
        Enforces::Depends(on) => Some((agent, on)),
        _ => None,
    });
    if let Some((agent, on)) = depends {
        let message = format!("{} enforces NetworkPolicy {on}: only a trial shows whether this one does", agent.name);
        return with(Point::new(Declared::Unknown, cluster(), message).because("depends"), &[agent]);
    }
    let idle: Vec<&Agent<'_>> = agents.iter().filter(|agent| agent.enforces == Enforces::Nothing).collect();
    if !idle.is_empty() {
        let message = format!("{} carries the network and enforces no policy: every policy here is decoration", named(&idle));
        return with(Point::new(Declared::Open, cluster(), message).because("not-enforced"), &idle);
    }
    let message = "no DaemonSet of a known CNI was found: whether anything enforces policies is not known";
    Point::new(Declared::Unknown, cluster(), message).because("unknown-cni")
}

/// On a Node without its agent policies of new pods are not enforced.
fn not_everywhere(agent: &Agent<'_>) -> Option<Point> {
    let wanted = agent.fact.wanted.filter(|wanted| agent.fact.ready < *wanted && matches!(agent.enforces, Enforces::Kinds(_)))?;
    let message = format!(
        "{} is ready on {} of {}: elsewhere policies may not be up to date",
        agent.name,
        agent.fact.ready,
        count(wanted as usize, "Node")
    );
    let object = daemon_set(agent);
    Some(Point::new(Declared::Partly, Subject::object(&object), message).because("not-everywhere").with(
        object,
        "status.numberReady",
        &agent.fact.ready.to_string(),
    ))
}

fn is_cilium(agents: &[Agent<'_>]) -> bool {
    agents.iter().any(|agent| agent.enforces == Enforces::Kinds(CILIUM))
}

fn config_point(config: &CiliumConfigFact, declared: Declared, reason: &'static str, message: &str, field: &str, value: &str) -> Point {
    let object = config.meta.object(Kind::CiliumConfig);
    Point::new(declared, Subject::object(&object), message).because(reason).with(object, format!("data.{field}"), value)
}

/// Cilium's configuration, or a point that says why it is not known.
fn cilium_config<'a>(view: &FleetView<'a>) -> Result<&'a CiliumConfigFact, Box<Point>> {
    if let Some(point) = unseen(view, Kind::CiliumConfig) {
        return Err(Box::new(point));
    }
    let config = view.snapshot.cluster.cilium_config.as_deref();
    config.ok_or_else(|| {
        let message = "Cilium runs here, and there is no kube-system/cilium-config to say how";
        Box::new(Point::new(Declared::Unknown, cluster(), message).because("no-cilium-config"))
    })
}

/// What Cilium's configuration says of enforcement.
fn cilium(view: &FleetView<'_>) -> Vec<Point> {
    let config = match cilium_config(view) {
        Ok(config) => config,
        Err(point) => return vec![*point],
    };
    let mut points = Vec::new();
    match config.enable_policy.as_deref() {
        None | Some("default" | "always") => {}
        Some("never") => {
            let message = "Cilium is told never to enforce policies: every policy here is decoration";
            points.push(config_point(config, Declared::Open, "enforcement-off", message, "enable-policy", "never"));
        }
        Some(other) => {
            let message = format!("Cilium's enforcement mode is {}, which this program does not know", clean(other));
            points.push(config_point(config, Declared::Unknown, "unknown-mode", &message, "enable-policy", other));
        }
    }
    if config.k8s_network_policy == Some(false) {
        let message = "Cilium is told to ignore NetworkPolicy: only its own policies count";
        points.push(config_point(config, Declared::Open, "ignores-networkpolicy", message, "enable-k8s-networkpolicy", "false"));
    }
    points
}

/// Policy objects by kind: those of the cluster and of every namespace. O(namespaces).
fn objects(snapshot: &Snapshot) -> BTreeMap<Kind, (usize, ObjectRef)> {
    let mut found: BTreeMap<Kind, (usize, ObjectRef)> = BTreeMap::new();
    let mut add = |kind: Kind, namespace: &Name, name: &Name| {
        let object = || ObjectRef::new(kind, namespace.clone(), name.clone());
        found.entry(kind).or_insert_with(|| (0, object())).0 += 1;
    };
    let nowhere: Name = "".into();
    let cluster = &snapshot.cluster;
    cluster.admin.keys().for_each(|(kind, name)| add(*kind, &nowhere, name));
    cluster.cilium.keys().for_each(|name| add(Kind::CiliumClusterwideNetworkPolicy, &nowhere, name));
    cluster.foreign.keys().for_each(|(kind, name)| add(*kind, &nowhere, name));
    for (namespace, facts) in snapshot.namespaces.iter() {
        facts.cilium.keys().for_each(|name| add(Kind::CiliumNetworkPolicy, namespace, name));
        facts.foreign.keys().for_each(|(kind, name)| add(*kind, namespace, name));
    }
    found
}

/// Kinds of policies that the API server takes and nothing that was recognised acts on: where there are objects of them, somebody relies on
/// what is not there.
fn unenforced(view: &FleetView<'_>, agents: &[Agent<'_>]) -> Vec<Point> {
    let mut enforced: BTreeSet<Kind> = BTreeSet::new();
    for agent in agents {
        if let Enforces::Kinds(kinds) = agent.enforces {
            enforced.extend(kinds);
        }
    }
    // a sidecar mesh has no DaemonSet to know it by; its control plane is a Deployment
    let platform = || view.snapshot.namespaces.iter().filter(|(name, _)| !view.tenants.of.contains_key(*name));
    if platform().any(|(_, facts)| facts.workloads.keys().any(|(kind, name)| *kind == Kind::Deployment && name.starts_with("istiod"))) {
        enforced.insert(Kind::AuthorizationPolicy);
    }
    let objects = objects(view.snapshot);
    let mut points: Vec<Point> = objects
        .iter()
        .filter(|(kind, _)| !enforced.contains(kind))
        .map(|(kind, (number, first))| {
            let message = format!("{} of {kind}: nothing that was recognised here enforces them", count(*number, "object"));
            Point::new(Declared::Partly, Subject::object(first), message).because(UNENFORCED).with(first.clone(), "kind", kind.as_str())
        })
        .collect();
    let served = |kind: &Kind| view.snapshot.sight(*kind) == Sight::Clear && *kind != Kind::NetworkPolicy && *kind != Kind::CiliumCIDRGroup;
    let idle: Vec<&str> = WATCHED
        .iter()
        .map(|info| info.kind)
        .filter(|kind| is_policy(*kind) && served(kind) && !enforced.contains(kind) && !objects.contains_key(kind))
        .map(Kind::as_str)
        .collect();
    if !idle.is_empty() {
        let message =
            format!("the API server takes {}, which nothing that was recognised here enforces; there is no object of them", list(idle));
        points.push(Point::new(Declared::Right, cluster(), message).because("served-not-enforced"));
    }
    points
}

/// Answers are read as one profile reads them: a word where another fits better what runs here.
fn profile(view: &FleetView<'_>, agents: &[Agent<'_>]) -> Option<Point> {
    let ours = view.config.reach.profile;
    let fitting = if is_cilium(agents) { Profile::Cilium } else { Profile::Spec };
    if ours == fitting || agents.is_empty() {
        return None;
    }
    let message = format!("policies are read with profile {}, while what runs here is better read with {}", ours.word(), fitting.word());
    Some(Point::new(Declared::Right, cluster(), message).because("profile-differs"))
}

/// PLT-02.
pub fn acts(view: &FleetView<'_>) -> Vec<Point> {
    if let Some(point) = unseen(view, Kind::DaemonSet) {
        return vec![point];
    }
    let agents = agents(view);
    if !is_cilium(&agents) {
        let message = if agents.is_empty() {
            Point::new(Declared::Unknown, cluster(), "no DaemonSet of a known CNI was found: whether it only records is not known")
                .because("unknown-cni")
        } else {
            Point::new(Declared::NotApplicable, cluster(), "what carries the network here has no audit mode that is known of")
        };
        return vec![message];
    }
    let config = match cilium_config(view) {
        Ok(config) => config,
        Err(point) => return vec![*point],
    };
    vec![match config.audit_mode {
        Some(true) => {
            let message = "Cilium is in audit mode: what policies refuse is recorded and let through";
            config_point(config, Declared::Open, "audit-mode", message, "policy-audit-mode", "true")
        }
        said => {
            let message = "Cilium is not in audit mode for all; single endpoints may be, which only the agents know";
            let value = said.map_or("absent", |_| "false");
            let object = config.meta.object(Kind::CiliumConfig);
            Point::new(Declared::Right, cluster(), message).with(object, "data.policy-audit-mode", value)
        }
    }]
}
