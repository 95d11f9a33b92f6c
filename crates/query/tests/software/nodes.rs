//! Several query nodes on one log, who share what they see.

use actix_web::test::TestRequest;
use chopmark_domain::access::Role;
use chopmark_views::testing::SharedStore;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::world::World;

const MACHINE: &str = "/v1/licenses/L1/machines/m1";

/// Two nodes; `m1` has a seat of a license with one.
async fn nodes() -> (World, World) {
    let store = tokio::task::spawn_blocking(SharedStore::new).await.unwrap();
    let one = World::of_nodes(&store).await;
    one.sells_seats("P1", 1).await;
    one.has_instance("L1", "P1", 1_000).await;
    one.has_token("support-token", Role::Support).await;
    let other = one.another_node(&store).await;
    assert_eq!(one.ask(TestRequest::put().uri(MACHINE)).await.status.as_u16(), 201);
    other.catch_up().await;
    (one, other)
}

/// When the lease ends that a node gives to `m1` now.
async fn given_lease(node: &World) -> DateTime<Utc> {
    let answer = node.check(&json!({"license": "L1", "machine": {"fingerprint": "m1"}})).await;
    answer.body["grace_until"].as_str().unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap()
}

fn by_token(request: TestRequest) -> TestRequest {
    request.insert_header(("Authorization", "Bearer support-token"))
}

async fn free(node: &World) {
    assert_eq!(node.ask(by_token(TestRequest::delete().uri(MACHINE))).await.status.as_u16(), 204);
}

/// Until when the seat is taken, as a node lists it.
async fn taken_until(node: &World) -> Option<DateTime<Utc>> {
    node.catch_up().await;
    let list = node.ask(by_token(TestRequest::get().uri("/v1/licenses/L1/machines"))).await;
    match &list.body["machines"][0]["taken_until"] {
        Value::String(until) => Some(until.parse().unwrap()),
        _ => None,
    }
}

#[actix_web::test]
async fn a_seat_stays_taken_while_another_node_s_lease_lasts_that_it_has_not_written_yet() {
    let (one, other) = nodes().await;
    one.pass(TimeDelta::minutes(30));
    let lease_ends = given_lease(&one).await;
    assert!(other.seen.last_seen("acme", "L1").await.unwrap().is_empty(), "the other does not know of it");
    free(&other).await;
    let until = taken_until(&one).await;
    assert!(until.is_some_and(|until| until >= lease_ends), "{until:?}, the lease ends {lease_ends}");
}

#[actix_web::test]
async fn a_seat_stays_taken_while_a_lease_lasts_that_a_node_gave_before_it_heard() {
    let (one, other) = nodes().await;
    one.seen.flush().await;
    free(&other).await;
    // It is behind by less than a minute: by its own clock it gives out a lease after the machine was freed.
    one.pass(TimeDelta::seconds(50));
    let longest = one.now() + TimeDelta::seconds(10_000);
    assert!(taken_until(&one).await.is_some_and(|until| until >= longest));
}

#[actix_web::test]
async fn a_lease_that_was_shown_is_known_to_all_from_then_on() {
    let (one, other) = nodes().await;
    let answer = one.check(&json!({"license": "L1", "machine": {"fingerprint": "m1"}})).await;
    let (lease, ends) = (answer.body["lease"].as_str().unwrap(), answer.body["grace_until"].as_str().unwrap());
    let shown = TestRequest::delete().uri(MACHINE).insert_header(("Chopmark-Lease", lease));
    assert_eq!(other.ask(shown).await.status.as_u16(), 204);
    let known = other.seen.last_seen("acme", "L1").await.unwrap();
    assert_eq!(known["m1"].lease_until, Some(ends.parse().unwrap()));
}
