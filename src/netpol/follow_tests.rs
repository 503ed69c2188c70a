//! Following events gives what a fresh look gives, also for what hangs on Services, groups of ranges and the grouping of tenants.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::fixture::*;
use super::profile::{PROFILES, Profile};
use super::reach::{Options, Reach};
use crate::model::changes::Fact;
use crate::model::ciliumpolicy::{
    CidrGroupFact, CiliumBlock, CiliumEntry, CiliumPeers, CiliumPolicyFact, CiliumRule, CiliumService, CiliumSubject,
};
use crate::model::kind::Kind;
use crate::model::service::ServiceFact;
use crate::model::snapshot::Dirty;

#[derive(Clone, Debug)]
enum Step {
    Pod(u8, u8, u8),
    NoPod(u8, u8),
    Policy(u8, u8, u8),
    NoPolicy(u8, u8),
    Cilium(u8, u8),
    Group(u8),
    Service(u8, u8),
    Relabel(u8, u8),
    Regroup(bool),
    Look,
}

const SPACES: [&str; 3] = ["a", "b", "c"];
const APPS: [&str; 3] = ["", "app=x", "app=y,tier=u"];

fn place(list: &[&'static str], at: u8) -> &'static str {
    list[usize::from(at) % list.len()]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let two = || (0..3_u8, 0..3_u8);
    let one = prop_oneof![
        4 => (0..3_u8, 0..3_u8, 0..3_u8).prop_map(|(a, b, c)| Step::Pod(a, b, c)),
        1 => two().prop_map(|(a, b)| Step::NoPod(a, b)),
        4 => (0..3_u8, 0..3_u8, 0..6_u8).prop_map(|(a, b, c)| Step::Policy(a, b, c)),
        2 => two().prop_map(|(a, b)| Step::NoPolicy(a, b)),
        2 => (0..3_u8, 0..4_u8).prop_map(|(a, b)| Step::Cilium(a, b)),
        1 => (0..3_u8).prop_map(Step::Group),
        1 => two().prop_map(|(a, b)| Step::Service(a, b)),
        1 => two().prop_map(|(a, b)| Step::Relabel(a, b)),
        1 => any::<bool>().prop_map(Step::Regroup),
        4 => Just(Step::Look),
    ];
    proptest::collection::vec(one, 3..24)
}

fn cilium(space: &str, sort: u8) -> CiliumPolicyFact {
    let peers = match sort {
        0 => CiliumPeers::Blocks([CiliumBlock::Group { name: "g".into(), except: Box::default() }].into()),
        1 => CiliumPeers::Services([CiliumService::Named { namespace: Some("b".into()), name: "s".into() }].into()),
        2 => CiliumPeers::Endpoints([selector("k8s:io.kubernetes.pod.namespace=b,app=x")].into()),
        _ => CiliumPeers::Entities(["cluster".into()].into()),
    };
    let entry = CiliumEntry { peers: [peers].into(), ports: None, icmp_only: false, requires: Box::default(), authenticated: false };
    let rule = CiliumRule {
        subject: CiliumSubject::Endpoints(selector("")),
        ingress: Box::default(),
        ingress_deny: Box::default(),
        egress: [entry].into(),
        egress_deny: Box::default(),
        default_deny_ingress: None,
        default_deny_egress: None,
    };
    CiliumPolicyFact { meta: meta(space, "cilium", 1), kind: Kind::CiliumNetworkPolicy, rules: [rule].into() }
}

fn network(space: &str, name: &str, sort: u8) -> Fact {
    let at = format!("{space}/{name}");
    Fact::NetworkPolicy(match sort {
        0 => policy(&at, "", Some(vec![]), Some(vec![])),
        1 => policy(&at, "app=x", Some(vec![rule(vec![pods(None, Some(""))], vec![])]), None),
        2 => policy(&at, "", None, Some(vec![rule(vec![pods(Some("kubernetes.io/metadata.name=b"), Some("tier"))], vec![tcp(80, 90)])])),
        3 => {
            policy(&at, "!tier", Some(vec![rule(vec![pods(Some("team=red"), None), block("10.0.0.0/30", &["10.0.0.2/32"])], vec![])]), None)
        }
        4 => policy(&at, "", None, Some(vec![rule(vec![pods(Some(""), Some("app=y"))], vec![tcp(1, 80)])])),
        _ => policy(&at, "app", Some(vec![rule(vec![], vec![named(crate::model::networkpolicy::Protocol::Tcp, "http")])]), None),
    })
}

fn apply(cluster: &mut Cluster, step: &Step) {
    let space = |at: &u8| place(&SPACES, *at);
    match step {
        Step::Pod(at, name, with) => {
            let ports = vec![port("http", 8000 + u16::from(*with), crate::model::containers::PortProtocol::Tcp)];
            let ip = format!("10.0.{at}.{name}");
            cluster.put(Fact::Pod(pod(&format!("{}/p{name}", space(at)), place(&APPS, *with), &[&ip], ports)))
        }
        Step::NoPod(at, name) => cluster.gone(Kind::Pod, &format!("{}/p{name}", space(at))),
        Step::Policy(at, name, sort) => cluster.put(network(space(at), &format!("n{name}"), *sort)),
        Step::NoPolicy(at, name) => cluster.gone(Kind::NetworkPolicy, &format!("{}/n{name}", space(at))),
        Step::Cilium(at, sort) => cluster.put(Fact::CiliumPolicy(cilium(space(at), *sort))),
        Step::Group(at) => {
            let cidrs = [format!("8.{at}.0.0/16").parse().unwrap()].into();
            cluster.put(Fact::CidrGroup(CidrGroupFact { meta: meta("", "g", 1), labels: Arc::default(), cidrs, unreadable: *at == 2 }))
        }
        Step::Service(at, with) => cluster.put(Fact::Service(ServiceFact {
            meta: meta(space(at), "s", 1),
            kind: "ClusterIP".into(),
            cluster_ips: Box::default(),
            selector: Some(Arc::new(labels(place(&APPS, *with)))),
            ports: Box::default(),
            external_ips: Box::default(),
            external_name: None,
            keeps_client: false,
        })),
        Step::Relabel(at, with) => cluster.space(space(at), place(&["", "team=red", "team=blue"], *with)),
        Step::Regroup(one) => {
            let listed: Vec<crate::model::ids::Name> = SPACES.iter().map(|name| (*name).into()).collect();
            cluster.rules.listed = if *one { [("all".into(), listed)].into() } else { std::collections::BTreeMap::new() };
            cluster
        }
        Step::Look => cluster,
    };
}

fn same(cluster: &Cluster, fresh: &Reach) -> TestCaseResult {
    let reach = &cluster.reach;
    prop_assert_eq!(&*reach.matrix(), &*fresh.matrix());
    prop_assert_eq!(reach.connections(), fresh.connections());
    for space in SPACES {
        for direction in [super::isolation::Direction::Egress, super::isolation::Direction::Ingress] {
            prop_assert_eq!(reach.isolation(space, direction), fresh.isolation(space, direction));
        }
        prop_assert_eq!(reach.service("a", space, "s"), fresh.service("a", space, "s"));
    }
    Ok(())
}

fn follow(steps: &[Step], profile: Profile) -> TestCaseResult {
    let mut cluster = Cluster::new(Options { profile, ..Options::default() });
    for name in SPACES {
        cluster.space(name, "");
    }
    for step in steps.iter().chain([&Step::Look]) {
        apply(&mut cluster, step);
        if matches!(step, Step::Look) {
            let before = cluster.reach.matrix();
            let touched = cluster.sync();
            let after = cluster.reach.matrix();
            let (snapshot, _) = cluster.store.publish();
            let mut fresh = Reach::new(cluster.reach.options().clone());
            fresh.sync(&snapshot, &cluster.tenants, &Dirty::default());
            same(&cluster, &fresh)?;
            if !touched.all {
                for (at, (old, new)) in before.rows.iter().zip(&after.rows).enumerate() {
                    let tenant = &after.tenants[at];
                    prop_assert!(old == new || touched.tenants.contains(tenant), "{} moved unsaid", tenant);
                    prop_assert!(old != new || Arc::ptr_eq(old, new), "{} did not move, and is another", tenant);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn following_is_as_good_as_looking_afresh(steps in steps(), profile in prop::sample::select(&PROFILES[..])) {
        follow(&steps, profile)?;
    }
}
