//! Text for detail panes and dialogs: lines of spans with meanings, wrapped to a width. Pure, so that update knows how long it is.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::role::Role;

/// A run of text with one meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text, fit to show.
    pub text: String,
    /// Its meaning.
    pub role: Role,
}

/// A span.
pub fn span(text: impl Into<String>, role: Role) -> Span {
    Span { text: text.into(), role }
}

/// Lines.
#[derive(Clone, Debug, Default)]
pub struct Doc {
    /// Each line's spans.
    pub lines: Vec<Vec<Span>>,
    /// Columns to wrap at.
    pub width: usize,
}

impl Doc {
    /// An empty text of that many columns.
    pub const fn new(width: usize) -> Self {
        Self { lines: Vec::new(), width }
    }

    /// An empty line, unless the text is empty or ends with one.
    pub fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
    }

    /// A heading.
    pub fn head(&mut self, text: &str) {
        self.blank();
        self.lines.push(vec![span(text.to_uppercase(), Role::Label)]);
    }

    /// A line as it is; cut when drawn, not wrapped.
    pub fn line(&mut self, spans: Vec<Span>) {
        self.lines.push(spans);
    }

    /// A paragraph.
    pub fn para(&mut self, text: &str, role: Role) {
        self.hang(Vec::new(), text, role);
    }

    /// A paragraph behind a first piece; further lines are indented by its width. O(length).
    pub fn hang(&mut self, first: Vec<Span>, text: &str, role: Role) {
        let indent: usize = first.iter().map(|s| s.text.width()).sum();
        let room = self.width.saturating_sub(indent).max(4);
        let mut lines = wrap(text, room).into_iter();
        let mut line = first;
        line.extend(lines.next().map(|text| span(text, role)));
        self.lines.push(line);
        for text in lines {
            self.lines.push(vec![span(" ".repeat(indent), Role::Text), span(text, role)]);
        }
    }

    /// A label in a column of its own, and its value wrapped beside it.
    pub fn pair(&mut self, label: &str, columns: usize, value: &str, role: Role) {
        self.hang(vec![span(format!("{label:columns$} "), Role::Label)], value, role);
    }
}

/// Breaks a text into lines of at most `width` columns, at spaces where possible. O(length).
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let columns = word.width();
        if used > 0 && used + 1 + columns <= width {
            line.push(' ');
            line.push_str(word);
            used += 1 + columns;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        // names longer than a line break where they have parts
        for part in word.split_inclusive(['/', '-', '.', ',', '=']) {
            if used > 0 && used + part.width() > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            for c in part.chars() {
                let columns = c.width().unwrap_or(0);
                if used + columns > width && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(c);
                used += columns;
            }
        }
    }
    if used > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A text field's content with its cursor: what is before it, the cell under it, what is after.
pub fn field(say: &super::redact::Say<'_>, input: &tui_input::Input) -> Vec<Span> {
    if say.aliases.is_some() {
        return vec![span(say.say(input.value()).into_owned(), Role::Match), span("_", Role::Cursor)];
    }
    let mut chars = input.value().chars();
    let before: String = chars.by_ref().take(input.cursor()).collect();
    let under: String = chars.next().map_or_else(|| "_".to_owned(), |c| c.to_string());
    let after: String = chars.collect();
    vec![
        span(say.say(&before).into_owned(), Role::Match),
        span(say.say(&under).into_owned(), Role::Cursor),
        span(say.say(&after).into_owned(), Role::Match),
    ]
}

/// A text in exactly `width` columns: cut with an ellipsis, or padded. O(width).
pub fn fit(text: &str, width: usize) -> String {
    let mut out = cut(text, width);
    let used = out.width();
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    out
}

/// A text in at most `width` columns, cut with an ellipsis. O(width).
pub fn cut(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns > width {
            while used + 1 > width {
                let Some(last) = out.pop() else { return out };
                used -= last.width().unwrap_or(0);
            }
            out.push('…');
            return out;
        }
        used += columns;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces_and_cuts_what_is_longer() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("of web-tenant-a/allow-dns", 14), ["of", "web-tenant-a/", "allow-dns"]);
        assert_eq!(wrap("", 5), [""]);
        assert!(wrap("日本語テキスト", 5).iter().all(|l| l.width() <= 5));
    }

    #[test]
    fn further_lines_hang_under_the_first() {
        let mut doc = Doc::new(12);
        doc.pair("who", 5, "one two three", Role::Text);
        let text: Vec<String> = doc.lines.iter().map(|l| l.iter().map(|s| s.text.as_str()).collect()).collect();
        assert_eq!(text, ["who   one", "      two", "      three"]);
    }
}
