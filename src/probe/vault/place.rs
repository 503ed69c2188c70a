//! A place of a tenant's own that its login can read and that can be asked for without its value.

use std::collections::BTreeMap;

use super::Door;
use super::predict::{predict, query_data};
use crate::model::ids::Name;
use crate::model::vault::SecretMount;
use crate::vaultacl::acl::{Acl, Merged};
use crate::vaultacl::capability::{Capability, Operation};
use crate::vaultacl::policy::PatternKind;
use crate::vaultacl::reach::{Root, RootFrom};

/// A name that is nobody's.
const NOBODYS: &str = "partywall-nobody";

/// A place on a key-value mount that a tenant can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The mount, without slashes at its ends.
    pub mount: Name,
    /// Version of the key-value engine.
    pub version: u8,
    /// The path below the mount, without `data/`; for a prefix mostly with a slash at its end, empty for the whole mount.
    pub path: String,
    /// Whether it is one path or all that begin so.
    pub kind: Kind,
}

/// How a place is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One path.
    Exact,
    /// Everything that begins so.
    Prefix,
}

/// Where a login finds its tenant's own: one of its roots if it can read there, else the narrowest place that a rule opens.
/// O(roots + rules × mounts) decisions.
pub fn own(acl: &Acl, roots: &[Root], mounts: &BTreeMap<Name, SecretMount>) -> Option<Place> {
    let order = |root: &Root| match root.from {
        RootFrom::Consumer(_) => 0,
        RootFrom::Configured => 1,
        RootFrom::Policy(_) => 2,
        RootFrom::Named => 3,
    };
    let mut roots: Vec<&Root> = roots.iter().collect();
    roots.sort_by_key(|root| order(root));
    roots.into_iter().find_map(|root| at_root(acl, root)).or_else(|| by_rule(acl, mounts))
}

/// At a root or below it. Version 1 of the engine has no versions: there a path can't be asked for without its value, but a child that does not
/// exist can.
fn at_root(acl: &Acl, root: &Root) -> Option<Place> {
    let place = |kind, path: String| Place { mount: root.mount.clone(), version: root.version, path, kind };
    let below = if root.path.is_empty() { String::new() } else { format!("{}/", root.path) };
    let found = [place(Kind::Exact, root.path.clone()), place(Kind::Prefix, below)];
    found.into_iter().filter(askable).find(|place| reads(acl, place))
}

fn askable(place: &Place) -> bool {
    match place.version {
        2 => place.kind == Kind::Prefix || !place.path.is_empty(),
        1 => place.kind == Kind::Prefix,
        _ => false,
    }
}

/// Whether the knock at a place would be let through.
fn reads(acl: &Acl, place: &Place) -> bool {
    let (path, query) = Door::of(place, NOBODYS).request();
    predict(acl, Operation::Read, &path, Some(&query_data(query))) == Some(true)
}

fn by_rule(acl: &Acl, mounts: &BTreeMap<Name, SecretMount>) -> Option<Place> {
    let readable = acl.rules().iter().filter(|rule| rule.capabilities.has(Capability::Read));
    let mut found: Vec<Place> =
        readable.filter_map(|rule| of_rule(rule, mounts)).filter(askable).filter(|place| reads(acl, place)).collect();
    found.sort_by(|a, b| (a.kind, b.path.len(), &a.mount, &a.path).cmp(&(b.kind, a.path.len(), &b.mount, &b.path)));
    found.into_iter().next()
}

