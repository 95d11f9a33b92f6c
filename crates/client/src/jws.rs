//! Compact JSON Web Signatures, as far as they are used here: Ed25519 and nothing else (RFC 7515, RFC 8037).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::lease::LeaseRefusal;

/// Characters a signature with its payload may have.
const LENGTH_MAX: usize = 16 * 1024;

/// A JWS taken apart. Nothing in it is to be believed before [`Jws::verify`].
pub(crate) struct Jws<'a> {
    header: Header,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

impl<'a> Jws<'a> {
    /// Takes a JWS apart and holds its header to what is wanted: `alg` exactly `EdDSA`, the given `typ`, no `crit`.
    pub(crate) fn parse(text: &'a str, typ: &str) -> Result<Self, LeaseRefusal> {
        if text.len() > LENGTH_MAX {
            return Err(LeaseRefusal::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(LeaseRefusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(LeaseRefusal::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| LeaseRefusal::Malformed)?;
        if header.alg != "EdDSA" {
            return Err(LeaseRefusal::Algorithm);
        }
        if header.typ.as_deref() != Some(typ) || header.crit.is_some() {
            return Err(LeaseRefusal::Type);
        }
        Ok(Self { header, signed, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// The id of the key it says it is signed with.
    pub(crate) fn kid(&self) -> &str {
        self.header.kid.as_deref().unwrap_or_default()
    }

    /// The payload, if the signature is that key's.
    pub(crate) fn verify<T: DeserializeOwned>(&self, key: &VerifyingKey) -> Result<T, LeaseRefusal> {
        let signature = Signature::from_slice(&self.signature).map_err(|_| LeaseRefusal::Signature)?;
        key.verify_strict(self.signed.as_bytes(), &signature).map_err(|_| LeaseRefusal::Signature)?;
        serde_json::from_slice(&self.payload).map_err(|_| LeaseRefusal::Malformed)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, LeaseRefusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| LeaseRefusal::Malformed)
}
