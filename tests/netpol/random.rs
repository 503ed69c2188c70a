//! In random universes the engine says what the judge says: pairs, cells of the matrix, pods of tomorrow.

use std::collections::BTreeMap;

use partywall::model::containers::PortProtocol::{self, Sctp, Tcp, Udp};
use partywall::model::snapshot::Snapshot;
use partywall::netpol::ports::PortSet;
use partywall::netpol::profile::{Enforcement, PROFILES, Profile};
use partywall::netpol::reach::{Options, Reach};
use partywall::netpol::story::End;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::build::tenants;
use crate::check::{end, engine_says};
use crate::oracle::Oracle;
use crate::oracle_match::{L4, No, Tri, Undefined, Yes};
use crate::universe::{Allowed, EVERYTHING, Item, NAMESPACES, build, universe};

/// Ports at and around the edges of what rules name.
pub const PORTS: [(PortProtocol, u16); 10] =
    [(Tcp, 1), (Tcp, 79), (Tcp, 80), (Tcp, 81), (Tcp, 82), (Tcp, u16::MAX), (Udp, 80), (Udp, 81), (Udp, 443), (Sctp, 80)];
const OUTSIDE: [&str; 4] = ["8.8.8.8", "10.9.0.1", "192.168.0.1", "2600::1"];

/// How many cases: 256, or as the environment says; a share of that for what costs more.
pub fn cases(share: u32) -> ProptestConfig {
    let wanted = std::env::var("PARTYWALL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(256);
    ProptestConfig { cases: (wanted / share).max(1), failure_persistence: None, max_shrink_iters: 4_000, ..ProptestConfig::default() }
}

/// Every pod of a snapshot.
pub fn pods(snapshot: &Snapshot) -> Vec<End> {
    let all = snapshot.namespaces.iter().flat_map(|(ns, facts)| facts.pods.keys().map(move |name| (ns.clone(), name.clone())));
    all.map(|(namespace, name)| End::Pod { namespace, name }).collect()
}

fn l4s() -> Vec<L4> {
    PORTS.iter().map(|(protocol, port)| L4 { protocol: *protocol, port: *port }).collect()
}

/// Whether a pair can meet at all: an address of a family that a pod has none of is nobody's question.
fn askable(oracle: &Oracle<'_>, pod: &End, address: &str) -> bool {
    let wants_six = address.contains("::");
    let six_counts = oracle.profile != Profile::NpGuard;
    let ips = match pod {
        End::Pod { namespace, name } => &oracle.snapshot.namespaces[namespace].pods[name].ips,
        _ => return true,
    };
    !wants_six || (six_counts && ips.iter().any(std::net::IpAddr::is_ipv6))
}

/// All pairs of pods, and pods with addresses, both ways.
pub fn pairs(oracle: &Oracle<'_>) -> Vec<(End, End)> {
    let pods = pods(oracle.snapshot);
    let mut pairs = Vec::new();
    for one in &pods {
        pairs.extend(pods.iter().map(|other| (one.clone(), other.clone())));
        for address in OUTSIDE.into_iter().filter(|address| askable(oracle, one, address)) {
            pairs.push((one.clone(), end(address)));
            pairs.push((end(address), one.clone()));
        }
    }
    pairs
}

/// A judge that weighs every doubt alone: an engine may be as careful as that, and no more.
pub fn plain<'a>(oracle: &Oracle<'a>) -> Oracle<'a> {
    let mut plain = Oracle::new(oracle.snapshot, oracle.profile);
    (plain.enforcement, plain.exact) = (oracle.enforcement, false);
    plain
}

/// Everything that can be compared between an engine and the judge of the same snapshot.
pub fn agree(reach: &Reach, oracle: &Oracle<'_>) -> TestCaseResult {
    for (from, to) in pairs(oracle) {
        let judged = oracle.judge_all(&from, &to, &l4s());
        for (at, (protocol, port)) in PORTS.into_iter().enumerate() {
            let said = engine_says(reach, &from, &to, protocol, port).unwrap_or(No);
            let wanted = judged.as_ref().map_or(No, |list| list[at]);
            if said == Undefined && plain(oracle).judge(&from, &to, protocol, port) == Some(Undefined) {
                continue;
            }
            prop_assert_eq!(said, wanted, "[{}] {:?} > {:?} {} {}", oracle.profile.word(), from, to, protocol.word(), port);
        }
    }
    Ok(())
}

