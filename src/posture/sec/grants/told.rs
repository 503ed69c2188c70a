//! What is said of a grant: crossings, ways to more, and rules that are wider than the tenant.

use std::collections::{BTreeMap, BTreeSet};

use super::super::makers::{Makers, Makes};
use super::{Way, of_grant, rule, who};
use crate::model::ids::Name;
use crate::model::text::clean;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, list};
use crate::vaultacl::kv::Harm;
use crate::vaultacl::policy::PatternKind;
use crate::vaultacl::reach::{Grant, Login, Partners, PolicyFrom, TenantReach, Who};

/// Crossings that say the same of the same rule.
struct Group<'r> {
    grant: &'r Grant,
    harm: Harm,
    what: &'static str,
    partners: Vec<&'r Partners>,
}

impl Group<'_> {
    /// Whose paths, the first few spelled out. Cleaned.
    fn whom(&self) -> String {
        match self.partners.as_slice() {
            // mostly one list, and shared: not copied for each of a thousand tenants
            [one] => clean(&list(one.iter())),
            several => clean(&list(several.iter().flat_map(|partners| partners.iter()).collect::<BTreeSet<_>>())),
        }
    }
}

/// What is told of the grants of one tenant.
pub(super) struct Told<'a, 'v> {
    pub view: &'v TenantView<'a>,
    pub reach: &'a TenantReach,
    pub makers: Makers<'a, 'v>,
}

impl Told<'_, '_> {
    /// Others' paths that are open, one point for each rule and harm; existing ServiceAccounts first.
    pub fn crossings(&self, here: &dyn Fn(&Grant) -> bool) -> Vec<Point> {
        let mut groups: BTreeMap<(bool, Harm, &Name, u32, &str), Group<'_>> = BTreeMap::new();
        for crossing in self.reach.crossings.iter().filter(|crossing| here(&crossing.grant)) {
            let grant = &crossing.grant;
            let made = self.reach.logins.get(grant.login).is_some_and(|login| !login.who.exists());
            let key = (made, crossing.harm, &grant.origin.policy, grant.origin.line, grant.origin.written.as_ref());
            let group = groups.entry(key).or_insert_with(|| Group {
                grant,
                harm: crossing.harm,
                what: crossing.action.words,
                partners: Vec::new(),
            });
            group.partners.push(&crossing.partners);
        }
        let mut points: Vec<Point> = Vec::new();
        let keys: Vec<_> = groups.keys().copied().collect();
        for key in keys {
            // what an existing ServiceAccount can do need not be said again of one that could be made
            let (made, harm, policy, line, written) = key;
            if made && groups.contains_key(&(false, harm, policy, line, written)) {
                continue;
            }
            points.extend(groups.get(&key).map(|group| self.crossing(group)));
        }
        points
    }

    fn crossing(&self, group: &Group<'_>) -> Point {
        let (grant, partners) = (group.grant, group.whom());
        let conditions = if grant.conditions { ", under conditions that the rule sets" } else { "" };
        let (mut reason, grade) = match group.harm {
            Harm::Value => ("VLT-01", ""),
            Harm::Tamper => ("VLT-01", " (to change it, not to read it)"),
            Harm::Structure => ("VLT-02", " (names and metadata, no value)"),
        };
        let Some(login) = self.reach.logins.get(grant.login) else {
            let message = format!("{} opens paths of {partners}: {}{grade}", rule(grant), group.what);
            return of_grant(self.reach, grant, Declared::Open, reason, message);
        };
        let by = match Way::of(self.reach, grant) {
            Way::OwnRole => String::new(),
            Way::OtherRole => {
                reason = if is_wide(self.view, login) && reason == "VLT-01" { "VLT-05" } else { reason };
                ", by a role that is not its own".to_owned()
            }
            Way::Default => {
                reason = "VLT-16";
                ", by the policy every login gets".to_owned()
            }
            Way::Identity => {
                reason = "VLT-15";
                format!(", by {}", identity_words(login, &grant.origin.policy))
            }
        };
        let base = format!(
            "{} logs in as {} at {} and gets at {partners}: it may {}, for {} allows {} `{}`{grade}{by}{conditions}",
            who(&login.who),
            clean(&login.role),
            clean(&login.mount),
            group.what,
            rule(grant),
            grant.operation.word(),
            clean(&grant.path),
        );
        self.point(grant, reason, base)
    }

