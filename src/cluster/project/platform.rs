//! The CNI's configuration, and policies of engines whose rules are not evaluated.

use super::meta::{Version, Writer, meta};
use super::optional;
use crate::cluster::wire::lean::{Field, Str};
use crate::cluster::wire::meta::AnyWire;
use crate::cluster::wire::platform::CiliumConfigWire;
use crate::model::changes::Fact;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::platform::{CiliumConfigFact, ForeignPolicyFact};

/// The fact of a policy that is seen but not understood.
pub(super) fn foreign(kind: Kind, wire: AnyWire<'_>, interner: &mut Interner) -> Option<Fact> {
    Some(Fact::Foreign(ForeignPolicyFact { meta: meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?, kind }))
}

/// The fact of Cilium's ConfigMap; none for any other ConfigMap. Its version moves only with the options that are kept.
pub(super) fn cilium_config(kind: Kind, wire: CiliumConfigWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let metadata = wire.metadata.get()?;
    if kind.info()?.only != Some((metadata.namespace.text(), metadata.name.text())) {
        return None;
    }
    let data = wire.data.get().unwrap_or_default();
    let digest = format!("{data:?}");
    Some(Fact::CiliumConfig(CiliumConfigFact {
        meta: meta(&metadata, Version::Digest(&digest), Writer::Kept, interner)?,
        enable_policy: optional(&data.enable_policy, interner),
        audit_mode: flag(&data.policy_audit_mode),
        allow_localhost: optional(&data.allow_localhost, interner),
        cidr_match_mode: optional(&data.policy_cidr_match_mode, interner),
        k8s_network_policy: flag(&data.enable_k8s_networkpolicy),
        host_firewall: flag(&data.enable_host_firewall),
    }))
}

/// An option as Go's `strconv.ParseBool` reads it; none where nothing, or something else, is said: the agent then does not start, or
/// keeps its default.
fn flag(field: &Field<Str<'_>>) -> Option<bool> {
    match field.text() {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
