//! Made-up policies: what they mean, as a value, and how they are written, as HCL and as JSON.

use std::collections::BTreeMap;

use partywall::model::time::Time;
use partywall::vaultacl::capability::{Capabilities, Capability};
use partywall::vaultacl::dialect::Dialect;
use partywall::vaultacl::policy::{Limits, Policy, Rule};
use serde_json::{Value, json};

use crate::choices::Choices;

/// Long gone, and not soon.
pub const PAST: &str = "2020-01-02T03:04:05Z";
pub const FUTURE: &str = "2099-01-02T03:04:05Z";
/// Between the two.
pub const NOW: Time = Time(1_795_000_000_000);

#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// As written: with its leading slash, if any.
    pub pattern: String,
    pub capabilities: Option<Vec<Capability>>,
    /// The old `policy = "…"`.
    pub legacy: Option<&'static str>,
    pub limits: Limits,
    pub expires: Option<&'static str>,
}

pub type MadePolicy = Vec<Made>;

/// The words a dialect takes.
pub fn words(dialect: Dialect) -> Vec<Capability> {
    use Capability as C;
    let mut all = vec![C::Read, C::List, C::Update, C::Create, C::Delete, C::Patch, C::Sudo];
    match dialect {
        Dialect::OpenBao25 | Dialect::OpenBao26 => all.push(C::Scan),
        Dialect::Vault121 | Dialect::Vault20 => all.extend([C::Subscribe, C::Recover]),
        _ => {}
    }
    all
}

/// A pattern that has something to do with the path.
pub fn pattern(choose: &mut Choices<'_>, path: &str, templates: &[String]) -> String {
    if choose.once_in(16) {
        return choose.of(&["*", "+", "+/*", "+/+", "", "/+", "a*", "+/", "//a", "k1/*"]).to_string();
    }
    let part = |choose: &mut Choices<'_>, part: &str| match choose.pick(32) {
        0..24 => part.to_owned(),
        24..29 => "+".to_owned(),
        29 => format!("+{part}"),
        30 => format!("{part}+"),
        _ if templates.is_empty() => "*".to_owned(),
        _ => choose.of(templates).clone(),
    };
    let parts: Vec<String> = path.split('/').map(|each| part(choose, each)).collect();
    let mut pattern = parts.join("/");
    if choose.once_in(3) && !pattern.contains("{{") {
        let ends: Vec<usize> = pattern.char_indices().map(|(at, _)| at).collect();
        if !ends.is_empty() {
            pattern.truncate(*choose.of(&ends[ends.len().saturating_sub(200)..]));
        }
    }
    if choose.once_in(6) {
        pattern.push('/');
    }
    if choose.once_in(3) {
        pattern.push('*');
    }
    if choose.once_in(24) {
        pattern.insert(0, '/');
    }
    while pattern.contains("+*") {
        pattern = pattern.replace("+*", "+");
    }
    pattern
}

/// Values that policies list and requests carry.
fn value(choose: &mut Choices<'_>) -> Value {
    choose
        .of(&[
            json!("1"),
            json!("x"),
            json!("x*"),
            json!("*y"),
            json!("*x*"),
            json!("*"),
            json!(""),
            json!(1),
            json!(true),
            json!(["x", "y"]),
            json!("999999999"),
            json!("x,y"),
            json!("bad"),
            json!({"b": "c"}),
        ])
        .clone()
}

/// Takes keys out of the answer of a LIST and decides nothing.
const KEYS_FILTER: &str = "{{ .path }}{{ .key }}";

const KEYS: [&str; 7] = ["a", "b", "version", "B", "*", "max_versions", "limit"];

fn parameters(choose: &mut Choices<'_>) -> Option<BTreeMap<String, Vec<Value>>> {
    if !choose.once_in(2) {
        return None;
    }
    let mut map: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for _ in 0..=choose.pick(3) {
        let key = *choose.of(&KEYS);
        // the same key in two cases would leave it to the server's map order
        if !map.keys().any(|have| have.eq_ignore_ascii_case(key)) {
            let many = choose.pick(3);
            map.insert(key.to_owned(), (0..many).map(|_| value(choose)).collect());
        }
    }
    Some(map)
}

