//! Requests that tell a refusal from anything else without changing what the next request finds: nothing is created, nothing that is there is
//! deleted.

use partywall::vaultacl::capability::Operation;
use serde_json::{Map, Value, json};

use crate::choices::Choices;
use crate::made::data;

/// Secrets that are there: on `k1` (version 1) as they stand, on `k2` (version 2) below `data/` and `metadata/`.
pub const THERE: [&str; 4] = ["a", "b", "a/b", "ab/a"];
/// Names that are not.
const NOT_THERE: [&str; 5] = ["n", "a/n", "b/a/b", "ab/ä", "alice"];

#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    /// Without namespace and query.
    pub path: String,
    pub query: Map<String, Value>,
    /// Turns a GET into something else: `list=true`.
    pub turn: &'static str,
    pub body: Option<Map<String, Value>>,
    pub wrap: Option<u64>,
    pub operation: Operation,
    /// The path asks for sudo.
    pub sudo: bool,
}

impl Ask {
    fn new(method: &'static str, operation: Operation, path: String) -> Self {
        Self { method, path, query: Map::new(), turn: "", body: None, wrap: None, operation, sudo: false }
    }

    /// What the ACL sees as parameters.
    pub fn data(&self) -> Option<&Map<String, Value>> {
        self.body.as_ref().or((!self.query.is_empty()).then_some(&self.query))
    }

