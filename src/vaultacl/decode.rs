//! Values as the servers decode them into their types. Repeated attributes meet here: lists are joined, scalars keep the last, and what a
//! second value may be depends on what the first one was.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use super::lexer::Kind;
use super::literal;
use super::policy::Refused;
use super::tree::{Item, Key, Literal, Val};

/// More steps than this are not taken: only a text made to cost much needs them.
const MOST_STEPS: usize = 1 << 22;

/// What a value has to be.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text; a whole number is one as written.
    Text,
    /// A whole number, or a text that is one.
    Int,
    /// Anything.
    Any,
    /// A list of these.
    List(&'static Self),
    /// Keys, and one of these for each.
    Map(&'static Self),
    /// These keys, in any case; others are not looked at.
    Fields(&'static [(&'static str, Self)]),
}

/// A decoded value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Got {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    /// A list of maps only: what an object is where no list is around it.
    Maps(Vec<Self>),
    Map(BTreeMap<String, Self>),
    /// By the position in the shape's table.
    Fields(Vec<Option<Self>>),
}

impl Got {
    /// As the server compares it: texts, booleans, numbers, lists, objects.
    pub fn value(self) -> Value {
        match self {
            Self::Bool(is) => Value::Bool(is),
            Self::Int(number) => Value::Number(number.into()),
            Self::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Self::Text(text) => Value::String(text),
            Self::List(list) | Self::Maps(list) => Value::Array(list.into_iter().map(Self::value).collect()),
            Self::Map(map) => Value::Object(map.into_iter().map(|(key, got)| (key, got.value())).collect()),
            Self::Fields(fields) => Value::Array(fields.into_iter().map(|got| got.map_or(Value::Null, Self::value)).collect()),
        }
    }
}

/// An item with some of its keys stripped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'n, 'a> {
    pub keys: &'n [Key<'a>],
    pub val: &'n Val<'a>,
}

/// What is decoded: a value, several items, or one.
#[derive(Clone, Debug)]
pub(super) enum Node<'n, 'a> {
    Val(&'n Val<'a>),
    Items(Vec<Part<'n, 'a>>),
    Item(Part<'n, 'a>),
}

impl<'n, 'a> Node<'n, 'a> {
    /// The items of a list of items.
    pub fn items(items: &'n [Item<'a>]) -> Self {
        Self::Items(parts(items))
    }

    /// A value as the value of a field: an object stands for its items.
    pub fn field(val: &'n Val<'a>) -> Self {
        match val {
            Val::Object(items) => Self::items(items),
            other => Self::Val(other),
        }
    }
}

fn parts<'n, 'a>(items: &'n [Item<'a>]) -> Vec<Part<'n, 'a>> {
    items.iter().map(|item| Part { keys: &item.keys, val: &item.val }).collect()
}

/// Decodes; knows what is decoded for its refusals, and how much was done.
#[derive(Debug)]
pub(super) struct Decoder {
    steps: usize,
    line: u32,
    name: &'static str,
}

impl Decoder {
    /// For a block that begins on a line.
    pub const fn new(line: u32) -> Self {
        Self { steps: 0, line, name: "" }
    }

    fn fail<T>(&self, what: &str) -> Result<T, Refused> {
        Err(Refused::at(self.line, &if self.name.is_empty() { what.to_owned() } else { format!("{}: {what}", self.name) }))
    }

