//! Verifying: first who, then what. Whoever did not sign learns nothing about what the body would have been good for.

use chopmark_domain::cause::{RequestSignature, SignedForm, SignedRequest};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::activity::Activity;
use super::claim::Claim;
use super::fields::Fields;
use super::named::Named;
use super::parse::parse;
use super::rejection::{Reason, Rejection};
use super::{Callback, Delivery, Verified};
use crate::canonical::canonical_form;
use crate::json::{Json, JsonError, Object};
use crate::keys::{AccessKey, InterfaceType, KeyRing};
use crate::redact::redacted;
use crate::signature::request_signature;

/// Checks a request: its claim and time, its signature, and only then its content.
///
/// Which keys may have signed follows from the activity, so the body is read before anything is believed; of an
/// activity that is not known here it is the keys of the base interface, and where the body tells none, any key. The
/// signature may be over the bytes as received or over their canonical form; the callback comes from the one reading of
/// those bytes.
///
/// # Errors
/// [`Rejection`], with the answer to give.
pub fn verify<'k>(
    delivery: &Delivery<'_>,
    keys: &'k KeyRing,
    now: DateTime<Utc>,
) -> Result<Verified<'k>, Rejection<'k>> {
    let body = read_body(delivery.body);
    let told = Told::of(body.as_ref().ok());
    let refuse = |reason| told.rejection(reason, delivery.body, false, key_for_refusal(keys, told.activity));
    let claim = Claim::read(delivery.query, now).map_err(refuse)?;
    let candidates: Vec<_> = keys.of(told.signers()).collect();
    let proof = prove(&claim, delivery.body, told.body, &candidates).ok_or_else(|| refuse(Reason::SignatureWrong))?;

    let reject = |reason| told.rejection(reason, delivery.body, true, Some(proof.key));
    let content = content(delivery, body.as_ref()).map_err(reject)?;
    let callback = message(content).map_err(reject)?;
    let (kept, redacted_from_sha256) = kept(delivery.body, content);
    let request = SignedRequest {
        body: kept,
        signature: proof.signature,
        timestamp: claim.timestamp,
        nonce: claim.nonce,
        key_id: proof.key.id().into(),
        signed_form: proof.form,
        received_at: now,
        redacted_from_sha256,
    };
    Ok(Verified { callback, test: told.is_test(), named: told.named(), request, key: proof.key })
}

fn read_body(bytes: &[u8]) -> Result<Object, Reason> {
    match Json::parse(bytes) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) | Err(JsonError::Syntax) => Err(Reason::BodyNotJson),
        Err(JsonError::DuplicateKey) => Err(Reason::DuplicateKey),
        Err(JsonError::TooDeep) => Err(Reason::BodyTooDeep),
    }
}

/// What a body tells of itself, be it good for anything else or not.
#[derive(Clone, Copy)]
struct Told<'a> {
    body: Option<&'a Object>,
    activity: Option<Activity>,
}

impl<'a> Told<'a> {
    fn of(body: Option<&'a Object>) -> Self {
        Self { body, activity: body.and_then(|body| activity_of(body).ok()) }
    }

    /// Keys of which types may have signed it.
    fn signers(self) -> &'static [InterfaceType] {
        match (self.activity, self.body.map(activity_of)) {
            (Some(activity), _) => activity.interfaces(),
            (None, Some(Err(Reason::UnknownActivity))) => &[InterfaceType::Base],
            (None, _) => &InterfaceType::ALL,
        }
    }

    fn is_test(self) -> bool {
        self.body.is_some_and(|body| Fields(body).is_test())
    }

    fn named(self) -> Named {
        self.body.map(|body| Named::read(self.activity, Fields(body))).unwrap_or_default()
    }

    fn rejection<'k>(
        self,
        reason: Reason,
        raw: &[u8],
        authenticated: bool,
        key: Option<&'k AccessKey>,
    ) -> Rejection<'k> {
        Rejection {
            reason,
            activity: self.activity,
            authenticated,
            test: self.is_test(),
            named: Box::new(self.named()),
            body: self.body.map(|body| kept(raw, body).0),
            key,
        }
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

fn content<'a>(delivery: &Delivery<'_>, body: Result<&'a Object, &Reason>) -> Result<&'a Object, Reason> {
    match delivery.content_encoding.map(str::trim) {
        None | Some("") => body.map_err(|reason| *reason),
        Some(encoding) if encoding.eq_ignore_ascii_case("identity") => body.map_err(|reason| *reason),
        Some(_) => Err(Reason::ContentEncoding),
    }
}

fn message(body: &Object) -> Result<Callback, Reason> {
    parse(activity_of(body)?, Fields(body))
}

/// The body to keep, without personal data, and the SHA-256 of what was received where the two differ.
fn kept(raw: &[u8], body: &Object) -> (String, Option<String>) {
    match redacted(body) {
        Some(redacted) => (redacted.to_string(), Some(hex::encode(Sha256::digest(raw)))),
        // What was read as JSON is UTF-8, so nothing is lost.
        None => (String::from_utf8_lossy(raw).into_owned(), None),
    }
}
