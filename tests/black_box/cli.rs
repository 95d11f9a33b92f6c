//! The command line, as an operator uses it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use chopmark_log::{Position, snapshot};
use chopmark_projector::{FOLD, FOLD_VERSION, SNAPSHOT_FILE};
use serde_json::Value;

use crate::support::{Home, config, post, terminate};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_demo_needs_nothing_and_every_step_succeeds() {
    let home = Home::new("");
    std::fs::remove_file(home.folder.path().join("chopmark.toml")).unwrap();
    let shown = home.ok(&["demo"]);
    assert!(shown.contains("each as it must be") && !shown.contains('✗'), "{shown}");
    let report: Value = serde_json::from_str(&home.ok(&["demo", "--json"])).unwrap();
    assert_eq!(report["ok"], true);
    let before = &report["steps"][1];
    assert!(before["what"].as_str().unwrap().contains("before anything is known"), "{before}");
    assert!(std::fs::read_dir(home.folder.path()).unwrap().next().is_none(), "nothing is left behind");
}

#[tokio::test]
async fn a_kept_demo_prints_what_works_in_any_folder_and_removes_its_own_when_it_is_told_to_end() {
    let home = Home::new("");
    let folder = home.folder.path().join("it's a folder");
    std::fs::create_dir(&folder).unwrap();
    let mut demo = home.command(&["demo", "--keep"]).env("TMPDIR", &folder).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let shown: Vec<String> = lines.skip_while(|line| !line.contains("stays up")).take(5).collect();
    let (check, token) = (&shown[2], &shown[3]);
    let (before, question) = check.split_once(" -d '").unwrap();
    let api = before.split_once("http://").unwrap().1.strip_suffix("/v1/checks").unwrap();
    let answer =
        post(&format!("http://{api}").parse().unwrap(), "/v1/checks", &[], question.trim_end_matches('\'').as_bytes())
            .await;
    assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap()["code"], "VALID", "{check}");
    let read_token = token.split_once("$(").unwrap().1.split_once(")\"").unwrap().0;
    let read = Command::new("sh").args(["-c", read_token]).output().unwrap();
    assert!(read.status.success() && !read.stdout.is_empty(), "{read_token}: {}", text(&read.stderr));
    terminate(demo.id());
    assert!(demo.wait().unwrap().success());
    assert!(std::fs::read_dir(&folder).unwrap().next().is_none(), "nothing is left behind");
}

#[test]
fn short_and_long_help_begin_alike() {
    let home = Home::new("");
    let (short, long) = (home.ok(&["-h"]), home.ok(&["--help"]));
    assert!(short.contains("event-sourced"), "{short}");
    assert_eq!(short.lines().next(), long.lines().next());
}

#[test]
fn the_default_configuration_is_one() {
    let home = Home::new("");
    let default = home.ok(&["serve", "--print-config"]);
    std::fs::write(home.folder.path().join("chopmark.toml"), default).unwrap();
    home.ok(&["serve", "--check-config"]);
}

