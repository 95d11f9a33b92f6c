//! What the token routes say of licenses.

use std::collections::BTreeSet;

use chopmark_domain::access::Role;
use chopmark_domain::cause::Cause;
use chopmark_domain::license::{Command, Refreshed, Scene, Upgraded};
use serde_json::{Value, json};

use crate::house::{House, code, facts, order, time};

fn ids(page: &Value) -> Vec<String> {
    let licenses = page["licenses"].as_array().unwrap();
    licenses.iter().map(|license| license["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn one_license_is_shown_with_its_verdict_and_its_orders() {
    let house = House::new().await;
    let key = house.buy_known("CS1", "saas", "2026-10-27T10:30:15Z").await;
    let refreshed = Refreshed {
        scene: Scene::Renewal,
        order: order("CS2"),
        expires_at: time("2027-10-27T10:30:15Z"),
        product_id: None,
    };
    house.run(&key, Command::Refresh(refreshed)).await;
    house.run(&key, Command::Upgrade(Upgraded { order: order("CS3") })).await;
    let reply = house.get("acme-token", &format!("/v1/licenses/{}", key.id)).await;
    assert_eq!(reply.status.as_u16(), 200);
    assert_eq!(reply.header("chopmark-position"), reply.json["position"].as_str());
    assert_eq!(
        reply.json,
        json!({
            "id": key.id.as_str(),
            "kind": "saas",
            "product": "saas",
            "status": "active",
            "expires_at": "2027-10-27T10:30:15Z",
            "expiry_approximate": false,
            "facts": "known",
            "quantity": 20,
            "entitlements": { "reports": true, "users": 20 },
            "revision": 4,
            "seller": "acme",
            "product_name": "Example",
            "blocked": false,
            "verdict": { "valid": true, "code": "VALID", "reason": "active until 2027-10-27T10:30:15Z" },
            "orders": [
                {
                    "order_id": "CS1", "order_line_id": "CS1-000001", "role": "purchase", "facts": "known",
                    "order_type": "NEW", "charging_mode": "PERIOD", "product": "saas", "product_id": "P-1",
                    "quantity": 20, "expires_at": "2026-10-27T10:30:15Z", "ordered_at": "2026-10-27T10:30:15Z",
                },
                {
                    "order_id": "CS2", "order_line_id": "CS2-000001", "role": "refresh", "scene": "RENEWAL",
                    "facts": "pending",
                },
                { "order_id": "CS3", "order_line_id": "CS3-000001", "role": "upgrade", "facts": "pending" },
            ],
            "position": house.index.progress().position().to_string(),
        })
    );
}

#[actix_web::test]
async fn a_license_of_a_seller_that_the_token_does_not_cover_does_not_exist() {
    let house = House::new().await;
    let (mine, theirs) = (house.buy("acme", "CS1").await, house.buy("beta", "CS2").await);
    let status = async |token: &str, uri: String| house.get(token, &uri).await.status.as_u16();
    assert_eq!(status("acme-token", format!("/v1/licenses/{}", mine.id)).await, 200);
    for uri in [
        format!("/v1/licenses/{}", theirs.id),
        format!("/v1/licenses/{}?seller=beta", theirs.id),
        format!("/v1/licenses/{}?seller=beta", mine.id),
        "/v1/licenses/unknown".into(),
        "/v1/licenses/a%2Cb".into(),
    ] {
        let (name, _) = house.get("acme-token", &uri).await.problem(404);
        assert_eq!(name, "no-such-license", "{uri}");
    }
    assert_eq!(status("admin-token", format!("/v1/licenses/{}", theirs.id)).await, 200);
    assert_eq!(status("admin-token", format!("/v1/licenses/{}?seller=beta", theirs.id)).await, 200);
    assert_eq!(status("admin-token", format!("/v1/licenses/{}?seller=acme", theirs.id)).await, 404);
}

#[actix_web::test]
async fn an_id_of_several_sellers_asks_which_unless_the_token_says() {
    let house = House::new().await;
    house.token("both-token", Role::Support, &["acme", "beta"]).await;
    for whose in ["acme", "beta"] {
        house.run(&code(whose, "PL/0001"), Command::Freeze).await;
    }
    for token in ["admin-token", "both-token"] {
        let (name, detail) = house.get(token, "/v1/licenses/PL%2F0001").await.problem(409);
        assert_eq!(name, "license-ambiguous");
        assert!(detail.contains("`seller`"));
        let reply = house.get(token, "/v1/licenses/PL%2F0001?seller=beta").await;
        assert_eq!(reply.json["seller"], "beta");
    }
    let reply = house.get("acme-token", "/v1/licenses/PL%2F0001").await;
    assert_eq!(reply.json["seller"], "acme");
}

#[actix_web::test]
async fn a_list_shows_the_sellers_of_the_token_and_no_others() {
    let house = House::new().await;
    let (mine, theirs) = (house.buy("acme", "CS1").await, house.buy("beta", "CS2").await);
    let list = async |token: &str, uri: &str| house.get(token, uri).await;
    let all: BTreeSet<String> = [mine.id.to_string(), theirs.id.to_string()].into();
    let seen = ids(&list("admin-token", "/v1/licenses").await.json);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all);
    assert_eq!(ids(&list("acme-token", "/v1/licenses").await.json), [mine.id.as_str()]);
    assert_eq!(ids(&list("admin-token", "/v1/licenses?seller=beta").await.json), [theirs.id.as_str()]);
    for seller in ["beta", "nobody"] {
        let uri = format!("/v1/licenses?seller={seller}");
        assert_eq!(list("acme-token", &uri).await.problem(403).0, "forbidden", "{seller}");
    }
}

#[actix_web::test]
async fn a_list_can_be_narrowed() {
    let house = House::new().await;
    let good = "2027-10-27T10:30:15Z";
    let active = house.buy_known("CS1", "saas", good).await;
    let frozen = house.buy_known("CS2", "saas", good).await;
    house.run(&frozen, Command::Freeze).await;
    let seated = house.buy_known("CS3", "seated", good).await;
    let pending = house.buy("acme", "CS4").await;
    let list = async |params: &str| {
        let reply = house.get("admin-token", &format!("/v1/licenses?{params}")).await;
        ids(&reply.json).into_iter().collect::<BTreeSet<_>>()
    };
    let set = |keys: &[&chopmark_domain::stream::LicenseKey]| {
        keys.iter().map(|key| key.id.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(list("status=frozen").await, set(&[&frozen]));
    assert_eq!(list("status=active").await, set(&[&active, &seated, &pending]));
    assert_eq!(list("status=released").await, set(&[]));
    assert_eq!(list("status=pending").await, set(&[]), "a license begins with its purchase");
    assert_eq!(list("product=saas").await, set(&[&active, &frozen]));
    assert_eq!(list("product=saas&status=active").await, set(&[&active]));
    assert_eq!(list(&format!("id={}", seated.id)).await, set(&[&seated]));
    assert_eq!(list("id=no-such-beginning").await, set(&[]));

    let reply = house.get("admin-token", &format!("/v1/licenses?id={}", pending.id)).await;
    assert_eq!(
        reply.json["licenses"][0],
        json!({
            "id": pending.id.as_str(), "status": "active", "facts": "pending", "revision": 1, "seller": "acme",
            "blocked": false,
            "verdict": { "valid": true, "code": "VALID", "reason": "active" },
        })
    );
}

#[actix_web::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let house = House::new().await;
    for number in 0..250 {
        house.buy(if number % 5 == 0 { "beta" } else { "acme" }, &format!("CS{number}")).await;
    }
    for (token, total) in [("admin-token", 250), ("acme-token", 200)] {
        for limit in [30, 100, 250, 1000] {
            let mut seen = vec![];
            let mut uri = format!("/v1/licenses?limit={limit}");
            loop {
                let reply = house.get(token, &uri).await;
                let page = ids(&reply.json);
                assert!(page.len() <= limit);
                seen.extend(page);
                let Some(cursor) = reply.json.get("next_cursor") else { break };
                uri = format!("/v1/licenses?limit={limit}&cursor={}", cursor.as_str().unwrap());
                assert!(seen.len() < total, "no cursor after the last license");
            }
            assert_eq!(seen.len(), total, "{token} {limit}");
            assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), total, "{token} {limit}");
        }
    }
}

