//! Deployments: who is enrolled, who is elsewhere, who is a clone.

use chopmark_domain::catalog::{ClonePolicy, ProductKind, ProductTerms, Seats};
use chopmark_domain::license::{CLONE_WINDOW, Code, Command, DeploymentClaim, EnrolmentHash, Question, Refusal, judge};

use crate::support::*;

fn terms(clones: ClonePolicy) -> ProductTerms {
    ProductTerms { kind: ProductKind::Image, seats: None, clones, ..seats(Seats::Fixed(1)) }
}

/// What a check of a deployment from a project with a secret is answered.
fn code(life: &Life, policy: ClonePolicy, project: &str, presented: Option<&str>) -> Code {
    let (facts, terms) = (ecs(project), terms(policy));
    let claim = DeploymentClaim {
        project_id: &facts.project_id,
        region_id: &facts.region_id,
        presented: presented.map(EnrolmentHash::of),
    };
    let question = Question { deployment: Some(claim), ..Question::default() };
    judge(life.license(), Some(&terms), question, life.now).code
}

fn is_suspected(life: &Life) -> bool {
    life.license().deployment.as_ref().is_some_and(|deployment| deployment.is_clone_suspected(life.now))
}

const ENROLLED: [&str; 1] = ["deployment_enrolled.v1"];

#[test]
fn first_sight_enrols_and_the_secret_needs_no_event() {
    let mut life = Life::of_deployment();
    assert_eq!(life.deliver(enrolment("p1", None, "s1")), Ok(ENROLLED.into()));
    assert_eq!(life.deliver(enrolment("p1", Some("s1"), "s2")), Ok(vec![]));
    assert_eq!(code(&life, ClonePolicy::Report, "p1", Some("s1")), Code::Valid);
    assert_eq!(life.license().sku, Some(sku("image")));
    assert!(life.license().facts_known());
}

#[test]
fn the_same_ecs_id_from_elsewhere_is_a_conflict() {
    let mut life = Life::of_deployment().given(enrolment("p1", None, "s1"));
    assert_eq!(life.deliver(enrolment("p2", None, "s2")), Err(Refusal::DeploymentConflict));
    assert_eq!(life.deliver(enrolment("p2", Some("s1"), "s2")), Err(Refusal::DeploymentConflict), "whatever it has");
    assert_eq!(code(&life, ClonePolicy::Report, "p2", Some("s1")), Code::DeploymentConflict);
    assert_eq!(code(&life, ClonePolicy::Report, "p1", Some("s1")), Code::Valid, "who was there stays");
}

#[test]
fn a_system_installed_again_is_enrolled_anew_and_the_old_secret_ends() {
    let mut life = Life::of_deployment().given(enrolment("p1", None, "s1"));
    assert_eq!(life.deliver(enrolment("p1", None, "s2")), Ok(ENROLLED.into()));
    let deployment = life.license().deployment.clone().unwrap();
    assert_eq!(deployment.secret, EnrolmentHash::of("s2"));
    assert!(!is_suspected(&life), "once is no clone");
}

#[test]
fn enrolments_in_turn_are_a_clone_and_only_reported() {
    let mut life = Life::of_deployment().given(enrolment("p1", None, "s1")).given(enrolment("p1", None, "s2"));
    assert_eq!(life.deliver(enrolment("p1", Some("s1"), "s3")), Ok(ENROLLED.into()), "the first one is back");
    assert!(is_suspected(&life));
    assert_eq!(code(&life, ClonePolicy::Report, "p1", Some("s3")), Code::Valid);
    assert_eq!(code(&life, ClonePolicy::Report, "p1", Some("s2")), Code::Valid, "no customer pays for a suspicion");
    let later = life.at(day(0) + CLONE_WINDOW);
    assert!(!is_suspected(&later), "it is forgotten");
}

#[test]
fn a_secret_that_comes_back_after_the_window_is_a_restored_system() {
    let life = Life::of_deployment().given(enrolment("p1", None, "s1")).given(enrolment("p1", None, "s2"));
    let life = life.at(day(0) + CLONE_WINDOW).given(enrolment("p1", Some("s1"), "s3"));
    assert!(!is_suspected(&life));
}

#[test]
fn installing_again_and_again_within_a_day_is_suspicious_too() {
    let life = (1..=3).fold(Life::of_deployment(), |life, n| life.given(enrolment("p1", None, &format!("s{n}"))));
    assert!(!is_suspected(&life));
    assert!(is_suspected(&life.given(enrolment("p1", None, "s4"))));
}

#[test]
fn where_the_product_refuses_clones_the_holder_of_the_secret_goes_on() {
    let refuse = |presented, secret| enrolment_under(ClonePolicy::Refuse, "p1", presented, secret);
    let mut life = Life::of_deployment().given(refuse(None, "s1")).given(refuse(None, "s2"));
    assert_eq!(life.deliver(refuse(Some("s1"), "s3")), Err(Refusal::DeploymentConflict));
    assert_eq!(code(&life, ClonePolicy::Refuse, "p1", Some("s1")), Code::DeploymentConflict);
    assert_eq!(code(&life, ClonePolicy::Refuse, "p1", Some("s2")), Code::Valid);
    let mut later = life.at(day(0) + CLONE_WINDOW);
    assert_eq!(later.deliver(refuse(Some("s1"), "s3")), Ok(ENROLLED.into()), "a system restored from a copy");
}

#[test]
fn enrolments_of_one_deployment_are_bounded() {
    let mut life = (0..6).fold(Life::of_deployment(), |life, n| life.given(enrolment("p1", None, &format!("s{n}"))));
    assert_eq!(life.deliver(enrolment("p1", None, "s7")), Err(Refusal::TooManyToday));
    let mut later = life.at(day(0) + CLONE_WINDOW);
    assert!(later.deliver(enrolment("p1", None, "s7")).is_ok());
}

#[test]
fn a_blocked_deployment_stays_blocked_however_often_it_is_installed() {
    let mut life = Life::of_deployment().given(enrolment("p1", None, "s1")).given(Command::Block("abuse".into()));
    assert_eq!(life.deliver(enrolment("p1", None, "s2")), Err(Refusal::NotUsable(Code::Blocked)));
    assert_eq!(code(&life, ClonePolicy::Report, "p1", Some("s1")), Code::Blocked);
}

#[test]
fn a_license_of_another_kind_takes_no_enrolment_and_a_deployment_no_machine() {
    assert_eq!(Life::bought().deliver(enrolment("p1", None, "s1")), Err(Refusal::OtherKind));
    assert_eq!(Life::of_instance().deliver(enrolment("p1", None, "s1")), Err(Refusal::Unknown));
    let mut life = Life::of_deployment().given(enrolment("p1", None, "s1"));
    assert_eq!(life.deliver(activate("m", Seats::Fixed(1))), Err(Refusal::OtherKind));
}
