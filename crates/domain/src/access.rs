//! Access: who may look things up. Tokens are 256 random bits; only their SHA-256 is kept.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::codec::events;
use crate::digest::SecretDigest;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenHash(SecretDigest);

impl TokenHash {
    /// The hash of a token as presented.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(SecretDigest::of(token))
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
    /// When it ends by itself, UTC; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A token was taken back. Final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRevoked {
    /// Its name.
    pub id: String,
}

/// Whether a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    /// It can.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// Why a token is not made or not taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Names are for ever: events carry them.
    #[error("there is already a token named {0}; choose another name")]
    Exists(String),
    /// There is none of that name.
    #[error("there is no token named {0}; list them: chopmark token list")]
    Unknown(String),
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
        /// A token was taken back.
        TokenRevoked(TokenRevoked) = "token_revoked.v1",
    }
}

/// All tokens, folded from the access stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    grants: Vec<Grant>,
    #[serde(default)]
    revoked: BTreeSet<String>,
}

impl Access {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::TokenCreated(grant) => self.grants.push(grant.clone()),
            Event::TokenRevoked(TokenRevoked { id }) => {
                self.revoked.insert(id.clone());
            }
        }
    }

    /// What a presented token may do; `None` if it is not one of ours, has expired or was taken back.
    /// Comparing hashes of 256-bit secrets tells a guesser nothing through timing.
    #[must_use]
    pub fn grant(&self, token: &str, now: DateTime<Utc>) -> Option<&Grant> {
        let hash = TokenHash::of(token);
        let grant = self.grants.iter().find(|grant| grant.hash == hash)?;
        (self.status(grant, now) == TokenStatus::Active).then_some(grant)
    }

    /// Every token that ever was, in the order they were made.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Whether a token can be used.
    #[must_use]
    pub fn status(&self, grant: &Grant, now: DateTime<Utc>) -> TokenStatus {
        if self.revoked.contains(&grant.id) {
            TokenStatus::Revoked
        } else if grant.expires_at.is_some_and(|end| end <= now) {
            TokenStatus::Expired
        } else {
            TokenStatus::Active
        }
    }

    /// The events that make a token known, none if it is.
    ///
    /// # Errors
    /// [`TokenRefusal::Exists`]: another token has the name.
    pub fn create(&self, grant: Grant) -> Result<Vec<Event>, TokenRefusal> {
        if self.grants.iter().any(|known| known.hash == grant.hash) {
            return Ok(vec![]);
        }
        if self.grants.iter().any(|known| known.id == grant.id) {
            return Err(TokenRefusal::Exists(grant.id));
        }
        Ok(vec![grant.into()])
    }

    /// The events that take a token back, none if it was.
    ///
    /// # Errors
    /// [`TokenRefusal::Unknown`]: there is none of that name.
    pub fn revoke(&self, id: &str) -> Result<Vec<Event>, TokenRefusal> {
        if !self.grants.iter().any(|known| known.id == id) {
            return Err(TokenRefusal::Unknown(id.into()));
        }
        if self.revoked.contains(id) { Ok(vec![]) } else { Ok(vec![TokenRevoked { id: id.into() }.into()]) }
    }
}
