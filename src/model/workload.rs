//! Owners of pods: Deployments, StatefulSets, DaemonSets, Jobs, CronJobs.

use std::sync::Arc;

use super::consumer::{InjectorFact, SecretUse};
use super::containers::Containers;
use super::ids::Name;
use super::kind::Kind;
use super::labels::Labels;
use super::meta::Meta;

/// A workload: the pods it will make tomorrow are those a wall must cover too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadFact {
    /// Which kind of owner.
    pub kind: Kind,
    /// Identity.
    pub meta: Meta,
    /// Labels of the pod template.
    pub template_labels: Labels,
    /// Containers of the pod template.
    pub containers: Containers,
    /// `serviceAccountName` of the template, `default` where absent.
    pub service_account: Name,
    /// `hostNetwork` of the template.
    pub host_network: bool,
    /// Kubernetes Secrets that the template takes.
    pub secrets: Arc<[SecretUse]>,
    /// The agent injector's annotations of the template, where there are any.
    pub injector: Option<Arc<InjectorFact>>,
    /// Pods wanted; none where the kind does not say.
    pub wanted: Option<u32>,
    /// Pods ready.
    pub ready: u32,
}
