//! Whatever arrives: no panic, nothing accepted that was not signed, nothing refused that was.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Any JSON that nests a little.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), object(inner)])
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    btree_map(any::<String>(), inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// A query string that looks like one of the marketplace, or any text.
fn query() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        ("[0-9a-fA-F]{64}", any::<String>())
            .prop_map(|(signature, nonce)| { format!("signature={signature}&timestamp={SENT_MILLIS}&nonce={nonce}") }),
        any::<Vec<u8>>().prop_map(|other| signed(BASE_KEY, &other)),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        object(json()).prop_map(|body| body.to_string().into_bytes()),
        Just(br#"{"activity":"updateInstanceStatus","instanceId":"i-1","status":"FREEZE"}"#.to_vec()),
    ]
}

proptest! {
    #[test]
    fn what_is_not_signed_is_never_taken_for_the_marketplaces(query in query(), body in body(), now: i32) {
        let ring = ring();
        let delivery = Delivery { query: &query, content_encoding: None, body: &body };
        for now in [at(SENT_MILLIS), at(i64::from(now) * 1000)] {
            let rejection = verify(&delivery, &ring, now).unwrap_err();
            // A random body may be the very one that the random query signs.
            let honest = query == signed(BASE_KEY, &body);
            prop_assert!(honest || !rejection.authenticated);
            prop_assert!(rejection.answer().result_msg.chars().count() <= 255);
        }
    }

    #[test]
    fn what_is_signed_is_taken_in_any_form(body in object(json()), shuffle: bool, key in "[!-~]{1,80}") {
        let ring = KeyRing::new(vec![(InterfaceType::Base, key.as_str().into())]);
        let raw = body.to_string();
        let reversed = Value::Object(body.as_object().unwrap().clone().into_iter().rev().collect()).to_string();
        let arrived = if shuffle { format!(" {reversed}\n") } else { raw.clone() };
        let canonical = match crate::json::Json::parse(raw.as_bytes()) {
            Ok(crate::json::Json::Object(object)) => crate::canonical::canonical_form(&object),
            other => panic!("{raw}: {other:?}"),
        };
        for payload in [&arrived, &canonical] {
            let rejection = deliver(&ring, &signed(&key, payload.as_bytes()), arrived.as_bytes()).unwrap_err();
            prop_assert!(rejection.authenticated, "{}", rejection);
        }
        let rejection = deliver(&ring, &signed(&format!("{key}x"), raw.as_bytes()), arrived.as_bytes()).unwrap_err();
        prop_assert!(!rejection.authenticated);
    }

    #[test]
    fn a_changed_byte_is_refused(at in any::<prop::sample::Index>(), bits in 1u8.., in_body: bool) {
        let ring = ring();
        let mut body = br#"{"activity":"updateInstanceStatus","instanceId":"i-1","status":"FREEZE"}"#.to_vec();
        let mut query = signed(BASE_KEY, &body).to_lowercase().into_bytes();
        let changed = if in_body { &mut body } else { &mut query };
        let index = at.index(changed.len());
        changed[index] ^= bits;
        let case_only = !in_body && changed[index].is_ascii_alphabetic() && bits == 0x20
            && ("signature=".len().."signature=".len() + 64).contains(&index);
        // The nonce was signed in its own case.
        let query = String::from_utf8_lossy(&query).replace(&NONCE.to_lowercase(), NONCE);
        prop_assert_eq!(deliver(&ring, &query, &body).is_ok(), case_only);
    }
}
