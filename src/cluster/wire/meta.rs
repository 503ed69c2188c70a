//! Object metadata: managed fields are reduced to their newest writer while decoding.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::lean::{Field, Key, Lean, Many, Str, Table, objects};

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
    /// `annotations`, of which few are decoded.
    #[serde(borrow)]
    pub annotations: Field<NotedWire<'a>>,
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

/// The annotations that facts are made of: no other is decoded.
#[derive(Default, Debug)]
pub struct NotedWire<'a> {
    /// Those of the agent injector, without their prefix, in the order written.
    pub injector: Vec<(Cow<'a, str>, Field<Str<'a>>)>,
    /// `kubernetes.io/service-account.name`, of a token's Secret.
    pub account: Field<Str<'a>>,
}

/// The injector's prefixes: Vault's and OpenBao's.
const INJECTORS: [&str; 2] = ["vault.hashicorp.com/", "openbao.openbao.org/"];

/// Names the ServiceAccount of a token's Secret.
const ACCOUNT: &str = "kubernetes.io/service-account.name";

impl<'de: 'a, 'a> Lean<'de> for NotedWire<'a> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut noted = Self::default();
        while let Some(Key(key)) = object.next_key()? {
            if key == ACCOUNT {
                noted.account = object.next_value()?;
            } else if let Some(key) = INJECTORS.iter().find_map(|prefix| without(&key, prefix)) {
                noted.injector.push((key, object.next_value()?));
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(noted))
    }
}

/// The text behind a prefix, borrowed for as long as the text was.
fn without<'a>(text: &Cow<'a, str>, prefix: &str) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => text.strip_prefix(prefix).map(Cow::Borrowed),
        Cow::Owned(text) => text.strip_prefix(prefix).map(|rest| Cow::Owned(rest.to_owned())),
    }
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
