//! ExternalSecret, ClusterExternalSecret, PushSecret and the generator for Vault.

use super::meta::{Version, Writer, meta, name, ready};
use super::networkpolicy::selector;
use super::secretstore::{names, vault};
use super::{duration, optional};
use crate::cluster::wire::external::{
    ClusterExternalWire, DataFromWire, DataWire, ExternalSpecWire, ExternalWire, GeneratorWire, NamedWire, PushDataWire, PushWire,
    RemoteWire, SourceRefWire, StoreRefWire, SyncStatusWire, TargetWire,
};
use crate::cluster::wire::lean::{Field, Many, Str};
use crate::model::changes::Fact;
use crate::model::consumer::{
    Condition, ConsumerFact, ConsumerSpec, EntryKind, ExternalSpec, GeneratorSpec, NamespaceChoice, SecretEntry, StoreRef,
};
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;
use crate::model::time::{HOUR, Time};

/// No more entries of an object are kept: a PushSecret has as many as it has data times stores.
const ENTRIES: usize = 4096;

/// What the API fills in for `refreshInterval`.
const INTERVAL: i64 = HOUR;

/// The fact of an ExternalSecret.
pub(super) fn external(kind: Kind, wire: ExternalWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let mut spec = asked(wire.spec, &meta.name, interner);
    let (ready, refreshed) = synced(wire.status, interner);
    spec.refreshed = refreshed;
    Some(Fact::Consumer(ConsumerFact { meta, kind, ready, spec: ConsumerSpec::External(spec) }))
}

/// The fact of a ClusterExternalSecret.
pub(super) fn cluster_external(kind: Kind, wire: ClusterExternalWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let odd = wire.spec.is_odd();
    let own = wire.spec.get().unwrap_or_default();
    let made = optional(&own.external_secret_name, interner).unwrap_or_else(|| meta.name.clone());
    let mut spec = asked(own.external_secret_spec, &made, interner);
    spec.incomplete |= odd;
    let mut selectors: Vec<_> = selector(own.namespace_selector, interner).into_iter().collect();
    match own.namespace_selectors {
        Field::Odd => selectors.extend(selector(Field::Odd, interner)),
        list => selectors.extend(list.get().unwrap_or_default().0.into_iter().filter_map(|one| selector(one, interner))),
    }
    spec.into =
        Some(NamespaceChoice { names: names(own.namespaces, interner), selectors: selectors.into_boxed_slice(), patterns: Box::default() });
    let (ready, refreshed) = synced(wire.status, interner);
    spec.refreshed = refreshed;
    Some(Fact::Consumer(ConsumerFact { meta, kind, ready, spec: ConsumerSpec::External(spec) }))
}

fn synced(status: Field<SyncStatusWire<'_>>, interner: &mut Interner) -> (Option<Condition>, Option<Time>) {
    let status = status.get().unwrap_or_default();
    (ready(status.conditions, &["Ready"], interner), Time::parse(status.refresh_time.text()))
}

/// What an ExternalSecret asks for, made under this name.
fn asked(spec: Field<ExternalSpecWire<'_>>, made: &Name, interner: &mut Interner) -> ExternalSpec {
    let mut incomplete = spec.is_odd();
    let spec = spec.get().unwrap_or_default();
    let default = store(&spec.secret_store_ref, &mut incomplete, interner);
    let mut entries = Vec::new();
    for wire in readable(spec.data, &mut incomplete) {
        entries.extend(one(&wire, default.as_ref(), &mut incomplete, interner));
    }
    for wire in readable(spec.data_from, &mut incomplete) {
        entries.extend(all(&wire, default.as_ref(), &mut incomplete, interner));
    }
    incomplete |= entries.len() > ENTRIES;
    entries.truncate(ENTRIES);
    let never = matches!(spec.refresh_policy.text(), "CreatedOnce" | "OnChange");
    ExternalSpec {
        entries: entries.into_boxed_slice(),
        target: target(spec.target, made, interner),
        into: None,
        interval: if never { Some(0) } else { interval(&spec.refresh_interval) },
        refreshed: None,
        incomplete,
    }
}

