//! Why and when: a license as it was, its history, and a verdict explained.

use actix_web::test::TestRequest;
use chopmark_domain::cause::{Cause, RequestSignature, SignedForm, SignedRequest};
use chopmark_domain::license::Command;
use chopmark_domain::order;
use serde_json::{Value, json};

use crate::house::{House, code, facts, order, seller, time};

const END: &str = "2027-10-27T10:30:15Z";

/// The moment at which an event was recorded, by the log's own clock.
async fn recorded_at(house: &House, path: &str, revision: usize) -> String {
    let history = house.get("admin-token", &format!("{path}/history")).await.json;
    history["events"][revision]["recorded_at"].as_str().unwrap().to_owned()
}

fn callback() -> Cause {
    Cause::Callback(Box::new(SignedRequest {
        body: "{\"activity\":\"updateInstanceStatus\"}".into(),
        signature: RequestSignature([7; 32]),
        timestamp: "1764000000".into(),
        nonce: "n0nce".into(),
        key_id: "base:1".into(),
        signed_form: SignedForm::Raw,
        received_at: time("2026-11-24T12:00:00Z"),
        redacted_from_sha256: None,
    }))
}

#[actix_web::test]
async fn a_license_is_shown_as_it_was() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", END).await;
    house.run(&key, Command::Freeze).await;
    house.run(&key, Command::Block("ticket".into())).await;
    let path = format!("/v1/licenses/{}", key.id);
    let as_of = async |when: &str| house.get("acme-token", &format!("{path}?as_of={when}")).await;
    for (revision, facts, status, blocked) in [
        (0, "pending", "active", false),
        (1, "known", "active", false),
        (2, "known", "frozen", false),
        (3, "known", "frozen", true),
    ] {
        let when = recorded_at(&house, &path, revision).await;
        let shown = as_of(&when).await.json;
        assert_eq!(shown["revision"], revision + 1, "{shown}");
        assert_eq!((&shown["facts"], &shown["status"]), (&json!(facts), &json!(status)), "{shown}");
        assert_eq!(shown["blocked"], blocked);
        assert_eq!(shown["as_of"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap(), time(&when));
        assert!(shown["orders"][0]["facts"] == facts);
    }
    let now = house.get("acme-token", &path).await.json;
    assert!(now.get("as_of").is_none());
    assert_eq!(now["block"]["reason"], "ticket");
    let reply = as_of("2020-01-01T00:00:00%2B08:00").await;
    assert_eq!(reply.problem(404).0, "no-such-license", "before its first event there was none");
    assert_eq!(as_of("yesterday").await.problem(400).0, "malformed-request");
}

