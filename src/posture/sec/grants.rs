//! SEC-05 and SEC-06: what the policies of a login really open. The verdict is the evaluator's, by witness; that every rule stays within the
//! tenant's own places is the lint beside it (`spec/posture.md` 4.2, `spec/vault.md` 8).

use std::collections::BTreeMap;

use super::makers::{Makers, Makes};
use super::{no_role, reach_of, unreadable_roles};
use crate::model::ids::{Name, TenantId};
use crate::model::text::clean;
use crate::model::vault::{policy_ref, role_ref};
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView, count, list, shortened};
use crate::vaultacl::capability::{Capabilities, Capability};
use crate::vaultacl::kv::Harm;
use crate::vaultacl::policy::PatternKind;
use crate::vaultacl::reach::{BadPolicy, Grant, Login, PolicyFrom, TenantReach, Who};

/// How a policy came into a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// By a role of the tenant's own.
    OwnRole,
    /// By a role that is somebody else's, or everybody's.
    OtherRole,
    /// By `default`.
    Default,
    /// By the entity or a group of it.
    Identity,
}

impl Way {
    fn of(reach: &TenantReach, grant: &Grant) -> Self {
        let Some(login) = reach.logins.get(grant.login) else { return Self::OtherRole };
        let from = login.policies.iter().filter(|(name, _)| *name == grant.origin.policy).map(|(_, from)| from).min();
        match from {
            Some(PolicyFrom::Default) => Self::Default,
            Some(PolicyFrom::Entity(_) | PolicyFrom::Group(_)) => Self::Identity,
            Some(PolicyFrom::Role) | None if login.own_role => Self::OwnRole,
            Some(PolicyFrom::Role) | None => Self::OtherRole,
        }
    }
}

/// SEC-05: the policies of the tenant's own roles open nothing but its own.
pub fn by_own_policies(view: &TenantView<'_>) -> Vec<Point> {
    judge(view, &[Way::OwnRole], |reach| {
        let own = |login: &&std::sync::Arc<Login>| login.own_role;
        let Some(login) = reach.logins.iter().find(own) else { return no_role(view) };
        let role = role_ref(&login.mount, &login.role);
        let policies = list(login.policies.iter().map(|(name, _)| name));
        let others = view.tenants.namespaces.len().saturating_sub(1);
        let message = format!(
            "what role {} grants by {} opens nothing of {}, judged as {} decides",
            clean(&login.role),
            clean(&policies),
            count(others, "other tenant"),
            clean(&view.secrets.dialect_from)
        );
        let places = list(reach.roots.iter().map(|root| format!("{}/{}", root.mount, root.path)));
        Point::new(Declared::Right, Subject::object(&role), message).with(role.clone(), "token_policies", &policies).with(
            role,
            "own places",
            if places.is_empty() { "none known" } else { &places },
        )
    })
}

/// SEC-06: no other role, no entity, no group and no default policy adds to it.
pub fn by_anything_else(view: &TenantView<'_>) -> Vec<Point> {
    judge(view, &[Way::OtherRole, Way::Default, Way::Identity], |reach| {
        if reach.logins.is_empty() {
            return no_role(view);
        }
        let mut roles: Vec<&Name> = reach.logins.iter().map(|login| &login.role).collect();
        roles.sort();
        roles.dedup();
        let message = format!(
            "{} admit its ServiceAccounts ({}); neither a role that is not its own nor default, entity or group policies open anything more",
            count(roles.len(), "role"),
            clean(&list(&roles))
        );
        Point::new(Declared::Right, view.subject(), message)
    })
}