/// The readable items of a list; whether there are others is told.
fn readable<T>(list: Field<Many<T>>, incomplete: &mut bool) -> Vec<T> {
    *incomplete |= list.is_odd();
    let items = list.get().unwrap_or_default().0;
    *incomplete |= items.iter().any(Field::is_odd);
    items.into_iter().filter_map(Field::get).collect()
}

fn interval(field: &Field<Str<'_>>) -> Option<i64> {
    match field {
        Field::Absent => Some(INTERVAL),
        Field::Is(text) => duration::go(&text.0),
        Field::Odd => None,
    }
}

/// The Secret made; none where another object is, or none at all.
fn target(wire: Field<TargetWire<'_>>, made: &Name, interner: &mut Interner) -> Option<Name> {
    let wire = match wire {
        Field::Odd => return None,
        wire => wire.get().unwrap_or_default(),
    };
    if wire.creation_policy.text() == "None" || !wire.manifest.is_absent() || wire.name.is_odd() {
        return None;
    }
    optional(&wire.name, interner).or_else(|| Some(made.clone()))
}

/// A reference to a store; none where there is none, or where it can't be one.
fn store(field: &Field<StoreRefWire<'_>>, incomplete: &mut bool, interner: &mut Interner) -> Option<StoreRef> {
    *incomplete |= field.is_odd();
    let wire = field.as_ref()?;
    let kind = match wire.kind.text() {
        _ if wire.kind.is_odd() || wire.name.is_odd() => None,
        "" | "SecretStore" => Some(Kind::SecretStore),
        "ClusterSecretStore" => Some(Kind::ClusterSecretStore),
        _ => None,
    };
    *incomplete |= kind.is_none();
    Some(StoreRef { kind: kind?, name: name(wire.name.text(), interner), selector: None })
}

/// By what an entry is asked for: the store of its own or that of the whole, or a generator.
struct Source {
    store: Option<StoreRef>,
    generator: Option<(Name, Name)>,
}

fn source(field: &Field<SourceRefWire<'_>>, default: Option<&StoreRef>, incomplete: &mut bool, interner: &mut Interner) -> Source {
    *incomplete |= field.is_odd();
    let Some(wire) = field.as_ref() else { return Source { store: default.cloned(), generator: None } };
    let generator = generator(&wire.generator_ref, incomplete, interner);
    let store = match (&generator, wire.store_ref.is_absent()) {
        (Some(_), _) => None,
        (None, true) => default.cloned(),
        (None, false) => store(&wire.store_ref, incomplete, interner),
    };
    Source { store, generator }
}

fn generator(field: &Field<NamedWire<'_>>, incomplete: &mut bool, interner: &mut Interner) -> Option<(Name, Name)> {
    *incomplete |= field.is_odd();
    let wire = field.as_ref()?;
    Some((name(wire.kind.text(), interner), name(wire.name.text(), interner)))
}

/// The entry of an item of `data`.
fn one(wire: &DataWire<'_>, default: Option<&StoreRef>, incomplete: &mut bool, interner: &mut Interner) -> Option<SecretEntry> {
    let from = source(&wire.source_ref, default, incomplete, interner);
    let secret_key = optional(&wire.secret_key, interner);
    if from.generator.is_some() {
        return Some(generated(from, secret_key, interner));
    }
    let entry = remote(EntryKind::Data, &wire.remote_ref, from, interner);
    *incomplete |= entry.is_none();
    entry.map(|entry| SecretEntry { secret_key, ..entry })
}

/// The entries of an item of `dataFrom`.
fn all(wire: &DataFromWire<'_>, default: Option<&StoreRef>, incomplete: &mut bool, interner: &mut Interner) -> Option<SecretEntry> {
    let from = source(&wire.source_ref, default, incomplete, interner);
    if from.generator.is_some() {
        return Some(generated(from, None, interner));
    }
    if !wire.extract.is_absent() {
        let entry = remote(EntryKind::Extract, &wire.extract, from, interner);
        *incomplete |= entry.is_none();
        return entry;
    }
    match &wire.find {
        Field::Absent => None,
        Field::Is(find) if !find.path.is_odd() => Some(SecretEntry {
            how: EntryKind::Find,
            store: from.store,
            key: name(find.path.text(), interner),
            property: None,
            metadata: false,
            secret_key: None,
            generator: None,
        }),
        _ => {
            *incomplete = true;
            None
        }
    }
}

