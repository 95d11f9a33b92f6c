//! Several nodes on one log.

use std::sync::Arc;

use tokio::sync::watch;

use super::stream;
use crate::contract::event;
use crate::event_log::{AppendError, EventLog};
use crate::follower::Follower;
use crate::postgres::testing::PostgresPlace;
use crate::record::{Expected, Position, Record, Revision};

const NODES: usize = 4;

/// Every record until the end, as a node sees them while others append.
async fn follow(log: Arc<dyn EventLog>, mut end: watch::Receiver<Option<Position>>) -> Vec<Record> {
    let mut follower = Follower::new(log, Position::START);
    let mut records = Vec::new();
    while end.borrow_and_update().is_none_or(|end| follower.position() < end) {
        tokio::select! {
            page = follower.next(7) => records.extend(page.unwrap().records),
            told = end.changed() => told.unwrap(),
        }
    }
    records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_append_at_once_leave_no_gap_and_every_follower_sees_the_same() {
    const WRITERS: u64 = 8;
    const EACH: u64 = 20;
    let place = PostgresPlace::new();
    // Whatever a server's defaults are.
    let odd = "options=-c%20default_transaction_isolation=serializable%20-c%20synchronous_commit=off";
    let (tell_end, end) = watch::channel(None);
    let (mut followers, mut writers, mut logs) = (Vec::new(), Vec::new(), Vec::new());
    for node in 0..NODES {
        let log = place.log_at(&format!("{}?{odd}", place.url())).await;
        followers.push(tokio::spawn(follow(log.clone(), end.clone())));
        for writer in 0..WRITERS {
            let log = Arc::clone(&log);
            writers.push(tokio::spawn(async move {
                let name = stream(&format!("stream of {node} {writer}"));
                let mut expected = Expected::NoStream;
                for _ in 0..EACH {
                    expected = Expected::Exact(log.append(&name, expected, vec![event("")]).await.unwrap().revision);
                }
            }));
        }
        logs.push(log);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let all = NODES as u64 * WRITERS * EACH;
    assert_eq!(logs[0].head().await.unwrap(), Position(all), "positions have no gaps");
    tell_end.send_replace(Some(Position(all)));
    let mut seen = Vec::new();
    for follower in followers {
        seen.push(follower.await.unwrap());
    }
    assert!(seen.iter().all(|records| *records == seen[0]));
    assert!(seen[0].iter().map(|record| record.position.0).eq(1..=all));
    assert!(seen[0].is_sorted_by_key(|record| record.recorded_at));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_race_on_one_stream_take_turns() {
    const EACH: usize = 10;
    let place = PostgresPlace::new();
    let mut racers = Vec::new();
    for _ in 0..NODES {
        let log = place.log().await;
        for _ in 0..4 {
            let log = Arc::clone(&log);
            racers.push(tokio::spawn(async move {
                let (mut expected, mut ids) = (Expected::NoStream, Vec::new());
                while ids.len() < EACH {
                    let event = event("");
                    let id = event.id;
                    match log.append(&stream("one"), expected, vec![event]).await {
                        Ok(appended) => {
                            ids.push((appended.revision, id));
                            expected = Expected::Exact(appended.revision);
                        }
                        Err(AppendError::Conflict { current, .. }) => {
                            expected = current.map_or(Expected::NoStream, Expected::Exact);
                        }
                        Err(error) => unreachable!("{error}"),
                    }
                }
                ids
            }));
        }
    }
    let mut won = Vec::new();
    for racer in racers {
        won.extend(racer.await.unwrap());
    }
    won.sort_unstable();
    let records = place.log().await.read_stream(&stream("one"), Revision(0), usize::MAX).await.unwrap();
    assert_eq!(records.iter().map(|record| (record.revision, record.id)).collect::<Vec<_>>(), won);
    assert_eq!(won.len(), NODES * 4 * EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_hears_of_what_another_appends() {
    let place = PostgresPlace::new();
    let (one, two) = (place.log().await, place.log().await);
    let mut last = Position::START;
    for n in 0..5 {
        let appended = one.append(&stream(&format!("stream {n}")), Expected::NoStream, vec![event("")]).await.unwrap();
        two.changed(last).await.unwrap();
        last = appended.position;
    }
    assert_eq!(two.head().await.unwrap(), last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_behind_does_not_take_time_back() {
    let place = PostgresPlace::new();
    let ahead = place.log_by(|| chrono::DateTime::from_timestamp(2_000_000_000, 7_000).unwrap()).await;
    let behind = place.log_by(|| chrono::DateTime::UNIX_EPOCH).await;
    for n in 0..4 {
        let log = if n % 2 == 0 { &ahead } else { &behind };
        log.append(&stream(&format!("stream {n}")), Expected::NoStream, vec![event("")]).await.unwrap();
    }
    let page = behind.read_all(Position::START, 10).await.unwrap();
    assert!(page.records.iter().all(|record| record.recorded_at.timestamp_micros() == 2_000_000_000_000_007));
    assert_eq!(page.records.len(), 4);
}
