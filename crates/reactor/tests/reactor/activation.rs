//! Codes that exist are activated.

use std::time::Duration;

use chopmark_domain::cause::Cause;
use chopmark_domain::license::{Activation, CodeState, Command, Errand};
use chopmark_domain::stream::Stream;
use chopmark_huawei::open_api::{CodeOutcome, ErrorKind};
use chopmark_reactor::at_risk;
use chrono::TimeDelta;

use crate::world::{Does, World, cause_of, code, says};

const FAIL: Does = Does::Fail(ErrorKind::Transient);
const CONFIRMED: &str = "license_code_confirmed.v1";
const DELAYED: &str = "license_errand_delayed.v1";
const ABANDONED: &str = "license_errand_abandoned.v1";

#[tokio::test]
async fn an_inactive_code_is_activated_and_what_the_marketplace_says_of_it_then_is_on_record() {
    let world = World::new();
    world.marketplace.plan("activate PL1", &[says(CodeState::Alive)]);
    world.marketplace.plan("query PL1", &[says(CodeState::Alive)]);
    let running = world.start();
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    running.until_activated(&world, "PL1").await;

    let events = world.license_events(&code("PL1")).await;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, [CONFIRMED, CONFIRMED]);
    let told = Cause::OpenApi { api: "license/heartbeat".into(), answer: Some(r#"{"status":"Alive"}"#.into()) };
    assert_eq!(cause_of(&events[1]), told);
    let license = world.license(&code("PL1")).await;
    assert_eq!((license.activation, license.quantity), (Activation::Done, Some(5)));
    running.until_nothing_is_open().await;
    running.stop().await;
}

#[tokio::test]
async fn the_order_that_an_activation_names_is_kept_since_no_other_answer_names_it() {
    let world = World::new();
    let order = Some(crate::world::order_ref("CS1", "1"));
    let answer = chopmark_domain::license::CodeAnswer { order, ..crate::world::code_answer(CodeState::Alive) };
    let activated = Does::Say(CodeOutcome::Known { answer, kept_json: "{}".into() });
    for code in ["PL1", "PL2"] {
        world.marketplace.plan(&format!("activate {code}"), std::slice::from_ref(&activated));
    }
    world.marketplace.plan("query PL1", &[says(CodeState::Alive)]);
    // Active it is all the same: the question is asked again another day.
    world.marketplace.plan("query PL2", &[says(CodeState::Inactive)]);
    world.marketplace.plan("CS1", &[Does::Tell(vec![crate::world::facts("1")])]);
    let running = world.start();
    for (code, events) in [(code("PL1"), 4), (code("PL2"), 3)] {
        world.confirm(&code, CodeState::Inactive).await;
        world.until_applied(&code, 1).await;
        running.until_nothing_is_open().await;
        let license = world.license(&code).await;
        assert_eq!((license.activation, license.sku.is_some(), license.quantity), (Activation::Done, true, Some(5)));
        let told = &world.license_events(&code).await[1];
        assert!(!String::from_utf8_lossy(&told.data).contains("expires_at"), "an activation only estimates it");
        assert_eq!(world.license_events(&code).await.len(), events);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_code_that_is_active_already_is_as_good() {
    let world = World::new();
    world.marketplace.plan("activate PL1", &[Does::Say(CodeOutcome::AlreadyActive)]);
    world.marketplace.plan("query PL1", &[FAIL, says(CodeState::Expired)]);
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    let running = world.start();
    world.until(&Stream::License(code("PL1")), CONFIRMED, 2).await;
    running.until_nothing_is_open().await;
    running.stop().await;
}

#[tokio::test]
async fn a_code_that_nobody_received_yet_is_tried_until_somebody_has() {
    let world = World::new();
    let not_yet = Does::Say(CodeOutcome::NotReceivedYet);
    let not_there = Does::Say(CodeOutcome::NotExist);
    world.marketplace.plan("activate PL1", &[not_yet.clone(), not_yet, not_there, FAIL, says(CodeState::Alive)]);
    world.marketplace.plan("query PL1", &[says(CodeState::Inactive), says(CodeState::Alive)]);
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    let running = world.start();
    running.until_activated(&world, "PL1").await;
    assert_eq!(world.license_kinds(&code("PL1")).await, [CONFIRMED, DELAYED, CONFIRMED]);
    assert_eq!(world.marketplace.asked("activate PL1"), 6, "the marketplace did not see its own change at once");
    running.stop().await;
}

#[tokio::test]
async fn an_activation_is_given_up_after_its_time_and_tried_once_more_at_each_start() {
    let world = World::new();
    world.marketplace.plan("activate PL1", &[Does::Say(CodeOutcome::NotReceivedYet)]);
    world.pass(TimeDelta::hours(73));
    let running = world.start();
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    world.until(&Stream::License(code("PL1")), ABANDONED, 1).await;
    world.caught_up(&running).await;
    assert_eq!(world.license_kinds(&code("PL1")).await, [CONFIRMED, DELAYED, ABANDONED]);
    let [given_up] = &running.errands.list()[..] else { panic!("one errand is at risk") };
    assert_eq!((given_up.license.as_str(), &given_up.errand), ("PL1", &Errand::Activate));
    let reason = Some("the buyer has not received the code yet");
    assert_eq!((given_up.abandoned, given_up.attempts, given_up.reason.as_deref()), (true, 3, reason));
    running.stop().await;
    let log = world.log.clone() as _;
    assert_eq!(at_risk(&log, &world.snapshot()).await.unwrap().errands.len(), 1);

    let running = world.start();
    world.marketplace.until_asked("activate PL1", 4).await;
    running.stop().await;
    world.marketplace.plan("activate PL1", &[says(CodeState::Alive)]);
    world.marketplace.plan("query PL1", &[says(CodeState::Alive)]);
    let running = world.start();
    running.until_activated(&world, "PL1").await;
    running.until_nothing_is_open().await;
    assert_eq!(world.license_kinds(&code("PL1")).await, [CONFIRMED, DELAYED, ABANDONED, CONFIRMED]);
    running.stop().await;
}

#[tokio::test]
async fn what_was_given_up_comes_back_without_a_restart_and_without_an_event() {
    let mut world = World::new();
    world.patience.once_more_every = Duration::from_millis(5);
    let not_yet = Does::Say(CodeOutcome::NotReceivedYet);
    world.marketplace.plan("activate PL1", &[&vec![not_yet; 6][..], &[says(CodeState::Alive)]].concat());
    world.marketplace.plan("query PL1", &[says(CodeState::Alive)]);
    world.pass(TimeDelta::hours(73));
    let running = world.start();
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    world.until(&Stream::License(code("PL1")), ABANDONED, 1).await;
    // The same answer again is no event, and brings nothing back.
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    running.until_activated(&world, "PL1").await;
    running.until_nothing_is_open().await;
    assert_eq!(world.license_kinds(&code("PL1")).await, [CONFIRMED, DELAYED, ABANDONED, CONFIRMED]);
    assert_eq!(world.marketplace.asked("activate PL1"), 7, "three times until given up, and then once each time");
    running.stop().await;
}

#[tokio::test]
async fn a_code_that_is_released_meanwhile_is_not_activated() {
    let world = World::new();
    world.marketplace.plan("activate PL1", &[FAIL]);
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    let running = world.start();
    world.marketplace.until_asked("activate PL1", 3).await;
    let release = Command::Release { order_id: None, order_line_id: None };
    world.commands.license(&code("PL1"), release, &Cause::System).await.unwrap();
    running.until_nothing_is_open().await;
    running.stop().await;
}

#[tokio::test]
async fn activations_that_fail_for_ever_delay_no_other_and_no_order() {
    let world = World::new();
    let running = world.start();
    for number in 0..40 {
        let stuck = format!("STUCK{number}");
        world.marketplace.plan(&format!("activate {stuck}"), &[FAIL, Does::Hang]);
        world.confirm(&code(&stuck), CodeState::Inactive).await;
    }
    for number in 0..40 {
        world.until(&Stream::License(code(&format!("STUCK{number}"))), DELAYED, 1).await;
    }
    world.marketplace.plan("activate PL1", &[says(CodeState::Alive)]);
    world.marketplace.plan("query PL1", &[says(CodeState::Alive)]);
    world.marketplace.plan("CS1", &[Does::Tell(vec![crate::world::facts("1")])]);
    world.confirm(&code("PL1"), CodeState::Inactive).await;
    running.until_activated(&world, "PL1").await;
    let license = world.buy("CS1", "1").await;
    world.until_applied(&license, 1).await;
    assert_eq!(running.errands.list().len(), 40);
    running.stop().await;
}

#[tokio::test]
async fn the_order_that_a_confirmed_code_names_is_asked_for() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![crate::world::facts("1")])]);
    let running = world.start();
    let order = Some(crate::world::order_ref("CS1", "1"));
    let answer = chopmark_domain::license::CodeAnswer { order, ..crate::world::code_answer(CodeState::Alive) };
    world.commands.license(&code("PL1"), Command::ConfirmCode(answer), &Cause::System).await.unwrap();
    world.until_applied(&code("PL1"), 1).await;
    assert!(world.license(&code("PL1")).await.sku.is_some());
    running.stop().await;
}
