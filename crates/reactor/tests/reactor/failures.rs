//! What happens when the marketplace does not tell.

use std::collections::HashMap;
use std::time::Duration;

use chopmark_domain::ids::SellerId;
use chopmark_domain::stream::Stream;
use chopmark_huawei::open_api::ErrorKind;
use chopmark_log::{EventLog, Expected, NewEvent, StreamName};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::world::{Does, World, code, facts, order_stream, seller};

const FAIL: Does = Does::Fail(ErrorKind::Transient);

#[tokio::test]
async fn orders_that_fail_for_ever_delay_no_other() {
    let world = World::new();
    let running = world.start();
    // More orders than one seller may have requests: each fails once, and hangs when asked again.
    let stuck: Vec<String> = (0..40).map(|number| format!("STUCK{number}")).collect();
    for order in &stuck {
        world.marketplace.plan(order, &[FAIL, Does::Hang]);
        world.buy(order, "1").await;
    }
    for order in &stuck {
        world.until(&order_stream(order), "order_facts_delayed.v1", 1).await;
    }
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let license = world.buy("CS1", "1").await;
    world.until_applied(&license, 1).await;
    world.caught_up(&running).await;
    assert_eq!(running.orders.list().len(), 40);
    running.stop().await;
}

#[tokio::test]
async fn a_delay_is_put_on_record_once_also_over_a_restart() {
    let world = World::new();
    let told = Does::Tell(vec![facts("1")]);
    world.marketplace.plan("CS1", &[FAIL, FAIL, Does::Fail(ErrorKind::Malformed), FAIL, FAIL, FAIL, told]);
    let license = world.buy("CS1", "1").await;
    let running = world.start();
    world.marketplace.until_asked("CS1", 4).await;
    running.stop().await;
    let running = world.start();
    world.until_applied(&license, 1).await;
    assert_eq!(world.order_kinds("CS1").await, ["order_facts_delayed.v1", "order_facts_recorded.v1"]);
    running.stop().await;
}

