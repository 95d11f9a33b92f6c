//! Limits: guessing is slow, and who has a license does not notice. Tokens: each reaches as far as it says.

use chopmark_simulator::http::Response;
use serde_json::json;

use crate::shop::{SAAS, Shop, bear, json, wait};
use crate::support::{Home, Server, config, post};

/// A check that fails, from an address as a proxy would name it.
async fn guess(server: &Server, from: Option<&str>) -> Response {
    let body = json!({"license": "10e758d0-31ad-4c4b-8f1b-81d03469a10e"}).to_string();
    let headers: Vec<(&str, &str)> = from.map(|from| ("X-Forwarded-For", from)).into_iter().collect();
    post(&server.api, "/v1/checks", &headers, body.as_bytes()).await
}

/// Guesses until that is refused, and gives how many were answered.
async fn exhaust(server: &Server, from: Option<&str>) -> usize {
    for answered in 0..500 {
        let response = guess(server, from).await;
        if response.status == 429 {
            return answered;
        }
        assert_eq!(response.status, 200);
    }
    panic!("guesses are never refused");
}

#[tokio::test]
async fn failing_checks_are_bounded_and_good_ones_are_not() {
    let shop = Shop::open().await;
    let license = shop.bought(SAAS, 1).await;
    let first = guess(&shop.server, None).await;
    assert_eq!(json(&first)["code"], "NOT_FOUND");
    assert!(first.header("ratelimit").unwrap().contains("r=59"), "{:?}", first.header("ratelimit"));
    assert!(first.header("ratelimit-policy").unwrap().contains("q=60"), "{:?}", first.header("ratelimit-policy"));
    // One a second comes back meanwhile.
    let answered = exhaust(&shop.server, None).await;
    assert!((59..=150).contains(&answered), "{answered}");
    let refused = guess(&shop.server, None).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 60);
    assert!(refused.header("ratelimit").unwrap().contains("r=0"));
    assert!(json(&refused)["type"].as_str().unwrap().ends_with("/too-many-requests"));
    let malformed = post(&shop.server.api, "/v1/checks", &[], b"{").await;
    assert_eq!(malformed.status, 429, "what is malformed counts as well");
    for _ in 0..100 {
        assert_eq!(shop.server.check(&license).await["code"], "VALID");
    }
    shop.set(&license, chopmark_huawei::callback::FreezeStatus::Freeze).await;
    assert_eq!(
        shop.server.check(&license).await["code"],
        "FROZEN",
        "who names a license that is there, guesses nothing"
    );
}

#[tokio::test]
async fn one_license_has_its_burst_and_takes_nothing_from_another() {
    let shop = Shop::with("[limits]\nlicense_burst = 10").await;
    let (busy, other) = (shop.server.buy().await, shop.server.buy().await);
    let body = json!({"license": busy}).to_string();
    let mut answered = 0;
    let refused = loop {
        let response = post(&shop.server.api, "/v1/checks", &[], body.as_bytes()).await;
        if response.status == 429 {
            break response;
        }
        answered += 1;
        assert!(answered < 100, "never refused");
    };
    assert!(answered >= 10, "{answered}");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(shop.server.check(&other).await["code"], "VALID");
}

#[tokio::test]
async fn a_forwarded_address_is_believed_from_a_trusted_proxy_only() {
    let few = "[limits]\nfailures_per_minute = 5\n";
    let [alice, bob] = ["198.51.100.1", "198.51.100.2"];
    let home = Home::new(&format!("{few}{}", config("")));
    let server = home.serve().await;
    exhaust(&server, Some(alice)).await;
    assert_eq!(guess(&server, Some(bob)).await.status, 429, "nobody gets round the limit by a header");
    server.stop();

    let trusting = config("").replace("[listen]", "[listen]\ntrusted_proxies = [\"127.0.0.0/8\"]");
    let home = Home::new(&format!("{few}{trusting}"));
    let server = home.serve().await;
    exhaust(&server, Some(alice)).await;
    assert_eq!(guess(&server, Some(bob)).await.status, 200);
    // What stands to the left of the proxy's own word is the client's.
    assert_eq!(guess(&server, Some(&format!("{bob}, {alice}"))).await.status, 429);
}

