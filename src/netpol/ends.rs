//! The ends of a question, as classes of pods and addresses.

use std::net::IpAddr;
use std::sync::Arc;

use super::isolation::Direction;
use super::listing;
use super::portbook::{Open, PortBook};
use super::ranges::{Family, number};
use super::space::{Class, ClassKey, Space, Spot};
use super::story::End;
use super::term::Zone;
use super::world::World;
use crate::model::ids::Name;
use crate::model::labels::Labels;
use crate::model::tenant::Tenants;

/// A class that an end stands for.
#[derive(Clone)]
pub(super) struct PodEnd<'a> {
    pub space: &'a Space,
    pub class: Cow<'a>,
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
pub(super) enum Found<'a> {
    Pods(Vec<PodEnd<'a>>),
    Addresses(Vec<(Family, u128, Zone)>),
}

/// Makes an end out; none where it does not exist. O(pods) for an address, O(pods of the namespaces) else.
pub(super) fn find<'a>(world: &'a World, tenants: &Tenants, end: &End) -> Option<Found<'a>> {
    Some(match end {
        End::Tenant(tenant) => {
            let spaces = tenants.namespaces.get(tenant)?.iter().filter_map(|name| world.space(name));
            Found::Pods(spaces.flat_map(existing).collect())
        }
        End::Namespace(name) => Found::Pods(existing(world.space(name)?).collect()),
        End::Pod { namespace, name } => Found::Pods(vec![pod(world.space(namespace)?, name)?]),
        End::Workload { namespace, name, kind } => Found::Pods(workload(world, world.space(namespace)?, (kind, name))?),
        End::Imagined { namespace, labels } => Found::Pods(vec![imagined(world, world.space(namespace)?, labels)]),
        End::Address(ip) => match pod_at(world, *ip) {
            Some(end) => Found::Pods(vec![end]),
            None => Found::Addresses(vec![place(world, *ip)]),
        },
        End::Target(_) => return None,
    })
}

fn place(world: &World, ip: IpAddr) -> (Family, u128, Zone) {
    let (family, at) = (Family::of(ip), number(ip));
    (family, at, world.zone(family, at))
}

fn existing(space: &Space) -> impl Iterator<Item = PodEnd<'_>> {
    space.classes.iter().filter(|class| class.count > 0).map(move |class| PodEnd { space, class: Cow::Known(class) })
}

fn class_at(space: &Space, at: usize) -> Option<PodEnd<'_>> {
    let class = space.class_of.get(at).copied().flatten()?;
    Some(PodEnd { space, class: Cow::Known(space.classes.get(class as usize)?) })
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
    Some(found.classes.iter().map(|class| PodEnd { space, class: class.clone() }).collect())
}

/// A pod that does not exist, with these labels.
fn imagined<'a>(world: &World, space: &'a Space, labels: &Labels) -> PodEnd<'a> {
    let keys = space.keys(&world.ground);
    let key = ClassKey { labels: keys.project(labels), account: None, named: None, host: false, spots: floating(world) };
    PodEnd { space, class: Cow::Made(Arc::new(space.stranger(key, "".into(), &world.ground))) }
}

/// Where a pod may be that does not exist yet.
pub(super) fn floating(world: &World) -> [Spot; 2] {
    let [v4, v6] = &world.ground.pod_space;
    [v4, v6].map(|sets| if sets.is_empty() { Spot::None } else { Spot::Floating })
}

fn pod_at(world: &World, ip: IpAddr) -> Option<PodEnd<'_>> {
    world.spaces.iter().find_map(|space| {
        let has = |at: &(usize, &Arc<crate::model::pod::PodFact>)| at.1.ips.contains(&ip) && !at.1.host_network && !at.1.finished();
        let (at, _) = space.facts.pods.values().enumerate().find(has)?;
        class_at(space, at)
    })
}

/// The answer between two ends: the union over the pairs they stand for, leaving out a pod to itself. O(pairs × entries).
pub(super) fn answer(world: &World, tenants: &Tenants, from: &End, to: &End, book: &mut PortBook) -> Option<Open> {
    let (source, target) = (find(world, tenants, from)?, find(world, tenants, to)?);
    let same = from == to;
    let mut open = Open::NONE;
    match (&source, &target) {
        (Found::Pods(sources), Found::Pods(targets)) => {
            for a in sources {
                for b in targets {
                    let alone = same && std::ptr::eq(&raw const *a.class, &raw const *b.class) && a.class.count == 1;
                    if !alone {
                        let one = world.ground.pair(&a.class, &b.class, book);
                        open = book.join(open, one);
                    }
                }
            }
        }
        (Found::Pods(pods), Found::Addresses(list)) => {
            for (pod, at) in pods.iter().flat_map(|pod| list.iter().map(move |at| (pod, at))) {
                let one = world.ground.outside(&pod.class, Direction::Egress, *at, book);
                open = book.join(open, one);
            }
        }
        (Found::Addresses(list), Found::Pods(pods)) => {
            for (pod, at) in pods.iter().flat_map(|pod| list.iter().map(move |at| (pod, at))) {
                let one = world.ground.outside(&pod.class, Direction::Ingress, *at, book);
                open = book.join(open, one);
            }
        }
        (Found::Addresses(_), Found::Addresses(_)) => open = Open::ALL,
    }
    Some(open)
}
