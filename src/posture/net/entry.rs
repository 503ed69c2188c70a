//! NET-15: connections come in from declared entry points only, on the ports of the tenant's own Services.

use super::isolation::default_of;
use super::leads::peer_words;
use super::ports::{names, numbers, words as port_words};
use super::select::namespaces;
use super::{of_namespace, plain};
use crate::model::ids::Name;
use crate::model::kind::Kind;
use crate::model::labels::LabelSelector;
use crate::model::networkpolicy::{NetworkPolicyFact, Peer, PolicyRule};
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::isolation::Direction;
use crate::netpol::ports::PortSet;
use crate::netpol::selector::{Coverage, covers_every_namespace};
use crate::netpol::story::End;
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list};

/// NET-15.
pub fn entry_points(view: &TenantView<'_>) -> Vec<Point> {
    view.namespaces.iter().flat_map(|(name, facts)| of_one(view, name, facts)).collect()
}

fn of_one(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts) -> Vec<Point> {
    let default = default_of(view, name, facts, Direction::Ingress);
    if default.declared == Declared::Open {
        let message = format!("{} is not isolated for ingress: anybody may connect, not only the entry point", clean(name));
        return vec![Point { reason: Some("not-isolated"), message, ..default }];
    }
    let own = own_ports(facts);
    let mut points = Vec::new();
    for policy in facts.policies.values().filter(|policy| policy.isolates_ingress) {
        for (index, rule) in policy.ingress.iter().enumerate() {
            points.extend(judge(view, &At { name, policy, index, rule }, &own));
        }
    }
    if !plain(view, facts) {
        points.extend(others(view, name));
    }
    if default.declared != Declared::Right {
        points.push(Point { reason: default.reason.or(Some("unknown")), ..default });
    }
    if points.is_empty() {
        let message = format!("{} accepts connections from itself and declared entry points only", clean(name));
        points.push(Point::new(Declared::Right, of_namespace(name), message));
    }
    points
}

struct At<'a> {
    name: &'a Name,
    policy: &'a NetworkPolicyFact,
    index: usize,
    rule: &'a PolicyRule,
}

impl At<'_> {
    fn point(&self, declared: Declared, reason: &'static str, from: &str, what: &str) -> Point {
        let object = self.policy.meta.object(Kind::NetworkPolicy);
        let message = format!("{} in {} {what}", clean(&self.policy.meta.name), clean(self.name));
        let value = format!("{from}, on {}", port_words(&self.rule.ports));
        let field = format!("spec.ingress[{}]", self.index);
        Point::new(declared, Subject::object(&object), message).because(reason).with(object, field, &value)
    }
}

/// The first thing that is wrong with a rule, worst first.
fn judge(view: &TenantView<'_>, at: &At<'_>, own: &OwnPorts<'_>) -> Option<Point> {
    if at.rule.peers.is_empty() {
        return Some(at.point(Declared::Open, "everybody", "everybody", "accepts connections from everybody"));
    }
    let mut found: Vec<Point> = at.rule.peers.iter().filter_map(|peer| judge_peer(view, at, peer)).collect();
    let foreign = at.rule.peers.iter().any(|peer| !is_own(view, peer));
    if found.is_empty() && foreign && !own.hold(at.rule) {
        let from = "a declared entry point";
        found.push(at.point(Declared::Partly, "ports", from, "opens ports to the entry point that no Service of the tenant leads to"));
    }
    found.into_iter().min_by_key(|point| point.declared)
}

/// Whether a peer means only the tenant's own pods.
fn is_own(view: &TenantView<'_>, peer: &Peer) -> bool {
    match peer {
        Peer::Pods { namespaces: None, .. } => true,
        Peer::Pods { namespaces: Some(of), .. } => {
            let mut chosen = namespaces(view.snapshot, of).peekable();
            chosen.peek().is_some() && chosen.all(|(name, _)| view.tenants.of.get(name) == Some(view.tenant))
        }
        Peer::Block { .. } | Peer::Unreadable(_) => false,
    }
}