#[tokio::test]
async fn a_token_does_what_its_role_sellers_and_time_say() {
    let shop = Shop::open().await;
    let license = shop.bought(SAAS, 1).await;
    let support = shop.token(&json!({"id": "helpdesk", "role": "support", "sellers": ["acme"]})).await;
    let finance = shop.token(&json!({"id": "books", "role": "finance"})).await;
    let seller_admin = shop.token(&json!({"id": "acme-admin", "role": "admin", "sellers": ["acme"]})).await;
    let status = async |token: &str, method: &str, target: &str, body: &str| {
        bear(&shop.server, token, method, target, body).await.status
    };
    let license = format!("/v1/licenses/{license}");
    let block = format!("{license}/block");
    let wanted = |id: &str, sellers: &[&str]| json!({"id": id, "role": "support", "sellers": sellers}).to_string();
    for token in [&support, &finance, &seller_admin] {
        assert_eq!(status(token, "GET", &license, "").await, 200);
    }
    assert_eq!(status(&support, "PUT", &block, r#"{"reason":"abuse"}"#).await, 200);
    assert_eq!(status(&support, "DELETE", &block, "").await, 200);
    for token in [&support, &finance] {
        assert_eq!(status(token, "GET", "/v1/tokens", "").await, 403);
        assert_eq!(status(token, "POST", "/v1/tokens", &wanted("more", &["acme"])).await, 403);
    }
    assert_eq!(status(&support, "GET", "/v1/licenses?seller=other", "").await, 403);
    assert_eq!(status(&finance, "GET", "/v1/licenses?seller=other", "").await, 200);
    for sellers in [&["other"][..], &["acme", "other"]] {
        assert_eq!(status(&seller_admin, "POST", "/v1/tokens", &wanted("more", sellers)).await, 403, "{sellers:?}");
    }
    let of_all = r#"{"id":"more","role":"support"}"#;
    assert_eq!(status(&seller_admin, "POST", "/v1/tokens", of_all).await, 403, "none named means all");
    assert_eq!(status(&shop.server.admin_token(), "POST", "/v1/tokens", &wanted("more", &[])).await, 400);
    assert_eq!(status(&seller_admin, "POST", "/v1/tokens", &wanted("more", &["acme"])).await, 201);
    let books = wanted("books", &["acme"]);
    assert_eq!(status(&shop.server.admin_token(), "POST", "/v1/tokens", &books).await, 409, "names are for ever");
    assert_eq!(status(&seller_admin, "POST", "/v1/tokens", &books).await, 201, "which only who sees all is told");
    assert_eq!(status(&seller_admin, "DELETE", "/v1/tokens/books", "").await, 404, "out of its reach");

    let list = shop.server.look_up("/v1/tokens").await;
    let used = list["tokens"].as_array().unwrap().iter().find(|token| token["id"] == "helpdesk").unwrap().clone();
    assert!(used["last_used"].is_string() && used["status"] == "active", "{used}");
    assert!(!list.to_string().contains(&support));
    assert_eq!(status(&shop.server.admin_token(), "DELETE", "/v1/tokens/helpdesk", "").await, 204);
    assert_eq!(status(&support, "GET", &license, "").await, 401);
    let brief = shop.token(&json!({"id": "brief", "role": "support", "expires_in_seconds": 1})).await;
    wait("the token ends", async || status(&brief, "GET", &license, "").await == 401).await;
    let shop = shop.restart().await;
    assert_eq!(bear(&shop.server, &support, "GET", &license, "").await.status, 401);
    assert_eq!(bear(&shop.server, &finance, "GET", &license, "").await.status, 200);
    assert_eq!(bear(&shop.server, "cmk_nobody", "GET", &license, "").await.status, 401);
}
