//! Signs as the server does. Written apart from the client's code, so that both would have to be wrong alike.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A key, always the same for the same seed.
#[derive(Clone)]
pub(crate) struct Key {
    key: SigningKey,
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[seed; 32]) }
    }

    /// The public key as it is compiled into programs.
    pub(crate) fn x(&self) -> String {
        b64(self.key.verifying_key().as_bytes())
    }

    pub(crate) fn kid(&self) -> String {
        b64(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x())))
    }

    /// The public key with the endorsements of others.
    pub(crate) fn jwk(&self, endorsers: &[&Self]) -> Value {
        let endorsements: Vec<_> = endorsers.iter().map(|by| by.endorse(self)).collect();
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid(), "x": self.x(),
            "endorsements": endorsements})
    }

    pub(crate) fn endorse(&self, other: &Self) -> String {
        self.sign("chopmark-key+jwt", &json!({"kid": other.kid(), "x": other.x()}))
    }

    pub(crate) fn lease(&self, claims: &Value) -> String {
        self.sign("chopmark-lease+jwt", claims)
    }

    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> String {
        self.sign_under(&json!({"alg": "EdDSA", "kid": self.kid(), "typ": typ}), claims)
    }

    pub(crate) fn sign_under(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", b64(signature.to_bytes()))
    }
}

/// A JWS whose signature is whatever is given.
pub(crate) fn forge(header: &Value, claims: &Value, signature: impl Fn(&str) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature = signature(&signed);
    format!("{signed}.{}", b64(signature))
}

/// HMAC-SHA256 (RFC 2104), for the forgery that takes a public key for a secret.
pub(crate) fn hs256(secret: &[u8], message: &str) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> { (0..64).map(|at| secret.get(at).copied().unwrap_or(0) ^ pad).collect() };
    let inner = Sha256::digest([padded(0x36), message.as_bytes().to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

/// The bytes of a public key.
pub(crate) fn raw(key: &Key) -> Vec<u8> {
    key.key.verifying_key().as_bytes().to_vec()
}

/// The same signature with the group's order added to its scalar: the equation still holds, and a verifier must refuse
/// it all the same (RFC 8032, 5.1.7).
pub(crate) fn malleated(jws: &str) -> String {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let (signed, signature) = jws.rsplit_once('.').expect("a JWS");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    format!("{signed}.{}", b64(signature))
}
