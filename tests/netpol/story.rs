//! Reasons: the segments of a story hold every port once, say what the answer says, and name what really decides.

use partywall::model::adminpolicy::{Tier, TierAction, TierPeer};
use partywall::model::changes::Fact;
use partywall::model::ciliumpolicy::{CiliumEntry, CiliumPeers, CiliumRule};
use partywall::model::ids::ObjectRef;
use partywall::model::labels::{Is, LabelSelector, Requirement};
use partywall::model::networkpolicy::{Peer, PolicyRule};
use partywall::netpol::answer::Openness;
use partywall::netpol::isolation::Direction::{self, Egress, Ingress};
use partywall::netpol::ports::PortSet;
use partywall::netpol::profile::{Enforcement, PROFILES, Profile};
use partywall::netpol::story::{End, Reason, RuleRef, Segment, Story, side_of};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::build::World;
use crate::oracle::{Oracle, Party, Sort};
use crate::oracle_match::{L4, No, Tri, Undefined, Yes};
use crate::random::{PORTS, cases, engine_with, options, pairs, plain};
use crate::universe::{EVERYTHING, Item, build, universe};

const fn tri(openness: Openness) -> Tri {
    match openness {
        Openness::Open => Yes,
        Openness::Undefined => Undefined,
        Openness::Blocked => No,
    }
}

/// The two parties of a pair that has one address family only.
struct Pair {
    from: Party,
    to: Party,
    itself: bool,
}

/// What a world says of one side.
fn side(world: &World, profile: Profile, direction: Direction, pair: &Pair, l4: L4) -> Tri {
    let (snapshot, _) = world.snapshot();
    let oracle = Oracle::new(&snapshot, profile);
    match direction {
        Egress => oracle.side(Egress, &pair.from, &pair.to, l4),
        Ingress => oracle.side(Ingress, &pair.to, &pair.from, l4),
    }
}

fn find<'w>(world: &'w mut World, object: &ObjectRef) -> Option<&'w mut Fact> {
    world.facts.iter_mut().rev().find(|fact| fact.meta().object(fact.kind()) == *object)
}

fn without(world: &World, keep: impl Fn(&Fact) -> bool) -> World {
    World { facts: world.facts.iter().filter(|fact| keep(fact)).cloned().collect() }
}

/// `spec.egress[2]`, `specs[1].ingressDeny[0]`: which spec, which list, which place.
fn place(field: &str) -> Option<(usize, String, usize)> {
    let (spec, list) = field.split_once('.')?;
    let number = |text: &str| text.split_once('[')?.1.strip_suffix(']')?.parse::<usize>().ok();
    let spec = if spec == "spec" { 0 } else { number(spec)? };
    Some((spec, list.split_once('[')?.0.to_owned(), number(list)?))
}

fn nobody() -> LabelSelector {
    LabelSelector { requirements: [Requirement { key: "nobody".into(), is: Is::In([].into()) }].into() }
}

fn entries<'r>(rule: &'r mut CiliumRule, list: &str) -> Option<&'r mut Box<[CiliumEntry]>> {
    Some(match list {
        "ingress" => &mut rule.ingress,
        "ingressDeny" => &mut rule.ingress_deny,
        "egress" => &mut rule.egress,
        "egressDeny" => &mut rule.egress_deny,
        _ => return None,
    })
}

/// Turns the verdict of a rule of a tier round; makes any other rule match nobody. None where the rule is not there.
fn spoil(world: &mut World, rule: &RuleRef, turned: &TierAction) -> Option<()> {
    let (spec, list, at) = place(&rule.field)?;
    match find(world, &rule.object)? {
        Fact::NetworkPolicy(policy) => {
            let rules = if list == "ingress" { &mut policy.ingress } else { &mut policy.egress };
            let nobody = Peer::Pods { namespaces: None, pods: Some(nobody()) };
            *rules.get_mut(at)? = PolicyRule { peers: [nobody].into(), ports: [].into() };
        }
        Fact::AdminPolicy(policy) => {
            let rules = if list == "ingress" { &mut policy.ingress } else { &mut policy.egress };
            rules.get_mut(at)?.action = turned.clone();
        }
        Fact::CiliumPolicy(policy) => {
            let entry = entries(policy.rules.get_mut(spec)?, &list)?.get_mut(at)?;
            entry.peers = [CiliumPeers::Entities(["none".into()].into())].into();
        }
        _ => return None,
    }
    Some(())
}

