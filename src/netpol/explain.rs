//! The story of a pair: its ports split by reason, with the rule that decides or the nearest miss.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Openness;
use super::class::{Names, under_policy};
use super::ends::PodEnd;
use super::isolation::Direction;
use super::judge::{Held, Look, Named, judge, peer_of, ports_of};
use super::near;
use super::portbook::{Open, PortBook};
use super::ports::{PROTOCOLS, PortSet};
use super::profile::Enforcement;
use super::rules::{Entry, Tier, Unit, Verdict};
use super::story::{Reason, RuleRef, Segment, Side, Story};
use super::term::Outside;
use super::truth::Truth;
use super::views::{View, best_view, has, notes, pair, words};
use super::world::{World, let_in};
use crate::model::containers::PortProtocol;
use crate::model::ids::ObjectRef;
use crate::model::platform::foreign;
use crate::model::text::clean;

/// One end of the pair that is told.
#[derive(Clone)]
pub(super) enum One<'a> {
    Pod(PodEnd<'a>),
    Address(Outside),
}

/// An entry of a unit that applies, as it looks at this pair.
pub(super) struct Say<'a> {
    pub unit: &'a Unit,
    pub entry: &'a Entry,
    /// The other end is a peer.
    pub peer: Truth,
    /// Both the subject and the peer are meant.
    pub both: Truth,
    /// Ports that are named, for sure.
    pub sure: PortSet,
    /// Ports that are named, perhaps.
    pub perhaps: PortSet,
}

/// One side of the pair.
pub(super) struct Telling<'a> {
    /// Why policies do not apply.
    free: Option<&'static str>,
    /// The other end may be the node it runs on, from which all is let in.
    own: Truth,
    pub says: Vec<Say<'a>>,
    /// Units that apply, with how surely.
    units: Vec<(&'a Unit, Truth)>,
    /// Rules of the same namespace that are about other pods.
    pub others: Vec<Say<'a>>,
    pub open: Open,
    pub direction: Direction,
}

/// What is said of a port; what is open first.
type Told = (std::cmp::Reverse<Openness>, Side, Side);

/// Tells the story of one pair. O(entries × ports they name).
pub(super) fn story(world: &World, from: &One<'_>, to: &One<'_>, book: &mut PortBook) -> Story {
    let view = best_view(world, from, to, book);
    let meet = view.is_some();
    let apart = |one: &One<'_>| (has(one).iter().position(|has| *has).map_or(0, |family| family + 1), Truth::No);
    let egress = tell(world, from, to, Direction::Egress, view.unwrap_or_else(|| apart(to)), book);
    let ingress = tell(world, to, from, Direction::Ingress, view.unwrap_or_else(|| apart(from)), book);
    let whole = pair(world, from, to, book);
    let mut segments: BTreeMap<Told, Vec<(PortProtocol, u16, u16)>> = BTreeMap::new();
    let sides = [&egress, &ingress];
    let sets: Vec<[std::sync::Arc<PortSet>; 2]> = sides.iter().map(|side| [book.set(side.open.sure), book.set(side.open.may)]).collect();
    for protocol in PROTOCOLS {
        for (low, high) in pieces(protocol, &sides, &sets) {
            let mut told = sides.iter().zip(&sets).map(|(side, sets)| side.side(world, protocol, low, sets));
            let (Some(out), Some(into)) = (told.next(), told.next()) else { continue };
            let openness = if meet { out.openness.min(into.openness) } else { Openness::Blocked };
            segments.entry((std::cmp::Reverse(openness), out, into)).or_default().push((protocol, low, high));
        }
    }
    let segments: Vec<Segment> = segments
        .into_iter()
        .map(|((openness, egress, ingress), ranges)| Segment { ports: PortSet::from_ranges(ranges), openness: openness.0, egress, ingress })
        .collect();
    let mut notes = notes(world, [from, to], &[&egress, &ingress], &segments);
    if !meet {
        notes.push("they have no family of addresses in common".to_owned());
    }
    Story { from: words(from), to: words(to), answer: book.answer(whole), segments, notes }
}

/// A story of some ports only: those that a fixed target is asked about. O(segments × ranges).
pub(super) fn only(mut story: Story, ports: &PortSet) -> Story {
    if ports.is_all() {
        return story;
    }
    let cut = |set: &PortSet| std::sync::Arc::new(set.intersect(ports));
    story.answer = super::answer::Answer { sure: cut(&story.answer.sure), may: cut(&story.answer.may) };
    for segment in &mut story.segments {
        segment.ports = segment.ports.intersect(ports);
    }
    story.segments.retain(|segment| !segment.ports.is_empty());
    story.notes.push(format!("only {} is asked about", ports.words()));
    story
}

/// No policy comes between a pod and itself.
pub(super) fn to_itself(one: &One<'_>, book: &PortBook) -> Story {
    let side = || Side { openness: Openness::Open, reason: Reason::NotUnderPolicy("a pod always reaches itself") };
    let segment = Segment { ports: PortSet::all(), openness: Openness::Open, egress: side(), ingress: side() };
    Story { from: words(one), to: words(one), answer: book.answer(Open::ALL), segments: vec![segment], notes: Vec::new() }
}

