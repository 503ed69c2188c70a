//! Objects from documents: lists flattened, the namespace filled in, workloads that the API server's watch never shows turned into pods.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::head::Head;
use super::normal::LARGEST_OBJECT;
use super::strict;
use crate::cluster::project;
use crate::cluster::wire::lean::{Field, Str, Table};
use crate::cluster::wire::meta::{AnyWire, MetaWire};
use crate::cluster::wire::page::read_object;
use crate::cluster::wire::pod::{ContainerPortWire, ContainerWire, PodWire, TemplateWire, WorkloadWire};
use crate::model::changes::Fact;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::labels::LabelSet;
use crate::model::meta::Meta;

/// The label that every namespace carries, whether a manifest says so or not.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Lists inside of lists are followed so deep; nobody writes more than one.
const LISTS: usize = 8;

/// Owners of pods that are not watched, because their pods say all there is to know; in files there are no pods.
const POD_MAKERS: [(&str, &str); 2] = [("apps", "ReplicaSet"), ("", "ReplicationController")];

/// What became of an object.
#[derive(Debug)]
pub enum Read {
    /// It is a fact.
    Fact(Box<Fact>),
    /// It is of a kind that is not read: which.
    Passed(String),
    /// It can't be read: why. Not cleaned.
    Bad(String),
}

/// An object with what it says it is.
#[derive(Debug)]
pub struct Object {
    /// What it says it is, with the namespace it will have.
    pub head: Head,
    /// What became of it.
    pub read: Read,
    /// What it says that the API does not know. Not cleaned.
    pub strange: Vec<String>,
}

#[derive(Deserialize)]
struct ListWire<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

/// Every object of a document that was read without trouble: one, or those of a list. O(length).
pub fn objects(json: &[u8], interner: &mut Interner, sink: &mut impl FnMut(Object)) {
    flatten(json, None, LISTS, interner, sink);
}

fn flatten(json: &[u8], of_list: Option<&Head>, levels: usize, interner: &mut Interner, sink: &mut impl FnMut(Object)) {
    let mut head = Head::of(json);
    if let Some(list) = of_list {
        // items of a typed list may leave out what the list has said
        if head.kind.is_empty() {
            list.kind.strip_suffix("List").unwrap_or_default().clone_into(&mut head.kind);
        }
        if head.api_version.is_empty() {
            head.api_version.clone_from(&list.api_version);
        }
    }
    if head.kind.ends_with("List")
        && let Ok(ListWire { items: Some(items) }) = serde_json::from_slice::<ListWire<'_>>(json)
    {
        if levels == 0 {
            sink(Object { head, read: Read::Bad("lists inside of lists inside of lists".to_owned()), strange: Vec::new() });
            return;
        }
        for item in items {
            flatten(item.get().as_bytes(), Some(&head), levels - 1, interner, sink);
        }
        return;
    }
    let read = read(&mut head, json, interner);
    let policy = matches!(&read, Read::Fact(fact) if fact.kind() == Kind::NetworkPolicy);
    let strange = if policy { strict::unknown(json) } else { Vec::new() };
    sink(Object { head, read, strange });
}

/// One object as a fact. The namespace is filled in, in the head as well.
fn read(head: &mut Head, json: &[u8], interner: &mut Interner) -> Read {
    if json.first() != Some(&b'{') {
        return Read::Bad("no object".to_owned());
    }
    if head.kind.is_empty() {
        return Read::Passed("(no kind)".to_owned());
    }
    if head.api_version.is_empty() {
        return Read::Bad("no apiVersion".to_owned());
    }
    let maker = POD_MAKERS.contains(&(head.group(), head.kind.as_str()));
    let Some(kind) = head.known().or(maker.then_some(Kind::Pod)) else {
        return Read::Passed(head.kind.clone());
    };
    if let Some(why) = unfit(head, json) {
        return Read::Bad(why);
    }
    let namespaced = kind.info().is_none_or(|info| info.namespaced);
    if !namespaced {
        head.namespace.clear();
    } else if head.namespace.is_empty() {
        "default".clone_into(&mut head.namespace);
    }
    let fact = if maker || (is_workload(kind) && on_node_network(json)) {
        pod_of(head, json).and_then(|json| project::fact(Kind::Pod, &json, interner))
    } else {
        project::fact(kind, json, interner)
    };
    match fact {
        Some(fact) => Read::Fact(Box::new(placed(fact, &head.namespace, interner))),
        // an Event that is no refusal
        None if kind == Kind::Event => Read::Passed(head.kind.clone()),
        None => Read::Bad(format!("can't be read as a {}", head.kind)),
    }
}

/// What the API server would refuse and what no fact can hold: why.
fn unfit(head: &Head, json: &[u8]) -> Option<String> {
    if head.name.is_empty() {
        return Some("metadata.name is missing".to_owned());
    }
    if json.len() > LARGEST_OBJECT {
        return Some(format!("longer than the {LARGEST_OBJECT} bytes that an API server reads"));
    }
    let wire = read_object::<AnyWire<'_>>(json)?;
    let own = wire.metadata.as_ref().and_then(|meta| odd_label(meta, "metadata.labels"));
    own.or_else(|| template(json).and_then(|t| t.metadata.as_ref().and_then(|meta| odd_label(meta, "the template's labels"))))
        .or_else(|| odd_ports(head, json))
}

