//! Deployments: an image's program says which ECS it runs on, and that is all there is to go by.

use chopmark_simulator::checks::{Ecs, Question};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::shop::{IMAGE, OTHERS_IMAGE, SAAS, STRICT_IMAGE, Shop, json};
use crate::support::post;

async fn ask(shop: &Shop, product: &str, ecs: &Ecs) -> Value {
    shop.checks().question(&Question::deployment(product, ecs)).await.unwrap()
}

/// Enrols, and gives the ECS with its secret.
async fn enrolled(shop: &Shop, product: &str, ecs: &Ecs) -> Ecs {
    let verdict = ask(shop, product, ecs).await;
    assert_eq!(verdict["code"], "VALID", "{verdict}");
    let secret = verdict["enrolment_secret"].as_str().unwrap();
    ecs.with_secret(secret)
}

/// Asks what must be answered so, without a secret and without an event.
async fn known(shop: &Shop, product: &str, ecs: &Ecs, code: &str) -> Value {
    let before = shop.head(&ecs.uuid).await;
    let verdict = ask(shop, product, ecs).await;
    assert_eq!((&verdict["code"], &verdict["enrolment_secret"]), (&json!(code), &Value::Null), "{verdict}");
    assert_eq!(shop.head(&ecs.uuid).await, before);
    verdict
}

async fn enrolments(shop: &Shop, outcome: &str) -> f64 {
    shop.server.metric(&format!("chopmark_enrolments_total{{outcome=\"{outcome}\"}}")).await
}

#[tokio::test]
async fn an_ecs_is_enrolled_once_and_known_by_its_secret() {
    let shop = Shop::open().await;
    let ecs = Ecs::fresh();
    let first = enrolled(&shop, IMAGE, &ecs).await;
    let verdict = known(&shop, IMAGE, &first, "VALID").await;
    assert_eq!((&verdict["license"]["kind"], &verdict["license"]["id"]), (&json!("image"), &json!(ecs.uuid)));
    assert!(verdict["lease"].is_string());

    for elsewhere in [
        Ecs { project_id: Ecs::fresh().project_id, ..ecs.clone() },
        Ecs { region_id: "ap-southeast-3".into(), ..first.clone() },
    ] {
        let refused = known(&shop, IMAGE, &elsewhere, "DEPLOYMENT_CONFLICT").await;
        assert_eq!(refused["lease"], Value::Null);
    }
    known(&shop, IMAGE, &first, "VALID").await;

    let reinstalled = enrolled(&shop, IMAGE, &ecs).await;
    assert_ne!(reinstalled.secret, first.secret);
    known(&shop, IMAGE, &reinstalled, "VALID").await;
    let shop = shop.crash().await;
    known(&shop, IMAGE, &reinstalled, "VALID").await;
    let shown = shop.server.look_up(&format!("/v1/licenses/{}", ecs.uuid)).await;
    assert_eq!(shown["deployment"]["clone_suspected"], false, "{shown}");
    assert_eq!(shown["deployment"]["project_id"], ecs.project_id);
    assert!(!shown.to_string().contains(reinstalled.secret.as_ref().unwrap()));

    // By `license` it does not exist, and with it no machines.
    for question in [json!({"license": ecs.uuid}), json!({"license": ecs.uuid, "product": IMAGE, "seller": "acme"})] {
        assert_eq!(shop.server.ask(&question).await["code"], "NOT_FOUND");
    }
    assert_eq!(shop.checks().activate(&ecs.uuid, "m1", None).await.unwrap().status, 404);
}

#[tokio::test]
async fn an_enrolment_was_recorded_by_the_time_that_its_check_tells() {
    let shop = Shop::open().await;
    let ecs = Ecs::fresh();
    let answered = ask(&shop, IMAGE, &ecs).await;
    let at = answered["checked_at"].as_str().unwrap();
    let then = shop.server.look_up(&format!("/v1/licenses/{}?as_of={at}", ecs.uuid)).await;
    assert_eq!((&then["revision"], &then["verdict"]["code"]), (&json!(1), &json!("VALID")), "{then}");
}

