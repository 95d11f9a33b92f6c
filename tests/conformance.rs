//! Leases are verified offline in other languages than ours: each program under `conformance/` judges the test vectors
//! of the client, which the client itself is held to by its own tests.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chopmark_tests::python::{environment, run};
use chopmark_tests::repository::root;

fn vectors() -> PathBuf {
    root().join("crates/client/tests/vectors/leases.json")
}

fn program(path: &str) -> PathBuf {
    root().join("tests/conformance").join(path)
}

/// A Python with the packages of `requirements.txt`.
fn python() -> PathBuf {
    let folder = root().join("target/conformance/python");
    environment(&folder, &program("python/requirements.txt")).unwrap_or_else(|missing| panic!("{missing}"))
}

/// The program judges every vector rightly, and says so when a vector is wrong: a program that judged nothing would
/// agree with everything.
fn judges(mut command: impl FnMut(&Path) -> Command, missing: &str) {
    let printed = run(&mut command(&vectors()), missing).unwrap_or_else(|complaint| panic!("{complaint}"));
    assert!(printed.contains(" 0 wrongly"), "{printed}");

    let text = fs::read_to_string(vectors()).expect("the vectors");
    let wrong = text.replace("\"denied:algorithm\"", "\"licensed\"");
    assert_ne!(text, wrong, "there are forgeries among the vectors");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.json");
    fs::write(&file, wrong).expect("a file");
    let status = command(&file).output().expect("it ran before").status;
    assert_eq!(status.code(), Some(1), "forgeries that the file calls licensed must be complained of");
}

#[test]
fn leases_are_verified_in_python_with_pyjwt() {
    let python = python();
    judges(
        |vectors| {
            let mut command = Command::new(&python);
            command.arg(program("python/verify_leases.py")).arg(vectors);
            command
        },
        "",
    );
}

#[test]
fn leases_are_verified_in_java_with_the_jdk() {
    judges(
        |vectors| {
            let mut command = Command::new("java");
            command.arg(program("java/VerifyLeases.java")).arg(vectors);
            command
        },
        "This test needs a JDK of version 17 or later: on Debian, `apt-get install openjdk-17-jdk-headless`.",
    );
}
