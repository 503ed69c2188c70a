//! Service account tokens: well-formed JWTs signed with a key of the demo's own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::clock;
use super::json::Json;

/// Issuer of the tokens and audience of the API server itself.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const BLOCK: usize = 64;

/// Signs and verifies tokens.
pub(crate) struct Signer {
    key: [u8; BLOCK],
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// Not a token of this issuer at all.
    Foreign,
    /// The signature does not fit.
    Signature,
    /// Its time is over.
    Expired,
}

impl Signer {
    /// A key that depends on the seed only, so that a restarted demo knows its tokens.
    pub(crate) fn new(seed: u64) -> Self {
        let mut key = [0; BLOCK];
        let digest = Sha256::digest(format!("partywall demo {seed}").as_bytes());
        key.iter_mut().zip(digest.iter().cycle()).for_each(|(k, d)| *k = *d);
        Self { key }
    }

    /// HMAC-SHA-256 (RFC 2104).
    fn mac(&self, message: &[u8]) -> Vec<u8> {
        let pad = |with: u8| self.key.map(|b| b ^ with);
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
    }

    /// A token for a service account (namespace, name, uid).
    pub(crate) fn sign(&self, account: (&str, &str, &str), audiences: &[String], seconds: i64, id: &str) -> String {
        let (namespace, name, uid) = account;
        let now = clock::epoch();
        let header = json!({"alg": "HS256", "kid": "partywall-demo"});
        let claims = json!({
            "aud": audiences, "exp": now + seconds, "iat": now, "iss": ISSUER, "jti": id,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "nbf": now, "sub": format!("system:serviceaccount:{namespace}:{name}"),
        });
        let text = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        let signature = B64.encode(self.mac(text.as_bytes()));
        format!("{text}.{signature}")
    }

    /// The claims of a valid token.
    pub(crate) fn verify(&self, token: &str) -> Result<Value, Rejected> {
        let (text, signature) = token.rsplit_once('.').ok_or(Rejected::Foreign)?;
        let (_, payload) = text.split_once('.').ok_or(Rejected::Foreign)?;
        let claims: Value = B64.decode(payload).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(Rejected::Foreign)?;
        if B64.decode(signature).ok() != Some(self.mac(text.as_bytes())) {
            return Err(Rejected::Signature);
        }
        if claims.at("exp").as_i64().unwrap_or_default() <= clock::epoch() {
            return Err(Rejected::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Rejected, Signer};

    #[test]
    fn a_token_is_valid_until_touched_or_old() {
        let signer = Signer::new(1);
        let token = signer.sign(("ns", "sa", "u"), &["vault".into()], 600, "id");
        assert_eq!(signer.verify(&token).unwrap().text("sub"), "system:serviceaccount:ns:sa");
        assert_eq!(Signer::new(2).verify(&token), Err(Rejected::Signature));
        assert_eq!(signer.verify("nonsense"), Err(Rejected::Foreign));
        assert_eq!(signer.verify(&signer.sign(("ns", "sa", "u"), &[], -1, "id")), Err(Rejected::Expired));
    }
}
