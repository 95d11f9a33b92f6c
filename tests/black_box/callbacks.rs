//! The answers to callbacks, case by case, as the marketplace sees them.

use chopmark_domain::license::Scene;
use chopmark_huawei::callback::FreezeStatus;
use chopmark_huawei::signature::check_body_sign;
use chopmark_simulator::http::Response;
use chopmark_simulator::marketplace::Style;
use chopmark_simulator::message::{Refresh, Wording};
use chopmark_simulator::{Message, OrderLine};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{self, BASE_KEY, CODE_KEY, GENERAL_KEY, Home, Server, config, get, post};

async fn server() -> (Home, Server) {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    (home, server)
}

/// A request signed by hand, so that it can be wrong in any way.
async fn send(server: &Server, key: &str, at: DateTime<Utc>, body: &str) -> Response {
    let timestamp = at.timestamp_millis().to_string();
    let query = signed(key, &timestamp, body);
    post(&server.callbacks, &format!("/callbacks/acme?{query}"), &[], body.as_bytes()).await
}

fn signed(key: &str, timestamp: &str, body: &str) -> String {
    support::signed(key, timestamp, body.as_bytes())
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// HTTP 200, JSON, both result fields, and `Body-Sign` by this key in exactly that case.
fn assert_answer(response: &Response, code: &str, key: Option<&str>) {
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, 200, "{body}");
    assert!(response.header("Content-Type").unwrap().starts_with("application/json"));
    let answer = json_of(response);
    assert_eq!(answer["resultCode"], code, "{body}");
    assert!(answer["resultMsg"].as_str().is_some_and(|text| !text.is_empty() && text.chars().count() <= 255));
    let signature = response.headers.iter().find(|(name, _)| name == "Body-Sign").map(|(_, value)| value);
    match key {
        Some(key) => assert!(check_body_sign(key.as_bytes(), &response.body, signature.unwrap()), "{body}"),
        None => assert_eq!(signature, None),
    }
}