pub fn engine_with(snapshot: &Snapshot, dirty: &partywall::model::snapshot::Dirty, options: &Options) -> Reach {
    let mut reach = Reach::new(options.clone());
    reach.sync(snapshot, &tenants(snapshot), dirty);
    reach
}

pub fn options(profile: Profile, enforcement: Enforcement) -> Options {
    Options { profile, enforcement, ..Options::default() }
}

fn compare(items: &[Item], enforcement: Enforcement) -> TestCaseResult {
    let (snapshot, dirty) = build(items).snapshot();
    for profile in PROFILES {
        let mut oracle = Oracle::new(&snapshot, profile);
        oracle.enforcement = enforcement;
        agree(&engine_with(&snapshot, &dirty, &options(profile, enforcement)), &oracle)?;
    }
    Ok(())
}

/// The union over pairs of pods, with and without a pod to itself.
fn union(reach: &Reach, from: &[End], to: &[End], with_self: bool) -> (PortSet, PortSet) {
    let mut all = (PortSet::none(), PortSet::none());
    for source in from {
        for destination in to.iter().filter(|destination| with_self || *destination != source) {
            if let Some(answer) = reach.answer(source, destination) {
                all = (all.0.union(&answer.sure), all.1.union(&answer.may));
            }
        }
    }
    all
}

fn by_namespace(snapshot: &Snapshot) -> BTreeMap<&str, Vec<End>> {
    let mut map: BTreeMap<&str, Vec<End>> = NAMESPACES.into_iter().map(|name| (name, Vec::new())).collect();
    for pod in pods(snapshot) {
        if let End::Pod { namespace, .. } = &pod {
            let key = NAMESPACES.into_iter().find(|name| **name == **namespace).unwrap();
            map.get_mut(key).unwrap().push(pod);
        }
    }
    map
}

/// Cells of today are the union over pairs.
pub fn cells_are_unions(reach: &Reach, snapshot: &Snapshot) -> TestCaseResult {
    let matrix = reach.matrix();
    let groups = by_namespace(snapshot);
    for (from, sources) in &groups {
        for (to, destinations) in &groups {
            let cell = matrix.cell(matrix.place(from).unwrap(), matrix.place(to).unwrap()).unwrap();
            let said = ((*cell.now.sure).clone(), (*cell.now.may).clone());
            let wanted = union(reach, sources, destinations, false);
            let also = union(reach, sources, destinations, true);
            prop_assert!(said == wanted || said == also, "{} > {}: {:?}, pairs say {:?}", from, to, said, wanted);
            prop_assert!(cell.now.sure.minus(&cell.future.sure).is_empty(), "{} > {}: what is sure now is sure tomorrow", from, to);
            prop_assert!(cell.now.may.minus(&cell.future.may).is_empty(), "{} > {}: what may be now may be tomorrow", from, to);
        }
    }
    Ok(())
}

/// Pods of today, and one of every labelling that rules could tell apart.
fn tomorrow(namespace: &str, today: &[End]) -> Vec<End> {
    let mut ends = today.to_vec();
    for app in ["", "app=x", "app=y", "app=z"] {
        for tier in ["", "tier=u", "tier=z"] {
            ends.push(end(&format!("{namespace}{{{}}}", [app, tier].into_iter().filter(|l| !l.is_empty()).collect::<Vec<_>>().join(","))));
        }
    }
    ends
}

fn future_is_bracketed(items: &[Item], profile: Profile) -> TestCaseResult {
    const ASKED: [(PortProtocol, u16); 4] = [(Tcp, 80), (Tcp, 82), (Udp, 81), (Sctp, 80)];
    let (snapshot, dirty) = build(items).snapshot();
    let oracle = Oracle::new(&snapshot, profile);
    let reach = engine_with(&snapshot, &dirty, &options(profile, Enforcement::Default));
    let matrix = reach.matrix();
    let groups = by_namespace(&snapshot);
    let ask: Vec<L4> = ASKED.into_iter().map(|(protocol, port)| L4 { protocol, port }).collect();
    for (from, sources) in &groups {
        for (to, destinations) in &groups {
            let mut best: Vec<(Tri, String)> = vec![(No, String::new()); ASKED.len()];
            for source in tomorrow(from, sources) {
                for destination in tomorrow(to, destinations).into_iter().filter(|to| matches!(to, End::Imagined { .. }) || *to != source) {
                    let judged = oracle.judge_all(&source, &destination, &ask).unwrap_or_else(|| vec![No; ask.len()]);
                    for (best, verdict) in best.iter_mut().zip(judged) {
                        if verdict > best.0 {
                            *best = (verdict, format!("{source:?} > {destination:?}"));
                        }
                    }
                }
            }
            let cell = matrix.cell(matrix.place(from).unwrap(), matrix.place(to).unwrap()).unwrap();
            for ((protocol, port), (verdict, witness)) in ASKED.into_iter().zip(best) {
                let at = format!("[{}] {from} > {to} {} {port}: {witness}", profile.word(), protocol.word());
                prop_assert!(verdict != Yes || cell.future.may.contains(protocol, port), "open for sure, and said closed: {}", at);
                prop_assert!(
                    verdict != No || !cell.future.sure.contains(protocol, port),
                    "closed for every labelling, and said open: {}",
                    at
                );
            }
        }
    }
    Ok(())
}

