//! Where a tenant keeps its own secrets, by what its policies let it read: what a probe aims at.

use std::collections::BTreeMap;

use super::capability::Capability;
use super::policy::Rule;
use crate::model::ids::Name;
use crate::model::vault::SecretMount;

/// A place on a key-value mount that policies let a tenant read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPath {
    /// The mount, without slashes at its ends.
    pub mount: Name,
    /// Version of the key-value engine.
    pub version: u8,
    /// The path below the mount, without `data/`; for a prefix as written, mostly with a slash at its end, empty for the whole mount.
    pub path: String,
    /// Whether it is one path or all that begin so.
    pub kind: PathKind,
    /// The rule carries limits, so that even a request it covers may be refused.
    pub limited: bool,
}

/// How a path is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathKind {
    /// One path.
    Exact,
    /// Everything that begins so.
    Prefix,
}

/// What templates in patterns stand for when a ServiceAccount logs in (`spec/vault.md` 1.7).
#[derive(Clone, Debug, Default)]
pub struct Login<'a> {
    /// Accessor of the auth mount.
    pub accessor: &'a str,
    /// Namespace of the ServiceAccount.
    pub namespace: &'a str,
    /// Its name.
    pub service_account: &'a str,
}

/// The places that the rules let a tenant read, narrowest first. Patterns with `+`, patterns whose template needs more than the login's
/// ServiceAccount and rules that deny are left out. O(rules × mounts).
pub fn own_paths(rules: &[Rule], mounts: &BTreeMap<Name, SecretMount>, login: &Login<'_>) -> Vec<OwnPath> {
    let mut found: Vec<OwnPath> = rules
        .iter()
        .filter(|rule| rule.capabilities.has(Capability::Read))
        .filter_map(|rule| place(&expand(&rule.pattern, login)?, rule.limits.is_some(), mounts))
        .collect();
    found.sort_by(|a, b| (a.kind, b.path.len(), &a.mount, &a.path).cmp(&(b.kind, a.path.len(), &b.mount, &b.path)));
    found.dedup();
    found
}

fn place(pattern: &str, limited: bool, mounts: &BTreeMap<Name, SecretMount>) -> Option<OwnPath> {
    let (body, kind) = pattern.strip_suffix('*').map_or((pattern, PathKind::Exact), |prefix| (prefix, PathKind::Prefix));
    if body.contains(['+', '*']) {
        return None;
    }
    // the longest mount wins, as in the server
    let under = |mount: &&Name| body.strip_prefix(mount.as_ref()).is_some_and(|rest| rest.starts_with('/'));
    let keyed = mounts.iter().filter(|(_, mount)| mount.kind.as_ref() == "kv");
    let Some((mount, facts)) = keyed.clone().filter(|(mount, _)| under(mount)).max_by_key(|(mount, _)| mount.len()) else {
        // `*` or `sec*`: wider than any mount; the first one it covers stands for it
        let (mount, facts) = keyed.clone().find(|(mount, _)| kind == PathKind::Prefix && mount.starts_with(body))?;
        return Some(OwnPath { mount: mount.clone(), version: facts.version?, path: String::new(), kind, limited });
    };
    let rest = body.strip_prefix(mount.as_ref())?.strip_prefix('/')?;
    let version = facts.version?;
    let path = match version {
        1 => rest,
        2 => match (rest.strip_prefix("data/"), kind) {
            (Some(path), _) => path,
            // `secret/*` and `secret/da*` grant all data at once
            (None, PathKind::Prefix) if "data/".starts_with(rest) => "",
            (None, _) => return None,
        },
        _ => return None,
    };
    if path.is_empty() && kind == PathKind::Exact {
        return None;
    }
    Some(OwnPath { mount: mount.clone(), version, path: path.to_owned(), kind, limited })
}

/// A pattern with its templates filled in from the login; none where one needs more than that.
fn expand(pattern: &str, login: &Login<'_>) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, tail) = after.split_once("}}")?;
        out.push_str(before);
        let key = inside.trim().strip_prefix("identity.entity.aliases.")?.strip_prefix(login.accessor)?;
        out.push_str(match key {
            ".metadata.service_account_namespace" => login.namespace,
            ".metadata.service_account_name" => login.service_account,
            _ => return None,
        });
        rest = tail;
    }
    out.push_str(rest);
    if !pattern.contains("{{") {
        return Some(out);
    }
    (!login.accessor.is_empty()).then(|| out.strip_prefix('/').map(str::to_owned).unwrap_or(out))
}
