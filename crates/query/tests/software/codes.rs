//! License codes that only the marketplace knows.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chopmark_commands::Commands;
use chopmark_domain::catalog::ProductKind;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{LicenseCode, SellerId};
use chopmark_domain::license::{CodeAnswer, CodeState, Command};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use serde_json::json;

use crate::world::{World, terms};
use chopmark_query::{CodeLookedUp, CodeLookup, LimitSettings};

/// A marketplace that knows `PL0001TEST`, and answers nothing about `PL0002TEST`.
#[derive(Default)]
struct Marketplace {
    commands: Mutex<Option<Commands>>,
    asked: Mutex<Vec<String>>,
    refreshed: Mutex<Vec<String>>,
}

#[async_trait]
impl CodeLookup for Marketplace {
    async fn confirm(&self, seller: &SellerId, code: &LicenseCode) -> CodeLookedUp {
        self.asked.lock().unwrap().push(code.to_string());
        match code.as_str() {
            "PL0001TEST" => {
                let key = LicenseKey { seller: seller.clone(), id: LicenseId::Code(code.clone()) };
                let answer = CodeAnswer {
                    state: CodeState::Alive,
                    expires_at: None,
                    product_id: None,
                    quantity: None,
                    order: None,
                };
                let commands = self.commands.lock().unwrap().clone().unwrap();
                let done = commands.license(&key, Command::ConfirmCode(answer), &Cause::System).await.unwrap();
                CodeLookedUp::Known(done.position)
            }
            "PL0002TEST" => CodeLookedUp::Later,
            _ => CodeLookedUp::NotExist,
        }
    }

    fn refresh_daily(&self, _seller: &SellerId, code: &LicenseCode) {
        self.refreshed.lock().unwrap().push(code.to_string());
    }
}

async fn world(limits: LimitSettings) -> (World, Arc<Marketplace>) {
    let marketplace = Arc::new(Marketplace::default());
    let world = World::with(limits, Some(marketplace.clone())).await;
    *marketplace.commands.lock().unwrap() = Some(world.commands.clone());
    (world, marketplace)
}

#[actix_web::test]
async fn a_code_that_the_marketplace_knows_is_known_from_then_on() {
    let (world, marketplace) = world(LimitSettings::default()).await;
    world.sells("CODE", terms(ProductKind::LicenseCode)).await;
    for _ in 0..2 {
        let answer = world.check(&json!({"license": "PL0001TEST"})).await;
        assert_eq!((answer.code(), &answer.body["license"]["kind"]), ("VALID", &json!("license_code")));
    }
    assert_eq!(*marketplace.asked.lock().unwrap(), ["PL0001TEST"]);
    assert_eq!(*marketplace.refreshed.lock().unwrap(), ["PL0001TEST"], "asked again once a day, in the background");
}

#[actix_web::test]
async fn a_code_is_pending_while_the_marketplace_says_nothing_and_unknown_only_when_it_says_so() {
    let (world, _) = world(LimitSettings::default()).await;
    world.sells("CODE", terms(ProductKind::LicenseCode)).await;
    let later = world.check(&json!({"license": "PL0002TEST"})).await;
    assert_eq!((later.code(), later.body.get("license")), ("PENDING", None));
    assert_eq!((&later.body["valid"], &later.body["next_check_after"]), (&json!(false), &json!(60)));
    assert!(later.body["reason"].as_str().unwrap().contains("marketplace"));
    assert_eq!(world.check(&json!({"license": "PL0003TEST"})).await.code(), "NOT_FOUND");
}

#[actix_web::test]
async fn nobody_is_asked_for_what_cannot_be_a_code() {
    let (world, marketplace) = world(LimitSettings::default()).await;
    assert_eq!(world.check(&json!({"license": "PL0001TEST"})).await.code(), "NOT_FOUND", "nobody sells codes");
    world.sells("CODE", terms(ProductKind::LicenseCode)).await;
    world.sells("SAAS", terms(ProductKind::Saas)).await;
    for question in [
        json!({"license": "PL 0001"}),
        json!({"license": "10e758d0-31ad-4c4b-8f1b-81d03469a10e"}),
        json!({"license": "PL0001TEST", "product": "SAAS"}),
        json!({"license": "PL0001TEST", "product": "nothing"}),
        json!({"license": "PL0001TEST", "seller": "beta"}),
    ] {
        assert_eq!(world.check(&question).await.code(), "NOT_FOUND", "{question}");
    }
    assert!(marketplace.asked.lock().unwrap().is_empty());
    let named = json!({"license": "PL0001TEST", "seller": "acme", "product": "CODE"});
    assert_ne!(world.check(&named).await.code(), "NOT_FOUND");
}

#[actix_web::test]
async fn guessing_codes_costs_the_guesser() {
    let limits =
        LimitSettings { code_lookups_per_address_and_minute: 2, failures_per_minute: 3, ..LimitSettings::default() };
    let (world, marketplace) = world(limits).await;
    world.sells("CODE", terms(ProductKind::LicenseCode)).await;
    let mut answers = vec![];
    for guess in 0..5 {
        let answer = world.check(&json!({"license": format!("PLGUESS{guess}")})).await;
        answers.push((answer.status.as_u16(), answer.body["code"].as_str().unwrap_or("-").to_owned()));
    }
    let expected = [(200, "NOT_FOUND"), (200, "NOT_FOUND"), (200, "PENDING"), (429, "-"), (429, "-")]
        .map(|(s, c)| (s, c.to_owned()));
    assert_eq!(answers, expected);
    assert_eq!(marketplace.asked.lock().unwrap().len(), 2);
}

#[actix_web::test]
async fn many_machines_behind_one_address_begin_with_one_new_code() {
    let limits =
        LimitSettings { code_lookups_per_address_and_minute: 1, failures_per_minute: 1, ..LimitSettings::default() };
    let (world, _) = world(limits).await;
    world.sells("CODE", terms(ProductKind::LicenseCode)).await;
    for machine in 0..50 {
        let answer = world.check(&json!({"license": "PL0002TEST"})).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (200, "PENDING"), "machine {machine}");
    }
    // A guess is still a guess.
    let guesses = [json!({"license": "PLGUESS1"}), json!({"license": "PLGUESS2"})];
    let mut statuses = vec![];
    for guess in &guesses {
        statuses.push(world.check(guess).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 429]);
}

#[actix_web::test]
async fn asking_again_for_what_the_marketplace_does_not_know_goes_on_to_count() {
    let limits = LimitSettings { failures_per_minute: 2, ..LimitSettings::default() };
    let (world, _) = world(limits).await;
    world.sells("CODE", terms(ProductKind::LicenseCode)).await;
    let mut statuses = vec![];
    for _ in 0..3 {
        statuses.push(world.check(&json!({"license": "PLGUESS1"})).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}
