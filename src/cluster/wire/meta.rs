//! Object metadata: managed fields are reduced to their newest writer while decoding.

use serde::Deserialize;
use serde::de::SeqAccess;

use super::lean::{Field, Lean, Many, Str, Table, objects};

/// `metadata`.
#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
pub struct MetaWire<'a> {
    /// `namespace`.
    #[serde(borrow)]
    pub namespace: Field<Str<'a>>,
    /// `name`.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// `uid`.
    #[serde(borrow)]
    pub uid: Field<Str<'a>>,
    /// `resourceVersion`.
    #[serde(borrow)]
    pub resource_version: Field<Str<'a>>,
    /// `generation`.
    pub generation: Field<i64>,
    /// `creationTimestamp`.
    #[serde(borrow)]
    pub creation_timestamp: Field<Str<'a>>,
    /// `deletionTimestamp`.
    #[serde(borrow)]
    pub deletion_timestamp: Field<Str<'a>>,
    /// `labels`.
    #[serde(borrow)]
    pub labels: Field<Table<'a, Str<'a>>>,
    /// `ownerReferences`.
    #[serde(borrow)]
    pub owner_references: Field<Many<OwnerWire<'a>>>,
    /// `managedFields`, reduced.
    #[serde(borrow)]
    pub managed_fields: Field<Newest<'a>>,
}

/// One owner.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct OwnerWire<'a> {
    /// Kind.
    #[serde(borrow)]
    pub kind: Field<Str<'a>>,
    /// Name.
    #[serde(borrow)]
    pub name: Field<Str<'a>>,
    /// Whether it is the managing controller.
    pub controller: Field<bool>,
}

/// The newest writer that did not only write status.
#[derive(Default, Debug)]
pub struct Newest<'a> {
    /// Its name.
    pub manager: Option<Str<'a>>,
    /// When, RFC 3339.
    pub time: Option<Str<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    manager: Field<Str<'a>>,
    #[serde(borrow)]
    time: Field<Str<'a>>,
    #[serde(borrow)]
    subresource: Field<Str<'a>>,
}

impl<'de: 'a, 'a> Lean<'de> for Newest<'a> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut newest = Self::default();
        while let Some(entry) = list.next_element::<Field<Entry<'a>>>()? {
            let Field::Is(entry) = entry else { continue };
            if entry.subresource.text() == "status" {
                continue;
            }
            // the server writes all times in one form, in which later sorts after earlier
            if newest.time.as_ref().is_none_or(|time| entry.time.text() >= time.0.as_ref()) && entry.time.as_ref().is_some() {
                newest = Self { manager: entry.manager.get(), time: entry.time.get() };
            }
        }
        Ok(Some(newest))
    }
}

/// An object of which only the metadata matters.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct AnyWire<'a> {
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Field<MetaWire<'a>>,
}

objects! { borrowed: MetaWire, OwnerWire, Entry, AnyWire; owned: }
