//! The keys of an installation, in the order of their use.

use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret, SecretString};

use crate::key::{Key, Role};
use crate::pem;

/// Keys a ring may hold. In a ring that is rotated, the oldest retired key goes when there would be more.
pub const MAX_KEYS: usize = 16;

/// Why keys cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No PEM block was found.
    #[error("there is no key; Ed25519 keys in PEM are expected, as `openssl genpkey -algorithm ed25519` makes them")]
    Empty,
    /// A block begins and does not end.
    #[error("block {number} has no end; restore the file from a copy")]
    Unfinished {
        /// Which block, from 1.
        number: usize,
    },
    /// A block holds something else than a key in PKCS#8.
    #[error("block {number} is {label:?}, not \"PRIVATE KEY\"; `openssl pkey` turns an Ed25519 key into that form")]
    Label {
        /// Which block, from 1.
        number: usize,
        /// What it says it is; at most 40 characters of it.
        label: String,
    },
    /// A block is no key for Ed25519.
    #[error("block {number} is no Ed25519 key: {source}; `openssl genpkey -algorithm ed25519` makes one")]
    Malformed {
        /// Which block, from 1.
        number: usize,
        /// What is wrong with it.
        source: ed25519_dalek::pkcs8::Error,
    },
    /// The same key stands there twice.
    #[error("keys {first} and {second} are the same; take one of them out")]
    Twice {
        /// The first place, from 1.
        first: usize,
        /// The second place.
        second: usize,
    },
    /// More keys than a ring may hold.
    #[error("there are more than {MAX_KEYS} keys; take out those whose leases have all ended")]
    TooMany,
    /// An entry of a configured list cannot be used.
    #[error("key {number} of the list: {source}")]
    Entry {
        /// Which entry, from 1.
        number: usize,
        /// What is wrong with it.
        source: Box<KeyError>,
    },
    /// Keys that were configured are not ours to rotate.
    #[error(
        "these keys come from the configuration; to rotate them, put the next key first in `[keys] signing` and \
         leave the others behind it"
    )]
    Configured,
}

/// The keys of an installation: one that signs, and those that are published beside it. There is always one that
/// signs; no key is there twice; there are at most [`MAX_KEYS`].
#[derive(Debug)]
pub struct KeyRing {
    signing: Key,
    others: Vec<Key>,
}

impl KeyRing {
    /// Two new keys from random bytes: the one that signs and the next.
    ///
    /// # Errors
    /// [`KeyError::Twice`]: the bytes are not random.
    pub fn generate(random: [[u8; 32]; 2]) -> Result<Self, KeyError> {
        Self::arrange(random.iter().map(SigningKey::from_bytes), role_in_file)
    }

    /// The keys of one PEM text with a PKCS#8 block for each: the one that signs, the next, retired ones, the latest
    /// first.
    ///
    /// # Errors
    /// It holds no key, something else than Ed25519 keys, one of them twice, or too many.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::arrange(pem::read(text)?, role_in_file)
    }

    /// The keys of a configured list: the first signs, all others are published.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), with the entry's number.
    pub fn from_pems(texts: &[SecretString]) -> Result<Self, KeyError> {
        let mut keys = vec![];
        for (index, text) in texts.iter().enumerate() {
            let entry = |source| KeyError::Entry { number: index + 1, source: Box::new(source) };
            keys.extend(pem::read(text.expose_secret()).map_err(entry)?);
        }
        Self::arrange(keys, role_in_list)
    }

    fn arrange(keys: impl IntoIterator<Item = SigningKey>, role: fn(usize) -> Role) -> Result<Self, KeyError> {
        let mut keys = keys.into_iter().enumerate().map(|(index, secret)| Key::new(secret, role(index)));
        let signing = keys.next().ok_or(KeyError::Empty)?;
        let mut ring = Self { signing, others: vec![] };
        for key in keys {
            if let Some(first) = ring.keys().position(|known| known.kid() == key.kid()) {
                return Err(KeyError::Twice { first: first + 1, second: ring.others.len() + 2 });
            }
            if ring.others.len() + 1 == MAX_KEYS {
                return Err(KeyError::TooMany);
            }
            ring.others.push(key);
        }
        Ok(ring)
    }

    /// The ring after a rotation: the next key signs, the one that signed is the first of the retired, and a key made
    /// from the random bytes is the next. A ring without a next key gets one and changes in nothing else: a key is
    /// published before it signs.
    ///
    /// # Errors
    /// [`KeyError::Configured`]: only the operator can rotate keys of the configuration. [`KeyError::Twice`]: the
    /// bytes are not random.
    pub fn rotate(self, random: [u8; 32]) -> Result<Self, KeyError> {
        if self.keys().any(|key| key.role() == Role::Published) {
            return Err(KeyError::Configured);
        }
        let fresh = SigningKey::from_bytes(&random);
        let mut keys: Vec<SigningKey> = self.keys().map(|key| key.secret().clone()).collect();
        match keys.get(1).cloned() {
            None => keys.push(fresh),
            Some(next) => {
                keys.remove(1);
                keys.splice(0..0, [next, fresh]);
            }
        }
        keys.truncate(MAX_KEYS);
        Self::arrange(keys, role_in_file)
    }

    /// All keys as one PEM text, in their order: what [`from_pem`](Self::from_pem) reads.
    #[must_use]
    pub fn to_pem(&self) -> SecretString {
        pem::write(self.keys().map(Key::secret))
    }

    /// The key that signs.
    #[must_use]
    pub fn signing(&self) -> &Key {
        &self.signing
    }

    /// All keys, first the one that signs, then the others in their order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.signing).chain(&self.others)
    }

    /// The key of a name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys().find(|key| key.kid().as_str() == kid)
    }

    /// What a seller compiles into the software that checks leases: the public part of the key that signs, in
    /// base64url (43 characters). Its [name](crate::Kid) follows from it, and it endorses every other key of the ring.
    #[must_use]
    pub fn root(&self) -> String {
        self.signing.x().to_owned()
    }
}

