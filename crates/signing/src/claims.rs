//! The claims of a lease, as JSON.

use serde::Serialize;

use crate::lease::{Holder, LeaseRequest};
use crate::timing::Timing;

/// Bytes that the claims of most leases fit into.
const USUAL_BYTES: usize = 640;

/// What is to be signed cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the entitlements cannot be written as JSON: {0}")]
pub struct ClaimsError(#[source] serde_json::Error);

/// JSON in a buffer that most leases and documents fit into.
pub(crate) fn json(claims: &impl Serialize) -> Result<Vec<u8>, ClaimsError> {
    let mut json = Vec::with_capacity(USUAL_BYTES);
    chopmark_json::append(&mut json, claims).map_err(ClaimsError)?;
    Ok(json)
}

/// All that a lease says, but for its `jti`. What is not known is absent; times are whole seconds (RFC 7519, section
/// 2). The order never changes: a lease that is put together again must come out the same.
#[derive(Serialize)]
pub(crate) struct LeaseClaims<'a, E> {
    iss: &'a str,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    seller: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entitlements: Option<&'a E>,
    iat: i64,
    nbf: i64,
    renew_by: i64,
    exp: i64,
}

impl<'a, E: Serialize> LeaseClaims<'a, E> {
    pub(crate) fn new(issuer: &'a str, request: &LeaseRequest<'a, E>, timing: &Timing) -> Self {
        let (machine, deployment) = match request.holder {
            None => (None, None),
            Some(Holder::Machine(fingerprint)) => (Some(fingerprint), None),
            Some(Holder::Deployment(uuid)) => (None, Some(uuid)),
        };
        Self {
            iss: issuer,
            sub: request.license,
            aud: request.product,
            seller: request.seller,
            machine,
            deployment,
            entitlements: request.entitlements,
            iat: timing.issued_at,
            nbf: timing.issued_at,
            renew_by: timing.renew_by,
            exp: timing.expires_at,
        }
    }
}
