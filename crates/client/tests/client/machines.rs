//! Seats.

use chopmark_client::{ActivateError, Activation, FreeError, Trouble};
use serde_json::json;

use crate::fake_server::Reply;
use crate::world::{LICENSE, World};

const PATH: &str = "/v1/licenses/10e758d0-31ad-4c4b-8f1b-81d03469a10e/machines/machine-1";

fn problem(status: u16, kind: &str) -> Reply {
    let kind = format!("https://chopmark.dev/problems/{kind}");
    Reply::Json(status, json!({"type": kind, "title": "No", "status": status, "detail": "because"}))
}

#[test]
fn a_machine_takes_a_seat_once() {
    let world = World::new();
    let client = world.client();
    world.server.now(|_| Reply::Json(201, json!({})));
    assert_eq!(client.activate(Some("Front desk")).expect("a seat"), Activation::Seated);
    let heard = world.server.last();
    assert!(heard.is("PUT", PATH), "{heard:?}");
    assert_eq!(heard.json(), json!({"name": "Front desk"}));
    world.server.now(|_| Reply::Json(200, json!({})));
    assert_eq!(client.activate(None).expect("a seat"), Activation::Already);
    assert_eq!(world.server.last().json(), json!({}));
}

#[test]
fn a_seat_that_is_not_to_be_had_is_told_apart_from_trouble() {
    let world = World::new();
    let client = world.client();
    world.server.now(|_| problem(409, "machine-limit"));
    assert!(matches!(client.activate(None), Err(ActivateError::Limit { detail }) if detail == "because"));
    world.server.now(|_| problem(404, "not-found"));
    assert!(matches!(client.activate(None), Err(ActivateError::Refused { code, .. }) if code == "NOT_FOUND"));
    for (status, text) in [(500, ""), (503, "{}"), (429, ""), (302, ""), (409, "<html>a proxy</html>")] {
        world.server.now(move |_| Reply::Text(status, "", text.into()));
        let error = client.activate(None).expect_err("no seat");
        assert!(matches!(error, ActivateError::Trouble(Trouble::Status { .. })), "{status}: {error:?}");
    }
    world.is_down();
    assert!(matches!(client.activate(None), Err(ActivateError::Trouble(Trouble::Unreachable(_)))));
    let nameless = world.builder().license(LICENSE).build().expect("a client");
    assert!(matches!(nameless.activate(None), Err(ActivateError::NoMachine)));
}

#[test]
fn a_machine_gives_its_seat_back_by_showing_its_lease_and_is_licensed_no_more() {
    let world = World::new();
    let client = world.client();
    assert!(matches!(client.free(), Err(FreeError::NoLease)));
    assert!(client.check().may_run());
    world.server.now(|_| problem(403, "lease-required"));
    assert!(matches!(client.free(), Err(FreeError::Refused { code, .. }) if code == "LEASE_REQUIRED"));
    world.is_down();
    assert!(matches!(client.free(), Err(FreeError::Trouble(_))));
    assert!(client.check().may_run(), "it still has its seat");
    world.server.now(|_| Reply::Text(204, "", String::new()));
    client.free().expect("freed");
    let heard = world.server.last();
    assert!(heard.is("DELETE", PATH));
    assert_eq!(heard.headers["chopmark-lease"].split('.').count(), 3);
    world.is_down();
    assert_eq!(world.client().check().code().as_str(), "MACHINE_NOT_ACTIVATED");
}

#[test]
fn ids_with_odd_characters_stay_in_their_place_of_the_path() {
    let world = World::new();
    world.server.now(|_| Reply::Json(201, json!({})));
    let machine = chopmark_client::Fingerprint::parse("fa:16").expect("one");
    let client = world.builder().license("a/../b?c 授").machine(machine).seller("a&b").build().expect("a client");
    client.activate(None).expect("a seat");
    assert_eq!(world.server.last().path, "/v1/licenses/a%2F..%2Fb%3Fc%20%E6%8E%88/machines/fa%3A16?seller=a%26b");
}
