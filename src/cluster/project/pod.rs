//! Pods and workloads.

use std::fmt::Write as _;

use super::meta::{Version, Writer, amounts, condition, labels, meta, name};
use super::{optional, uses};
use crate::cluster::wire::lean::{Field, Many};
use crate::cluster::wire::meta::MetaWire;
use crate::cluster::wire::pod::{ContainerPortWire, ContainerWire, PodSpecWire, PodStatusWire, PodWire, WorkloadWire};
use crate::model::changes::Fact;
use crate::model::containers::{ContainerFact, ContainerPort, ContainerRole, Containers, PortProtocol};
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::labels::LabelSet;
use crate::model::pod::{Phase, PodFact};
use crate::model::workload::WorkloadFact;

/// The fact of a Pod. Its version is a digest of what walls rest on: labels, ServiceAccount, node and host network, never its status.
pub(super) fn pod(_kind: Kind, wire: PodWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let mut metadata = wire.metadata.get()?;
    let spec = wire.spec.get().unwrap_or_default();
    let status = wire.status.get().unwrap_or_default();
    let set = labels(std::mem::take(&mut metadata.labels), interner);
    let host_network = spec.host_network.as_ref().copied().unwrap_or(false);
    let digest = digest(&set, &spec, host_network);
    let meta = meta(&metadata, Version::Digest(&digest), Writer::Dropped, interner)?;
    Some(Fact::Pod(PodFact {
        meta,
        labels: interner.labels(set),
        node: optional(&spec.node_name, interner),
        service_account: service_account(&spec, interner),
        owner: owner(metadata.owner_references, interner),
        ips: ips(&status),
        phase: match status.phase.text() {
            "Pending" => Phase::Pending,
            "Running" => Phase::Running,
            "Succeeded" => Phase::Succeeded,
            "Failed" => Phase::Failed,
            _ => Phase::Unknown,
        },
        host_network,
        ready: condition(status.conditions, "Ready") == Some(true),
        terminating: metadata.deletion_timestamp.as_ref().is_some(),
        overhead: spec.overhead.as_ref().is_some_and(|overhead| overhead.0),
        secrets: uses::secrets(&spec, interner),
        injector: uses::injector(std::mem::take(&mut metadata.annotations), interner),
        containers: containers(spec.containers, spec.init_containers, interner),
    }))
}

fn digest(labels: &LabelSet, spec: &PodSpecWire<'_>, host_network: bool) -> String {
    let mut text = String::with_capacity(256);
    for (key, value) in labels.iter() {
        let _ = writeln!(text, "{key}={value}");
    }
    let _ = write!(text, "{}\n{}\n{host_network}", spec.service_account_name.text(), spec.node_name.text());
    text
}

fn service_account(spec: &PodSpecWire<'_>, interner: &mut Interner) -> Name {
    optional(&spec.service_account_name, interner).unwrap_or_else(|| interner.name("default"))
}

fn owner(owners: Field<Many<crate::cluster::wire::meta::OwnerWire<'_>>>, interner: &mut Interner) -> Option<Name> {
    let owner = owners.items().find(|owner| owner.controller.as_ref() == Some(&true))?;
    match owner.kind.text() {
        // the mirror of a static pod: its node makes it, and the next one has nothing to do with it
        "Node" => None,
        // no server stores this; files do hold it
        "" => Some(name(&format!("Pod/{}", owner.name.text()), interner)),
        kind => Some(name(&format!("{kind}/{}", owner.name.text()), interner)),
    }
}

fn ips(status: &PodStatusWire<'_>) -> Box<[std::net::IpAddr]> {
    let listed = status.pod_ips.as_ref().map(|list| list.0.as_slice()).unwrap_or_default();
    let listed: Vec<_> = listed.iter().filter_map(|ip| ip.as_ref()?.ip.text().parse().ok()).collect();
    if listed.is_empty() { status.pod_ip.text().parse().into_iter().collect() } else { listed.into_boxed_slice() }
}

type List<'a> = Field<Many<ContainerWire<'a>>>;

