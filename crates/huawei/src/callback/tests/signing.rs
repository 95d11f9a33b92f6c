//! Who may sign what, over which bytes, and what is looked at first.

use chopmark_domain::cause::SignedForm;
use sha2::{Digest, Sha256};

use super::super::{Activity, Named};
use super::*;
use crate::answer::ResultCode;
use crate::keys::AccessKey;

const FREEZE: &str = r#"{"activity":"updateInstanceStatus","instanceId":"i-1","status":"FREEZE"}"#;

fn body_of(activity: Activity) -> String {
    format!(
        r#"{{"activity":"{activity}","businessId":"b","effectiveTime":"20261124023618","eventId":"e","expireTime":"20271124023618","instanceId":"i-1","license":"PL1","orderId":"o","orderLineId":"l","productInfo":{{}},"scene":"RENEWAL","status":"FREEZE"}}"#
    )
}

#[test]
fn each_activity_takes_keys_of_its_own_types_only() {
    use InterfaceType::{Base, General, Joint, LicenseCode};
    let ring = ring();
    let keys =
        [(BASE_KEY, Base), (OLD_BASE_KEY, Base), (CODE_KEY, LicenseCode), (JOINT_KEY, Joint), (GENERAL_KEY, General)];
    for activity in Activity::ALL.iter().copied() {
        let body = body_of(activity);
        for (key, interface) in keys {
            let may_sign = match activity {
                Activity::OrderNotify => matches!(interface, Base | General),
                activity if activity.as_str().contains("LicenseCode") => interface == LicenseCode,
                _ => interface == Base,
            };
            match deliver(&ring, &signed(key, body.as_bytes()), body.as_bytes()) {
                Ok(verified) => {
                    assert!(may_sign, "{activity} signed with {key}");
                    assert_eq!(verified.callback.activity(), activity);
                    assert_eq!(verified.key.bytes(), key.as_bytes(), "the key that verified signs the answer");
                }
                Err(rejection) => {
                    assert!(!may_sign, "{activity} signed with {key}: {rejection}");
                    assert_eq!(rejection.reason, Reason::SignatureWrong);
                    assert_eq!(rejection.activity, Some(activity));
                }
            }
        }
    }
}

