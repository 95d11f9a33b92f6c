//! Events are for ever: one of every kind as it was stored by the version that brought it in. A fixture is never
//! edited; a new kind, or a new field, gets a fixture of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chopmark_domain::cause::Metadata;
use chopmark_domain::codec::{DecodeError, StoredEvent};
use chopmark_domain::settlement::{bill, month, transactions};
use chopmark_domain::{access, catalog, event_kinds, hours, license, order, requests, seal};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Every fixture of a folder: its name without `.json`, and its content.
fn fixtures(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder(name))
        .expect("the folder of fixtures")
        .map(|entry| {
            let path = entry.expect("a readable entry").path();
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (stem, fs::read(&path).expect("a readable fixture"))
        })
        .collect();
    found.sort();
    found
}

/// Reads an event of any stream and writes it again.
fn rewritten(kind: &str, json: &[u8]) -> Result<Vec<u8>, DecodeError> {
    fn through<E: StoredEvent>(kind: &str, json: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let event = E::decode(kind, json)?;
        assert_eq!(event.kind(), kind);
        Ok(event.encode())
    }
    match kind {
        kind if license::Event::KINDS.contains(&kind) => through::<license::Event>(kind, json),
        kind if order::Event::KINDS.contains(&kind) => through::<order::Event>(kind, json),
        kind if requests::Event::KINDS.contains(&kind) => through::<requests::Event>(kind, json),
        kind if hours::Event::KINDS.contains(&kind) => through::<hours::Event>(kind, json),
        kind if bill::event::Event::KINDS.contains(&kind) => through::<bill::event::Event>(kind, json),
        kind if month::Event::KINDS.contains(&kind) => through::<month::Event>(kind, json),
        kind if transactions::Event::KINDS.contains(&kind) => through::<transactions::Event>(kind, json),
        kind if catalog::Event::KINDS.contains(&kind) => through::<catalog::Event>(kind, json),
        kind if seal::Event::KINDS.contains(&kind) => through::<seal::Event>(kind, json),
        _ => through::<access::Event>(kind, json),
    }
}

/// A fixture is named by its kind; `instance_adopted.v1+frozen` is one more of the kind `instance_adopted.v1`.
fn kind_of(name: &str) -> &str {
    name.split('+').next().unwrap_or(name)
}

#[test]
fn every_kind_has_a_fixture() {
    let fixtures = fixtures("v1");
    let with_fixture: BTreeSet<&str> = fixtures.iter().map(|(name, _)| kind_of(name)).collect();
    assert_eq!(
        event_kinds().collect::<BTreeSet<_>>(),
        with_fixture,
        "add crates/domain/tests/fixtures/v1/<kind>.json for a new kind; never remove an old one"
    );
}

#[test]
fn every_fixture_is_read_and_written_as_it_was() {
    for (name, json) in fixtures("v1") {
        let again = rewritten(kind_of(&name), &json).unwrap_or_else(|error| panic!("{name}: {error}"));
        let stored: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&again).unwrap(), stored, "{name}");
    }
}

#[test]
fn every_cause_is_read_and_written_as_it_was() {
    let found = fixtures("metadata");
    for (name, json) in &found {
        let metadata: Metadata = serde_json::from_slice(json).unwrap_or_else(|error| panic!("{name}: {error}"));
        let stored: Value = serde_json::from_slice(json).unwrap();
        assert_eq!(serde_json::to_value(&metadata).unwrap(), stored, "{name}");
    }
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "callback",
            "callback+answered",
            "callback+redacted",
            "import",
            "open_api",
            "open_api+no_answer",
            "operator",
            "software",
            "software+no_address",
            "system"
        ]
    );
}

#[test]
fn kinds_are_unique_and_end_in_their_version() {
    let mut seen = BTreeSet::new();
    for kind in event_kinds() {
        assert!(seen.insert(kind), "{kind} is declared twice");
        let (name, version) = kind.rsplit_once(".v").expect("a version");
        assert!(!name.is_empty() && version.parse::<u32>().is_ok(), "{kind}");
    }
}

#[test]
fn fields_that_a_newer_version_added_are_passed_over() {
    let json = br#"{"added_later": {"deep": [1]}}"#;
    assert!(license::Event::decode("license_frozen.v1", json).is_ok());
}

#[test]
fn what_cannot_be_read_says_why() {
    let unknown = license::Event::decode("license_frozen.v9", b"{}").unwrap_err().to_string();
    assert!(unknown.contains("license_frozen.v9") && unknown.contains("newer"), "{unknown}");
    let malformed = license::Event::decode("license_unfrozen.v1", b"{}").unwrap_err().to_string();
    assert!(malformed.contains("license_unfrozen.v1") && malformed.contains("at"), "{malformed}");
}