fn judge(view: &TenantView<'_>, ways: &[Way], right: impl Fn(&TenantReach) -> Point) -> Vec<Point> {
    let reach = match reach_of(view) {
        Ok(reach) => reach,
        Err(point) => return vec![point],
    };
    let here = |grant: &Grant| ways.contains(&Way::of(reach, grant));
    let told = Told { view, reach, makers: Makers::new(view) };
    let mut points = told.crossings(&here);
    points.extend(reach.escalations.iter().filter(|grant| here(grant)).map(|grant| told.escalation(grant)));
    points.extend(told.beyond(&here));
    if ways.contains(&Way::OwnRole) {
        points.extend(unreadable_roles(view));
        points.extend(bad_policies(view, reach));
        points.extend(templates(view, reach));
    }
    points.extend(doubts(view, reach));
    if points.is_empty() {
        points.push(right(reach));
    }
    shortened(points)
}

/// What is unseen and may add reach: nothing may be called right while it lasts.
pub(super) fn doubts(view: &TenantView<'_>, reach: &TenantReach) -> Vec<Point> {
    let open = reach.doubts.iter().filter(|doubt| doubt.may_add);
    open.map(|doubt| Point::new(Declared::Unknown, view.subject(), clean(&doubt.words)).because("unseen-reach")).collect()
}

/// What the policies named by the tenant's roles lack: VLT-07 and VLT-19.
fn bad_policies(view: &TenantView<'_>, reach: &TenantReach) -> Vec<Point> {
    if view.secrets.bad_policies.is_empty() {
        return Vec::new();
    }
    let mut named: BTreeMap<&Name, Vec<String>> = BTreeMap::new();
    for at in view.own_roles() {
        for policy in &at.role.policies {
            named.entry(policy).or_default().push(format!("role {}", clean(at.name)));
        }
    }
    for (policy, from) in reach.logins.iter().flat_map(|login| &login.policies) {
        match from {
            PolicyFrom::Role | PolicyFrom::Default => {}
            PolicyFrom::Entity(name) => named.entry(policy).or_default().push(format!("entity {}", clean(name))),
            PolicyFrom::Group(name) => named.entry(policy).or_default().push(format!("group {}", clean(name))),
        }
    }
    let point = |(policy, by): (&Name, Vec<String>)| {
        let (object, shown) = (policy_ref(policy), clean(policy));
        let by = by.first().map_or("", String::as_str);
        let lower = Name::from(policy.to_lowercase());
        let bad = view.secrets.bad_policies.get(policy).or_else(|| view.secrets.bad_policies.get(&lower))?;
        let (declared, reason, message, value) = match bad {
            BadPolicy::Missing => (
                Declared::Partly,
                "VLT-07",
                format!("{by} names policy {shown}, which does not exist: whoever writes it decides what this tenant may open"),
                "absent".to_owned(),
            ),
            BadPolicy::Unseen(why) => {
                (Declared::Unknown, "unseen-policy", format!("policy {shown}, which {by} names, can't be read: {}", clean(why)), clean(why))
            }
            BadPolicy::Refused(refused) => (
                Declared::Unknown,
                "VLT-19",
                format!(
                    "policy {shown}, which {by} names, is one the server would refuse (line {}: {}): every request of a token that carries it fails once it is loaded again, and what it allows till then can't be said",
                    refused.line,
                    clean(&refused.what)
                ),
                format!("line {}: {}", refused.line, refused.what),
            ),
        };
        Some(Point::new(declared, Subject::object(&object), message).because(reason).with(object, "policy", &value))
    };
    named.into_iter().filter_map(point).collect()
}

/// The keys of an alias that the auth method itself fills in with what Kubernetes vouches for.
const VOUCHED: [&str; 3] = ["service_account_name", "service_account_namespace", "service_account_uid"];

