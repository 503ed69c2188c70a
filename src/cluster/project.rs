//! From wire types to facts: the same for a watch, a list and a manifest. Pure; never panics; what can't be read is marked, not dropped.

pub mod adminpolicy;
pub mod ciliumpolicy;
mod duration;
pub mod external;
mod injector;
pub mod meta;
pub mod networkpolicy;
pub mod platform;
pub mod pod;
pub mod providerclass;
pub mod rbac;
pub mod rest;
pub mod secretmeta;
pub mod secretstore;
mod uses;
pub mod vaultoperator;

use crate::model::changes::{Change, Fact};
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;

use super::wire::lean::{Field, Lean};
use super::wire::meta::{AnyWire, MetaWire};
use super::wire::page::{self, Line, PageInfo};

/// How objects of some kinds become facts.
trait Family {
    /// The wire type.
    type Wire<'a>: Lean<'a>;
    /// The object's metadata, for what is said of it when it makes no fact.
    fn meta<'w, 'a>(wire: &'w Self::Wire<'a>) -> Option<&'w MetaWire<'a>>;
    /// The fact; none for an object that is of no interest, or has no name.
    fn fact(kind: Kind, wire: Self::Wire<'_>, interner: &mut Interner) -> Option<Fact>;
}

/// Binds families to their wire types and projections.
macro_rules! families {
    ($($family:ident: $wire:ty => $project:path;)*) => {
        $(struct $family;
        impl Family for $family {
            type Wire<'a> = $wire;
            fn meta<'w, 'a>(wire: &'w Self::Wire<'a>) -> Option<&'w MetaWire<'a>> {
                wire.metadata.as_ref()
            }
            fn fact(kind: Kind, wire: Self::Wire<'_>, interner: &mut Interner) -> Option<Fact> {
                $project(kind, wire, interner)
            }
        })*
    };
}

families! {
    Namespaces: super::wire::rest::NamespaceWire<'a> => rest::namespace;
    Policies: super::wire::networkpolicy::PolicyWire<'a> => networkpolicy::policy;
    Quotas: super::wire::rest::QuotaWire<'a> => rest::quota;
    LimitRanges: super::wire::rest::LimitRangeWire<'a> => rest::limit_range;
    Accounts: super::wire::rest::AccountWire<'a> => rest::service_account;
    Services: super::wire::rest::ServiceWire<'a> => rest::service;
    Slices: super::wire::rest::SliceWire<'a> => rest::endpoint_slice;
    Nodes: super::wire::rest::NodeWire<'a> => rest::node;
    Workloads: super::wire::pod::WorkloadWire<'a> => pod::workload;
    Stores: super::wire::secretstore::StoreWire<'a> => secretstore::secret_store;
    Externals: super::wire::external::ExternalWire<'a> => external::external;
    ClusterExternals: super::wire::external::ClusterExternalWire<'a> => external::cluster_external;
    Pushes: super::wire::external::PushWire<'a> => external::push;
    Generators: super::wire::external::GeneratorWire<'a> => external::vault_generator;
    Operators: super::wire::vaultoperator::OperatorWire<'a> => vaultoperator::operator;
    Classes: super::wire::providerclass::ClassWire<'a> => providerclass::provider_class;
    Secrets: AnyWire<'a> => secretmeta::secret;
    Pods: super::wire::pod::PodWire<'a> => pod::pod;
    Events: super::wire::rest::EventWire<'a> => rest::event;
    AdminPolicies: super::wire::adminpolicy::AdminPolicyWire<'a> => adminpolicy::admin_policy;
    CiliumPolicies: super::wire::ciliumpolicy::CiliumPolicyWire<'a> => ciliumpolicy::cilium_policy;
    CidrGroups: super::wire::ciliumpolicy::CidrGroupWire<'a> => ciliumpolicy::cidr_group;
    Foreigners: AnyWire<'a> => platform::foreign;
    Roles: super::wire::rbac::RoleWire<'a> => rbac::role;
    Bindings: super::wire::rbac::BindingWire<'a> => rbac::binding;
    CiliumConfigs: super::wire::platform::CiliumConfigWire<'a> => platform::cilium_config;
}

/// Calls a function generic over the family of a kind; the last value is for Vault's kinds, which no API server serves.
macro_rules! by_family {
    ($kind:expr, $function:ident($($argument:expr),*), $none:expr) => {
        match $kind {
            Kind::Namespace => $function::<Namespaces>($($argument),*),
            Kind::NetworkPolicy => $function::<Policies>($($argument),*),
            Kind::ResourceQuota => $function::<Quotas>($($argument),*),
            Kind::LimitRange => $function::<LimitRanges>($($argument),*),
            Kind::ServiceAccount => $function::<Accounts>($($argument),*),
            Kind::Service => $function::<Services>($($argument),*),
            Kind::EndpointSlice => $function::<Slices>($($argument),*),
            Kind::Node => $function::<Nodes>($($argument),*),
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob => $function::<Workloads>($($argument),*),
            Kind::SecretStore | Kind::ClusterSecretStore => $function::<Stores>($($argument),*),
            Kind::Pod => $function::<Pods>($($argument),*),
            Kind::Event => $function::<Events>($($argument),*),
            Kind::CalicoNetworkPolicy
            | Kind::CalicoGlobalNetworkPolicy
            | Kind::AntreaNetworkPolicy
            | Kind::AntreaClusterNetworkPolicy
            | Kind::EgressFirewall
            | Kind::AuthorizationPolicy => $function::<Foreigners>($($argument),*),
            Kind::Role | Kind::ClusterRole => $function::<Roles>($($argument),*),
            Kind::RoleBinding | Kind::ClusterRoleBinding => $function::<Bindings>($($argument),*),
            Kind::CiliumConfig => $function::<CiliumConfigs>($($argument),*),
            Kind::AdminNetworkPolicy | Kind::BaselineAdminNetworkPolicy | Kind::ClusterNetworkPolicy => {
                $function::<AdminPolicies>($($argument),*)
            }
            Kind::CiliumNetworkPolicy | Kind::CiliumClusterwideNetworkPolicy => $function::<CiliumPolicies>($($argument),*),
            Kind::CiliumCIDRGroup => $function::<CidrGroups>($($argument),*),
            Kind::ExternalSecret => $function::<Externals>($($argument),*),
            Kind::ClusterExternalSecret => $function::<ClusterExternals>($($argument),*),
            Kind::PushSecret => $function::<Pushes>($($argument),*),
            Kind::VaultGenerator => $function::<Generators>($($argument),*),
            Kind::VaultConnection
            | Kind::VaultAuth
            | Kind::VaultAuthGlobal
            | Kind::VaultStaticSecret
            | Kind::VaultDynamicSecret
            | Kind::VaultPKISecret
            | Kind::CSISecrets => $function::<Operators>($($argument),*),
            Kind::SecretProviderClass => $function::<Classes>($($argument),*),
            Kind::TokenSecret | Kind::TlsSecret => $function::<Secrets>($($argument),*),
            Kind::VaultServer | Kind::VaultRole | Kind::VaultPolicy | Kind::VaultMount | Kind::VaultIdentity => $none,
        }
    };
}

/// The fact of one object given as JSON, as a manifest has it. None for what is no object of that kind, has no name, or is of no interest
/// (an Event that is no refusal). O(length).
pub fn fact(kind: Kind, json: &[u8], interner: &mut Interner) -> Option<Fact> {
    by_family!(kind, one(kind, json, interner), None)
}

fn one<F: Family>(kind: Kind, json: &[u8], interner: &mut Interner) -> Option<Fact> {
    let wire = page::read_object::<F::Wire<'_>>(json)?;
    F::fact(kind, wire, interner)
}

/// Turns a page of a list into changes. Fails only on text that is no JSON. O(length).
pub fn list(kind: Kind, json: &[u8], interner: &mut Interner, out: &mut Vec<Change>) -> serde_json::Result<PageInfo> {
    by_family!(kind, many(kind, json, interner, out), Ok(PageInfo::default()))
}

fn many<F: Family>(kind: Kind, json: &[u8], interner: &mut Interner, out: &mut Vec<Change>) -> serde_json::Result<PageInfo> {
    page::read_page::<F::Wire<'_>>(json, |wire| out.extend(F::fact(kind, wire, interner).map(|fact| Change::Put(Box::new(fact)))))
}

/// What a line of a watch says.
#[derive(Debug)]
pub enum Seen {
    /// Something happened, or only the place moved on.
    Moved {
        /// What to tell; none when it is of no interest.
        change: Option<Change>,
        /// Where a new watch would go on from; empty when the line did not tell.
        resource_version: String,
    },
    /// The server ended the watch with a Status: its text.
    Error(String),
    /// A line this program does not know.
    Nothing,
}

/// Reads a line of a watch. Fails only on text that is no JSON. O(length).
pub fn line(kind: Kind, json: &[u8], interner: &mut Interner) -> serde_json::Result<Seen> {
    Ok(match page::read_line(json)? {
        Line::Put(object) => by_family!(kind, put(kind, object.as_bytes(), interner), Seen::Nothing),
        Line::Gone(object) => by_family!(kind, gone(kind, object.as_bytes(), interner), Seen::Nothing),
        Line::Bookmark(object) => {
            let wire = page::read_object::<AnyWire<'_>>(object.as_bytes()).unwrap_or_default();
            Seen::Moved { change: None, resource_version: place(wire.metadata.as_ref()) }
        }
        Line::Error(status) => Seen::Error(status.to_owned()),
        Line::Other => Seen::Nothing,
    })
}

fn put<F: Family>(kind: Kind, json: &[u8], interner: &mut Interner) -> Seen {
    let Some(wire) = page::read_object::<F::Wire<'_>>(json) else { return Seen::Nothing };
    let resource_version = place(F::meta(&wire));
    Seen::Moved { change: F::fact(kind, wire, interner).map(|fact| Change::Put(Box::new(fact))), resource_version }
}

fn gone<F: Family>(kind: Kind, json: &[u8], interner: &mut Interner) -> Seen {
    let Some(wire) = page::read_object::<F::Wire<'_>>(json) else { return Seen::Nothing };
    let resource_version = place(F::meta(&wire));
    let named = |meta: &MetaWire<'_>, interner: &mut Interner| Change::Gone {
        kind,
        namespace: meta::name(meta.namespace.text(), interner),
        name: meta::own_name(meta.name.text()),
    };
    let change = if kind == Kind::Event {
        // most Events were never facts; telling of their end would only cost
        F::fact(kind, wire, interner).map(|fact| Change::Gone {
            kind,
            namespace: fact.meta().namespace.clone(),
            name: fact.meta().name.clone(),
        })
    } else {
        F::meta(&wire).map(|meta| named(meta, interner))
    };
    Seen::Moved { change, resource_version }
}

fn place(meta: Option<&MetaWire<'_>>) -> String {
    meta.map(|meta| meta.resource_version.text().to_owned()).unwrap_or_default()
}

/// The kind of that name, if it is one we read wholly.
pub fn kind_named(text: &str) -> Option<Kind> {
    let whole = |info: &&crate::model::kind::KindInfo| info.only.is_none() && info.metadata_of_type.is_none();
    crate::model::kind::WATCHED.iter().filter(whole).map(|info| info.kind).find(|kind| kind.as_str() == text)
}

/// A name that may be missing.
fn optional(field: &Field<super::wire::lean::Str<'_>>, interner: &mut Interner) -> Option<Name> {
    let text = field.text();
    if text.is_empty() { None } else { Some(meta::name(text, interner)) }
}
