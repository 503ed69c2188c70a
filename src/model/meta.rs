//! What every fact keeps of an object's metadata.

use super::ids::{Name, ObjectRef, Uid};
use super::kind::Kind;
use super::time::Time;

/// Identity and history of an object, without labels, annotations or managed fields.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Meta {
    /// Namespace; empty for a cluster-scoped object.
    pub namespace: Name,
    /// Name.
    pub name: Name,
    /// Uid: an object deleted and made again under its old name has another.
    pub uid: Uid,
    /// Changes exactly when something a wall may rest on changes: `metadata.generation` where the kind has one; else `resourceVersion`;
    /// for kinds whose status moves (ResourceQuota) a digest of the specification with the time of its newest writer.
    pub version: u64,
    /// `metadata.creationTimestamp`.
    pub created: Time,
    /// The newest writer in `managedFields` that is not a status update, if the server told.
    pub changed: Option<Box<Changed>>,
}

/// Who changed an object last, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Field manager: hostile text.
    pub manager: Name,
    /// When.
    pub at: Time,
}

impl Meta {
    /// The reference to this object, as an object of `kind`.
    pub fn object(&self, kind: Kind) -> ObjectRef {
        ObjectRef { kind, namespace: self.namespace.clone(), name: self.name.clone() }
    }
}