fn new_instance(order: &str) -> String {
    format!(r#"{{"activity":"newInstance","businessId":"b-1","orderId":"{order}","orderLineId":"{order}-000001"}}"#)
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_the_dialect() {
    let (_home, server) = server().await;
    let now = Utc::now();
    let good = new_instance("CS1");
    let ancient = now - TimeDelta::seconds(75);
    let ahead = now + TimeDelta::seconds(75);
    let long = "x".repeat(65);
    let cases: Vec<(&str, &str, DateTime<Utc>, String, &str)> = vec![
        ("a right request", BASE_KEY, now, good.clone(), "000000"),
        ("a wrong key", "wrong", now, good.clone(), "000001"),
        ("the key of another interface", CODE_KEY, now, good.clone(), "000001"),
        ("the general key for a base activity", GENERAL_KEY, now, good.clone(), "000001"),
        ("too old", BASE_KEY, ancient, good.clone(), "000002"),
        ("too far ahead", BASE_KEY, ahead, good.clone(), "000002"),
        ("not JSON", BASE_KEY, now, "no json".into(), "000002"),
        ("an array", BASE_KEY, now, "[]".into(), "000002"),
        ("empty", BASE_KEY, now, String::new(), "000002"),
        ("a key twice", BASE_KEY, now, good.replace("\"businessId\"", "\"orderId\":\"CS2\",\"businessId\""), "000002"),
        ("an unknown activity", BASE_KEY, now, r#"{"activity":"dance"}"#.into(), "000002"),
        ("no activity", BASE_KEY, now, r#"{"orderId":"CS1"}"#.into(), "000002"),
        ("a mandatory field missing", BASE_KEY, now, r#"{"activity":"newInstance","orderId":"CS1"}"#.into(), "000002"),
        ("a field too long", BASE_KEY, now, new_instance(&long), "000002"),
    ];
    for (what, key, at, body, code) in cases {
        let response = send(&server, key, at, &body).await;
        assert_eq!(json_of(&response)["resultCode"], code, "{what}");
        assert_answer(&response, code, Some(BASE_KEY));
    }
    assert_eq!(server.metric("chopmark_callbacks_rejected_total{reason=\"signature_wrong\"}").await, 3.0);
}

#[tokio::test]
async fn a_query_string_that_is_not_whole_is_refused() {
    let (_home, server) = server().await;
    let body = new_instance("CS1");
    let millis = Utc::now().timestamp_millis().to_string();
    let seconds = Utc::now().timestamp().to_string();
    let whole = signed(BASE_KEY, &millis, &body);
    let without = |name: &str| whole.split('&').filter(|part| !part.starts_with(name)).collect::<Vec<_>>().join("&");
    for (what, query, code) in [
        ("whole", whole.clone(), "000000"),
        ("seconds", signed(BASE_KEY, &seconds, &body), "000000"),
        ("lower case", signed(BASE_KEY, &millis, &body).to_lowercase(), "000000"),
        ("no signature", without("signature"), "000001"),
        ("no timestamp", without("timestamp"), "000002"),
        ("no nonce", without("nonce"), "000002"),
        ("nothing", String::new(), "000001"),
        ("12 digits", signed(BASE_KEY, &millis[..12], &body), "000002"),
        ("14 digits", signed(BASE_KEY, &format!("{millis}0"), &body), "000002"),
        ("not digits", signed(BASE_KEY, "yesterday", &body), "000002"),
        ("twice", format!("{whole}&nonce=n0nce"), "000002"),
    ] {
        let response = post(&server.callbacks, &format!("/callbacks/acme?{query}"), &[], body.as_bytes()).await;
        assert_eq!(json_of(&response)["resultCode"], code, "{what}");
        assert_answer(&response, code, Some(BASE_KEY));
    }
    let (target, gzip) = (format!("/callbacks/acme?{whole}"), [("Content-Encoding", "gzip")]);
    let coded = post(&server.callbacks, &target, &gzip, body.as_bytes()).await;
    assert_answer(&coded, "000002", Some(BASE_KEY));
}

#[tokio::test]
async fn an_unknown_seller_is_told_nothing_and_signed_nothing() {
    let (_home, server) = server().await;
    let body = new_instance("CS1");
    let query = signed(BASE_KEY, &Utc::now().timestamp_millis().to_string(), &body);
    for seller in ["nobody", "ACME", "a%2Fb", "%00", "acme%20"] {
        let target = format!("/callbacks/{seller}?{query}");
        assert_answer(&post(&server.callbacks, &target, &[], body.as_bytes()).await, "000001", None);
    }
    // A key of acme opens no other door.
    let target = format!("/callbacks/other?{query}");
    assert_answer(
        &post(&server.callbacks, &target, &[], body.as_bytes()).await,
        "000001",
        Some("other-access-key-0001"),
    );
}

#[tokio::test]
async fn other_methods_are_answered_in_the_dialect_too() {
    let (_home, server) = server().await;
    let response = get(&server.callbacks, "/callbacks/acme?authToken=x", &[]).await.unwrap();
    assert_answer(&response, "000002", Some(BASE_KEY));
}

fn refresh(scene: Scene, order: &OrderLine, expires_at: DateTime<Utc>) -> Refresh {
    Refresh { scene, order: order.clone(), expires_at, product_id: None }
}

fn status(instance: &str, status: FreezeStatus) -> Message {
    Message::UpdateInstanceStatus { instance: instance.into(), status }
}

#[tokio::test]
async fn unknown_instances_are_not_known() {
    let (_home, server) = server().await;
    let (instance, order) = ("10e758d0-31ad-4c4b-8f1b-81d03469a10e".to_owned(), OrderLine::fresh());
    let renewal = refresh(Scene::Renewal, &order, Utc::now());
    for message in [
        Message::QueryInstance { instances: vec![instance.clone()] },
        Message::RefreshInstance { instance: instance.clone(), refresh: renewal },
        status(&instance, FreezeStatus::Freeze),
        status(&instance, FreezeStatus::Unfreeze),
        Message::UpgradeInstance { instance: instance.clone(), order },
        Message::ReleaseInstance { instance: instance.clone(), order: None },
    ] {
        assert_eq!(server.call(&message).await["resultCode"], "000003", "{message:?}");
    }
    let known = server.buy().await;
    let batch = server.call(&Message::QueryInstance { instances: vec![instance, known.clone()] }).await;
    assert_eq!(batch["resultCode"], "000000");
    assert_eq!(batch["info"].as_array().unwrap().len(), 1, "an unknown id of a batch is left out");
    assert_eq!(batch["info"][0]["instanceId"], known.as_str());
    assert_eq!(batch["info"][0]["appInfo"]["frontEndUrl"], format!("https://app.example.com/{known}"));
}

#[tokio::test]
async fn a_released_instance_stays_released() {
    let (_home, server) = server().await;
    let instance = server.buy().await;
    let release = Message::ReleaseInstance { instance: instance.clone(), order: None };
    let renewal = refresh(Scene::Renewal, &OrderLine::fresh(), Utc::now() + TimeDelta::days(30));
    for (message, code) in [
        (release.clone(), "000000"),
        (release, "000000"),
        (Message::RefreshInstance { instance: instance.clone(), refresh: renewal }, "000003"),
        (Message::UpgradeInstance { instance: instance.clone(), order: OrderLine::fresh() }, "000003"),
        (status(&instance, FreezeStatus::Unfreeze), "000003"),
    ] {
        assert_eq!(server.call(&message).await["resultCode"], code, "{message:?}");
    }
    let verdict = server.check(&instance).await;
    assert_eq!((&verdict["valid"], &verdict["code"]), (&json!(false), &json!("RELEASED")));
    assert_eq!(verdict["license"]["revision"], 2);
}

#[tokio::test]
async fn a_license_code_begins_with_whatever_the_marketplace_says_of_it() {
    let (_home, server) = server().await;
    let renewal = refresh(Scene::Renewal, &OrderLine::fresh(), Utc::now() + TimeDelta::days(30));
    for (code, message, verdict) in [
        ("PL0001", Message::RefreshLicenseCode { code: "PL0001".into(), refresh: renewal }, "VALID"),
        ("PL0002", Message::UpdateLicenseCodeStatus { code: "PL0002".into(), status: FreezeStatus::Freeze }, "FROZEN"),
        ("PL0003", Message::ReleaseLicenseCode { code: "PL0003".into(), order: None }, "RELEASED"),
    ] {
        assert_eq!(server.call(&message).await["resultCode"], "000000");
        let checked = server.check(code).await;
        assert_eq!(checked["code"], verdict, "{checked}");
        assert_eq!(checked["license"]["kind"], "license_code");
    }
}

#[tokio::test]
async fn the_keys_of_license_codes_and_notifications_open_their_own_doors() {
    let (_home, server) = server().await;
    let now = Utc::now();
    let code = r#"{"activity":"updateLicenseCodeStatus","license":"PL1","status":"FREEZE"}"#;
    let notify = r#"{"activity":"orderNotify","orderId":"CS1","orderLineId":"CS1-000001"}"#;
    for (key, body, result, signer) in [
        (CODE_KEY, code, "000000", CODE_KEY),
        (BASE_KEY, code, "000001", CODE_KEY),
        (BASE_KEY, notify, "000000", BASE_KEY),
        (GENERAL_KEY, notify, "000000", GENERAL_KEY),
        (CODE_KEY, notify, "000001", BASE_KEY),
    ] {
        assert_answer(&send(&server, key, now, body).await, result, Some(signer));
    }
}

#[tokio::test]
async fn test_traffic_is_answered_for_any_id_and_leaves_no_trace() {
    let (_home, server) = server().await;
    let real = server.buy().await;
    let (position, before) = (server.position().await, server.check(&real).await);
    let style = Style { wording: Wording { test: true, ..Wording::default() }, ..Style::default() };
    let order = OrderLine::fresh();
    let ids = vec!["never-made-1".to_owned(), "never-made-2".to_owned(), real.clone()];
    for message in [
        Message::NewInstance { order: order.clone() },
        Message::QueryInstance { instances: ids.clone() },
        status(&real, FreezeStatus::Freeze),
        status("never-made-1", FreezeStatus::Unfreeze),
        Message::ReleaseInstance { instance: real.clone(), order: None },
        Message::UpgradeInstance { instance: "never-made-2".into(), order: order.clone() },
        Message::RefreshInstance {
            instance: real.clone(),
            refresh: refresh(Scene::Renewal, &order, Utc::now() - TimeDelta::days(900)),
        },
        Message::OrderNotify { order: order.clone() },
        Message::ReleaseLicenseCode { code: "PL-TEST".into(), order: None },
    ] {
        let delivery = server.marketplace().sign(&message, style, Utc::now()).unwrap();
        let answer = server.deliver(&delivery).await;
        assert_eq!(answer["resultCode"], "000000", "{message:?}");
        if let Message::QueryInstance { .. } = message {
            let echoed: Vec<_> = answer["info"].as_array().unwrap().iter().map(|info| &info["instanceId"]).collect();
            assert_eq!(json!(echoed), json!(ids));
            assert!(answer["info"][0]["appInfo"]["frontEndUrl"].as_str().unwrap().ends_with("/never-made-1"));
        }
    }
    assert_eq!(server.position().await, position, "nothing was appended");
    let after = server.check(&real).await;
    assert_eq!((&after["code"], &after["license"]), (&before["code"], &before["license"]));
    assert_eq!(server.check("PL-TEST").await["code"], "NOT_FOUND");
    let deliveries = server.look_up("/v1/deliveries?seller=acme&test=true").await;
    assert_eq!(deliveries["deliveries"].as_array().unwrap().len(), 9, "the journal shows them");
}

#[tokio::test]
async fn statuses_follow_the_state_and_identical_requests_follow_the_request() {
    let (_home, server) = server().await;
    let instance = server.buy().await;
    let sign = |status| {
        let message = self::status(&instance, status);
        server.marketplace().sign(&message, Style::default(), Utc::now()).unwrap()
    };
    let (freeze, second_freeze, unfreeze) =
        (sign(FreezeStatus::Freeze), sign(FreezeStatus::Freeze), sign(FreezeStatus::Unfreeze));
    for (delivery, code, revision) in [
        (&freeze, "FROZEN", 2),
        (&second_freeze, "FROZEN", 2),
        (&unfreeze, "VALID", 3),
        (&freeze, "VALID", 3),
        (&second_freeze, "VALID", 3),
        (&unfreeze, "VALID", 3),
    ] {
        assert_eq!(server.deliver(delivery).await["resultCode"], "000000");
        let checked = server.check(&instance).await;
        assert_eq!((&checked["code"], &checked["license"]["revision"]), (&json!(code), &json!(revision)));
    }
    server.deliver(&sign(FreezeStatus::Freeze)).await;
    assert_eq!(server.check(&instance).await["license"]["revision"], 4, "a new request is a new cause");
}

#[tokio::test]
async fn a_request_that_changed_nothing_changes_nothing_after_a_restart_either() {
    let (home, server) = server().await;
    let instance = server.buy().await;
    let sign = |status| {
        let message = self::status(&instance, status);
        server.marketplace().sign(&message, Style::default(), Utc::now()).unwrap()
    };
    let without_effect = sign(FreezeStatus::Freeze);
    for delivery in [&sign(FreezeStatus::Freeze), &without_effect, &sign(FreezeStatus::Unfreeze)] {
        assert_eq!(server.deliver(delivery).await["resultCode"], "000000");
    }
    server.stop();
    let server = home.serve().await;
    assert_eq!(server.deliver(&without_effect).await["resultCode"], "000000");
    let checked = server.check(&instance).await;
    assert_eq!((&checked["code"], &checked["license"]["revision"]), (&json!("VALID"), &json!(3)));
}

#[tokio::test]
async fn other_paths_are_answered_in_the_dialect_and_a_slash_at_the_end_does_no_harm() {
    let (_home, server) = server().await;
    for path in ["/", "/callbacks", "/callbacks/acme/more", "/v1/checks"] {
        let response = post(&server.callbacks, path, &[], b"{}").await;
        assert_answer(&response, "000002", None);
    }
    let turned_away = r#"chopmark_callbacks_rejected_total{reason="path"}"#;
    assert!((server.metric(turned_away).await - 4.0).abs() < f64::EPSILON);
    let body = new_instance("CS1");
    let query = signed(BASE_KEY, &Utc::now().timestamp_millis().to_string(), &body);
    let response = post(&server.callbacks, &format!("/callbacks/acme/?{query}"), &[], body.as_bytes()).await;
    assert_answer(&response, "000000", Some(BASE_KEY));
    assert_eq!(get(&server.callbacks, "/livez", &[]).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_dial_test_that_is_refused_is_still_one_and_the_journal_keeps_no_personal_data() {
    let (_home, server) = server().await;
    let before = server.position().await;
    let test = r#"{"activity":"newInstance","businessId":"b-1","orderId":"CS1","orderLineId":"CS1-1","testFlag":"1"}"#;
    assert_answer(&send(&server, BASE_KEY, Utc::now(), test).await, "000000", Some(BASE_KEY));
    let refused =
        r#"{"activity":"newInstance","orderId":"CS1","orderLineId":"CS1-1","testFlag":"1","email":"a@b.example"}"#;
    assert_answer(&send(&server, BASE_KEY, Utc::now(), refused).await, "000002", Some(BASE_KEY));
    assert_eq!(server.position().await, before);
    let journal = server.look_up("/v1/deliveries?test=true").await;
    assert_eq!(journal["deliveries"][0]["order"], "CS1");
    assert!(!journal.to_string().contains("a@b.example"), "{journal}");
    let counted = r#"chopmark_dial_tests_total{result="000002",seller="acme"}"#;
    assert!((server.metric(counted).await - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_body_in_any_order_of_keys_is_taken_if_its_canonical_form_is_signed() {
    let (_home, server) = server().await;
    let sent =
        r#"{ "orderLineId":"CS9-000001", "orderId":"CS9", "note":null, "businessId":"b", "activity":"newInstance" }"#;
    let canonical = r#"{"activity":"newInstance","businessId":"b","orderId":"CS9","orderLineId":"CS9-000001"}"#;
    let query = signed(BASE_KEY, &Utc::now().timestamp_millis().to_string(), canonical);
    let response = post(&server.callbacks, &format!("/callbacks/acme?{query}"), &[], sent.as_bytes()).await;
    assert_answer(&response, "000000", Some(BASE_KEY));
}
