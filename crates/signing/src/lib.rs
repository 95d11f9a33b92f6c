//! What Chopmark signs: leases, license documents, seals over the log, and its own keys.
//!
//! A **lease** is a short-lived proof that a license was valid when somebody asked. It is a JWS that any JWT library
//! verifies without asking Chopmark: [`LeaseIssuer`] signs it once and hands the same one out while it serves. The keys
//! are a [`KeyRing`]: one signs, the next is known long before it signs, retired ones are still accepted. All are
//! published as a [`Jwks`], where each key carries the word of every other, so that software which trusts any one of
//! them can follow a rotation.
//!
//! Everything is Ed25519 (`EdDSA`, RFC 8037) in JWS compact form (RFC 7515). There is no clock here and no randomness:
//! both are arguments. Nothing is known here of licenses but what a lease says.
//!
//! ```
//! use chopmark_signing::{Holder, IssuerSettings, KeyRing, LeaseIssuer, LeaseRequest, SigningMetrics, Term};
//! use chrono::{TimeDelta, Utc};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = KeyRing::generate([[1; 32], [2; 32]])?; // random bytes, in earnest
//! let settings = IssuerSettings { name: "chopmark".into(), cached_leases: 10_000 };
//! let issuer = LeaseIssuer::new(keys, settings, [3; 16], SigningMetrics::unregistered());
//!
//! let now = Utc::now();
//! let entitlements = serde_json::json!({"reports": true});
//! let request = LeaseRequest {
//!     seller: "acme",
//!     license: "10e758d0-31ad-4c4b-8f1b-81d03469a10e",
//!     product: Some("a63ee5c9-0000"),
//!     holder: Some(Holder::Machine("build-7")),
//!     entitlements: Some(&entitlements),
//!     term: Term {
//!         lease_seconds: 86_400,
//!         offline_grace_seconds: 604_800,
//!         not_beyond: Some(now + TimeDelta::days(365)),
//!         facts_pending: false,
//!     },
//! };
//! let lease = issuer.issue(&request, now)?;
//! assert!(lease.fresh);
//! assert_eq!(issuer.issue(&request, now + TimeDelta::hours(1))?.jws, lease.jws, "the next one costs no signature");
//! assert_eq!(issuer.keys().verify_lease(&lease.jws, now)?.machine.as_deref(), Some("build-7"));
//! # Ok(())
//! # }
//! ```

mod cache;
mod claims;
mod document;
mod issuer;
mod jwks;
mod jws;
mod key;
pub mod key_file;
mod key_ring;
mod lease;
mod metrics;
mod pem;
mod public;
mod seal;
mod timing;
mod verify;

pub use claims::ClaimsError;
pub use document::{DocumentClaims, license_document};
pub use issuer::{IssuerSettings, LeaseIssuer};
pub use jwks::{Jwk, Jwks};
pub use key::{Key, Kid, Role};
pub use key_ring::{KeyError, KeyRing, MAX_KEYS};
pub use lease::{Given, Holder, Lease, LeaseRequest, NoLease};
pub use metrics::SigningMetrics;
pub use public::{MAX_JWKS_BYTES, PublicKeys, PublicKeysError};
pub use seal::{SealError, seal};
pub use timing::Term;
pub use verify::{LeaseError, MAX_LEASE_BYTES, PresentedLease};