#[tokio::test]
async fn an_order_is_given_up_after_its_time_and_comes_back_when_it_is_named_again() {
    let world = World::new();
    world.marketplace.plan("CS1", &[FAIL]);
    world.pass(TimeDelta::hours(73));
    let running = world.start();
    let first = code("PL1");
    world.refresh(&first, "CS1", "1").await;
    world.until(&order_stream("CS1"), "order_facts_abandoned.v1", 1).await;
    world.caught_up(&running).await;

    assert_eq!(world.marketplace.asked("CS1"), 3, "least attempts");
    assert_eq!(world.order_kinds("CS1").await, ["order_facts_delayed.v1", "order_facts_abandoned.v1"]);
    let [at_risk] = &running.orders.list()[..] else { panic!("one order is at risk") };
    assert_eq!((at_risk.abandoned, at_risk.attempts, at_risk.reason.as_deref()), (true, 3, Some("as planned")));

    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let second = code("PL2");
    world.refresh(&second, "CS1", "1").await;
    world.until_applied(&first, 1).await;
    world.until_applied(&second, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn an_order_given_up_is_asked_for_once_more_at_each_start() {
    let world = World::new();
    world.marketplace.plan("CS1", &[FAIL]);
    world.pass(TimeDelta::hours(73));
    let running = world.start();
    world.refresh(&code("PL1"), "CS1", "1").await;
    world.until(&order_stream("CS1"), "order_facts_abandoned.v1", 1).await;
    world.caught_up(&running).await;
    running.stop().await;

    let running = world.start();
    world.marketplace.until_asked("CS1", 4).await;
    running.stop().await;
    assert_eq!(world.order_kinds("CS1").await, ["order_facts_delayed.v1", "order_facts_abandoned.v1"]);

    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let running = world.start();
    world.until_applied(&code("PL1"), 1).await;
    world.caught_up(&running).await;
    assert_eq!(running.orders.list(), []);
    assert_eq!(world.marketplace.asked("CS1"), 5);
    running.stop().await;
}

#[tokio::test]
async fn new_orders_of_a_marketplace_that_hangs_wait_no_longer_than_for_a_first_answer() {
    let mut world = World::new();
    world.patience.first_answer = Duration::from_millis(1);
    let running = world.start();
    // More orders than one seller may have requests, and none is ever answered.
    let stuck: Vec<String> = (0..40).map(|number| format!("STUCK{number}")).collect();
    for order in &stuck {
        world.marketplace.plan(order, &[Does::Hang]);
        world.buy(order, "1").await;
    }
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let license = world.buy("CS1", "1").await;
    world.until_applied(&license, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn an_order_given_up_before_is_asked_for_as_long_as_it_takes() {
    let world = World::new();
    world.marketplace.plan("CS1", &[FAIL]);
    world.pass(TimeDelta::hours(73));
    let running = world.start();
    world.refresh(&code("PL1"), "CS1", "1").await;
    world.until(&order_stream("CS1"), "order_facts_abandoned.v1", 1).await;
    world.refresh(&code("PL2"), "CS1", "1").await;
    world.marketplace.until_asked("CS1", 12).await;
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    world.until_applied(&code("PL2"), 1).await;
    running.stop().await;
}

#[tokio::test]
async fn an_answer_without_the_line_is_a_refusal_and_the_other_lines_are_served() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")]), Does::Tell(vec![facts("1"), facts("2")])]);
    world.refresh(&code("PL1"), "CS1", "1").await;
    world.refresh(&code("PL2"), "CS1", "2").await;
    let running = world.start();
    world.until_applied(&code("PL1"), 1).await;
    world.until_applied(&code("PL2"), 1).await;
    assert_eq!(
        world.order_kinds("CS1").await,
        ["order_facts_recorded.v1", "order_facts_delayed.v1", "order_facts_recorded.v1"]
    );
    running.stop().await;
}

#[tokio::test]
async fn orders_at_risk_say_what_went_wrong_and_how_often() {
    let world = World::new();
    world.marketplace.plan("CS1", &[FAIL, Does::Fail(ErrorKind::Refused), Does::Hang]);
    world.buy("CS1", "1").await;
    let running = world.start();
    world.marketplace.until_asked("CS1", 3).await;
    let [at_risk] = &running.orders.list()[..] else { panic!("one order is at risk") };
    assert_eq!((&at_risk.seller, at_risk.order_id.as_str(), at_risk.attempts), (&seller(), "CS1", 2));
    assert_eq!((at_risk.reason.as_deref(), at_risk.abandoned), (Some("as planned"), false));
    running.stop().await;
}

#[tokio::test]
async fn a_seller_without_the_open_api_keeps_its_orders_open_until_it_has_it() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let running = world.start_with(HashMap::new());
    let license = world.buy("CS1", "1").await;
    world.caught_up(&running).await;
    assert_eq!(running.orders.list().len(), 1);
    running.stop().await;

    let running = world.start();
    world.until_applied(&license, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn one_sellers_hanging_marketplace_does_not_hold_another_up() {
    let world = World::new();
    for number in 0..40 {
        let order = format!("HANGS{number}");
        world.marketplace.plan(&order, &[Does::Hang]);
        world.buy(&order, "1").await;
    }
    let other = SellerId::parse("other").unwrap();
    let sources = [seller(), other.clone()].map(|seller| (seller, world.marketplace.clone() as _));
    let running = world.start_with(HashMap::from(sources));
    world.marketplace.until_asked("HANGS0", 1).await;
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let mut license = code("PL1");
    license.seller = other;
    world.refresh(&license, "CS1", "1").await;
    world.until_applied(&license, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_record_of_a_newer_version_ends_the_reactor_and_nothing_is_passed_over() {
    let world = World::new();
    world.buy("CS1", "1").await;
    let stream = StreamName::new(&Stream::License(code("PL1")).to_string()).unwrap();
    let newer = NewEvent { id: Uuid::now_v7(), kind: "license_lent.v1".into(), data: vec![], metadata: vec![] };
    world.log.append(&stream, Expected::NoStream, vec![newer]).await.unwrap();
    world.start().until_ended().await;
    assert!(!world.snapshot().exists(), "a fold that stands in the middle of a page is not saved");
}
