//! Software that phones home, with the client that sellers link in.

use std::path::Path;

use chopmark_client::{Activation, Answer, Client, Code, EcsMetadata, Fingerprint, Source};
use chopmark_huawei::callback::FreezeStatus;
use serde_json::json;
use tempfile::TempDir;

use crate::shop::{IMAGE, SAAS, SEATS_BOUGHT, Shop};

/// A client that has kept its state in this folder.
fn client(shop: &Shop, product: &str, license: &str, state: &Path) -> Client {
    Client::builder(shop.server.api.to_string(), root_key(shop), product)
        .license(license)
        .machine(Fingerprint::parse("m1").unwrap())
        .state_dir(state)
        .build()
        .unwrap()
}

fn root_key(shop: &Shop) -> String {
    shop.home.ok(&["keys", "root"]).trim().to_owned()
}

/// Clients block, and this runtime must go on meanwhile.
async fn apart<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(act).await.unwrap()
}

async fn check(client: &'static Client) -> Answer {
    apart(|| client.check()).await
}

/// One that lives as long as the test.
fn kept(client: Client) -> &'static Client {
    Box::leak(Box::new(client))
}

#[tokio::test]
async fn a_program_takes_a_seat_goes_on_through_an_outage_and_stops_at_a_freeze() {
    let (shop, state) = (Shop::open().await, TempDir::new().unwrap());
    let license = shop.bought(SEATS_BOUGHT, 1).await;
    let program = kept(client(&shop, SEATS_BOUGHT, &license, state.path()));
    assert_eq!(check(program).await.code(), &Code::MachineNotActivated);
    assert_eq!(apart(|| program.activate(Some("build server"))).await.unwrap(), Activation::Seated);
    assert_eq!(apart(|| program.activate(None)).await.unwrap(), Activation::Already);
    let Answer::Licensed(facts) = check(program).await else { panic!("it has a seat") };
    assert_eq!((facts.code, facts.contact.source), (Code::Valid, Source::Online));

    shop.set(&license, FreezeStatus::Freeze).await;
    let frozen = check(program).await;
    assert!(!frozen.may_run() && frozen.code() == &Code::Frozen, "{frozen:?}");
    shop.set(&license, FreezeStatus::Unfreeze).await;
    assert!(check(program).await.may_run());

    let other_folder = TempDir::new().unwrap();
    let other = kept(client(&shop, SAAS, &license, other_folder.path()));
    assert_eq!(check(other).await.code(), &Code::WrongProduct, "software of another product");

    let again = kept(client(&shop, SEATS_BOUGHT, &license, state.path()));
    let Shop { server, .. } = shop;
    server.kill();
    for program in [program, again] {
        let answer = check(program).await;
        assert!(answer.may_run(), "an outage of ours stops nobody: {answer:?}");
        assert_eq!(answer.contact().source, Source::Disk);
        assert!(answer.contact().trouble.is_some());
    }
}

#[tokio::test]
async fn an_image_is_enrolled_once_and_remembers_its_secret() {
    let (shop, state) = (Shop::open().await, TempDir::new().unwrap());
    let metadata = EcsMetadata {
        uuid: "ca9e8b7c-f2be-4b6d-a639-f10b4d994d04".into(),
        project_id: Some("6e8b9c0d1e2f4a5b8c7d6e5f4a3b2c1d".into()),
        region_id: Some("cn-east-3".into()),
        image_id: None,
        image_type: None,
        charging_mode: Some("0".into()),
    };
    let built = |state: &Path| {
        let builder = Client::builder(shop.server.api.to_string(), root_key(&shop), IMAGE);
        kept(builder.deployment(metadata.clone()).state_dir(state).build().unwrap())
    };
    assert_eq!(check(built(state.path())).await.code(), &Code::Valid);
    assert_eq!(check(built(state.path())).await.code(), &Code::Valid, "a restart of the program");
    let history = format!("/v1/licenses/{}/history", metadata.uuid);
    let enrolments = async || shop.server.look_up(&history).await["events"].as_array().unwrap().len();
    assert_eq!(enrolments().await, 1);
    let reinstalled = TempDir::new().unwrap();
    assert_eq!(check(built(reinstalled.path())).await.code(), &Code::Valid);
    assert_eq!(enrolments().await, 2);
    let shown = shop.server.look_up(&format!("/v1/licenses/{}", metadata.uuid)).await;
    assert_eq!(shown["deployment"]["clone_suspected"], json!(false));
}
