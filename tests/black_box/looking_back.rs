//! Looking back: a license as it was, what was behind each step, and why each verdict was given.

use chopmark_domain::license::Scene;
use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::checks::Ecs;
use chopmark_simulator::http::Response;
use chopmark_simulator::marketplace::Style;
use chopmark_simulator::message::Refresh;
use chopmark_simulator::{Keys, Marketplace, Message, OrderLine};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::shop::{CODE, IMAGE, SAAS, SEATS_BOUGHT, STRICT_IMAGE, Shop, bear, json};

fn refresh(instance: &str, expires_at: DateTime<Utc>) -> Message {
    let refresh = Refresh { scene: Scene::Renewal, order: OrderLine::fresh(), expires_at, product_id: None };
    Message::RefreshInstance { instance: instance.into(), refresh }
}

async fn block(shop: &Shop, license: &str, block: bool) {
    let (method, body) = if block { ("PUT", r#"{"reason":"looked into"}"#) } else { ("DELETE", "") };
    assert_eq!(shop.admin(method, &format!("/v1/licenses/{license}/block"), body).await.status, 200);
}

#[tokio::test]
async fn a_license_is_shown_as_it_was_at_each_step_of_its_life() {
    let shop = Shop::open().await;
    let license = shop.bought(SAAS, 20).await;
    let mut steps = vec![];
    let mut note = |what: &'static str| {
        let at = Utc::now().to_rfc3339_opts(SecondsFormat::Nanos, true);
        steps.push((what, at));
    };
    note("VALID");
    shop.says(&refresh(&license, Utc::now() - TimeDelta::days(30))).await;
    note("EXPIRED");
    shop.says(&refresh(&license, Utc::now() + TimeDelta::days(365))).await;
    note("VALID");
    shop.set(&license, FreezeStatus::Freeze).await;
    note("FROZEN");
    shop.set(&license, FreezeStatus::Unfreeze).await;
    shop.says(&refresh(&license, Utc::now() - TimeDelta::days(30))).await;
    note("GRACE");
    block(&shop, &license, true).await;
    note("BLOCKED");
    shop.says(&Message::ReleaseInstance { instance: license.clone(), order: None }).await;
    note("RELEASED");

    let mut revisions = vec![];
    for (code, at) in &steps {
        let shown = shop.server.look_up(&format!("/v1/licenses/{license}?as_of={at}")).await;
        assert_eq!(shown["verdict"]["code"], *code, "{at}: {shown}");
        assert_eq!(shown["block"].is_object(), ["BLOCKED", "RELEASED"].contains(code), "{shown}");
        assert_eq!(shown["as_of"], at.as_str());
        revisions.push(shown["revision"].as_u64().unwrap());
    }
    assert!(revisions.is_sorted_by(|before, after| before < after), "{revisions:?}");
    let before = shop.admin("GET", &format!("/v1/licenses/{license}?as_of=2020-01-01T00:00:00Z"), "").await;
    assert_eq!(before.status, 404, "there was none yet");
}

#[tokio::test]
async fn a_history_has_the_signed_bytes_and_the_answer_behind_each_event() {
    let shop = Shop::open().await;
    let license = shop.bought(SAAS, 20).await;
    shop.set(&license, FreezeStatus::Freeze).await;
    block(&shop, &license, true).await;
    let history = shop.server.look_up(&format!("/v1/licenses/{license}/history")).await;
    let events = history["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["instance_created.v1", "license_order_facts_applied.v1", "license_frozen.v1", "license_blocked.v1"]
    );
    for callback in [&events[0], &events[2]] {
        let cause = &callback["cause"];
        assert_eq!((&cause["source"], &cause["key_id"].is_string()), (&json!("callback"), &true), "{cause}");
        let body: Value = serde_json::from_str(cause["body"].as_str().unwrap()).unwrap();
        assert!(["newInstance", "updateInstanceStatus"].contains(&body["activity"].as_str().unwrap()));
        assert!(cause["signature"].is_string() && cause["timestamp"].is_string() && cause["nonce"].is_string());
    }
    let cause = &events[1]["cause"];
    assert_eq!((&cause["source"], &cause["api"]), (&json!("open_api"), &json!("order/query")));
    let answer = cause["answer"].as_str().unwrap();
    assert!(answer.contains(SAAS), "{answer}");
    for personal in ["13800000000", "zhangsan"] {
        assert!(!answer.contains(personal), "nothing of the buyer is kept: {answer}");
    }
    assert_eq!(
        (&events[3]["cause"]["source"], &events[3]["data"]["reason"]),
        (&json!("operator"), &json!("looked into"))
    );
    let first = shop.server.look_up(&format!("/v1/licenses/{license}/history?limit=3")).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = shop.server.look_up(&format!("/v1/licenses/{license}/history?cursor={cursor}")).await;
    assert_eq!((&rest["events"][0], &rest["next_cursor"]), (&events[3], &Value::Null));
}

/// Verdicts as they were given, each with its question.
#[derive(Default)]
struct Given(Vec<(String, Value, Value)>);

impl Given {
    /// Asks, and keeps what is answered.
    async fn ask(&mut self, shop: &Shop, id: &str, question: Value) -> Value {
        let verdict = shop.server.ask(&question).await;
        self.0.push((id.to_owned(), question, verdict.clone()));
        verdict
    }
}

fn question(ecs: &Ecs, product: &str, secret: Option<&String>, region: &str) -> Value {
    let mut deployment = json!({"uuid": ecs.uuid, "project_id": ecs.project_id, "region_id": region});
    if let Some(secret) = secret {
        deployment["secret"] = json!(secret);
    }
    json!({"deployment": deployment, "product": product})
}

/// One thing after the other happens to a license, to a code and to two deployments, and each is asked about.
async fn life(shop: &Shop, random: &mut StdRng) -> Given {
    let mut given = Given::default();
    let (license, code) = (shop.bought(SEATS_BOUGHT, 2).await, shop.code(CODE, 1));
    let first = given.ask(shop, &code, json!({"license": code})).await;
    assert_eq!(first["license"]["id"], code.as_str(), "the marketplace tells of it at once");
    let deployments = [(IMAGE, Ecs::fresh()), (STRICT_IMAGE, Ecs::fresh())];
    let mut secrets: Vec<String> = vec![];
    let mut checks = shop.checks();
    for _ in 0..60 {
        let machine = format!("m{}", random.random_range(0..4));
        match random.random_range(0..12) {
            0 => shop.set(&license, FreezeStatus::Freeze).await,
            1 | 2 => shop.set(&license, FreezeStatus::Unfreeze).await,
            3 => {
                let days = *[-30, -3, 100, 365].choose(random).unwrap();
                shop.says(&refresh(&license, Utc::now() + TimeDelta::days(days))).await;
            }
            4 => block(shop, [&license, &code].choose(random).unwrap(), true).await,
            5 => {
                block(shop, &license, false).await;
                block(shop, &code, false).await;
            }
            6 | 7 => drop(checks.activate(&license, &machine, None).await.unwrap()),
            8 => {
                let now = *["", "?now=true"].choose(random).unwrap();
                shop.admin("DELETE", &format!("/v1/licenses/{license}/machines/{machine}{now}"), "").await;
            }
            9 => {
                let status = *[FreezeStatus::Freeze, FreezeStatus::Unfreeze].choose(random).unwrap();
                shop.says(&Message::UpdateLicenseCodeStatus { code: code.clone(), status }).await;
            }
            _ => {
                let (product, ecs) = deployments.choose(random).unwrap();
                let region = *["cn-east-3", "cn-east-3", "cn-east-3", "cn-north-4"].choose(random).unwrap();
                let secret = secrets.choose(random).cloned();
                let question = question(ecs, product, secret.as_ref(), region);
                let verdict = given.ask(shop, &ecs.uuid, question).await;
                secrets.extend(verdict["enrolment_secret"].as_str().map(str::to_owned));
            }
        }
        let product = *[SEATS_BOUGHT, SAAS].choose(random).unwrap();
        for question in [
            json!({"license": license}),
            json!({"license": license, "product": product, "machine": {"fingerprint": machine}}),
        ] {
            given.ask(shop, &license, question).await;
        }
        given.ask(shop, &code, json!({"license": code, "seller": "acme"})).await;
    }
    given
}

#[tokio::test]
async fn every_verdict_of_a_life_is_explained_from_its_position_and_time() {
    let shop = Shop::open().await;
    let seed: u64 = rand::random();
    let given = life(&shop, &mut StdRng::seed_from_u64(seed)).await;
    // And once more after a restart, from the log alone.
    let shop = shop.restart().await;
    let mut codes = std::collections::BTreeSet::new();
    for (id, question, verdict) in &given.0 {
        let mut body = question.clone();
        body["position"] = verdict["position"].clone();
        body["checked_at"] = verdict["checked_at"].clone();
        let explained = shop.admin("POST", &format!("/v1/licenses/{id}/explain"), &body.to_string()).await;
        assert_eq!(explained.status, 200, "seed {seed}: {body}");
        let explained = json(&explained);
        for member in ["valid", "code", "reason", "license", "position", "checked_at"] {
            assert_eq!(explained[member], verdict[member], "seed {seed}: {member} of {body}: {explained:#}");
        }
        let steps = explained["because"]["looked_at"].as_array().unwrap();
        assert_eq!(
            (&steps[steps.len() - 1]["code"], &steps[steps.len() - 1]["applies"]),
            (&verdict["code"], &json!(true))
        );
        codes.insert(verdict["code"].as_str().unwrap().to_owned());
    }
    assert!(codes.len() >= 4, "seed {seed}: a life with more in it is wanted: {codes:?}");
}

#[tokio::test]
async fn a_license_of_another_seller_is_as_unknown_as_one_that_nobody_has() {
    let shop = Shop::open().await;
    let mut other = Marketplace::new(&shop.server.callbacks, "other", Keys::base("other-access-key-0001".into()), None);
    let buy = Message::NewInstance { order: OrderLine::fresh() };
    let delivery = other.sign(&buy, Style::default(), Utc::now()).unwrap();
    let theirs = json(&other.send(&delivery).await.unwrap())["instanceId"].as_str().unwrap().to_owned();
    let nobodys = uuid::Uuid::new_v4().to_string();
    let token = shop.token(&json!({"id": "acme-only", "role": "admin", "sellers": ["acme"]})).await;
    let block = r#"{"reason":"none of my business"}"#;
    for (method, rest, body) in [
        ("GET", "", ""),
        ("GET", "?seller=other", ""),
        ("GET", "?as_of=2026-11-24T00:00:00Z", ""),
        ("GET", "/history", ""),
        ("POST", "/explain", ""),
        ("POST", "/explain", r#"{"seller":"other"}"#),
        ("GET", "/machines", ""),
        ("DELETE", "/machines/m1", ""),
        ("PUT", "/block", block),
        ("DELETE", "/block", ""),
    ] {
        let mut told = vec![];
        for license in [&theirs, &nobodys] {
            let response = bear(&shop.server, &token, method, &format!("/v1/licenses/{license}{rest}"), body).await;
            told.push(as_told(&response));
        }
        assert_eq!(told[0], told[1], "{method} {rest}");
        assert_eq!(told[0].0, 404, "{method} {rest}: {told:?}");
    }
    assert_eq!(shop.server.check(&theirs).await["code"], "VALID");
    let asked = json!({"license": theirs, "seller": "acme"});
    assert_eq!(shop.server.ask(&asked).await["code"], "NOT_FOUND");
}

/// What a stranger could tell apart.
fn as_told(response: &Response) -> (u16, String) {
    (response.status, String::from_utf8(response.body.clone()).unwrap())
}
