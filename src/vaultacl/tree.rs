//! What both readers make of a policy's text: keys and values, not yet judged.

use std::borrow::Cow;

use super::lexer::Kind;
use super::literal;
use super::policy::Refused;

/// Deeper nesting than this is not read: no policy needs a tenth of it, and the readers go down by calling themselves.
pub(super) const DEEPEST: usize = 64;

/// A key: a word or a text.
#[derive(Clone, Debug)]
pub(super) struct Key<'a> {
    /// As written, quotes included: what repeated keys are told by.
    pub raw: &'a str,
    /// What it stands for; none where its escapes make no text, which only fails where the key is looked at.
    pub value: Option<Cow<'a, str>>,
    /// A bare word, or any key of JSON.
    pub plain: bool,
    pub line: u32,
}

/// A scalar as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal<'a> {
    pub kind: Kind,
    pub raw: &'a str,
    pub json: bool,
}

impl Literal<'_> {
    /// The text of a text or heredoc; none where its escapes make none.
    pub fn text(&self) -> Option<String> {
        match (self.kind, self.json) {
            (Kind::Text, _) if self.raw.is_empty() => Some(String::new()),
            (Kind::Text, true) => literal::unquote_json(self.raw).map(Cow::into_owned),
            (Kind::Text, false) => literal::unquote(self.raw).map(Cow::into_owned),
            (Kind::Heredoc, _) => literal::heredoc(self.raw),
            _ => None,
        }
    }
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    Literal(Literal<'a>),
    List(Vec<Self>),
    Object(Vec<Item<'a>>),
}

/// Keys and what they are given: `a = 1`, `a "b" { }`.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub keys: Vec<Key<'a>>,
    pub val: Val<'a>,
}

impl Item<'_> {
    /// Line of the first key.
    pub fn line(&self) -> u32 {
        self.keys.first().map_or(0, |key| key.line)
    }
}

/// The refusal of what is nested too deeply.
pub(super) fn too_deep(line: u32) -> Refused {
    Refused::at(line, &format!("nested more than {DEEPEST} deep, {}", super::policy::NOT_READ))
}
