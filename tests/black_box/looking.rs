//! Commands that only look: they make nothing, break nothing, and tell what they cannot read.

use serde_json::Value;

use crate::support::{Home, append_newer, config, config_with_open_api};

/// What the doctor found of a subject, each finding as JSON.
fn found(home: &Home, subject: &str) -> Vec<Value> {
    let output = home.run(&["doctor", "--json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    findings.as_array().unwrap().iter().filter(|finding| finding["subject"] == subject).cloned().collect()
}

fn errors(home: &Home, words: &[&str]) -> (Option<i32>, String) {
    let output = home.run(words);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_folder_without_a_log_gets_none_by_looking() {
    let home = Home::new(&config(""));
    std::fs::create_dir(home.data()).unwrap();
    for words in [&["license", "list"][..], &["license", "show", "x"], &["rebuild"], &["rebuild", "--verify"]] {
        let (code, said) = errors(&home, words);
        assert_eq!(code, Some(3), "{words:?}");
        assert!(said.contains("there is no event log") && said.contains("log.db"), "{said}");
    }
    assert_eq!(home.run(&["apply", "--dry-run"]).status.code(), Some(1), "there is something to apply");
    assert_eq!(found(&home, "log")[0]["health"], "warn");
    assert!(std::fs::read_dir(home.data()).unwrap().next().is_none(), "nothing was made");
}

#[tokio::test]
async fn the_doctor_tells_of_orders_without_facts_in_plain_english() {
    let home = Home::new(&config_with_open_api());
    let server = home.serve().await;
    server.buy().await;
    let at_risk = found(&home, "at risk");
    assert_eq!(at_risk[0]["health"], "warn", "{at_risk:?}");
    assert!(at_risk[0]["what"].as_str().unwrap().starts_with("1 order without facts"), "{at_risk:?}");
    let said = home.ok(&["doctor"]);
    assert!(said.contains("2 sellers, 1 product\n") && said.contains("less than a minute ago"), "{said}");
    server.stop();
    assert_eq!(found(&home, "at risk").len(), 1, "from the snapshot as well");
    assert_eq!(found(&home, "at risk")[0]["health"], "warn");
    std::fs::write(home.folder.path().join("chopmark.toml"), config("")).unwrap();
    assert_eq!(found(&home, "at risk")[0]["health"], "ok", "nobody asks, so nothing is late");
}

#[tokio::test]
async fn the_doctor_leaves_a_damaged_journal_where_it_is() {
    let home = Home::new(&config(""));
    home.serve().await.stop();
    let path = home.data().join("journal.db");
    std::fs::write(&path, "hello, this is no journal").unwrap();
    let callbacks = found(&home, "callbacks");
    assert_eq!(callbacks[0]["health"], "warn", "{callbacks:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello, this is no journal");
}

#[tokio::test]
async fn an_event_of_a_newer_version_is_told_and_what_stood_before_it_is_shown() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let instance = server.buy().await;
    server.stop();
    append_newer(&home, &format!("instance-acme/{instance}")).await;

    let output = home.run(&["license", "show", &instance, "--json"]);
    assert!(output.status.success());
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["id"], instance.as_str());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("warning:") && said.contains("license_renamed.v9"), "{said}");
    let log = found(&home, "log");
    assert!(
        log.iter().any(|finding| finding["health"] == "fail" && finding.to_string().contains("renamed")),
        "{log:?}"
    );
}
