//! Seals: the installation's word for what its log held.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::claims::{self, ClaimsError};
use crate::jws;
use crate::key_ring::KeyRing;
use crate::public::PublicKeys;

/// Bytes that a seal may have.
const MAX_SEAL_BYTES: usize = 16 * 1024;

/// Why a seal is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a JWS of this type by Ed25519.
    #[error("it is no seal of Chopmark")]
    Malformed,
    /// It says something else than stands beside it.
    #[error("what is signed is not what stands beside it")]
    Claims,
    /// Its key is not among those that are believed.
    #[error("it is signed by the key {kid}, which is not known here")]
    UnknownKey {
        /// The key.
        kid: String,
    },
    /// It was not signed so.
    #[error("its signature is wrong")]
    Signature,
}

#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
    crit: Option<IgnoredAny>,
}

/// A seal: a JWS in compact form of the type `chopmark-seal+jwt` over the claims as JSON, signed by the ring's key. The
/// same claims under the same key give the same seal.
///
/// # Errors
/// The claims cannot be written as JSON.
pub fn seal<C: Serialize>(keys: &KeyRing, claims: &C) -> Result<String, ClaimsError> {
    Ok(jws::sign(keys.signing(), jws::SEAL, &claims::json(claims)?))
}

impl PublicKeys {
    /// Believes a seal if one of these keys signed exactly these claims in it.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn verify_seal<C: Serialize>(&self, seal: &str, claims: &C) -> Result<(), SealError> {
        if seal.len() > MAX_SEAL_BYTES {
            return Err(SealError::Malformed);
        }
        let (signed, signature) = seal.rsplit_once('.').ok_or(SealError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(SealError::Malformed)?;
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);

        let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| SealError::Malformed)?;
        if header.alg != "EdDSA" || header.typ != jws::SEAL || header.crit.is_some() {
            return Err(SealError::Malformed);
        }
        if claims::json(claims).map_err(|_| SealError::Claims)? != payload {
            return Err(SealError::Claims);
        }
        let signature = signature.try_into().map_err(|_| SealError::Signature)?;
        match self.signed(header.kid, signed.as_bytes(), &signature) {
            Some(true) => Ok(()),
            Some(false) => Err(SealError::Signature),
            None => Err(SealError::UnknownKey { kid: header.kid.chars().take(64).collect() }),
        }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, SealError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| SealError::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{DocumentClaims, license_document};

    fn ring(random: u8) -> KeyRing {
        KeyRing::generate([[random; 32], [random + 1; 32]]).unwrap()
    }

    fn public(ring: &KeyRing) -> PublicKeys {
        PublicKeys::from(ring)
    }

    #[test]
    fn a_seal_is_believed_with_the_keys_of_the_ring_and_with_its_jwks() {
        let (ring, claims) = (ring(1), json!({"records": 7}));
        let made = seal(&ring, &claims).unwrap();
        assert_eq!(public(&ring).verify_seal(&made, &claims), Ok(()));
        let jwks = PublicKeys::from_jwks(&serde_json::to_vec(&ring.jwks()).unwrap()).unwrap();
        assert_eq!(jwks.verify_seal(&made, &claims), Ok(()));
        let rotated = ring.rotate([9; 32]).unwrap();
        assert_eq!(public(&rotated).verify_seal(&made, &claims), Ok(()), "what a former key signed holds");
        assert_eq!(made, seal(&self::ring(1), &claims).unwrap(), "the same claims make the same seal");
    }

    #[test]
    fn other_claims_keys_and_signatures_are_not_believed() {
        let (ring, claims) = (ring(1), json!({"records": 7}));
        let made = seal(&ring, &claims).unwrap();
        let keys = public(&ring);
        assert_eq!(keys.verify_seal(&made, &json!({"records": 8})), Err(SealError::Claims));
        assert!(matches!(public(&self::ring(5)).verify_seal(&made, &claims), Err(SealError::UnknownKey { .. })));
        let (signed, signature) = made.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{signed}.{other}{}", &signature[1..]);
        assert_eq!(keys.verify_seal(&forged, &claims), Err(SealError::Signature));
        assert_eq!(keys.verify_seal(&format!("{signed}.AAAA"), &claims), Err(SealError::Signature));
        for odd in ["", ".", "..", "a.b.c", &"a".repeat(MAX_SEAL_BYTES + 1)] {
            assert_eq!(keys.verify_seal(odd, &claims), Err(SealError::Malformed), "{odd:.20}");
        }
    }

    #[test]
    fn what_else_these_keys_sign_is_no_seal() {
        let ring = ring(1);
        let claims = DocumentClaims::<()> {
            issuer: "chopmark",
            license: "l",
            product: None,
            seller: "acme",
            event_id: "e",
            fingerprint: None,
            not_before: chrono::DateTime::UNIX_EPOCH,
            expires_at: None,
            entitlements: None,
        };
        let document = license_document(&ring, &claims).unwrap();
        let said = json!({"iss": "chopmark", "sub": "l", "seller": "acme", "event_id": "e", "iat": 0, "nbf": 0});
        assert_eq!(public(&ring).verify_seal(&document, &said), Err(SealError::Malformed));
    }

    #[test]
    fn a_jwks_without_keys_of_ours_is_refused() {
        for (text, hint) in [
            ("nonsense", "no JWKS"),
            ("{\"keys\":[]}", "no Ed25519 key"),
            ("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\"}]}", "no Ed25519 key"),
            ("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}", "key 1"),
        ] {
            let error = PublicKeys::from_jwks(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
    }
}
