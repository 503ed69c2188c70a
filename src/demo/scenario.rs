//! The simulated fleet: which tenants there are, and their objects.

mod forge;
mod hostile;
mod plan;
mod secrets;
mod stores;
mod system;
mod tenant;

use self::forge::Forge;
pub(crate) use self::forge::NODES;
use super::admission::quota;
use super::world::World;

/// Builds a fleet of so many tenants (at least two) into an empty world.
pub(crate) fn build(world: &World, tenants: usize) {
    let plans = plan::tenants(tenants.max(2), world.seed);
    let mut vault = world.vault();
    secrets::mount(&mut vault);
    world.store.write(|objects| {
        let mut forge = Forge::new(objects, world.seed);
        system::build(&mut forge);
        for plan in &plans {
            tenant::build(&mut forge, plan);
            secrets::build(&mut vault, plan);
        }
        system::leftovers(&mut forge);
        contested(&mut forge, &plans);
        hostile::build(&mut forge, &plans);
        let namespaces: Vec<String> = plans.iter().flat_map(|p| p.namespaces.iter().cloned()).collect();
        for namespace in &namespaces {
            quota::refresh(forge.objects, namespace);
        }
        for plan in &plans {
            tenant::events(&mut forge, plan);
        }
    });
}

/// Walls for the namespace two tenants claim: whose it is shall be the only thing wrong with it.
fn contested(forge: &mut Forge<'_>, plans: &[plan::Plan]) {
    if let Some(good) = plans.iter().find(|p| p.net == plan::Net::Good && p.limits == plan::Limits::Walkthrough) {
        let roomy = plan::Plan { quota: plan::Quota::Roomy, ..good.clone() };
        tenant::walls(forge, &roomy, system::CONTESTED, forge::by_kubectl(33 * 86_400));
        quota::refresh(forge.objects, system::CONTESTED);
    }
}

/// The namespaces nothing may be changed in by the script of changes.
pub(crate) fn is_showcase(namespace: &str) -> bool {
    matches!(namespace, "web-tenant-acme" | "web-tenant-globex")
}
