//! What is under `deploy/`: every file is put before the tool that reads it in earnest, as far as there is one without a
//! container engine or a cluster. docs/operations/deployment.md says what is run by whom.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected fails")]

mod configured;
mod containers;
mod proxies;
#[path = "../src/python.rs"]
#[expect(unreachable_pub, reason = "the tests of the house have the same file in their library")]
mod python;
#[path = "../black_box/support.rs"]
#[expect(dead_code, reason = "the black boxes use more of it")]
mod support;
mod units;
mod watching;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// What to install where a program is missing.
const MISSING: &str =
    "These tests need some of Debian's packages: `apt-get install haproxy nginx-light openssl prometheus systemd`.";

/// Runs a program to its good end, and gives what it printed.
fn run(command: &mut Command) -> String {
    python::run(command, MISSING).unwrap_or_else(|complaint| panic!("{complaint}"))
}

/// A path in the repository.
fn of_repository(path: &str) -> PathBuf {
    // What is checked tells where it lies, which reads better without dots.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap().join(path)
}

/// A Python with what `tests/conformance/deploy` needs.
async fn python() -> PathBuf {
    /// One test makes it, the others wait.
    static MAKING: Mutex<()> = Mutex::new(());
    let made = tokio::task::spawn_blocking(|| {
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let requirements = of_repository("tests/conformance/deploy/requirements.txt");
        python::environment(&of_repository("target/conformance/deploy"), &requirements)
    });
    made.await.unwrap().unwrap_or_else(|missing| panic!("{missing}"))
}

/// A copy of `deploy/compose` with what `make-secrets` makes there, and of what lies beside it.
fn with_secrets(folder: &Path) -> PathBuf {
    run(Command::new("cp").args(["-r", "--"]).arg(of_repository("deploy")).arg(folder));
    let compose = folder.join("deploy/compose");
    run(&mut Command::new(compose.join("make-secrets")));
    compose
}