#[actix_web::test]
async fn the_history_tells_what_is_behind_every_event() {
    let house = House::new().await;
    let key = house.buy("acme", "CS1").await;
    let known = facts("CS1", "saas", 20, END);
    let answer = Cause::OpenApi { api: "order/query".into(), answer: Some("{\"orderId\":\"CS1\"}".into()) };
    let recorded = order::Command::RecordFacts(vec![known.clone()]);
    house.commands.order(&seller("acme"), &order("CS1").order_id, recorded, &answer).await.unwrap();
    let apply = Command::ApplyOrderFacts { order: order("CS1"), facts: known };
    let open_api = Cause::OpenApi { api: "order/query".into(), answer: None };
    house.commands.license(&key, apply, &open_api).await.unwrap();
    house.commands.license(&key, Command::Freeze, &callback()).await.unwrap();
    house.commands.license(&key, Command::Block("why".into()), &Cause::Operator { actor: "cli".into() }).await.unwrap();
    house.project().await;

    let path = format!("/v1/licenses/{}/history", key.id);
    let reply = house.get("acme-token", &path).await;
    assert_eq!(reply.header("chopmark-position"), reply.json["position"].as_str());
    let events = reply.json["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["instance_created.v1", "license_order_facts_applied.v1", "license_frozen.v1", "license_blocked.v1"]
    );
    assert_eq!(events.iter().map(|event| event["revision"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(events[0]["data"]["order"]["order_id"], "CS1");
    assert_eq!(events[0]["cause"], json!({ "source": "system" }));
    assert_eq!(events[1]["cause"]["source"], "open_api");
    assert_eq!(events[1]["cause"]["answer"], "{\"orderId\":\"CS1\"}", "it stands with the order's event");
    assert!(events[1]["cause"]["answered_at"].is_string());
    assert_eq!(
        events[2]["cause"],
        json!({
            "source": "callback", "body": "{\"activity\":\"updateInstanceStatus\"}", "signature": "07".repeat(32),
            "timestamp": "1764000000", "nonce": "n0nce", "key_id": "base:1", "signed_form": "raw",
            "received_at": "2026-11-24T12:00:00Z",
        })
    );
    assert_eq!(events[3]["cause"], json!({ "source": "operator", "actor": "cli" }));

    let mut paged = vec![];
    let mut next = Some(format!("{path}?limit=3"));
    while let Some(uri) = next {
        let page = house.get("acme-token", &uri).await.json;
        paged.extend(page["events"].as_array().unwrap().clone());
        next = page.get("next_cursor").map(|cursor| format!("{path}?limit=3&cursor={}", cursor.as_str().unwrap()));
    }
    assert_eq!(paged, *events);
    for uri in ["?limit=0", "?limit=1001", "?cursor=x", "?sellers=acme"] {
        assert_eq!(house.get("acme-token", &format!("{path}{uri}")).await.problem(400).0, "malformed-request");
    }
}

#[actix_web::test]
async fn an_answer_of_a_check_is_explained_by_what_it_carried() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "seated", END).await;
    let uri = format!("/v1/licenses/{}/explain", key.id);
    let question = json!({ "license": key.id.as_str(), "product": "seated", "machine": { "fingerprint": "m1" } });
    let explain = async |body: Value| {
        let request = TestRequest::post().uri(&uri).set_payload(body.to_string());
        house.act("acme-token", request).await
    };
    let answered = house.check(question.clone()).await;
    assert_eq!(answered["code"], "MACHINE_NOT_ACTIVATED");
    house.run(&key, Command::Freeze).await;
    house.set_clock("2026-12-24T12:00:00Z");

    let mut asked = question.clone();
    (asked["position"], asked["checked_at"]) = (answered["position"].clone(), answered["checked_at"].clone());
    let explained = explain(asked).await.json;
    for member in ["valid", "code", "reason", "license", "position", "checked_at"] {
        assert_eq!(explained[member], answered[member], "{member}");
    }
    let looked_at = explained["because"]["looked_at"].as_array().unwrap();
    let codes: Vec<_> = looked_at.iter().map(|step| step["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "NOT_FOUND",
            "RELEASED",
            "BLOCKED",
            "FROZEN",
            "PENDING",
            "WRONG_PRODUCT",
            "EXPIRED",
            "DEPLOYMENT_CONFLICT",
            "MACHINE_REQUIRED",
            "MACHINE_NOT_ACTIVATED",
        ]
    );
    assert_eq!(looked_at.iter().filter(|step| step["applies"] == true).count(), 1);
    assert_eq!(looked_at[9]["says"], "the machine m1 has no seat");
    assert_eq!(explained["because"]["events"][0]["kind"], "license_order_facts_applied.v1");

    let mut handed_back = answered.clone();
    handed_back["machine"] = question["machine"].clone();
    assert_eq!(explain(handed_back).await.json["code"], "MACHINE_NOT_ACTIVATED", "the answer itself tells when it was");
    let by_another_name = json!({ "machine": question["machine"], "time": answered["checked_at"] });
    assert_eq!(explain(by_another_name).await.json["checked_at"], answered["checked_at"]);
    assert_eq!(explain(json!({ "zz": 1 })).await.problem(400).0, "malformed-request");

    let now = explain(question).await.json;
    assert_eq!(now["code"], "FROZEN");
    let deciding = now["because"]["events"].as_array().unwrap();
    assert_eq!(deciding.len(), 1, "{now}");
    assert_eq!((&deciding[0]["kind"], &deciding[0]["revision"]), (&json!("license_frozen.v1"), &json!(2)));
    assert_eq!(now["checked_at"], "2026-12-24T12:00:00.000Z");

    let at_position = explain(json!({ "position": answered["position"] })).await.json;
    assert_eq!(at_position["code"], "MACHINE_REQUIRED", "of the product alone, at the time of its last event");
    let before = explain(json!({ "as_of": "2020-01-01T00:00:00Z" })).await.json;
    assert_eq!((&before["code"], &before["position"]), (&json!("NOT_FOUND"), &json!("0")));
    assert!(before.get("license").is_none());
    assert_eq!(explain(json!({ "position": "999999" })).await.problem(400).0, "malformed-request");
    assert_eq!(explain(json!({ "license": "another" })).await.problem(400).0, "malformed-request");
}

#[actix_web::test]
async fn an_id_of_several_sellers_is_explained_for_the_one_that_is_meant() {
    let house = House::new().await;
    for whose in ["acme", "beta"] {
        house.run(&code(whose, "PL0001"), Command::Freeze).await;
    }
    let explain = async |token: &str, more: &str, question: Value| {
        let uri = format!("/v1/licenses/PL0001/explain{more}");
        house.act(token, TestRequest::post().uri(&uri).set_payload(question.to_string())).await
    };
    for (token, more) in [("acme-token", ""), ("acme-token", "?seller=acme"), ("admin-token", "?seller=beta")] {
        assert_eq!(explain(token, more, json!({})).await.json["code"], "FROZEN", "{token}{more}");
    }
    assert_eq!(explain("admin-token", "", json!({ "seller": "beta" })).await.json["code"], "FROZEN");
    assert_eq!(explain("admin-token", "", json!({})).await.problem(409).0, "license-ambiguous");
    let other = explain("admin-token", "?seller=acme", json!({ "seller": "beta" })).await.json;
    assert_eq!(other["code"], "NOT_FOUND", "the question names another seller: {other}");
}

#[actix_web::test]
async fn a_stranger_learns_nothing_from_looking_back() {
    let house = House::new().await;
    let theirs = house.buy("beta", "CS1").await;
    for (rest, seller) in [("", ""), ("/history", ""), ("", "?seller=beta"), ("/history", "?seller=beta")] {
        let get = async |id: &str| house.get("acme-token", &format!("/v1/licenses/{id}{rest}{seller}")).await;
        let (foreign, missing) = (get(theirs.id.as_str()).await, get("no-such-id").await);
        assert_eq!(foreign.problem(404).0, "no-such-license");
        assert_eq!(foreign.json, missing.json);
    }
    let explain = async |id: &str| {
        let request = TestRequest::post().uri(&format!("/v1/licenses/{id}/explain")).set_payload("{}");
        house.act("acme-token", request).await
    };
    let (foreign, missing) = (explain(theirs.id.as_str()).await, explain("no-such-id").await);
    assert_eq!((foreign.problem(404), foreign.json), (missing.problem(404), missing.json));
}
