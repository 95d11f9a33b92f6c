//! The tidy test: keeps the house as docs/architecture.md draws it. Each message says what to do.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chopmark_tests::repository::{code_of, files, functions, is_test_file, read, tests_in};
use toml::{Table, Value};

/// Which crate may know which: the arrows of docs/architecture.md, always down.
const ARROWS: [(&str, &[&str]); 19] = [
    ("domain", &[]),
    ("postgres", &[]),
    ("log", &["postgres"]),
    ("journal", &[]),
    ("views", &["postgres"]),
    ("client", &[]),
    ("json", &[]),
    ("signing", &["json"]),
    ("tables", &[]),
    ("huawei", &["domain"]),
    ("commands", &["domain", "log"]),
    ("projector", &["domain", "log"]),
    ("billing", &["domain", "log", "tables", "postgres"]),
    ("upkeep", &["projector", "commands", "domain", "log", "views"]),
    ("reactor", &["huawei", "commands", "log", "domain"]),
    ("ingest", &["huawei", "commands", "domain", "log", "journal"]),
    ("query", &["projector", "billing", "commands", "domain", "log", "journal", "views", "signing", "tables", "json"]),
    ("simulator", &["huawei", "domain", "client"]),
    (
        "chopmark",
        &[
            "domain",
            "postgres",
            "log",
            "journal",
            "views",
            "client",
            "signing",
            "tables",
            "json",
            "huawei",
            "commands",
            "projector",
            "billing",
            "upkeep",
            "reactor",
            "ingest",
            "query",
            "simulator",
        ],
    ),
];

/// Lines a source file may have that is not a test.
const LINES_PER_FILE: usize = 700;

/// Lines a function may have.
const LINES_PER_FUNCTION: usize = 70;

/// What the domain must do without: I/O, async, clocks, randomness.
const NOT_IN_DOMAIN: [&str; 17] = [
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::thread",
    "std::process",
    "std::time",
    "tokio",
    "async ",
    ".await",
    "Utc::now",
    "Local::now",
    "SystemTime",
    "Instant::now",
    "rand::",
    "now_v7",
    "new_v4",
];

/// Macros that print from the domain or stand for work not done.
const UNDONE: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

fn table(path: impl AsRef<Path>) -> Table {
    let path = path.as_ref();
    let text = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a manifest depends on for itself, its tests and its build, on every target.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = std::iter::once(manifest).chain(targets.filter_map(|(_, target)| target.as_table()));
    let kinds = |table| ["dependencies", "dev-dependencies", "build-dependencies"].map(|kind| Table::get(table, kind));
    tables.flat_map(kinds).flatten().filter_map(Value::as_table).flatten()
}

/// Every crate of the house by its folder's name.
fn crates() -> BTreeMap<String, Table> {
    let manifests = files("crates", "toml").expect("crates/ can be read");
    manifests
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "Cargo.toml"))
        .filter_map(|path| {
            let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
            Some((folder, table(path)))
        })
        .collect()
}

/// Source files of the crates that are not tests, each with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    files(folder, "rs")
        .expect("crates/ can be read")
        .into_iter()
        .filter(|path| !is_test_file(path))
        .map(|path| {
            let source = read(&path).expect("a readable source file");
            (path, source)
        })
        .collect()
}