#[tokio::test]
async fn a_check_that_enrolled_is_told_from_those_that_came_after_it() {
    let shop = Shop::open().await;
    let ecs = Ecs::fresh();
    let mut answers = vec![];
    for _ in 0..6 {
        answers.push(ask(&shop, STRICT_IMAGE, &ecs).await);
    }
    assert_eq!((&answers[0]["code"], &answers[5]["code"]), (&json!("VALID"), &json!("DEPLOYMENT_CONFLICT")));
    let question = json!({
        "deployment": { "uuid": ecs.uuid, "project_id": ecs.project_id, "region_id": ecs.region_id },
        "product": STRICT_IMAGE,
    });
    for answer in answers {
        let mut sent = answer.clone();
        sent["question"] = question.clone();
        let explained = shop.admin("POST", &format!("/v1/licenses/{}/explain", ecs.uuid), &sent.to_string()).await;
        let explained = json(&explained);
        for member in ["code", "license", "position", "checked_at"] {
            assert_eq!(explained[member], answer[member], "{member}: {explained:#}");
        }
    }
}

#[tokio::test]
async fn a_clone_is_reported_and_goes_on_where_the_product_bears_it() {
    let shop = Shop::open().await;
    let ecs = Ecs::fresh();
    let first = enrolled(&shop, IMAGE, &ecs).await;
    let second = enrolled(&shop, IMAGE, &ecs).await;
    let third = enrolled(&shop, IMAGE, &first).await;
    known(&shop, IMAGE, &third, "VALID").await;
    let shown = shop.server.look_up(&format!("/v1/licenses/{}", ecs.uuid)).await;
    assert_eq!(shown["deployment"]["clone_suspected"], true, "{shown}");
    assert_eq!(shown["deployment"]["clone_seen_at"], shown["deployment"]["enrolled_at"]);
    let suspected = shop.server.look_up("/v1/licenses?clone_suspected=true").await;
    assert_eq!(
        (suspected["licenses"].as_array().unwrap().len(), &suspected["licenses"][0]["id"]),
        (1, &json!(ecs.uuid))
    );
    assert!((shop.server.metric("chopmark_clones_suspected_total{seller=\"acme\"}").await - 1.0).abs() < 0.5);
    let fourth = enrolled(&shop, IMAGE, &second).await;
    known(&shop, IMAGE, &fourth, "VALID").await;

    let strict = Ecs::fresh();
    let first = enrolled(&shop, STRICT_IMAGE, &strict).await;
    let second = enrolled(&shop, STRICT_IMAGE, &strict).await;
    known(&shop, STRICT_IMAGE, &first, "DEPLOYMENT_CONFLICT").await;
    known(&shop, STRICT_IMAGE, &second, "VALID").await;
    // Two systems without a secret, as often as no installing comes.
    let third = enrolled(&shop, STRICT_IMAGE, &strict).await;
    known(&shop, STRICT_IMAGE, &strict, "DEPLOYMENT_CONFLICT").await;
    known(&shop, STRICT_IMAGE, &third, "VALID").await;
}

#[tokio::test]
async fn what_is_refused_is_counted_each_time_and_a_clone_told_of_once_a_minute() {
    let shop = Shop::open().await;
    let ecs = Ecs::fresh();
    let first = enrolled(&shop, STRICT_IMAGE, &ecs).await;
    enrolled(&shop, STRICT_IMAGE, &ecs).await;
    let elsewhere = Ecs { project_id: Ecs::fresh().project_id, ..ecs.clone() };
    known(&shop, STRICT_IMAGE, &elsewhere, "DEPLOYMENT_CONFLICT").await;
    for _ in 0..20 {
        known(&shop, STRICT_IMAGE, &first, "DEPLOYMENT_CONFLICT").await;
    }
    assert!((enrolments(&shop, "refused").await - 21.0).abs() < 0.5);
    assert!((shop.server.metric("chopmark_clones_suspected_total{seller=\"acme\"}").await - 20.0).abs() < 0.5);
    let Shop { server, home: _home, open_api: _open_api, .. } = shop;
    let logged = server.stop_and_read_log();
    let told: Vec<&str> = logged.lines().filter(|line| line.contains(&ecs.uuid)).collect();
    let [line] = told[..] else { panic!("one line: {logged}") };
    assert!(line.contains("a clone is suspected") && line.contains("acme") && line.contains("refused"), "{line}");
}

