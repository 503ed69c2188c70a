//! Policies made up: by a grammar that is mostly right, and by damaging what the grammar or a hand wrote.

use fastrand::Rng;

const PATTERNS: &[&str] = &[
    "a",
    "/a",
    "secret/data/acme",
    "secret/data/acme/*",
    "secret/+/x",
    "+/x",
    "*",
    "",
    "{{identity.entity.id}}/x",
    "a//b",
    "é",
    "a b",
    "x${y}z",
    "sys/*",
];
const WORDS: &[&str] =
    &["create", "read", "update", "delete", "list", "sudo", "patch", "deny", "scan", "subscribe", "recover", "root", "READ", ""];
const WEIGHTS: usize = 9;
const LEGACY: &[&str] = &["read", "write", "sudo", "deny", "", "admin"];
const SPACE: &[&str] = &[" ", "  ", "\n", "\t", " # c\n", " // c\n", " /* c */ ", "\r\n", ""];
const SCALARS: &[&str] = &[
    "1",
    "-1",
    "0",
    "0x1f",
    "017",
    "1.5",
    "1e3",
    "true",
    "false",
    "\"x\"",
    "\"*x*\"",
    "\"5m\"",
    "<<E\nx\nE\n",
    "\"\"",
    "\"${x}\"",
    "\"\\x41\"",
];
const PIECES: &[&str] = &[
    "path",
    "name",
    "capabilities",
    "policy",
    "comment",
    "allowed_parameters",
    "min_wrapping_ttl",
    "control_group",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    "=",
    ":",
    "\\",
    "$",
    "${",
    "{{",
    "}}",
    "#",
    "/",
    "/*",
    "*/",
    "\n",
    "\r",
    " ",
    ".",
    "-",
    "+",
    "*",
    "0",
    "9",
    "e",
    "x",
    "<<E\n",
    "\nE\n",
    "true",
    "null",
    "é",
    "\u{feff}",
    "\u{0}",
    "\\x",
    "\\u00",
    "\\400",
];

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

fn space(rng: &mut Rng) -> &'static str {
    if rng.u8(..4) > 0 { " " } else { SPACE[rng.usize(..SPACE.len())] }
}

fn quoted(rng: &mut Rng, text: &str) -> String {
    match rng.u8(..12) {
        0 => text.bytes().map(|b| format!("\\x{b:02x}")).collect::<String>(),
        1 => text.chars().map(|c| format!("\\U{:08X}", c as u32)).collect::<String>(),
        2 => text.bytes().map(|b| format!("\\{b:03o}")).collect::<String>(),
        _ => text.to_owned(),
    }
}

/// A value of HCL, at most so deep.
fn value(rng: &mut Rng, depth: usize) -> String {
    match rng.u8(..if depth == 0 { 5 } else { 8 }) {
        0..=4 => pick(rng, SCALARS).to_owned(),
        5 => list(rng, depth - 1),
        _ => object(rng, depth - 1),
    }
}

fn list(rng: &mut Rng, depth: usize) -> String {
    let items: Vec<String> = (0..rng.usize(..4)).map(|_| value(rng, depth)).collect();
    format!("[{}]", items.join(if rng.u8(..30) == 0 { " " } else { ", " }))
}

fn object(rng: &mut Rng, depth: usize) -> String {
    let mut out = String::from("{");
    for _ in 0..rng.usize(..4) {
        let key = pick(rng, &["a", "b", "\"a\"", "\"*\"", "A", "ttl", "factor", "identity"]);
        let inner = value(rng, depth);
        out += &match rng.u8(..6) {
            0 if inner.starts_with('{') => format!(" {key} {inner}"),
            1 if inner.starts_with('{') => format!(" {key} \"l\" {inner}"),
            _ => format!(" {key} = {inner}"),
        };
        out += if rng.u8(..4) == 0 { "," } else { " " };
    }
    out + "}"
}

fn parameters(rng: &mut Rng) -> String {
    let mut out = String::from("{");
    for _ in 0..rng.usize(..4) {
        let key = pick(rng, &["a", "b", "\"a\"", "\"*\"", "A", "\"x y\""]);
        let inner = if rng.u8(..10) == 0 { value(rng, 2) } else { list(rng, 2) };
        out += &format!(" {key} = {inner} ");
    }
    out + "}"
}

fn words(rng: &mut Rng) -> String {
    let words: Vec<String> = (0..rng.usize(..5))
        .map(|_| {
            // mostly words that every server knows
            let word = if rng.u8(..20) > 0 { WORDS[rng.usize(..WEIGHTS - 1)] } else { pick(rng, WORDS) };
            format!("\"{}\"", quoted(rng, word))
        })
        .collect();
    format!("[{}{}]", words.join(","), if rng.u8(..4) == 0 { "," } else { "" })
}

