//! The checks as a table: what each rests on and the function that judges it.

use super::plt::FleetView;
use super::sight::Source::{self, Objects, Vault, VaultRoles};
use super::view::{Point, TenantView};
use super::{net, plt, res, sec};
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
    /// Judges.
    pub judge: fn(&FleetView<'_>) -> Vec<Point>,
}

/// Checks of a tenant, in catalogue order.
pub static RULES: [Rule; 10] = [
    Rule { id: "NET-01", needs: &[Objects(Kind::NetworkPolicy)], may_need: &[Objects(Kind::Pod)], judge: net::egress },
    Rule { id: "NET-02", needs: &[Objects(Kind::NetworkPolicy)], may_need: &[Objects(Kind::Pod)], judge: net::ingress },
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
pub static PLATFORM_RULES: [PlatformRule; 2] = [
    PlatformRule { id: "PLT-14", may_need: &[Objects(Kind::Namespace)], judge: plt::inventory },
    PlatformRule { id: "PLT-18", may_need: &[], judge: plt::permissions },
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
