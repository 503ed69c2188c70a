//! Where a request goes: paths cleaned as Vault's clients clean them, and split into mount and secret.

use std::collections::BTreeMap;

use super::super::super::capability::Operation;
use super::Asked;
use crate::model::ids::Name;
use crate::model::vault::SecretMount;

/// Parts of requests to version 2 of the key-value engine behind which the secret's own path begins.
const SECTIONS: [&str; 7] = ["data", "metadata", "subkeys", "delete", "undelete", "destroy", "detailed-metadata"];

/// A path as Vault's clients send it: empty and `.` parts vanish, `..` takes the part before it away, no slash at either end. O(length).
pub fn cleaned(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The mount that serves a path: the longest whose name begins it. O(parts × log mounts).
pub fn mount_of<'a>(path: &'a str, mounts: &'a BTreeMap<Name, SecretMount>) -> Option<(&'a Name, &'a SecretMount, &'a str)> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let heads: Vec<(&str, &str)> = ends.filter_map(|at| path.split_at_checked(at)).collect();
    heads.into_iter().rev().find_map(|(head, rest)| {
        let (name, mount) = mounts.get_key_value(head)?;
        Some((name, mount, rest.strip_prefix('/').unwrap_or(rest)))
    })
}

/// Where a request goes. `request` may hold `..`; `told` is the mount that the consumer names (none: the first part), `version` the version it takes
/// the mount for. The server's own mounts win over both. O(length).
pub fn place(request: &str, told: Option<&str>, version: u8, operation: Operation, mounts: &BTreeMap<Name, SecretMount>) -> Asked {
    let request = cleaned(request);
    let told = told.map(cleaned).filter(|mount| !mount.is_empty());
    let under = |mount: &str| {
        request
            .strip_prefix(mount)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            .map(|rest| rest.trim_start_matches('/').to_owned())
    };
    let (mount, version, rest, kv): (Name, u8, String, bool) = if let Some((name, facts, rest)) = mount_of(&request, mounts) {
        let kv = is_kv(facts);
        (name.clone(), if kv { facts.version.unwrap_or(0) } else { 0 }, rest.to_owned(), kv)
    } else {
        let first = || request.split_once('/').map_or((request.as_str(), String::new()), |(mount, rest)| (mount, rest.to_owned()));
        let (mount, rest) = told.as_deref().and_then(|mount| Some((mount, under(mount)?))).unwrap_or_else(first);
        (mount.into(), version, rest, version != 0)
    };
    let (path, kv) = if kv && version != 1 {
        match rest.split_once('/') {
            Some((section, path)) if SECTIONS.contains(&section) => (path.to_owned(), true),
            // a list of everything
            None if matches!(rest.as_str(), "data" | "metadata") => (String::new(), true),
            // version not known: then it may be the path itself
            _ => (rest.clone(), version == 0),
        }
    } else {
        (rest, kv)
    };
    Asked { mount, version, path, below: false, operation, request, property: None, target: None, target_key: None, kv }
}

/// Whether a mount is of the key-value engine. `generic` is its old name.
pub fn is_kv(mount: &SecretMount) -> bool {
    matches!(mount.kind.as_ref(), "kv" | "generic")
}