    /// A rule by which the tenant could give itself more.
    pub fn escalation(&self, grant: &Grant) -> Point {
        let shown = self.reach.logins.get(grant.login).map_or_else(|| "a login".to_owned(), |login| who(&login.who));
        let message = format!("{shown} may give itself more: {} allows {} `{}`", rule(grant), grant.operation.word(), clean(&grant.path));
        self.point(grant, "VLT-09", message)
    }

    /// A point about what is open: to a ServiceAccount that exists, or to one that could be made, which is a matter of RBAC (RBC-01).
    ///
    /// Where nobody of the tenant may make it, a role of its own is a fault that waits for it; a role of others' is theirs (SEC-02 says so of
    /// them), and RBAC keeps this tenant from it.
    fn point(&self, grant: &Grant, reason: &'static str, base: String) -> Point {
        let login = self.reach.logins.get(grant.login);
        let Some(Who::Maker { namespace, .. }) = login.map(|login| &login.who) else {
            return of_grant(self.reach, grant, Declared::Open, reason, base);
        };
        let own = Way::of(self.reach, grant) != Way::OtherRole;
        match self.makers.may(namespace) {
            Makes::Yes(binding, words) => {
                let object = binding.meta.object(binding.kind);
                of_grant(self.reach, grant, Declared::Open, "RBC-01", format!("{base}; {words}")).with(
                    object,
                    "roleRef.name",
                    &binding.role,
                )
            }
            Makes::No => {
                let declared = if own { Declared::Partly } else { Declared::Right };
                let message = format!("{base}; there is no such ServiceAccount, and nobody of the tenant may create one now");
                of_grant(self.reach, grant, declared, reason, message)
            }
            Makes::Unseen(why) => {
                let declared = if own { Declared::Partly } else { Declared::Unknown };
                let message = format!("{base}; there is no such ServiceAccount, and whether the tenant may create one is unknown: {why}");
                of_grant(self.reach, grant, declared, reason, message)
            }
        }
    }

    /// Whether a grant is only there for a ServiceAccount that does not exist, by a role of others': crossings say all there is to say of it.
    fn is_remote(&self, grant: &Grant) -> bool {
        let made = self.reach.logins.get(grant.login).is_some_and(|login| !login.who.exists());
        made && Way::of(self.reach, grant) == Way::OtherRole
    }

    /// The lint: rules that are wider than the tenant's own places, whoever lives there today. Each once.
    pub fn beyond(&self, here: &dyn Fn(&Grant) -> bool) -> Vec<Point> {
        let mut seen: BTreeMap<(&Name, u32, &str), Point> = BTreeMap::new();
        for grant in self.reach.beyond.iter().filter(|grant| here(grant) && !self.is_remote(grant)) {
            let key = (&grant.origin.policy, grant.origin.line, grant.origin.written.as_ref());
            seen.entry(key).or_insert_with(|| self.wide(grant));
        }
        seen.into_values().collect()
    }