/// Templates in rules of the tenant's own roles whose value it chooses, or that may be empty (VLT-04), and denies that fell away (VLT-08).
fn templates(view: &TenantView<'_>, reach: &TenantReach) -> Vec<Point> {
    let mut points: BTreeMap<(&Name, u32, &'static str), Point> = BTreeMap::new();
    for login in reach.logins.iter().filter(|login| login.own_role) {
        let config = view.snapshot.vault.kubernetes_config.items.get(&login.mount);
        let by_annotations = config.is_none_or(|config| config.annotations_as_metadata);
        for origin in login.acl.rules().iter().flat_map(|rule| &rule.from) {
            let Some(key) = unvouched(&origin.written, by_annotations).filter(|_| !origin.capabilities.denies()) else { continue };
            let why = if key == "service_account_secret_name" { "may be empty" } else { "whoever edits the ServiceAccount chooses" };
            let message = format!(
                "policy {} line {} `{}` builds its path on {}, which {why}",
                clean(&origin.policy),
                origin.line,
                clean(&origin.written),
                clean(key)
            );
            let object = policy_ref(&origin.policy);
            points.entry((&origin.policy, origin.line, "VLT-04")).or_insert_with(|| {
                Point::new(Declared::Partly, Subject::object(&object), message).because("VLT-04").with(
                    object,
                    &line(origin.line),
                    &origin.written,
                )
            });
        }
        for dropped in login.acl.dropped().iter().filter(|dropped| dropped.origin.capabilities.has(Capability::Deny)) {
            let origin = &dropped.origin;
            let message = format!(
                "policy {} line {} `{}` is a deny that does not count: {}",
                clean(&origin.policy),
                origin.line,
                clean(&origin.written),
                clean(&dropped.why)
            );
            let object = policy_ref(&origin.policy);
            points.entry((&origin.policy, origin.line, "VLT-08")).or_insert_with(|| {
                Point::new(Declared::Partly, Subject::object(&object), message).because("VLT-08").with(
                    object,
                    &line(origin.line),
                    &origin.written,
                )
            });
        }
    }
    points.into_values().collect()
}

/// The first key of alias metadata in a pattern that Kubernetes does not vouch for: one that may be empty, or, where annotations become
/// metadata, any that is not reserved.
fn unvouched(written: &str, by_annotations: bool) -> Option<&str> {
    let inside = written.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).map(str::trim);
    let keys = inside
        .filter(|template| template.starts_with("identity.entity.aliases."))
        .filter_map(|t| t.split_once(".metadata.").map(|(_, key)| key));
    keys.into_iter().find(|key| *key == "service_account_secret_name" || (by_annotations && !VOUCHED.contains(key)))
}

/// `line 4`, as a field of evidence.
fn line(line: u32) -> String {
    format!("path, line {line}")
}

/// Capabilities as a policy lists them.
fn words(capabilities: Capabilities) -> String {
    capabilities.iter().map(Capability::word).collect::<Vec<_>>().join(", ")
}

/// As whom, in words.
pub(super) fn who(who: &Who) -> String {
    match who {
        Who::Account { namespace, name } => format!("ServiceAccount {}/{}", clean(namespace), clean(name)),
        Who::Maker { namespace, name } => format!("a ServiceAccount {} made in {}", clean(name), clean(namespace)),
    }
}

/// The rule, as one points at it: `policy tenant-acme line 4 \`secret/data/web-tenant-*\``.
pub(super) fn rule(grant: &Grant) -> String {
    let origin = &grant.origin;
    let filled = if *origin.written == *grant.pattern { String::new() } else { format!(" (here `{}`)", clean(&grant.pattern)) };
    format!("policy {} line {} `{}`{filled}", clean(&origin.policy), origin.line, clean(&origin.written))
}

/// A point about a grant, with its rule, its witness and the login it takes as evidence.
pub(super) fn of_grant(reach: &TenantReach, grant: &Grant, declared: Declared, reason: &'static str, message: String) -> Point {
    let policy = policy_ref(&grant.origin.policy);
    let point = Point::new(declared, Subject::object(&policy), message)
        .because(reason)
        .with(policy.clone(), &line(grant.origin.line), &grant.origin.written)
        .with(policy.clone(), "capabilities", &words(grant.origin.capabilities))
        .with(policy, "witness", &format!("{} {}", grant.operation.word(), grant.path));
    match reach.logins.get(grant.login) {
        Some(login) => point.with(role_ref(&login.mount, &login.role), "login", &who(&login.who)),
        None => point,
    }
}