/// The judge itself must have something to say: of random universes a fair share is open, closed and undefined.
#[test]
fn random_universes_are_worth_judging() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0_u32; 3];
    for _ in 0..24 {
        let items = universe(EVERYTHING, 3..8, 2..9).new_tree(&mut runner).unwrap().current();
        let (snapshot, _) = build(&items).snapshot();
        let oracle = Oracle::new(&snapshot, Profile::Spec);
        for (from, to) in pairs(&oracle) {
            for verdict in oracle.judge_all(&from, &to, &l4s()).into_iter().flatten() {
                counts[verdict as usize] += 1;
            }
        }
    }
    let all: u32 = counts.iter().sum();
    assert!(counts.iter().all(|count| *count > all / 50), "no, undefined, yes: {counts:?}");
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn the_engine_says_what_the_judge_says(items in universe(EVERYTHING, 3..8, 2..9)) {
        compare(&items, Enforcement::Default)?;
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn network_policies_alone(items in universe(Allowed { tiers: false, cilium: false, doubt: false, odd_pods: true }, 2..7, 1..5)) {
        compare(&items, Enforcement::Default)?;
    }

    #[test]
    fn modes_of_cilium(items in universe(Allowed { doubt: false, ..EVERYTHING }, 2..5, 1..4), always in any::<bool>()) {
        compare(&items, if always { Enforcement::Always } else { Enforcement::Never })?;
    }

    #[test]
    fn cells_of_today_are_the_union_over_pairs(items in universe(EVERYTHING, 3..8, 2..9), profile in proptest::sample::select(&PROFILES[..])) {
        let (snapshot, dirty) = build(&items).snapshot();
        cells_are_unions(&engine_with(&snapshot, &dirty, &options(profile, Enforcement::Default)), &snapshot)?;
    }
}

proptest! {
    #![proptest_config(cases(10))]

    #[test]
    fn pods_of_tomorrow_are_never_held_closed_wrongly(
        items in universe(EVERYTHING, 0..4, 2..8),
        profile in proptest::sample::select(&PROFILES[..]),
    ) {
        future_is_bracketed(&items, profile)?;
    }
}

/// Universes that random search once found: the cell said other than its pairs.
#[test]
fn a_cell_is_as_open_as_its_pairs() {
    let own = |text: &str| text.to_owned();
    let ground = || ["a team=x", "b ", "c "].map(|words| Item::Namespace(own(words))).to_vec();
    let pods = |list: &[&str]| list.iter().map(|words| Item::Pod(own(words))).collect::<Vec<_>>();
    let found = [
        [
            pods(&["b/p0 tier=u ip=10.1.0.0", "a/p1 ip=10.1.0.1"]),
            vec![
                Item::Cilium(own("ccnp0"), own("app!=y,tier"), vec![own("ingress ep: ep:"), own("egress ent:all")]),
                Item::Np(own("a/np0"), own("app=x"), own("I"), Vec::new()),
            ],
        ],
        [
            pods(&["b/p1 ip=10.1.0.1", "a/p0 ip=10.1.0.0"]),
            vec![
                Item::Tier(own("ANP t0 0"), own("ns:"), vec![own("ingress deny pods:|!app")]),
                Item::Np(own("a/np0"), own("app=x"), own("E"), vec![own("egress ns:")]),
            ],
        ],
    ];
    for items in found {
        let items = [vec![ground()], items.to_vec()].concat().concat();
        let (snapshot, dirty) = build(&items).snapshot();
        for profile in PROFILES {
            cells_are_unions(&engine_with(&snapshot, &dirty, &options(profile, Enforcement::Default)), &snapshot).unwrap();
        }
    }
}
