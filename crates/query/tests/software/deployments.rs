//! Deployments: first seen, enrolled anew, elsewhere, too many.

use actix_web::test::TestRequest;
use chopmark_domain::access::Role;
use chopmark_domain::catalog::{ClonePolicy, ProductKind, ProductTerms};
use chopmark_domain::ids::EcsId;
use chopmark_domain::license::Command;
use chopmark_domain::stream::LicenseId;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::world::{Answered, World, terms};
use chopmark_query::LimitSettings;

const ECS: &str = "ca9e8b7c-f2be-4b6d-a639-f10b4d994d04";

fn question(project: &str, secret: Option<&str>) -> Value {
    json!({
        "deployment": {
            "uuid": ECS, "project_id": project, "region_id": "cn-east-3", "charging_mode": "0", "secret": secret
        },
        "product": "IMG"
    })
}

async fn asks(world: &World, project: &str, secret: Option<&str>) -> Answered {
    world.check(&question(project, secret)).await
}

fn secret(answer: &Answered) -> String {
    answer.body["enrolment_secret"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

async fn world(limits: LimitSettings, clones: ClonePolicy) -> World {
    let world = World::with(limits, None).await;
    world.sells("IMG", ProductTerms { clones, ..terms(ProductKind::Image) }).await;
    world.sells("SAAS", terms(ProductKind::Saas)).await;
    world
}

#[actix_web::test]
async fn a_deployment_is_enrolled_at_first_sight_and_known_by_its_secret_from_then_on() {
    let world = world(LimitSettings::default(), ClonePolicy::Report).await;
    let first = asks(&world, "p1", None).await;
    assert_eq!((first.code(), &first.body["license"]["kind"]), ("VALID", &json!("image")));
    assert_eq!((&first.body["license"]["id"], &first.body["license"]["revision"]), (&json!(ECS), &json!(1)));
    let lease = world.leases.keys().verify_lease(first.body["lease"].as_str().unwrap(), world.now()).unwrap();
    assert_eq!(lease.deployment.as_deref(), Some(ECS));

    let events = world.events().await;
    let secret = secret(&first);
    assert_eq!(secret.len(), 43, "256 bits");
    let again = asks(&world, "p1", Some(&secret)).await;
    assert_eq!((again.code(), again.body.get("enrolment_secret")), ("VALID", None));
    assert_eq!(world.events().await, events, "a check of what is known grows no log");
    assert_eq!(world.counted("chopmark_enrolments_total", "first"), 1.0);
    let hour = world.seen.hour("acme", world.now()).await.unwrap();
    assert_eq!((hour.len(), hour[0].charging_mode.as_deref()), (1, Some("0")));
    assert!(world.seen.last_seen("acme", ECS).await.unwrap()[""].lease_until.is_some());
}

#[actix_web::test]
async fn a_license_by_that_name_does_not_exist() {
    let world = world(LimitSettings::default(), ClonePolicy::Report).await;
    asks(&world, "p1", None).await;
    assert_eq!(world.check(&json!({"license": ECS, "product": "IMG"})).await.code(), "NOT_FOUND");
}

#[actix_web::test]
async fn only_image_products_have_deployments() {
    let world = world(LimitSettings::default(), ClonePolicy::Report).await;
    let events = world.events().await;
    for product in ["SAAS", "nothing"] {
        let mut question = question("p1", None);
        question["product"] = product.into();
        assert_eq!(world.check(&question).await.code(), "NOT_FOUND", "{product}");
    }
    let mut of_another = question("p1", None);
    of_another["seller"] = "beta".into();
    assert_eq!(world.check(&of_another).await.code(), "NOT_FOUND");
    assert_eq!(world.events().await, events);
}

#[actix_web::test]
async fn the_same_id_from_elsewhere_is_a_conflict_and_changes_nothing() {
    let world = world(LimitSettings::default(), ClonePolicy::Report).await;
    let secret = secret(&asks(&world, "p1", None).await);
    let events = world.events().await;
    world.pass(TimeDelta::seconds(5));
    for presented in [None, Some(secret.as_str())] {
        let elsewhere = asks(&world, "p2", presented).await;
        assert_eq!((elsewhere.code(), elsewhere.body.get("lease")), ("DEPLOYMENT_CONFLICT", None));
    }
    assert_eq!(asks(&world, "p1", Some(&secret)).await.code(), "VALID");
    assert_eq!(world.events().await, events);
    assert_eq!(world.counted("chopmark_enrolments_total", "refused"), 2.0, "and it is counted");
    assert_eq!(world.counted("chopmark_clones_suspected_total", "acme"), 0.0, "somewhere else is no clone");
}

#[actix_web::test]
async fn a_clone_is_reported_and_goes_on() {
    let world = world(LimitSettings::default(), ClonePolicy::Report).await;
    let first = secret(&asks(&world, "p1", None).await);
    world.pass(TimeDelta::minutes(5));
    let second = secret(&asks(&world, "p1", None).await);
    assert_ne!(first, second, "a system installed again gets a secret of its own");
    assert_eq!(world.counted("chopmark_clones_suspected_total", "acme"), 0.0);
    world.pass(TimeDelta::minutes(5));
    let back = asks(&world, "p1", Some(&first)).await;
    assert_eq!(back.code(), "VALID");
    assert_eq!(world.counted("chopmark_clones_suspected_total", "acme"), 1.0);
    assert_eq!(world.counted("chopmark_enrolments_total", "anew"), 2.0);
}

#[actix_web::test]
async fn a_clone_is_refused_where_the_product_says_so() {
    let world = world(LimitSettings::default(), ClonePolicy::Refuse).await;
    let first = secret(&asks(&world, "p1", None).await);
    world.pass(TimeDelta::minutes(5));
    let second = asks(&world, "p1", None).await;
    assert_eq!(second.code(), "VALID", "once, a system may be installed again");
    world.pass(TimeDelta::minutes(5));
    let events = world.events().await;
    for asked in 1..=3 {
        assert_eq!(asks(&world, "p1", Some(&first)).await.code(), "DEPLOYMENT_CONFLICT");
        for (name, label) in [("chopmark_enrolments_total", "refused"), ("chopmark_clones_suspected_total", "acme")] {
            assert_eq!(world.counted(name, label), f64::from(asked), "{name}: refused, and not in silence");
        }
    }
    assert_eq!(asks(&world, "p1", Some(&secret(&second))).await.code(), "VALID");
    assert_eq!(world.events().await, events, "what is refused grows no log");
    assert_eq!(world.counted("chopmark_enrolments_total", "refused"), 3.0, "who is on record is none of them");
}

#[actix_web::test]
async fn above_the_bound_it_is_answered_and_not_recorded() {
    let limits = LimitSettings { enrolments_per_address_and_hour: 0, ..LimitSettings::default() };
    let world = world(limits, ClonePolicy::Report).await;
    let events = world.events().await;
    let answer = asks(&world, "p1", None).await;
    assert_eq!((answer.code(), answer.body.get("enrolment_secret")), ("VALID", None));
    assert!(answer.body["lease"].is_string());
    assert_eq!(answer.body["license"]["revision"], 0);
    assert_eq!(world.events().await, events);
    assert_eq!(world.counted("chopmark_enrolments_total", "bounded"), 1.0);
    assert!(world.seen.hour("acme", world.now()).await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_blocked_deployment_stays_blocked_however_it_asks() {
    let world = world(LimitSettings::default(), ClonePolicy::Report).await;
    let secret = secret(&asks(&world, "p1", None).await);
    world.tell(LicenseId::Deployment(EcsId::parse(ECS).unwrap()), Command::Block("abuse".into())).await;
    let events = world.events().await;
    for presented in [None, Some(secret.as_str())] {
        assert_eq!(asks(&world, "p1", presented).await.code(), "BLOCKED");
    }
    assert_eq!(world.events().await, events);
    assert_eq!(world.counted("chopmark_enrolments_total", "refused"), 1.0, "the one that is not on record as it asks");
}

#[actix_web::test]
async fn every_verdict_can_be_explained_from_its_answer() {
    for policy in [ClonePolicy::Report, ClonePolicy::Refuse] {
        let limits = LimitSettings { enrolments_per_deployment_and_day: 4, ..LimitSettings::default() };
        let world = world(limits, policy).await;
        world.has_token("support-token", Role::Support).await;
        let (mut secrets, mut answers) = (vec![None], vec![]);
        for round in 0..12 {
            let presented: Option<String> = secrets[(round * 5) % secrets.len()].clone();
            let asked = question(if round == 7 { "p2" } else { "p1" }, presented.as_deref());
            let answer = world.check(&asked).await;
            secrets.extend(answer.body["enrolment_secret"].as_str().map(|secret| Some(secret.to_owned())));
            answers.push((asked, answer.body));
            world.pass(TimeDelta::minutes(7));
        }
        for (question, answer) in answers {
            let body = json!({
                "question": question, "position": answer["position"], "checked_at": answer["checked_at"]
            });
            let request = TestRequest::post()
                .uri(&format!("/v1/licenses/{ECS}/explain"))
                .insert_header(("Authorization", "Bearer support-token"))
                .set_payload(body.to_string());
            let explained = world.ask(request).await.body;
            for member in ["valid", "code", "license"] {
                assert_eq!(explained[member], answer[member], "{policy:?} {body}: {explained}");
            }
        }
    }
}