#[test]
fn a_wrong_configuration_names_key_line_and_mend() {
    let home = Home::new("[listen]\ncallbaks = \"127.0.0.1:0\"\n");
    let output = home.run(&["serve"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("listen.callbaks") && errors.contains("chopmark.toml:2") && errors.contains("callbacks"),
        "{errors}"
    );
}

#[tokio::test]
async fn two_servers_do_not_share_a_data_folder() {
    let home = Home::new(&config(""));
    let _server = home.serve().await;
    let output = home.run(&["serve"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("another chopmark server"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn apply_shows_differences_first_and_does_nothing_twice() {
    let home = Home::new(&config(""));
    let first = home.ok(&["apply"]);
    assert!(first.contains("+ acme") && first.contains("a63ee5c9-0000"), "{first}");
    let time = first.lines().next().unwrap().rsplit(' ').next().unwrap();
    assert!(time.len() == "2026-11-24T17:24:05Z".len() && time.ends_with('Z'), "{first}");
    assert!(home.ok(&["apply"]).contains("nothing to do"));
    let changed = config("").replace("name = \"Example\"", "name = \"Example\"\ngrace_days = 3\nseats = 2");
    std::fs::write(home.folder.path().join("chopmark.toml"), changed).unwrap();
    let dry = home.run(&["apply", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(1));
    assert!(text(&dry.stdout).contains("grace_days: 15 → 3"), "{}", text(&dry.stdout));
    assert!(text(&dry.stdout).contains("seats: new → 2"), "{}", text(&dry.stdout));
    let applied: Value = serde_json::from_str(&home.ok(&["apply", "--json"])).unwrap();
    assert_eq!(applied["changes"][0]["terms"]["grace_days"]["to"], 3);
}

#[tokio::test]
async fn an_instance_is_adopted_beside_a_running_server() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let words = ["--order", "CS77", "--order-line", "CS77-000001", "--sku", "a63ee5c9-0000", "--quantity", "7"];
    let mut adopt =
        vec!["license", "adopt", "--seller", "acme", "old-instance-1", "--expires-at", "2099-01-01T00:00:00Z"];
    adopt.extend(words);
    assert!(home.ok(&adopt).starts_with("adopted\n"));
    assert!(home.ok(&adopt).starts_with("adopted already"));
    let again: Value = serde_json::from_str(&home.ok(&[&adopt[..], &["--json"]].concat())).unwrap();
    assert_eq!((&again["adopted_before"], &again["id"]), (&true.into(), &"old-instance-1".into()));
    for _ in 0..100 {
        if server.check("old-instance-1").await["code"] == "VALID" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let checked = server.check("old-instance-1").await;
    assert_eq!(checked["license"]["entitlements"]["users"], 7, "{checked}");
    let order = chopmark_simulator::OrderLine::first_of("CS77");
    let answer = server.call(&chopmark_simulator::Message::NewInstance { order }).await;
    assert_eq!(answer["instanceId"], "old-instance-1");

    let other = home.run(&[
        "license",
        "adopt",
        "--seller",
        "acme",
        "old-instance-2",
        "--order",
        "CS77",
        "--order-line",
        "CS77-000001",
    ]);
    assert_eq!(other.status.code(), Some(1));
    let listed = home.ok(&["license", "list"]);
    assert!(listed.contains("old-instance-1") && !listed.contains("old-instance-2"), "{listed}");
    let shown: Value = serde_json::from_str(&home.ok(&["license", "show", "old-instance-1", "--json"])).unwrap();
    assert_eq!(shown["quantity"], 7);
    assert_eq!(home.run(&["license", "show", "nobody"]).status.code(), Some(1));
    assert_eq!(home.ok(&["license", "list", "--status", "pending"]), "no license\n");
    assert_eq!(home.run(&["license", "list", "--limit", "0"]).status.code(), Some(2));
}

#[test]
fn an_instance_of_a_seller_who_is_not_configured_is_not_adopted_and_nothing_is_made() {
    let home = Home::new(&config(""));
    let adopted = home.run(&["license", "adopt", "--seller", "nobody", "old-instance-1"]);
    assert_eq!(adopted.status.code(), Some(2));
    assert!(text(&adopted.stderr).contains("seller nobody is not configured"), "{}", text(&adopted.stderr));
    assert!(!home.data().exists());
}

#[tokio::test]
async fn rebuild_verifies_what_is_kept_and_finds_what_is_not_right() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    for _ in 0..20 {
        server.buy().await;
    }
    server.stop();
    assert!(home.ok(&["rebuild", "--verify"]).contains("equal: 20 licenses"));
    // A license vanishes from the log: what is kept no longer follows from it.
    let log = rusqlite::Connection::open(home.data().join("log.db")).unwrap();
    log.execute("DELETE FROM events WHERE position = (SELECT max(position) FROM events)", []).unwrap();
    drop(log);
    let verified = home.run(&["rebuild", "--verify"]);
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified.stdout));
    assert!(text(&verified.stdout).contains("differ at position"), "{}", text(&verified.stdout));
    assert!(home.ok(&["rebuild"]).contains("19 licenses"));
    assert!(home.ok(&["rebuild", "--verify"]).contains("equal: 19 licenses"));
}

#[tokio::test]
async fn an_index_that_cannot_be_used_is_not_equal_and_one_that_is_not_there_is_not_compared() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    server.buy().await;
    server.stop();
    let path = home.data().join(SNAPSHOT_FILE);
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0x01;
    std::fs::write(&path, damaged).unwrap();
    let verified = home.run(&["rebuild", "--verify"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified.stderr).contains("is damaged"), "{}", text(&verified.stderr));

    snapshot::save(&path, FOLD, FOLD_VERSION + 1, Position(1), &()).unwrap();
    let verified = home.run(&["rebuild", "--verify", "--json"]);
    assert_eq!(verified.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(report["equal"], false);
    assert!(report["unusable"].as_str().unwrap().contains("of another fold or version"), "{report}");

    std::fs::remove_file(&path).unwrap();
    let report: Value = serde_json::from_str(&home.ok(&["rebuild", "--verify", "--json"])).unwrap();
    assert_eq!((&report["licenses"], report.get("equal")), (&1.into(), None));
    assert_eq!(report["billing"]["equal"], true, "{report}");
}

#[tokio::test]
async fn a_damaged_log_is_refused_with_the_way_out() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    for _ in 0..50 {
        server.buy().await;
    }
    server.stop();
    let path = home.data().join("log.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let found = bytes.windows(11).rposition(|window| window == b"newInstance").unwrap();
    bytes[found] ^= 0x01;
    std::fs::write(&path, &bytes).unwrap();
    let output = home.run(&["serve"]);
    assert_eq!(output.status.code(), Some(3));
    let errors = text(&output.stderr);
    assert!(errors.contains("log.db") && errors.contains("damaged") && errors.contains("backup"), "{errors}");
    assert_eq!(home.run(&["doctor"]).status.code(), Some(1));
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the damaged file is left as it is");
}

#[tokio::test]
async fn the_doctor_sees_a_healthy_server() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    server.buy().await;
    let findings: Value = serde_json::from_str(&home.ok(&["doctor", "--json"])).unwrap();
    let subjects: Vec<&str> = findings.as_array().unwrap().iter().filter_map(|f| f["subject"].as_str()).collect();
    for subject in ["config", "keys", "disk", "log", "clock", "callbacks", "at risk", "listener"] {
        assert!(subjects.contains(&subject), "{subject}: {findings:#}");
    }
}

#[tokio::test]
async fn a_server_that_was_stopped_resumes_from_its_snapshot() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let instance = server.buy().await;
    let before = server.check(&instance).await["license"].clone();
    server.stop();
    assert!(home.data().join("license-index.snapshot").exists());
    let server = home.serve().await;
    assert_eq!(server.check(&instance).await["license"], before);
}

#[test]
fn a_configuration_is_checked_with_the_keys_that_it_names() {
    // RFC 8410, section 10.3.
    let good = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let checked = |signing: &str| {
        let home = Home::new(&format!("[keys]\nsigning = {signing}\n{}", config("")));
        std::fs::write(home.folder.path().join("good.pem"), good).unwrap();
        std::fs::write(home.folder.path().join("none.pem"), "nothing\n").unwrap();
        let output = home.run(&["serve", "--check-config"]);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, said) = checked(r#"[{ file = "good.pem" }]"#);
    assert!(code == Some(0) && said.contains("  keys       1, the signing one is "), "{said}");
    for (signing, hint) in [
        (r#"[{ file = "none.pem" }]"#, "key 1 of the list"),
        (r#"[{ file = "good.pem" }, { file = "good.pem" }]"#, "keys.signing"),
        ("[]", "the list is empty"),
    ] {
        let (code, said) = checked(signing);
        assert!(code == Some(2) && said.contains(hint), "{signing}: {said}");
    }
}

#[test]
fn what_an_option_does_not_take_is_said_in_words() {
    let home = Home::new(&config(""));
    for (words, hint) in [
        (&["license", "list", "--limit", "0"][..], "a whole number, 1 or more"),
        (&["license", "explain", "L1", "--position", "zz"], "this is no position"),
        (&["license", "show", "L1", "--as-of", "zz"], "write it like 2026-12-01T00:00:00Z"),
    ] {
        let output = home.run(words);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(hint), "{words:?}: {said}");
    }
}

#[test]
fn secrets_are_neither_printed_nor_logged() {
    let home = Home::new(&config(""));
    let output = home.command(&["serve", "--check-config"]).env("RUST_LOG", "trace").output().unwrap();
    let all = text(&output.stdout) + &text(&output.stderr);
    assert!(!all.contains("test-access-key"), "{all}");
}
