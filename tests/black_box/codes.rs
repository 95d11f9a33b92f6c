//! License codes: the marketplace made them, so it is asked; as rarely as can be.

use chopmark_domain::license::CodeState;
use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::{Code, Fault, Interface, Message};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::shop::{CODE, Shop, json, request};
use crate::support::post;

fn status(code: &str, status: FreezeStatus) -> Message {
    Message::UpdateLicenseCodeStatus { code: code.into(), status }
}

#[tokio::test]
async fn a_code_that_was_bought_is_activated_once_when_software_first_names_it() {
    let shop = Shop::open().await;
    let code = shop.code(CODE, 5);
    let activation = shop.open_api.faults_of(Interface::Activate);
    activation.hold();
    let first = shop.server.check(&code).await;
    assert_eq!((&first["code"], &first["license"]["status"]), (&json!("PENDING"), &json!("pending")), "{first}");
    assert!(first["next_check_after"].as_u64().unwrap() <= 60);
    let at = first["checked_at"].as_str().unwrap();
    let then = shop.server.look_up(&format!("/v1/licenses/{code}?as_of={at}")).await;
    assert_eq!(then["status"], "pending", "what the check put on record was there by its time: {then}");
    activation.release();
    let good = shop.until(&code, |verdict| verdict["valid"] == true && verdict["license"]["facts"] == "known").await;
    let license = &good["license"];
    assert_eq!(
        (&license["kind"], &license["product"], &license["quantity"]),
        (&json!("license_code"), &json!(CODE), &json!(5))
    );
    assert!(license["expires_at"].is_string() && good["lease"].is_string());
    assert_eq!(shop.open_api.calls_of(Interface::Activate), 1);
    assert_eq!(shop.open_api.codes().look_up(&code).unwrap().state, CodeState::Alive);

    let orders = shop.server.look_up(&format!("/v1/licenses/{code}")).await["orders"].clone();
    assert_eq!((orders.as_array().unwrap().len(), &orders[0]["product"]), (1, &json!(CODE)));
    let shop = shop.restart().await;
    assert_eq!(shop.server.check(&code).await["code"], "VALID");
    assert_eq!(shop.open_api.calls_of(Interface::Activate), 1, "not once more");
}

#[tokio::test]
async fn many_who_name_a_new_code_at_once_share_one_question_and_one_activation() {
    let shop = Shop::open().await;
    let code = shop.code(CODE, 1);
    let mut askers = JoinSet::new();
    for _ in 0..40 {
        let (mut checks, code) = (shop.checks(), code.clone());
        askers.spawn(async move { checks.license(&code).await.unwrap()["code"].clone() });
    }
    let told = askers.join_all().await;
    assert!(told.iter().all(|code| code == "PENDING" || code == "VALID"), "{told:?}");
    shop.until(&code, |verdict| verdict["license"]["revision"] == 4).await;
    assert_eq!(shop.open_api.calls_of(Interface::Activate), 1);
    assert!(shop.open_api.calls_of(Interface::Heartbeat) <= 3, "first sight, after the activation, once a day");
}

#[tokio::test]
async fn a_code_that_nobody_made_is_asked_for_once_and_what_is_none_never() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        assert_eq!(shop.server.check("PLNOBODY0001").await["code"], "NOT_FOUND");
    }
    assert_eq!(shop.open_api.calls_of(Interface::Heartbeat), 1);
    let long = "P".repeat(65);
    for other in
        ["", "PL1", "PL 0001", "../../etc/passwd", "码码码码码码", "10e758d0-31ad-4c4b-8f1b-81d03469a10e", &long]
    {
        assert_eq!(shop.server.check(other).await["code"], "NOT_FOUND", "{other}");
    }
    let others = [
        json!({"license": "PLNOBODY0002", "seller": "other"}),
        json!({"license": "PLNOBODY0002", "product": "a63ee5c9-0000"}),
    ];
    for question in others {
        assert_eq!(shop.server.ask(&question).await["code"], "NOT_FOUND", "{question}");
    }
    assert_eq!(shop.open_api.calls_of(Interface::Heartbeat), 1);
    assert_eq!(shop.admin("GET", "/v1/licenses/PLNOBODY0001", "").await.status, 404, "nothing is on record of it");
}

#[tokio::test]
async fn while_the_marketplace_is_away_known_codes_go_on_and_unknown_ones_wait() {
    let shop = Shop::open().await;
    let (known, unknown) = (shop.activated(1).await, shop.code(CODE, 1));
    let heartbeat = shop.open_api.faults_of(Interface::Heartbeat);
    heartbeat.inject(Fault::Status(502), 1_000);
    let calls = shop.open_api.calls_of(Interface::Heartbeat);
    for _ in 0..3 {
        let waiting = shop.server.check(&unknown).await;
        assert_eq!(
            (&waiting["code"], &waiting["license"], &waiting["lease"]),
            (&json!("PENDING"), &Value::Null, &Value::Null)
        );
        assert_eq!(shop.server.check(&known).await["code"], "VALID");
    }
    assert!(shop.open_api.calls_of(Interface::Heartbeat) <= calls + 2, "who does not answer is left alone for a while");
    // A process that starts anew asks anew.
    let shop = shop.restart().await;
    assert_eq!(shop.server.check(&known).await["code"], "VALID");
    shop.open_api.faults_of(Interface::Heartbeat).clear();
    let shop = shop.restart().await;
    shop.until(&unknown, |verdict| verdict["valid"] == true).await;
}

