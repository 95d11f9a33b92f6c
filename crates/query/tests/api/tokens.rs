//! Tokens: made, listed, taken back.

use actix_web::test::TestRequest;
use chopmark_domain::access::Role;
use serde_json::{Value, json};

use crate::house::House;

fn make(wanted: &Value) -> TestRequest {
    TestRequest::post().uri("/v1/tokens").set_payload(wanted.to_string())
}

#[actix_web::test]
async fn a_token_is_shown_once_works_at_once_and_ends_when_it_is_taken_back() {
    let house = House::new().await;
    house.buy("acme", "CS1").await;
    let wanted = json!({ "id": "helpdesk", "role": "support", "sellers": ["acme"], "expires_in_seconds": 3_600 });
    let made = house.act("admin-token", make(&wanted)).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.json);
    assert_eq!((&made.json["status"], &made.json["expires_at"]), (&json!("active"), &json!("2026-11-24T13:00:00Z")));
    let token = made.json["token"].as_str().unwrap().to_owned();
    assert_eq!(house.get(&token, "/v1/licenses").await.status.as_u16(), 200);
    assert_eq!(house.get(&token, "/v1/tokens").await.problem(403).0, "forbidden", "tokens are for administrators");

    let list = house.get("admin-token", "/v1/tokens").await.json;
    assert!(!list.to_string().contains(&token));
    let tokens = list["tokens"].as_array().unwrap();
    let helpdesk = tokens.iter().find(|token| token["id"] == "helpdesk").unwrap();
    assert_eq!(
        *helpdesk,
        json!({
            "id": "helpdesk", "role": "support", "sellers": ["acme"], "expires_at": "2026-11-24T13:00:00Z",
            "status": "active", "last_used": "2026-11-24T12:00:00Z",
        })
    );
    assert_eq!(house.act("admin-token", make(&wanted)).await.problem(409).0, "token-exists");

    let revoke = || TestRequest::delete().uri("/v1/tokens/helpdesk");
    assert_eq!(house.act("admin-token", revoke()).await.status.as_u16(), 204);
    assert_eq!(house.get(&token, "/v1/licenses").await.problem(401).0, "token-unknown");
    assert_eq!(house.act("admin-token", revoke()).await.status.as_u16(), 204, "taken back is taken back");
}

#[actix_web::test]
async fn a_token_is_for_all_sellers_only_where_none_are_named() {
    let house = House::new().await;
    let asked =
        |sellers: Value| house.act("admin-token", make(&json!({ "id": "t", "role": "support", "sellers": sellers })));
    for (sellers, hint) in
        [(json!([]), "leave `sellers` out"), (json!(["nobody"]), "nobody"), (json!(["acme", "nobody"]), "nobody")]
    {
        let (problem, detail) = asked(sellers.clone()).await.problem(400);
        assert_eq!(problem, "malformed-request", "{sellers}");
        assert!(detail.contains(hint), "{sellers}: {detail}");
    }
    assert_eq!(asked(json!(["acme", "beta", "acme"])).await.json["sellers"], json!(["acme", "beta"]));
    let absent = house.act("admin-token", make(&json!({ "id": "u", "role": "support", "sellers": null }))).await;
    assert_eq!((absent.status.as_u16(), &absent.json["sellers"]), (201, &json!([])));
}

#[actix_web::test]
async fn a_token_ends_by_itself() {
    let house = House::new().await;
    let made = house.act("admin-token", make(&json!({ "id": "t", "role": "support", "expires_in_seconds": 60 }))).await;
    let token = made.json["token"].as_str().unwrap();
    house.set_clock("2026-11-24T12:00:59Z");
    assert_eq!(house.get(token, "/v1/licenses").await.status.as_u16(), 200);
    house.set_clock("2026-11-24T12:01:00Z");
    assert_eq!(house.get(token, "/v1/licenses").await.problem(401).0, "token-unknown");
}