fn is_a_policy(fact: &Fact) -> bool {
    matches!(fact, Fact::NetworkPolicy(_) | Fact::CiliumPolicy(_))
}

/// The rules that a side names are those that decide.
fn decides(world: &World, profile: Profile, direction: Direction, pair: &Pair, l4: L4, reason: &Reason) -> TestCaseResult {
    let at = |what: &str| format!("[{}] {direction:?} {l4:?}: {what}: {reason:?}", profile.word());
    match reason {
        Reason::NotUnderPolicy(_) => {
            let me = if direction == Egress { &pair.from } else { &pair.to };
            let (snapshot, _) = world.snapshot();
            let own_node = Oracle::new(&snapshot, profile).same_node(&pair.to, &pair.from) == Yes;
            prop_assert!(me.sort != Sort::Pod || own_node, "{}", at("it is a pod under policy"));
        }
        Reason::NotIsolated => {
            let bare = without(world, |fact| !is_a_policy(fact));
            prop_assert_eq!(side(&bare, profile, direction, pair, l4), Yes, "{}", at("open without any policy"));
        }
        Reason::Allowed(rules) => {
            prop_assert!(!rules.is_empty(), "{}", at("names a rule"));
            let mut spoiled = world.clone();
            for rule in rules {
                prop_assert!(spoil(&mut spoiled, rule, &TierAction::Deny).is_some(), "{}", at(&format!("{rule:?} is there")));
            }
            let undemanding = |rule: &CiliumRule| rule.default_deny_ingress == Some(false) || rule.default_deny_egress == Some(false);
            let opens_alone = world.facts.iter().any(|fact| matches!(fact, Fact::CiliumPolicy(p) if p.rules.iter().any(undemanding)));
            let now = side(&spoiled, profile, direction, pair, l4);
            prop_assert!(now != Yes || opens_alone, "{}", at("without these rules it is as open as before"));
        }
        Reason::Denied(rule) => denied(world, profile, direction, pair, l4, rule)?,
        Reason::Silence { isolating, nearest } => {
            prop_assert!(!isolating.is_empty(), "{}", at("names a policy"));
            for object in isolating {
                prop_assert!(find(&mut world.clone(), object).is_some(), "{}", at(&format!("{object} is there")));
                let alone = without(world, |fact| {
                    fact.meta().object(fact.kind()) == *object || !(is_a_policy(fact) || matches!(fact, Fact::AdminPolicy(_)))
                });
                prop_assert!(side(&alone, profile, direction, pair, l4) != Yes, "{}", at(&format!("{object} alone does not isolate")));
            }
            let freed = without(world, |fact| match fact {
                Fact::AdminPolicy(policy) => policy.tier != Tier::Baseline,
                fact => !isolating.contains(&fact.meta().object(fact.kind())),
            });
            prop_assert!(side(&freed, profile, direction, pair, l4) != No, "{}", at("something else isolates, too"));
            if let Some(miss) = nearest {
                prop_assert!(spoil(&mut world.clone(), &miss.rule, &TierAction::Deny).is_some(), "{}", at("the nearest rule is there"));
                prop_assert!(!miss.what.is_empty(), "{}", at("says what did not match"));
            }
        }
        Reason::Undefined { why, objects } => {
            prop_assert!(!why.is_empty(), "{}", at("says why"));
            for object in objects {
                prop_assert!(find(&mut world.clone(), object).is_some(), "{}", at(&format!("{object} is there")));
            }
        }
    }
    Ok(())
}

/// A denial named is a denial: turned round it opens, or, for Cilium, it closes even as the only one.
fn denied(world: &World, profile: Profile, direction: Direction, pair: &Pair, l4: L4, rule: &RuleRef) -> TestCaseResult {
    let mut spoiled = world.clone();
    prop_assert!(spoil(&mut spoiled, rule, &TierAction::Allow).is_some(), "{:?} is there", rule);
    match find(&mut world.clone(), &rule.object) {
        Some(Fact::AdminPolicy(policy)) => {
            let rules = policy.ingress.iter().chain(policy.egress.iter());
            let closed_by_fear = rules.flat_map(|rule| rule.peers.iter()).any(|peer| matches!(peer, TierPeer::Unreadable(_)));
            let opened = side(&spoiled, profile, direction, pair, l4);
            prop_assert!(closed_by_fear || opened != No, "[{}] {:?} {:?}: turned round it says {:?}", profile.word(), l4, rule, opened);
        }
        _ => {
            let (spec, list, at) = place(&rule.field).unwrap();
            let mut alone = world.clone();
            for fact in &mut alone.facts {
                let named = fact.meta().object(fact.kind()) == rule.object;
                if let Fact::CiliumPolicy(policy) = fact {
                    for (place, own) in policy.rules.iter_mut().enumerate() {
                        for name in ["ingressDeny", "egressDeny"] {
                            for (index, entry) in entries(own, name).unwrap().iter_mut().enumerate() {
                                if !(named && place == spec && name == list && index == at) {
                                    entry.peers = [CiliumPeers::Entities(["none".into()].into())].into();
                                }
                            }
                        }
                    }
                }
            }
            prop_assert_eq!(
                side(&alone, profile, direction, pair, l4),
                No,
                "[{}] {:?} {:?}: alone it does not deny",
                profile.word(),
                l4,
                rule
            );
        }
    }
    Ok(())
}

