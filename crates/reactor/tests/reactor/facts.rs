//! How facts come to the licenses and orders that wait for them.

use chopmark_domain::cause::Cause;
use chopmark_domain::stream::Stream;

use crate::world::{Does, World, cause_of, code, facts, order_stream};

#[tokio::test]
async fn a_license_bought_gets_the_facts_of_its_order_and_their_source_is_on_record() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1"), facts("2")])]);
    let running = world.start();
    let license = world.buy("CS1", "1").await;
    world.until_applied(&license, 1).await;

    assert_eq!(world.license(&license).await.quantity, Some(20));
    let events = world.order_events("CS1").await;
    assert_eq!(events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["order_facts_recorded.v1"]);
    let told = Cause::OpenApi { api: "order/query".into(), answer: Some(r#"{"order":"CS1"}"#.into()) };
    assert_eq!(cause_of(&events[0]), told);
    let applied = world.records().await.pop().unwrap();
    let told_elsewhere = Cause::OpenApi { api: "order/query".into(), answer: None };
    assert_eq!((applied.kind.as_str(), cause_of(&applied)), ("license_order_facts_applied.v1", told_elsewhere));
    let order = world.commands.read_order(&license.seller, &"CS1".to_owned().try_into().unwrap()).await.unwrap();
    assert_eq!(order.facts.len(), 2, "every line of the answer is kept");
    world.caught_up(&running).await;
    assert_eq!(running.orders.list(), []);
    running.stop().await;
}

#[tokio::test]
async fn what_is_delivered_again_is_not_asked_again() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let running = world.start();
    let license = world.buy("CS1", "1").await;
    world.until_applied(&license, 1).await;
    assert_eq!(world.buy("CS1", "1").await, license);
    // A refresh that names the order anew wants its facts anew; they are known.
    world.refresh(&license, "CS1", "1").await;
    world.until_applied(&license, 2).await;
    assert_eq!(world.marketplace.asked("CS1"), 1);
    assert_eq!(world.order_kinds("CS1").await, ["order_facts_recorded.v1"]);
    running.stop().await;
}

#[tokio::test]
async fn facts_that_came_through_an_order_notification_are_there_for_the_license() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let running = world.start();
    world.notify("CS1", "1").await;
    world.until(&order_stream("CS1"), "order_facts_recorded.v1", 1).await;
    let license = world.buy("CS1", "1").await;
    world.until_applied(&license, 1).await;
    assert_eq!(world.marketplace.asked("CS1"), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_order_notification_after_the_facts_asks_nothing_and_leaves_nothing_open() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let running = world.start();
    let license = world.buy("CS1", "1").await;
    world.until_applied(&license, 1).await;
    world.notify("CS1", "1").await;
    world.caught_up(&running).await;
    running.until_nothing_is_open().await;
    running.stop().await;

    let running = world.start();
    world.caught_up(&running).await;
    running.until_nothing_is_open().await;
    assert_eq!(world.marketplace.asked("CS1"), 1);
    running.stop().await;
}

#[tokio::test]
async fn licenses_and_lines_of_one_order_share_one_question() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1"), facts("2")])]);
    let licenses = [code("PL1"), code("PL2"), code("PL3")];
    for (license, line) in licenses.iter().zip(["1", "1", "2"]) {
        world.refresh(license, "CS1", line).await;
    }
    let running = world.start();
    for license in &licenses {
        world.until_applied(license, 1).await;
    }
    assert_eq!(world.marketplace.asked("CS1"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_released_license_still_gets_the_facts_that_money_needs() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let license = world.buy("CS1", "1").await;
    let release = chopmark_domain::license::Command::Release { order_id: None, order_line_id: None };
    world.commands.license(&license, release, &Cause::System).await.unwrap();
    let running = world.start();
    world.until(&Stream::License(license), "license_order_facts_applied.v1", 1).await;
    running.stop().await;
}
