//! Pods and the workloads that make them.

use serde::Deserialize;

use super::lean::{Field, Many, NonEmpty, Str, Table, objects};
use super::meta::MetaWire;
use super::uses::{EnvFromWire, EnvWire, VolumeWire};
use crate::model::quantity::Quantity;

/// A Pod.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct PodWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<PodSpecWire<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<PodStatusWire<'a>>,
}

/// A pod's `spec`, also in templates.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpecWire<'a> {
    /// `containers`.
    #[serde(borrow)]
    pub containers: Field<Many<ContainerWire<'a>>>,
    /// `initContainers`.
    #[serde(borrow)]
    pub init_containers: Field<Many<ContainerWire<'a>>>,
    /// `nodeName`.
    #[serde(borrow)]
    pub node_name: Field<Str<'a>>,
    /// `serviceAccountName`.
    #[serde(borrow)]
    pub service_account_name: Field<Str<'a>>,
    /// `hostNetwork`.
    pub host_network: Field<bool>,
    /// `overhead`.
    pub overhead: Field<NonEmpty>,
    /// `volumes`.
    #[serde(borrow)]
    pub volumes: Field<Many<VolumeWire<'a>>>,
}

/// A container.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `image`.
    #[serde(borrow)]
    pub image: Field<Str<'a>>,
    /// `resources`.
    #[serde(borrow)]
    pub resources: Field<ResourcesWire<'a>>,
    /// `ports`.
    #[serde(borrow)]
    pub ports: Field<Many<ContainerPortWire<'a>>>,
    /// `restartPolicy`: `Always` makes an init container a sidecar.
    #[serde(borrow)]
    pub restart_policy: Field<Str<'a>>,
    /// `env`.
    #[serde(borrow)]
    pub env: Field<Many<EnvWire<'a>>>,
    /// `envFrom`.
    #[serde(borrow)]
    pub env_from: Field<Many<EnvFromWire<'a>>>,
}

/// `resources`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct ResourcesWire<'a> {
    /// `requests`.
    #[serde(borrow)]
    pub requests: Field<Table<'a, Quantity>>,
    /// `limits`.
    #[serde(borrow)]
    pub limits: Field<Table<'a, Quantity>>,
}

/// A declared port.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerPortWire<'a> {
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `containerPort`.
    pub container_port: Field<i64>,
    /// `protocol`.
    #[serde(borrow)]
    pub protocol: Field<Str<'a>>,
}

/// A pod's `status`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct PodStatusWire<'a> {
    /// `phase`.
    #[serde(borrow)]
    pub phase: Field<Str<'a>>,
    /// `podIP`.
    #[serde(borrow, rename = "podIP")]
    pub pod_ip: Field<Str<'a>>,
    /// `podIPs`.
    #[serde(borrow, rename = "podIPs")]
    pub pod_ips: Field<Many<IpWire<'a>>>,
    /// `conditions`.
    #[serde(borrow)]
    pub conditions: Field<Many<ConditionWire<'a>>>,
}

/// One address.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct IpWire<'a> {
    /// `ip`.
    #[serde(borrow)]
    pub ip: Field<Str<'a>>,
}

/// One condition.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct ConditionWire<'a> {
    /// `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Field<Str<'a>>,
    /// `status`.
    #[serde(borrow)]
    pub status: Field<Str<'a>>,
    /// `reason`.
    #[serde(borrow)]
    pub reason: Field<Str<'a>>,
    /// `message`.
    #[serde(borrow)]
    pub message: Field<Str<'a>>,
    /// `lastTransitionTime`.
    #[serde(borrow)]
    pub last_transition_time: Field<Str<'a>>,
}

/// A Deployment, StatefulSet, DaemonSet, Job or CronJob.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct WorkloadWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<WorkloadSpecWire<'a>>,
    /// `status`.
    pub status: Field<WorkloadStatusWire>,
}

/// `spec` of any workload.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkloadSpecWire<'a> {
    /// `template`.
    #[serde(borrow)]
    pub template: Field<TemplateWire<'a>>,
    /// `jobTemplate`, of a CronJob.
    #[serde(borrow)]
    pub job_template: Field<JobTemplateWire<'a>>,
    /// `replicas`.
    pub replicas: Field<i64>,
    /// `parallelism`, of a Job.
    pub parallelism: Field<i64>,
    /// `suspend`, of a Job.
    pub suspend: Field<bool>,
}

/// `jobTemplate`.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct JobTemplateWire<'a> {
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<JobSpecWire<'a>>,
}

/// A job's `spec` inside a CronJob.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct JobSpecWire<'a> {
    /// `template`.
    #[serde(borrow)]
    pub template: Field<TemplateWire<'a>>,
}

/// A pod template.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct TemplateWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Field<PodSpecWire<'a>>,
}

/// `status` of any workload.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkloadStatusWire {
    /// `readyReplicas`.
    pub ready_replicas: Field<i64>,
    /// `numberReady`, of a DaemonSet.
    pub number_ready: Field<i64>,
    /// `desiredNumberScheduled`, of a DaemonSet.
    pub desired_number_scheduled: Field<i64>,
    /// `ready`, of a Job.
    pub ready: Field<i64>,
}

objects! {
    borrowed: PodWire, PodSpecWire, ContainerWire, ResourcesWire, ContainerPortWire, PodStatusWire, IpWire, ConditionWire, WorkloadWire,
        WorkloadSpecWire, JobTemplateWire, JobSpecWire, TemplateWire;
    owned: WorkloadStatusWire;
}