/// Code without its tests, everything in its place.
fn tested_code(source: &str) -> String {
    let mut code = code_of(source).into_bytes();
    for range in tests_in(&code_of(source)) {
        for byte in &mut code[range] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

#[test]
fn arrows_between_crates_point_down_and_only_as_drawn() {
    let arrows = BTreeMap::from(ARROWS);
    let mut complaints = vec![];
    for (name, manifest) in crates() {
        let Some(allowed) = arrows.get(name.as_str()) else {
            complaints.push(format!(
                "crates/{name} is not in the drawing: add it to docs/architecture.md and to ARROWS in tests/tidy.rs"
            ));
            continue;
        };
        for (dependency, _) in dependencies(&manifest) {
            let Some(known) = dependency.strip_prefix("chopmark-") else {
                continue;
            };
            // Tests of a crate may want it with other features, and the double of a server.
            let is_for_tests = known == name || known == "eventstore-double";
            if !allowed.contains(&known) && !is_for_tests {
                complaints.push(format!(
                    "crates/{name} must not know crates/{known}: hand it what it needs from above, or move the code down"
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn every_crate_shares_versions_and_lints() {
    let mut complaints = vec![];
    for (name, manifest) in crates() {
        if manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&true.into()) {
            complaints.push(format!("crates/{name}/Cargo.toml: add `[lints]` with `workspace = true`"));
        }
        let own = dependencies(&manifest).filter(|(_, dependency)| dependency.get("workspace") != Some(&true.into()));
        complaints.extend(own.map(|(dependency, _)| {
            format!(
                "crates/{name}/Cargo.toml: write `{dependency}.workspace = true` and keep its version in the root Cargo.toml"
            )
        }));
    }
    none(&complaints);
}

#[test]
fn the_domain_is_pure() {
    let mut complaints = vec![];
    for (path, source) in sources("crates/domain/src") {
        let code = tested_code(&source);
        for forbidden in NOT_IN_DOMAIN.iter().chain(&["println!", "eprintln!", "print!"]) {
            complaints.extend(code.match_indices(forbidden).map(|(offset, _)| {
                format!(
                    "{}:{}: {forbidden:?} has no place in the domain: pass in time, randomness and what was read",
                    path.display(),
                    line_of(&code, offset)
                )
            }));
        }
    }
    none(&complaints);
}

#[test]
fn files_are_short() {
    let long = sources("crates").into_iter().filter_map(|(path, source)| {
        let lines = source.lines().count();
        (lines > LINES_PER_FILE).then(|| {
            format!(
                "{} has {lines} lines, at most {LINES_PER_FILE} are allowed: give a part of it a file and a name",
                path.display()
            )
        })
    });
    none(&long.collect::<Vec<_>>());
}

#[test]
fn functions_are_short() {
    let mut complaints = vec![];
    for (path, source) in sources("crates") {
        let long = functions(&tested_code(&source)).into_iter().filter(|function| function.lines > LINES_PER_FUNCTION);
        complaints.extend(long.map(|function| {
            format!(
                "{}:{}: fn {} has {} lines, at most {LINES_PER_FUNCTION} are allowed: give its steps names of their own",
                path.display(),
                function.line,
                function.name,
                function.lines
            )
        }));
    }
    none(&complaints);
}

#[test]
fn nothing_is_left_undone() {
    let mut complaints = vec![];
    for path in files("crates", "rs").expect("crates/ can be read") {
        let code = code_of(&read(&path).expect("a readable source file"));
        for undone in UNDONE {
            complaints.extend(code.match_indices(undone).map(|(offset, _)| {
                format!("{}:{}: finish it or leave it out: {undone}", path.display(), line_of(&code, offset))
            }));
        }
    }
    none(&complaints);
}

#[test]
fn every_crate_says_what_it_is() {
    let mut complaints = vec![];
    for (name, manifest) in crates() {
        let roots = ["lib.rs", "main.rs"].map(|root| format!("crates/{name}/src/{root}"));
        let sources: Vec<_> = roots.iter().filter_map(|path| Some((path, read(path).ok()?))).collect();
        let mute = sources.iter().filter(|(_, source)| !source.starts_with("//! "));
        complaints.extend(mute.map(|(path, _)| format!("{path}: open with `//!` and say what the crate is for")));
        let description = manifest.get("package").and_then(|package| package.get("description"));
        if description.is_none() {
            complaints.push(format!("crates/{name}/Cargo.toml: add a description"));
        }
    }
    none(&complaints);
}

#[test]
fn every_dependency_has_its_reason() {
    let page = "docs/contributing/dependencies.md";
    let text = read(page).unwrap_or_else(|error| panic!("{page}: {error}"));
    let reasons: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
    let root = table("Cargo.toml");
    let workspace = root["workspace"].as_table().expect("[workspace]");
    let used: Vec<&String> =
        dependencies(workspace).map(|(name, _)| name).filter(|name| !name.starts_with("chopmark-")).collect();
    let missing = used
        .iter()
        .filter(|name| !reasons.contains(name.as_str()))
        .map(|name| format!("{page}: add a row \"| `{name}` | why | rejected |\", or do without it"));
    let stale = reasons
        .iter()
        .filter(|name| !used.iter().any(|used| used.as_str() == **name))
        .map(|name| format!("{page}: `{name}` is no dependency any more, take its row out"));
    none(&missing.chain(stale).collect::<Vec<_>>());
}