fn role_in_file(index: usize) -> Role {
    match index {
        0 => Role::Signing,
        1 => Role::Next,
        _ => Role::Retired,
    }
}

fn role_in_list(index: usize) -> Role {
    if index == 0 { Role::Signing } else { Role::Published }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> KeyRing {
        KeyRing::generate([[1; 32], [2; 32]]).unwrap()
    }

    fn described(ring: &KeyRing) -> Vec<(String, Role)> {
        ring.keys().map(|key| (key.x().to_owned(), key.role())).collect()
    }

    fn x(random: u8) -> String {
        Key::new(SigningKey::from_bytes(&[random; 32]), Role::Next).x().to_owned()
    }

    #[test]
    fn a_ring_survives_its_file() {
        let ring = ring().rotate([3; 32]).unwrap().rotate([4; 32]).unwrap();
        let again = KeyRing::from_pem(ring.to_pem().expose_secret()).unwrap();
        assert_eq!(described(&again), described(&ring));
    }

    #[test]
    fn rotating_moves_every_key_one_role_on() {
        let ring = ring().rotate([3; 32]).unwrap();
        assert_eq!(described(&ring), [(x(2), Role::Signing), (x(3), Role::Next), (x(1), Role::Retired)]);
        let ring = ring.rotate([4; 32]).unwrap();
        let expected = [(x(3), Role::Signing), (x(4), Role::Next), (x(2), Role::Retired), (x(1), Role::Retired)];
        assert_eq!(described(&ring), expected);
        assert_eq!(ring.root(), x(3));
    }

    #[test]
    fn a_lone_key_goes_on_signing_until_the_next_one_was_published() {
        let alone = KeyRing::arrange([SigningKey::from_bytes(&[1; 32])], role_in_file).unwrap();
        assert_eq!(described(&alone.rotate([2; 32]).unwrap()), [(x(1), Role::Signing), (x(2), Role::Next)]);
    }

    #[test]
    fn the_oldest_keys_go_when_there_are_too_many() {
        let mut ring = ring();
        for random in 3..=40 {
            ring = ring.rotate([random; 32]).unwrap();
        }
        let expected: Vec<_> = [39, 40].into_iter().chain((25..=38).rev()).map(x).collect();
        assert_eq!(ring.keys().map(Key::x).collect::<Vec<_>>(), expected);
        assert_eq!(expected.len(), MAX_KEYS);
        assert!(KeyRing::from_pem(ring.to_pem().expose_secret()).is_ok(), "a full ring can be read again");
    }

    #[test]
    fn configured_keys_are_published_and_not_ours_to_rotate() {
        let entry = |random: u8| pem::write([&SigningKey::from_bytes(&[random; 32])]);
        let ring = KeyRing::from_pems(&[entry(1), entry(2), entry(3)]).unwrap();
        assert_eq!(described(&ring), [(x(1), Role::Signing), (x(2), Role::Published), (x(3), Role::Published)]);
        assert!(matches!(ring.rotate([4; 32]), Err(KeyError::Configured)));
        let error = KeyRing::from_pems(&[entry(1), "nothing".to_owned().into()]).unwrap_err();
        assert!(error.to_string().starts_with("key 2 of the list: there is no key"), "{error}");
        assert!(matches!(KeyRing::from_pems(&[]), Err(KeyError::Empty)));
    }

    #[test]
    fn a_key_that_is_there_twice_is_a_mistake() {
        assert!(matches!(KeyRing::generate([[1; 32]; 2]), Err(KeyError::Twice { first: 1, second: 2 })));
        assert!(matches!(ring().rotate([1; 32]), Err(KeyError::Twice { first: 2, second: 3 })));
    }
}
