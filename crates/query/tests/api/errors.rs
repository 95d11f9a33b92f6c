//! How errors look: problems of RFC 9457, every one.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::house::House;

#[actix_web::test]
async fn a_malformed_question_is_a_problem_that_names_the_mend() {
    let house = House::new().await;
    for (body, hint) in [
        ("", "not a question in JSON"),
        ("nonsense", "not a question in JSON"),
        ("[\"L1\"]", "an object"),
        ("{}", "`license`"),
        (r#"{"license":1}"#, "a string"),
        (r#"{"license":"L","deployment":{}}"#, "not both"),
        (r#"{"license":"L","machine":{"fingerprint":"a b"}}"#, "machine.fingerprint"),
        (r#"{"license":"L","machine":{}}"#, "fingerprint"),
        (r#"{"license":"L","min_position":"here"}"#, "min_position"),
        (r#"{"license":"L","product":"a,b"}"#, "`product`"),
        (&json!({ "license": "L", "nonce": "n".repeat(129) }).to_string(), "`nonce`"),
    ] {
        let reply = house.send(TestRequest::post().uri("/v1/checks").set_payload(body.to_owned())).await;
        let (name, detail) = reply.problem(400);
        assert_eq!(name, "malformed-request");
        assert!(detail.contains(hint), "{body}: {detail}");
    }
    let reply = house.send(TestRequest::post().uri("/v1/checks").set_payload(&b"{\"license\":\"\xff\"}"[..])).await;
    reply.problem(400);
}

#[actix_web::test]
async fn a_body_over_the_bound_is_refused() {
    let house = House::new().await;
    let question = r#"{"license":"L1"}"#;
    let padded = |bytes: usize| format!("{question}{}", " ".repeat(bytes - question.len()));
    let send = async |body: String| house.send(TestRequest::post().uri("/v1/checks").set_payload(body)).await;
    assert_eq!(send(padded(64 * 1024)).await.status.as_u16(), 200);
    let (name, detail) = send(padded(64 * 1024 + 1)).await.problem(413);
    assert_eq!(name, "body-too-large");
    assert!(detail.contains("65536"));
}

#[actix_web::test]
async fn paths_and_methods_that_are_not_are_problems() {
    let house = House::new().await;
    for path in ["/", "/v1", "/v1/check", "/v2/checks", "/v1/licenses/a/b", "/v1/%ff"] {
        assert_eq!(house.send(TestRequest::get().uri(path)).await.problem(404).0, "no-such-path", "{path}");
    }
    for (path, allowed) in [
        ("/v1/checks", "POST"),
        ("/v1/licenses", "GET"),
        ("/v1/licenses/L1", "GET"),
        ("/v1/licenses/L1/history", "GET"),
        ("/v1/licenses/L1/explain", "POST"),
        ("/v1/deliveries", "GET"),
        ("/openapi.json", "GET, HEAD"),
        ("/.well-known/jwks.json", "GET, HEAD"),
        ("/livez", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
    ] {
        let reply = house.send(TestRequest::default().method(Method::DELETE).uri(path)).await;
        assert_eq!(reply.problem(405).0, "method-not-allowed", "{path}");
        assert_eq!(reply.header("allow"), Some(allowed), "{path}");
    }
    for path in ["/openapi.json", "/.well-known/jwks.json", "/livez"] {
        let reply = house.send(TestRequest::default().method(Method::HEAD).uri(path)).await;
        assert_eq!(reply.status.as_u16(), 200, "{path}");
    }
}

#[actix_web::test]
async fn before_the_index_has_caught_up_nothing_is_answered_but_that() {
    let house = House::bare().await;
    let check = TestRequest::post().uri("/v1/checks").set_payload(r#"{"license":"L1"}"#);
    let views = ["/readyz", "/v1/licenses", "/v1/licenses/L1", "/v1/deliveries"];
    let requests = views.map(|path| TestRequest::get().uri(path)).into_iter().chain([check]);
    for request in requests {
        let reply = house.send(request).await;
        assert_eq!(reply.problem(503).0, "not-ready");
        assert!(reply.header("retry-after").unwrap().parse::<u32>().is_ok());
    }
    let live = house.send(TestRequest::get().uri("/livez")).await;
    assert_eq!((live.status.as_u16(), live.json), (200, json!({ "status": "live" })));

    house.project().await;
    let ready = house.send(TestRequest::get().uri("/readyz")).await;
    assert_eq!((ready.status.as_u16(), ready.json), (200, json!({ "status": "ready", "position": "0" })));
    assert_eq!(house.check(json!({ "license": "L1" })).await["code"], "NOT_FOUND");
}

#[actix_web::test]
async fn load_balancers_may_ask_with_head() {
    let house = House::new().await;
    for path in ["/livez", "/readyz"] {
        let reply = house.send(TestRequest::default().method(Method::HEAD).uri(path)).await;
        assert_eq!(reply.status.as_u16(), 200, "{path}");
    }
}

#[actix_web::test]
async fn tokens_are_asked_for_as_http_does() {
    let house = House::new().await;
    for path in ["/v1/licenses", "/v1/licenses/L1", "/v1/licenses/L1/history", "/v1/deliveries", "/v1/tokens"] {
        let reply = house.send(TestRequest::get().uri(path)).await;
        assert_eq!(reply.problem(401).0, "token-required", "{path}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"chopmark\""));

        let basic = TestRequest::get().uri(path).insert_header(("authorization", "Basic YWRtaW46YWRtaW4="));
        assert_eq!(house.send(basic).await.problem(401).0, "token-required");

        let reply = house.get("no-such-token", path).await;
        assert_eq!(reply.problem(401).0, "token-unknown", "{path}");
        assert!(reply.header("www-authenticate").unwrap().contains("invalid_token"));
    }
}

#[actix_web::test]
async fn parameters_are_named_in_complaints() {
    let house = House::new().await;
    for (uri, hint) in [
        ("/v1/licenses?limit=0", "`limit`"),
        ("/v1/licenses?limit=many", "`limit`"),
        ("/v1/licenses?status=lost", "`status`"),
        ("/v1/licenses?seller=a%20b", "`seller`"),
        ("/v1/licenses?product=a,b", "`product`"),
        ("/v1/licenses?cursor=!", "`cursor`"),
        ("/v1/licenses?stauts=active", "stauts"),
        ("/v1/licenses?status=active&status=frozen", "status"),
        ("/v1/licenses/L1?sellers=acme", "sellers"),
        ("/v1/deliveries?test=1", "`test`"),
        ("/v1/deliveries?cursor=x", "`cursor`"),
    ] {
        let (name, detail) = house.get("admin-token", uri).await.problem(400);
        assert_eq!(name, "malformed-request");
        assert!(detail.contains(hint), "{uri}: {detail}");
    }
    for uri in ["/v1/licenses?seller=&status=&product=&id=&limit=&cursor=", "/v1/licenses?"] {
        assert_eq!(house.get("admin-token", uri).await.status.as_u16(), 200, "{uri}");
    }
}
