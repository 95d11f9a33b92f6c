//! The API is as it describes itself: schemathesis reads the description from the running server and tries it out.

use std::path::{Path, PathBuf};
use std::process::Command;

use chopmark_simulator::{Message, OrderLine};

use crate::python::{environment, run};
use crate::support::{CODE_KEY, Home, Server, config};

/// Cases that are made up for each operation, beside those of the examples and of the bounds.
const CASES: &str = "40";
/// What is made up is the same each time.
const SEED: &str = "20261124";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Something to ask about: an instance, a code, and a deployment.
async fn populate(server: &Server) {
    server.buy().await;
    server.call(&Message::NewInstance { order: OrderLine::fresh() }).await;
}

#[tokio::test]
async fn the_api_does_what_its_description_says() {
    let schemathesis = root().join("tests/conformance/schemathesis");
    let folder = root().join("target/conformance/schemathesis");
    let python = environment(&folder, &schemathesis.join("requirements.txt")).unwrap_or_else(|missing| panic!("{missing}"));
    assert!(!CODE_KEY.is_empty());

    // Who tries everything out fails often.
    let home = Home::new(&format!("[limits]\nfailures_per_minute = 1000000\n{}", config("")));
    let server = home.serve().await;
    populate(&server).await;
    let mut command = Command::new(python);
    command
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(schemathesis.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("{}openapi.json", server.api))
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", CASES, "--seed", SEED, "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {}", server.admin_token())])
        .current_dir(home.folder.path());
    // It takes a while, and the server must be waited for meanwhile.
    let printed = tokio::task::spawn_blocking(move || run(&mut command, "")).await.unwrap();
    let printed = printed.unwrap_or_else(|complaint| panic!("{complaint}"));
    assert!(printed.contains("No issues found"), "{printed}");
    server.stop();
}
