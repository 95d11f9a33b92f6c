//! Access keys (访问密钥): one or several per interface type, so that a key can be replaced while both are in use.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::signature;

/// What an access key is bound to in the seller's console (接口调试, zh-cn_topic_0070649478). Two types must not share a
/// key, and a key signs nothing of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InterfaceType {
    /// Base interface (基础接口).
    Base,
    /// Delivery of license codes (License授权码交付接口).
    LicenseCode,
    /// Synchronisation of joint-operation products (联营SaaS同步接口).
    Joint,
    /// General interface (通用接口): order notifications.
    General,
}

impl InterfaceType {
    /// Every type. The base interface comes first: it answers where nothing better is known.
    pub const ALL: [Self; 4] = [Self::Base, Self::LicenseCode, Self::Joint, Self::General];

    /// The type as configuration and key ids spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::LicenseCode => "license_code",
            Self::Joint => "joint",
            Self::General => "general",
        }
    }
}

impl fmt::Display for InterfaceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key shared with the marketplace. Its characters are the HMAC key; nothing is decoded.
#[derive(Debug)]
pub struct AccessKey {
    interface: InterfaceType,
    secret: SecretString,
    id: String,
}

impl AccessKey {
    fn new(interface: InterfaceType, secret: SecretString) -> Self {
        let digest = hex::encode(Sha256::digest(secret.expose_secret().as_bytes()));
        Self { interface, id: format!("{interface}/{}", &digest[..8]), secret }
    }

    /// What the key is bound to.
    #[must_use]
    pub fn interface(&self) -> InterfaceType {
        self.interface
    }

    /// What the key is called in logs and metadata: its type and eight digits of its SHA-256, e.g. `base/1a2b3c4d`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The `Body-Sign` header of an answer with exactly these bytes.
    #[must_use]
    pub fn body_sign(&self, body: &[u8]) -> String {
        signature::body_sign_header(self.bytes(), body)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.secret.expose_secret().as_bytes()
    }
}

/// All access keys of a seller.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: Vec<AccessKey>,
}

impl KeyRing {
    /// A ring of these keys. Of several keys of one type, the first signs where none has verified.
    #[must_use]
    pub fn new(keys: Vec<(InterfaceType, SecretString)>) -> Self {
        Self { keys: keys.into_iter().map(|(interface, secret)| AccessKey::new(interface, secret)).collect() }
    }

    /// The keys of some types: type by type as given, then in the order of the ring.
    pub fn of(&self, types: &[InterfaceType]) -> impl Iterator<Item = &AccessKey> {
        types.iter().flat_map(|interface| self.keys.iter().filter(move |key| key.interface == *interface))
    }

    /// The first key of some types.
    #[must_use]
    pub fn first(&self, types: &[InterfaceType]) -> Option<&AccessKey> {
        self.of(types).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> KeyRing {
        KeyRing::new(vec![
            (InterfaceType::General, "general-key".into()),
            (InterfaceType::Base, "base-key".into()),
            (InterfaceType::Base, "old-base-key".into()),
        ])
    }

    #[test]
    fn keys_are_found_by_type() {
        let ring = ring();
        let wanted: Vec<_> = ring.of(&[InterfaceType::Base, InterfaceType::General]).map(AccessKey::bytes).collect();
        assert_eq!(wanted, [&b"base-key"[..], b"old-base-key", b"general-key"]);
        assert!(ring.first(&[InterfaceType::LicenseCode]).is_none());
    }

    #[test]
    fn a_key_is_named_but_never_shown() {
        let ring = ring();
        let key = ring.first(&[InterfaceType::Base]).unwrap();
        assert_eq!(key.id(), format!("base/{}", &hex::encode(Sha256::digest(b"base-key"))[..8]));
        assert!(!format!("{ring:?}").contains("base-key"));
    }
}
