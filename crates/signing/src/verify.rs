//! Reads a lease that somebody presents: whoever frees a machine shows its lease.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::jws;
use crate::key_ring::KeyRing;

/// Bytes a presented lease may have.
pub const MAX_LEASE_BYTES: usize = 8 * 1024;

/// What a presented lease proves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PresentedLease {
    /// The license: `sub`.
    #[serde(rename = "sub")]
    pub license: String,
    /// Its seller.
    pub seller: String,
    /// The machine it was given to, if to one.
    pub machine: Option<String>,
    /// The deployment it was given to, if to one.
    pub deployment: Option<String>,
    /// Its hard end, UTC: `exp`.
    #[serde(rename = "exp", with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

/// Why a presented lease proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Longer than any lease.
    #[error("the lease has {length} bytes; at most {MAX_LEASE_BYTES} are read")]
    TooLong {
        /// Its bytes.
        length: usize,
    },
    /// Not three parts of base64url with the header and claims of a lease in them.
    #[error("that is no lease; send the `lease` of a check as it is")]
    Malformed,
    /// Another algorithm, or extensions that must be understood.
    #[error("the lease is not signed as leases are: `alg` must be EdDSA, without `crit`")]
    Algorithm,
    /// Something else that was signed here.
    #[error("that is signed, and no lease; send the `lease` of a check as it is")]
    Type,
    /// Its key is not in the ring.
    #[error("the lease is signed with a key that is not known here; ask for a new one with a check")]
    UnknownKey,
    /// It was not signed so.
    #[error("the signature of the lease is wrong; send it as it was received")]
    Signature,
    /// It is over.
    #[error("the lease ended at {}; ask for a new one with a check", at.format("%FT%TZ"))]
    Expired {
        /// When, UTC.
        at: DateTime<Utc>,
    },
}

#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
    crit: Option<IgnoredAny>,
}

impl KeyRing {
    /// Reads a lease and believes it if any key of this ring signed it and it has not ended. Whether its license is
    /// still what it was is for others to say.
    ///
    /// # Errors
    /// It is no lease, not one of ours, or over.
    pub fn verify_lease(&self, jws: &str, now: DateTime<Utc>) -> Result<PresentedLease, LeaseError> {
        if jws.len() > MAX_LEASE_BYTES {
            return Err(LeaseError::TooLong { length: jws.len() });
        }
        let (signed, signature) = jws.rsplit_once('.').ok_or(LeaseError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(LeaseError::Malformed)?;
        let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);

        let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| LeaseError::Malformed)?;
        if header.alg != "EdDSA" || header.crit.is_some() {
            return Err(LeaseError::Algorithm);
        }
        if header.typ != jws::LEASE {
            return Err(LeaseError::Type);
        }
        let key = self.get(header.kid).ok_or(LeaseError::UnknownKey)?;
        let signature = signature.try_into().map_err(|_| LeaseError::Signature)?;
        if !key.signed(signed.as_bytes(), &signature) {
            return Err(LeaseError::Signature);
        }
        let lease: PresentedLease = serde_json::from_slice(&claims).map_err(|_| LeaseError::Malformed)?;
        if lease.expires_at <= now {
            return Err(LeaseError::Expired { at: lease.expires_at });
        }
        Ok(lease)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, LeaseError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| LeaseError::Malformed)
}