#[actix_web::test]
async fn a_token_of_some_sellers_neither_makes_nor_sees_nor_ends_what_reaches_further() {
    let house = House::new().await;
    house.token("acme-admin", Role::Admin, &["acme"]).await;
    house.token("beta-support", Role::Support, &["beta"]).await;
    house.project().await;
    for sellers in [json!(null), json!(["beta"]), json!(["acme", "beta"])] {
        let wanted = json!({ "id": "t", "role": "support", "sellers": sellers });
        assert_eq!(house.act("acme-admin", make(&wanted)).await.problem(403).0, "forbidden", "{sellers}");
    }
    let own = json!({ "id": "t", "role": "admin", "sellers": ["acme"] });
    let made = house.act("acme-admin", make(&own)).await;
    assert_eq!(made.status.as_u16(), 201);
    let name = made.json["id"].as_str().unwrap();
    assert!(name.starts_with("t-"), "{name}");

    let list = house.get("acme-admin", "/v1/tokens").await.json;
    let ids: Vec<_> = list["tokens"].as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&name) && ids.contains(&"acme-admin"), "{ids:?}");
    assert!(!ids.contains(&"beta-support") && !ids.contains(&"admin-token"), "{ids:?}");

    let missing = house.act("acme-admin", TestRequest::delete().uri("/v1/tokens/nobody")).await;
    assert_eq!(missing.problem(404).0, "no-such-token");
    for id in ["beta-support", "admin-token"] {
        let foreign = house.act("acme-admin", TestRequest::delete().uri(&format!("/v1/tokens/{id}"))).await;
        assert_eq!((foreign.status, &foreign.json), (missing.status, &missing.json), "{id}");
    }
    let itself = house.act("acme-admin", TestRequest::delete().uri("/v1/tokens/acme-admin")).await;
    assert_eq!(itself.problem(403).0, "forbidden", "lest nobody is left who can");
    assert_eq!(house.get("admin-token", "/v1/tokens").await.status.as_u16(), 200);
}

#[actix_web::test]
async fn who_does_not_see_a_token_cannot_tell_that_its_name_is_taken() {
    let house = House::new().await;
    house.token("acme-admin", Role::Admin, &["acme"]).await;
    house.token("beta-support", Role::Support, &["beta"]).await;
    house.project().await;
    let mut names = vec![];
    for id in ["beta-support", "admin-token", "acme-admin", "nobody-s", "nobody-s"] {
        let made = house.act("acme-admin", make(&json!({ "id": id, "role": "support", "sellers": ["acme"] }))).await;
        assert_eq!(made.status.as_u16(), 201, "{id}: {}", made.json);
        let name = made.json["id"].as_str().unwrap().to_owned();
        assert!(name.strip_prefix(id).is_some_and(|end| end.len() == 9 && end.starts_with('-')), "{name}");
        names.push(name);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5);
    let revoke = TestRequest::delete().uri(&format!("/v1/tokens/{}", names[0]));
    assert_eq!(house.act("acme-admin", revoke).await.status.as_u16(), 204);
}

#[actix_web::test]
async fn what_a_token_cannot_be_is_named() {
    let house = House::new().await;
    for (wanted, hint) in [
        (json!({ "id": "a b", "role": "support" }), "`id`"),
        (json!({ "id": "t", "role": "king" }), "king"),
        (json!({ "id": "t" }), "role"),
        (json!({ "id": "t", "role": "support", "expires_in_seconds": 0 }), "`expires_in_seconds`"),
        (json!({ "id": "t", "role": "support", "sellers": ["a b"] }), "seller"),
        (json!({ "id": "t", "role": "support", "seller": "acme" }), "seller"),
        (json!(["t", "support"]), "object"),
    ] {
        let (name, detail) = house.act("admin-token", make(&wanted)).await.problem(400);
        assert_eq!(name, "malformed-request");
        assert!(detail.contains(hint), "{wanted}: {detail}");
    }
}

#[actix_web::test]
async fn who_tries_tokens_out_is_slowed_down_and_a_good_one_is_not() {
    let house = House::new().await;
    let mut guesses = 0;
    // One comes back each second, and on a busy machine sixty take longer than that.
    let reply = loop {
        let reply = house.get("guess", "/v1/licenses").await;
        if reply.status.as_u16() != 401 {
            break reply;
        }
        guesses += 1;
        assert!(guesses < 600, "nothing slows it down");
    };
    assert!(guesses >= 60, "{guesses}");
    assert_eq!(reply.problem(429).0, "too-many-requests");
    assert!(reply.header("retry-after").is_some() && reply.header("ratelimit").is_some());
    assert_eq!(house.get("admin-token", "/v1/licenses").await.status.as_u16(), 200);
}
