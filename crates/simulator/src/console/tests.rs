use chopmark_huawei::signature::body_sign_header;
use serde_json::json;

use super::*;

const KEY: &[u8] = b"test-access-key-0001";

/// An answer that passes, for the tests to spoil.
fn answer(body: &Value) -> Response {
    let body = body.to_string().into_bytes();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Response {
        status: 200,
        headers: vec![
            header("Content-Type", "application/json;charset=utf-8"),
            header("Body-Sign", &body_sign_header(KEY, &body)),
        ],
        body,
        elapsed: Duration::from_millis(3),
    }
}

fn success() -> Response {
    answer(&json!({"resultCode": "000000", "resultMsg": "success."}))
}

fn new_instance(id: &str) -> Response {
    answer(&json!({"resultCode": "000000", "resultMsg": "success.", "instanceId": id}))
}

fn instances(info: &Value) -> Response {
    answer(&json!({"resultCode": "000000", "resultMsg": "success.", "info": info}))
}

fn findings(response: &Response, expected: &Expected) -> Vec<String> {
    examine(response, expected, KEY)
        .iter()
        .map(|finding| serde_json::to_value(finding).unwrap()["check"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn good_answers_pass() {
    let two = ["a".to_owned(), "b".to_owned()];
    let info = json!([
        {"instanceId": "a", "appInfo": {"frontEndUrl": "https://a", "memo": "中文"}},
        {"instanceId": "b", "usageInfo": [{"usageValue": 12.5, "statisticalTime": "20251101020000000"}]},
    ]);
    let unknown = answer(&json!({"resultCode": "000003", "resultMsg": "instance is invalid"}));
    let cases = [
        (success(), Expected::success()),
        (new_instance("x"), Expected::new_instance()),
        (new_instance("x"), Expected::same_instance("x")),
        (instances(&info), Expected::instances(&two)),
        (unknown, Expected::failure(ResultCode::UnknownInstance)),
    ];
    for (response, expected) in cases {
        assert_eq!(examine(&response, &expected, KEY), []);
    }
    let mut spaced = success();
    spaced.headers[1].1 = spaced.headers[1].1.replace("signature=", "signature= ");
    assert_eq!(examine(&spaced, &Expected::success(), KEY), [], "both published forms");
}

#[test]
fn the_way_an_answer_comes_is_checked() {
    fn check(spoil: impl FnOnce(&mut Response)) -> Vec<String> {
        let mut response = success();
        spoil(&mut response);
        findings(&response, &Expected::success())
    }
    assert_eq!(check(|r| r.elapsed = Duration::from_secs(5)), ["late"]);
    assert_eq!(check(|r| r.status = 500), ["status"]);
    assert_eq!(check(|r| r.headers[0].1 = "text/plain".into()), ["content_type"]);
    assert_eq!(check(|r| drop(r.headers.remove(0))), ["content_type"]);
    assert_eq!(check(|r| drop(r.headers.remove(1))), ["body_sign_missing"]);
    assert_eq!(check(|r| r.headers[1].0 = "Body-sign".into()), ["body_sign_name"]);
    assert_eq!(check(|r| r.headers[1].1 = "sign_type=\"HMAC-SHA256\"".into()), ["body_sign_malformed"]);
    let short = "sign_type=\"HMAC-SHA256\", signature=\"AAAA\"";
    assert_eq!(check(|r| r.headers[1].1 = short.into()), ["body_sign_malformed"]);
    assert_eq!(check(|r| r.headers[1].1 = body_sign_header(b"other", &r.body)), ["body_sign_wrong"]);
    assert_eq!(check(|r| r.body.push(b' ')), ["body_sign_wrong"], "spaces are signed too");
    assert_eq!(check(|r| r.body = b"<html>".into()), ["body_sign_wrong", "not_json"]);
    assert_eq!(check(|r| r.body = b"[]".into()), ["body_sign_wrong", "not_json"]);
}

#[test]
fn result_fields_are_checked() {
    let check = |body: &Value| findings(&answer(body), &Expected::success());
    assert_eq!(check(&json!({"resultMsg": "ok"})), ["field_missing"]);
    assert_eq!(check(&json!({"resultCode": "000000"})), ["field_missing"]);
    assert_eq!(check(&json!({"resultCode": 0, "resultMsg": "a number is no code"})), ["field_missing"]);
    assert_eq!(check(&json!({"resultCode": "000005", "resultMsg": "later"})), ["result_code"]);
    assert_eq!(check(&json!({"resultCode": "000000", "resultMsg": "x".repeat(256)})), ["field_too_long"]);
    assert_eq!(check(&json!({"resultCode": "0000004", "resultMsg": "x"})), ["field_too_long", "result_code"]);
    let refused = Expected::failure(ResultCode::UnknownInstance);
    assert_eq!(findings(&success(), &refused), ["result_code"], "success where failure is due");
}

#[test]
fn an_application_is_taken_on_when_it_is_done_or_under_way() {
    let check = |code: &str| {
        let response = answer(&json!({"resultCode": code, "resultMsg": "words"}));
        findings(&response, &Expected::taken_on())
    };
    assert_eq!((check("000000"), check("000004")), (vec![], vec![]));
    for code in ["000001", "000002", "000003", "000005", "000900", "000901", "000902", "000903"] {
        assert_eq!(check(code), ["result_code"], "{code}");
    }
    let processing = answer(&json!({"resultCode": "000004", "resultMsg": "processing"}));
    assert_eq!(findings(&processing, &Expected::success()), ["result_code"], "nothing else may be under way");
}

#[test]
fn an_instance_id_is_mandatory_short_and_always_the_same() {
    assert_eq!(findings(&success(), &Expected::new_instance()), ["field_missing"]);
    assert_eq!(findings(&new_instance(""), &Expected::new_instance()), ["field_missing"]);
    assert_eq!(findings(&new_instance(&"x".repeat(65)), &Expected::new_instance()), ["field_too_long"]);
    assert_eq!(findings(&new_instance("y"), &Expected::same_instance("x")), ["other_instance"]);
}

#[test]
fn instance_information_is_checked_field_by_field() {
    let asked = Expected::instances(&["a".to_owned()]);
    let check = |info: &Value| findings(&instances(info), &asked);
    assert_eq!(findings(&success(), &asked), ["field_missing"]);
    assert_eq!(check(&json!([])), ["instance_missing"]);
    assert_eq!(check(&json!([{"instanceId": "a"}, {"instanceId": "b"}])), ["instance_not_asked"]);
    assert_eq!(check(&json!([{"appInfo": {"frontEndUrl": "u"}}])), ["field_missing", "instance_missing"]);
    let app_info = |app_info: Value| check(&json!([{"instanceId": "a", "appInfo": app_info}]));
    assert_eq!(app_info(json!({})), ["field_missing"]);
    assert_eq!(app_info(json!({"frontEndUrl": "u".repeat(513)})), ["field_too_long"]);
    assert_eq!(app_info(json!({"frontEndUrl": "u", "memo": "m".repeat(1025)})), ["field_too_long"]);
    let usage = |usage: Value| check(&json!([{"instanceId": "a", "usageInfo": [usage]}]));
    assert_eq!(usage(json!({"statisticalTime": "20251101020000000"})), ["field_missing"]);
    assert_eq!(usage(json!({"usageValue": 1})), ["field_missing"]);
}

#[test]
fn a_finding_is_a_sentence() {
    let finding = Finding::BodySignName { found: "body-sign".into() };
    assert_eq!(finding.to_string(), "the header is called \"body-sign\"; only Body-Sign, in these letters, is found");
}
