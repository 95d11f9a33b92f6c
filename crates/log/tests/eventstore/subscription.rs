//! Hearing of news: the subscription that ends, goes silent, or is not there.

use std::sync::Arc;

use chopmark_log::contract::event;
use chopmark_log::{EventLog, Expected, Follower, Position};

use crate::places::{DoublePlace, PATIENCE, connect, stream};

/// Follows one log from the end while another process appends, and hears of each event.
async fn hears_of_each(place: &DoublePlace, names: &[&str], before: impl Fn(&str)) {
    let (log, writer) = (place.log(), connect(&place.url()));
    let mut follower = Follower::new(Arc::clone(&log) as Arc<dyn EventLog>, Position::START);
    assert!(follower.next(100).await.unwrap().at_head);
    for name in names {
        before(name);
        let next = tokio::spawn(async move {
            let page = follower.next(100).await.unwrap();
            (follower, page)
        });
        writer.append(&stream(name), Expected::NoStream, vec![event("news")]).await.unwrap();
        let (back, page) = tokio::time::timeout(PATIENCE, next).await.expect("it is heard of").unwrap();
        follower = back;
        assert_eq!(page.records.len(), 1);
        assert_eq!(page.records[0].stream.as_str(), *name);
    }
}

/// Hazard 4: a subscription that the server ends well spins for ever, and nothing else runs on its thread. That no core is
/// lost to it is shown by a process of its own: `eventstore_spin.rs`.
#[tokio::test]
async fn a_subscription_that_ends_well_is_begun_anew() {
    let place = DoublePlace::new();
    hears_of_each(&place, &["a", "b", "c", "d"], |_| place.tell("end-subscriptions")).await;
}

#[tokio::test]
async fn a_subscription_that_is_cut_is_begun_anew_and_misses_nothing() {
    let place = DoublePlace::new();
    hears_of_each(&place, &["a", "b", "c"], |_| place.tell("cut")).await;
}

#[tokio::test]
async fn a_subscription_that_has_gone_silent_is_noticed() {
    let place = DoublePlace::new();
    place.tell("silence-subscriptions on");
    hears_of_each(&place, &["a", "b"], |_| {}).await;
}

#[tokio::test]
async fn whoever_waits_looks_himself_while_there_is_no_server() {
    let place = DoublePlace::new();
    let log = place.log();
    place.double().stop();
    tokio::time::timeout(PATIENCE, log.changed(Position::START)).await.expect("early is allowed").unwrap();
    assert!(log.read_all(Position::START, 1).await.is_err());
}
