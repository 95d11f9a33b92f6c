//! Machines: seats taken and given up.

use actix_web::test::TestRequest;
use chopmark_domain::access::Role;
use chopmark_domain::ids::InstanceId;
use chopmark_domain::license::Command;
use chopmark_domain::stream::LicenseId;
use chopmark_query::{configure_checks, configure_views};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::world::{Answered, World};

async fn world(seats: u32) -> World {
    let world = World::new().await;
    world.sells_seats("P1", seats).await;
    world.has_instance("L1", "P1", 1_000).await;
    world.has_token("support-token", Role::Support).await;
    world
}

fn path(machine: &str) -> String {
    format!("/v1/licenses/L1/machines/{machine}")
}

async fn put(world: &World, machine: &str) -> Answered {
    world.ask(TestRequest::put().uri(&path(machine))).await
}

async fn check(world: &World, machine: &str) -> Answered {
    world.check(&json!({"license": "L1", "machine": {"fingerprint": machine}})).await
}

async fn lease(world: &World, machine: &str) -> String {
    let answer = check(world, machine).await;
    answer.body["lease"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn delete(machine: &str, lease: &str) -> TestRequest {
    TestRequest::delete().uri(&path(machine)).insert_header(("Chopmark-Lease", lease))
}

fn delete_by_token(uri: &str) -> TestRequest {
    TestRequest::delete().uri(uri).insert_header(("Authorization", "Bearer support-token"))
}

#[actix_web::test]
async fn a_machine_takes_a_seat_once() {
    let world = world(2).await;
    assert_eq!(check(&world, "m1").await.code(), "MACHINE_NOT_ACTIVATED");
    let named = TestRequest::put().uri(&path("m1")).set_payload(r#"{"name":"build server 7"}"#);
    let new = world.ask(named).await;
    assert_eq!((new.status.as_u16(), &new.body["machine"]["name"]), (201, &json!("build server 7")));
    assert_eq!(new.body["seats"], json!({"used": 1, "limit": 2}));
    let events = world.events().await;
    let again = put(&world, "m1").await;
    assert_eq!((again.status.as_u16(), &again.body["machine"]), (200, &new.body["machine"]));
    assert_eq!(world.events().await, events);
    assert_eq!(check(&world, "m1").await.code(), "VALID");
    assert_eq!(world.check(&json!({"license": "L1"})).await.code(), "MACHINE_REQUIRED");
}

#[actix_web::test]
async fn no_more_machines_than_seats() {
    let world = world(1).await;
    put(&world, "m1").await;
    let refused = put(&world, "m2").await;
    assert_eq!((refused.status.as_u16(), refused.problem(), refused.code()), (409, "machine-limit", "MACHINE_LIMIT"));
    world.tell(LicenseId::Instance(InstanceId::parse("L1").unwrap()), Command::Freeze).await;
    let frozen = put(&world, "m1").await;
    assert_eq!((frozen.status.as_u16(), frozen.problem(), frozen.code()), (409, "license-not-usable", "FROZEN"));
}

#[actix_web::test]
async fn however_many_ask_at_once_no_more_get_a_seat_than_there_are() {
    let world = world(3).await;
    let machines: Vec<String> = (0..100).map(|machine| format!("m{machine}")).collect();
    let answers = join_all(machines.iter().map(|machine| put(&world, machine))).await;
    let with = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    assert_eq!((with(201), with(409)), (3, 97));
    let valid = join_all(machines.iter().map(|machine| check(&world, machine))).await;
    assert_eq!(valid.iter().filter(|answer| answer.code() == "VALID").count(), 3);
}

#[actix_web::test]
async fn what_cannot_be_activated_says_why() {
    let world = world(1).await;
    let unknown = world.ask(TestRequest::put().uri("/v1/licenses/nobody/machines/m1")).await;
    assert_eq!((unknown.status.as_u16(), unknown.problem()), (404, "no-such-license"));
    assert!(unknown.headers.contains_key("ratelimit"), "guessing counts");
    assert_eq!(put(&world, "a%20b").await.problem(), "malformed-request");
    assert_eq!(put(&world, &"m".repeat(256)).await.problem(), "malformed-request");
    assert_eq!(world.ask(TestRequest::put().uri(&path("m1")).set_payload("[]")).await.problem(), "malformed-request");
    assert_eq!(world.ask(TestRequest::put().uri(&format!("{}?seler=acme", path("m1")))).await.status.as_u16(), 400);
}

#[actix_web::test]
async fn a_seat_is_free_when_the_machines_lease_has_ended() {
    let world = world(1).await;
    put(&world, "m1").await;
    let lease = lease(&world, "m1").await;
    assert_eq!(world.ask(delete("m1", &lease)).await.status.as_u16(), 204);
    assert_eq!(check(&world, "m1").await.code(), "MACHINE_NOT_ACTIVATED");
    assert_eq!(put(&world, "m2").await.problem(), "machine-limit", "m1 may go on offline");
    world.pass(TimeDelta::seconds(9_990));
    assert_eq!(put(&world, "m2").await.problem(), "machine-limit");
    world.pass(TimeDelta::seconds(20));
    assert_eq!(put(&world, "m2").await.status.as_u16(), 201);
}

#[actix_web::test]
async fn a_machine_without_a_lease_leaves_its_seat_free_at_once() {
    let world = world(1).await;
    put(&world, "m1").await;
    assert_eq!(world.ask(delete_by_token(&path("m1"))).await.status.as_u16(), 204);
    assert_eq!(put(&world, "m2").await.status.as_u16(), 201);
}

#[actix_web::test]
async fn an_operator_can_give_a_seat_away_at_once() {
    let world = world(1).await;
    put(&world, "m1").await;
    let lease = lease(&world, "m1").await;
    let own = TestRequest::delete().uri(&format!("{}?now=true", path("m1"))).insert_header(("Chopmark-Lease", lease));
    assert_eq!(world.ask(own).await.problem(), "lease-refused");
    assert_eq!(world.ask(delete_by_token(&path("m1"))).await.status.as_u16(), 204);
    assert_eq!(put(&world, "m2").await.problem(), "machine-limit");
    assert_eq!(world.ask(delete_by_token(&format!("{}?now=true", path("m1")))).await.status.as_u16(), 204);
    assert_eq!(put(&world, "m2").await.status.as_u16(), 201);
}

#[actix_web::test]
async fn who_proves_nothing_frees_nothing_and_learns_nothing() {
    let world = world(3).await;
    put(&world, "m1").await;
    put(&world, "m2").await;
    let lease_of_another = lease(&world, "m2").await;
    for (proof, status, problem) in [
        (None, 401, "token-required"),
        (Some(("Chopmark-Lease", "nonsense".to_owned())), 403, "lease-refused"),
        (Some(("Chopmark-Lease", lease_of_another.clone())), 403, "lease-refused"),
        (Some(("Authorization", format!("Lease {lease_of_another}"))), 403, "lease-refused"),
        (Some(("Authorization", format!("Bearer {lease_of_another}"))), 403, "lease-refused"),
        (Some(("Authorization", "Bearer nonsense".to_owned())), 401, "token-unknown"),
    ] {
        let mut answers = vec![];
        for license in ["L1", "nobody"] {
            let mut request = TestRequest::delete().uri(&format!("/v1/licenses/{license}/machines/m1"));
            if let Some((name, value)) = &proof {
                request = request.insert_header((*name, value.as_str()));
            }
            let answer = world.ask(request).await;
            assert_eq!((answer.status.as_u16(), answer.problem()), (status, problem), "{proof:?}");
            answers.push(answer.body);
        }
        assert_eq!(answers[0], answers[1], "an unknown license is answered alike");
    }
    let unknown = world.ask(delete_by_token("/v1/licenses/nobody/machines/m1")).await;
    assert_eq!(unknown.problem(), "no-such-license");
    assert_eq!(world.ask(delete_by_token(&path("m9"))).await.problem(), "no-such-machine");
    assert_eq!(check(&world, "m1").await.code(), "VALID");
}

#[actix_web::test]
async fn a_lease_is_taken_wherever_a_program_can_put_it() {
    let world = world(6).await;
    for (machine, place) in ["bearer", "bare", "scheme", "parameter", "json", "text"].into_iter().enumerate() {
        let machine = format!("m{machine}");
        put(&world, &machine).await;
        let lease = lease(&world, &machine).await;
        let (uri, request) = (path(&machine), TestRequest::delete());
        let request = match place {
            "bearer" => request.uri(&uri).insert_header(("Authorization", format!("Bearer {lease}"))),
            "bare" => request.uri(&uri).insert_header(("Authorization", lease)),
            "scheme" => request.uri(&uri).insert_header(("Authorization", format!("Lease {lease}"))),
            "parameter" => request.uri(&format!("{uri}?lease={lease}")),
            "json" => request.uri(&uri).set_payload(json!({ "lease": lease }).to_string()),
            _ => request.uri(&uri).set_payload(lease),
        };
        assert_eq!(world.ask(request).await.status.as_u16(), 204, "{place}");
    }
}

#[actix_web::test]
async fn a_machine_needs_no_name() {
    let world = world(3).await;
    for (machine, body) in [("m1", ""), ("m2", "null"), ("m3", r#"{"name":null}"#)] {
        let answer = world.ask(TestRequest::put().uri(&path(machine)).set_payload(body)).await;
        assert_eq!(answer.status.as_u16(), 201, "{body}: {answer:?}");
        assert!(answer.body["machine"].get("name").is_none(), "{answer:?}");
    }
}

#[actix_web::test]
async fn machines_are_listed_with_when_they_were_seen() {
    let world = world(3).await;
    put(&world, "m1").await;
    put(&world, "m2").await;
    check(&world, "m1").await;
    world.ask(delete_by_token(&path("m2"))).await;
    let request = TestRequest::get().uri("/v1/licenses/L1/machines");
    assert_eq!(world.ask(request).await.problem(), "token-required");
    let request =
        TestRequest::get().uri("/v1/licenses/L1/machines").insert_header(("Authorization", "Bearer support-token"));
    let list = world.ask(request).await.body;
    assert_eq!((&list["machines"][0]["fingerprint"], &list["machines"][0]["active"]), (&json!("m1"), &json!(true)));
    assert!(list["machines"][0]["last_seen"].is_string() && list["machines"][0]["lease_until"].is_string());
    assert_eq!((&list["machines"][1]["fingerprint"], &list["machines"][1]["active"]), (&json!("m2"), &json!(false)));
    // It never had a lease, so its seat was free at once.
    assert!(list["machines"][1].get("taken_until").is_none() && list["machines"][1].get("last_seen").is_none());
    assert_eq!(list["seats"], json!({"used": 1, "limit": 3}));
    world.ask(delete_by_token(&path("m1"))).await;
    let listed = async || {
        let request = TestRequest::get().uri("/v1/licenses/L1/machines");
        world.ask(request.insert_header(("Authorization", "Bearer support-token"))).await.body["machines"][0].clone()
    };
    assert!(listed().await["taken_until"].is_string(), "a lease of it may be used offline");
    world.pass(TimeDelta::days(30));
    assert!(listed().await.get("taken_until").is_none(), "the seat is free by now");
}

#[actix_web::test]
async fn seats_are_given_up_on_either_listener() {
    let world = world(3).await;
    put(&world, "m1").await;
    put(&world, "m2").await;
    let by_token = world.ask_on(configure_views, delete_by_token(&path("m1"))).await;
    let lease = lease(&world, "m2").await;
    let by_lease = world.ask_on(configure_checks, delete("m2", &lease)).await;
    assert_eq!((by_token.status.as_u16(), by_lease.status.as_u16()), (204, 204));
    let list = TestRequest::get().uri("/v1/licenses/L1/machines");
    assert_eq!(world.ask_on(configure_checks, list).await.problem(), "no-such-path");
    let keys = TestRequest::get().uri("/.well-known/jwks.json");
    assert_eq!(world.ask_on(configure_checks, keys).await.status.as_u16(), 200);
}
