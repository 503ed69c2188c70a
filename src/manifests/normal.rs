//! Any document as JSON that holds no surprises: no key twice, nothing too deep, nothing too big. Errors keep what was read before them, so
//! that the object can be named.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Levels of lists and objects inside each other. The deepest thing people apply (the schema of a big CRD) has some 40; twice as many as this
/// would not fit on the stack of a thread in an unoptimised build.
pub const DEEPEST: usize = 64;

/// Bytes of one object as JSON, 3 MiB: an API server reads no longer request, so nothing longer can be an object of a cluster.
pub const LARGEST_OBJECT: usize = 3 << 20;

/// Bytes of one file, 256 MiB: a dump of 40,000 pods.
pub const LARGEST_FILE: usize = 256 << 20;

/// Nodes that aliases may stand for in one document. People share a few labels; a hundred thousand is an attack.
const ALIASED: usize = 100_000;

/// Nodes of one document: as many as a file of the largest size can hold in earnest.
const NODES: usize = LARGEST_FILE / 8;

/// Fields that are a truth value. YAML's older words for one (`yes`, `on`, `y`) count as such only here: elsewhere they are names, and a
/// namespace may well be called `y`.
const FLAGS: [&str; 5] = ["hostNetwork", "controller", "automountServiceAccountToken", "suspend", "skipTLSVerify"];

/// The older words for yes and no.
const YES: [&str; 3] = ["y", "yes", "on"];
const NO: [&str; 3] = ["n", "no", "off"];

/// Why a document can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong. Not cleaned.
    pub what: String,
    /// Line within the document, from 1, where it is known.
    pub line: Option<u64>,
    /// The JSON written before the trouble; cut anywhere.
    pub before: Vec<u8>,
}

/// One YAML document (JSON is YAML, too). `null` for an empty one. O(length).
pub fn yaml(text: &str) -> Result<Vec<u8>, Trouble> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            flow_nesting_limit: DEEPEST,
            max_depth: DEEPEST,
            max_documents: 1,
            max_events: NODES,
            max_nodes: NODES,
            max_total_scalar_bytes: LARGEST_FILE,
            max_recorded_anchor_events: ALIASED * 4,
            max_recorded_anchor_bytes: LARGEST_OBJECT * 4,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED, max_replay_stack_depth: DEEPEST / 2 },
        strict_booleans: true,
        emit_comments: false,
        with_snippet: false,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
    };
    let mut out = Vec::with_capacity(text.len());
    let limit = most(text.len());
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Write { out: &mut out, limit, depth: 0, flag: false }.deserialize(deserializer)
    });
    match read {
        Ok(()) => Ok(out),
        Err(error) => {
            Err(Trouble { what: words(&error.without_snippet().to_string()), line: error.location().map(|at| at.line()), before: out })
        }
    }
}

/// One JSON document. O(length).
pub fn json(text: &str) -> Result<Vec<u8>, Trouble> {
    let mut out = Vec::with_capacity(text.len());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Write { out: &mut out, limit: most(text.len()), depth: 0, flag: false }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(out),
        Err(error) => {
            let line = (error.line() > 0).then_some(error.line() as u64);
            Err(Trouble { what: words(&error.to_string()), line, before: out })
        }
    }
}

/// The reader's own words for a limit, by their beginning, and ours.
const WORDS: [(&str, &str); 6] = [
    ("recursion limit exceeded", "nested more than 64 levels deep"),
    ("budget breached: Depth", "nested more than 64 levels deep"),
    ("alias replay limit exceeded", "its aliases stand for more than 100000 nodes"),
    ("budget breached: RecordedAnchor", "its anchors hold too much"),
    ("recursive references", "an alias stands for something that holds it"),
    ("budget breached: Documents", "two documents where one was expected"),
];

/// The message without the place, which is told apart.
fn words(said: &str) -> String {
    let first = said.lines().next().unwrap_or_default();
    let first = [" at line ", " (defined"].iter().fold(first, |text, cut| text.split_once(cut).map_or(text, |(what, _)| what));
    if let Some(key) = first.strip_prefix("duplicate mapping key: ") {
        return format!("key {:?} stands twice", key.split_once(", set ").map_or(key, |(key, _)| key));
    }
    let ours = WORDS.iter().find(|(theirs, _)| first.starts_with(theirs));
    ours.map_or(first, |(_, ours)| ours).to_owned()
}

/// How much a text of this length may become: quoting takes some, aliases more.
const fn most(length: usize) -> usize {
    length.saturating_mul(4).saturating_add(LARGEST_OBJECT)
}

/// Writes whatever comes as JSON.
struct Write<'a> {
    out: &'a mut Vec<u8>,
    /// `out` may not become longer.
    limit: usize,
    depth: usize,
    /// The value is of a field of [`FLAGS`].
    flag: bool,
}

impl Write<'_> {
    fn put<E: serde::de::Error>(self, bytes: &[u8]) -> Result<(), E> {
        self.out.extend_from_slice(bytes);
        room(self.out, self.limit)
    }

    fn text<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let flag = self.flag;
        let is_one_of = |words: [&str; 3]| flag && words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is_one_of(YES) || is_one_of(NO) {
            return self.visit_bool(is_one_of(YES));
        }
        quote(self.out, text)?;
        room(self.out, self.limit)
    }
}

fn quote<E: serde::de::Error>(out: &mut Vec<u8>, text: &str) -> Result<(), E> {
    serde_json::to_writer(out, text).map_err(E::custom)
}