/// How many ports.
pub(super) fn size(set: &PortSet) -> u32 {
    let of = |protocol| set.ranges(protocol).iter().map(|(low, high)| u32::from(high - low) + 1).sum::<u32>();
    PROTOCOLS.into_iter().map(of).sum()
}

/// One side: the rules of `me` about `other`.
pub(super) fn tell<'a>(
    world: &'a World,
    me: &One<'a>,
    other: &One<'a>,
    direction: Direction,
    (family, own): View,
    book: &mut PortBook,
) -> Telling<'a> {
    let ground = &world.ground;
    let mut telling =
        Telling { free: None, own: Truth::No, says: Vec::new(), units: Vec::new(), others: Vec::new(), open: Open::ALL, direction };
    let One::Pod(subject) = me else {
        telling.free = Some("it is no pod under policy");
        return telling;
    };
    if !under_policy(&subject.class.key, ground) {
        let off = ground.mode.enforcement == Enforcement::Never;
        telling.free = Some(if off { "no policy is enforced" } else { "it is on the node's network, to which policies do not apply" });
        return telling;
    }
    let from_node = match other {
        One::Pod(end) => end.class.key.host,
        One::Address(there) => there.node,
    };
    if from_node && direction == Direction::Ingress && ground.mode.own_node {
        telling.own = own;
    }
    if telling.own == Truth::Sure {
        telling.free = Some("what comes from a pod's own node is always let in");
        return telling;
    }
    let look = |entry: &Entry| match other {
        One::Pod(peer) => {
            let node = peer.class.key.host.then_some(own);
            peer_of(entry, &Look { terms: &ground.terms, seen: &peer.class.seen, family, node, blurred: ground.atoms.blurred })
        }
        One::Address(there) => ground.address_of(entry, &Outside { own, ..*there }),
    };
    let target = if direction == Direction::Egress { other } else { me };
    let names = if let One::Pod(end) = target { end.class.key.named.clone() } else { Names::default() };
    let names = if matches!(target, One::Pod(_)) { names.named() } else { Named::Nowhere };
    let speaks = |unit: &&Unit| unit.tier.speaks(direction);
    let held = subject.class.units.iter().filter_map(|(id, truth)| Some((*truth, ground.unit(*id).filter(speaks)?)));
    let held: Vec<(Truth, &Unit)> = held.collect();
    let as_held = held.iter().map(|(truth, unit)| Held { truth: *truth, tier: &unit.tier, rules: unit.rules.get(direction) });
    telling.open = let_in(judge(as_held, look, names, book), telling.own, book);
    let mut say = |unit: &'a Unit, truth: Truth, into: &mut Vec<Say<'a>>| {
        for entry in &unit.rules.get(direction).entries {
            let peer = look(entry);
            let (sure, perhaps) = ports_of(entry, names, book);
            let (sure, perhaps) = ((*book.set(sure)).clone(), (*book.set(perhaps)).clone());
            into.push(Say { unit, entry, peer, both: peer.and(truth), sure, perhaps });
        }
    };
    for (truth, unit) in &held {
        say(unit, *truth, &mut telling.says);
    }
    let applies = |id: &u32| subject.class.units.iter().any(|(own, _)| own == id);
    for unit in subject.space.units.iter().filter(|id| !applies(id)).filter_map(|id| ground.unit(*id)) {
        say(unit, Truth::No, &mut telling.others);
    }
    telling.units = held.into_iter().map(|(truth, unit)| (unit, truth)).collect();
    telling
}

/// So many ranges times rules are told apart.
const MOST: usize = 1_000_000;

/// The ranges of a protocol within which nothing that is said changes. Where there are too many, ranges with one answer: what is said of each is then
/// true of its first port.
fn pieces(protocol: PortProtocol, sides: &[&Telling<'_>], sets: &[[std::sync::Arc<PortSet>; 2]]) -> Vec<(u16, u16)> {
    let says = || sides.iter().flat_map(|side| &side.says).filter(|say| say.both != Truth::No);
    let named = says().flat_map(|say| [&say.sure, &say.perhaps]);
    let many = says().count().saturating_mul(named.clone().map(|set| set.ranges(protocol).len()).sum::<usize>()) > MOST;
    let mut starts: BTreeSet<u16> = BTreeSet::from([1]);
    for set in named.filter(|_| !many).chain(sets.iter().flatten().map(|set| &**set)) {
        for (low, high) in set.ranges(protocol) {
            starts.insert(*low);
            starts.extend(high.checked_add(1));
        }
    }
    let ends: Vec<u16> = starts.iter().skip(1).map(|start| start - 1).chain([u16::MAX]).collect();
    starts.into_iter().zip(ends).collect()
}

impl Say<'_> {
    fn sure_at(&self, protocol: PortProtocol, port: u16) -> bool {
        self.both == Truth::Sure && self.sure.contains(protocol, port)
    }

    fn perhaps_at(&self, protocol: PortProtocol, port: u16) -> bool {
        self.both != Truth::No && self.perhaps.contains(protocol, port) && !self.sure_at(protocol, port)
    }

    /// Which rule it is.
    pub(super) fn rule(&self) -> RuleRef {
        RuleRef { object: self.unit.object.clone(), field: self.entry.path(&self.unit.prefix) }
    }
}

