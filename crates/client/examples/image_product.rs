//! A program in an image that customers start an ECS from. The ECS is what is licensed.
//!
//! ```sh
//! cargo run -p chopmark-client --example image_product -- https://license.example.com <root key> <sku>
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::thread;

use chopmark_client::{Answer, Client, EcsMetadata};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or(format!("say {what}"));
    let (server, root_key) = (argument("the server's address")?, argument("the root key")?);
    let product = argument("the product's SKU")?;

    // Only an ECS answers this. The image is the same for all customers; the ECS id is what tells them apart.
    let ecs = EcsMetadata::read()?;
    println!("This is ECS {} in {}.", ecs.uuid, ecs.region_id.as_deref().unwrap_or("an unknown region"));

    // The folder must not be part of the image: what is kept there belongs to one ECS.
    let state = std::env::temp_dir().join("chopmark-example");
    let client = Client::builder(server, root_key, product).deployment(ecs).state_dir(state).build()?;

    loop {
        let answer = client.check_if_due();
        match &answer {
            Answer::Licensed(_) => println!("Licensed: {}.", answer.reason()),
            Answer::InGrace(facts) => println!("Licensed until {}: {}.", facts.offline_until, answer.reason()),
            Answer::Denied(_) => println!("Not licensed: {}. Serving nobody, asking again.", answer.reason()),
        }
        thread::sleep(answer.contact().next_check_after);
    }
}
