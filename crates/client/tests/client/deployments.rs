//! Image products: the ECS is what is licensed.

use chopmark_client::{Answer, Client, EcsMetadata};
use serde_json::json;

use crate::fake_server::Reply;
use crate::world::{START, UUID, World, claims_but, no, yes};

fn client(world: &World) -> Client {
    let ecs = EcsMetadata {
        uuid: UUID.into(),
        project_id: Some("6e8b".into()),
        region_id: Some("cn-east-3".into()),
        image_id: Some("3a64bd37".into()),
        image_type: Some("market".into()),
        charging_mode: Some("0".into()),
    };
    world.builder().deployment(ecs).build().expect("a client")
}

/// A server that enrols whoever shows no secret.
fn enrols(world: &World, lease_for: &'static str) {
    let (root, clock) = (world.root.clone(), world.clock.clone());
    world.server.now(move |heard| {
        let claims = json!({"sub": lease_for, "deployment": lease_for, "machine": null});
        let lease = root.lease(&claims_but(clock.seconds(), &claims));
        let mut body = yes(heard, &lease.into(), clock.seconds());
        if heard.json()["deployment"].get("secret").is_none() {
            body["enrolment_secret"] = "s3cret".into();
        }
        Reply::Json(200, body)
    });
}

#[test]
fn an_ecs_is_enrolled_once_and_shows_its_secret_ever_after() {
    let world = World::new();
    enrols(&world, UUID);
    assert!(matches!(client(&world).check(), Answer::Licensed(_)));
    let claim = json!({"uuid": UUID, "project_id": "6e8b", "region_id": "cn-east-3", "image_id": "3a64bd37",
        "charging_mode": "0"});
    let first = world.server.last().json();
    assert_eq!(first["deployment"], claim);
    assert!(first.get("license").is_none() && first.get("machine").is_none());
    assert!(matches!(client(&world).check(), Answer::Licensed(_)), "after a restart");
    assert_eq!(world.server.last().json()["deployment"]["secret"], "s3cret");
    world.is_down();
    world.clock.set(START + 60);
    assert!(matches!(client(&world).check(), Answer::Licensed(_)));
}

#[test]
fn the_secret_is_kept_even_when_the_answer_cannot_be_used() {
    let world = World::new();
    let clock = world.clock.clone();
    world.server.now(move |heard| {
        let mut body = yes(heard, &"no lease".into(), clock.seconds());
        body["enrolment_secret"] = "s3cret".into();
        Reply::Json(200, body)
    });
    assert!(client(&world).check().contact().trouble.is_some());
    enrols(&world, UUID);
    assert!(matches!(client(&world).check(), Answer::Licensed(_)));
    assert_eq!(world.server.last().json()["deployment"]["secret"], "s3cret");
}

#[test]
fn a_secret_from_nobody_knows_whom_is_not_kept() {
    let world = World::new();
    world.server.now(|heard| {
        let mut body = no(heard, "NOT_FOUND");
        body["nonce"] = "another".into();
        body["enrolment_secret"] = "s3cret".into();
        Reply::Json(200, body)
    });
    let _ = client(&world).check();
    let _ = client(&world).check();
    assert!(world.server.last().json()["deployment"].get("secret").is_none());
}

#[test]
fn a_lease_of_another_ecs_is_not_ours() {
    let world = World::new();
    enrols(&world, "00000000-0000-0000-0000-000000000001");
    assert!(client(&world).check().facts().is_some_and(|facts| facts.renew_by.is_none()));
}
