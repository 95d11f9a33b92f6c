//! What the token routes say of deliveries.

use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};
use chopmark_domain::ids::{EventId, LicenseCode};
use chopmark_domain::license::{Application, Errand};
use chopmark_domain::stream::LicenseId;
use chopmark_journal::Delivery;
use serde_json::{Value, json};

use crate::house::{House, order, seller, time};

fn delivery(seller: &str, order: &str, result_code: &str) -> Delivery {
    Delivery {
        at: time("2026-11-24T11:00:00Z"),
        seller: seller.into(),
        activity: Some("newInstance".into()),
        test: false,
        authenticated: true,
        subject: None,
        order: Some(order.into()),
        order_line: Some(format!("{order}-1")),
        result_code: result_code.into(),
        reason: None,
        millis: 1.5,
        remote: None,
        body: "{\"activity\":\"newInstance\"}".into(),
        answer: "{}".into(),
    }
}

fn orders(json: &Value, list: &str) -> Vec<String> {
    let entries = json[list].as_array().unwrap();
    entries.iter().map(|entry| entry["order"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn deliveries_are_shown_newest_first_and_unknown_values_are_absent() {
    let house = House::new().await;
    house.journal.record(delivery("acme", "CS1", "000000"));
    house.journal.record(delivery("acme", "CS2", "000000"));
    let reply = house.get("acme-token", "/v1/deliveries").await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.json);
    assert_eq!(reply.header("chopmark-position"), reply.json["position"].as_str());
    assert_eq!(orders(&reply.json, "deliveries"), ["CS2", "CS1"]);
    let mut first = reply.json["deliveries"][0].clone();
    assert!(first.as_object_mut().unwrap().remove("id").unwrap().is_string());
    assert_eq!(
        first,
        json!({
            "at": "2026-11-24T11:00:00Z", "seller": "acme", "activity": "newInstance", "test": false,
            "authenticated": true, "order": "CS2", "order_line": "CS2-1", "result": "000000", "millis": 1.5,
            "body": "{\"activity\":\"newInstance\"}", "answer": "{}",
        })
    );
    assert_eq!(reply.json["counters"], json!({ "dropped": 0 }));
    assert_eq!(reply.json["at_risk"], json!([]));
}

#[actix_web::test]
async fn deliveries_can_be_narrowed() {
    let house = House::new().await;
    house.journal.record(delivery("acme", "CS1", "000000"));
    house.journal.record(delivery("beta", "CS2", "000005"));
    house.journal.record(Delivery { test: true, ..delivery("acme", "CS3", "000000") });
    house.journal.record(Delivery { authenticated: false, activity: None, ..delivery("acme", "CS4", "000001") });
    let list = async |params: &str| {
        let reply = house.get("admin-token", &format!("/v1/deliveries?{params}")).await;
        orders(&reply.json, "deliveries")
    };
    assert_eq!(list("").await, ["CS4", "CS3", "CS2", "CS1"]);
    assert_eq!(list("seller=beta").await, ["CS2"]);
    assert_eq!(list("result=000005").await, ["CS2"]);
    assert_eq!(list("activity=newInstance").await, ["CS3", "CS2", "CS1"]);
    assert_eq!(list("order=CS1").await, ["CS1"]);
    assert_eq!(list("subject=no-such-instance").await, [""; 0]);
    assert_eq!(list("test=true").await, ["CS3"]);
    assert_eq!(list("authenticated=false").await, ["CS4"]);
    assert_eq!(list("test=false&authenticated=true&seller=acme").await, ["CS1"]);
}

#[actix_web::test]
async fn a_token_sees_the_deliveries_and_risks_of_its_sellers_only() {
    let house = House::new().await;
    for whose in ["acme", "beta"] {
        house.journal.record(delivery(whose, &format!("CS-{whose}"), "000005"));
        house.at_risk.lock().unwrap().push(OrderAtRisk {
            seller: seller(whose),
            order_id: order(&format!("CS-open-{whose}")).order_id,
            since: time("2026-11-24T10:00:00Z"),
            attempts: 3,
            reason: Some("no answer".into()),
            abandoned: false,
        });
    }
    let mine = house.get("acme-token", "/v1/deliveries").await.json;
    assert_eq!(orders(&mine, "deliveries"), ["CS-acme"]);
    assert_eq!(
        mine["at_risk"],
        json!([
            {
                "source": "delivery", "seller": "acme", "activity": "newInstance", "order": "CS-acme",
                "order_line": "CS-acme-1",
                "result": "000005", "since": "2026-11-24T11:00:00Z", "latest": "2026-11-24T11:00:00Z", "attempts": 1,
            },
            {
                "source": "order_facts", "seller": "acme", "order": "CS-open-acme", "since": "2026-11-24T10:00:00Z",
                "attempts": 3, "reason": "no answer", "abandoned": false,
            },
        ])
    );
    let all = house.get("admin-token", "/v1/deliveries").await.json;
    assert_eq!(orders(&all, "at_risk").len(), 4);
    let theirs = house.get("admin-token", "/v1/deliveries?seller=beta").await.json;
    assert_eq!(orders(&theirs, "at_risk"), ["CS-beta", "CS-open-beta"]);
    assert_eq!(house.get("acme-token", "/v1/deliveries?seller=beta").await.problem(403).0, "forbidden");
}

#[actix_web::test]
async fn errands_that_are_not_done_are_listed_too_since_the_alert_counts_them() {
    let house = House::new().await;
    let upload = Application { event_id: EventId::parse("E1").unwrap(), fingerprint: Some("M1|D1".into()) };
    for (whose, errand, abandoned) in
        [("acme", Errand::Activate, true), ("acme", Errand::Upload(upload), false), ("beta", Errand::Activate, false)]
    {
        house.errands.lock().unwrap().push(ErrandAtRisk {
            seller: seller(whose),
            license: LicenseId::Code(LicenseCode::parse("PL1").unwrap()),
            errand,
            since: time("2026-11-24T10:00:00Z"),
            attempts: 12,
            reason: Some("no answer".into()),
            abandoned,
        });
    }
    let mine = house.get("acme-token", "/v1/deliveries").await.json;
    assert_eq!(
        mine["at_risk"],
        json!([
            {
                "source": "activation", "seller": "acme", "license": "PL1", "since": "2026-11-24T10:00:00Z",
                "attempts": 12, "reason": "no answer", "abandoned": true,
            },
            {
                "source": "upload", "seller": "acme", "license": "PL1", "application": "E1",
                "since": "2026-11-24T10:00:00Z", "attempts": 12, "reason": "no answer", "abandoned": false,
            },
        ])
    );
    assert_eq!(house.get("admin-token", "/v1/deliveries").await.json["at_risk"].as_array().unwrap().len(), 3);
}

#[actix_web::test]
async fn pages_of_deliveries_follow_each_other() {
    let house = House::new().await;
    let expected: Vec<String> = (0..25).map(|number| format!("CS{number}")).collect();
    expected.iter().for_each(|order| house.journal.record(delivery("acme", order, "000000")));
    let mut seen = vec![];
    let mut uri = "/v1/deliveries?limit=10".to_owned();
    let pages = loop {
        let page = house.get("acme-token", &uri).await.json;
        seen.extend(orders(&page, "deliveries"));
        let Some(cursor) = page.get("next_cursor") else { break seen.len().div_ceil(10) };
        uri = format!("/v1/deliveries?limit=10&cursor={}", cursor.as_str().unwrap());
    };
    seen.reverse();
    assert_eq!((pages, seen), (3, expected));
}
