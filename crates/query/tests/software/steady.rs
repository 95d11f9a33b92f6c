//! An answer that is given again says what a new one would say.

use actix_web::test::TestRequest;
use chopmark_domain::catalog::{Entitlement, ProductKind, ProductTerms};
use chopmark_domain::ids::InstanceId;
use chopmark_domain::license::Command;
use chopmark_domain::stream::LicenseId;
use chopmark_signing::KeyRing;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::world::{Answered, World, terms};

/// A node that gives answers again, and one that writes each of them.
struct Both {
    steady: World,
    forgetful: World,
}

impl Both {
    async fn new() -> Self {
        let steady = World::new().await;
        let forgetful = steady.forgetful_node().await;
        Self { steady, forgetful }
    }

    fn licenses() -> [LicenseId; 2] {
        ["L1", "L2"].map(|id| LicenseId::Instance(InstanceId::parse(id).unwrap()))
    }

    /// Every question is asked three times on both nodes, and answered the same.
    async fn agree(&self, after: &str) {
        self.forgetful.catch_up().await;
        for language in ["en", "zh"] {
            for question in [
                json!({"license": "L1"}),
                json!({"license": "L1", "product": "P1", "nonce": "n"}),
                json!({"license": "L1", "product": "P2"}),
                json!({"license": "L1", "machine": {"fingerprint": "m1"}}),
                json!({"license": "L2", "machine": {"fingerprint": "m1"}}),
                json!({"license": "L2", "machine": {"fingerprint": "m2"}}),
            ] {
                for time in ["first", "second", "third"] {
                    let answers = [&self.steady, &self.forgetful].map(|node| check(node, &question, language));
                    let [steady, forgetful] = futures_util::future::join_all(answers).await.try_into().unwrap();
                    assert_eq!(members(steady), members(forgetful), "{after}: {question} in {language}, {time} time");
                }
            }
        }
    }
}

async fn check(node: &World, question: &Value, language: &str) -> Answered {
    let asked = TestRequest::post().uri("/v1/checks").insert_header(("Accept-Language", language));
    node.ask(asked.set_payload(question.to_string())).await
}

/// The answer but for what is left to chance.
fn members(mut answer: Answered) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.as_object_mut().unwrap().remove("next_check_after").unwrap();
    answer.body
}

#[actix_web::test]
async fn an_answer_given_again_says_what_a_new_one_would() {
    let both = Both::new().await;
    let world = &both.steady;
    world.sells("P1", terms(ProductKind::Saas)).await;
    world.sells_seats("P2", 1).await;
    world.has_instance("L1", "P1", 1).await;
    world.has_instance("L2", "P2", 1).await;
    both.agree("at first").await;
    assert!(world.leases.metrics().reused() > 0, "answers were given again");
    for command in [Command::Block("abuse".into()), Command::Unblock, Command::Freeze, Command::Unfreeze] {
        for id in Both::licenses() {
            world.tell(id, command.clone()).await;
        }
        both.agree(&format!("after {command:?}")).await;
    }
    let activate = json!({"fingerprint": "m1"});
    let seat = TestRequest::put().uri("/v1/licenses/L2/machines/m1").set_payload(activate.to_string());
    assert_eq!(world.ask(seat).await.status, 201);
    both.agree("with a machine").await;
    let entitlements = [("users".to_owned(), Entitlement::Number(7))].into();
    world.sells("P1", ProductTerms { entitlements, lease_seconds: 700, ..terms(ProductKind::Saas) }).await;
    both.agree("under other terms").await;
    for (time, what) in [
        (TimeDelta::milliseconds(1), "a moment later"),
        (TimeDelta::seconds(400), "past half of a lease"),
        (TimeDelta::seconds(86_400), "past the expiry"),
        (TimeDelta::days(15), "past the grace"),
    ] {
        world.pass(time);
        both.agree(what).await;
    }
}

#[actix_web::test]
async fn a_lease_of_a_former_key_is_not_given_again() {
    let both = Both::new().await;
    both.steady.sells("P1", terms(ProductKind::Saas)).await;
    both.steady.has_instance("L1", "P1", 100).await;
    both.agree("at first").await;
    let question = json!({"license": "L1"});
    let former = check(&both.steady, &question, "en").await.body["lease"].clone();
    for node in [&both.steady, &both.forgetful] {
        // Those that every node begins with, turned once.
        let keys = KeyRing::generate([[1; 32], [2; 32]]).unwrap().rotate([9; 32]).unwrap();
        node.leases.replace_keys(keys);
    }
    both.agree("with another key").await;
    assert_ne!(check(&both.steady, &question, "en").await.body["lease"], former);
}
