//! Making a token.

use std::collections::HashSet;

use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::ids::SellerId;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

/// The longest name, in characters.
const ID_MAX: usize = 64;
/// Random characters at the end of a name, and the dash before them.
const SUFFIX: usize = 9;
/// The longest time after which a token may end, in seconds: ten years.
const SECONDS_MAX: u32 = 10 * 365 * 24 * 3_600;

/// A token that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenWanted {
    /// Its name: 1 to 64 characters of `A-Za-z0-9._-`.
    pub id: String,
    /// What it may do.
    pub role: Role,
    /// For which sellers; empty means all.
    pub sellers: Vec<SellerId>,
    /// After how many seconds it ends by itself, at most ten years; `None` means never.
    pub expires_in_seconds: Option<u32>,
}

/// A token just made, which the log does not know yet.
#[derive(Debug)]
pub struct NewToken {
    /// The token itself: `cmk_` and 256 random bits. To be shown once and kept nowhere.
    pub text: SecretString,
    /// What is to be kept of it.
    pub grant: Grant,
}

/// A token cannot be as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenWantedError {
    /// The name.
    #[error("`id` takes 1 to {max} characters of A-Z a-z 0-9 . _ -")]
    Id {
        /// Characters allowed.
        max: usize,
    },
    /// The time.
    #[error("`expires_in_seconds` takes 1 to 315360000, which is ten years; leave it out for a token without an end")]
    Expiry,
}

/// The text of a token: `cmk_` and 256 random bits, hexadecimal.
#[must_use]
pub fn token_text() -> SecretString {
    format!("cmk_{}", hex::encode(rand::random::<[u8; 32]>())).into()
}

/// Makes a token.
///
/// # Errors
/// [`TokenWantedError`]: it cannot be as it is wanted.
pub fn new_token(wanted: TokenWanted, now: DateTime<Utc>) -> Result<NewToken, TokenWantedError> {
    check_id(&wanted.id, ID_MAX)?;
    let TokenWanted { id, role, mut sellers, expires_in_seconds } = wanted;
    let mut named = HashSet::new();
    sellers.retain(|seller| named.insert(seller.clone()));
    if expires_in_seconds.is_some_and(|seconds| seconds == 0 || seconds > SECONDS_MAX) {
        return Err(TokenWantedError::Expiry);
    }
    let text = token_text();
    let expires_at = expires_in_seconds.map(|seconds| now + TimeDelta::seconds(seconds.into()));
    let grant = Grant { id, hash: TokenHash::of(text.expose_secret()), role, sellers, expires_at };
    Ok(NewToken { text, grant })
}

/// Makes a token for somebody who does not see all tokens. Its name gets a random end: a name that is taken would tell of
/// other sellers' tokens.
///
/// # Errors
/// [`TokenWantedError`]: it cannot be as it is wanted.
pub(super) fn new_token_of_some(wanted: TokenWanted, now: DateTime<Utc>) -> Result<NewToken, TokenWantedError> {
    check_id(&wanted.id, ID_MAX - SUFFIX)?;
    let id = format!("{}-{:08x}", wanted.id, rand::random::<u32>());
    new_token(TokenWanted { id, ..wanted }, now)
}

fn check_id(id: &str, max: usize) -> Result<(), TokenWantedError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if id.is_empty() || id.len() > max || !id.bytes().all(allowed) {
        return Err(TokenWantedError::Id { max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(id: &str) -> TokenWanted {
        TokenWanted { id: id.into(), role: Role::Support, sellers: vec![], expires_in_seconds: None }
    }

    #[test]
    fn no_two_tokens_are_alike_and_only_the_hash_is_kept() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let (one, other) = (new_token(wanted("a"), now).unwrap(), new_token(wanted("a"), now).unwrap());
        assert_ne!(one.text.expose_secret(), other.text.expose_secret());
        assert_eq!(one.text.expose_secret().len(), 68);
        assert_eq!(one.grant.hash, TokenHash::of(one.text.expose_secret()));
        assert!(!format!("{one:?}").contains(&one.text.expose_secret()[4..]));
    }

    #[test]
    fn a_seller_named_twice_is_one_of_the_token_once() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let sellers = ["beta", "acme", "beta"].map(|id| SellerId::parse(id).unwrap());
        let made = new_token(TokenWanted { sellers: sellers.to_vec(), ..wanted("a") }, now).unwrap();
        assert_eq!(made.grant.sellers, sellers[..2]);
    }

    #[test]
    fn names_and_times_have_bounds() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        for id in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert_eq!(new_token(wanted(id), now).unwrap_err(), TokenWantedError::Id { max: 64 }, "{id}");
        }
        assert_eq!(new_token_of_some(wanted(&"x".repeat(55)), now).unwrap().grant.id.len(), 64);
        assert_eq!(new_token_of_some(wanted(&"x".repeat(56)), now).unwrap_err(), TokenWantedError::Id { max: 55 });
        for seconds in [0, SECONDS_MAX + 1] {
            let wanted = TokenWanted { expires_in_seconds: Some(seconds), ..wanted("a") };
            assert_eq!(new_token(wanted, now).unwrap_err(), TokenWantedError::Expiry, "{seconds}");
        }
        let hour = TokenWanted { expires_in_seconds: Some(3_600), ..wanted("a") };
        assert_eq!(new_token(hour, now).unwrap().grant.expires_at.unwrap(), now + TimeDelta::hours(1));
    }
}
