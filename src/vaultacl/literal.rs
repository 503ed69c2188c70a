//! Scalars: what quoted texts, heredocs and numbers stand for.

use std::borrow::Cow;

/// The text in quotes of HCL. Inside `${ }` nothing is an escape. None where there is no such text.
pub(super) fn unquote(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    // a line end is let through where a brace or a dollar could have hidden it, and then refused outside of `${ }`
    if !inner.contains(['$', '{']) && inner.contains('\n') {
        return None;
    }
    if !inner.contains(['\\', '"', '$']) {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix("${") {
            let length = interpolation(inside)?;
            let (whole, after) = rest.split_at_checked(length.checked_add(2)?)?;
            out.extend_from_slice(whole.as_bytes());
            rest = after;
            continue;
        }
        rest = match rest.as_bytes().first()? {
            b'\n' | b'"' => return None,
            b'\\' => escape(rest.strip_prefix('\\')?, false, &mut out)?,
            _ => plain(rest, &mut out),
        };
    }
    Some(Cow::Owned(lossy(out)))
}

/// The text in quotes of JSON, as Go's own `strconv.Unquote` reads it: JSON's `\/` is none of its escapes.
pub(super) fn unquote_json(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\n') {
        return None;
    }
    if !inner.contains(['\\', '"']) {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        rest = match rest.as_bytes().first()? {
            b'"' => return None,
            b'\\' => escape(rest.strip_prefix('\\')?, true, &mut out)?,
            _ => plain(rest, &mut out),
        };
    }
    Some(Cow::Owned(lossy(out)))
}

/// Bytes that are no UTF-8 can be escaped; no request path can be written so.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Bytes up to and with the brace that closes.
fn interpolation(text: &str) -> Option<usize> {
    let mut braces = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => braces = braces.saturating_add(1),
            '}' => braces = braces.saturating_sub(1),
            char::REPLACEMENT_CHARACTER => return None,
            _ => {}
        }
        if braces == 0 {
            return at.checked_add(1);
        }
    }
    None
}

/// Copies up to the next character that may mean something.
fn plain<'a>(text: &'a str, out: &mut Vec<u8>) -> &'a str {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let more = text.get(first..).and_then(|rest| rest.find(['\\', '"', '$', '\n'])).map_or(text.len(), |more| more.saturating_add(first));
    let (copied, rest) = text.split_at_checked(more).unwrap_or((text, ""));
    out.extend_from_slice(copied.as_bytes());
    rest
}

/// An escape behind its backslash; returns what follows it.
fn escape<'a>(text: &'a str, strict: bool, out: &mut Vec<u8>) -> Option<&'a str> {
    let (first, rest) = text.split_at_checked(1)?;
    let byte = match first.as_bytes().first()? {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' => b'\\',
        b'"' => b'"',
        b'0'..=b'7' => {
            let (digits, rest) = text.split_at_checked(3)?;
            out.push(u8::from_str_radix(digits, 8).ok()?);
            return Some(rest);
        }
        b'x' => {
            let (digits, rest) = rest.split_at_checked(2)?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            return Some(rest);
        }
        kind @ (b'u' | b'U') => {
            let (digits, rest) = rest.split_at_checked(if *kind == b'u' { 4 } else { 8 })?;
            let value = u32::from_str_radix(digits, 16).ok()?;
            // HCL's reader counts in signed numbers: what is below zero is replaced, as half a surrogate is; JSON's refuses both
            if value > 0x0010_ffff && (strict || value <= 0x7fff_ffff) {
                return None;
            }
            let c = char::from_u32(value).or_else(|| (!strict).then_some(char::REPLACEMENT_CHARACTER))?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(rest);
        }
        _ => return None,
    };
    out.push(byte);
    Some(rest)
}

/// The text of a heredoc. The server cuts the anchor off by the length of its first line, whatever stands before or behind the last.
pub(super) fn heredoc(raw: &str) -> Option<String> {
    let bytes = raw.as_bytes();
    let newline = raw.find('\n')?;
    let start = newline.checked_add(1)?;
    let slice = |end: usize| bytes.get(start..end).map(|part| lossy(part.to_vec()));
    let end = bytes.len().checked_sub(newline)?.checked_add(1)?;
    if bytes.get(2) != Some(&b'-') {
        return slice(end);
    }
    let text = slice(end.checked_add(1)?)?;
    let (lines, prefix) = text.rsplit_once('\n').unwrap_or(("", &text));
    if text.split('\n').all(|line| line.starts_with(prefix)) {
        let mut out = String::with_capacity(lines.len());
        for line in lines.split('\n').take(text.matches('\n').count()) {
            out.push_str(line.strip_prefix(prefix).unwrap_or(line));
            out.push('\n');
        }
        return Some(out);
    }
    slice(end).map(|text| text.trim_end_matches([' ', '\t']).to_owned())
}

/// An integer as Go reads it with base 0: `0x`, `0o`, `0b`, a leading zero for octal, underscores between digits.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, body) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (8, rest)
    } else {
        (10, lower.as_str())
    };
    // an underscore stands between digits, the sign of the base counting as one
    let led = base == 10 && body.starts_with('_');
    if led || body.ends_with('_') || body.contains("__") || body.starts_with(['+', '-']) {
        return None;
    }
    let body = if body.contains('_') { Cow::Owned(body.replace('_', "")) } else { Cow::Borrowed(body) };
    let value = i128::from(u64::from_str_radix(&body, base).ok()?);
    i64::try_from(if negative { value.checked_neg()? } else { value }).ok()
}

/// A number with a point or an exponent; none where it is none, or too large.
pub(super) fn float(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}
