//! What is asked for at other tenants' paths, and how, so that no answer ever holds a value.

use super::{Door, Place, PlaceKind};
use crate::vaultacl::capability::Operation;
use crate::vaultacl::reach::{Crossing, Root};

/// At most so many of a partner's places are tried.
const MOST_ROOTS: usize = 3;
/// At most so many of the evaluator's witnesses are tried.
const MOST_WITNESSES: usize = 3;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// Where.
    pub door: Door,
    /// How.
    pub manner: Manner,
}

/// How a door is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// The value, in a form that never yields it.
    Value,
    /// Metadata, of version 2 only.
    Metadata,
    /// The names below.
    Names,
}

impl Aim {
    /// The path of the request and its query.
    pub fn request(&self) -> (String, &'static [(&'static str, &'static str)]) {
        let Door { mount, version, path } = &self.door;
        match (self.manner, version) {
            (Manner::Value, _) => self.door.request(),
            (Manner::Metadata, _) => (format!("{mount}/metadata/{path}"), &[]),
            (Manner::Names, 2) => (format!("{mount}/metadata/{}", folder(path)), &[]),
            (Manner::Names, _) => (format!("{mount}/{}", folder(path)), &[]),
        }
    }

    /// What the server takes it for.
    pub const fn operation(&self) -> Operation {
        match self.manner {
            Manner::Value | Manner::Metadata => Operation::Read,
            Manner::Names => Operation::List,
        }
    }

    /// In words, without the path.
    pub const fn verb(&self) -> &'static str {
        match self.manner {
            Manner::Value => "read",
            Manner::Metadata => "read the metadata of",
            Manner::Names => "list the names under",
        }
    }
}

fn folder(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{}/", path.trim_end_matches('/')) }
}

/// What is tried at a partner's paths: the door that was shown to be alive, a name below it that nobody has, its metadata, the names below it, and its
/// other roots. A path of version 1 is only tried where there can be nothing, because a value could not be kept out of the answer.
pub fn aims(door: &Door, roots: &[Root], nonce: &str) -> Vec<Aim> {
    let value = |mount: &crate::model::ids::Name, version, path: String| Aim {
        door: Door { mount: mount.clone(), version, path },
        manner: Manner::Value,
    };
    let child = |path: &str| if path.is_empty() { nonce.to_owned() } else { format!("{path}/{nonce}") };
    let mut found = Vec::new();
    if door.version == 2 {
        found.push(value(&door.mount, 2, door.path.clone()));
        found.push(Aim { door: door.clone(), manner: Manner::Metadata });
    }
    found.push(value(&door.mount, door.version, child(&door.path)));
    found.push(Aim { door: door.clone(), manner: Manner::Names });
    for root in
        roots.iter().filter(|root| (root.mount.as_ref(), root.path.as_str()) != (door.mount.as_ref(), door.path.as_str())).take(MOST_ROOTS)
    {
        match root.version {
            2 if !root.path.is_empty() => found.push(value(&root.mount, 2, root.path.clone())),
            1 | 2 => found.push(value(&root.mount, root.version, child(&root.path))),
            _ => {}
        }
    }
    found
}

/// The evaluator's own proofs that a partner's value can be read, as far as they can be asked for without it: version 2 only.
pub fn witnesses(crossings: &[Crossing], mounts: &[Root]) -> Vec<Aim> {
    let read = crossings.iter().filter(|crossing| crossing.action.operation == Operation::Read && crossing.action.below == "data/");
    let aim = |crossing: &Crossing| {
        let root = mounts
            .iter()
            .filter(|root| root.version == 2)
            .find(|root| crossing.grant.path.strip_prefix(root.mount.as_ref()).is_some_and(|rest| rest.starts_with("/data/")))?;
        let path = crossing.grant.path.strip_prefix(root.mount.as_ref())?.strip_prefix("/data/")?;
        // what the client could not send as it is proves nothing
        let sendable = !path.is_empty() && !path.split('/').any(|part| matches!(part, "." | ".." | ""));
        sendable.then(|| Aim { door: Door { mount: root.mount.clone(), version: 2, path: path.to_owned() }, manner: Manner::Value })
    };
    read.filter_map(aim).take(MOST_WITNESSES).collect()
}

