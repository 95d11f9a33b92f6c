//! The keys that are trusted: those compiled in, and those that a trusted one vouches for.

use std::collections::BTreeMap;
use std::iter;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::jws::Jws;
use crate::lease::LeaseRefusal;

/// `typ` of the statement by which a key vouches for another.
const ENDORSEMENT: &str = "chopmark-key+jwt";

/// How many links a chain from a pinned key may have.
const CHAIN_MAX: usize = 16;

/// How many keys are kept on disk. A server shows 16 at most, and the chains to them have most links in common.
const KEPT_MAX: usize = 64;

/// How many keys of a set, and endorsements of a key, are looked at.
const OFFERED_MAX: usize = 32;

/// A root key that cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a root key is an Ed25519 public key: 32 bytes as 43 characters of base64url, the member `x` of its JWK")]
pub struct KeyError;

/// The keys that are trusted, each by its id (the RFC 7638 thumbprint).
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: BTreeMap<String, Trusted>,
}

/// A key that is trusted.
#[derive(Debug, Clone)]
struct Trusted {
    key: VerifyingKey,
    /// Links from a pinned key to this one: none for a pinned one.
    links: usize,
    /// The last of these links.
    link: Option<Link>,
}

/// A key with the one endorsement that counted.
#[derive(Debug, Clone)]
struct Link {
    key: OfferedKey,
    /// The id of the key that vouches for it.
    by: String,
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
        let pinned = |root| {
            let (kid, key) = read_key(root).ok_or(KeyError)?;
            Ok((kid, Trusted { key, links: 0, link: None }))
        };
        let keys: BTreeMap<_, _> = roots.into_iter().map(pinned).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeyError) } else { Ok(Self { keys }) }
    }

    /// Takes up the keys of a JSON Web Key Set (`GET /.well-known/jwks.json`) that a trusted key vouches for, and
    /// those that these vouch for, up to sixteen links from a pinned one. Everything else in the set is passed over.
    pub fn introduce(&mut self, key_set: &str) {
        self.accept(&offered_in(key_set));
    }

    /// Takes up what is vouched for, each key over its shortest chain: a pinned key's word counts before all others.
    pub(crate) fn accept(&mut self, offered: &[OfferedKey]) {
        let offered: Vec<_> = offered.iter().filter_map(|key| Some((key.read()?, key))).collect();
        for links in 1..=CHAIN_MAX {
            // Trust grows by one link a round.
            let vouched = offered.iter().filter_map(|((kid, key), offered)| {
                let link = self.last_link(kid, offered, links)?;
                Some((kid.clone(), Trusted { key: *key, links, link: Some(link) }))
            });
            let vouched: Vec<_> = vouched.collect();
            let was_the_end = vouched.is_empty() && self.keys.values().all(|trusted| trusted.links < links);
            self.keys.extend(vouched);
            if was_the_end {
                break;
            }
        }
    }

    /// The link to a key that is so many of them away from a pinned one, if it is known over no shorter chain.
    fn last_link(&self, kid: &str, offered: &OfferedKey, links: usize) -> Option<Link> {
        if self.keys.get(kid).is_some_and(|known| known.links <= links) {
            return None;
        }
        offered.endorsements.iter().take(OFFERED_MAX).find_map(|endorsement| {
            let jws = Jws::parse(endorsement, ENDORSEMENT).ok()?;
            let by = self.keys.get(jws.kid()).filter(|by| by.links + 1 == links)?;
            let stated: Endorsement = jws.verify(&by.key).ok()?;
            let key = OfferedKey { endorsements: vec![endorsement.clone()], ..offered.clone() };
            (stated.kid == kid && stated.x == offered.x).then(|| Link { key, by: jws.kid().to_owned() })
        })
    }

    /// What to keep so that these keys are trusted without being offered again: each with all that leads to it from a
    /// pinned one. Where that is too much, the first ones matter most.
    pub(crate) fn chains(&self, wanted: &[OfferedKey]) -> Vec<OfferedKey> {
        let mut kept = BTreeMap::new();
        for (kid, _) in wanted.iter().filter_map(OfferedKey::read) {
            let missing: Vec<_> = self.chain(kid).filter(|(kid, _)| !kept.contains_key(kid)).collect();
            if kept.len() + missing.len() <= KEPT_MAX {
                kept.extend(missing);
            }
        }
        kept.into_values().collect()
    }

    /// The keys from this one to a pinned one, but for that.
    fn chain(&self, kid: String) -> impl Iterator<Item = (String, OfferedKey)> {
        let link = |kid: String| {
            let link = self.keys.get(&kid)?.link.as_ref()?;
            Some((kid, link))
        };
        iter::successors(link(kid), move |(_, last)| link(last.by.clone())).map(|(kid, link)| (kid, link.key.clone()))
    }

    /// The payload of a JWS that a trusted key has signed.
    pub(crate) fn verify<T: serde::de::DeserializeOwned>(&self, jws: &str, typ: &str) -> Result<T, LeaseRefusal> {
        let jws = Jws::parse(jws, typ)?;
        let key = self.keys.get(jws.kid()).ok_or(LeaseRefusal::UnknownKey)?;
        jws.verify(&key.key)
    }
}

/// The keys of a set, as far as they can be read.
pub(crate) fn offered_in(key_set: &str) -> Vec<OfferedKey> {
    let keys = serde_json::from_str(key_set).map_or_else(|_| vec![], |set: KeySet| set.keys);
    keys.into_iter().take(OFFERED_MAX).filter_map(|key| serde_json::from_value(key).ok()).collect()
}

impl OfferedKey {
    /// The key and its id, if it is of the kind that is used here.
    fn read(&self) -> Option<(String, VerifyingKey)> {
        (self.kty == "OKP" && self.crv == "Ed25519").then(|| read_key(&self.x)).flatten()
    }
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
