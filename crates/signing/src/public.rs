//! Keys that only verify: what is left of a ring for those who do not have its secrets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

use crate::key::{Key, Kid};
use crate::key_ring::KeyRing;

/// Bytes of a JWKS that is read.
pub const MAX_JWKS_BYTES: u64 = 1024 * 1024;

/// Public keys, trusted by whoever brings them.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(Vec<(Kid, VerifyingKey)>);

/// Why a JWKS gives no keys.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeysError {
    /// It is none.
    #[error("it is no JWKS: {0}; `chopmark keys root --json` and `/.well-known/jwks.json` give one")]
    Malformed(serde_json::Error),
    /// One of its keys cannot be used.
    #[error("key {number} of it is no Ed25519 key: its `x` is not 32 bytes of one in base64url")]
    Key {
        /// Which, from 1, of those that say that they are for Ed25519.
        number: usize,
    },
    /// It has none for Ed25519.
    #[error("it holds no Ed25519 key (`kty` OKP, `crv` Ed25519)")]
    Empty,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Member>,
}

/// A key of any type: only those of ours have these.
#[derive(Deserialize)]
struct Member {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
}

impl PublicKeys {
    /// The keys of a JWKS (RFC 7517). Those of other types are passed over. A key's name is computed, not read: so nobody
    /// passes one key off as another.
    ///
    /// # Errors
    /// It is no JWKS, or no key in it can be used.
    pub fn from_jwks(json: &[u8]) -> Result<Self, PublicKeysError> {
        let document: Document = serde_json::from_slice(json).map_err(PublicKeysError::Malformed)?;
        let ours = document.keys.into_iter().filter(|key| key.kty == "OKP" && key.crv.as_deref() == Some("Ed25519"));
        let keys =
            ours.zip(1..).map(|(key, number)| key.x.as_deref().and_then(read).ok_or(PublicKeysError::Key { number }));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(PublicKeysError::Empty) } else { Ok(Self(keys)) }
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key of this name signed the message; `None` if it is not among these.
    pub(crate) fn signed(&self, kid: &str, message: &[u8], signature: &[u8; 64]) -> Option<bool> {
        let (_, key) = self.0.iter().find(|(known, _)| known.as_str() == kid)?;
        Some(key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

/// A key by its `x`.
fn read(x: &str) -> Option<(Kid, VerifyingKey)> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(x).ok()?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&bytes).ok()?;
    Some((Kid::of(x), key))
}

impl From<&KeyRing> for PublicKeys {
    fn from(ring: &KeyRing) -> Self {
        Self(ring.keys().map(|key: &Key| (key.kid().clone(), key.secret().verifying_key())).collect())
    }
}
