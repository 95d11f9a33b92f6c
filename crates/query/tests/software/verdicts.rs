//! Verdicts and their leases.

use actix_web::test::TestRequest;
use chopmark_domain::catalog::ProductKind;
use chopmark_domain::ids::InstanceId;
use chopmark_domain::license::Command;
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::world::{World, terms};
use chopmark_query::LimitSettings;

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

fn instance(id: &str) -> LicenseId {
    LicenseId::Instance(InstanceId::parse(id).unwrap())
}

#[actix_web::test]
async fn a_valid_verdict_comes_with_a_lease_that_says_what_the_answer_says() {
    let world = World::new().await;
    world.sells("P1", terms(ProductKind::Saas)).await;
    world.has_instance("L1", "P1", 100).await;
    let answer = world.check(&json!({"license": "L1", "product": "P1", "nonce": "n"})).await;
    assert_eq!((answer.code(), &answer.body["nonce"]), ("VALID", &json!("n")));
    let checked_at = time(&answer.body["checked_at"]);
    assert_eq!(checked_at, world.now() - TimeDelta::microseconds(456), "cut to the millisecond");
    let lease = world.leases.keys().verify_lease(answer.body["lease"].as_str().unwrap(), world.now()).unwrap();
    assert_eq!((lease.license.as_str(), lease.machine), ("L1", None));
    assert_eq!(time(&answer.body["grace_until"]), lease.expires_at);
    assert_eq!((time(&answer.body["lease_expires_at"]) - checked_at).num_seconds(), 999);
    assert!((90..=100).contains(&answer.body["next_check_after"].as_u64().unwrap()));

    let again = world.check(&json!({"license": "L1", "product": "P1"})).await;
    assert_eq!(again.body["lease"], answer.body["lease"], "a steady check costs no signature");
}

#[actix_web::test]
async fn what_is_not_valid_gets_no_lease() {
    let world = World::new().await;
    world.sells("P1", terms(ProductKind::Saas)).await;
    world.has_instance("L1", "P1", 100).await;
    for (command, code, status) in [
        (Command::Block("abuse".into()), "BLOCKED", "active"),
        (Command::Unblock, "VALID", "active"),
        (Command::Freeze, "FROZEN", "frozen"),
    ] {
        world.tell(instance("L1"), command).await;
        let answer = world.check(&json!({"license": "L1"})).await;
        assert_eq!((answer.code(), answer.body["license"]["status"].as_str()), (code, Some(status)));
        let is_valid = code == "VALID";
        assert_eq!(answer.body["valid"], is_valid);
        for member in ["lease", "lease_expires_at", "grace_until"] {
            assert_eq!(answer.body.get(member).is_some(), is_valid, "{code}: {member}");
        }
    }
}

#[actix_web::test]
async fn a_lease_ends_within_a_day_while_facts_are_pending() {
    let world = World::new().await;
    let id = world.has_purchase("CS1").await;
    let answer = world.check(&json!({"license": id, "product": "P1"})).await;
    assert_eq!((answer.code(), &answer.body["license"]["facts"]), ("VALID", &json!("pending")));
    let lasts = time(&answer.body["grace_until"]) - time(&answer.body["checked_at"]);
    assert!(lasts <= TimeDelta::days(1) && lasts > TimeDelta::hours(23), "{lasts}");
}

#[actix_web::test]
async fn an_online_license_is_pending_until_it_is_delivered() {
    let world = World::new().await;
    let id = world.has_purchase("CS1").await;
    world.sells("P1", terms(ProductKind::OnlineLicense)).await;
    let facts: chopmark_domain::order::OrderFacts = serde_json::from_value(json!({
        "order_line_id": "CS1-000001", "order_type": "NEW", "charging_mode": "PERIOD", "sku": "P1"
    }))
    .unwrap();
    let order = chopmark_domain::order::OrderRef {
        order_id: chopmark_domain::ids::OrderId::parse("CS1").unwrap(),
        order_line_id: facts.order_line_id.clone(),
    };
    world.tell(instance(&id), Command::ApplyOrderFacts { order, facts }).await;
    let answer = world.check(&json!({"license": id})).await;
    assert_eq!((answer.code(), &answer.body["license"]["status"]), ("PENDING", &json!("pending")));
    assert_eq!(answer.body["next_check_after"], 60);
}

#[actix_web::test]
async fn reasons_are_in_the_language_asked_for() {
    let world = World::new().await;
    let asked = |language| {
        let body = json!({"license": "nobody"}).to_string();
        TestRequest::post().uri("/v1/checks").insert_header(("Accept-Language", language)).set_payload(body)
    };
    let chinese = world.ask(asked("zh-CN,zh;q=0.9,en;q=0.8")).await;
    assert_eq!(chinese.body["reason"], "没有此许可证");
    assert_eq!(chinese.headers.get("content-language").unwrap(), "zh-CN");
    let english = world.ask(asked("de, en;q=0.5")).await;
    assert_eq!(english.body["reason"], "no such license");
    assert_eq!(english.headers.get("content-language").unwrap(), "en");
}

#[actix_web::test]
async fn failures_of_an_address_are_limited_and_successes_are_not() {
    let world = World::with(LimitSettings { failures_per_minute: 3, ..LimitSettings::default() }, None).await;
    world.sells("P1", terms(ProductKind::Saas)).await;
    world.has_instance("L1", "P1", 100).await;
    let unknown = json!({"license": "nobody"});
    for remaining in ["r=2", "r=1"] {
        let answer = world.check(&unknown).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, "NOT_FOUND"));
        let told = answer.headers.get("ratelimit").unwrap().to_str().unwrap();
        assert!(told.contains(remaining), "{told}");
    }
    let malformed = world.check(&json!({"license": 7})).await;
    assert_eq!((malformed.status.as_u16(), malformed.headers.contains_key("ratelimit")), (400, true));
    for question in [&unknown, &json!({"license": 7})] {
        let answer = world.check(question).await;
        assert_eq!((answer.status.as_u16(), answer.problem()), (429, "too-many-requests"));
        assert!(answer.headers.contains_key("retry-after") && answer.headers.contains_key("ratelimit"));
    }
    let good = world.check(&json!({"license": "L1"})).await;
    assert_eq!((good.code(), good.headers.contains_key("ratelimit")), ("VALID", false));
}

#[actix_web::test]
async fn a_burst_of_one_license_is_limited() {
    let world = World::with(LimitSettings { license_burst: 4, ..LimitSettings::default() }, None).await;
    world.sells("P1", terms(ProductKind::Saas)).await;
    world.has_instance("L1", "P1", 100).await;
    world.has_instance("L2", "P1", 100).await;
    let mut statuses = vec![];
    for _ in 0..20 {
        statuses.push(world.check(&json!({"license": "L1"})).await.status.as_u16());
    }
    assert!(statuses.starts_with(&[200, 200, 200, 200]) && statuses.contains(&429), "{statuses:?}");
    assert_eq!(world.check(&json!({"license": "L2"})).await.code(), "VALID");
}

#[actix_web::test]
async fn the_keys_of_leases_are_public() {
    let world = World::new().await;
    let answer = world.ask(TestRequest::get().uri("/.well-known/jwks.json")).await;
    assert_eq!(answer.headers.get("cache-control").unwrap(), "public, max-age=300");
    let kid = world.leases.keys().signing().kid().as_str().to_owned();
    assert_eq!(answer.body["keys"][0]["kid"], kid);
}
