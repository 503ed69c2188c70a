//! The secret wall: who may open which door of Vault, who asks for what, and who stands between.
//!
//! Sub-reasons `VLT-nn`, `ESO-nn`, `VSO-nn` and `RBC-nn` are the findings of the same name in the knowledge of the secret wall.

mod asked;
mod audience;
mod binding;
mod cluster;
mod grants;
mod healthy;
mod identity;
mod keys;
mod listing;
mod makers;
mod mount;
mod operator;
mod readers;
mod stores;
mod sync;
mod token;
mod typed;

pub use asked::asked;
pub use audience::audience;
pub use binding::one_binding;
pub use cluster::cluster_stores;
pub use grants::{by_anything_else, by_own_policies};
pub use healthy::healthy;
pub use identity::own_identity;
pub use keys::own_key;
pub(super) use keys::{KeyUse, Origin, key_uses};
pub use listing::{ancestors, read_only};
pub use mount::auth_mounts;
pub use operator::controller;
pub use readers::kubernetes_secrets;
pub use stores::stores;
pub use sync::in_step;
pub(super) use sync::turns;
pub use token::bounded;
pub use typed::{long_lived, tls_keys};

use super::finding::Subject;
use super::vaultroles::RoleAt;
use super::verdict::Declared;
use super::view::{Point, TenantView};
use crate::model::ids::Name;
use crate::model::text::clean;
use crate::model::vault::role_ref;
use crate::vaultacl::reach::TenantReach;

/// The auth mount that clients use where nothing names one.
pub(super) const DEFAULT_MOUNT: &str = "kubernetes";

/// Roles that can't be read may admit anybody.
fn unreadable_roles(view: &TenantView<'_>) -> Vec<Point> {
    let point = |(mount, name, why): &(&Name, &Name, &Name)| {
        let object = role_ref(mount, name);
        let message = format!("Vault role {} can't be read, so it may admit this tenant: {}", clean(name), clean(why));
        Point::new(Declared::Unknown, Subject::object(&object), message).because("unreadable-role").with(object, "read", why)
    };
    view.roles.unreadable.iter().map(point).collect()
}

fn no_role(view: &TenantView<'_>) -> Point {
    Point::new(Declared::NotApplicable, view.subject(), "no Vault role admits a ServiceAccount of this tenant").because("no-role")
}

fn on(at: &RoleAt<'_>, declared: Declared, message: String) -> Point {
    Point::new(declared, Subject::object(&at.object()), message)
}

fn is_literal(pattern: &Name) -> bool {
    !pattern.contains('*')
}

/// What the tenant can reach, or the points that say it is not known.
fn reach_of<'a>(view: &TenantView<'a>) -> Result<&'a TenantReach, Vec<Point>> {
    let reach = view.secrets.by_tenant.get(view.tenant).map(AsRef::as_ref);
    let words = "what this tenant can reach is not worked out";
    reach.ok_or_else(|| vec![Point::new(Declared::Unknown, view.subject(), words).because("no-picture")])
}
