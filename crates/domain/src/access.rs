//! Access: who may look things up. Tokens are 256 random bits; only their SHA-256 is kept.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec::events;
use crate::ids::SellerId;

/// What a token may do. Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look licenses up and help customers.
    Support,
    /// Read the finance views too.
    Finance,
    /// Everything.
    Admin,
}

/// SHA-256 of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token as presented.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl Serialize for TokenHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// A token that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its name in lists and metadata; not secret.
    pub id: String,
    /// Its hash.
    pub hash: TokenHash,
    /// What it may do.
    pub role: Role,
    /// For which sellers; empty means all.
    pub sellers: Vec<SellerId>,
}

impl Grant {
    /// Whether this token reaches a seller.
    #[must_use]
    pub fn covers(&self, seller: &SellerId) -> bool {
        self.sellers.is_empty() || self.sellers.contains(seller)
    }
}

events! {
    /// Events of the installation's access stream.
    pub enum Event {
        /// A token was made.
        TokenCreated(Grant) = "token_created.v1",
    }
}

/// All tokens, folded from the access stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    grants: Vec<Grant>,
}

impl Access {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::TokenCreated(grant) => self.grants.push(grant.clone()),
        }
    }

    /// What a presented token may do; `None` if it is not one of ours.
    /// Comparing hashes of 256-bit secrets tells a guesser nothing through timing.
    #[must_use]
    pub fn grant(&self, token: &str) -> Option<&Grant> {
        let hash = TokenHash::of(token);
        self.grants.iter().find(|grant| grant.hash == hash)
    }

    /// The events that make a token known, none if it is.
    #[must_use]
    pub fn create(&self, grant: Grant) -> Vec<Event> {
        if self.grants.iter().any(|known| known.hash == grant.hash) { vec![] } else { vec![Event::TokenCreated(grant)] }
    }
}
