//! A path as somebody types it: as requests have it, with `/v1/`, or as the command line of version 2 of the key-value engine takes it.

use crate::model::ids::Name;
use crate::model::vault::VaultFacts;
use crate::vaultacl::capability::Operation;

/// Longer paths are not taken: servers refuse them too.
const LONGEST: usize = 1_024;

/// The first parts that version 2 of the key-value engine knows below its mount.
const AREAS: [&str; 8] = ["data", "metadata", "subkeys", "delete", "undelete", "destroy", "detailed-metadata", "config"];

/// A path that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// For requests that read or write.
    pub values: String,
    /// For requests that list.
    pub names: String,
    /// How it was read, in words.
    pub how: String,
    /// What secret it is about, where it is one: the mount and the path below it, without `data/`.
    pub secret: Option<(Name, String)>,
}

impl Asked {
    /// The path that a request has.
    pub fn path(&self, operation: Operation) -> &str {
        if matches!(operation, Operation::List | Operation::Scan) { &self.names } else { &self.values }
    }
}

/// Reads what was typed. O(length + mounts).
///
/// # Errors
/// Why it can't be a path, with what to do.
pub fn read(typed: &str, vault: &VaultFacts) -> Result<Asked, &'static str> {
    let text = typed.trim();
    let (text, parameters) = text.split_once('?').map_or((text, false), |(path, _)| (path, true));
    let path = text.trim_start_matches('/');
    let path = path.strip_prefix("v1/").map_or(path, |rest| rest.trim_start_matches('/'));
    if path.is_empty() {
        return Err("type a path, such as secret/data/web-tenant-acme");
    }
    if path.chars().count() > LONGEST {
        return Err("longer than any path a server takes");
    }
    if path.chars().any(char::is_control) {
        return Err("a path has no control characters");
    }
    if path.split('/').any(|part| part == ".." || part == ".") {
        return Err("type the path that .. leads to: clients resolve it before they ask");
    }
    let mut asked = placed(path, vault);
    if path.contains(['*', '+']) {
        asked.how.push_str("; * and + are letters in a path: only rules have wildcards");
    }
    if parameters {
        asked.how.push_str("; what follows ? are parameters, and is not judged");
    }
    Ok(asked)
}

/// The path by the mount it is below.
fn placed(path: &str, vault: &VaultFacts) -> Asked {
    let plain = |how: String, secret| Asked { values: path.to_owned(), names: path.to_owned(), how, secret };
    let found = vault.secret_mounts.items.iter().filter_map(|(name, mount)| below(path, name).map(|rest| (name, mount, rest)));
    let Some((name, mount, rest)) = found.max_by_key(|(name, ..)| name.len()) else {
        return plain("as it is: below no secret mount that we know of".to_owned(), None);
    };
    let name = Name::from(name.trim_end_matches('/'));
    let secret = |rest: &str| Some((name.clone(), rest.trim_matches('/').to_owned()));
    match (mount.kind.as_ref(), mount.version) {
        ("kv" | "generic", Some(2)) => {
            let (area, inside) = rest.split_once('/').unwrap_or((rest, ""));
            if AREAS.contains(&area) {
                return plain(format!("as a request has it: `{area}` of {name}, version 2"), secret(inside));
            }
            Asked {
                values: format!("{name}/data/{rest}"),
                names: format!("{name}/metadata/{rest}"),
                how: format!(
                    "as the command line takes it: {name} is version 2, values are below {name}/data/, names below {name}/metadata/"
                ),
                secret: secret(rest),
            }
        }
        ("kv" | "generic", Some(_)) => plain(format!("as it is: {name} is version 1"), secret(rest)),
        ("kv" | "generic", None) => plain(format!("as it is: the version of {name} is not known"), secret(rest)),
        (kind, _) => plain(format!("as it is: {name} is a mount of type {kind}"), None),
    }
}

/// What of a path is below a mount.
fn below<'a>(path: &'a str, mount: &str) -> Option<&'a str> {
    let mount = mount.trim_matches('/');
    let rest = path.strip_prefix(mount)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::SourceState;
    use crate::model::vault::{Part, SecretMount};
    use std::sync::Arc;

    fn vault() -> VaultFacts {
        let mount = |kind: &str, version| SecretMount { kind: kind.into(), version, accessor: "a".into() };
        let items = [
            ("secret".into(), mount("kv", Some(2))),
            ("secret/deep".into(), mount("kv", Some(1))),
            ("kv/".into(), mount("kv", None)),
            ("database".into(), mount("database", None)),
        ];
        let secret_mounts = Part { state: SourceState::Live, items: Arc::new(items.into()), unreadable: Arc::default() };
        VaultFacts { secret_mounts, ..VaultFacts::default() }
    }

    fn paths(typed: &str) -> (String, String) {
        let asked = read(typed, &vault()).unwrap();
        (asked.values, asked.names)
    }

    #[test]
    fn three_ways_to_write_one_path() {
        let same = |path: &str| (path.to_owned(), path.to_owned());
        assert_eq!(paths("secret/data/acme/db"), same("secret/data/acme/db"));
        assert_eq!(paths(" /v1/secret/data/acme/db "), same("secret/data/acme/db"));
        assert_eq!(paths("//v1//secret/metadata/"), same("secret/metadata/"));
        assert_eq!(paths("secret/acme/db"), ("secret/data/acme/db".into(), "secret/metadata/acme/db".into()));
        assert_eq!(paths("secret"), ("secret/data/".into(), "secret/metadata/".into()));
        // a secret may be called `database` where a first part of the engine begins so
        assert_eq!(paths("secret/database").0, "secret/data/database");
    }

    #[test]
    fn the_longest_mount_and_its_version_decide() {
        assert_eq!(paths("secret/deep/x"), ("secret/deep/x".into(), "secret/deep/x".into()));
        assert_eq!(paths("kv/x").0, "kv/x");
        for (typed, how) in
            [("kv/x", "version of kv is not known"), ("database/creds/x", "type database"), ("sys/mounts", "no secret mount")]
        {
            assert!(read(typed, &vault()).unwrap().how.contains(how), "{typed}");
        }
        assert_eq!(read("secrets/data/x", &vault()).unwrap().secret, None, "a mount ends where a part ends");
        assert_eq!(read("secret/data/a/b/", &vault()).unwrap().secret, Some(("secret".into(), "a/b".into())));
        assert_eq!(read("secret/a", &vault()).unwrap().secret, Some(("secret".into(), "a".into())));
    }

    #[test]
    fn what_is_no_path_is_refused_and_said_why() {
        for bad in ["", "  ", "/", "/v1/", "?x", "a\u{1b}[2J", "a/../b", "./a"] {
            assert!(read(bad, &vault()).is_err(), "{bad:?}");
        }
        assert!(read(&"x/".repeat(2_000), &vault()).is_err());
        assert!(read("secret/data/a*?version=1", &vault()).unwrap().how.contains("letters"));
    }
}
