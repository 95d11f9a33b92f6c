//! What checks answer.

use actix_web::test::TestRequest;
use chopmark_domain::cause::Cause;
use chopmark_domain::license::{Command, Refreshed, Scene};
use chopmark_log::Position;
use serde_json::{Value, json};

use crate::house::{House, NOW, code, order, seller, time};

fn members(json: &Value) -> Vec<&str> {
    json.as_object().unwrap().keys().map(String::as_str).collect()
}

fn no_nulls(json: &Value) {
    match json {
        Value::Null => panic!("a null in an answer"),
        Value::Object(members) => members.values().for_each(no_nulls),
        Value::Array(items) => items.iter().for_each(no_nulls),
        _ => {}
    }
}

fn verdict(answer: &Value) -> (bool, &str) {
    no_nulls(answer);
    (answer["valid"].as_bool().unwrap(), answer["code"].as_str().unwrap())
}

#[actix_web::test]
async fn a_license_with_its_facts_is_shown_whole() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2027-10-27T10:30:15Z").await;
    let mut answer = house.check(json!({ "license": key.id.as_str(), "nonce": "n-1" })).await;
    let lease = answer["lease"].take();
    assert_eq!(lease.as_str().unwrap().split('.').count(), 3, "{lease}");
    let next_check_after = answer["next_check_after"].take();
    assert!((1_620..=1_800).contains(&next_check_after.as_u64().unwrap()), "{next_check_after}");
    let position = house.index.progress().position().to_string();
    assert_eq!(
        answer,
        json!({
            "valid": true,
            "code": "VALID",
            "reason": "active until 2027-10-27T10:30:15Z",
            "license": {
                "id": key.id.as_str(),
                "kind": "saas",
                "product": "saas",
                "status": "active",
                "expires_at": "2027-10-27T10:30:15Z",
                "expiry_approximate": true,
                "facts": "known",
                "quantity": 20,
                "entitlements": { "reports": true, "users": 20 },
                "revision": 2,
            },
            "lease": null,
            "lease_expires_at": "2026-11-25T12:00:00Z",
            "grace_until": "2026-12-02T12:00:00Z",
            "next_check_after": null,
            "nonce": "n-1",
            "position": position,
            "checked_at": "2026-11-24T12:00:00.000Z",
        })
    );
}

#[actix_web::test]
async fn a_purchase_is_valid_before_its_facts_and_shows_nothing_that_is_not_known() {
    let house = House::new().await;
    let key = house.buy("acme", "CS1").await;
    let answer = house.check(json!({ "license": key.id.as_str(), "product": "saas", "seller": "acme" })).await;
    assert_eq!(verdict(&answer), (true, "VALID"));
    assert_eq!(
        answer["license"],
        json!({ "id": key.id.as_str(), "status": "active", "facts": "pending", "revision": 1 })
    );
    let expected = ["valid", "code", "reason", "license", "lease_expires_at", "grace_until", "lease"];
    assert_eq!(members(&answer), [&expected[..], &["next_check_after", "position", "checked_at"]].concat());
    assert_eq!(answer["lease_expires_at"], answer["grace_until"], "a day and no more while facts are pending");
    assert!((3_240..=3_600).contains(&answer["next_check_after"].as_u64().unwrap()));
}

#[actix_web::test]
async fn a_refresh_is_exact_and_keeps_its_milliseconds() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2027-10-27T10:30:15Z").await;
    let refreshed = Refreshed {
        scene: Scene::Renewal,
        order: order("CS2"),
        expires_at: time("2028-10-27T10:30:15.250Z"),
        product_id: None,
    };
    house.run(&key, Command::Refresh(refreshed)).await;
    let license = house.check(json!({ "license": key.id.as_str() })).await["license"].clone();
    assert_eq!(license["expires_at"], "2028-10-27T10:30:15.250Z");
    assert_eq!(license["expiry_approximate"], false);
    assert_eq!(license["revision"], 3);
}

#[actix_web::test]
async fn every_verdict_about_a_known_license_shows_it() {
    let house = House::new().await;
    let good = "2027-10-27T10:30:15Z";
    let valid = house.buy_known("CS1", "saas", good).await;
    let grace = house.buy_known("CS2", "saas", "2026-11-20T00:00:00Z").await;
    let expired = house.buy_known("CS3", "saas", "2026-11-01T00:00:00Z").await;
    let frozen = house.buy_known("CS4", "saas", good).await;
    house.run(&frozen, Command::Freeze).await;
    let released = house.buy_known("CS5", "saas", good).await;
    house.run(&released, Command::Release { order_id: None, order_line_id: None }).await;
    let seated = house.buy_known("CS6", "seated", good).await;
    let seated_late = house.buy_known("CS7", "seated", "2026-11-20T00:00:00Z").await;
    let seated_expired = house.buy_known("CS8", "seated", "2026-11-01T00:00:00Z").await;
    let machine = json!({ "fingerprint": "a:b.c-d_e", "name": "a machine" });

    let table = [
        (&valid, json!({}), (true, "VALID")),
        (&valid, json!({ "product": "saas", "machine": machine }), (true, "VALID")),
        (&valid, json!({ "product": "seated" }), (false, "WRONG_PRODUCT")),
        (&grace, json!({}), (true, "GRACE")),
        (&grace, json!({ "product": "seated" }), (false, "WRONG_PRODUCT")),
        (&expired, json!({}), (false, "EXPIRED")),
        (&expired, json!({ "product": "seated" }), (false, "WRONG_PRODUCT")),
        (&frozen, json!({ "product": "seated" }), (false, "FROZEN")),
        (&released, json!({ "product": "seated" }), (false, "RELEASED")),
        (&seated, json!({}), (false, "MACHINE_REQUIRED")),
        (&seated, json!({ "machine": machine }), (false, "MACHINE_NOT_ACTIVATED")),
        (&seated_late, json!({ "machine": machine }), (false, "MACHINE_NOT_ACTIVATED")),
        (&seated_expired, json!({ "machine": machine }), (false, "EXPIRED")),
    ];
    for (key, mut question, expected) in table {
        question["license"] = json!(key.id.as_str());
        let answer = house.check(question.clone()).await;
        assert_eq!(verdict(&answer), expected, "{question}");
        assert_eq!(answer["license"]["id"], key.id.as_str(), "{question}");
        assert_eq!(answer["license"]["facts"], "known");
        assert!(answer["license"]["product"].is_string());
    }
    let answer = house.check(json!({ "license": seated.id.as_str() })).await;
    assert_eq!(answer["license"]["seats"], json!({ "used": 0, "limit": 3 }));
    assert!(answer["license"]["entitlements"].is_object());
}