#[test]
fn where_no_key_verified_the_first_of_the_activitys_type_signs_the_refusal() {
    let (ring, empty) = (ring(), KeyRing::default());
    let no_base = KeyRing::new(vec![(InterfaceType::General, GENERAL_KEY.into())]);
    let key_bytes = |keys, body: &str| {
        deliver(keys, "", body.as_bytes()).unwrap_err().key.map(|key: &AccessKey| key.bytes().to_vec())
    };
    let code = body_of(Activity::ReleaseLicenseCode);
    assert_eq!(key_bytes(&ring, &code).unwrap(), CODE_KEY.as_bytes());
    assert_eq!(key_bytes(&ring, FREEZE).unwrap(), BASE_KEY.as_bytes());
    assert_eq!(key_bytes(&ring, r#"{"activity":"dance"}"#).unwrap(), BASE_KEY.as_bytes());
    assert_eq!(key_bytes(&ring, "no json").unwrap(), BASE_KEY.as_bytes());
    assert_eq!(key_bytes(&no_base, "no json").unwrap(), GENERAL_KEY.as_bytes());
    assert_eq!(key_bytes(&empty, FREEZE), None);
}

#[test]
fn a_body_that_tells_no_activity_may_be_signed_with_any_key() {
    let ring = ring();
    for key in [BASE_KEY, OLD_BASE_KEY, CODE_KEY, JOINT_KEY, GENERAL_KEY] {
        for (body, reason) in [
            (&b"no json"[..], Reason::BodyNotJson),
            (b"[]", Reason::BodyNotJson),
            (b"\xff", Reason::BodyNotJson),
            (br#"{"a":1,"a":2}"#, Reason::DuplicateKey),
            (br#"{"a":[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]}"#, Reason::BodyTooDeep),
            (b"{}", Reason::FieldMissing { name: "activity" }),
            (br#"{"activity":[]}"#, Reason::FieldMalformed { name: "activity" }),
        ] {
            let rejection = deliver(&ring, &signed(key, body), body).unwrap_err();
            assert_eq!(rejection.reason, reason, "{}", body.escape_ascii());
            assert!(rejection.authenticated);
            assert_eq!(rejection.key.unwrap().bytes(), key.as_bytes());
        }
    }
}

#[test]
fn a_signature_may_be_over_the_canonical_form_of_whatever_arrived() {
    let ring = ring();
    let canonical = r#"{"activity":"updateInstanceStatus","extra":{"z":null,"a":[1,"中/文"]},"instanceId":"i-1","status":"FREEZE"}"#;
    for body in [
        canonical,
        r#"{"status":"FREEZE","extra":{"z":null,"a":[1,"中/文"]},"instanceId":"i-1","activity":"updateInstanceStatus"}"#,
        "\n{ \"status\" : \"FREEZE\",\t\"activity\":\"updateInstanceStatus\", \"extra\": { \"z\": null, \"a\": [ 1, \"中/文\" ] },\r\n\"instanceId\":\"i-1\" }\n",
        r#"{"testFlag":null,"status":"FREEZE","activity":"updateInstanceStatus","extra":{"z":null,"a":[1,"\u4e2d\/\u6587"]},"instanceId":"i-1"}"#,
    ] {
        let verified = deliver(&ring, &signed(BASE_KEY, canonical.as_bytes()), body.as_bytes()).unwrap();
        let form = if body == canonical { SignedForm::Raw } else { SignedForm::Canonical };
        assert_eq!(verified.request.signed_form, form);
        assert_eq!(verified.request.body, body);
        let raw = deliver(&ring, &signed(OLD_BASE_KEY, body.as_bytes()), body.as_bytes()).unwrap();
        assert_eq!(raw.request.signed_form, SignedForm::Raw);
    }
    for other in [
        r#"{"activity":"updateInstanceStatus","extra":{"a":[1,"中/文"],"z":null},"instanceId":"i-1","status":"FREEZE"}"#,
        r#"{"activity":"updateInstanceStatus","extra":{"a":[1,"中/文"]},"instanceId":"i-1","status":"FREEZE"}"#,
        r#"{"activity":"updateInstanceStatus","extra":{"z":null,"a":[1.0,"中/文"]},"instanceId":"i-1","status":"FREEZE"}"#,
        r#"{"activity":"updateInstanceStatus","extra":{"z":null,"a":[1,"中/文"]},"instanceId":"i-1","status":"FREEZE","status":"FREEZE"}"#,
    ] {
        let rejection = deliver(&ring, &signed(BASE_KEY, canonical.as_bytes()), other.as_bytes()).unwrap_err();
        assert_eq!(rejection.reason, Reason::SignatureWrong, "{other}");
    }
}

#[test]
fn what_is_wrong_is_looked_at_in_one_order() {
    let ring = ring();
    let good = signed(BASE_KEY, b"no json");
    let unsigned = good.split_once('&').unwrap().1;
    let cases = [
        (format!("{good}&nonce={NONCE}"), Reason::ParameterRepeated { name: "nonce" }, ResultCode::IllegalParameter),
        (format!("{good}&signature="), Reason::ParameterRepeated { name: "signature" }, ResultCode::IllegalParameter),
        (format!("{good}&timestamp=1"), Reason::ParameterRepeated { name: "timestamp" }, ResultCode::IllegalParameter),
        (String::new(), Reason::SignatureMissing, ResultCode::AuthenticationFailed),
        (good.replace("timestamp=", "time="), Reason::TimestampMissing, ResultCode::IllegalParameter),
        (good.replace("nonce=", "once="), Reason::NonceMissing, ResultCode::IllegalParameter),
        (good.replace("066618", "066618x"), Reason::TimestampMalformed, ResultCode::IllegalParameter),
        (good.replace("066618", "126619"), Reason::TimestampOutsideWindow, ResultCode::IllegalParameter),
        (unsigned.into(), Reason::SignatureMissing, ResultCode::AuthenticationFailed),
        (format!("{unsigned}&signature=0a"), Reason::SignatureWrong, ResultCode::AuthenticationFailed),
        (format!("{unsigned}&signature={}", "0".repeat(64)), Reason::SignatureWrong, ResultCode::AuthenticationFailed),
        (format!("{unsigned}&signature={}", "x".repeat(64)), Reason::SignatureWrong, ResultCode::AuthenticationFailed),
    ];
    for (query, reason, code) in cases {
        let delivery = Delivery { query: &query, content_encoding: Some("gzip"), body: b"no json" };
        let rejection = verify(&delivery, &ring, at(SENT_MILLIS)).unwrap_err();
        assert_eq!(rejection.reason, reason, "{query}");
        assert_eq!(rejection.answer().result_code, code);
        assert!(!rejection.authenticated);
    }
    let encoded = Delivery { query: &good, content_encoding: Some("gzip"), body: b"no json" };
    let rejection = verify(&encoded, &ring, at(SENT_MILLIS)).unwrap_err();
    assert_eq!(rejection.reason, Reason::ContentEncoding, "before the body, which may be compressed");
    assert!(rejection.authenticated);
}

#[test]
fn only_an_identity_encoding_is_taken() {
    let ring = ring();
    let query = signed(BASE_KEY, FREEZE.as_bytes());
    let accepts = |content_encoding| {
        let delivery = Delivery { query: &query, content_encoding, body: FREEZE.as_bytes() };
        verify(&delivery, &ring, at(SENT_MILLIS)).is_ok()
    };
    for encoding in [None, Some("identity"), Some(" Identity "), Some("")] {
        assert!(accepts(encoding), "{encoding:?}");
    }
    for encoding in ["gzip", "deflate", "br", "identity, gzip", "none"] {
        assert!(!accepts(Some(encoding)), "{encoding}");
    }
}

#[test]
fn seconds_and_milliseconds_are_signed_as_they_are_sent() {
    let ring = ring();
    for timestamp in ["1680508066", "1680508066618"] {
        let signature = hex::encode(request_signature(BASE_KEY.as_bytes(), NONCE, timestamp, FREEZE.as_bytes()));
        let query = format!("nonce={NONCE}&timestamp={timestamp}&signature={signature}");
        let verified = deliver(&ring, &query, FREEZE.as_bytes()).unwrap();
        assert_eq!(verified.request.timestamp, timestamp);
        let other = query.replace("8066", "8067");
        assert_eq!(deliver(&ring, &other, FREEZE.as_bytes()).unwrap_err().reason, Reason::SignatureWrong);
    }
}

#[test]
fn buyer_fields_are_not_kept() {
    let ring = ring();
    let draft = r#"{"activity":"newInstance", "businessId":"b","buyerInfo":{"mobilePhone":"13900000000"},"orderId":"o","orderLineId":"l"}"#;
    let request = deliver(&ring, &signed(BASE_KEY, draft.as_bytes()), draft.as_bytes()).unwrap().request;
    assert_eq!(request.body, r#"{"activity":"newInstance","businessId":"b","orderId":"o","orderLineId":"l"}"#);
    assert_eq!(request.redacted_from_sha256, Some(hex::encode(Sha256::digest(draft))));
    let untouched = r#"{ "activity":"newInstance", "businessId":"b","orderId":"email","orderLineId":"l" }"#;
    let request = deliver(&ring, &signed(BASE_KEY, untouched.as_bytes()), untouched.as_bytes()).unwrap().request;
    assert_eq!((request.body.as_str(), request.redacted_from_sha256), (untouched, None));
}

#[test]
fn a_rejection_tells_what_it_is_about_without_personal_data() {
    let ring = ring();
    let body = r#"{"activity":"newInstance","orderId":"o","orderLineId":"l","testFlag":"1","a":[{"EMAIL":"secret"}]}"#;
    let rejection = deliver(&ring, &signed(BASE_KEY, body.as_bytes()), body.as_bytes()).unwrap_err();
    assert_eq!(rejection.reason, Reason::FieldMissing { name: "businessId" });
    assert!(rejection.test && rejection.authenticated);
    let named = Named { subject: None, order: Some("o".into()), order_line: Some("l".into()) };
    assert_eq!(*rejection.named, named);
    let kept = r#"{"activity":"newInstance","orderId":"o","orderLineId":"l","testFlag":"1","a":[{}]}"#;
    assert_eq!(rejection.body.as_deref(), Some(kept));
    let twice = r#"{"activity":"newInstance","email":"secret","a":1,"a":2}"#;
    assert_eq!(deliver(&ring, &signed(BASE_KEY, twice.as_bytes()), twice.as_bytes()).unwrap_err().body, None);
}

#[test]
fn what_an_activity_names_is_told_of_each() {
    let ring = ring();
    let subject = |key: &str, body: &str| {
        deliver(&ring, &signed(key, body.as_bytes()), body.as_bytes()).unwrap().named.subject.unwrap()
    };
    assert_eq!(subject(BASE_KEY, r#"{"activity":"queryInstance","instanceId":" , i-1,i-2"}"#), "i-1");
    assert_eq!(subject(BASE_KEY, r#"{"activity":"releaseInstance","instanceId":"i-1","license":"PL1"}"#), "i-1");
    assert_eq!(subject(CODE_KEY, r#"{"activity":"releaseLicenseCode","instanceId":"i-1","license":"PL1"}"#), "PL1");
}

#[test]
fn an_unknown_activity_is_taken_from_the_base_interface_only() {
    let ring = ring();
    let body = br#"{"activity":"danceInstance","orderId":"o"}"#;
    let reason = |key: &str| deliver(&ring, &signed(key, body), body).unwrap_err().reason;
    assert_eq!(reason(BASE_KEY), Reason::UnknownActivity);
    assert_eq!(reason(CODE_KEY), Reason::SignatureWrong);
    let silent = b"{}";
    let rejection = deliver(&ring, &signed(CODE_KEY, silent), silent).unwrap_err();
    assert_eq!(rejection.reason, Reason::FieldMissing { name: "activity" });
}

#[test]
fn a_refusal_that_was_not_signed_says_little_and_one_that_was_names_the_field() {
    let ring = ring();
    let message = |query: &str, body: &str| deliver(&ring, query, body.as_bytes()).unwrap_err().answer().result_msg;
    let body = r#"{"activity":"updateInstanceStatus","instanceId":"i-1","status":"THAW"}"#;
    assert_eq!(message(&signed("another key", body.as_bytes()), body), "token is invalid");
    assert_eq!(message(&signed(BASE_KEY, body.as_bytes()), body), "param is invalid: status is malformed");
}
