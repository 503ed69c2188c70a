//! The ends of a question, as classes of pods and addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::class::{Class, ClassKey, Names, Spot};
use super::explain::{self, One, size};
use super::isolation::Direction;
use super::listing;
use super::outside::intervals;
use super::portbook::{Open, PortBook, Ports};
use super::ranges::{Family, number};
use super::space::Space;
use super::story::{End, Story};
use super::target::Target;
use super::term::Outside;
use super::views;
use super::world::World;
use crate::model::ids::Name;
use crate::model::labels::Labels;
use crate::model::tenant::Tenants;

/// A class that an end stands for.
#[derive(Clone)]
pub(super) struct PodEnd<'a> {
    pub space: &'a Space,
    pub class: Cow<'a>,
    pub node: OnNode,
}

/// Where the pod of an end runs.
#[derive(Clone)]
pub(super) enum OnNode {
    /// Where the pods of its class do.
    OfClass,
    /// One pod is meant; none where its node is not known.
    Of(Option<Name>),
    /// Some pods of the class are meant, which run here.
    Among(listing::Nodes),
}

impl PodEnd<'_> {
    /// The nodes that it may run on.
    pub(super) fn nodes(&self) -> BTreeSet<Option<Name>> {
        match &self.node {
            OnNode::OfClass => self.space.nodes_of(&self.class),
            OnNode::Of(node) => BTreeSet::from([node.clone()]),
            OnNode::Among(nodes) => nodes.clone(),
        }
    }
}

/// A class among the pods, or one made for the question.
#[derive(Clone)]
pub(super) enum Cow<'a> {
    Known(&'a Class),
    Made(Arc<Class>),
}

impl std::ops::Deref for Cow<'_> {
    type Target = Class;

    fn deref(&self) -> &Class {
        match self {
            Self::Known(class) => class,
            Self::Made(class) => class,
        }
    }
}

/// An end made out.
pub(super) struct Found<'a> {
    pub ones: Vec<One<'a>>,
    /// Only these ports are asked about.
    pub ports: Ports,
}

/// Makes a destination out, or a source; none where it does not exist. For a fixed target, `sources` cut its addresses into what they can tell apart.
/// O(pods) for an address, O(pods of the namespaces) else.
pub(super) fn find<'a>(world: &'a World, tenants: &Tenants, end: &End, sources: &[One<'a>], book: &mut PortBook) -> Option<Found<'a>> {
    let pods: Vec<PodEnd<'a>> = match end {
        End::Tenant(tenant) => {
            let spaces = tenants.namespaces.get(tenant)?.iter().filter_map(|name| world.space(name));
            spaces.flat_map(existing).collect()
        }
        End::Namespace(name) => existing(world.space(name)?).collect(),
        End::Pod { namespace, name } => vec![pod(world.space(namespace)?, name)?],
        End::Workload { namespace, name, kind } => workload(world, world.space(namespace)?, (kind, name))?,
        End::Imagined { namespace, labels } => vec![imagined(world, world.space(namespace)?, labels)],
        End::Address(ip) => match pod_at(world, *ip) {
            Some(end) => vec![end],
            None => {
                return Some(Found { ones: vec![One::Address(place(world, *ip))], ports: Ports::ALL });
            }
        },
        End::Outside(ip) => return Some(Found { ones: vec![One::Address(place(world, *ip))], ports: Ports::ALL }),
        End::Target(target) => return aimed(world, *target, sources, book),
    };
    Some(Found { ones: pods.into_iter().map(One::Pod).collect(), ports: Ports::ALL })
}

/// A fixed target as pods and one address for each interval that the sources tell apart. None where it is not known where it is.
fn aimed<'a>(world: &'a World, target: Target, sources: &[One<'a>], book: &mut PortBook) -> Option<Found<'a>> {
    let aim = world.aim(target, book);
    let ground = &world.ground;
    let held = sources.iter().filter_map(|one| if let One::Pod(end) = one { Some(end) } else { None });
    let held = held.flat_map(|end| end.class.held(Direction::Egress, ground));
    let addresses = intervals(world, held, &aim.addresses);
    let mut ones: Vec<One<'a>> = addresses.into_iter().map(|(family, at, _)| One::Address(world.outside_at(family, at))).collect();
    for at in &aim.pods {
        let space = world.spaces.get(at.0 as usize);
        let end =
            space.and_then(|space| Some(PodEnd { space, class: Cow::Known(space.classes.get(at.1 as usize)?), node: OnNode::OfClass }));
        ones.extend(end.map(One::Pod));
    }
    (!ones.is_empty()).then_some(Found { ones, ports: aim.ports })
}

fn place(world: &World, ip: IpAddr) -> Outside {
    world.outside_at(Family::of(ip), number(ip))
}

fn existing(space: &Space) -> impl Iterator<Item = PodEnd<'_>> {
    space.classes.iter().filter(|class| class.count > 0).map(move |class| PodEnd { space, class: Cow::Known(class), node: OnNode::OfClass })
}

fn class_at(space: &Space, at: usize) -> Option<PodEnd<'_>> {
    let class = space.class_of.get(at).copied().flatten()?;
    let node = space.facts.pods.values().nth(at).map_or(OnNode::OfClass, |pod| OnNode::Of(pod.node.clone()));
    Some(PodEnd { space, class: Cow::Known(space.classes.get(class as usize)?), node })
}

