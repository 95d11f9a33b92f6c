//! Machines: a race for seats, seats given up and given back, and what strangers can do about them.

use std::sync::Arc;

use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::checks::{Answer, Question};
use chopmark_simulator::http::Response;
use chopmark_simulator::{Checks, Message};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::shop::{SAAS, SEATS_BOUGHT, Shop, THREE_SEATS, bear, json, request, time};

async fn activate(checks: &mut Checks, license: &str, machine: &str) -> u16 {
    checks.activate(license, machine, None).await.unwrap().status
}

async fn ask(checks: &mut Checks, license: &str, machine: &str) -> Value {
    checks.question(&Question::license(license).on(machine)).await.unwrap()
}

/// Frees as an operator.
async fn free(shop: &Shop, license: &str, machine: &str, how: &str) -> u16 {
    shop.admin("DELETE", &format!("/v1/licenses/{license}/machines/{machine}{how}"), "").await.status
}

async fn listed(shop: &Shop, license: &str) -> Value {
    shop.server.look_up(&format!("/v1/licenses/{license}/machines")).await
}

#[tokio::test]
async fn of_a_hundred_machines_that_race_for_three_seats_three_get_one() {
    let shop = Shop::open().await;
    let license = shop.bought(THREE_SEATS, 1).await;
    let (connections, start) = (20, Arc::new(Barrier::new(20)));
    let mut racers: JoinSet<Vec<Answer>> = JoinSet::new();
    for connection in 0..connections {
        let (mut checks, license, start) = (shop.checks(), license.clone(), Arc::clone(&start));
        racers.spawn(async move {
            start.wait().await;
            let mut answers = vec![];
            for machine in 0..5 {
                let fingerprint = format!("m{connection}-{machine}");
                answers.push(checks.activate(&license, &fingerprint, None).await.unwrap());
            }
            answers
        });
    }
    let answers: Vec<Answer> = racers.join_all().await.into_iter().flatten().collect();
    let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((answers.len(), with(201), with(409)), (100, 3, 97));
    assert!(answers.iter().filter(|answer| answer.status == 409).all(|answer| answer.code() == "MACHINE_LIMIT"));
    let mut used: Vec<u64> = answers.iter().filter_map(|answer| answer.json["seats"]["used"].as_u64()).collect();
    used.sort_unstable();
    assert_eq!(used, [1, 2, 3], "each winner is told how many there were with it");

    let bare = shop.server.check(&license).await;
    assert_eq!(
        (&bare["code"], &bare["license"]["seats"]),
        (&json!("MACHINE_REQUIRED"), &json!({"used": 3, "limit": 3}))
    );
    let mut checks = shop.checks();
    let list = listed(&shop, &license).await;
    for machine in list["machines"].as_array().unwrap() {
        let machine = machine["fingerprint"].as_str().unwrap();
        let verdict = ask(&mut checks, &license, machine).await;
        assert_eq!((&verdict["code"], verdict["lease"].is_string()), (&json!("VALID"), true));
        assert_eq!(activate(&mut checks, &license, machine).await, 200, "it has one already");
    }
    let other = ask(&mut checks, &license, "another").await;
    assert_eq!((&other["code"], &other["lease"]), (&json!("MACHINE_NOT_ACTIVATED"), &Value::Null));
}

