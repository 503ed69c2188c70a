//! SEC-17: the server itself.

use crate::model::kind::Kind;
use crate::model::text::clean;
use crate::model::vault::Flavour;
use crate::posture::finding::Subject;
use crate::posture::verdict::Declared;
use crate::posture::view::{Point, TenantView};

/// SEC-17: Vault answers, is unsealed, and is the one we think it is. Whether it keeps an audit log is not read in this release.
pub fn healthy(view: &TenantView<'_>) -> Vec<Point> {
    let vault = &view.snapshot.vault;
    let object = crate::model::ids::ObjectRef::new(Kind::VaultServer, "", vault.address.clone());
    let name = match vault.server.flavour {
        Flavour::OpenBao => "OpenBao",
        Flavour::Vault | Flavour::Unknown => "Vault",
    };
    let http = vault.address.starts_with("http://");
    let mut message = format!("{name} {} answers and is unsealed", clean(&vault.server.version));
    let mut reason = None;
    if vault.server.standby {
        message.push_str("; it is a standby, whose answers may be behind");
        reason = Some("standby");
    } else if http {
        message.push_str("; we speak to it without TLS");
        reason = Some("plain-http");
    }
    let mut point = Point::new(Declared::Right, Subject::object(&object), message)
        .with(object.clone(), "sealed", "false")
        .with(object.clone(), "address", &vault.address)
        .with(object, "sys/audit", "not read");
    point.reason = reason;
    vec![point]
}
