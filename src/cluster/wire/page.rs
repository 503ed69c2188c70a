//! Pages of lists and lines of watches. Objects are handed on one by one while the page is decoded.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::lean::{Field, Key, Lean, Str, objects};

/// What a page says of itself.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
struct ListMetaWire<'a> {
    #[serde(borrow)]
    resource_version: Field<Str<'a>>,
    #[serde(borrow, rename = "continue")]
    more: Field<Str<'a>>,
}

objects! { borrowed: ListMetaWire, LineWire; owned: }

/// What a page says of the list it is part of.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PageInfo {
    /// Where a watch goes on from.
    pub resource_version: String,
    /// Token of the next page; empty on the last.
    pub more: String,
    /// Items that are no objects at all.
    pub odd: u32,
}

/// Decodes a page, handing each object to `sink`. Fails only on text that is no JSON object. O(length).
pub fn read_page<'de, W: Lean<'de>>(text: &'de [u8], sink: impl FnMut(W)) -> serde_json::Result<PageInfo> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let page = PageSeed { sink, wire: PhantomData::<W> }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(page)
}

struct PageSeed<W, F> {
    sink: F,
    wire: PhantomData<W>,
}

impl<'de, W: Lean<'de>, F: FnMut(W)> DeserializeSeed<'de> for PageSeed<W, F> {
    type Value = PageInfo;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PageInfo, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, W: Lean<'de>, F: FnMut(W)> Visitor<'de> for PageSeed<W, F> {
    type Value = PageInfo;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<PageInfo, A::Error> {
        let mut page = PageInfo::default();
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "metadata" => {
                    if let Field::Is(meta) = map.next_value::<Field<ListMetaWire<'de>>>()? {
                        meta.resource_version.text().clone_into(&mut page.resource_version);
                        meta.more.text().clone_into(&mut page.more);
                    }
                }
                "items" => page.odd += map.next_value_seed(ItemsSeed { sink: &mut self.sink, wire: PhantomData::<W> })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(page)
    }
}

struct ItemsSeed<'f, W, F> {
    sink: &'f mut F,
    wire: PhantomData<W>,
}

impl<'de, W: Lean<'de>, F: FnMut(W)> DeserializeSeed<'de> for ItemsSeed<'_, W, F> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, W: Lean<'de>, F: FnMut(W)> Visitor<'de> for ItemsSeed<'_, W, F> {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects, or null")
    }

    fn visit_unit<E>(self) -> Result<u32, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<u32, A::Error> {
        let mut odd = 0;
        while let Some(item) = list.next_element::<Field<W>>()? {
            match item {
                Field::Is(object) => (self.sink)(object),
                Field::Absent | Field::Odd => odd += 1,
            }
        }
        Ok(odd)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LineWire<'a> {
    #[serde(borrow, rename = "type")]
    kind: Field<Str<'a>>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
}

/// One line of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// ADDED or MODIFIED, with the object's text.
    Put(&'a str),
    /// DELETED, with the object's last text.
    Gone(&'a str),
    /// BOOKMARK, with an object that has only a resource version.
    Bookmark(&'a str),
    /// ERROR, with a Status.
    Error(&'a str),
    /// Something this program does not know: passed over.
    Other,
}

impl<'a> Line<'a> {
    /// The text of the object that came, changed or went.
    pub const fn object(self) -> Option<&'a str> {
        match self {
            Self::Put(object) | Self::Gone(object) => Some(object),
            Self::Bookmark(_) | Self::Error(_) | Self::Other => None,
        }
    }
}

/// Reads one line of a watch. Fails only on text that is no JSON object. O(length).
pub fn read_line(text: &[u8]) -> serde_json::Result<Line<'_>> {
    let line: LineWire<'_> = serde_json::from_slice(text)?;
    let object = line.object.map_or("null", RawValue::get);
    Ok(match line.kind.text() {
        "ADDED" | "MODIFIED" => Line::Put(object),
        "DELETED" => Line::Gone(object),
        "BOOKMARK" => Line::Bookmark(object),
        "ERROR" => Line::Error(object),
        _ => Line::Other,
    })
}

/// Reads one object. None for what is no object. O(length).
pub fn read_object<'de, W: Lean<'de>>(text: &'de [u8]) -> Option<W> {
    serde_json::from_slice::<Field<W>>(text).ok().and_then(Field::get)
}