/// Every port once, what is open first, each as the answer says.
fn is_a_partition(story: &Story) -> TestCaseResult {
    let mut all = PortSet::none();
    for Segment { ports, openness, .. } in &story.segments {
        prop_assert!(!ports.is_empty(), "a segment without ports");
        prop_assert!(all.intersect(ports).is_empty(), "two segments share ports: {:?}", story.segments);
        all = all.union(ports);
        let wanted = match openness {
            Openness::Open => &*story.answer.sure,
            Openness::Undefined => &story.answer.undefined(),
            Openness::Blocked => &story.answer.may.complement(),
        };
        prop_assert!(ports.minus(wanted).is_empty(), "{:?} ports that the answer does not call so: {:?}", openness, story);
    }
    prop_assert!(all.is_all(), "ports without a reason: {}", all.complement().words());
    let order: Vec<Tri> = story.segments.iter().map(|segment| tri(segment.openness)).collect();
    prop_assert!(order.is_sorted_by(|a, b| a >= b), "what is open comes first: {:?}", order);
    Ok(())
}

fn stories_hold(items: &[Item], profile: Profile) -> TestCaseResult {
    let world = build(items);
    let (snapshot, dirty) = world.snapshot();
    let oracle = Oracle::new(&snapshot, profile);
    let reach = engine_with(&snapshot, &dirty, &options(profile, Enforcement::Default));
    for (from, to) in pairs(&oracle) {
        let Some(story) = reach.explain(&from, &to) else {
            prop_assert!(reach.answer(&from, &to).is_none(), "an answer without a reason: {:?} > {:?}", from, to);
            continue;
        };
        prop_assert_eq!(Some(story.answer.clone()), reach.answer(&from, &to), "{:?} > {:?}", from, to);
        is_a_partition(&story)?;
        let Some(pair) = single(&oracle, &from, &to) else { continue };
        if pair.itself {
            continue;
        }
        for segment in &story.segments {
            let mut asked = PORTS.into_iter().filter(|(protocol, port)| segment.ports.contains(*protocol, *port)).peekable();
            let first = asked.peek().copied();
            for direction in [Egress, Ingress] {
                let told = side_of(direction, segment);
                for (protocol, port) in asked.clone() {
                    let l4 = L4 { protocol, port };
                    let say = |oracle: &Oracle<'_>| match direction {
                        Egress => oracle.side(Egress, &pair.from, &pair.to, l4),
                        Ingress => oracle.side(Ingress, &pair.to, &pair.from, l4),
                    };
                    let (said, judged) = (tri(told.openness), say(&oracle));
                    let careful = said == Undefined && say(&plain(&oracle)) == Undefined;
                    let at = || format!("[{}] {from:?} > {to:?} {direction:?} {l4:?}: {told:?}", profile.word());
                    prop_assert!(said == judged || careful, "{}: judged {:?}", at(), judged);
                }
                if let Some((protocol, port)) = first {
                    decides(&world, profile, direction, &pair, L4 { protocol, port }, &told.reason)?;
                }
            }
        }
    }
    Ok(())
}

fn single(oracle: &Oracle<'_>, from: &End, to: &End) -> Option<Pair> {
    let (sources, destinations) = (oracle.parties(from)?, oracle.parties(to)?);
    match (&sources[..], &destinations[..]) {
        ([source], [destination]) => Some(Pair { from: source.clone(), to: destination.clone(), itself: from == to }),
        _ => None,
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn a_story_holds_every_port_once_and_names_what_decides(
        items in universe(EVERYTHING, 2..6, 2..8),
        profile in proptest::sample::select(&PROFILES[..]),
    ) {
        stories_hold(&items, profile)?;
    }
}