    /// As it goes out.
    pub fn target(&self) -> String {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.*,".contains(c));
        let pairs = self.query.iter().map(|(key, value)| {
            let value = value.as_str().unwrap();
            assert!(plain(key) && plain(value));
            format!("{key}={value}")
        });
        let turn = (!self.turn.is_empty()).then(|| self.turn.to_owned());
        let query: Vec<String> = turn.into_iter().chain(pairs).collect();
        let path: String = self.path.bytes().map(|b| if b.is_ascii() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

fn pick<'a>(choose: &mut Choices<'_>, names: &[&'a str]) -> &'a str {
    choose.of::<&str>(names)
}

/// GET of anything, plain, as HELP, or with parameters.
fn read(choose: &mut Choices<'_>, path: String) -> Ask {
    if choose.once_in(24) {
        let mut ask = Ask::new("GET", Operation::Help, path);
        ask.turn = "help=1";
        return ask;
    }
    let mut ask = Ask::new("GET", Operation::Read, path);
    if choose.once_in(2) {
        ask.query = data(choose, &["a", "b", "version", "B"], true);
    }
    ask
}

/// LIST and SCAN in both spellings.
fn list(choose: &mut Choices<'_>, path: &str, scans: bool) -> Ask {
    let slash = if choose.once_in(3) && !path.ends_with('/') { "/" } else { "" };
    let (method, turn, operation) = *choose.of(&[
        ("LIST", "", Operation::List),
        ("GET", "list=true", Operation::List),
        ("SCAN", "", Operation::Scan),
        ("GET", "scan=true", Operation::Scan),
    ]);
    let (method, turn, operation) =
        if scans || operation == Operation::List { (method, turn, operation) } else { ("LIST", "", Operation::List) };
    let mut ask = Ask::new(method, operation, format!("{path}{slash}"));
    ask.turn = turn;
    if choose.once_in(2) {
        ask.query.insert("limit".to_owned(), json!(choose.of(&["1", "5", "6", "max", "x", "", "0", "-1", "2", "3"])));
    }
    ask
}

fn write(choose: &mut Choices<'_>, operation: Operation, path: String, keys: &[&str]) -> Ask {
    let method = *choose.of(&["POST", "PUT"]);
    let mut ask = Ask::new(method, operation, path);
    ask.body = Some(data(choose, keys, false));
    ask
}

fn patch(choose: &mut Choices<'_>, path: String) -> Ask {
    let mut ask = Ask::new("PATCH", Operation::Patch, path);
    ask.body = Some(data(choose, &["a", "b", "B"], false));
    ask
}

/// Version 1.
fn first(choose: &mut Choices<'_>, scans: bool) -> Ask {
    let there = format!("k1/{}", pick(choose, &THERE));
    let gone = format!("k1/{}", pick(choose, &NOT_THERE));
    match choose.pick(8) {
        0 | 1 => read(choose, there),
        2 | 3 => list(choose, &there, scans),
        4 => {
            let mut ask = write(choose, Operation::Update, there, &["a", "b", "B"]);
            ask.body.as_mut().unwrap().entry("z").or_insert(json!("z"));
            ask
        }
        5 => {
            // without data it is refused after it was authorised: nothing comes to be
            let mut ask = write(choose, Operation::Create, gone, &["a"]);
            ask.body = Some(Map::new());
            ask
        }
        6 => Ask::new("DELETE", Operation::Delete, gone),
        _ => read(choose, gone),
    }
}

/// Version 2: writes lack `data`, so they are refused after they were authorised.
fn second(choose: &mut Choices<'_>, scans: bool) -> Ask {
    let (there, gone) = (pick(choose, &THERE), pick(choose, &NOT_THERE));
    let keys = ["a", "b", "B"];
    match choose.pick(16) {
        0 | 1 => read(choose, format!("k2/data/{there}")),
        2 => read(choose, format!("k2/data/{gone}")),
        3 => write(choose, Operation::Update, format!("k2/data/{there}"), &keys),
        4 => write(choose, Operation::Create, format!("k2/data/{gone}"), &keys),
        5 => patch(choose, format!("k2/data/{there}")),
        6 => Ask::new("DELETE", Operation::Delete, format!("k2/data/{gone}")),
        7 => read(choose, format!("k2/metadata/{there}")),
        8 | 9 => list(choose, &format!("k2/metadata/{there}"), scans),
        10 => write(choose, Operation::Update, format!("k2/metadata/{there}"), &keys),
        11 => Ask::new("DELETE", Operation::Delete, format!("k2/metadata/{gone}")),
        12 => {
            let below = pick(choose, &["delete", "undelete", "destroy"]);
            write(choose, Operation::Update, format!("k2/{below}/{there}"), &keys)
        }
        13 => read(choose, format!("k2/subkeys/{there}")),
        14 if scans => list(choose, &format!("k2/detailed-metadata/{there}"), scans),
        14 => patch(choose, format!("k2/metadata/{there}")),
        _ => read(choose, "k2/config".to_owned()),
    }
}

/// A request. `mounts_only` leaves out what only the root namespace has.
pub fn ask(choose: &mut Choices<'_>, scans: bool, mounts_only: bool) -> Ask {
    let mut ask = match choose.pick(16) {
        0..7 => first(choose, scans),
        15 if !mounts_only => match choose.pick(3) {
            0 => Ask { sudo: true, ..Ask::new("GET", Operation::Read, "sys/audit".to_owned()) },
            1 => Ask::new("GET", Operation::Read, "sys/mounts".to_owned()),
            _ => list(choose, "sys/policies/acl", false),
        },
        _ => second(choose, scans),
    };
    if ask.operation != Operation::Help && choose.once_in(4) {
        ask.wrap = Some(*choose.of(&[5, 10, 60, 90, 120, 300]));
    }
    ask
}

/// Every path that is worth a rule.
pub fn paths() -> Vec<String> {
    let mut all = Vec::new();
    for name in THERE.iter().chain(&NOT_THERE) {
        all.push(format!("k1/{name}"));
        for below in ["data", "data", "metadata", "metadata", "delete", "subkeys", "detailed-metadata"] {
            all.push(format!("k2/{below}/{name}"));
        }
    }
    all.extend(["k1", "k1/", "k2", "k2/config", "sys/audit", "sys/mounts", "sys/policies/acl"].map(str::to_owned));
    all
}
