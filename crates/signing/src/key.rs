//! One key: it signs, and its name follows from its public part.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The name of a key (`kid`): the SHA-256 thumbprint of its public part in base64url (RFC 7638, and RFC 8037 appendix
/// A.3 for Ed25519). Two keys never share one, and nobody can give a key the name of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Kid(String);

impl Kid {
    /// The name of the key with this public part, given in base64url as in a JWK's `x`.
    pub(crate) fn of(x: &str) -> Self {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(members)))
    }

    /// The name itself: 43 characters of `A-Za-z0-9_-`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key of a ring is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It signs.
    Signing,
    /// It will sign after the next rotation, and is published until then so that everybody knows it by that time.
    Next,
    /// It signed once. What it signed is still accepted.
    Retired,
    /// It is in the configuration, after the one that signs: the next or a former one, which only the operator knows.
    Published,
}

/// An Ed25519 key. Its secret part is wiped from memory when it goes, and never printed.
pub struct Key {
    secret: SigningKey,
    kid: Kid,
    x: String,
    role: Role,
}

impl Key {
    pub(crate) fn new(secret: SigningKey, role: Role) -> Self {
        let x = URL_SAFE_NO_PAD.encode(secret.verifying_key());
        Self { kid: Kid::of(&x), x, secret, role }
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// Its public part in base64url: the `x` of its JWK.
    #[must_use]
    pub fn x(&self) -> &str {
        &self.x
    }

    /// What it is there for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn secret(&self) -> &SigningKey {
        &self.secret
    }

    /// Signs a message: Ed25519, the same signature each time.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }

    /// Whether this key signed the message. Strict: weak keys and signatures with a second spelling are refused.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.secret.verifying_key().verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("role", &self.role).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.1.
    fn published() -> Key {
        let d = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        Key::new(SigningKey::from_bytes(&d.try_into().unwrap()), Role::Signing)
    }

    #[test]
    fn a_key_has_the_public_part_and_the_name_that_rfc_8037_gives_it() {
        assert_eq!(published().x(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(published().kid().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn it_signs_as_rfc_8037_does() {
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = published().sign(message);
        let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(URL_SAFE_NO_PAD.encode(signature), expected);
        assert!(published().signed(message, &signature));
        assert!(!published().signed(b"another message", &signature));
    }

    #[test]
    fn its_secret_is_not_printed() {
        let text = format!("{:?}", Key::new(SigningKey::from_bytes(&[0xA7; 32]), Role::Next));
        assert!(text.contains("Next") && !text.to_lowercase().contains("a7, a7") && !text.contains("167"), "{text}");
    }
}
