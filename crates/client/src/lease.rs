//! Leases: the signed, short-lived proof that an installation is licensed.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fingerprint::Fingerprint;
use crate::keys::KeyRing;

/// `typ` of a lease.
const TYP: &str = "chopmark-lease+jwt";

/// How far the server's clock may be ahead of ours, seconds.
const LEEWAY_SECONDS: i64 = 300;

/// What a lease must say to be ours.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Who issued it: `chopmark`, unless the server is configured otherwise.
    pub issuer: String,
    /// The product that this program is, by SKU.
    pub product: String,
    /// What it is for.
    pub subject: Subject,
    /// The seller; `None` if any will do.
    pub seller: Option<String>,
}

/// What a lease is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An instance or license code, on this machine where one is named.
    License {
        /// Instance id or license code.
        id: String,
        /// The machine. A lease must name this one, and none where this is `None`.
        machine: Option<Fingerprint>,
    },
    /// An ECS that runs an image product, by its id.
    Deployment {
        /// The ECS id.
        uuid: String,
    },
}

/// A lease whose signature and claims hold. What it is good for depends on the time: [`Lease::phase`].
#[derive(Debug, Clone)]
pub struct Lease {
    /// When it was issued, Unix seconds.
    pub issued_at: i64,
    /// When it should be renewed, Unix seconds.
    pub renew_by: i64,
    /// When it ends, Unix seconds.
    pub ends_at: i64,
    /// What the license entitles to.
    pub entitlements: Map<String, Value>,
}

/// What a lease that holds is good for at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Licensed.
    Current,
    /// Licensed, but it should have been renewed by now.
    Grace,
}

/// Why a lease does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseRefusal {
    /// It is not a compact JWS with the claims of a lease.
    #[error("it is malformed")]
    Malformed,
    /// It is signed in another way than `EdDSA`, or not at all.
    #[error("its algorithm is not EdDSA")]
    Algorithm,
    /// It is something else that was signed.
    #[error("it is not a lease")]
    Type,
    /// No trusted key has the id it names.
    #[error("its key is not trusted")]
    UnknownKey,
    /// The signature is not that key's.
    #[error("its signature is wrong")]
    Signature,
    /// It is from another issuer.
    #[error("it is from another issuer")]
    Issuer,
    /// It is for another product.
    #[error("it is for another product")]
    Product,
    /// It is for another license or deployment.
    #[error("it is for another license")]
    Subject,
    /// It is for another machine, or names one or none against what was asked.
    #[error("it is for another machine")]
    Machine,
    /// It is of another seller.
    #[error("it is of another seller")]
    Seller,
    /// It is from the future by more than five minutes.
    #[error("it is not valid yet")]
    NotYet,
    /// It has ended.
    #[error("it has ended")]
    Ended,
}

impl LeaseRefusal {
    /// The word for it in the test vectors.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Product => "product",
            Self::Subject => "subject",
            Self::Machine => "machine",
            Self::Seller => "seller",
            Self::NotYet => "not_yet",
            Self::Ended => "ended",
        }
    }
}

/// The claims of a lease. `aud` is one text: a lease is for one product.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Option<String>,
    iat: i64,
    nbf: i64,
    exp: i64,
    renew_by: i64,
    machine: Option<String>,
    deployment: Option<String>,
    #[serde(default)]
    entitlements: Map<String, Value>,
    seller: Option<String>,
}

/// Verifies a lease at a time (Unix seconds): who signed it, what it is for, that it is not from the future and has not
/// ended. [`crate::Client`] does all this; call it where leases come in another way than over the network.
///
/// # Errors
/// [`LeaseRefusal`], the first that applies in the order of its variants.
pub fn verify_lease(jws: &str, keys: &KeyRing, expected: &Expected, now: i64) -> Result<(Lease, Phase), LeaseRefusal> {
    let lease = verify_but_for_its_end(jws, keys, expected, now)?;
    let phase = lease.phase(now)?;
    Ok((lease, phase))
}

/// The same for a lease that may have ended: that there was one is known by it.
pub(crate) fn verify_but_for_its_end(
    jws: &str,
    keys: &KeyRing,
    expected: &Expected,
    now: i64,
) -> Result<Lease, LeaseRefusal> {
    let claims: Claims = keys.verify(jws, TYP)?;
    if claims.renew_by > claims.exp || claims.iat > claims.exp {
        return Err(LeaseRefusal::Malformed);
    }
    if claims.iss != expected.issuer {
        return Err(LeaseRefusal::Issuer);
    }
    if claims.aud.as_ref() != Some(&expected.product) {
        return Err(LeaseRefusal::Product);
    }
    is_for(&claims, &expected.subject)?;
    if expected.seller.is_some() && claims.seller != expected.seller {
        return Err(LeaseRefusal::Seller);
    }
    if claims.iat.max(claims.nbf) > now.saturating_add(LEEWAY_SECONDS) {
        return Err(LeaseRefusal::NotYet);
    }
    let Claims { iat, renew_by, exp, entitlements, .. } = claims;
    Ok(Lease { issued_at: iat, renew_by, ends_at: exp, entitlements })
}

fn is_for(claims: &Claims, subject: &Subject) -> Result<(), LeaseRefusal> {
    let (id, machine, deployment) = match subject {
        Subject::License { id, machine } => (id, machine.as_ref().map(Fingerprint::as_str), None),
        Subject::Deployment { uuid } => (uuid, None, Some(uuid.as_str())),
    };
    if claims.sub != *id || claims.deployment.as_deref() != deployment {
        return Err(LeaseRefusal::Subject);
    }
    if claims.machine.as_deref() != machine {
        return Err(LeaseRefusal::Machine);
    }
    Ok(())
}

impl Lease {
    /// What it is good for at a time (Unix seconds).
    ///
    /// # Errors
    /// [`LeaseRefusal::Ended`] once it has.
    pub fn phase(&self, now: i64) -> Result<Phase, LeaseRefusal> {
        if now >= self.ends_at {
            Err(LeaseRefusal::Ended)
        } else if now >= self.renew_by {
            Ok(Phase::Grace)
        } else {
            Ok(Phase::Current)
        }
    }
}
