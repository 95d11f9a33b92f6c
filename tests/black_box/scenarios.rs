//! The simulator's plays against the real server.

use serde_json::Value;

use crate::support::{Home, Server, config};

/// A home whose seller asks the simulator's open API, and the words that serve it.
fn home() -> (Home, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let open_api = format!(
        "open_api = {{ access_key = {{ value = \"AK\" }}, secret_key = {{ value = \"SK\" }}, base_url = \"http://127.0.0.1:{port}\" }}"
    );
    (Home::new(&config(&open_api)), format!("127.0.0.1:{port}"))
}

/// Plays scenarios with the command line and gives the report.
fn simulate(home: &Home, server: &Server, open_api: &str, words: &[&str]) -> (bool, Value) {
    let (target, api) = (server.callbacks.to_string(), server.api.to_string());
    let mut all = vec!["simulate", "--target", &target, "--api", &api, "--seller", "acme", "--json"];
    // AK and SK are the seller's in the configuration.
    all.extend(["--open-api", open_api]);
    all.extend(words);
    let output = home.run(&all);
    let text = String::from_utf8(output.stdout).unwrap();
    let report = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{words:?}: {text} {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.success(), report)
}

#[tokio::test]
async fn every_scenario_ends_as_it_must() {
    let (home, open_api) = home();
    let server = home.serve().await;
    for scenario in ["purchase", "lifecycle", "duplicates", "reorder", "outage", "dialtest", "software"] {
        let (ok, report) = simulate(&home, &server, &open_api, &["--scenario", scenario]);
        assert!(ok, "{scenario}: {report:#}");
    }
    let words = ["--scenario", "storm", "--count", "3000", "--connections", "32", "--duplicates", "0.1"];
    let (ok, report) = simulate(&home, &server, &open_api, &words);
    assert!(ok, "{report:#}");
    assert!(report["scenarios"][0]["storm"].is_object());
}

#[tokio::test]
async fn months_of_a_shop_agree_with_a_second_reckoning_twice() {
    let (home, open_api) = home();
    let server = home.serve().await;
    let token = home.data().join("admin-token");
    let words = ["--scenario", "months", "--token-file", token.to_str().unwrap()];
    for _ in 0..2 {
        let (ok, report) = simulate(&home, &server, &open_api, &words);
        assert!(ok, "{report:#}");
    }
}

#[tokio::test]
async fn a_play_on_a_terminal_is_spelled_as_the_wire_is_and_nothing_else_is_said() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let target = server.callbacks.to_string();
    let words = ["simulate", "--target", &target, "--seller", "acme", "--scenario", "dialtest"];
    let output = home.command(&words).env_remove("RUST_LOG").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    for name in ["refreshInstance UNSUBSCRIBE_RENEWAL_PERIOD", "updateInstanceStatus UNFREEZE"] {
        assert!(shown.contains(name), "{name}: {shown}");
    }
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");

    let refused = home.run(&[&words[..], &["--open-api", "127.0.0.1:0"]].concat());
    assert_eq!(refused.status.code(), Some(2), "neither options nor configuration have AK and SK");
}

#[tokio::test]
async fn a_wrong_key_is_found_out() {
    let (home, open_api) = home();
    let server = home.serve().await;
    let (ok, report) = simulate(&home, &server, &open_api, &["--scenario", "purchase", "--key", "wrong"]);
    assert!(!ok);
    assert_eq!(report["ok"], false);
}
