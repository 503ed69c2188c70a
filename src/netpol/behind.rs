//! What a Service leads to.

use super::answer::Openness;
use super::class::counts;
use super::isolation::Direction;
use super::portbook::{Open, PortBook, Ports};
use super::ports::PortSet;
use super::ranges::Ranges;
use super::reach::ServiceReach;
use super::term::Outside;
use super::world::{ClassAt, World};
use crate::model::containers::{ContainerRole, PortProtocol};
use crate::model::labels::LabelSet;
use crate::model::pod::PodFact;
use crate::model::service::{ServiceFact, ServicePort};

/// Pods and addresses behind a Service.
pub(super) struct Behind<'a> {
    pub service: Option<&'a ServiceFact>,
    pub pods: Vec<ClassAt>,
    pub addresses: Ranges,
}

fn selects(labels: &LabelSet, pod: &PodFact) -> bool {
    labels.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
}

impl World {
    /// Classes of pods of a namespace that carry these labels. O(pods).
    pub(super) fn selected(&self, namespace: &str, labels: &LabelSet) -> Vec<ClassAt> {
        let Some(at) = self.place.get(namespace).copied() else { return Vec::new() };
        let Some(space) = self.spaces.get(at as usize) else { return Vec::new() };
        let pods = space.facts.pods.values().zip(&space.class_of).filter(|(pod, _)| selects(labels, pod));
        let mut classes: Vec<ClassAt> = pods.filter_map(|(_, class)| class.map(|class| (at, class))).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// What is behind a Service. O(pods of its namespace).
    pub(super) fn behind<'a>(&'a self, namespace: &str, name: &str) -> Behind<'a> {
        let facts = self.space(namespace).map(|space| &space.facts);
        let service = facts.and_then(|facts| facts.services.get(name)).map(|service| &**service);
        let mut behind = Behind { service, pods: Vec::new(), addresses: Ranges::default() };
        let (Some(facts), Some(service)) = (facts, service) else { return behind };
        if let Some(labels) = &service.selector {
            behind.pods = self.selected(namespace, labels);
        } else {
            let own = facts.endpoint_slices.values().filter(|slice| slice.service.as_deref() == Some(name));
            behind.addresses = Ranges::of_addresses(own.flat_map(|slice| slice.addresses.iter().copied()));
        }
        behind
    }

    /// A Service as pods of a namespace reach it, by port. O(classes of both namespaces × entries + pods).
    pub(super) fn service(&self, from: &str, namespace: &str, name: &str) -> Vec<ServiceReach> {
        let behind = self.behind(namespace, name);
        let (Some(service), Some(from)) = (behind.service, self.space(from)) else { return Vec::new() };
        let mut book = self.ground.ports.copy();
        let sources: Vec<_> = from.classes.iter().filter(|class| class.count > 0).collect();
        let mut all = Vec::with_capacity(service.ports.len());
        for port in &service.ports {
            let target = behind.target(port, self, &mut book);
            let mut open = Open::NONE;
            for source in &sources {
                for target in behind.pods.iter().filter_map(|at| self.class(*at)) {
                    let one = self.ground.pair((from, source), target, &mut book);
                    open = book.join(open, one);
                }
                for (family, at, _) in behind.addresses.each() {
                    let there = self.outside_at(family, at);
                    for own in self.owns_at(&there, Some(&from.nodes_of(source))) {
                        let there = Outside { own, ..there };
                        let one = self.ground.class_outside(source, Direction::Egress, &there, &mut book);
                        open = book.join(open, one);
                    }
                }
            }
            let open = Open { sure: book.intersect(open.sure, target), may: book.intersect(open.may, target) };
            let openness: Openness = book.answer(open).openness();
            all.push(ServiceReach { port: (port.protocol, port.port), openness });
        }
        all
    }
}

impl Behind<'_> {
    /// The ports of the pods that a port of the Service leads to; without such a port, the number itself.
    pub(super) fn ports(&self, protocol: PortProtocol, port: u16, world: &World, book: &mut PortBook) -> Ports {
        let found = self.service.and_then(|service| service.ports.iter().find(|p| p.port == port && p.protocol == protocol));
        match found {
            Some(found) => self.target(found, world, book),
            None => book.number(PortSet::range(protocol, port, port)),
        }
    }

    /// The target of a Service's port: a number, or what pods behind it call by that name.
    fn target(&self, port: &ServicePort, world: &World, book: &mut PortBook) -> Ports {
        let one = |number: u16| PortSet::range(port.protocol, number, number);
        let Some(target) = &port.target else { return book.number(one(port.port)) };
        if let Ok(number) = target.parse::<u16>() {
            return book.number(one(if number == 0 { port.port } else { number }));
        }
        let Some(service) = self.service else { return Ports::NONE };
        let Some(space) = world.space(&service.meta.namespace) else { return Ports::NONE };
        let chosen = |pod: &&std::sync::Arc<PodFact>| {
            counts(pod, &world.ground) && service.selector.as_ref().is_some_and(|labels| selects(labels, pod))
        };
        let pods = space.facts.pods.values().filter(chosen);
        let containers = pods.flat_map(|pod| pod.containers.iter()).filter(|container| container.role != ContainerRole::Init);
        let ports = containers.flat_map(|container| &container.ports);
        let meant = ports.filter(|p| p.protocol == port.protocol && p.name.as_ref() == Some(target));
        book.number(PortSet::from_ranges(meant.map(|p| (p.protocol, p.port, p.port))))
    }
}