/// Data of a request.
pub fn data(choose: &mut Choices<'_>, keys: &[&str], strings: bool) -> serde_json::Map<String, Value> {
    let mut map = serde_json::Map::new();
    for _ in 0..choose.pick(3) {
        let key = (*choose.of(keys)).to_owned();
        let value = value(choose);
        if !strings || value.is_string() {
            map.insert(key, value);
        }
    }
    map
}

fn limits(choose: &mut Choices<'_>, dialect: Dialect) -> Limits {
    let mut limits = Limits::default();
    if !choose.once_in(4) {
        return limits;
    }
    limits.allowed = parameters(choose);
    limits.denied = parameters(choose);
    limits.required = choose.some(&["a", "B", "limit"], 8).into_iter().map(str::to_owned).collect();
    if choose.once_in(4) {
        limits.min_wrap = *choose.of(&[0, 10, 60]);
        limits.max_wrap = *choose.of(&[0, 60, 120]);
    }
    if dialect.is_openbao() && choose.once_in(3) {
        limits.pagination = *choose.of(&[2, 5]);
    }
    limits
}

/// One block about one of the paths.
pub fn block(choose: &mut Choices<'_>, dialect: Dialect, paths: &[String], templates: &[String]) -> Made {
    let path = choose.of(paths).clone();
    let pattern = pattern(choose, &path, templates);
    let mut capabilities = choose.some(&words(dialect), 2);
    if choose.once_in(6) {
        capabilities.insert(choose.pick(capabilities.len() + 1), Capability::Deny);
    }
    let legacy = choose.once_in(12).then(|| *choose.of(&["read", "write", "sudo", "deny"]));
    let capabilities = (legacy.is_none() || choose.once_in(2)).then_some(capabilities);
    let limits = limits(choose, dialect);
    let expires = (dialect.is_openbao() && choose.once_in(16)).then(|| *choose.of(&[PAST, FUTURE]));
    let mut made = Made { pattern, capabilities, legacy, limits, expires };
    // refused beside anything that does not list
    if made.limits.pagination > 0 && made.rule().capabilities.has(Capability::List) && choose.once_in(2) {
        made.limits.keys_filter = Some(KEYS_FILTER.to_owned());
    }
    made
}

/// A policy of a few blocks.
pub fn policy(choose: &mut Choices<'_>, dialect: Dialect, paths: &[String], templates: &[String]) -> MadePolicy {
    (0..=choose.pick(5)).map(|_| block(choose, dialect, paths, templates)).collect()
}

impl Made {
    /// What it means: `spec/vault.md` 1.1.
    pub fn rule(&self) -> Rule {
        use Capability as C;
        let mut capabilities: Capabilities = self.capabilities.iter().flatten().copied().collect();
        let legacy: &[C] = match self.legacy {
            Some("deny") => &[C::Deny],
            Some("read") => &[C::Read, C::List],
            Some("write") => &[C::Create, C::Read, C::Update, C::Delete, C::List],
            Some(_) => &[C::Create, C::Read, C::Update, C::Delete, C::List, C::Sudo],
            None => &[],
        };
        capabilities = capabilities.or(legacy.iter().copied().collect());
        let deny = capabilities.has(C::Deny);
        if deny {
            capabilities = Capabilities::of(C::Deny);
        }
        Rule {
            // a slash in front of a template is stripped only after it was filled in
            pattern: self.pattern.strip_prefix('/').filter(|rest| !rest.contains("{{")).unwrap_or(&self.pattern).to_owned(),
            line: 1,
            capabilities,
            limits: (!deny && self.limits != Limits::default()).then(|| Box::new(self.limits.clone())),
            expires: self.expires.and_then(Time::parse),
        }
    }

