//! What is still to do survives, with a snapshot and without.

use std::collections::HashMap;

use chopmark_log::{Anchor, Position, Revision};
use chopmark_reactor::{Board, Lookout, OpenWork, ReactorMetrics, SavedWork};
use tokio_util::sync::CancellationToken;

use crate::world::{Does, World, code, facts};

/// Three orders open, one done, one that only a notification named.
async fn some_work(world: &World) {
    world.marketplace.plan("DONE", &[Does::Tell(vec![facts("1")])]);
    let running = world.start();
    let done = world.buy("DONE", "1").await;
    world.until_applied(&done, 1).await;
    running.stop().await;
    for order in ["CS1", "CS2", "CS3"] {
        world.buy(order, "1").await;
    }
    world.refresh(&code("PL1"), "CS1", "2").await;
    world.notify("CS4", "1").await;
}

fn saved(world: &World) -> SavedWork {
    SavedWork::load(&world.snapshot()).unwrap().unwrap()
}

#[tokio::test]
async fn a_snapshot_holds_the_same_open_work_as_the_log() {
    let world = World::new();
    some_work(&world).await;
    let running = world.start_with(HashMap::new());
    world.caught_up(&running).await;
    let from_snapshot = running.orders.list();
    running.stop().await;
    let kept = saved(&world);
    let last = world.records().await.pop().unwrap();
    assert_eq!((kept.position, &kept.anchor), (last.position, &Some(Anchor::of(&last))));
    assert_eq!(kept.work, world.folded().await);
    assert_eq!(kept.work.orders.iter().count(), 4);

    std::fs::remove_file(world.snapshot()).unwrap();
    let running = world.start_with(HashMap::new());
    world.caught_up(&running).await;
    assert_eq!(running.orders.list(), from_snapshot);
    running.stop().await;
    assert_eq!(saved(&world), kept);
}

#[tokio::test]
async fn work_left_by_a_process_that_died_is_done_by_the_next() {
    let world = World::new();
    some_work(&world).await;
    for order in ["CS1", "CS2", "CS3", "CS4"] {
        world.marketplace.plan(order, &[Does::Tell(vec![facts("1"), facts("2")])]);
    }
    std::fs::remove_file(world.snapshot()).unwrap();
    let running = world.start();
    world.until_applied(&code("PL1"), 1).await;
    for order in ["CS1", "CS2", "CS3", "CS4"] {
        world.until(&crate::world::order_stream(order), "order_facts_recorded.v1", 1).await;
    }
    assert_eq!(world.marketplace.asked("DONE"), 1, "what was done is not done again");
    running.stop().await;
}

#[tokio::test]
async fn a_snapshot_that_is_ahead_of_the_log_is_not_used() {
    let world = World::new();
    world.marketplace.plan("CS1", &[Does::Tell(vec![facts("1")])]);
    let license = world.buy("CS1", "1").await;
    let mut lost = world.records().await.pop().unwrap();
    lost.position = Position(1_000_000);
    lost.revision = Revision(7);
    let ahead = SavedWork { position: lost.position, anchor: Some(Anchor::of(&lost)), work: OpenWork::default() };
    ahead.save(&world.snapshot()).unwrap();
    let running = world.start();
    world.until_applied(&license, 1).await;
    running.stop().await;
}

#[tokio::test]
async fn a_snapshot_of_another_log_is_not_used_even_if_this_one_has_grown_past_it() {
    let (other, world) = (World::new(), World::new());
    for (home, orders) in [(&other, &["GONE1", "GONE2"][..]), (&world, &["CS1", "CS2", "CS3"])] {
        for order in orders {
            home.buy(order, "1").await;
        }
        let running = home.start_with(HashMap::new());
        home.caught_up(&running).await;
        running.stop().await;
    }
    assert!(saved(&other).position < saved(&world).position);
    std::fs::copy(other.snapshot(), world.snapshot()).unwrap();
    let running = world.start_with(HashMap::new());
    world.caught_up(&running).await;
    let open: Vec<String> = running.orders.list().iter().map(|order| order.order_id.to_string()).collect();
    assert_eq!(open, ["CS1", "CS2", "CS3"]);
    running.stop().await;
}

#[tokio::test]
async fn a_lookout_shows_what_is_open_and_leaves_it_to_a_reactor() {
    let world = World::new();
    some_work(&world).await;
    let asked = world.marketplace.asked_in_all();
    let board = Board::new(ReactorMetrics::unregistered());
    let stop = CancellationToken::new();
    let lookout = Lookout::new(world.log.clone(), board.clone(), world.snapshot());
    let looking = tokio::spawn(lookout.run(stop.clone()));
    let (orders, open) = (board.orders(), world.folded().await.orders.iter().count());
    let seen = async {
        while orders.list().len() < open {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), seen).await.expect("it does not show what is open");
    stop.cancel();
    looking.await.unwrap();
    assert_eq!(world.marketplace.asked_in_all(), asked, "it does none of it");
    assert_eq!(saved(&world).work, world.folded().await);

    let running = world.start_with(HashMap::new());
    world.caught_up(&running).await;
    assert_eq!(running.orders.list(), orders.list());
    running.stop().await;
}
