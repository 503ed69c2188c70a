//! One file into its documents. YAML documents are told apart by their markers before anything is parsed, so that one that can't be read does
//! not hide the next.

use serde_json::value::RawValue;

use super::normal::{self, Trouble};

/// A document as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The line it begins on, from 1.
    pub line: usize,
    /// Its text.
    pub text: &'a str,
    /// Whether it is known to be JSON.
    is_json: bool,
}

impl Document<'_> {
    /// The document as JSON. O(length).
    pub fn read(&self) -> Result<Vec<u8>, Trouble> {
        if self.is_json {
            return normal::json(self.text);
        }
        // most tools write JSON into a .yaml; its own reader is ten times as fast, and what it can't read may still be YAML
        let begins = self.text.trim_start_matches("---").trim_start();
        if begins.starts_with('{')
            && let Ok(json) = normal::json(begins)
        {
            return Ok(json);
        }
        normal::yaml(self.text)
    }
}

/// The documents of a text, and what is wrong behind the last one. O(length).
pub fn documents(text: &str, named_json: bool) -> (Vec<Document<'_>>, Option<(usize, Trouble)>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if named_json || text.trim_start().starts_with('{') {
        let (documents, trouble) = json_documents(text);
        if named_json || trouble.is_none() {
            return (documents, trouble);
        }
    }
    (yaml_documents(text), None)
}

/// JSON values one after the other.
fn json_documents(text: &str) -> (Vec<Document<'_>>, Option<(usize, Trouble)>) {
    let mut found = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let (mut line, mut counted) = (1, 0);
    loop {
        let next = stream.next();
        let end = stream.byte_offset();
        match next {
            Some(Ok(raw)) => {
                let text_of = raw.get();
                let start = end.saturating_sub(text_of.len());
                line += lines(text.get(counted..start).unwrap_or_default());
                counted = start;
                found.push(Document { number: found.len() + 1, line, text: text_of, is_json: true });
            }
            Some(Err(error)) => {
                let what = error.to_string();
                let what = what.split_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
                let trouble = Trouble { what, line: Some(error.line() as u64), before: Vec::new() };
                return (found, Some((1, trouble)));
            }
            None => return (found, None),
        }
    }
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Whether a line is this marker: alone, or with white space behind it.
fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// Whether a text has nothing but blanks, comments and directives.
fn is_hollow(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#') || line.starts_with('%') || is_marker(line, "---"))
        && text.lines().filter(|line| is_marker(line, "---")).all(|line| line.trim() == "---")
}

fn yaml_documents(text: &str) -> Vec<Document<'_>> {
    let mut found: Vec<Document<'_>> = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 1, 0);
    let mut end = |from: usize, to: usize, line: usize| {
        let text = text.get(from..to).unwrap_or_default();
        if !is_hollow(text) {
            found.push(Document { number: found.len() + 1, line, text, is_json: false });
        }
    };
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if is_marker(line, "---") {
            // directives stand before the marker of the document they are for
            let before = text.get(start..at).unwrap_or_default();
            if !(is_hollow(before) && before.lines().any(|line| line.starts_with('%'))) {
                end(start, at, first_line);
                (start, first_line) = (at, index + 1);
            }
        } else if is_marker(line, "...") {
            end(start, at, first_line);
            (start, first_line) = (at + line.len(), index + 2);
        }
        at += line.len();
    }
    end(start, text.len(), first_line);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(usize, usize, String)> {
        let (documents, trouble) = documents(text, false);
        assert_eq!(trouble, None);
        let json = |d: &Document<'_>| d.read().map_or_else(|t| t.what, |json| String::from_utf8(json).unwrap());
        documents.iter().map(|d| (d.number, d.line, json(d))).collect()
    }

    fn part(number: usize, line: usize, json: &str) -> (usize, usize, String) {
        (number, line, json.to_owned())
    }

    #[test]
    fn documents_are_told_apart_by_their_markers() {
        assert_eq!(
            parts("a: 1\n---\nb: 2\n---\n# none\n---\r\nc: 3\n"),
            [part(1, 1, r#"{"a":1}"#), part(2, 2, r#"{"b":2}"#), part(3, 6, r#"{"c":3}"#)]
        );
        assert_eq!(
            parts("--- {a: 1}\n--- # words\nb: 2\n...\nc: 3\n"),
            [part(1, 1, r#"{"a":1}"#), part(2, 2, r#"{"b":2}"#), part(3, 5, r#"{"c":3}"#)]
        );
        assert_eq!(parts("\u{feff}%YAML 1.2\n---\na: 1\n"), [part(1, 1, r#"{"a":1}"#)]);
        assert_eq!(parts("a: '---'\nb: ---x\n"), [part(1, 1, r#"{"a":"---","b":"---x"}"#)]);
        assert_eq!(parts(""), []);
    }

    #[test]
    fn a_document_that_cant_be_read_does_not_hide_the_next() {
        let parts = parts("a: [\n---\nb: 2\n");
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1], part(2, 2, r#"{"b":2}"#));
    }

    #[test]
    fn json_values_may_follow_each_other() {
        assert_eq!(parts("{\"a\": 1}\n\n{\"b\": 2}"), [part(1, 1, r#"{"a":1}"#), part(2, 3, r#"{"b":2}"#)]);
        let (found, trouble) = documents("{\"a\": 1}\n{", true);
        assert_eq!(found.len(), 1);
        assert_eq!(trouble.unwrap().1.line, Some(2));
        assert_eq!(parts("{a: b}"), [part(1, 1, r#"{"a":"b"}"#)], "flow style is not JSON");
    }
}