fn generated(from: Source, secret_key: Option<Name>, interner: &mut Interner) -> SecretEntry {
    SecretEntry {
        how: EntryKind::Generate,
        store: None,
        key: interner.name(""),
        property: None,
        metadata: false,
        secret_key,
        generator: from.generator,
    }
}

fn remote(how: EntryKind, wire: &Field<RemoteWire<'_>>, from: Source, interner: &mut Interner) -> Option<SecretEntry> {
    let wire = wire.as_ref().filter(|wire| wire.key.as_ref().is_some())?;
    Some(SecretEntry {
        how,
        store: from.store,
        key: name(wire.key.text(), interner),
        property: optional(&wire.property, interner),
        metadata: wire.metadata_policy.text() == "Fetch",
        secret_key: None,
        generator: None,
    })
}

/// The fact of a PushSecret.
pub(super) fn push(kind: Kind, wire: PushWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let mut incomplete = wire.spec.is_odd();
    let spec = wire.spec.get().unwrap_or_default();
    let mut stores = Vec::new();
    for mut wire in readable(spec.secret_store_refs, &mut incomplete) {
        let by_labels = std::mem::take(&mut wire.label_selector);
        let by_labels = selector(by_labels, interner).filter(|_| wire.name.text().is_empty());
        stores.extend(store(&Field::Is(wire), &mut incomplete, interner).map(|store| StoreRef { selector: by_labels, ..store }));
    }
    let data = readable(spec.data, &mut incomplete);
    let mut entries = pushed(&data, &stores, &mut incomplete, interner);
    incomplete |= entries.len() > ENTRIES;
    entries.truncate(ENTRIES);
    // keys chosen by a pattern: what they are is known when the Secret is
    incomplete |= !spec.data_to.is_absent();
    let (ready, refreshed) = synced(wire.status, interner);
    let read = spec.selector.get().and_then(|selector| selector.secret.get()).and_then(|secret| optional(&secret.name, interner));
    let spec = ExternalSpec {
        entries: entries.into_boxed_slice(),
        target: read,
        into: None,
        interval: interval(&spec.refresh_interval),
        refreshed,
        incomplete,
    };
    Some(Fact::Consumer(ConsumerFact { meta, kind, ready, spec: ConsumerSpec::External(spec) }))
}

/// Every item for every store, one more than is kept at most.
fn pushed(data: &[PushDataWire<'_>], stores: &[StoreRef], incomplete: &mut bool, interner: &mut Interner) -> Vec<SecretEntry> {
    let mut entries = Vec::new();
    for item in data {
        let remote = item.matched.as_ref().and_then(|matched| Some((matched, matched.remote_ref.as_ref()?)));
        let Some((matched, remote)) = remote.filter(|(_, remote)| remote.remote_key.as_ref().is_some()) else {
            *incomplete = true;
            continue;
        };
        for store in stores {
            if entries.len() > ENTRIES {
                return entries;
            }
            entries.push(SecretEntry {
                how: EntryKind::Push,
                store: Some(store.clone()),
                key: name(remote.remote_key.text(), interner),
                property: optional(&remote.property, interner),
                metadata: false,
                secret_key: optional(&matched.secret_key, interner),
                generator: None,
            });
        }
    }
    entries
}

/// The fact of a VaultDynamicSecret of External Secrets.
pub(super) fn vault_generator(kind: Kind, wire: GeneratorWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let spec = wire.spec.get().unwrap_or_default();
    let spec = GeneratorSpec {
        path: name(spec.path.text(), interner),
        method: if spec.method.text().is_empty() { interner.name("GET") } else { name(spec.method.text(), interner) },
        provider: vault(spec.provider.get().unwrap_or_default(), interner),
    };
    Some(Fact::Consumer(ConsumerFact { meta, kind, ready: None, spec: ConsumerSpec::Generator(spec) }))
}