/// Containers of a pod or template, main ones first. One that is no object counts, without a name and with amounts that can't be read.
fn containers(main: List<'_>, init: List<'_>, interner: &mut Interner) -> Containers {
    let mut list = Vec::new();
    for (field, is_init) in [(main, false), (init, true)] {
        let odd = field.is_odd();
        for wire in field.get().unwrap_or_default().0 {
            list.push(container(wire, is_init, interner));
        }
        if odd {
            list.push(container(Field::Odd, is_init, interner));
        }
    }
    interner.containers(list)
}

fn container(field: Field<ContainerWire<'_>>, is_init: bool, interner: &mut Interner) -> ContainerFact {
    let odd = field.is_odd();
    let wire = field.get().unwrap_or_default();
    let role = match (is_init, wire.restart_policy.text()) {
        (false, _) => ContainerRole::Main,
        (true, "Always") => ContainerRole::Sidecar,
        (true, _) => ContainerRole::Init,
    };
    let (requests, limits) = match wire.resources {
        Field::Odd => (Field::Odd, Field::Odd),
        _ if odd => (Field::Odd, Field::Odd),
        resources => {
            let resources = resources.get().unwrap_or_default();
            (resources.requests, resources.limits)
        }
    };
    ContainerFact {
        name: name(wire.name.text(), interner),
        image: name(wire.image.text(), interner),
        role,
        requests: amounts(requests, interner),
        limits: amounts(limits, interner),
        ports: wire.ports.items().filter_map(|port| container_port(&port, interner)).collect(),
    }
}

fn container_port(wire: &ContainerPortWire<'_>, interner: &mut Interner) -> Option<ContainerPort> {
    let port = wire.container_port.as_ref().and_then(|port| u16::try_from(*port).ok()).filter(|port| *port > 0)?;
    Some(ContainerPort { name: optional(&wire.name, interner), port, protocol: protocol(wire.protocol.text())? })
}

/// TCP unless said otherwise; none for what no Service or container may say.
pub(super) fn protocol(text: &str) -> Option<PortProtocol> {
    match text {
        "" | "TCP" => Some(PortProtocol::Tcp),
        "UDP" => Some(PortProtocol::Udp),
        "SCTP" => Some(PortProtocol::Sctp),
        _ => None,
    }
}

/// The fact of a Deployment, StatefulSet, DaemonSet, Job or CronJob.
pub(super) fn workload(kind: Kind, wire: WorkloadWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let spec = wire.spec.get().unwrap_or_default();
    let status = wire.status.get().unwrap_or_default();
    let count = |field: &Field<i64>| field.as_ref().map(|count| u32::try_from(*count).unwrap_or(0));
    let wanted = match kind {
        Kind::Deployment | Kind::StatefulSet => Some(count(&spec.replicas).unwrap_or(1)),
        Kind::DaemonSet => count(&status.desired_number_scheduled),
        Kind::Job if spec.suspend.as_ref() == Some(&true) => Some(0),
        Kind::Job => Some(count(&spec.parallelism).unwrap_or(1)),
        _ => None,
    };
    let ready = match kind {
        Kind::DaemonSet => count(&status.number_ready),
        Kind::Job => count(&status.ready),
        _ => count(&status.ready_replicas),
    };
    let template = match kind {
        Kind::CronJob => spec.job_template.get().unwrap_or_default().spec.get().unwrap_or_default().template,
        _ => spec.template,
    };
    let template = template.get().unwrap_or_default();
    let mut metadata: MetaWire<'_> = template.metadata.get().unwrap_or_default();
    let pod = template.spec.get().unwrap_or_default();
    let injector = uses::injector(std::mem::take(&mut metadata.annotations), interner);
    let set = labels(metadata.labels, interner);
    Some(Fact::Workload(WorkloadFact {
        kind,
        meta,
        template_labels: interner.labels(set),
        service_account: service_account(&pod, interner),
        host_network: pod.host_network.as_ref().copied().unwrap_or(false),
        secrets: uses::secrets(&pod, interner),
        injector,
        containers: containers(pod.containers, pod.init_containers, interner),
        wanted,
        ready: ready.unwrap_or(0),
    }))
}
