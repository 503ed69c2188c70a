//! NET-17: what is closed over IPv4 is closed over IPv6.

use ipnet::IpNet;

use super::addresses::{METADATA, PRIVATE, guilty};
use super::of_namespace;
use crate::model::ids::Name;
use crate::model::snapshot::NamespaceFacts;
use crate::model::text::clean;
use crate::netpol::ports::PortSet;
use crate::posture::verdict::Declared;
use crate::posture::view::{NAMES_SHOWN, Point, TenantView, list};

/// NET-17.
pub fn families(view: &TenantView<'_>) -> Vec<Point> {
    view.namespaces.iter().map(|(name, facts)| of_one(view, name, facts)).collect()
}

fn of_one(view: &TenantView<'_>, name: &Name, facts: &NamespaceFacts) -> Point {
    if !dual(view, facts) {
        let message = format!("{} has addresses of one family only", clean(name));
        return Point::new(Declared::NotApplicable, of_namespace(name), message);
    }
    let closed: Vec<IpNet> = METADATA.iter().map(|(net, _)| *net).chain(PRIVATE).collect();
    let of_family = |v6: bool| closed.iter().copied().filter(|net| matches!(net, IpNet::V6(_)) == v6).collect::<Vec<_>>();
    let (four, sixes) = (view.reach.addresses(name, &of_family(false), true).0, view.reach.addresses(name, &of_family(true), true));
    let wider: PortSet = sixes.0.sure.minus(&four.sure);
    if wider.is_empty() {
        let message = format!("no rule of {} is wider over IPv6 than over IPv4 towards private and metadata addresses", clean(name));
        return Point::new(Declared::Right, of_namespace(name), message);
    }
    let open: Vec<IpNet> =
        sixes.1.into_iter().filter(|(_, answer)| !answer.sure.minus(&four.sure).is_empty()).map(|(net, _)| net).collect();
    let message = format!(
        "in {} IPv4 is closed where IPv6 is open: {} on {}",
        clean(name),
        list(open.iter().map(ToString::to_string)),
        wider.words()
    );
    let point = Point::new(Declared::Partly, of_namespace(name), message).because("ipv6-wider");
    let rules = open.first().map(|net| guilty(facts, net)).unwrap_or_default();
    rules.into_iter().take(NAMES_SHOWN).fold(point, |point, (object, field, value)| point.with(object, field, &value))
}

/// Whether pods here have addresses of both families; where there is none, whether the Nodes hand out both.
fn dual(view: &TenantView<'_>, facts: &NamespaceFacts) -> bool {
    let both = |v4: bool, v6: bool| v4 && v6;
    let mut pods = facts.pods.values().filter(|pod| !pod.finished() && !pod.ips.is_empty()).peekable();
    if pods.peek().is_some() {
        return pods.any(|pod| both(pod.ips.iter().any(std::net::IpAddr::is_ipv4), pod.ips.iter().any(std::net::IpAddr::is_ipv6)));
    }
    let nodes = || view.snapshot.nodes.values().flat_map(|node| node.pod_cidrs.iter());
    both(nodes().any(|net| matches!(net, IpNet::V4(_))), nodes().any(|net| matches!(net, IpNet::V6(_))))
}