    fn wide(&self, grant: &Grant) -> Point {
        let shown = rule(grant);
        let (reason, message) = match Way::of(self.reach, grant) {
            Way::Default => (
                "VLT-16",
                format!(
                    "{shown}, which every login gets, grants more than the shipped one: {} `{}`",
                    grant.operation.word(),
                    clean(&grant.path)
                ),
            ),
            Way::Identity => {
                let by = self.reach.logins.get(grant.login).map(|login| identity_words(login, &grant.origin.policy)).unwrap_or_default();
                ("VLT-15", format!("{shown} adds to what the role grants, by {by}"))
            }
            Way::OwnRole | Way::OtherRole => match width(&grant.pattern, &self.mounts()) {
                Width::Whole => ("VLT-10", format!("{shown} is wider than any tenant: it covers a whole mount or more")),
                Width::NoSlash => {
                    ("VLT-03", format!("{shown} ends within a word: it covers every name that begins so, of tenants to come too"))
                }
                Width::Other => (
                    "beyond",
                    format!(
                        "{shown} grants something outside this tenant's own places: {} `{}`",
                        grant.operation.word(),
                        clean(&grant.path)
                    ),
                ),
            },
        };
        of_grant(self.reach, grant, Declared::Partly, reason, message)
    }

    fn mounts(&self) -> Vec<&str> {
        self.view.snapshot.vault.secret_mounts.items.keys().map(|name| name.trim_matches('/')).collect()
    }
}

/// By which entity or group a policy came.
fn identity_words(login: &Login, policy: &Name) -> String {
    let from = login.policies.iter().filter(|(name, _)| name == policy).find_map(|(_, from)| match from {
        PolicyFrom::Entity(name) => Some(format!("policy of entity {}", clean(name))),
        PolicyFrom::Group(name) => Some(format!("policy of group {}", clean(name))),
        PolicyFrom::Role | PolicyFrom::Default => None,
    });
    from.unwrap_or_else(|| "its identity".to_owned())
}

/// Whether the role of a login admits by pattern or selector.
fn is_wide(view: &TenantView<'_>, login: &Login) -> bool {
    let role = view.snapshot.vault.kubernetes.get(&login.mount).and_then(|part| part.items.get(&login.role));
    role.is_some_and(|role| !role.namespace_selector.is_empty() || role.namespaces.iter().any(|pattern| pattern.contains('*')))
}

/// In which way a pattern is wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// All of a mount, or of all mounts.
    Whole,
    /// A prefix that ends within a word.
    NoSlash,
    /// Otherwise.
    Other,
}

/// Areas of a key-value mount that hold every secret of it.
const AREAS: [&str; 8] = ["", "data", "metadata", "delete", "undelete", "destroy", "subkeys", "detailed-metadata"];

fn width(pattern: &str, mounts: &[&str]) -> Width {
    let open = pattern.ends_with('*');
    let stem = pattern.trim_end_matches('*').trim_end_matches('/');
    let fixed = stem.split("/+").next().unwrap_or_default().trim_end_matches('+').trim_end_matches('/');
    let is_area =
        |mount: &&str| AREAS.iter().any(|area| fixed.strip_prefix(*mount).is_some_and(|rest| rest.trim_start_matches('/') == *area));
    if fixed.is_empty() || ((open || PatternKind::of(pattern) == PatternKind::Segment) && mounts.iter().any(is_area)) {
        return Width::Whole;
    }
    if open && !pattern.trim_end_matches('*').ends_with('/') { Width::NoSlash } else { Width::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_which_way_a_pattern_is_wide() {
        for (pattern, expected) in [
            ("*", Width::Whole),
            ("+", Width::Whole),
            ("+/*", Width::Whole),
            ("secret/*", Width::Whole),
            ("secret/data/*", Width::Whole),
            ("secret/data/+", Width::Whole),
            ("secret/+/web-tenant-acme", Width::Whole),
            ("secret/data/web-tenant-*", Width::NoSlash),
            ("secret/data/web-tenant-acme*", Width::NoSlash),
            ("secret/data/web-tenant-acme/*", Width::Other),
            ("secret/data/elsewhere", Width::Other),
            ("database/creds/*", Width::Other),
        ] {
            assert_eq!(width(pattern, &["secret"]), expected, "{pattern}");
        }
    }
}
