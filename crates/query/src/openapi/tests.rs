//! The description and the API say the same.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::openapi;

/// Where the description is checked in.
const CHECKED_IN: &str = "../../docs/reference/openapi.json";

#[test]
fn the_description_checked_in_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CHECKED_IN);
    let written = format!("{:#}\n", openapi());
    if std::env::var_os("CHOPMARK_BLESS").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == written,
        "docs/reference/openapi.json is not what the code says. Look at the difference, and if it is meant, write it \
         again: CHOPMARK_BLESS=1 cargo test -p chopmark-query openapi"
    );
}

/// Every value under a member of this name, anywhere.
fn members<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(name));
            object.values().for_each(|value| members(value, name, found));
        }
        Value::Array(items) => items.iter().for_each(|value| members(value, name, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let mut references = vec![];
    members(openapi(), "$ref", &mut references);
    assert!(references.len() > 20, "{}", references.len());
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(openapi().pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_is_named_once_and_tells_its_problems() {
    let mut names = BTreeSet::new();
    for (path, item) in openapi()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name}");
            assert!(operation["summary"].is_string(), "{name} says what it does");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
            let wants_token = operation.get("security").is_some();
            assert_eq!(responses.contains_key("401"), wants_token, "{method} {path}");
        }
    }
}

#[test]
fn nothing_is_ever_null() {
    assert!(!openapi().to_string().contains("\"null\""));
}
