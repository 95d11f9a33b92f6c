//! A program that a customer runs on machines of their own, with a license that counts machines.
//!
//! ```sh
//! cargo run -p chopmark-client --example license_product -- https://license.example.com <root key> <sku> <license>
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use chopmark_client::{ActivateError, Activation, Answer, Client, Code, Facts, Fingerprint};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or(format!("say {what}"));
    // In a real program the first three are constants, and the license is what the customer entered.
    let (server, root_key) = (argument("the server's address")?, argument("the root key")?);
    let (product, license) = (argument("the product's SKU")?, argument("the license")?);
    let state = std::env::temp_dir().join("chopmark-example");

    let client = Client::builder(server, root_key, &product)
        .license(license)
        .machine(Fingerprint::of_this_machine(&product, &state)?)
        .version(env!("CARGO_PKG_VERSION"))
        .state_dir(state)
        .build()?;

    match licensed(&client) {
        Answer::Licensed(facts) => work(&facts),
        Answer::InGrace(facts) => {
            println!("Please see to it: {}.", facts.reason);
            work(&facts);
        }
        Answer::Denied(denial) => println!("Not licensed: {}. Your data is kept.", denial.reason),
    }
    Ok(())
}

/// Checks, and takes a seat if that is what is missing.
fn licensed(client: &Client) -> Answer {
    let answer = client.check();
    if *answer.code() != Code::MachineNotActivated {
        return answer;
    }
    match client.activate(Some("a machine of the example")) {
        Ok(Activation::Seated | Activation::Already) => client.check(),
        Err(ActivateError::Limit { detail }) => {
            println!("All seats are taken: {detail}");
            answer
        }
        Err(error) => {
            println!("No seat: {error}");
            answer
        }
    }
}

fn work(facts: &Facts) {
    let reports = facts.entitlements.get("reports").and_then(serde_json::Value::as_bool).unwrap_or(false);
    println!("Working, {} reports.", if reports { "with" } else { "without" });
    println!("The next check is due in {:?}.", facts.contact.next_check_after);
}
