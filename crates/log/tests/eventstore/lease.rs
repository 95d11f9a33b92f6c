//! The lease: a holder that dies, one that is cut off, and one that gives back.

use std::time::Duration;

use chopmark_log::Engine;
use chopmark_log::eventstore::LeaseTimes;
use chopmark_log::{EventLog, Position};

use crate::places::{DoublePlace, PATIENCE, connect_with, url_of};

/// Quick, but with a second between what one must have given up and what another may take.
const TIMES: LeaseTimes =
    LeaseTimes { lease: Duration::from_secs(3), renew: Duration::from_millis(400), look: Duration::from_millis(100) };

#[tokio::test]
async fn when_the_holder_is_killed_another_takes_over() {
    let place = DoublePlace::new();
    let (holder, other) = (connect_with(&place.url(), TIMES), connect_with(&place.url(), TIMES));
    let held = holder.lead().await;
    // Its threads end where they are, as in a process that is killed: nothing is given back.
    drop(holder);
    tokio::time::timeout(PATIENCE, held.lost()).await.expect("nobody looks after it");
    tokio::time::timeout(PATIENCE, other.lead()).await.expect("it is taken over");
}

/// A holder that cannot give a sign, because it is cut off or was paused, knows before anybody else can lead.
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_is_cut_off_knows_before_another_leads() {
    let place = DoublePlace::new();
    let other_way = place.another_node();
    let (holder, other) = (connect_with(&place.url(), TIMES), connect_with(&url_of(&other_way), TIMES));
    let held = holder.lead().await;
    let taking = tokio::spawn(async move { (other.lead().await, other) });
    place.double().stop();
    let (_leadership, _other) = tokio::time::timeout(PATIENCE, taking).await.expect("it is taken over").unwrap();
    tokio::select! {
        biased;
        () = held.lost() => {}
        () = std::future::ready(()) => unreachable!("two lead"),
    }
}

#[tokio::test]
async fn closing_gives_the_lease_back() {
    let place = DoublePlace::new();
    // With a lease that nobody outlives.
    let long = LeaseTimes { lease: Duration::from_secs(3_600), ..TIMES };
    let (holder, other) = (connect_with(&place.url(), long), connect_with(&place.url(), long));
    let held = holder.lead().await;
    holder.close().await;
    held.lost().await;
    tokio::time::timeout(PATIENCE, other.lead()).await.expect("it was given back");
}

#[tokio::test]
async fn the_lease_is_no_record_of_the_log() {
    let place = DoublePlace::new();
    let log = connect_with(&place.url(), TIMES);
    let _held = log.lead().await;
    assert_eq!(log.head().await.unwrap(), Position::START);
    let page = log.read_all(Position::START, 100).await.unwrap();
    assert!(page.records.is_empty() && page.at_head);
}
