//! License documents: what a customer of an online license gets to keep.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::claims::{self, ClaimsError};
use crate::jws;
use crate::key_ring::KeyRing;

/// Characters of a fingerprint that a document repeats as it is.
const FINGERPRINT_CHARS: usize = 128;

/// What a license document says.
#[derive(Debug)]
pub struct DocumentClaims<'a, E> {
    /// `iss`.
    pub issuer: &'a str,
    /// The license: `sub`.
    pub license: &'a str,
    /// The SKU: `aud`; `None` where it is not known.
    pub product: Option<&'a str>,
    /// The license's seller.
    pub seller: &'a str,
    /// The application that it answers: `event_id`.
    pub event_id: &'a str,
    /// What the customer gave as fingerprint of the machine; `None` where the license is bound to none.
    pub fingerprint: Option<&'a str>,
    /// When the license begins, UTC: `iat` and `nbf`, whole seconds.
    pub not_before: DateTime<Utc>,
    /// When it ends, UTC: `exp`, whole seconds, cut off; `None` if it does not.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it entitles to, any JSON value; `None` where it is not known.
    pub entitlements: Option<&'a E>,
}

#[derive(Serialize)]
struct Claims<'a, E> {
    iss: &'a str,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    seller: &'a str,
    event_id: &'a str,
    #[serde(flatten)]
    fingerprint: Option<Fingerprint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entitlements: Option<&'a E>,
    iat: i64,
    nbf: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

#[derive(Serialize)]
enum Fingerprint<'a> {
    #[serde(rename = "fingerprint")]
    Plain(&'a str),
    #[serde(rename = "fingerprint_sha256")]
    Hash(String),
}

impl<'a> Fingerprint<'a> {
    fn of(text: &'a str) -> Self {
        let short = text.chars().count() <= FINGERPRINT_CHARS;
        if short && !text.chars().any(char::is_control) {
            Self::Plain(text)
        } else {
            Self::Hash(hex::encode(Sha256::digest(text)))
        }
    }
}

/// A license document: a JWS in compact form of the type `chopmark-license+jwt`, signed by the ring's key. A fingerprint
/// of more than 128 characters, or with control characters in it, stands there as its SHA-256 in hexadecimal
/// (`fingerprint_sha256`). The same claims under the same key give the same document.
///
/// # Errors
/// The entitlements cannot be written as JSON.
pub fn license_document<E: Serialize>(keys: &KeyRing, document: &DocumentClaims<'_, E>) -> Result<String, ClaimsError> {
    let json = claims::json(&Claims {
        iss: document.issuer,
        sub: document.license,
        aud: document.product,
        seller: document.seller,
        event_id: document.event_id,
        fingerprint: document.fingerprint.map(Fingerprint::of),
        entitlements: document.entitlements,
        iat: document.not_before.timestamp(),
        nbf: document.not_before.timestamp(),
        exp: document.expires_at.map(|end| end.timestamp()),
    })?;
    Ok(jws::sign(keys.signing(), jws::LICENSE, &json))
}
