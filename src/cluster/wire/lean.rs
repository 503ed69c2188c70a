//! Decoding that can't fail on a wrong type: a field is absent, readable, or odd. Unknown parts are skipped without recursion, so that depth
//! is harmless.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::quantity::Quantity;

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Missing or null.
    #[default]
    Absent,
    /// Readable.
    Is(T),
    /// There, but of a type it can't have.
    Odd,
}

impl<T> Field<T> {
    /// What is readable.
    pub fn get(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Odd => None,
        }
    }

    /// What is readable, by reference.
    pub const fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Odd => None,
        }
    }

    /// The same of what is readable.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Is(value) => Field::Is(change(value)),
            Self::Odd => Field::Odd,
        }
    }

    /// Whether it is missing or null.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether it can't be read.
    pub const fn is_odd(&self) -> bool {
        matches!(self, Self::Odd)
    }
}

impl Field<Str<'_>> {
    /// The text; empty when there is none.
    pub fn text(&self) -> &str {
        self.as_ref().map_or("", |text| &text.0)
    }
}

/// What can stand in a field. Each method answers for one type of JSON; the default is "not this".
pub trait Lean<'de>: Sized {
    /// From a text.
    fn text(_text: Cow<'de, str>) -> Option<Self> {
        None
    }
    /// From a whole number.
    fn integer(_number: i64) -> Option<Self> {
        None
    }
    /// From a number with a fraction, or one out of range.
    fn float(_number: f64) -> Option<Self> {
        None
    }
    /// From a truth value.
    fn flag(_flag: bool) -> Option<Self> {
        None
    }
    /// From a list; consumes it.
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    /// From an object; consumes it.
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de, T: Lean<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

fn field<T>(value: Option<T>) -> Field<T> {
    match value {
        Some(value) => Field::Is(value),
        None => Field::Odd,
    }
}

impl<'de, T: Lean<'de>> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }
    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(field(T::flag(value)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(field(T::integer(value)))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(field(match i64::try_from(value) {
            Ok(number) => T::integer(number),
            Err(_beyond) => T::float(value as f64),
        }))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(field(T::float(value)))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(field(T::text(Cow::Borrowed(value))))
    }
    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(field(T::text(Cow::Owned(value.to_owned()))))
    }
    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(field(T::text(Cow::Owned(value))))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::list(list).map(field)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::object(object).map(field)
    }
}

/// A text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Str<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Lean<'de> for Str<'a> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }
}

impl Lean<'_> for bool {
    fn flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Lean<'_> for i64 {
    fn integer(number: i64) -> Option<Self> {
        Some(number)
    }
}

/// A number or a text, such as a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrStr<'a> {
    /// A number.
    Int(i64),
    /// A text.
    Str(Cow<'a, str>),
}

impl<'de: 'a, 'a> Lean<'de> for IntOrStr<'a> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self::Str(text))
    }
    fn integer(number: i64) -> Option<Self> {
        Some(Self::Int(number))
    }
}

/// A quantity. The server writes texts; files may hold numbers. Readable is also what is no quantity: as [`Quantity::UNREADABLE`].
impl Lean<'_> for Quantity {
    fn text(text: Cow<'_, str>) -> Option<Self> {
        Some(Self::read(&text))
    }
    fn integer(number: i64) -> Option<Self> {
        Some(Self::read(&number.to_string()))
    }
    fn float(number: f64) -> Option<Self> {
        Some(Self::read(&number.to_string()))
    }
}

/// A list; what is odd in it stays, as [`Field::Odd`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many<T>(pub Vec<Field<T>>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Lean<'de>> Lean<'de> for Many<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Some(Self(items)))
    }
}

impl<T> Many<T> {
    /// The readable items.
    pub fn readable(self) -> impl Iterator<Item = T> {
        self.0.into_iter().filter_map(Field::get)
    }
}

impl<T> Field<Many<T>> {
    /// The readable items of a list that may be missing.
    pub fn items(self) -> impl Iterator<Item = T> {
        self.get().unwrap_or_default().readable()
    }
}

/// A map with free keys, in the order written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<'a, T>(pub Vec<(Cow<'a, str>, Field<T>)>);

impl<T> Default for Table<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a, T: Lean<'de>> Lean<'de> for Table<'a, T> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(Key(key)) = object.next_key()? {
            pairs.push((key, object.next_value()?));
        }
        Ok(Some(Self(pairs)))
    }
}

/// A map's key, borrowed where the text allows.
pub struct Key<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor).map(Self)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
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

/// Whether an object is there and has any key; the keys are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonEmpty(pub bool);

impl<'de> Lean<'de> for NonEmpty {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut any = false;
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            any = true;
        }
        Ok(Some(Self(any)))
    }
}

/// Makes structs with `#[derive(Deserialize)]` and `#[serde(default)]` stand in fields.
macro_rules! objects {
    (borrowed: $($borrowed:ident),* ; owned: $($owned:ident),* $(;)?) => {
        $(impl<'de: 'a, 'a> $crate::cluster::wire::lean::Lean<'de> for $borrowed<'a> {
            fn object<A: serde::de::MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(object)).map(Some)
            }
        })*
        $(impl<'de> $crate::cluster::wire::lean::Lean<'de> for $owned {
            fn object<A: serde::de::MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(object)).map(Some)
            }
        })*
    };
}
pub(crate) use objects;
