//! The log out of its house and into another, and whether it is what was written and sealed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use chopmark_eventstore_double::{Double, Options};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{Engine, EventLog, Expected, LogMetrics, NewEvent, Position, StreamName};
use chopmark_postgres::testing::Server;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Home, config, terminate};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn all(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

fn json(printed: &str) -> Value {
    serde_json::from_str(printed).unwrap()
}

/// A home where something was bought, stopped and sealed; and what was bought.
async fn sealed_home() -> (Home, Vec<String>) {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let mut bought = vec![];
    for _ in 0..12 {
        bought.push(server.buy().await);
    }
    server.stop();
    assert!(home.ok(&["log", "seal"]).starts_with("sealed  "));
    assert!(home.ok(&["log", "seal"]).starts_with("sealed already"));
    (home, bought)
}

/// A log of nothing in particular, as long as it is wanted.
async fn long_log(path: &Path, appends: usize) {
    let log = SqliteLog::open(path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
    for number in 0..appends {
        let event =
            |_| NewEvent { id: Uuid::now_v7(), kind: "kind".into(), data: vec![b'1'; 600], metadata: b"{}".to_vec() };
        let stream = StreamName::new(&format!("stream {number}")).unwrap();
        log.append(&stream, Expected::NoStream, (0..500).map(event).collect()).await.unwrap();
    }
    log.close().await;
}

#[tokio::test]
async fn a_log_moves_into_another_house_with_its_licenses_and_its_seals() {
    let (home, bought) = sealed_home().await;
    home.ok(&["log", "export", "moved.jsonl"]);
    let file = home.folder.path().join("moved.jsonl");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.run(&["log", "export", "moved.jsonl"]).status.code(), Some(2), "it is not written over");
    let jwks = home.folder.path().join("keys.json");
    std::fs::write(&jwks, home.ok(&["keys", "root", "--json"])).unwrap();
    let [file, jwks] = [&file, &jwks].map(|path| path.to_str().unwrap());

    let whole = json(&home.ok(&["log", "verify", "--json"]));
    assert_eq!((&whole["whole"], &whole["signatures"], &whole["seals"]), (&true.into(), &"verified".into(), &1.into()));
    assert_eq!(whole["unsealed_records"], 1, "the seal itself");

    let other = Home::new(&config(""));
    let by_file = json(&other.ok(&["log", "verify", "--file", file, "--keys", jwks, "--json"]));
    assert_eq!(by_file, whole, "the file says what the log says, without a server and without a log");
    assert!(other.ok(&["log", "verify", "--file", file]).contains("signatures not looked at"));

    let imported = json(&other.ok(&["log", "import", file, "--keys", jwks, "--json"]));
    assert_eq!((&imported["imported"], &imported["chain"]), (&whole["records"], &whole["chain"]));
    let again = json(&other.ok(&["log", "import", file, "--json"]));
    assert_eq!((&again["imported"], &again["there_before"]), (&0.into(), &whole["records"]));

    // The same comes out again, but for the time of the export.
    let out = other.ok(&["log", "export"]);
    assert_eq!(records(&out), records(&std::fs::read_to_string(file).unwrap()));

    // And over a pipe into a third one, where the licenses are what they were.
    let third = Home::new(&config(""));
    let mut import =
        third.command(&["log", "import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    import.stdin.take().unwrap().write_all(out.as_bytes()).unwrap();
    let import = import.wait_with_output().unwrap();
    assert!(import.status.success(), "{}", all(&import));
    let server = third.serve().await;
    for instance in &bought {
        assert_eq!(server.check(instance).await["code"], "VALID");
    }
    server.stop();
    third.ok(&["rebuild", "--verify"]);
}

/// The records of an exported log. Positions are each log's own.
fn records(exported: &str) -> Vec<Value> {
    let records = exported.lines().filter(|line| line.starts_with("{\"id\""));
    let without_position = |mut record: Value| {
        record.as_object_mut().unwrap().shift_remove("position");
        record
    };
    records.map(json).map(without_position).collect()
}

#[tokio::test]
async fn a_log_goes_through_every_engine_and_is_still_the_same_log() {
    let (home, _) = sealed_home().await;
    home.ok(&["log", "export", "moved.jsonl"]);
    let file = home.folder.path().join("moved.jsonl");
    let whole = json(&home.ok(&["log", "verify", "--json"]));
    let moved = records(&std::fs::read_to_string(&file).unwrap());

    let folder = tempfile::tempdir().unwrap();
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), data: folder.path().join("events.db"), user: None };
    let double = tokio::task::spawn_blocking(|| Double::start(options)).await.unwrap().unwrap();
    let postgres = tokio::task::spawn_blocking(|| Server::start(&[], &[])).await.unwrap();
    let postgres = postgres.unwrap_or_else(|missing| panic!("{missing}"));
    for url in [postgres.url(), format!("esdb://{}?tls=false", double.address())] {
        let other = Home::new(&format!("[log]\nurl = \"{url}\"\n{}", config("")));
        std::fs::create_dir(other.data()).unwrap();
        std::fs::copy(home.data().join("signing-keys.pem"), other.data().join("signing-keys.pem")).unwrap();
        for there_before in [0, moved.len()] {
            let imported = json(&other.ok(&["log", "import", file.to_str().unwrap(), "--json"]));
            assert_eq!((&imported["chain"], &imported["there_before"]), (&whole["chain"], &there_before.into()));
        }
        assert_eq!(json(&other.ok(&["log", "verify", "--json"])), whole, "{url}");
        assert_eq!(records(&other.ok(&["log", "export"])), moved, "{url}");
        assert_eq!(other.ok(&["log", "tail"]).lines().count(), moved.len(), "{url}");

        other.ok(&["backup", "saved"]);
        let back = Home::new(&config(""));
        let restored = back.ok(&["restore", other.folder.path().join("saved").to_str().unwrap(), "--json"]);
        assert_eq!(json(&restored)["log"], whole, "{url}");
        assert_eq!(records(&back.ok(&["log", "export"])), moved, "{url}");
    }
    tokio::task::spawn_blocking(|| drop((double, postgres))).await.unwrap();
}

#[tokio::test]
async fn what_was_changed_cut_or_is_of_another_log_is_not_imported() {
    let (home, _) = sealed_home().await;
    let whole = home.ok(&["log", "export"]).into_bytes();
    let other = Home::new(&config(""));
    let file = other.folder.path().join("log.jsonl");
    let import = || other.run(&["log", "import", "log.jsonl"]);
    for at in (0..whole.len()).step_by(whole.len() / 12 + 1) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&file, &changed).unwrap();
        assert_eq!(import().status.code(), Some(1), "byte {at}: {}", all(&import()));
        assert_eq!(other.run(&["log", "verify", "--file", "log.jsonl"]).status.code(), Some(1), "byte {at}");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    std::fs::write(&file, lines[..lines.len() - 1].concat()).unwrap();
    let cut = import();
    assert!(cut.status.code() == Some(1) && all(&cut).contains("cut off"), "{}", all(&cut));
    assert!(!other.data().join("log.db").exists(), "everything is looked at before anything is written");

    // A server that ran once has a log of its own.
    std::fs::write(&file, &whole).unwrap();
    other.serve().await.stop();
    let before = other.ok(&["log", "export"]).lines().count();
    let refused = import();
    assert!(refused.status.code() == Some(1) && all(&refused).contains("something else"), "{}", all(&refused));
    assert_eq!(other.ok(&["log", "export"]).lines().count(), before);
}