/// A container or a port of a type that it can't have: a server does not decode the object, so no pod comes of it.
fn odd_ports(head: &Head, json: &[u8]) -> Option<String> {
    let spec = if head.kind == "Pod" { read_object::<PodWire<'_>>(json)?.spec.get()? } else { template(json)?.spec.get()? };
    let lists = [("containers", &spec.containers), ("initContainers", &spec.init_containers)];
    lists.into_iter().find_map(|(field, list)| {
        if list.is_odd() {
            return Some(format!("{field} is no list"));
        }
        let containers = list.as_ref().map(|list| list.0.as_slice()).unwrap_or_default();
        containers.iter().enumerate().find_map(|(i, container)| odd_port(container).map(|what| format!("{field}[{i}]{what}")))
    })
}

/// What is wrong with a container's ports.
fn odd_port(container: &Field<ContainerWire<'_>>) -> Option<String> {
    if container.is_odd() {
        return Some(" is no object".to_owned());
    }
    let ports = &container.as_ref()?.ports;
    if ports.is_odd() {
        return Some(".ports is no list".to_owned());
    }
    let odd = |port: &Field<ContainerPortWire<'_>>| port.is_odd() || port.as_ref().is_some_and(|port| port.container_port.is_odd());
    let at = ports.as_ref()?.0.iter().position(odd)?;
    Some(format!(".ports[{at}].containerPort is no number"))
}

/// A label that is no text: the API server refuses the object, and without the label no selector may be judged.
fn odd_label(meta: &MetaWire<'_>, field: &str) -> Option<String> {
    let table: &Table<'_, Str<'_>> = match &meta.labels {
        Field::Absent => return None,
        Field::Odd => return Some(format!("{field} are no object")),
        Field::Is(table) => table,
    };
    let (key, _) = table.0.iter().find(|(_, value)| value.is_odd())?;
    Some(format!("{field}: the value of {key:?} is no text; quote it"))
}

const fn is_workload(kind: Kind) -> bool {
    matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob)
}

fn template(json: &[u8]) -> Option<TemplateWire<'_>> {
    let spec = read_object::<WorkloadWire<'_>>(json)?.spec.get()?;
    let of_job = spec.job_template.get().and_then(|job| job.spec.get()).and_then(|spec| spec.template.get());
    of_job.or(spec.template.get())
}

/// Whether a workload's pods share the node's network. Its fact can't say so; the fact of a pod can.
fn on_node_network(json: &[u8]) -> bool {
    template(json).and_then(|template| template.spec.get()).is_some_and(|spec| spec.host_network.as_ref() == Some(&true))
}

/// The pod that a workload would make, named so that no real pod has its name.
fn pod_of(head: &Head, json: &[u8]) -> Option<Vec<u8>> {
    let mut whole: Value = serde_json::from_slice(json).ok()?;
    let mut spec = whole.get_mut("spec").map(Value::take).unwrap_or_default();
    let inner = spec.pointer_mut("/jobTemplate/spec/template").map(Value::take);
    let mut template = inner.or_else(|| spec.get_mut("template").map(Value::take)).unwrap_or_else(|| Value::Object(Map::new()));
    let labels = template.pointer_mut("/metadata/labels").map(Value::take).unwrap_or_default();
    let spec = template.get_mut("spec").map(Value::take).unwrap_or_default();
    let pod = json!({
        "metadata": {
            "name": format!("{} [{}]", head.name, head.kind),
            "namespace": head.namespace,
            "labels": labels,
            "ownerReferences": [{"kind": head.kind, "name": head.name, "controller": true}],
        },
        "spec": spec,
    });
    serde_json::to_vec(&pod).ok()
}

/// The fact in its namespace; a Namespace with the label that every one carries.
fn placed(mut fact: Fact, namespace: &str, interner: &mut Interner) -> Fact {
    if let Fact::Namespace(own) = &mut fact {
        let label = (interner.name(NAME_LABEL), own.meta.name.clone());
        let labels = own.labels.iter().cloned().chain([label]);
        own.labels = interner.labels(LabelSet::new(labels));
    }
    meta_of(&mut fact).namespace = interner.name(namespace);
    fact
}

/// The Namespace that objects name and no file holds: with its name's label only.
pub fn missing_namespace(name: &str, interner: &mut Interner) -> Option<Fact> {
    let json = serde_json::to_vec(&json!({"metadata": {"name": name}})).ok()?;
    project::fact(Kind::Namespace, &json, interner).map(|fact| placed(fact, "", interner))
}

const fn meta_of(fact: &mut Fact) -> &mut Meta {
    match fact {
        Fact::Namespace(f) => &mut f.meta,
        Fact::NetworkPolicy(f) => &mut f.meta,
        Fact::Quota(f) => &mut f.meta,
        Fact::LimitRange(f) => &mut f.meta,
        Fact::ServiceAccount(f) => &mut f.meta,
        Fact::Service(f) => &mut f.meta,
        Fact::EndpointSlice(f) => &mut f.meta,
        Fact::Node(f) => &mut f.meta,
        Fact::Workload(f) => &mut f.meta,
        Fact::SecretStore(f) => &mut f.meta,
        Fact::Consumer(f) => &mut f.meta,
        Fact::SecretMeta(f) => &mut f.meta,
        Fact::Pod(f) => &mut f.meta,
        Fact::AdminPolicy(f) => &mut f.meta,
        Fact::CiliumPolicy(f) => &mut f.meta,
        Fact::CidrGroup(f) => &mut f.meta,
        Fact::Foreign(f) => &mut f.meta,
        Fact::CiliumConfig(f) => &mut f.meta,
        Fact::Role(f) => &mut f.meta,
        Fact::Binding(f) => &mut f.meta,
        Fact::Refusal(f) => &mut f.meta,
    }
}