#[tokio::test]
async fn a_seat_given_up_stays_taken_until_the_lease_has_ended_unless_an_operator_says_otherwise() {
    let shop = Shop::open().await;
    let license = shop.bought(SEATS_BOUGHT, 2).await;
    let mut checks = shop.checks();
    let named = checks.activate(&license, "m1", Some("build server 7")).await.unwrap();
    assert_eq!((named.status, &named.json["seats"]), (201, &json!({"used": 1, "limit": 2})));
    assert_eq!(activate(&mut checks, &license, "m2").await, 201);
    assert_eq!(activate(&mut checks, &license, "m3").await, 409);

    // One that never had a lease leaves nothing behind.
    assert_eq!(free(&shop, &license, "m2", "").await, 204);
    assert_eq!(activate(&mut checks, &license, "m3").await, 201);

    let verdict = ask(&mut checks, &license, "m1").await;
    let lease = verdict["lease"].as_str().unwrap();
    let freed = checks.free(&license, "m1", lease).await.unwrap();
    assert_eq!((freed.status, freed.json), (204, Value::Null));
    assert_eq!(ask(&mut checks, &license, "m1").await["code"], "MACHINE_NOT_ACTIVATED");
    let list = listed(&shop, &license).await;
    let first = &list["machines"][0];
    assert_eq!(
        (&first["fingerprint"], &first["name"], &first["active"]),
        (&json!("m1"), &json!("build server 7"), &json!(false))
    );
    assert_eq!(time(&first["taken_until"]), time(&verdict["grace_until"]));
    assert!(time(&first["taken_until"]) <= Utc::now() + TimeDelta::seconds(60), "no longer than its lease");
    assert_eq!(list["seats"], json!({"used": 2, "limit": 2}));
    let full = checks.activate(&license, "m4", None).await.unwrap();
    assert_eq!((full.status, full.code()), (409, "MACHINE_LIMIT"));

    // The seat is still its own: it may come back.
    assert_eq!(activate(&mut checks, &license, "m1").await, 201);
    let back = ask(&mut checks, &license, "m1").await;
    assert_eq!((&back["code"], &back["license"]["seats"]["used"]), (&json!("VALID"), &json!(2)));

    let hasty = format!("/v1/licenses/{license}/machines/m1?now=true");
    let lease = back["lease"].as_str().unwrap();
    let refused = request(&shop.server, "DELETE", &hasty, &[("Chopmark-Lease", lease)], "").await;
    assert_eq!(refused.status, 403, "only an operator frees a seat at once");
    assert_eq!(free(&shop, &license, "m1", "").await, 204);
    assert_eq!(activate(&mut checks, &license, "m4").await, 409, "an operator waits as well");
    assert_eq!(free(&shop, &license, "m1", "?now=true").await, 204);
    assert_eq!(activate(&mut checks, &license, "m4").await, 201);

    let kinds = [("m3", true), ("m4", true)].map(|(machine, active)| (json!(machine), json!(active)));
    let shop = shop.restart().await;
    let list = listed(&shop, &license).await;
    let machines = list["machines"].as_array().unwrap();
    let kept: Vec<_> =
        machines.iter().map(|machine| (machine["fingerprint"].clone(), machine["active"].clone())).collect();
    assert_eq!(kept, kinds);
    let mut checks = shop.checks();
    assert_eq!(ask(&mut checks, &license, "m3").await["code"], "VALID");
    assert_eq!(activate(&mut checks, &license, "m5").await, 409);
    let seen = listed(&shop, &license).await["machines"][0].clone();
    assert!(Utc::now() - time(&seen["last_seen"]) < TimeDelta::minutes(1), "{seen}");
    assert!(time(&seen["lease_until"]) > Utc::now());
}

#[tokio::test]
async fn a_lease_that_was_given_out_just_before_a_crash_still_holds_its_seat() {
    let shop = Shop::open().await;
    let license = shop.bought(SEATS_BOUGHT, 1).await;
    let mut checks = shop.checks();
    assert_eq!(activate(&mut checks, &license, "m1").await, 201);
    let lease_until = time(&ask(&mut checks, &license, "m1").await["grace_until"]);
    let shop = shop.crash().await;
    assert_eq!(free(&shop, &license, "m1", "").await, 204);
    let list = listed(&shop, &license).await;
    assert!(time(&list["machines"][0]["taken_until"]) >= lease_until, "{list}");
    assert_eq!(activate(&mut shop.checks(), &license, "m2").await, 409);
}