/// Crossings that say the same of the same rule.
struct Group<'r> {
    grant: &'r Grant,
    harm: Harm,
    what: &'static str,
    partners: Vec<&'r TenantId>,
    logins: usize,
}

struct Told<'a, 'v> {
    view: &'v TenantView<'a>,
    reach: &'a TenantReach,
    makers: Makers<'a, 'v>,
}

impl Told<'_, '_> {
    /// Others' paths that are open, one point for each rule and harm; existing ServiceAccounts first.
    fn crossings(&self, here: &dyn Fn(&Grant) -> bool) -> Vec<Point> {
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
                logins: 0,
            });
            group.partners.extend(crossing.partners.iter());
            group.logins += 1;
        }
        let mut points: Vec<Point> = Vec::new();
        let keys: Vec<_> = groups.keys().copied().collect();
        for key in keys {
            // what an existing ServiceAccount can do need not be said again of one that could be made
            let (made, harm, policy, line, written) = key;
            if made && groups.contains_key(&(false, harm, policy, line, written)) {
                continue;
            }
            points.extend(groups.get_mut(&key).map(|group| self.crossing(group)));
        }
        points
    }

    fn crossing(&self, group: &mut Group<'_>) -> Point {
        let grant = group.grant;
        group.partners.sort();
        group.partners.dedup();
        let partners = clean(&list(&group.partners));
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
            "{} logs in as {} at {} and may {} of {partners}: {} allows {} `{}`{grade}{by}{conditions}",
            who(&login.who),
            clean(&login.role),
            clean(&login.mount),
            group.what,
            rule(grant),
            grant.operation.word(),
            clean(&grant.path),
        );
        let Who::Maker { namespace, .. } = &login.who else {
            return of_grant(self.reach, grant, Declared::Open, reason, base);
        };
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
                let message = format!("{base}; there is no such ServiceAccount, and nobody of the tenant may create one now");
                of_grant(self.reach, grant, Declared::Partly, reason, message)
            }
            Makes::Unseen(why) => {
                let message = format!("{base}; there is no such ServiceAccount, and whether the tenant may create one is unknown: {why}");
                of_grant(self.reach, grant, Declared::Partly, reason, message)
            }
        }
    }

    /// A rule by which the tenant could give itself more.
    fn escalation(&self, grant: &Grant) -> Point {
        let shown = self.reach.logins.get(grant.login).map_or_else(|| "a login".to_owned(), |login| who(&login.who));
        let message = format!("{shown} may give itself more: {} allows {} `{}`", rule(grant), grant.operation.word(), clean(&grant.path));
        let made = self.reach.logins.get(grant.login).filter(|login| !login.who.exists());
        let declared = match made.map(|login| &login.who) {
            Some(Who::Maker { namespace, .. }) if !matches!(self.makers.may(namespace), Makes::Yes(..)) => Declared::Partly,
            _ => Declared::Open,
        };
        of_grant(self.reach, grant, declared, "VLT-09", message)
    }

    /// The lint: rules that are wider than the tenant's own places, whoever lives there today. Each once.
    fn beyond(&self, here: &dyn Fn(&Grant) -> bool) -> Vec<Point> {
        let mut seen: BTreeMap<(&Name, u32, &str), Point> = BTreeMap::new();
        for grant in self.reach.beyond.iter().filter(|grant| here(grant)) {
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

    #[test]
    fn what_kubernetes_does_not_vouch_for() {
        let path = |key: &str| format!("secret/data/{{{{ identity.entity.aliases.auth_kubernetes_1.metadata.{key} }}}}/*");
        assert_eq!(unvouched(&path("service_account_namespace"), true), None);
        assert_eq!(unvouched(&path("service_account_secret_name"), false), Some("service_account_secret_name"));
        assert_eq!(unvouched(&path("team"), true), Some("team"));
        assert_eq!(unvouched(&path("team"), false), None);
        assert_eq!(unvouched("secret/data/{{identity.entity.metadata.team}}", true), None, "an operator writes it");
        assert_eq!(unvouched("secret/data/{{", true), None);
    }
}
