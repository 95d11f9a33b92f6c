//! The API is as it describes itself: schemathesis reads the description from the running server and tries it out.

use std::path::{Path, PathBuf};
use std::process::Command;

use chopmark_simulator::finance::{Accounts, Body, Books, Kind, Language, Month};

use crate::python::{environment, run};
use crate::settlement_till::sold;
use crate::support::{Home, Server, config};

/// Cases that are made up for each operation, beside those of the examples and of the bounds.
const CASES: &str = "40";
/// What is made up is the same each time.
const SEED: &str = "20261124";
/// What must hold of every answer, whatever was sent.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";
/// The license that the description takes for its examples.
const EXAMPLE: &str = "10e758d0-31ad-4c4b-8f1b-81d03469a10e";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The usual configuration without its second seller: who need not name one gets further.
fn one_seller() -> String {
    let second = "[[seller]]\nid = \"other\"\nsite = \"intl\"\nkeys.base = [{ value = \"other-access-key-0001\" }]\n";
    let config = config("");
    assert!(config.contains(second), "{config}");
    config.replace(second, "")
}

/// A month with its bill, so that answers about money are not empty.
async fn keep_some_books(server: &Server) {
    let mut books = Books::with_fee(500);
    books.enter(sold(Kind::New, 10_000, "2024-05-05 10:00:00"));
    books.enter(sold(Kind::New, 20_000, "2024-05-06 10:00:00"));
    let details = books.all_transactions(Language::Chinese).to_csv();
    let bill = books.bill(Month::new(2024, 5)).export(Language::Chinese).to_csv();
    let mut accounts = Accounts::new(&server.api, "acme", &server.admin_token().into(), None);
    let of_bill: &[_] = &[("period", "202405"), ("category", "generic")];
    for (what, file, query) in [("transactions", details, &[][..]), ("bills", bill, of_bill)] {
        let query = [query, &[("file_name", "console.csv"), ("commit", "true")]].concat();
        let answer = accounts.post(what, &query, Body::File(&file)).await.unwrap();
        assert_eq!(answer.status / 100, 2, "{what}: {}", answer.json);
    }
}

#[tokio::test]
async fn the_api_does_what_its_description_says() {
    let requirements = root().join("tests/conformance/schemathesis/requirements.txt");
    let python = environment(&root().join("target/conformance/schemathesis"), &requirements);
    let schemathesis = python.unwrap_or_else(|missing| panic!("{missing}")).with_file_name("schemathesis");

    // Who tries everything out fails often.
    let home = Home::new(&format!("[limits]\nfailures_per_minute = 1000000\n{}", one_seller()));
    let adopt = ["license", "adopt", "--seller", "acme", EXAMPLE, "--sku", "a63ee5c9-0000", "--quantity", "20"];
    home.ok(&adopt);
    let server = home.serve().await;
    keep_some_books(&server).await;
    let mut command = Command::new(schemathesis);
    command
        .args(["run", &format!("http://{}/openapi.json", server.api.authority())])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", CASES, "--seed", SEED, "--no-color"])
        .args(["--checks", CHECKS, "--header", &format!("Authorization: Bearer {}", server.admin_token())])
        .current_dir(home.folder.path());
    // It takes minutes, and must not hold the runtime up.
    let printed = tokio::task::spawn_blocking(move || run(&mut command, "")).await.unwrap();
    let printed = printed.unwrap_or_else(|complaint| panic!("{complaint}"));
    // Answers that only turn it away would conform too.
    for complaint in ["Authentication failed", "Rate limited"] {
        assert!(!printed.contains(complaint), "{printed}");
    }
    let tested = printed.lines().find_map(|line| line.trim().strip_prefix("Tested: ")?.parse::<u32>().ok());
    assert!(tested.is_some_and(|operations| operations >= 36), "{printed}");
    server.stop();
}
