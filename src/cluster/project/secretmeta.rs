//! Secrets, by their metadata.

use super::meta::{Version, Writer, labels, meta};
use super::optional;
use crate::cluster::wire::meta::AnyWire;
use crate::model::changes::Fact;
use crate::model::consumer::SecretMetaFact;
use crate::model::intern::Interner;
use crate::model::kind::Kind;

/// The label in which the API server notes when a token was last used.
const LAST_USED: &str = "kubernetes.io/legacy-token-last-used";

/// The fact of a Secret of one of the two types that are asked for.
pub(super) fn secret(kind: Kind, wire: AnyWire<'_>, interner: &mut Interner) -> Option<Fact> {
    let mut metadata = wire.metadata.get()?;
    let noted = std::mem::take(&mut metadata.annotations).get().unwrap_or_default();
    let meta = meta(&metadata, Version::Resource, Writer::Dropped, interner)?;
    let labels = labels(metadata.labels, interner);
    Some(Fact::SecretMeta(SecretMetaFact {
        meta,
        kind,
        account: optional(&noted.account, interner),
        last_used: labels.get(LAST_USED).cloned(),
    }))
}