#[actix_web::test]
async fn requests_to_the_token_routes_are_counted() {
    let house = House::new().await;
    house.get("admin-token", "/v1/licenses").await;
    house.get("no-such-token", "/v1/licenses").await;
    house.get("admin-token", "/v1/licenses/unknown").await;
    let text = prometheus::TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    for line in [
        "chopmark_api_requests_total{route=\"licenses\",status=\"200\"} 1",
        "chopmark_api_requests_total{route=\"licenses\",status=\"401\"} 1",
        "chopmark_api_requests_total{route=\"license\",status=\"404\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[actix_web::test]
async fn a_license_and_its_orders_are_of_one_time_though_the_index_comes_late() {
    let house = House::new().await;
    let key = house.buy("acme", "CS1").await;
    let known = facts("CS1", "saas", 20, "2027-10-27T10:30:15Z");
    let command = Command::ApplyOrderFacts { order: order("CS1"), facts: known };
    house.commands.license(&key, command, &Cause::System).await.unwrap();
    let path = format!("/v1/licenses/{}", key.id);
    let (reply, ()) = tokio::join!(house.get("acme-token", &path), house.project());
    assert_eq!(reply.json["orders"][0]["facts"], "known", "{}", reply.json);
    assert_eq!((&reply.json["facts"], &reply.json["revision"]), (&json!("known"), &json!(2)));
    assert_eq!(reply.json["position"], house.commands.log().head().await.unwrap().to_string());
}
