//! Verifying: first who, then what. Whoever did not sign learns nothing about what the body would have been good for.

use chopmark_domain::cause::{RequestSignature, SignedForm, SignedRequest};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::activity::Activity;
use super::claim::Claim;
use super::fields::Fields;
use super::parse::parse;
use super::rejection::{Reason, Rejection};
use super::{Callback, Delivery, Verified};
use crate::canonical::canonical_form;
use crate::json::{Json, JsonError, Object};
use crate::keys::{AccessKey, InterfaceType, KeyRing};
use crate::signature::request_signature;

/// A member of early drafts that names the buyer. Personal data are not kept.
const BUYER: &str = "buyerInfo";

/// Checks a request: its claim and time, its signature, and only then its content.
///
/// Which keys may have signed follows from the activity, so the body is read before anything is believed; where it
/// tells no activity, any key of the ring may have. The signature may be over the bytes as received or over their
/// canonical form; the callback comes from the one reading of those bytes.
///
/// # Errors
/// [`Rejection`], with the answer to give.
pub fn verify<'k>(
    delivery: &Delivery<'_>,
    keys: &'k KeyRing,
    now: DateTime<Utc>,
) -> Result<Verified<'k>, Rejection<'k>> {
    let body = read_body(delivery.body);
    let activity = body.as_ref().ok().and_then(|body| activity_of(body).ok());
    let refuse = |reason| Rejection { reason, activity, authenticated: false, key: key_for_refusal(keys, activity) };
    let claim = Claim::read(delivery.query, now).map_err(refuse)?;
    let candidates: Vec<_> = keys.of(activity.map_or(&InterfaceType::ALL, Activity::interfaces)).collect();
    let proof =
        prove(&claim, delivery.body, body.as_ref().ok(), &candidates).ok_or_else(|| refuse(Reason::SignatureWrong))?;

    let reject = |reason| Rejection { reason, activity, authenticated: true, key: Some(proof.key) };
    let body = content(delivery, body).map_err(reject)?;
    let (callback, test) = message(&body).map_err(reject)?;
    let (body, redacted_from_sha256) = kept(delivery.body, &body);
    let request = SignedRequest {
        body,
        signature: proof.signature,
        timestamp: claim.timestamp,
        nonce: claim.nonce,
        key_id: proof.key.id().into(),
        signed_form: proof.form,
        received_at: now,
        redacted_from_sha256,
    };
    Ok(Verified { callback, test, request, key: proof.key })
}

fn read_body(bytes: &[u8]) -> Result<Object, Reason> {
    match Json::parse(bytes) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) | Err(JsonError::Syntax) => Err(Reason::BodyNotJson),
        Err(JsonError::DuplicateKey) => Err(Reason::DuplicateKey),
        Err(JsonError::TooDeep) => Err(Reason::BodyTooDeep),
    }
}

fn activity_of(body: &Object) -> Result<Activity, Reason> {
    Activity::parse(Fields(body).mandatory("activity")?).ok_or(Reason::UnknownActivity)
}

/// The key that signs the answer to a request that no key has signed.
fn key_for_refusal(keys: &KeyRing, activity: Option<Activity>) -> Option<&AccessKey> {
    activity.and_then(|activity| keys.first(activity.interfaces())).or_else(|| keys.first(&InterfaceType::ALL))
}

/// Who signed, and what.
struct Proof<'k> {
    key: &'k AccessKey,
    form: SignedForm,
    signature: RequestSignature,
}

fn prove<'k>(claim: &Claim, raw: &[u8], body: Option<&Object>, candidates: &[&'k AccessKey]) -> Option<Proof<'k>> {
    let mut claimed = [0; 32];
    hex::decode_to_slice(&claim.signature, &mut claimed).ok()?;
    let signed_by = |payload: &[u8]| {
        candidates.iter().copied().find(|key| {
            let expected = request_signature(key.bytes(), &claim.nonce, &claim.timestamp, payload);
            bool::from(expected.ct_eq(&claimed))
        })
    };
    let proof = |form| move |key| Proof { key, form, signature: RequestSignature(claimed) };
    signed_by(raw).map(proof(SignedForm::Raw)).or_else(|| {
        let canonical = canonical_form(body?);
        signed_by(canonical.as_bytes()).map(proof(SignedForm::Canonical))
    })
}

fn content(delivery: &Delivery<'_>, body: Result<Object, Reason>) -> Result<Object, Reason> {
    match delivery.content_encoding.map(str::trim) {
        None | Some("") => body,
        Some(encoding) if encoding.eq_ignore_ascii_case("identity") => body,
        Some(_) => Err(Reason::ContentEncoding),
    }
}

fn message(body: &Object) -> Result<(Callback, bool), Reason> {
    let fields = Fields(body);
    Ok((parse(activity_of(body)?, fields)?, fields.is_test()))
}

/// The body to keep, and the digest of what was received where the two differ.
fn kept(raw: &[u8], body: &Object) -> (String, Option<String>) {
    if body.get(BUYER).is_some() {
        let redacted = body.filtered(|key, _| key != BUYER).to_string();
        (redacted, Some(hex::encode(Sha256::digest(raw))))
    } else {
        // What was read as JSON is UTF-8, so nothing is lost.
        (String::from_utf8_lossy(raw).into_owned(), None)
    }
}
