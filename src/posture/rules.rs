//! The checks as a table: what each rests on and the function that judges it.

use super::net::{POLICIES, POLICIES_AND_GRANTS, POLICIES_AND_PODS};
use super::plt::FleetView;
use super::sight::Source::{self, Objects, Vault, VaultRoles};
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

/// Checks of a tenant, in catalogue order.
pub static RULES: [Rule; 23] = [
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
    Rule { id: "SEC-08", needs: &[Objects(Kind::SecretStore)], may_need: &[VaultRoles, Objects(Kind::ServiceAccount)], judge: sec::stores },
    Rule { id: "SEC-17", needs: &[Vault], may_need: &[], judge: sec::healthy },
    Rule { id: "RES-01", needs: &[Objects(Kind::ResourceQuota)], may_need: &[], judge: res::quota_complete },
    Rule { id: "RES-04", needs: &[Objects(Kind::LimitRange)], may_need: &[], judge: res::limit_range },
    Rule { id: "RES-05", needs: &[Objects(Kind::ResourceQuota), Objects(Kind::LimitRange)], may_need: &[], judge: res::coherent },
    Rule { id: "RES-07", needs: &[Objects(Kind::ResourceQuota)], may_need: &[Objects(Kind::Event)], judge: res::pressure },
];

/// Checks of the whole cluster, in catalogue order.
pub static PLATFORM_RULES: [PlatformRule; 4] = [
    PlatformRule { id: "PLT-01", may_need: &cni::SOURCES, enforcement: true, judge: cni::enforces },
    PlatformRule { id: "PLT-02", may_need: &[Objects(Kind::DaemonSet), Objects(Kind::CiliumConfig)], enforcement: true, judge: cni::acts },
    PlatformRule { id: "PLT-14", may_need: &[Objects(Kind::Namespace)], enforcement: false, judge: plt::inventory },
    PlatformRule { id: "PLT-18", may_need: &[], enforcement: false, judge: plt::permissions },
];

/// Checks that can be unknown because of a source, in catalogue order.
pub fn resting_on(source: Source) -> Vec<&'static str> {
    let roles_too = source == Vault;
    let rests = |sources: &[Source]| sources.contains(&source) || (roles_too && sources.contains(&VaultRoles));
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
