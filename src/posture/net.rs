//! The network wall: is everything denied that no rule allows, for today's pods and for tomorrow's, and what do the rules that there are let
//! through?

mod addresses;
mod asked;
mod dns;
mod doors;
mod entry;
pub mod granted;
mod guard;
mod hosts;
mod isolation;
mod leads;
mod parity;
mod partners;
mod ports;
mod resolver;
mod select;
mod tidy;

use super::finding::Subject;
use super::sight::Source::{self, Objects};
use super::view::TenantView;
use crate::model::ids::{Name, ObjectRef};
use crate::model::kind::Kind;
use crate::model::platform::foreign;
use crate::model::snapshot::NamespaceFacts;

pub use addresses::{metadata, private};
pub use dns::{exception, transports};
pub use doors::doors;
pub use entry::entry_points;
pub use guard::guard;
pub use hosts::host_network;
pub use isolation::{egress, ingress};
pub use parity::families;
pub use partners::{inward, outward};
pub use resolver::RESOLVER_NAMESPACES;
pub(super) use select::namespaces as selected_namespaces;
pub use select::selects as selects_namespace;
pub use tidy::{exceptions, tidy};

/// The sources of every kind whose objects may decide about a connection, and more: written once, because each rests on all of them.
macro_rules! policies {
    ($($more:ident)*) => {
        &[
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::NetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::AdminNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::BaselineAdminNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::ClusterNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::CiliumNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::CiliumClusterwideNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::CiliumCIDRGroup),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::CalicoNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::CalicoGlobalNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::AntreaNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::AntreaClusterNetworkPolicy),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::EgressFirewall),
            $crate::posture::sight::Source::Objects($crate::model::kind::Kind::AuthorizationPolicy),
            $($crate::posture::sight::Source::Objects($crate::model::kind::Kind::$more),)*
        ]
    };
}
pub(crate) use policies;

/// Every kind whose objects may decide about a connection. Where one of them is served and not seen, nothing may be concluded: what we don't
/// see may allow what the rest refuses. Kinds that the server does not have can hold no object.
pub const POLICIES: &[Source] = policies![];

/// Who may write policies rests on the policies there are and on every role and binding.
pub const POLICIES_AND_GRANTS: &[Source] = policies![Role RoleBinding ClusterRole ClusterRoleBinding];

/// What answers about pairs of tenants rest on: the policies, and whom they select.
pub const POLICIES_AND_PODS: &[Source] = policies![Namespace Pod];

/// Kinds that may decide about a connection.
pub fn is_policy(kind: Kind) -> bool {
    POLICIES.contains(&Objects(kind))
}

/// A Namespace as an object.
fn namespace_ref(name: &Name) -> ObjectRef {
    ObjectRef::new(Kind::Namespace, "", name.clone())
}

/// A Namespace as the subject.
fn of_namespace(name: &Name) -> Subject {
    Subject::object(&namespace_ref(name))
}

/// Whether only NetworkPolicies bear on a namespace: then its own rules are the whole story of its side.
fn plain(view: &TenantView<'_>, facts: &NamespaceFacts) -> bool {
    let cluster = &view.snapshot.cluster;
    cluster.admin.is_empty()
        && cluster.cilium.is_empty()
        && cluster.foreign.is_empty()
        && facts.cilium.is_empty()
        && facts.foreign.is_empty()
}

/// Policies of engines that are not evaluated, that bear on a namespace and may allow what the rest refuses, with their engine.
fn strangers(view: &TenantView<'_>, facts: &NamespaceFacts) -> Vec<(ObjectRef, &'static str)> {
    let all = facts.foreign.values().chain(view.snapshot.cluster.foreign.values());
    all.filter_map(|fact| {
        let engine = foreign(fact.kind).filter(|engine| engine.may_allow)?;
        Some((fact.meta.object(fact.kind), engine.engine))
    })
    .collect()
}