#[tokio::test]
async fn above_the_bounds_it_is_answered_and_counted_and_not_recorded() {
    let shop = Shop::with("[limits]\nenrolments_a_day = 2\nenrolments_per_address = 4").await;
    let ecs = Ecs::fresh();
    enrolled(&shop, IMAGE, &ecs).await;
    let second = enrolled(&shop, IMAGE, &ecs).await;
    assert!(known(&shop, IMAGE, &ecs, "VALID").await["lease"].is_string(), "a customer is not punished for it");
    known(&shop, IMAGE, &second, "VALID").await;
    enrolled(&shop, IMAGE, &Ecs::fresh()).await;
    enrolled(&shop, IMAGE, &Ecs::fresh()).await;
    let before = shop.head(&ecs.uuid).await;
    for _ in 0..20 {
        let another = Ecs::fresh();
        let verdict = ask(&shop, IMAGE, &another).await;
        assert_eq!((&verdict["code"], &verdict["enrolment_secret"]), (&json!("VALID"), &Value::Null));
        assert_eq!(shop.admin("GET", &format!("/v1/licenses/{}", another.uuid), "").await.status, 404);
    }
    assert_eq!(shop.head(&ecs.uuid).await, before);
    let counted = [("first", 3.0), ("anew", 1.0), ("bounded", 21.0)];
    for (outcome, wanted) in counted {
        assert!((enrolments(&shop, outcome).await - wanted).abs() < 0.5, "{outcome}");
    }
}

#[tokio::test]
async fn a_start_of_many_processes_at_once_is_bounded_and_every_one_of_them_runs() {
    let shop = Shop::open().await;
    let ecs = Ecs::fresh();
    let mut processes = JoinSet::new();
    for _ in 0..30 {
        let (mut checks, question) = (shop.checks(), Question::deployment(IMAGE, &ecs));
        processes.spawn(async move { checks.question(&question).await.unwrap() });
    }
    let verdicts = processes.join_all().await;
    assert!(verdicts.iter().all(|verdict| verdict["code"] == "VALID" && verdict["lease"].is_string()));
    let secrets: Vec<&str> = verdicts.iter().filter_map(|verdict| verdict["enrolment_secret"].as_str()).collect();
    let history = shop.server.look_up(&format!("/v1/licenses/{}/history", ecs.uuid)).await;
    assert_eq!(history["events"].as_array().unwrap().len(), secrets.len());
    assert!((1..=10).contains(&secrets.len()), "{}", secrets.len());
}

#[tokio::test]
async fn an_operator_stops_a_deployment_and_lets_it_go_on() {
    let shop = Shop::open().await;
    let ecs = enrolled(&shop, IMAGE, &Ecs::fresh()).await;
    let path = format!("/v1/licenses/{}/block", ecs.uuid);
    let blocked = shop.admin("PUT", &path, r#"{"reason":"chargeback, ticket 4711"}"#).await;
    let shown = json(&blocked);
    assert_eq!((blocked.status, &shown["block"]["reason"]), (200, &json!("chargeback, ticket 4711")));
    let verdict = known(&shop, IMAGE, &ecs, "BLOCKED").await;
    assert_eq!(verdict["lease"], Value::Null);
    // Whoever forgets the secret gets round nothing by it.
    known(&shop, IMAGE, &Ecs { secret: None, ..ecs.clone() }, "BLOCKED").await;
    assert_eq!(shop.admin("DELETE", &path, "").await.status, 200);
    known(&shop, IMAGE, &ecs, "VALID").await;
}

#[tokio::test]
async fn only_image_products_of_the_seller_meant_have_deployments() {
    let shop = Shop::open().await;
    let ecs = Ecs::fresh();
    let anchor = enrolled(&shop, IMAGE, &Ecs::fresh()).await;
    let before = shop.head(&anchor.uuid).await;
    // The simulator's questions name seller `acme`.
    for product in [SAAS, OTHERS_IMAGE, "nobody-s"] {
        assert_eq!(ask(&shop, product, &ecs).await["code"], "NOT_FOUND", "{product}");
    }
    let body = |deployment: Value| json!({"deployment": deployment, "product": IMAGE});
    let whole = json!({"uuid": ecs.uuid, "project_id": ecs.project_id, "region_id": ecs.region_id});
    let with = |name: &str, value: Value| {
        let mut deployment = whole.clone();
        deployment[name] = value;
        deployment
    };
    for malformed in [
        body(json!("an ecs")),
        body(json!({})),
        body(with("uuid", json!("../x"))),
        body(with("uuid", Value::Null)),
        body(with("project_id", json!(7))),
        body(with("region_id", json!(""))),
        body(with("image_id", json!("a b"))),
        body(with("charging_mode", json!("x".repeat(17)))),
        body(with("secret", json!("x".repeat(129)))),
        json!({"deployment": whole}),
        json!({"deployment": whole, "license": ecs.uuid, "product": IMAGE}),
    ] {
        let response = post(&shop.server.api, "/v1/checks", &[], malformed.to_string().as_bytes()).await;
        assert_eq!(response.status, 400, "{malformed}");
        assert!(json(&response)["type"].as_str().unwrap().ends_with("/malformed-request"));
    }
    assert_eq!(shop.head(&anchor.uuid).await, before, "nothing of this is on record");
}