fn attribute(rng: &mut Rng) -> String {
    let (key, value) = match rng.u8(..16) {
        0..=6 => ("capabilities", words(rng)),
        7 | 8 => ("policy", format!("\"{}\"", pick(rng, LEGACY))),
        9 => ("allowed_parameters", parameters(rng)),
        10 => ("denied_parameters", parameters(rng)),
        11 => ("required_parameters", list(rng, 0)),
        12 => ("min_wrapping_ttl", pick(rng, SCALARS).to_owned()),
        13 => ("max_wrapping_ttl", pick(rng, SCALARS).to_owned()),
        14 => ("comment", value(rng, 3)),
        _ => (
            pick(rng, &["mfa_methods", "control_group", "pagination_limit", "expiration", "subscribe_event_types", "bogus"]),
            value(rng, 2),
        ),
    };
    let key = if rng.u8(..8) == 0 { format!("\"{key}\"") } else { key.to_owned() };
    let equals = if value.starts_with('{') && rng.bool() { "" } else { "=" };
    format!("{key}{}{equals}{}{value}{}", space(rng), space(rng), space(rng))
}

/// A policy in HCL, mostly one that servers take.
pub fn hcl(rng: &mut Rng) -> String {
    let mut out = String::from(space(rng));
    for _ in 0..rng.usize(1..4) {
        let pattern = pick(rng, PATTERNS);
        out += if rng.u8(..8) == 0 { "\"path\"" } else { "path" };
        if rng.u8(..30) > 0 {
            out += &format!("{} \"{}\"", space(rng), quoted(rng, pattern));
        }
        out += &format!("{}{{{}", space(rng), space(rng));
        for _ in 0..rng.usize(..4) {
            out += &attribute(rng);
            out += if rng.u8(..4) == 0 { "," } else { " " };
        }
        out += "}";
        out += if rng.u8(..10) == 0 { "," } else { "\n" };
    }
    out
}

fn json_value(rng: &mut Rng, depth: usize) -> String {
    match rng.u8(..if depth == 0 { 5 } else { 8 }) {
        0..=4 => pick(rng, &["1", "-1", "0", "1.5", "1e3", "true", "false", "null", "\"x\"", "\"5m\"", "\"\""]).to_owned(),
        5 => format!("[{}]", (0..rng.usize(..4)).map(|_| json_value(rng, depth - 1)).collect::<Vec<_>>().join(",")),
        _ => json_object(rng, depth - 1),
    }
}

fn json_object(rng: &mut Rng, depth: usize) -> String {
    let items = |rng: &mut Rng| format!("\"{}\": {}", pick(rng, &["a", "b", "A", "*", "ttl", "factor"]), json_value(rng, depth));
    format!("{{{}}}", (0..rng.usize(..4)).map(|_| items(rng)).collect::<Vec<_>>().join(", "))
}

fn json_block(rng: &mut Rng) -> String {
    let mut parts = Vec::new();
    for _ in 0..rng.usize(..4) {
        parts.push(match rng.u8(..10) {
            0..=4 => format!(
                "\"capabilities\": [{}]",
                (0..rng.usize(..4)).map(|_| format!("\"{}\"", pick(rng, &WORDS[..8]))).collect::<Vec<_>>().join(",")
            ),
            5 => format!("\"policy\": \"{}\"", pick(rng, LEGACY)),
            6 | 7 => format!("\"allowed_parameters\": {}", json_object(rng, 2)),
            8 => format!("\"comment\": {}", json_value(rng, 3)),
            _ => {
                format!("\"{}\": {}", pick(rng, &["min_wrapping_ttl", "required_parameters", "control_group", "bogus"]), json_value(rng, 2))
            }
        });
    }
    format!("{{{}}}", parts.join(", "))
}

/// A policy in JSON, mostly one that servers take.
pub fn json(rng: &mut Rng) -> String {
    let blocks = |rng: &mut Rng| {
        let blocks: Vec<String> = (0..rng.usize(1..4)).map(|_| format!("\"{}\": {}", pick(rng, PATTERNS), json_block(rng))).collect();
        format!("{{{}}}", blocks.join(",\n"))
    };
    let paths: Vec<String> = (0..rng.usize(1..3))
        .map(|_| match rng.u8(..5) {
            0 => format!("\"path\": [{}, {}]", blocks(rng), blocks(rng)),
            _ => format!("\"path\": {}", blocks(rng)),
        })
        .collect();
    format!("{{{}}}", paths.join(", "))
}

/// A text with some of its characters gone, doubled, swapped or new.
pub fn damage(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=chars.len());
        match rng.u8(..6) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 if at < chars.len() => chars.insert(at, chars[at]),
            2 if at + 1 < chars.len() => chars.swap(at, at + 1),
            3 if at < chars.len() => {
                let end = (at + rng.usize(1..8)).min(chars.len());
                chars.drain(at..end);
            }
            4 => chars.truncate(at.max(1)),
            _ => {
                for (offset, c) in pick(rng, PIECES).chars().enumerate() {
                    chars.insert(at + offset, c);
                }
            }
        }
    }
    chars.into_iter().collect()
}