#[tokio::test]
async fn an_import_that_was_killed_is_begun_again_and_goes_on() {
    let home = Home::new(&config(""));
    std::fs::create_dir(home.data()).unwrap();
    long_log(&home.data().join("log.db"), 30).await;
    home.ok(&["log", "export", "long.jsonl"]);
    let file = home.folder.path().join("long.jsonl");
    let import = ["log", "import", file.to_str().unwrap(), "--json"];

    let other = Home::new(&config(""));
    let mut killed = other.command(&import).stdout(Stdio::null()).spawn().unwrap();
    let there = || {
        let log = rusqlite::Connection::open(other.data().join("log.db")).ok()?;
        log.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, u64>(0)).ok()
    };
    for _ in 0..6_000 {
        if other.data().join("log.db").exists() && there().is_some_and(|records| records > 0) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = there().unwrap();
    assert!(0 < before && before < 15_000, "it was killed on its way: {before}");

    let done = json(&other.ok(&import));
    assert_eq!((&done["records"], &done["there_before"]), (&15_000.into(), &before.into()));
    other.ok(&["log", "verify"]);
}

#[tokio::test]
async fn a_record_that_was_rewritten_with_its_checksum_is_found_by_the_seals() {
    let (home, _) = sealed_home().await;
    let path = home.data().join("log.db");
    let open = |path: &Path| SqliteLog::open(path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
    let log = open(&path);
    let mut records = log.read_all(Position::START, 1_000).await.unwrap().records;
    log.close().await;
    let bought = records.iter_mut().rfind(|record| record.kind == "instance_created.v1").unwrap();
    let changed = text(&bought.data).replace("-000001", "-000002");
    assert_ne!(changed.as_bytes(), bought.data);
    bought.data = changed.into_bytes();
    std::fs::remove_file(&path).unwrap();
    // Written by the engine itself: every checksum and index is right.
    let forged = open(&path);
    forged.import(records).await.unwrap();
    forged.close().await;

    let findings = json(&text(&home.run(&["doctor", "--json"]).stdout));
    let log = findings.as_array().unwrap().iter().find(|finding| finding["subject"] == "log").unwrap();
    assert!(log.to_string().contains("intact"), "nothing else finds it: {log}");
    let verified = home.run(&["log", "verify", "--json"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified.stderr).contains("the log is not what was sealed"), "{}", all(&verified));
    assert_eq!(json(&text(&verified.stdout))["whole"], false);
}

#[tokio::test]
async fn a_running_server_seals_and_tail_shows_it_and_no_secret() {
    let home = Home::new(&format!("[log]\nseal_every_seconds = 1\n{}", config("")));
    let server = home.serve().await;
    let mut tail = home.command(&["log", "tail", "--follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map_while(Result::ok);
    // What is bought before tail looks for the end is not shown, so it is bought until something is.
    let (shown, seen) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let sealed = lines.by_ref().find(|line| json(line)["kind"] == "sealed.v1");
        shown.send(sealed).unwrap();
    });
    let sealed = loop {
        server.buy().await;
        match seen.recv_timeout(Duration::from_millis(200)) {
            Ok(sealed) => break sealed.expect("a seal before the end"),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(json(&sealed)["stream"], "seals");
    let verified = json(&home.ok(&["log", "verify", "--json"]));
    assert!(verified["seals"].as_u64().unwrap() > 0 && verified["signatures"] == "verified", "{verified}");
    terminate(tail.id());
    reading.join().unwrap();
    assert!(tail.wait().unwrap().success(), "it ends when it is told to");
    server.stop();

    let exported = home.ok(&["log", "export"]);
    let secret = exported.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(secret.len(), 64, "the export is as secret as the log");
    for words in [&["log", "tail"][..], &["log", "tail", "--json", "--from", "start"]] {
        let shown = home.ok(words);
        assert!(shown.contains("seller_secret_created.v1") && !shown.contains(secret), "{shown}");
        assert_eq!(shown.lines().count(), exported.lines().count() - 2);
    }
    assert_eq!(home.ok(&["log", "tail", "--from", "now"]), "");
    assert!(home.ok(&["log", "tail", "--from", "3"]).contains("         4  "));
}

#[test]
fn where_there_is_no_log_nothing_is_made() {
    let home = Home::new(&config(""));
    for words in [&["log", "verify"][..], &["log", "export"], &["log", "tail"], &["log", "seal"]] {
        assert_eq!(home.run(words).status.code(), Some(3), "{words:?}");
    }
    assert_eq!(home.run(&["log", "import", "nothing.jsonl"]).status.code(), Some(1));
    assert!(!home.data().exists());
}