#[actix_web::test]
async fn what_does_not_exist_is_not_found_and_shows_no_license() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2027-10-27T10:30:15Z").await;
    let id = key.id.as_str();
    for question in [
        json!({ "license": "unknown" }),
        json!({ "license": "" }),
        json!({ "license": "a,b" }),
        json!({ "license": "x".repeat(4_000) }),
        json!({ "license": "界\u{0}" }),
        json!({ "license": id, "seller": "beta" }),
        json!({ "license": id, "seller": "nobody" }),
        json!({ "license": id, "seller": "not a/seller" }),
        json!({ "license": id, "seller": "" }),
        json!({ "deployment": { "uuid": "u", "project_id": "p", "region_id": "r" }, "product": "saas" }),
    ] {
        let mut question = question;
        question["nonce"] = json!("n");
        let answer = house.check(question.clone()).await;
        assert_eq!(verdict(&answer), (false, "NOT_FOUND"), "{question}");
        assert_eq!(
            members(&answer),
            ["valid", "code", "reason", "next_check_after", "nonce", "position", "checked_at"]
        );
    }
    assert_eq!(verdict(&house.check(json!({ "license": id, "seller": "acme" })).await), (true, "VALID"));
}

#[actix_web::test]
async fn a_code_is_of_its_kind_before_anything_else_is_known() {
    let house = House::new().await;
    let key = code("acme", "PL0001");
    house.run(&key, Command::Freeze).await;
    house.run(&key, Command::Unfreeze).await;
    let answer = house.check(json!({ "license": "PL0001" })).await;
    assert_eq!(verdict(&answer), (true, "VALID"));
    assert_eq!(answer["license"]["kind"], "license_code");
    assert_eq!(answer["license"]["facts"], "pending");
}

#[actix_web::test]
async fn an_id_of_two_sellers_needs_the_seller() {
    let house = House::new().await;
    for whose in ["acme", "beta"] {
        house.run(&code(whose, "PL0001"), Command::Freeze).await;
    }
    let answer = house.check(json!({ "license": "PL0001" })).await;
    assert_eq!(verdict(&answer), (false, "NOT_FOUND"));
    assert!(answer["reason"].as_str().unwrap().contains("name the seller"));
    let answer = house.check(json!({ "license": "PL0001", "seller": "beta" })).await;
    assert_eq!(verdict(&answer), (false, "FROZEN"));
}

#[actix_web::test]
async fn our_clock_acts_only_after_expiry_and_grace() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2026-12-01T00:00:00Z").await;
    for (now, expected) in [
        (NOW, (true, "VALID")),
        ("2026-11-30T23:59:59Z", (true, "VALID")),
        ("2026-12-01T00:00:00Z", (true, "GRACE")),
        ("2026-12-15T23:59:59Z", (true, "GRACE")),
        ("2026-12-16T00:00:00Z", (false, "EXPIRED")),
    ] {
        house.set_clock(now);
        assert_eq!(verdict(&house.check(json!({ "license": key.id.as_str() })).await), expected, "{now}");
    }
}

#[actix_web::test]
async fn a_check_waits_for_the_position_it_names() {
    let house = House::new().await;
    let (id, position) = house.commands.purchase(&seller("acme"), order("CS1"), &Cause::System).await.unwrap();
    let position = position.unwrap();
    let question = json!({ "license": id.as_str(), "min_position": position.to_string() });
    assert!(house.index.progress().position() < position);
    // The index gets there while the check waits.
    let (answer, ()) = futures_util::future::join(house.check(question), house.project()).await;
    assert_eq!(verdict(&answer), (true, "VALID"));
    assert_eq!(answer["position"], position.to_string());
}

#[actix_web::test]
async fn a_check_that_names_a_position_out_of_reach_gets_what_there_is() {
    let house = House::new().await;
    let key = house.buy("acme", "CS1").await;
    let far = Position(u64::MAX).to_string();
    let asking = house.check(json!({ "license": key.id.as_str(), "min_position": far }));
    assert_eq!(verdict(&asking.await), (true, "VALID"));
}

#[actix_web::test]
async fn checks_are_counted_by_code_and_refusals_by_problem() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2027-10-27T10:30:15Z").await;
    house.check(json!({ "license": key.id.as_str() })).await;
    house.check(json!({ "license": "unknown" })).await;
    house.check(json!({ "license": "unknown" })).await;
    house.send(TestRequest::post().uri("/v1/checks").set_payload("{}")).await;
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    for line in [
        "chopmark_checks_total{code=\"VALID\"} 1",
        "chopmark_checks_total{code=\"NOT_FOUND\"} 2",
        "chopmark_checks_total{code=\"FROZEN\"} 0",
        "chopmark_checks_refused_total{problem=\"malformed-request\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