/// Where the names of a tenant's neighbours would be told: the folder above its own place. None where that is its own, or another engine's.
pub fn parent(own: &Place, roots: &[Root]) -> Option<Aim> {
    let path = own.path.trim_end_matches('/');
    if path.is_empty() || own.version != 2 {
        return None;
    }
    let above = match own.kind {
        // `tenants/acme-` is a prefix within a folder
        PlaceKind::Prefix if !own.path.ends_with('/') => own.path.rsplit_once('/').map_or("", |(above, _)| above),
        _ => path.rsplit_once('/').map_or("", |(above, _)| above),
    };
    let within = |root: &Root| {
        root.mount == own.mount && (root.path.is_empty() || above == root.path || above.starts_with(&format!("{}/", root.path)))
    };
    let door = Door { mount: own.mount.clone(), version: own.version, path: above.to_owned() };
    (!roots.iter().any(within)).then_some(Aim { door, manner: Manner::Names })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vaultacl::acl::Origin;
    use crate::vaultacl::capability::Capabilities;
    use crate::vaultacl::kv::{VERSION_1, VERSION_2};
    use crate::vaultacl::reach::{Grant, RootFrom};

    fn root(mount: &str, version: u8, path: &str) -> Root {
        Root { mount: mount.into(), version, path: path.to_owned(), from: RootFrom::Named }
    }

    #[test]
    fn nothing_asks_for_a_value() {
        let door = Door { mount: "secret".into(), version: 2, path: "globex".into() };
        let roots =
            [root("secret", 2, "globex"), root("secret", 2, "other"), root("old", 1, "globex"), root("own", 2, ""), root("x", 0, "y")];
        let asked: Vec<_> = aims(&door, &roots, "nonce").iter().map(|aim| (aim.operation().word(), aim.request())).collect();
        let version = &[("version", "999999999")][..];
        assert_eq!(
            asked,
            [
                ("read", ("secret/data/globex".to_owned(), version)),
                ("read", ("secret/metadata/globex".to_owned(), &[][..])),
                ("read", ("secret/data/globex/nonce".to_owned(), version)),
                ("list", ("secret/metadata/globex/".to_owned(), &[][..])),
                ("read", ("secret/data/other".to_owned(), version)),
                ("read", ("old/globex/nonce".to_owned(), &[][..])),
                ("read", ("own/data/nonce".to_owned(), version)),
            ]
        );
        let old = Door { mount: "old".into(), version: 1, path: "globex/x".into() };
        let asked: Vec<_> = aims(&old, &[], "nonce").iter().map(|aim| aim.request().0).collect();
        assert_eq!(asked, ["old/globex/x/nonce", "old/globex/x/"]);
    }

    #[test]
    fn witnesses_that_can_be_asked_for() {
        let crossing = |action, path: &str| Crossing {
            harm: crate::vaultacl::kv::Harm::Value,
            action,
            grant: Grant {
                login: 0,
                origin: Origin { policy: "p".into(), line: 1, capabilities: Capabilities::NONE, written: "x".into() },
                pattern: "x".into(),
                path: path.to_owned(),
                operation: action.operation,
                conditions: false,
            },
            partners: crate::vaultacl::reach::Partners::default(),
        };
        let roots = [root("secret", 2, "globex"), root("old", 1, "globex")];
        let crossings = [
            crossing(VERSION_2[0], "secret/data/globex/~any"),
            crossing(VERSION_2[0], "secret/data/globex/"),
            crossing(VERSION_2[1], "secret/data/globex/b"),
            crossing(VERSION_1[0], "old/globex/c"),
            crossing(VERSION_2[0], "elsewhere/data/globex/d"),
        ];
        let asked: Vec<_> = witnesses(&crossings, &roots).iter().map(|aim| aim.request().0).collect();
        assert_eq!(asked, ["secret/data/globex/~any"]);
    }

    #[test]
    fn parents() {
        let place = |path: &str, kind| Place { mount: "secret".into(), version: 2, path: path.to_owned(), kind };
        for (path, kind, roots, expected) in [
            ("web-tenant-acme", PlaceKind::Exact, &[][..], Some("secret/metadata/")),
            ("tenants/acme/", PlaceKind::Prefix, &[], Some("secret/metadata/tenants/")),
            ("tenants/acme-", PlaceKind::Prefix, &[], Some("secret/metadata/tenants/")),
            ("acme/db/main", PlaceKind::Exact, &[("secret", "acme")], None),
            ("acme/db", PlaceKind::Exact, &[("secret", "acme")], None),
            ("acme", PlaceKind::Exact, &[("secret", "acme")], Some("secret/metadata/")),
            ("acme", PlaceKind::Exact, &[("secret", "")], None),
            ("acme", PlaceKind::Exact, &[("other", "")], Some("secret/metadata/")),
            ("", PlaceKind::Prefix, &[], None),
        ] {
            let roots: Vec<Root> = roots.iter().map(|(mount, path)| root(mount, 2, path)).collect();
            let aim = parent(&place(path, kind), &roots);
            assert_eq!(aim.map(|aim| aim.request().0).as_deref(), expected, "{path} {kind:?}");
        }
    }
}
