//! SecretProviderClass: what it asks for stands in a text of YAML, which whoever writes the object chooses.

use super::meta::{Version, Writer, meta, name};
use super::optional;
use crate::cluster::wire::lean::{Field, Many, Str};
use crate::cluster::wire::providerclass::{AskedWire, ClassWire};
use crate::model::changes::Fact;
use crate::model::consumer::{ConsumerFact, ConsumerSpec, ProviderClassSpec};
use crate::model::ids::Name;
use crate::model::intern::Interner;
use crate::model::kind::Kind;

/// The longest text of objects that is read, in bytes; each object takes some hundred.
const LONGEST: usize = 256 << 10;
/// Levels of lists and objects: arguments of a request may be nested.
const DEEPEST: usize = 16;
/// Nodes of the text.
const NODES: usize = 50_000;
/// Nodes that aliases may stand for.
const ALIASED: usize = 1_000;

/// The fact of a SecretProviderClass, of whatever provider: one may be changed into another.
pub(super) fn provider_class(kind: Kind, wire: ClassWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let meta = meta(&wire.metadata.get()?, Version::Generation, Writer::Kept, interner)?;
    let spec = wire.spec.get().unwrap_or_default();
    let unreadable = spec.parameters.is_odd();
    let parameters = spec.parameters.get().unwrap_or_default();
    let provider = spec.provider.text();
    let asked = if is_vault(provider) { objects(&parameters.objects, interner) } else { Some(Vec::new()) };
    let mount = if parameters.vault_auth_mount_path.text().is_empty() {
        &parameters.vault_kubernetes_mount_path
    } else {
        &parameters.vault_auth_mount_path
    };
    let spec = ProviderClassSpec {
        provider: name(provider, interner),
        role: optional(&parameters.role_name, interner),
        address: name(parameters.vault_address.text(), interner),
        mount: name(mount.text(), interner),
        vault_namespace: name(parameters.vault_namespace.text(), interner),
        audience: optional(&parameters.audience, interner),
        skip_tls: matches!(parameters.vault_skip_tls_verify.text(), "1" | "t" | "T" | "TRUE" | "true" | "True"),
        unreadable: unreadable || asked.is_none(),
        objects: asked.unwrap_or_default().into_boxed_slice(),
    };
    Some(Fact::Consumer(ConsumerFact { meta, kind, ready: None, spec: ConsumerSpec::ProviderClass(spec) }))
}

/// Whether a provider asks Vault or OpenBao.
fn is_vault(provider: &str) -> bool {
    ["vault", "openbao"].iter().any(|known| provider.eq_ignore_ascii_case(known))
}

/// Paths and methods; none where the text, or an object of it, can't be read. O(length).
fn objects(field: &Field<Str<'_>>, interner: &mut Interner) -> Option<Vec<(Name, Name)>> {
    let text = match field {
        Field::Absent => return Some(Vec::new()),
        Field::Is(text) if text.0.len() <= LONGEST => text,
        Field::Is(_) | Field::Odd => return None,
    };
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            flow_nesting_limit: DEEPEST,
            max_depth: DEEPEST,
            max_documents: 1,
            max_events: NODES,
            max_nodes: NODES,
            max_total_scalar_bytes: LONGEST,
            max_recorded_anchor_events: ALIASED,
            max_recorded_anchor_bytes: LONGEST,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: ALIASED, max_replay_stack_depth: DEEPEST / 2 },
        emit_comments: false,
        with_snippet: false,
    };
    let read: Field<Many<AskedWire<'_>>> = serde_saphyr::from_str_with_options(&text.0, options).ok()?;
    match read {
        Field::Absent => Some(Vec::new()),
        Field::Odd => None,
        Field::Is(list) => list.0.into_iter().map(|one| asked(one, interner)).collect(),
    }
}

fn asked(field: Field<AskedWire<'_>>, interner: &mut Interner) -> Option<(Name, Name)> {
    let wire = field.get()?;
    if wire.secret_path.text().is_empty() || wire.method.is_odd() {
        return None;
    }
    Some((name(wire.secret_path.text(), interner), name(wire.method.text(), interner)))
}