impl Telling<'_> {
    fn side(&self, world: &World, protocol: PortProtocol, port: u16, [sure, may]: &[std::sync::Arc<PortSet>; 2]) -> Side {
        let openness = match (sure.contains(protocol, port), may.contains(protocol, port)) {
            (true, _) => Openness::Open,
            (false, true) => Openness::Undefined,
            (false, false) => Openness::Blocked,
        };
        let reason = match (self.free, openness) {
            (Some(why), _) => Reason::NotUnderPolicy(why),
            (None, Openness::Undefined) => self.undefined(protocol, port),
            (None, _) => self.decided(world, openness, protocol, port),
        };
        Side { openness, reason }
    }

    /// What leaves it open.
    fn undefined(&self, protocol: PortProtocol, port: u16) -> Reason {
        let mut objects: BTreeSet<ObjectRef> = BTreeSet::new();
        let mut why: BTreeSet<String> = BTreeSet::new();
        if self.own == Truth::Perhaps {
            why.insert("it may come from the pod's own node, which is always let in".to_owned());
        }
        for (unit, truth) in &self.units {
            if let Tier::Foreign { .. } = unit.tier {
                let engine = foreign(unit.object.kind).map_or("a tier that is not known", |known| known.engine);
                why.insert(format!("rules of {engine} apply, which are not evaluated"));
                objects.insert(unit.object.clone());
            } else if *truth == Truth::Perhaps && unit.rules.get(self.direction).isolates {
                let field = unit.unclear.as_ref().map(|field| format!(": {field} can't be read")).unwrap_or_default();
                why.insert(format!("it can't be told whether the policy selects the pod{field}"));
                objects.insert(unit.object.clone());
            }
        }
        for say in self
            .says
            .iter()
            .filter(|say| say.perhaps_at(protocol, port) || (say.entry.verdict == Verdict::Unclear && say.both != Truth::No))
        {
            let what =
                if say.entry.condition.names { "the addresses of the names it allows are not known" } else { "a rule can't be read" };
            why.insert(what.to_owned());
            objects.insert(say.unit.object.clone());
        }
        Reason::Undefined { why: clean(&why.into_iter().collect::<Vec<_>>().join("; ")), objects: objects.into_iter().collect() }
    }

    fn first(&self, tier: fn(&Tier) -> bool, protocol: PortProtocol, port: u16) -> Option<&Say<'_>> {
        self.says.iter().find(|say| tier(&say.unit.tier) && say.sure_at(protocol, port) && say.entry.verdict != Verdict::Unclear)
    }

    /// What decides, tier by tier.
    fn decided(&self, world: &World, openness: Openness, protocol: PortProtocol, port: u16) -> Reason {
        let open = openness == Openness::Open;
        let plain = |say: &Say<'_>| match (say.entry.verdict, open) {
            (Verdict::Allow, true) => Some(Reason::Allowed(vec![say.rule()])),
            (Verdict::Deny, false) => Some(Reason::Denied(say.rule())),
            _ => None,
        };
        let admin = self.first(|tier| matches!(tier, Tier::Admin(_)), protocol, port);
        if let Some(reason) = admin.and_then(plain) {
            return reason;
        }
        let normal = || self.says.iter().filter(|say| say.unit.tier == Tier::Normal && say.sure_at(protocol, port));
        if let Some(say) = normal().find(|say| say.entry.verdict == Verdict::Deny && !open) {
            return Reason::Denied(say.rule());
        }
        let allowed: Vec<RuleRef> = normal().filter(|say| say.entry.verdict == Verdict::Allow).map(Say::rule).collect();
        if open && !allowed.is_empty() {
            return Reason::Allowed(allowed);
        }
        let isolating = self.isolating(Truth::Sure);
        if !open && !isolating.is_empty() {
            return Reason::Silence { isolating, nearest: near::nearest(world, self, protocol, port) };
        }
        let baseline = self.first(|tier| matches!(tier, Tier::Baseline(_)), protocol, port);
        if let Some(reason) = baseline.and_then(plain) {
            return reason;
        }
        if open {
            return Reason::NotIsolated;
        }
        // several rules that can't be read may leave nothing open between them
        Reason::Silence { isolating: self.isolating(Truth::Perhaps), nearest: None }
    }

    fn isolating(&self, at_least: Truth) -> Vec<ObjectRef> {
        let isolates = |(unit, truth): &&(&Unit, Truth)| *truth >= at_least && unit.rules.get(self.direction).isolates;
        let objects: BTreeSet<ObjectRef> = self.units.iter().filter(isolates).map(|(unit, _)| unit.object.clone()).collect();
        objects.into_iter().collect()
    }
}
