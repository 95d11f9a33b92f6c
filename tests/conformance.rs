//! Leases are verified offline in other languages than ours: each program under `conformance/` judges the test vectors
//! of the client, which the client itself is held to by its own tests.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chopmark_tests::repository::root;

/// How often packages are asked for: a registry may be away for a moment.
const TRIES: usize = 3;

fn vectors() -> PathBuf {
    root().join("crates/client/tests/vectors/leases.json")
}

fn program(path: &str) -> PathBuf {
    root().join("tests/conformance").join(path)
}

/// Runs a command to its good end; what it printed is in the complaint otherwise.
fn run(command: &mut Command, missing: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}. {missing}"))?;
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() {
        Ok(printed)
    } else {
        Err(format!("{command:?}: {}\n{printed}\n{missing}", output.status))
    }
}

/// A Python with the packages of `requirements.txt`, made once and again when they change.
fn python() -> PathBuf {
    const MISSING: &str =
        "This test needs Python with its venv module: on Debian, `apt-get install python3 python3-venv`.";
    let requirements = program("python/requirements.txt");
    let wanted = fs::read(&requirements).expect("the requirements");
    let folder = root().join("target/conformance/python");
    let (python, made_for) = (folder.join("bin/python"), folder.join("made-for.txt"));
    if fs::read(&made_for).is_ok_and(|made_for| made_for == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), MISSING).expect("a virtual environment");
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(&requirements);
    let tries: Vec<_> = (0..TRIES).map_while(|_| run(&mut install, "PyPI must be reached once.").err()).collect();
    assert!(tries.len() < TRIES, "{}", tries.join("\n"));
    fs::write(made_for, wanted).expect("a note of what was installed");
    python
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