fn pod<'a>(space: &'a Space, name: &Name) -> Option<PodEnd<'a>> {
    let at = space.facts.pods.keys().position(|pod| pod == name)?;
    class_at(space, at)
}

fn workload<'a>(world: &'a World, space: &'a Space, (kind, name): (&Name, &Name)) -> Option<Vec<PodEnd<'a>>> {
    let all = listing::of_space(world, space);
    let is = |one: &&listing::Group<'a>| {
        let same = |(k, n): (&Name, &Name)| k == kind && n == name;
        same((&one.workload.kind, &one.workload.name)) || one.workload.aliases.iter().any(|(k, n)| same((k, n)))
    };
    let found = all.iter().find(is)?;
    let ends = found.classes.iter().map(|(class, nodes)| PodEnd { space, class: class.clone(), node: OnNode::Among(nodes.clone()) });
    Some(ends.collect())
}

/// A pod that does not exist, with these labels.
fn imagined<'a>(world: &World, space: &'a Space, labels: &Labels) -> PodEnd<'a> {
    let keys = space.keys(&world.ground);
    let key =
        ClassKey { labels: keys.project(labels), account: None, named: Names::Hidden, host: false, node: None, spots: [Spot::Hidden; 2] };
    PodEnd { space, class: Cow::Made(Arc::new(space.stranger(key, "".into(), &world.ground))), node: OnNode::Of(None) }
}

fn pod_at(world: &World, ip: IpAddr) -> Option<PodEnd<'_>> {
    world.spaces.iter().find_map(|space| {
        let has = |at: &(usize, &Arc<crate::model::pod::PodFact>)| at.1.ips.contains(&ip) && !at.1.host_network && !at.1.finished();
        let (at, _) = space.facts.pods.values().enumerate().find(has)?;
        class_at(space, at)
    })
}

/// Pairs with their answers, and the ports that are asked about.
type Pairs<'a> = (Vec<(One<'a>, One<'a>, Open)>, Ports);

/// Every pair that two ends stand for, with its answer, leaving out a pod to itself; and the ports that are asked about. O(pairs × entries).
fn pairs<'a>(world: &'a World, tenants: &Tenants, from: &End, to: &End, book: &mut PortBook) -> Option<Pairs<'a>> {
    let source = find(world, tenants, from, &[], book)?;
    let target = find(world, tenants, to, &source.ones, book)?;
    let mut all = Vec::new();
    for a in &source.ones {
        for b in &target.ones {
            let alone = match (a, b) {
                (One::Pod(x), One::Pod(y)) => std::ptr::eq(&raw const *x.class, &raw const *y.class) && x.class.count == 1,
                _ => false,
            };
            if alone && from_whole(from) {
                continue;
            }
            let open = views::pair(world, a, b, book);
            let open = Open { sure: book.intersect(open.sure, target.ports), may: book.intersect(open.may, target.ports) };
            all.push((a.clone(), b.clone(), open));
        }
    }
    Some((all, target.ports))
}

/// Whether one pod is asked about itself.
fn itself(from: &End, to: &End) -> bool {
    from == to && matches!(from, End::Pod { .. })
}

/// Whether an end stands for pods of which the other end may be one.
const fn from_whole(end: &End) -> bool {
    matches!(end, End::Tenant(_) | End::Namespace(_) | End::Workload { .. })
}

/// The answer between two ends: the union over the pairs they stand for. O(pairs × entries).
pub(super) fn answer(world: &World, tenants: &Tenants, from: &End, to: &End, book: &mut PortBook) -> Option<Open> {
    let (pairs, _) = pairs(world, tenants, from, to, book)?;
    if itself(from, to) {
        return Some(Open::ALL);
    }
    Some(pairs.into_iter().fold(Open::NONE, |all, (_, _, open)| book.join(all, open)))
}

/// At most so many pairs are told of beside the first.
const MORE: usize = 16;

/// The story of the pair that is most open, and of ports that only other pairs open, the story of those. O(pairs × entries), and
/// O(entries × ports) for each that is told.
pub(super) fn explain(world: &World, tenants: &Tenants, from: &End, to: &End, book: &mut PortBook) -> Option<Story> {
    let (pairs, ports) = pairs(world, tenants, from, to, book)?;
    if itself(from, to) {
        let (one, _, _) = pairs.first()?;
        return Some(explain::to_itself(one, book));
    }
    let mut ranked: Vec<(One<'_>, One<'_>, Open)> = pairs;
    // stable: of pairs alike the first is told
    ranked.sort_by_cached_key(|(_, _, open)| std::cmp::Reverse((size(&book.set(open.sure)), size(&book.set(open.may)))));
    let mut ranked = ranked.into_iter();
    let (a, b, mut known) = ranked.next()?;
    let mut story = explain::story(world, &a, &b, book);
    let mut told = 0;
    for (a, b, open) in ranked {
        let (sure, may) = (book.minus(open.sure, known.sure), book.minus(open.may, known.may));
        let more = book.union(sure, may);
        if more == Ports::NONE || told == MORE {
            continue;
        }
        told += 1;
        known = Open { sure: book.union(known.sure, open.sure), may: book.union(known.may, open.may) };
        let other = explain::story(world, &a, &b, book);
        explain::absorb(&mut story, other, &book.set(more), book.answer(known));
    }
    Some(explain::only(story, &book.set(ports)))
}
