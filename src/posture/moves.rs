//! Which change moved a wall.

use super::assessment::{LapsedBy, TenantAssessment, WallMove};
use super::verdict::Verdict;
use super::wall::{WALLS, Wall};
use crate::model::ids::ObjectRef;
use crate::model::kind::Kind;
use crate::model::snapshot::{Dirty, How, Moved};
use crate::model::text::clean;
use crate::model::time::Time;

/// Kinds whose movement can move a wall.
const fn moved_by(wall: Wall) -> &'static [Kind] {
    match wall {
        Wall::Net => &[
            Kind::NetworkPolicy,
            Kind::CiliumNetworkPolicy,
            Kind::CalicoNetworkPolicy,
            Kind::AntreaNetworkPolicy,
            Kind::EgressFirewall,
            Kind::AuthorizationPolicy,
            Kind::Role,
            Kind::RoleBinding,
            Kind::Namespace,
            Kind::Service,
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::DaemonSet,
            Kind::CronJob,
        ],
        Wall::Sec => &[
            Kind::SecretStore,
            Kind::ServiceAccount,
            Kind::ExternalSecret,
            Kind::PushSecret,
            Kind::VaultGenerator,
            Kind::VaultAuth,
            Kind::VaultConnection,
            Kind::VaultStaticSecret,
            Kind::VaultDynamicSecret,
            Kind::VaultPKISecret,
            Kind::SecretProviderClass,
            Kind::TokenSecret,
            Kind::TlsSecret,
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::Role,
            Kind::RoleBinding,
            Kind::Namespace,
        ],
        Wall::Res => &[Kind::ResourceQuota, Kind::LimitRange, Kind::Namespace],
        _ => &[],
    }
}

/// Cluster-wide kinds whose movement can move a wall of every tenant.
const fn moved_cluster_wide_by(wall: Wall) -> &'static [Kind] {
    match wall {
        Wall::Net => &[
            Kind::AdminNetworkPolicy,
            Kind::BaselineAdminNetworkPolicy,
            Kind::ClusterNetworkPolicy,
            Kind::CiliumClusterwideNetworkPolicy,
            Kind::CiliumCIDRGroup,
            Kind::CalicoGlobalNetworkPolicy,
            Kind::AntreaClusterNetworkPolicy,
            Kind::ClusterRole,
            Kind::ClusterRoleBinding,
        ],
        Wall::Sec => &[Kind::ClusterSecretStore, Kind::ClusterExternalSecret, Kind::ClusterRole, Kind::ClusterRoleBinding],
        _ => &[],
    }
}

/// The wall that moved between two assessments of a tenant, a worsened one first; none when none did. Seeing for the first time moves nothing,
/// unless an object came with it.
pub(super) fn wall_move(before: &TenantAssessment, after: &TenantAssessment, dirty: &Dirty, now: Time) -> Option<WallMove> {
    let moved = WALLS.into_iter().filter_map(|wall| {
        let (from, to) = (before.wall(wall), after.wall(wall));
        if from == to {
            return None;
        }
        let cause = cause(after, wall, dirty);
        (from != Verdict::Unknown || cause.is_some()).then_some((to >= from, to, wall, from, cause))
    });
    let (_, to, wall, from, cause) = moved.min_by_key(|(improved, to, wall, _, _)| (*improved, *to, *wall))?;
    let manager = cause.as_ref().and_then(|(object, how)| {
        let logged = dirty.log.iter().rev().find(|moved| moved.object == *object && moved.how == *how)?;
        logged.manager.as_deref().map(clean)
    });
    Some(WallMove { at: now, wall, from, to, object: cause, manager })
}

/// The object behind it: what ended a receipt, else the newest of this tenant's objects that can move the wall.
fn cause(after: &TenantAssessment, wall: Wall, dirty: &Dirty) -> Option<(ObjectRef, How)> {
    let in_log = |object: &ObjectRef| dirty.log.iter().any(|moved| moved.object == *object);
    let ended = after.of_wall(wall).find_map(|result| match &result.lapsed.as_ref()?.by {
        LapsedBy::Moved(object, how) if in_log(object) => Some((object.clone(), *how)),
        _ => None,
    });
    let ours = |moved: &&Moved| {
        let object = &moved.object;
        let namespace = if object.kind == Kind::Namespace { &object.name } else { &object.namespace };
        moved_by(wall).contains(&object.kind) && after.namespaces.contains(namespace)
    };
    // Vault's objects are in no namespace: they are the tenant's where its findings rest on them
    let in_vault = |moved: &&Moved| {
        let evidence = || after.of_wall(wall).flat_map(|result| &result.findings).flat_map(|finding| &finding.evidence);
        wall == Wall::Sec
            && matches!(moved.object.kind, Kind::VaultRole | Kind::VaultPolicy)
            && evidence().any(|evidence| evidence.object == moved.object)
    };
    // this tenant's own declarations come first: they name the cause where a receipt's first difference may be a by-product
    let own = dirty.log.iter().rev().find(|moved| ours(moved) || in_vault(moved)).map(|moved| (moved.object.clone(), moved.how));
    let above = || dirty.log.iter().rev().find(|moved| moved_cluster_wide_by(wall).contains(&moved.object.kind));
    own.or(ended).or_else(|| above().map(|moved| (moved.object.clone(), moved.how)))
}