fn room<E: serde::de::Error>(out: &[u8], limit: usize) -> Result<(), E> {
    if out.len() <= limit { Ok(()) } else { Err(E::custom(format!("longer than the {LARGEST_OBJECT} bytes that an API server reads"))) }
}

fn deeper<E: serde::de::Error>(depth: usize) -> Result<usize, E> {
    if depth < DEEPEST { Ok(depth + 1) } else { Err(E::custom(format!("nested more than {DEEPEST} levels deep"))) }
}

impl<'de> DeserializeSeed<'de> for Write<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Write<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.put(b"null")
    }
    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.put(b"null")
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.put(if value { b"true" } else { b"false" })
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.put(value.to_string().as_bytes())
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.put(value.to_string().as_bytes())
    }
    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<(), E> {
        self.put((value as f64).to_string().as_bytes())
    }
    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<(), E> {
        self.put((value as f64).to_string().as_bytes())
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        let text = serde_json::to_string(&value).map_err(E::custom)?;
        self.put(text.as_bytes())
    }
    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.text(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { out, limit, depth, .. } = self;
        let depth = deeper(depth)?;
        out.push(b'[');
        let mut first = true;
        loop {
            let at = out.len();
            if !first {
                out.push(b',');
            }
            if list.next_element_seed(Write { out, limit, depth, flag: false })?.is_none() {
                out.truncate(at);
                break;
            }
            first = false;
        }
        out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { out, limit, depth, .. } = self;
        let inside = deeper(depth)?;
        let mut seen: HashSet<String> = HashSet::new();
        out.push(b'{');
        while let Some(key) = map.next_key_seed(Key)? {
            if !seen.is_empty() {
                out.push(b',');
            }
            quote(out, &key)?;
            out.push(b':');
            // a list of objects may be as long as the file, whatever else the document holds may not
            let limit = if depth == 0 && key != "items" { limit.min(out.len().saturating_add(LARGEST_OBJECT)) } else { limit };
            if seen.contains(key.as_ref()) {
                return Err(A::Error::custom(format!("key {key:?} stands twice")));
            }
            let flag = FLAGS.contains(&key.as_ref());
            seen.insert(key.into_owned());
            map.next_value_seed(Write { out, limit, depth: inside, flag })?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// A key: whatever its type, its text.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(text: &str) -> String {
        String::from_utf8(yaml(text).unwrap()).unwrap()
    }

    fn bad(text: &str) -> Trouble {
        yaml(text).unwrap_err()
    }

    #[test]
    fn yaml_becomes_the_json_that_kubectl_would_send() {
        assert_eq!(good("a: true\nb: 'true'\nc: 0x1f\nd: ~\ne: 1.5\n1: x\n"), r#"{"a":true,"b":"true","c":31,"d":null,"e":1.5,"1":"x"}"#);
        assert_eq!(good("x: &x {a: 1}\ny:\n  <<: *x\n"), r#"{"x":{"a":1},"y":{"a":1}}"#);
        assert_eq!(good("name: y\nhostNetwork: yes\nsuspend: Off\n"), r#"{"name":"y","hostNetwork":true,"suspend":false}"#);
        assert_eq!(good("# nothing\n"), "null");
        assert_eq!(good("[]"), "[]");
    }

    #[test]
    fn a_key_that_stands_twice_is_told_with_its_line() {
        let trouble = bad("kind: A\nmetadata:\n  name: a\n  name: b\n");
        assert_eq!((trouble.what.as_str(), trouble.line), ("key \"name\" stands twice", Some(4)));
        let trouble = json("{\"kind\": \"A\",\n\"kind\": \"B\"}").unwrap_err();
        assert_eq!((trouble.what.as_str(), trouble.line), ("key \"kind\" stands twice", Some(2)));
        assert!(trouble.before.starts_with(br#"{"kind":"A""#), "what came before is kept");
    }

    #[test]
    fn ten_thousand_levels_are_refused_in_every_style() {
        let block = (0..10_000).fold(String::new(), |text, i| text + &" ".repeat(i) + "a:\n");
        for text in [
            format!("a: {}{}", "[".repeat(10_000), "]".repeat(10_000)),
            format!("a: {}{}", "{a: ".repeat(10_000), "}".repeat(10_000)),
            format!("a:\n {}x", "- ".repeat(10_000)),
            block,
        ] {
            assert_eq!(bad(&text).what, "nested more than 64 levels deep");
        }
        let trouble = json(&format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000))).unwrap_err();
        assert_eq!(trouble.what, "nested more than 64 levels deep");
    }

    #[test]
    fn levels_up_to_the_limit_are_read() {
        let text = format!("{}{}", "[".repeat(DEEPEST - 2), "]".repeat(DEEPEST - 2));
        assert_eq!(good(&text), text);
        assert_eq!(json(&text).unwrap(), text.as_bytes());
    }

    #[test]
    fn exploding_aliases_end_early() {
        use std::fmt::Write as _;
        let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for i in 1..20 {
            let _ = writeln!(laughs, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(","));
        }
        assert!(bad(&laughs).what.contains("aliases"), "{:?}", bad(&laughs).what);
        let fat = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 5000].join(","));
        assert!(bad(&fat).what.contains("longer than"), "{:?}", bad(&fat).what);
        assert!(bad("a: &a [*a]\n").what.contains("alias"));
    }

    #[test]
    fn one_object_may_be_so_long_and_a_list_longer() {
        let long = "x".repeat(LARGEST_OBJECT + 1);
        assert!(bad(&format!("kind: A\ndata: {long}\n")).what.contains("longer than"));
        assert!(yaml(&format!("kind: List\nitems:\n- {long}\n- {long}\n")).is_ok());
    }
}
