//! What each listener answers, and how much it takes.

use chopmark_simulator::Url;
use chopmark_simulator::http::{Connection, Request};
use serde_json::Value;

use crate::support::{Home, config, config_with_open_api, get, post};

/// An address on loopback that was free a moment ago.
fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The status of a request with a token, if one is given.
async fn send(url: &Url, method: &str, target: &str, token: &str, body: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("Authorization", &bearer)] };
    let request = Request { method, host: &url.authority(), target, headers, body: body.as_bytes() }.to_bytes();
    Connection::to(url).send(&request).await.unwrap().status
}

#[tokio::test]
async fn what_needs_a_token_moves_to_the_admin_listener() {
    let admin = free_address();
    let home = Home::new(&config("").replace("[listen]", &format!("[listen]\nadmin = \"{admin}\"")));
    let server = home.serve().await;
    let instance = server.buy().await;
    let admin: Url = format!("http://{admin}").parse().unwrap();
    let bearer = format!("Bearer {}", server.admin_token());
    for path in ["/v1/licenses", &format!("/v1/licenses/{instance}"), "/v1/deliveries"] {
        let token = [("Authorization", bearer.as_str())];
        assert_eq!(get(&admin, path, &token).await.unwrap().status, 200, "{path}");
        assert_eq!(get(&admin, path, &[]).await.unwrap().status, 401, "{path}");
        assert_eq!(get(&server.api, path, &token).await.unwrap().status, 404, "{path}");
    }
    let ways = |path: &str| (format!("/v1/licenses/{instance}{path}"), server.admin_token());
    for (method, path, body) in [
        ("GET", "/history", ""),
        ("POST", "/explain", ""),
        ("GET", "/machines", ""),
        ("PUT", "/block", r#"{"reason":"abuse"}"#),
        ("DELETE", "/block", ""),
    ] {
        let (path, token) = ways(path);
        let status = async |url: &Url| send(url, method, &path, &token, body).await;
        assert_eq!((status(&admin).await, status(&server.api).await), (200, 404), "{method} {path}");
    }
    for url in [&admin, &server.api] {
        let (path, token) = ways("/machines/m1");
        assert_eq!(send(url, "PUT", &path, "", "").await / 100, 2, "seats are taken on both");
        assert_eq!(send(url, "DELETE", &path, &token, "").await, 204, "and freed by operators");
    }
    let question = format!("{{\"license\":\"{instance}\"}}");
    assert_eq!(post(&server.api, "/v1/checks", &[], question.as_bytes()).await.status, 200);
    assert_eq!(post(&admin, "/v1/checks", &[], question.as_bytes()).await.status, 404);
    for url in [&admin, &server.api] {
        assert_eq!(get(url, "/livez", &[]).await.unwrap().status, 200);
        assert_eq!(get(url, "/readyz", &[]).await.unwrap().status, 200);
    }
    let findings: Value = serde_json::from_str(&home.ok(&["doctor", "--json"])).unwrap();
    assert!(findings.to_string().contains(&format!("admin {}", admin.authority())), "{findings:#}");
}

#[tokio::test]
async fn a_check_may_be_as_long_as_is_configured() {
    let home = Home::new(&config("").replace("[listen]", "[limits]\napi_body_bytes = 1024\n\n[listen]"));
    let server = home.serve().await;
    let question = |bytes: usize| format!("{:<bytes$}", r#"{"license":"nobody"}"#);
    assert_eq!(post(&server.api, "/v1/checks", &[], question(1024).as_bytes()).await.status, 200);
    assert_eq!(post(&server.api, "/v1/checks", &[], question(1025).as_bytes()).await.status, 413);
}

#[tokio::test]
async fn metrics_tell_how_many_orders_are_at_risk() {
    let home = Home::new(&config_with_open_api());
    let server = home.serve().await;
    let at_risk = async |seller: &str| server.metric(&format!("chopmark_orders_at_risk{{seller=\"{seller}\"}}")).await;
    assert_eq!(at_risk("acme").await, 0.0);
    server.buy().await;
    server.buy().await;
    for _ in 0..200 {
        if at_risk("acme").await == 2.0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!((at_risk("acme").await, at_risk("other").await), (2.0, 0.0));
}

#[tokio::test]
async fn a_fresh_server_shows_every_series_that_an_alert_watches() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let response = get(&server.metrics, "/metrics", &[]).await.unwrap();
    let text = String::from_utf8(response.body).unwrap();
    for line in [
        "chopmark_callbacks_total{activity=\"newInstance\",result=\"000005\",seller=\"acme\"} 0",
        "chopmark_callbacks_rejected_total{reason=\"signature_wrong\"} 0",
        "chopmark_callback_seconds_count 0",
        "chopmark_dial_tests_total{result=\"000000\",seller=\"other\"} 0",
        "chopmark_checks_total{code=\"VALID\"} 0",
        "chopmark_checks_refused_total{problem=\"not-ready\"} ",
        "chopmark_orders_at_risk{seller=\"other\"} 0",
        "chopmark_journal_dropped_total 0",
        "chopmark_log_append_seconds_count ",
        "chopmark_log_batch_events_count ",
        "chopmark_log_appends_total{result=\"unavailable\"} 0",
        "chopmark_log_appends_total{result=\"unknown\"} 0",
        "chopmark_projector_lag_events 0",
        "chopmark_projector_stopped 0",
        "chopmark_reactor_following ",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
    }
}
