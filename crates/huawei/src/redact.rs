//! Personal data of customers, which nothing here needs: they are cut out before anything is kept or logged.

use serde_json::{Map, Value};

use crate::json::{Json, Object};

/// Members whose values are cut, at any depth and in any case: of the order query (查询订单, topic 0070649350), and of
/// drafts and older versions of callbacks. The free parameters may hold whatever a seller asks a buyer for.
const PERSONAL: [&str; 10] = [
    "buyerInfo",
    "extendParams",
    "saasExtendParams",
    "customerId",
    "customerName",
    "customerRealName",
    "userId",
    "userName",
    "mobilePhone",
    "email",
];

fn is_personal(name: &str) -> bool {
    PERSONAL.iter().any(|personal| personal.eq_ignore_ascii_case(name))
}

/// An object without personal data; `None` where it has none.
pub(crate) fn redacted(object: &Object) -> Option<Object> {
    object.members().any(|(name, value)| is_personal(name) || holds_personal(value)).then(|| cut(object))
}

fn holds_personal(value: &Json) -> bool {
    match value {
        Json::Object(object) => object.members().any(|(name, value)| is_personal(name) || holds_personal(value)),
        Json::Array(items) => items.iter().any(holds_personal),
        _ => false,
    }
}

fn cut(object: &Object) -> Object {
    let kept = object.members().filter(|(name, _)| !is_personal(name));
    kept.map(|(name, value)| (name.to_owned(), cut_inside(value))).collect()
}

fn cut_inside(value: &Json) -> Json {
    match value {
        Json::Object(object) => Json::Object(cut(object)),
        Json::Array(items) => Json::Array(items.iter().map(cut_inside).collect()),
        value => value.clone(),
    }
}

/// Cuts personal data out of a leniently read answer. Parsing has bounded its depth.
pub(crate) fn redact_answer(answer: &mut Map<String, Value>) {
    answer.retain(|name, _| !is_personal(name));
    answer.values_mut().for_each(redact_value);
}

/// Cuts personal data out of JSON that an answer packs into a text, where it has some; any other text stays as it is.
pub(crate) fn redact_packed(text: &mut String) {
    let Ok(packed @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text) else { return };
    let mut redacted = packed.clone();
    redact_value(&mut redacted);
    if redacted != packed {
        *text = redacted.to_string();
    }
}

fn redact_value(value: &mut Value) {
    match value {
        Value::Object(object) => redact_answer(object),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        match Json::parse(text.as_bytes()) {
            Ok(Json::Object(object)) => object,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn personal_data_are_cut_at_any_depth_and_in_any_case_and_the_rest_stays() {
        let body = r#"{"a":1.0,"BUYERINFO":{"x":"secret"},"b":[{"Email":"secret","c":[[{"mobilephone":"secret","d":null}]]}],"userName":"secret"}"#;
        let kept = r#"{"a":1.0,"b":[{"c":[[{"d":null}]]}]}"#;
        assert_eq!(redacted(&object(body)).unwrap().to_string(), kept);
        let Value::Object(mut answer) = serde_json::from_str(body).unwrap() else { panic!("{body}") };
        redact_answer(&mut answer);
        assert_eq!(Value::Object(answer), serde_json::from_str::<Value>(kept).unwrap());
        for name in PERSONAL {
            assert!(redacted(&object(&format!(r#"{{"a":[{{"{name}":1}}]}}"#))).is_some(), "{name}");
        }
    }

    #[test]
    fn personal_data_are_cut_in_packed_json_too_and_other_texts_stay() {
        let packed = |text: &str| {
            let mut text = text.to_owned();
            redact_packed(&mut text);
            text
        };
        assert_eq!(packed(r#"{"a": 1, "email": "secret"}"#), r#"{"a":1}"#);
        for text in [r#"{"a": 1.0}"#, "[ ]", "email", "", r#"{"email":"#, r#""email""#] {
            assert_eq!(packed(text), text);
        }
    }

    #[test]
    fn what_has_no_personal_data_is_left_alone() {
        for body in [r#"{"orderId":"email","user":[{"name":"userId"}]}"#, "{}"] {
            assert_eq!(redacted(&object(body)), None, "{body}");
        }
    }
}
