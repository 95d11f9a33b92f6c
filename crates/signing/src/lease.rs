//! What a lease is asked for with, and what it is.

use chrono::{DateTime, Utc};

use crate::claims::ClaimsError;
use crate::timing::{Term, Timing, moment};

/// What a lease is to say, and for how long it may.
#[derive(Debug)]
pub struct LeaseRequest<'a, E> {
    /// The license's seller.
    pub seller: &'a str,
    /// The license: `sub`.
    pub license: &'a str,
    /// The SKU, else the product that was asked for: `aud`. `None` where neither is known.
    pub product: Option<&'a str>,
    /// Who may use the lease; `None` where the product does not count machines.
    pub holder: Option<Holder<'a>>,
    /// What the license entitles to, any JSON value; `None` where it is not known.
    pub entitlements: Option<&'a E>,
    /// How long the lease may last.
    pub term: Term,
}

/// Who a lease is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder<'a> {
    /// The machine of this fingerprint: claim `machine`.
    Machine(&'a str),
    /// The ECS of this UUID: claim `deployment`.
    Deployment(&'a str),
}

/// A signed lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The lease as it is sent: a JWS in compact form, ASCII.
    pub jws: String,
    /// What is known of it without its text.
    pub given: Given,
    /// It was signed for this request; else it had been given out before.
    pub fresh: bool,
}

/// A lease that was given out, without its text: enough to tell whether it may be given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    pub(crate) timing: Timing,
    /// How often the keys had been replaced.
    pub(crate) rotation: u64,
}

impl Given {
    /// Until when the software should have asked again, UTC: its `renew_by`.
    #[must_use]
    pub fn renew_by(&self) -> DateTime<Utc> {
        moment(self.timing.renew_by)
    }

    /// Its hard end, UTC: its `exp`.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        moment(self.timing.expires_at)
    }
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub enum NoLease {
    /// The license ends within this second, or its product gives leases of no length.
    #[error("nothing is left of the license that a lease could prove")]
    NothingLeft,
    /// What it is to say cannot be written.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
}