fn judge_peer(view: &TenantView<'_>, at: &At<'_>, peer: &Peer) -> Option<Point> {
    match peer {
        Peer::Pods { namespaces: None, .. } => None,
        Peer::Unreadable(why) => {
            Some(at.point(Declared::Unknown, "unreadable-rule", why, &format!("has a source that can't be read: {}", clean(why))))
        }
        Peer::Block { cidr, .. } if cidr.prefix_len() == 0 => {
            Some(at.point(Declared::Open, "every-address", &cidr.to_string(), "accepts connections from every address"))
        }
        Peer::Block { cidr, .. } => {
            let asked = numbers(&at.rule.ports);
            let granted = view.config.network.beyond(cidr, &asked).is_empty() && !asked.is_empty();
            let what = format!("accepts connections from addresses {cidr}, which is no declared entry point");
            (!granted).then(|| at.point(Declared::Partly, "addresses", &cidr.to_string(), &what))
        }
        Peer::Pods { namespaces: Some(of), pods } => by_namespace(view, at, of, pods.as_ref()),
    }
}

fn by_namespace(view: &TenantView<'_>, at: &At<'_>, of: &LabelSelector, pods: Option<&LabelSelector>) -> Option<Point> {
    let from = peer_words(of, pods);
    if covers_every_namespace(&[of]) == Coverage::Everything {
        return Some(at.point(Declared::Open, "every-namespace", &from, "accepts connections from pods of every namespace"));
    }
    let own = |name: &Name| view.tenants.of.get(name) == Some(view.tenant);
    let chosen: Vec<&Name> = namespaces(view.snapshot, of).map(|(name, _)| name).filter(|name| !own(name)).collect();
    let strange: Vec<&Name> = chosen.iter().copied().filter(|name| !view.config.network.is_entry(name)).collect();
    if !strange.is_empty() {
        let what = format!("accepts connections from {}, no declared entry point", clean(&list(&strange)));
        return Some(at.point(Declared::Open, "other-namespace", &from, &what));
    }
    let whole = pods.is_none_or(LabelSelector::is_everything);
    (!chosen.is_empty() && whole).then(|| {
        let what = format!("accepts connections from every pod of {}: a podSelector would name the entry point", clean(&list(&chosen)));
        at.point(Declared::Partly, "whole-namespace", &from, &what)
    })
}

/// Ports that the Services of a namespace lead to.
struct OwnPorts<'a> {
    numbers: PortSet,
    names: Vec<&'a str>,
}

fn own_ports(facts: &NamespaceFacts) -> OwnPorts<'_> {
    let ports = || facts.services.values().flat_map(|service| service.ports.iter());
    let numbers = ports().filter_map(|port| {
        let number = port.target.as_deref().map_or(Some(port.port), |target| target.parse().ok())?;
        Some((port.protocol, number, number))
    });
    let mut names: Vec<&str> = ports().filter_map(|port| port.target.as_deref().filter(|target| target.parse::<u16>().is_err())).collect();
    // what a name means on the pods may be written as a number in the rule
    names.sort_unstable();
    let resolved =
        facts.pods.values().flat_map(|pod| pod.containers.iter()).flat_map(|container| container.ports.iter()).filter_map(|port| {
            let named = port.name.as_deref().is_some_and(|name| names.binary_search(&name).is_ok());
            named.then_some((port.protocol, port.port, port.port))
        });
    OwnPorts { numbers: PortSet::from_ranges(numbers.chain(resolved)), names }
}

impl OwnPorts<'_> {
    fn hold(&self, rule: &PolicyRule) -> bool {
        !rule.ports.is_empty()
            && numbers(&rule.ports).minus(&self.numbers).is_empty()
            && names(&rule.ports).all(|name| self.names.contains(&name))
    }
}

/// Namespaces of the cluster itself that other kinds of policies let in. O(namespaces that are no tenant's).
fn others(view: &TenantView<'_>, name: &Name) -> Option<Point> {
    let foreign =
        view.snapshot.namespaces.iter().filter(|(other, facts)| {
            !view.tenants.of.contains_key(*other) && !facts.pods.is_empty() && !view.config.network.is_entry(other)
        });
    let own = End::Namespace(name.clone());
    let open = |other: &&Name| view.reach.open_ports(&End::Namespace((*other).clone()), &own).is_some_and(|ports| !ports.is_empty());
    let found: Vec<&Name> = foreign.map(|(other, _)| other).filter(open).collect();
    if found.is_empty() {
        return None;
    }
    let message = format!("{} accepts connections from {}, no declared entry point", clean(name), clean(&list(&found)));
    Some(Point::new(Declared::Open, of_namespace(name), message).because("other-namespace"))
}