#[tokio::test]
async fn who_proves_nothing_frees_nothing_and_learns_nothing() {
    let shop = Shop::open().await;
    let (license, another) = (shop.bought(THREE_SEATS, 1).await, shop.bought(THREE_SEATS, 1).await);
    let mut checks = shop.checks();
    let mut leases = vec![];
    for (license, machine) in [(&license, "m1"), (&license, "m2"), (&another, "m1")] {
        assert_eq!(activate(&mut checks, license, machine).await, 201);
        leases.push(ask(&mut checks, license, machine).await["lease"].as_str().unwrap().to_owned());
    }
    let broken = format!("{}x", leases[0]);
    let token = ("Authorization", "Bearer cmk_0000");
    let before = shop.head(&license).await;
    let nobodys = uuid::Uuid::new_v4().to_string();
    for proof in [
        vec![],
        vec![("Chopmark-Lease", leases[1].as_str())],
        vec![("Chopmark-Lease", leases[2].as_str())],
        vec![("Chopmark-Lease", broken.as_str())],
        vec![("Chopmark-Lease", "no lease at all")],
        vec![token],
    ] {
        let target = |license: &str| format!("/v1/licenses/{license}/machines/m1");
        let known = request(&shop.server, "DELETE", &target(&license), &proof, "").await;
        let unknown = request(&shop.server, "DELETE", &target(&nobodys), &proof, "").await;
        assert!([401, 403].contains(&known.status), "{proof:?}: {}", known.status);
        let told = |response: &Response| (response.status, String::from_utf8(response.body.clone()).unwrap());
        assert_eq!(told(&known), told(&unknown), "{proof:?}");
    }
    let others = shop.token(&json!({"id": "other", "role": "admin", "sellers": ["other"]})).await;
    let out_of_reach = bear(&shop.server, &others, "DELETE", &format!("/v1/licenses/{license}/machines/m1"), "").await;
    assert_eq!(out_of_reach.status, 404);
    let after_the_token = shop.head(&license).await;
    assert_eq!(after_the_token, before + 1, "the token, and nothing else");
    assert_eq!(ask(&mut checks, &license, "m1").await["code"], "VALID");
    assert_eq!(checks.free(&license, "m1", &leases[0]).await.unwrap().status, 204);
}

#[tokio::test]
async fn what_cannot_be_used_takes_no_machines_and_a_day_has_its_bound() {
    let shop = Shop::with("[limits]\nactivations_a_day = 1").await;
    let mut checks = shop.checks();
    let unknown = checks.activate(&uuid::Uuid::new_v4().to_string(), "m1", None).await.unwrap();
    assert_eq!(unknown.status, 404);
    let license = shop.bought(THREE_SEATS, 1).await;
    assert_eq!(checks.activate(&license, "no spaces", None).await.unwrap().status, 400);
    let path = format!("/v1/licenses/{license}/machines/m1");
    assert_eq!(request(&shop.server, "PUT", &path, &[], "[]").await.status, 400);

    // Twice the seats may be activated in a day, whatever the configuration says.
    for machine in 0..6 {
        let machine = format!("m{machine}");
        assert_eq!(activate(&mut checks, &license, &machine).await, 201);
        assert_eq!(free(&shop, &license, &machine, "?now=true").await, 204);
    }
    let too_many = request(&shop.server, "PUT", &format!("/v1/licenses/{license}/machines/m7"), &[], "").await;
    assert_eq!(too_many.status, 429);
    assert!(too_many.header("retry-after").is_some());

    shop.set(&license, FreezeStatus::Freeze).await;
    let frozen = checks.activate(&license, "m8", None).await.unwrap();
    assert_eq!((frozen.status, frozen.code()), (409, "FROZEN"));
    let uncounted = shop.bought(SAAS, 1).await;
    shop.says(&Message::ReleaseInstance { instance: uncounted.clone(), order: None }).await;
    let released = checks.activate(&uncounted, "m1", None).await.unwrap();
    assert_eq!((released.status, released.code()), (409, "RELEASED"));
}

#[tokio::test]
async fn machines_that_came_before_the_facts_are_judged_by_them_in_their_order() {
    let shop = Shop::open().await;
    shop.open_api.faults().hold();
    let order = shop.order(SEATS_BOUGHT, 2);
    let answer = shop.says(&Message::NewInstance { order: order.line }).await;
    let license = answer["instanceId"].as_str().unwrap();
    let mut checks = shop.checks();
    for machine in ["m1", "m2", "m3"] {
        assert_eq!(activate(&mut checks, license, machine).await, 201, "how many there may be is not known yet");
    }
    assert_eq!(ask(&mut checks, license, "m3").await["code"], "VALID");
    shop.open_api.faults().release();
    shop.until(license, |verdict| verdict["license"]["facts"] == "known").await;
    let mut codes = vec![];
    for machine in ["m1", "m2", "m3", "m4"] {
        codes.push(ask(&mut checks, license, machine).await["code"].clone());
    }
    assert_eq!(codes, ["VALID", "VALID", "MACHINE_LIMIT", "MACHINE_NOT_ACTIVATED"]);
    let plain = request(&shop.server, "PUT", &format!("/v1/licenses/{license}/machines/m3"), &[], "").await;
    assert_eq!((plain.status, &json(&plain)["seats"]), (200, &json!({"used": 3, "limit": 2})));
}