    fn hcl(&self) -> String {
        let mut lines = Vec::new();
        if let Some(legacy) = self.legacy {
            lines.push(format!("policy = {legacy:?}"));
        }
        if let Some(capabilities) = &self.capabilities {
            lines.push(format!("capabilities = [{}]", quoted(capabilities.iter().map(|c| c.word()))));
        }
        let limits = &self.limits;
        for (name, map) in [("allowed_parameters", &limits.allowed), ("denied_parameters", &limits.denied)] {
            if let Some(map) = map {
                let entry = |(key, values): (&String, &Vec<Value>)| format!("{key:?} = {}", hcl_value(&Value::Array(values.clone())));
                lines.push(format!("{name} = {{\n {}\n}}", map.iter().map(entry).collect::<Vec<_>>().join("\n ")));
            }
        }
        if !limits.required.is_empty() {
            lines.push(format!("required_parameters = [{}]", quoted(limits.required.iter().map(String::as_str))));
        }
        for (name, number) in [("min_wrapping_ttl", limits.min_wrap), ("max_wrapping_ttl", limits.max_wrap)] {
            if number > 0 {
                lines.push(if number == 10 { format!("{name} = 10") } else { format!("{name} = \"{number}s\"") });
            }
        }
        if limits.pagination > 0 {
            lines.push(format!("pagination_limit = {}", limits.pagination));
        }
        if let Some(filter) = &limits.keys_filter {
            lines.push(format!("list_scan_response_keys_filter_path = {filter:?}"));
        }
        if let Some(expires) = self.expires {
            lines.push(format!("expiration = {expires:?}"));
        }
        format!("path \"{}\" {{\n  {}\n}}\n", self.pattern, lines.join("\n  "))
    }

    fn json(&self) -> String {
        let mut map = serde_json::Map::new();
        let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
        if let Some(legacy) = self.legacy {
            put("policy", json!(legacy));
        }
        if let Some(capabilities) = &self.capabilities {
            put("capabilities", capabilities.iter().map(|c| json!(c.word())).collect());
        }
        for (name, wanted) in [("allowed_parameters", &self.limits.allowed), ("denied_parameters", &self.limits.denied)] {
            if let Some(wanted) = wanted {
                put(name, json!(wanted));
            }
        }
        if !self.limits.required.is_empty() {
            put("required_parameters", json!(self.limits.required));
        }
        for (name, number) in [("min_wrapping_ttl", self.limits.min_wrap), ("max_wrapping_ttl", self.limits.max_wrap)] {
            if number > 0 {
                put(name, json!(format!("{number}s")));
            }
        }
        if self.limits.pagination > 0 {
            put("pagination_limit", json!(self.limits.pagination));
        }
        if let Some(filter) = &self.limits.keys_filter {
            put("list_scan_response_keys_filter_path", json!(filter));
        }
        if let Some(expires) = self.expires {
            put("expiration", json!(expires));
        }
        format!("{}: {}", json!(self.pattern), Value::Object(map))
    }

    /// Values that only HCL can say, or that JSON says otherwise to the servers' HCL reader.
    pub fn fits_json(&self) -> bool {
        let plain =
            |map: &Option<BTreeMap<String, Vec<Value>>>| map.iter().flatten().all(|(_, values)| values.iter().all(Value::is_string));
        plain(&self.limits.allowed) && plain(&self.limits.denied)
    }
}

fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

fn hcl_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(values) => format!("[{}]", values.iter().map(hcl_value).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key:?} = {}", hcl_value(value))).collect();
            format!("{{ {} }}", entries.join("\n"))
        }
        other => other.to_string(),
    }
}

/// As HCL.
pub fn hcl(policy: &[Made]) -> String {
    policy.iter().map(Made::hcl).collect()
}

/// As JSON, with its keys repeated where patterns repeat.
pub fn json(policy: &[Made]) -> String {
    format!("{{\"path\": {{{}}}}}", policy.iter().map(Made::json).collect::<Vec<_>>().join(", "))
}

/// As a value.
pub fn meant(policy: &[Made]) -> Policy {
    Policy { rules: policy.iter().map(Made::rule).collect() }
}
