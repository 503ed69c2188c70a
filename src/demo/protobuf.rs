//! The few protobuf bodies kubectl insists on: reviews, token requests, namespaces.

use serde_json::{Value, json};

use super::json::Json;

/// The value of one field on the wire.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// How a field becomes JSON.
enum Shape {
    Text,
    /// A repeated text.
    Texts,
    Number,
    Message(&'static [(u64, &'static str, Self)]),
}

type Fields = &'static [(u64, &'static str, Shape)];

const ATTRIBUTES: Fields = &[
    (1, "namespace", Shape::Text),
    (2, "verb", Shape::Text),
    (3, "group", Shape::Text),
    (4, "version", Shape::Text),
    (5, "resource", Shape::Text),
    (6, "subresource", Shape::Text),
    (7, "name", Shape::Text),
];
const PATH: Fields = &[(1, "path", Shape::Text), (2, "verb", Shape::Text)];
const ACCESS: Fields = &[
    (1, "resourceAttributes", Shape::Message(ATTRIBUTES)),
    (2, "nonResourceAttributes", Shape::Message(PATH)),
    (3, "user", Shape::Text),
    (4, "groups", Shape::Texts),
];
const RULES: Fields = &[(1, "namespace", Shape::Text)];
const TOKEN: Fields = &[(1, "audiences", Shape::Texts), (4, "expirationSeconds", Shape::Number)];
const REVIEWED_TOKEN: Fields = &[(1, "token", Shape::Text), (2, "audiences", Shape::Texts)];
const METADATA: Fields = &[(1, "name", Shape::Text), (3, "namespace", Shape::Text)];
const KINDS: &[(&str, Fields)] = &[
    ("SelfSubjectAccessReview", ACCESS),
    ("SubjectAccessReview", ACCESS),
    ("LocalSubjectAccessReview", ACCESS),
    ("SelfSubjectRulesReview", RULES),
    ("SelfSubjectReview", &[]),
    ("TokenRequest", TOKEN),
    ("TokenReview", REVIEWED_TOKEN),
    ("Namespace", &[]),
];

/// The object in a protobuf body, if it is of a kind that is known here.
pub(crate) fn read(body: &[u8]) -> Option<Value> {
    let envelope = body.strip_prefix(b"k8s\0")?;
    let types = sub(envelope, 1);
    let raw = sub(envelope, 2);
    let mut value = message(types, &[(1, "apiVersion", Shape::Text), (2, "kind", Shape::Text)]);
    let (_, spec) = KINDS.iter().find(|(kind, _)| *kind == value.text("kind"))?;
    value.put("metadata", message(sub(raw, 1), METADATA));
    value.put("spec", message(sub(raw, 2), spec));
    Some(value)
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut result = 0;
    let mut shift = 0;
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        result |= u64::from(byte & 127).checked_shl(shift).unwrap_or_default();
        shift += 7;
        if *byte < 128 {
            break;
        }
    }
    result
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut list = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let skip = |bytes: &[u8], n: usize| n.min(bytes.len());
        match tag & 7 {
            0 => list.push((tag >> 3, Field::Number(varint(&mut bytes)))),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap_or(usize::MAX).min(bytes.len());
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                list.push((tag >> 3, Field::Bytes(value)));
            }
            1 => bytes = bytes.split_at(skip(bytes, 8)).1,
            5 => bytes = bytes.split_at(skip(bytes, 4)).1,
            _ => break,
        }
    }
    list
}

fn sub(bytes: &[u8], number: u64) -> &[u8] {
    let found = fields(bytes).into_iter().find_map(|(n, field)| match field {
        Field::Bytes(value) if n == number => Some(value),
        _ => None,
    });
    found.unwrap_or_default()
}

fn message(bytes: &[u8], known: &[(u64, &'static str, Shape)]) -> Value {
    let mut value = json!({});
    for (number, field) in fields(bytes) {
        let Some((_, name, shape)) = known.iter().find(|(n, ..)| *n == number) else { continue };
        match (field, shape) {
            (Field::Bytes(raw), Shape::Text) => value.put(name, String::from_utf8_lossy(raw).into_owned()),
            (Field::Bytes(raw), Shape::Texts) => {
                super::json::array(value.slot(name)).push(String::from_utf8_lossy(raw).into_owned().into());
            }
            (Field::Bytes(raw), Shape::Message(inner)) => value.put(name, message(raw, inner)),
            (Field::Number(n), Shape::Number) => value.put(name, n),
            _ => {}
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::read;
    use serde_json::json;

    #[test]
    fn a_token_request_is_read() {
        let types = b"\x0a\x18authentication.k8s.io/v1\x12\x0cTokenRequest";
        let spec = b"\x0a\x05vault\x20\xd8\x04";
        let mut raw = vec![0x12, u8::try_from(spec.len()).unwrap()];
        raw.extend(spec);
        let mut body = b"k8s\0".to_vec();
        for (tag, part) in [(0x0a, &types[..]), (0x12, &raw[..])] {
            body.extend([tag, u8::try_from(part.len()).unwrap()]);
            body.extend(part);
        }
        let value = read(&body).unwrap();
        assert_eq!(value["spec"], json!({"audiences": ["vault"], "expirationSeconds": 600}));
        assert!(read(b"k8s\0\xff\xff\xff").is_none());
    }
}
