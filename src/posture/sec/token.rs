//! SEC-04: how long a login lasts, and what it may become.

use super::{no_role, on, unreadable_roles};
use crate::model::text::clean;
use crate::posture::sight::Source;
use crate::posture::vaultroles::RoleAt;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list, shortened};
use crate::vaultacl::binding::may_log_in;

/// The longest that a token may live, in seconds (`spec/vault.md` 8, VLT-11).
const LONGEST: u64 = 24 * 3600;
/// What the server takes where neither role nor mount says anything: 32 days, in seconds.
const SYSTEM: u64 = 32 * 24 * 3600;

/// SEC-04: tokens of the tenant's roles end within a day, and a ServiceAccount made again is somebody else.
pub fn bounded(view: &TenantView<'_>) -> Vec<Point> {
    let mut points: Vec<Point> = view.own_roles().iter().flat_map(|at| of_role(view, at)).collect();
    points.extend(unreadable_roles(view));
    if points.is_empty() {
        points.push(no_role(view));
    }
    shortened(points)
}

/// One of the times of a role, and from where it is.
struct Lasts {
    field: &'static str,
    seconds: u64,
    from: &'static str,
}

/// What the role says, else its mount, else the system.
fn lasts(field: &'static str, role: u64, mount: u64) -> Lasts {
    match (role, mount) {
        (0, 0) => Lasts { field, seconds: SYSTEM, from: "the system's" },
        (0, seconds) => Lasts { field, seconds, from: "the mount's" },
        (seconds, _) => Lasts { field, seconds, from: "the role's" },
    }
}

fn of_role(view: &TenantView<'_>, at: &RoleAt<'_>) -> Vec<Point> {
    let role = clean(at.name);
    let mut points = Vec::new();
    if !may_log_in(at.role) {
        let message = format!("Vault role {role} names the root policy: the server refuses every login with it");
        points.push(on(at, Declared::Partly, message).because("root-policy").with(at.object(), "token_policies", &list(&at.role.policies)));
    }
    if at.role.alias_by_name {
        let message = format!("Vault role {role} knows ServiceAccounts by name: one made again inherits the entity of its predecessor");
        points.push(on(at, Declared::Partly, message).because("VLT-14").with(at.object(), "alias_name_source", "serviceaccount_name"));
    }
    points.push(times(view, at));
    points
}

fn times(view: &TenantView<'_>, at: &RoleAt<'_>) -> Point {
    let role = clean(at.name);
    let said = at.role;
    let told = |point: Point| {
        point
            .with(at.object(), "token_ttl", &said.ttl.to_string())
            .with(at.object(), "token_max_ttl", &said.max_ttl.to_string())
            .with(at.object(), "token_period", &said.period.to_string())
            .with(at.object(), "token_type", if said.token_type.is_empty() { "default" } else { &said.token_type })
            .with(at.object(), "token_policies", &list(&said.policies))
    };
    if said.period > 0 {
        let message = format!("tokens of Vault role {role} can be renewed for ever, {} at a time", words(said.period));
        let declared = if said.period > LONGEST { Declared::Partly } else { Declared::Right };
        return told(on(at, declared, message).because("VLT-11"));
    }
    let mounts = &view.snapshot.vault.auth_mounts;
    let blind = (mounts.state.sight() != crate::model::source::Sight::Clear).then(|| Source::VaultRoles.name());
    let mount = mounts.items.get(at.mount).or_else(|| mounts.items.get(format!("{}/", at.mount).as_str()));
    if blind.is_some() && (said.ttl == 0 || said.max_ttl == 0) {
        let message = format!(
            "how long tokens of Vault role {role} live is up to the mount, which we don't see: auth mounts {}",
            super::super::sight::words(&mounts.state)
        );
        return told(on(at, Declared::Unknown, message).because("mount-unseen"));
    }
    let most = lasts("token_max_ttl", said.max_ttl, mount.map_or(0, |mount| mount.max_ttl));
    let ttl = lasts("token_ttl", said.ttl, mount.map_or(0, |mount| mount.default_ttl));
    let long: Vec<String> = [&ttl, &most]
        .into_iter()
        .filter(|lasts| lasts.seconds > LONGEST)
        .map(|lasts| format!("{} {} ({})", lasts.field, words(lasts.seconds), lasts.from))
        .collect();
    if long.is_empty() {
        let message = format!("tokens of Vault role {role} live {}, at most {}", words(ttl.seconds), words(most.seconds));
        return told(on(at, Declared::Right, message));
    }
    let message = format!("tokens of Vault role {role} may live longer than a day: {}", long.join(", "));
    told(on(at, Declared::Partly, message).because("VLT-11"))
}

/// Seconds in words: the largest unit that divides them.
fn words(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    unit.map_or_else(|| format!("{seconds} s"), |(length, name)| format!("{} {name}", seconds / length))
}