/// What a rule opens. Patterns with `+` are left out.
fn of_rule(rule: &Merged, mounts: &BTreeMap<Name, SecretMount>) -> Option<Place> {
    let (body, kind) = match rule.kind {
        PatternKind::Exact => (rule.pattern.as_str(), Kind::Exact),
        PatternKind::Prefix => (rule.pattern.strip_suffix('*')?, Kind::Prefix),
        PatternKind::Segment => return None,
    };
    // the longest mount wins, as in the server
    let under = |mount: &&Name| body.strip_prefix(mount.as_ref()).is_some_and(|rest| rest.starts_with('/'));
    let keyed = || mounts.iter().filter(|(_, mount)| mount.kind.as_ref() == "kv");
    let Some((mount, facts)) = keyed().filter(|(mount, _)| under(mount)).max_by_key(|(mount, _)| mount.len()) else {
        // `*` or `sec*`: wider than any mount; the first one it covers stands for it
        let (mount, facts) = keyed().find(|(mount, _)| kind == Kind::Prefix && mount.starts_with(body))?;
        return Some(Place { mount: mount.clone(), version: facts.version?, path: String::new(), kind });
    };
    let rest = body.strip_prefix(mount.as_ref())?.strip_prefix('/')?;
    let version = facts.version?;
    let path = match (version, rest.strip_prefix("data/")) {
        (1, _) => rest,
        (2, Some(path)) => path,
        // `secret/*` and `secret/da*` grant all data at once
        (2, None) if kind == Kind::Prefix && "data/".starts_with(rest) => "",
        _ => return None,
    };
    Some(Place { mount: mount.clone(), version, path: path.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;
    use crate::model::vault::PolicyFlags;
    use crate::vaultacl::acl::Granted;
    use crate::vaultacl::dialect::Dialect;
    use crate::vaultacl::policy::{Policy, Rule};
    use crate::vaultacl::template::Identity;

    fn acl(rules: &[(&str, &[Capability])]) -> Acl {
        let rule = |(pattern, capabilities): &(&str, &[Capability])| Rule {
            pattern: (*pattern).to_owned(),
            line: 1,
            capabilities: capabilities.iter().copied().collect(),
            limits: None,
            expires: None,
        };
        let (name, policy): (Name, Policy) = ("p".into(), Policy { rules: rules.iter().map(rule).collect() });
        Acl::new(
            &[Granted { name: &name, policy: &policy, flags: PolicyFlags::default(), namespace: "" }],
            &Identity::default(),
            Dialect::OpenBao26,
            Time(0),
        )
    }

    fn mounts() -> BTreeMap<Name, SecretMount> {
        let mount = |version| SecretMount { kind: "kv".into(), version: Some(version), accessor: "a".into() };
        [("secret".into(), mount(2)), ("old".into(), mount(1))].into()
    }

    fn root(mount: &str, version: u8, path: &str, from: RootFrom) -> Root {
        Root { mount: mount.into(), version, path: path.to_owned(), from }
    }

    const READ: &[Capability] = &[Capability::Read];
    const DENY: &[Capability] = &[Capability::Deny];

    type Case<'a> = (&'a [(&'a str, &'a [Capability])], &'a [Root], Option<(&'a str, &'a str, Kind)>);

    #[test]
    fn roots_before_rules() {
        let named = [root("secret", 2, "acme", RootFrom::Named)];
        let cases: &[Case<'_>] = &[
            (&[("secret/data/acme", READ)], &named, Some(("secret", "acme", Kind::Exact))),
            (&[("secret/data/acme/*", READ)], &named, Some(("secret", "acme/", Kind::Prefix))),
            (&[("secret/*", READ)], &named, Some(("secret", "acme", Kind::Exact))),
            (&[("secret/*", READ), ("secret/data/acme", DENY)], &named, Some(("secret", "acme/", Kind::Prefix))),
            // None of its roots: what a rule opens, the narrowest first.
            (&[("secret/data/x/*", READ), ("secret/data/y", READ)], &named, Some(("secret", "y", Kind::Exact))),
            (&[("secret/data/x/*", READ), ("*", READ)], &[], Some(("secret", "x/", Kind::Prefix))),
            (&[("secret/da*", READ)], &[], Some(("secret", "", Kind::Prefix))),
            (&[("secret/data/+/x", READ)], &[], None),
            (&[("secret/metadata/*", READ)], &[], None),
            (&[("secret/acme", READ)], &named, None),
            // Version 1 can only be asked for what is not there.
            (&[("old/acme", READ)], &[root("old", 1, "acme", RootFrom::Named)], None),
            (&[("old/acme/*", READ)], &[root("old", 1, "acme", RootFrom::Named)], Some(("old", "acme/", Kind::Prefix))),
            (&[("old/acme*", READ)], &[root("old", 1, "acme", RootFrom::Named)], Some(("old", "acme/", Kind::Prefix))),
            (&[("*", READ)], &[root("secret", 0, "acme", RootFrom::Named)], Some(("old", "", Kind::Prefix))),
        ];
        for (rules, roots, expected) in cases {
            let found = own(&acl(rules), roots, &mounts());
            let found = found.as_ref().map(|place| (place.mount.as_ref(), place.path.as_str(), place.kind));
            assert_eq!(found, *expected, "{rules:?} {roots:?}");
        }
    }

    #[test]
    fn what_is_asked_for_comes_first() {
        let roots = [root("secret", 2, "acme", RootFrom::Named), root("secret", 2, "team/db", RootFrom::Consumer("es".into()))];
        let found = own(&acl(&[("secret/*", READ)]), &roots, &mounts()).unwrap();
        assert_eq!(found.path, "team/db");
    }
}
