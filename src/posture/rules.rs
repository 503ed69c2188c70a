//! The checks as a table: what each rests on and the function that judges it.

use super::net::{POLICIES, POLICIES_AND_GRANTS, POLICIES_AND_PODS};
use super::plt::FleetView;
use super::sight::Source::{self, Objects, Vault, VaultConfig, VaultIdentity, VaultMounts, VaultNamespaces, VaultPolicies, VaultRoles};
use super::sight::VAULT_SOURCES;
use super::view::{Point, TenantView};
use super::{cni, net, plt, res, sec};
use crate::model::kind::Kind;

/// A check of one tenant.
pub struct Rule {
    /// The check's id in the catalogue.
    pub id: &'static str,
    /// Sources without which nothing can be said: where one is not seen, the check is UNKNOWN and the function is not called.
    pub needs: &'static [Source],
    /// Sources that only some answers need: the function asks.
    pub may_need: &'static [Source],
    /// Judges by the declarations alone.
    pub judge: fn(&TenantView<'_>) -> Vec<Point>,
}

/// A check of the whole cluster.
pub struct PlatformRule {
    /// The check's id in the catalogue.
    pub id: &'static str,
    /// Sources it asks.
    pub may_need: &'static [Source],
    /// It asks what enforces network policies: judged again with them, not only with the inventory.
    pub enforcement: bool,
    /// Judges.
    pub judge: fn(&FleetView<'_>) -> Vec<Point>,
}

/// What reach in Vault rests on: without any of these nothing can be said of it.
const REACH: &[Source] = &[VaultRoles, VaultPolicies, VaultMounts];
/// What reach by anything but the tenant's own roles rests on.
const REACH_OF_ANYBODY: &[Source] = &[VaultRoles, VaultPolicies, VaultMounts, VaultIdentity];
/// What single answers about reach rest on: the picture of reach tells by its doubts.
const REACHED: [Source; 8] = [
    VaultIdentity,
    VaultNamespaces,
    Objects(Kind::ServiceAccount),
    Objects(Kind::Namespace),
    Objects(Kind::Role),
    Objects(Kind::RoleBinding),
    Objects(Kind::ClusterRole),
    Objects(Kind::ClusterRoleBinding),
];
/// Every role and binding.
const GRANTS: &[Source] = &[Objects(Kind::Role), Objects(Kind::RoleBinding), Objects(Kind::ClusterRole), Objects(Kind::ClusterRoleBinding)];

/// Checks of a tenant, in catalogue order.
pub static RULES: [Rule; 38] = [
    Rule { id: "NET-01", needs: POLICIES, may_need: &[Objects(Kind::Pod)], judge: net::egress },
    Rule { id: "NET-02", needs: POLICIES, may_need: &[Objects(Kind::Pod)], judge: net::ingress },
    Rule { id: "NET-03", needs: POLICIES_AND_PODS, may_need: &[], judge: net::outward },
    Rule { id: "NET-04", needs: POLICIES_AND_PODS, may_need: &[], judge: net::inward },
    Rule {
        id: "NET-05",
        needs: &[Objects(Kind::NetworkPolicy), Objects(Kind::Namespace)],
        may_need: &[Objects(Kind::Service)],
        judge: net::exception,
    },
    Rule { id: "NET-06", needs: POLICIES_AND_PODS, may_need: &[], judge: net::transports },
    Rule { id: "NET-07", needs: POLICIES_AND_PODS, may_need: &[Objects(Kind::Node)], judge: net::metadata },
    Rule { id: "NET-08", needs: POLICIES_AND_PODS, may_need: &[Objects(Kind::Node)], judge: net::private },
    Rule {
        id: "NET-13",
        needs: &[Objects(Kind::Pod)],
        may_need: &[
            Objects(Kind::Deployment),
            Objects(Kind::StatefulSet),
            Objects(Kind::DaemonSet),
            Objects(Kind::Job),
            Objects(Kind::CronJob),
        ],
        judge: net::host_network,
    },
    Rule { id: "NET-14", needs: POLICIES_AND_GRANTS, may_need: &[Objects(Kind::Namespace)], judge: net::guard },
    Rule { id: "NET-15", needs: POLICIES_AND_PODS, may_need: &[Objects(Kind::Service)], judge: net::entry_points },
    Rule { id: "NET-17", needs: POLICIES_AND_PODS, may_need: &[Objects(Kind::Node)], judge: net::families },
    Rule {
        id: "NET-19",
        needs: &[Objects(Kind::Service)],
        may_need: &[Objects(Kind::EndpointSlice), Objects(Kind::Pod), Objects(Kind::Node)],
        judge: net::doors,
    },
    Rule { id: "NET-23", needs: POLICIES_AND_PODS, may_need: &[Objects(Kind::Deployment)], judge: net::tidy },
    Rule { id: "NET-24", needs: &[Objects(Kind::NetworkPolicy)], may_need: &[Objects(Kind::Pod)], judge: net::exceptions },
    Rule { id: "SEC-01", needs: &[VaultRoles, Objects(Kind::ServiceAccount)], may_need: &[], judge: sec::own_identity },
    Rule { id: "SEC-02", needs: &[VaultRoles], may_need: &[], judge: sec::one_binding },
    Rule { id: "SEC-03", needs: &[VaultRoles], may_need: &[Objects(Kind::SecretStore)], judge: sec::audience },
    Rule { id: "SEC-04", needs: &[VaultRoles], may_need: &[], judge: sec::bounded },
    Rule { id: "SEC-05", needs: REACH, may_need: &REACHED, judge: sec::by_own_policies },
    Rule { id: "SEC-06", needs: REACH_OF_ANYBODY, may_need: &REACHED, judge: sec::by_anything_else },
    Rule { id: "SEC-07", needs: REACH_OF_ANYBODY, may_need: &REACHED, judge: sec::ancestors },
    Rule {
        id: "SEC-08",
        needs: &[Objects(Kind::SecretStore)],
        may_need: &[
            VaultRoles,
            Objects(Kind::ServiceAccount),
            Objects(Kind::VaultConnection),
            Objects(Kind::VaultGenerator),
            Objects(Kind::SecretProviderClass),
        ],
        judge: sec::stores,
    },
    Rule {
        id: "SEC-09",
        needs: &[Objects(Kind::ClusterSecretStore), Objects(Kind::Namespace)],
        may_need: &[Objects(Kind::VaultAuth)],
        judge: sec::cluster_stores,
    },
    Rule {
        id: "SEC-10",
        needs: &[Vault, VaultMounts],
        may_need: &[
            VaultRoles,
            VaultPolicies,
            Objects(Kind::SecretStore),
            Objects(Kind::ClusterSecretStore),
            Objects(Kind::ExternalSecret),
            Objects(Kind::ClusterExternalSecret),
            Objects(Kind::PushSecret),
            Objects(Kind::VaultGenerator),
            Objects(Kind::VaultStaticSecret),
            Objects(Kind::VaultDynamicSecret),
            Objects(Kind::VaultPKISecret),
            Objects(Kind::CSISecrets),
            Objects(Kind::SecretProviderClass),
            Objects(Kind::Event),
        ],
        judge: sec::asked,
    },
    Rule {
        id: "SEC-11",
        needs: &[Objects(Kind::SecretStore), Objects(Kind::ExternalSecret)],
        may_need: &[VaultRoles, VaultPolicies, Objects(Kind::PushSecret), Objects(Kind::VaultStaticSecret), Objects(Kind::Event)],
        judge: sec::in_step,
    },
    Rule { id: "SEC-12", needs: &[Objects(Kind::Deployment)], may_need: GRANTS, judge: sec::controller },
    Rule { id: "SEC-13", needs: GRANTS, may_need: &[], judge: sec::kubernetes_secrets },
    Rule { id: "SEC-15", needs: &[Objects(Kind::TokenSecret)], may_need: &[], judge: sec::long_lived },
    Rule { id: "SEC-17", needs: &[Vault], may_need: &[], judge: sec::healthy },
    Rule { id: "SEC-18", needs: REACH, may_need: &REACHED, judge: sec::read_only },
    Rule {
        id: "SEC-20",
        needs: &[Objects(Kind::Pod)],
        may_need: &[Objects(Kind::ExternalSecret), Objects(Kind::ClusterExternalSecret), Objects(Kind::SecretStore)],
        judge: sec::own_key,
    },
    Rule { id: "SEC-21", needs: &[Objects(Kind::Pod)], may_need: &[Objects(Kind::TlsSecret)], judge: sec::tls_keys },
    Rule { id: "SEC-24", needs: &[VaultRoles, VaultConfig], may_need: &[], judge: sec::auth_mounts },
    Rule { id: "RES-01", needs: &[Objects(Kind::ResourceQuota)], may_need: &[], judge: res::quota_complete },
    Rule { id: "RES-04", needs: &[Objects(Kind::LimitRange)], may_need: &[], judge: res::limit_range },
    Rule { id: "RES-05", needs: &[Objects(Kind::ResourceQuota), Objects(Kind::LimitRange)], may_need: &[], judge: res::coherent },
    Rule { id: "RES-07", needs: &[Objects(Kind::ResourceQuota)], may_need: &[Objects(Kind::Event)], judge: res::pressure },
];

/// Checks of the whole cluster, in catalogue order.
pub static PLATFORM_RULES: [PlatformRule; 6] = [
    PlatformRule { id: "PLT-01", may_need: &cni::SOURCES, enforcement: true, judge: cni::enforces },
    PlatformRule { id: "PLT-02", may_need: &[Objects(Kind::DaemonSet), Objects(Kind::CiliumConfig)], enforcement: true, judge: cni::acts },
    PlatformRule { id: "PLT-09", may_need: &[Vault], enforcement: false, judge: plt::vault },
    PlatformRule {
        id: "PLT-10",
        may_need: &[Objects(Kind::SecretStore), Objects(Kind::Deployment)],
        enforcement: true,
        judge: plt::external_secrets,
    },
    PlatformRule { id: "PLT-14", may_need: &[Objects(Kind::Namespace)], enforcement: false, judge: plt::inventory },
    PlatformRule { id: "PLT-18", may_need: &[], enforcement: false, judge: plt::permissions },
];

/// Checks that can be unknown because of a source, in catalogue order.
pub fn resting_on(source: Source) -> Vec<&'static str> {
    // without the server no part of it is seen
    let any_part = source == Vault;
    let rests = |sources: &[Source]| sources.contains(&source) || (any_part && sources.iter().any(|one| VAULT_SOURCES.contains(one)));
    let tenants = RULES.iter().filter(|rule| rests(rule.needs) || rests(rule.may_need)).map(|rule| rule.id);
    let platform = PLATFORM_RULES.iter().filter(|rule| rests(rule.may_need)).map(|rule| rule.id);
    tenants.chain(platform).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posture::catalogue::CHECKS;

    #[test]
    fn every_check_of_the_catalogue_has_its_rule_in_the_same_order() {
        let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).chain(PLATFORM_RULES.iter().map(|rule| rule.id)).collect();
        assert_eq!(CHECKS.iter().map(|check| check.id).collect::<Vec<_>>(), rules);
    }
}
