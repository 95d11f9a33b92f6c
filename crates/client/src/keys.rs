//! The keys that are trusted: those compiled in, and those that a trusted one vouches for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::jws::Jws;
use crate::lease::LeaseRefusal;

/// `typ` of the statement by which a key vouches for another.
const ENDORSEMENT: &str = "chopmark-key+jwt";

/// How many keys a chain from a pinned one may have.
const CHAIN_MAX: usize = 16;

/// How many keys of a set, and endorsements of a key, are looked at.
const OFFERED_MAX: usize = 32;

/// A root key that cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a root key is an Ed25519 public key: 32 bytes as 43 characters of base64url, the member `x` of its JWK")]
pub struct KeyError;

/// The keys that are trusted, each by its id (the RFC 7638 thumbprint).
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: BTreeMap<String, VerifyingKey>,
}

/// A key with what vouches for it, as a key set offers it and as it is kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfferedKey {
    kty: String,
    crv: String,
    x: String,
    #[serde(default)]
    endorsements: Vec<String>,
}

/// What one key says of another.
#[derive(Deserialize)]
struct Endorsement {
    kid: String,
    x: String,
}

/// A JSON Web Key Set. Keys of other kinds may be in it, so each is read by itself.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl KeyRing {
    /// A ring of the keys compiled into the program, each the base64url text of an Ed25519 public key.
    ///
    /// # Errors
    /// [`KeyError`] if one of them is not, or there is none.
    pub fn pinned<'a>(roots: impl IntoIterator<Item = &'a str>) -> Result<Self, KeyError> {
        let keys: BTreeMap<_, _> =
            roots.into_iter().map(|root| read_key(root).ok_or(KeyError)).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeyError) } else { Ok(Self { keys }) }
    }

    /// Takes up the keys of a JSON Web Key Set (`GET /.well-known/jwks.json`) that a trusted key vouches for, and
    /// those that these vouch for, up to sixteen from a pinned one. Everything else in the set is passed over.
    pub fn introduce(&mut self, key_set: &str) {
        self.accept(&offered_in(key_set));
    }

    /// Takes up what is vouched for; returns it, with the vouching that counted, to be kept.
    pub(crate) fn accept(&mut self, offered: &[OfferedKey]) -> Vec<OfferedKey> {
        let mut accepted: Vec<OfferedKey> = vec![];
        for _ in 0..CHAIN_MAX {
            // Trust grows by one link a round, so that the rounds bound the length of a chain.
            let vouched: Vec<_> = offered.iter().filter_map(|key| self.vouched(key)).collect();
            if vouched.is_empty() {
                break;
            }
            for (kid, key, offered) in vouched {
                if self.keys.insert(kid, key).is_none() {
                    accepted.push(offered);
                }
            }
        }
        accepted
    }

    /// A key that is new and that a trusted key vouches for.
    fn vouched(&self, offered: &OfferedKey) -> Option<(String, VerifyingKey, OfferedKey)> {
        if offered.kty != "OKP" || offered.crv != "Ed25519" {
            return None;
        }
        let (kid, key) = read_key(&offered.x)?;
        if self.keys.contains_key(&kid) {
            return None;
        }
        let endorsements = offered.endorsements.iter().take(OFFERED_MAX);
        let vouching = endorsements.into_iter().find(|endorsement| self.endorses(endorsement, &kid, &offered.x))?;
        Some((kid, key, OfferedKey { endorsements: vec![vouching.clone()], ..offered.clone() }))
    }

    fn endorses(&self, endorsement: &str, kid: &str, x: &str) -> bool {
        let stated: Result<Endorsement, _> = self.verify(endorsement, ENDORSEMENT);
        stated.is_ok_and(|stated| stated.kid == kid && stated.x == x)
    }

    /// The payload of a JWS that a trusted key has signed.
    pub(crate) fn verify<T: serde::de::DeserializeOwned>(&self, jws: &str, typ: &str) -> Result<T, LeaseRefusal> {
        let jws = Jws::parse(jws, typ)?;
        let key = self.keys.get(jws.kid()).ok_or(LeaseRefusal::UnknownKey)?;
        jws.verify(key)
    }
}

/// The keys of a set, as far as they can be read.
pub(crate) fn offered_in(key_set: &str) -> Vec<OfferedKey> {
    let keys = serde_json::from_str(key_set).map_or_else(|_| vec![], |set: KeySet| set.keys);
    keys.into_iter().take(OFFERED_MAX).filter_map(|key| serde_json::from_value(key).ok()).collect()
}

/// A key and its id.
fn read_key(x: &str) -> Option<(String, VerifyingKey)> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(x).ok()?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())?;
    // RFC 7638: the required members in the order of their names, no blanks.
    let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
    Some((URL_SAFE_NO_PAD.encode(thumbprint), key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_id_is_its_thumbprint_as_rfc_8037_computes_it() {
        let (kid, _) = read_key("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("the key of RFC 8037, A.2");
        assert_eq!(kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let zero = URL_SAFE_NO_PAD.encode([0; 32]);
        for root in ["", "abc", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=", &zero] {
            assert_eq!(KeyRing::pinned([root]).err(), Some(KeyError), "{root:?}");
        }
        assert!(KeyRing::pinned([]).is_err());
    }
}
