//! The keys as everybody may see them (RFC 7517), each with the word of the others.

use serde::Serialize;

use crate::jws;
use crate::key::{Key, Kid};
use crate::key_ring::KeyRing;

/// A set of public keys: the document at `/.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The key that signs, the next, retired ones; of configured keys, in their order.
    pub keys: Vec<Jwk>,
}

/// A public key (RFC 8037, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// `OKP`.
    pub kty: &'static str,
    /// `Ed25519`.
    pub crv: &'static str,
    /// `EdDSA`.
    pub alg: &'static str,
    /// `sig`: it signs and encrypts nothing.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// Its name.
    pub kid: Kid,
    /// Its public part, base64url.
    pub x: String,
    /// For each other key of the ring, in their order, its word that this key is one of them: a compact JWS of the
    /// type `chopmark-key+jwt` with the claims `kid` and `x` of this key, signed by the other. Software that trusts
    /// one key of a ring accepts the others by these.
    pub endorsements: Vec<String>,
}

/// What an endorsement says.
#[derive(Serialize)]
struct Endorsed<'a> {
    kid: &'a Kid,
    x: &'a str,
}

impl KeyRing {
    /// The public keys with their endorsements. It costs a signature for each pair of keys; Ed25519 gives the same
    /// signature each time, so the document of a ring is always the same.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.keys().map(|key| self.jwk(key)).collect() }
    }

    fn jwk(&self, key: &Key) -> Jwk {
        let others = self.keys().filter(|other| other.kid() != key.kid());
        Jwk {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            usage: "sig",
            kid: key.kid().clone(),
            x: key.x().to_owned(),
            endorsements: others.map(|other| endorse(other, key)).collect(),
        }
    }
}

#[expect(clippy::expect_used, reason = "two texts are always JSON")]
fn endorse(by: &Key, key: &Key) -> String {
    let endorsed = serde_json::to_vec(&Endorsed { kid: key.kid(), x: key.x() }).expect("JSON");
    jws::sign(by, jws::ENDORSEMENT, &endorsed)
}