    fn step(&mut self, count: usize) -> Result<(), Refused> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > MOST_STEPS { self.fail("more repeated keys than partywall reads") } else { Ok(()) }
    }

    /// Decodes into a shape what was there before and what is there now. `listed`: it stands directly in a list. O(size).
    pub fn decode(&mut self, shape: &Shape, node: &Node<'_, '_>, had: Option<Got>, listed: bool) -> Result<Got, Refused> {
        self.step(1)?;
        match shape {
            Shape::Text => self.text(node),
            Shape::Int => self.int(node),
            Shape::List(of) => {
                let had = if let Some(Got::List(list) | Got::Maps(list)) = had { list } else { Vec::new() };
                self.list(of, node, had).map(Got::List)
            }
            Shape::Map(of) => {
                let had = if let Some(Got::Map(map)) = had { map } else { BTreeMap::new() };
                self.map(of, node, had).map(Got::Map)
            }
            Shape::Fields(table) => {
                let had = if let Some(Got::Fields(fields)) = had { fields } else { Vec::new() };
                self.fields(table, node, had).map(Got::Fields)
            }
            Shape::Any => self.any(node, had, listed),
        }
    }

    fn any(&mut self, node: &Node<'_, '_>, had: Option<Got>, listed: bool) -> Result<Got, Refused> {
        match had {
            // a second value is read as the kind of the first
            Some(Got::Bool(_)) => match literal_of(node) {
                Some(literal) if literal.kind == Kind::Bool => Ok(Got::Bool(literal.raw == "true")),
                _ => self.fail("expected true or false"),
            },
            Some(Got::Int(_)) => self.int(node),
            Some(Got::Float(_)) => match literal_of(node) {
                Some(literal) if matches!(literal.kind, Kind::Float | Kind::Number) => self.float(&literal),
                _ => self.fail("expected a number"),
            },
            Some(Got::Text(_)) => self.text(node),
            Some(Got::List(list)) => self.list(&Shape::Any, node, list).map(Got::List),
            Some(Got::Maps(list)) => self.list(&Shape::Map(&Shape::Any), node, list).map(Got::Maps),
            Some(Got::Map(map)) => self.map(&Shape::Any, node, map).map(Got::Map),
            Some(Got::Fields(_)) | None => self.fresh(node, listed),
        }
    }

    fn fresh(&mut self, node: &Node<'_, '_>, listed: bool) -> Result<Got, Refused> {
        match node {
            Node::Val(Val::Object(_)) | Node::Items(_) if listed => self.map(&Shape::Any, node, BTreeMap::new()).map(Got::Map),
            Node::Val(Val::Object(_)) | Node::Items(_) => self.list(&Shape::Map(&Shape::Any), node, Vec::new()).map(Got::Maps),
            Node::Val(Val::List(_)) => self.list(&Shape::Any, node, Vec::new()).map(Got::List),
            Node::Item(_) => self.fail("expected a value, got a block"),
            Node::Val(Val::Literal(literal)) => match literal.kind {
                Kind::Bool => Ok(Got::Bool(literal.raw == "true")),
                Kind::Float => self.float(literal),
                Kind::Number => self.int(node),
                _ => self.text(node),
            },
        }
    }

    fn float(&self, literal: &Literal<'_>) -> Result<Got, Refused> {
        literal::float(literal.raw).map_or_else(|| self.fail("not a number that can be read"), |number| Ok(Got::Float(number)))
    }

    fn text(&self, node: &Node<'_, '_>) -> Result<Got, Refused> {
        match literal_of(node) {
            Some(literal) if literal.kind == Kind::Number => Ok(Got::Text(literal.raw.to_owned())),
            Some(literal) if matches!(literal.kind, Kind::Text | Kind::Heredoc) => {
                literal.text().map_or_else(|| self.fail("a text with an escape that stands for nothing"), |text| Ok(Got::Text(text)))
            }
            _ => self.fail("expected a text"),
        }
    }

    fn int(&self, node: &Node<'_, '_>) -> Result<Got, Refused> {
        let read = literal_of(node).and_then(|literal| match literal.kind {
            Kind::Number => literal::integer(literal.raw),
            Kind::Text => literal::integer(&literal.text()?),
            _ => None,
        });
        read.map_or_else(|| self.fail("expected a whole number"), |number| Ok(Got::Int(number)))
    }

    fn list(&mut self, of: &Shape, node: &Node<'_, '_>, mut list: Vec<Got>) -> Result<Vec<Got>, Refused> {
        match node {
            Node::Items(items) => {
                for item in items {
                    list.push(self.decode(of, &Node::Item(*item), None, true)?);
                }
            }
            Node::Val(Val::Object(_)) => list.push(self.decode(of, node, None, true)?),
            Node::Val(Val::List(values)) => {
                for val in values {
                    list.push(self.decode(of, &Node::Val(val), None, true)?);
                }
            }
            Node::Val(Val::Literal(_)) | Node::Item(_) => return self.fail("expected a list"),
        }
        Ok(list)
    }

    fn map(&mut self, of: &Shape, node: &Node<'_, '_>, mut map: BTreeMap<String, Got>) -> Result<BTreeMap<String, Got>, Refused> {
        let items = match node {
            Node::Item(item) => Cow::Owned(vec![*item]),
            Node::Items(items) => Cow::Borrowed(items.as_slice()),
            Node::Val(Val::Object(items)) => Cow::Owned(parts(items)),
            Node::Val(_) => return self.fail("expected keys and values in braces"),
        };
        let mut done = BTreeSet::new();
        for item in items.as_ref() {
            let Some(key) = item.keys.first().and_then(|key| key.value.as_deref()) else { return self.fail("a key that can't be read") };
            if done.contains(key) {
                continue;
            }
            let below = if item.keys.len() > 1 {
                // all blocks under this key at once
                done.insert(key);
                self.step(items.len())?;
                Node::Items(strip(&items, key))
            } else {
                Node::Val(item.val)
            };
            let had = map.remove(key);
            let got = self.decode(of, &below, had, false)?;
            map.insert(key.to_owned(), got);
        }
        Ok(map)
    }

    fn fields(
        &mut self,
        table: &'static [(&'static str, Shape)],
        node: &Node<'_, '_>,
        mut fields: Vec<Option<Got>>,
    ) -> Result<Vec<Option<Got>>, Refused> {
        let (node, item) = match node {
            Node::Item(item) => (&Node::Val(item.val), Some(*item)),
            other => (other, None),
        };
        let items = match (node, item) {
            (Node::Items(items), _) => Cow::Borrowed(items.as_slice()),
            (Node::Val(Val::Object(items)), _) => Cow::Owned(parts(items)),
            (Node::Val(Val::Literal(_)), Some(item)) => Cow::Owned(vec![item]),
            _ => return self.fail("expected a block in braces"),
        };
        fields.resize(table.len(), None);
        let mut found: Vec<(usize, bool, Part<'_, '_>)> = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let Some((key, rest)) = item.keys.split_first() else { continue };
            let others = if at == 0 { rest } else { &[] };
            if key.value.is_none() || others.iter().any(|other| other.plain && other.value.is_none()) {
                return self.fail("a key that can't be read");
            }
            let name = key.value.as_deref().unwrap_or_default();
            if let Some(index) = table.iter().position(|(field, _)| field.eq_ignore_ascii_case(name)) {
                let single = rest.is_empty();
                found.push((index, single, Part { keys: if single { item.keys } else { rest }, val: item.val }));
            }
        }
        // of each field first the blocks with more keys, all at once, then the values one by one
        found.sort_by_key(|(index, single, _)| (*index, *single));
        let outer = (self.name, self.line);
        let mut left = found.as_slice();
        while let Some((index, single, first)) = left.first() {
            let alike = if *single { 1 } else { left.iter().take_while(|(other, single, _)| other == index && !single).count() };
            let (these, rest) = left.split_at_checked(alike).unwrap_or((left, &[]));
            left = rest;
            let (Some((name, shape)), Some(field)) = (table.get(*index), fields.get_mut(*index)) else { continue };
            if outer.0.is_empty() {
                self.name = name;
            }
            self.line = first.keys.first().map_or(outer.1, |key| key.line);
            let node = if *single { Node::field(first.val) } else { Node::Items(these.iter().map(|(_, _, part)| *part).collect()) };
            *field = Some(self.decode(shape, &node, field.take(), false)?);
        }
        (self.name, self.line) = outer;
        Ok(fields)
    }
}

fn literal_of<'a>(node: &Node<'_, 'a>) -> Option<Literal<'a>> {
    if let Node::Val(Val::Literal(literal)) = node { Some(*literal) } else { None }
}

/// The items under a key, without it.
fn strip<'n, 'a>(items: &[Part<'n, 'a>], wanted: &str) -> Vec<Part<'n, 'a>> {
    let under = |item: &Part<'n, 'a>| {
        let (key, rest) = item.keys.split_first()?;
        key.value.as_deref()?.eq_ignore_ascii_case(wanted).then_some(Part { keys: rest, val: item.val })
    };
    items.iter().filter_map(under).collect()
}
