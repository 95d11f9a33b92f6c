//! Callbacks end to end: signed, delivered, verified.

mod content;
mod random;
mod signing;
mod vectors;

use chrono::{DateTime, Utc};

use super::{Callback, Delivery, Reason, Rejection, Verified, verify};
use crate::keys::{InterfaceType, KeyRing};
use crate::signature::request_signature;

const BASE_KEY: &str = "test-access-key-0001";
const OLD_BASE_KEY: &str = "test-access-key-0000";
const CODE_KEY: &str = "TEST-ACCESS-KEY-0001";
const JOINT_KEY: &str = "test-joint-key";
const GENERAL_KEY: &str = "test-general-key";

const SENT_MILLIS: i64 = 1_680_508_066_618;
const NONCE: &str = "Of4lsV7H1qrzVDI52O5CFk2ofPcZRaA6";

fn ring() -> KeyRing {
    KeyRing::new(vec![
        (InterfaceType::Base, BASE_KEY.into()),
        (InterfaceType::Base, OLD_BASE_KEY.into()),
        (InterfaceType::LicenseCode, CODE_KEY.into()),
        (InterfaceType::Joint, JOINT_KEY.into()),
        (InterfaceType::General, GENERAL_KEY.into()),
    ])
}

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

/// A query string that signs a payload.
fn signed(key: &str, payload: &[u8]) -> String {
    let timestamp = SENT_MILLIS.to_string();
    let signature = hex::encode_upper(request_signature(key.as_bytes(), NONCE, &timestamp, payload));
    format!("signature={signature}&timestamp={timestamp}&nonce={NONCE}")
}

fn deliver<'k>(keys: &'k KeyRing, query: &str, body: &[u8]) -> Result<Verified<'k>, Rejection<'k>> {
    verify(&Delivery { query, content_encoding: None, body }, keys, at(SENT_MILLIS))
}

/// What a body signed with its own key means, and whether it is a test.
fn read(body: &str) -> Result<(Callback, bool), Reason> {
    let key = if body.contains("LicenseCode") { CODE_KEY } else { BASE_KEY };
    match deliver(&ring(), &signed(key, body.as_bytes()), body.as_bytes()) {
        Ok(verified) => Ok((verified.callback, verified.test)),
        Err(rejection) => {
            assert!(rejection.authenticated, "{body}");
            Err(rejection.reason)
        }
    }
}