#[tokio::test]
async fn callbacks_and_the_marketplace_s_own_book_end_a_code() {
    let shop = Shop::open().await;
    let code = shop.activated(1).await;
    shop.says(&status(&code, FreezeStatus::Freeze)).await;
    assert_eq!(shop.server.check(&code).await["code"], "FROZEN");
    shop.says(&status(&code, FreezeStatus::Unfreeze)).await;
    assert_eq!(shop.server.check(&code).await["code"], "VALID");
    shop.says(&Message::ReleaseLicenseCode { code: code.clone(), order: None }).await;
    assert_eq!(shop.server.check(&code).await["code"], "RELEASED");

    // One that a callback names first exists as well.
    let early = shop.code(CODE, 1);
    shop.says(&status(&early, FreezeStatus::Freeze)).await;
    assert_eq!(shop.server.check(&early).await["code"], "FROZEN");

    let ended = |state, days| {
        let expires_at = Some(Utc::now() - TimeDelta::days(days));
        let code = Code { state, expires_at, ..Code::of(&shop.order(CODE, 1)) };
        let id = format!("PL{}", uuid::Uuid::new_v4().simple());
        shop.open_api.codes().register(&id, code);
        id
    };
    for (code, verdict) in [
        (ended(CodeState::Released, -100), "RELEASED"),
        (ended(CodeState::Alive, 30), "EXPIRED"),
        // Our own grace covers what the marketplace calls expired: renewals come late.
        (ended(CodeState::Alive, 1), "GRACE"),
    ] {
        assert_eq!(shop.server.check(&code).await["code"], verdict, "{code}");
    }
}

#[tokio::test]
async fn the_second_version_of_the_interfaces_serves_as_well() {
    let shop = Shop::with_open_api("license_api = \"v2\"").await;
    let code = shop.code(CODE, 1);
    let good = shop.until(&code, |verdict| verdict["valid"] == true).await;
    assert!(good["license"]["expires_at"].is_string(), "{good}");
    assert_eq!(shop.open_api.calls_of(Interface::Activate), 1);
    assert_eq!(shop.server.check("PLNOBODY0001").await["code"], "NOT_FOUND");
}

#[tokio::test]
async fn an_office_behind_one_address_begins_with_one_new_code_and_guesses_are_bounded_as_configured() {
    let shop = Shop::with("[limits]\ncode_lookups_per_address = 2\nfailures_per_minute = 5").await;
    let code = shop.code(CODE, 1);
    let heartbeat = shop.open_api.faults_of(Interface::Heartbeat);
    heartbeat.hold();
    let mut machines = JoinSet::new();
    for _ in 0..40 {
        let (api, body) = (shop.server.api.clone(), json!({"license": code}).to_string());
        machines.spawn(async move { post(&api, "/v1/checks", &[], body.as_bytes()).await });
    }
    for answer in machines.join_all().await {
        assert_eq!((answer.status, &json(&answer)["code"]), (200, &json!("PENDING")), "no machine counts as a guesser");
    }
    let mut last = 0;
    for guess in 0..20 {
        let body = json!({"license": format!("PLGUESS{guess:04}")}).to_string();
        last = post(&shop.server.api, "/v1/checks", &[], body.as_bytes()).await.status;
    }
    assert_eq!(last, 429);
    heartbeat.release();
    shop.until(&code, |verdict| verdict["valid"] == true).await;
    let asked = shop.open_api.calls_of(Interface::Heartbeat);
    assert!((2..=6).contains(&asked), "two codes, those that came back meanwhile, and the one activated: {asked}");
}

#[tokio::test]
async fn guessing_costs_the_guesser_and_not_us() {
    let shop = Shop::open().await;
    let code = shop.activated(1).await;
    let (heartbeats, head) = (shop.open_api.calls_of(Interface::Heartbeat), shop.head(&code).await);
    let mut last = 0;
    for guess in 0..100 {
        let body = json!({"license": format!("PLGUESS{guess:04}")}).to_string();
        last = post(&shop.server.api, "/v1/checks", &[], body.as_bytes()).await.status;
    }
    let asked = shop.open_api.calls_of(Interface::Heartbeat) - heartbeats;
    assert!((9..30).contains(&asked), "ten a minute are asked for one address: {asked}");
    assert_eq!(last, 429);
    assert_eq!(shop.server.check(&code).await["code"], "VALID", "who has a license does not notice");
    assert_eq!(shop.head(&code).await, head, "guesses leave no trace");
    let seated = request(&shop.server, "PUT", "/v1/licenses/PLGUESS0001/machines/m1", &[], "").await;
    assert_eq!(seated.status, 429, "and no way round");
}
