//! Answers that are lost.

use chopmark_postgres::testing::Proxy;

use super::{finally, stream};
use crate::contract::event;
use crate::engine::Engine;
use crate::event_log::{AppendError, EventLog};
use crate::postgres::PostgresLog;
use crate::postgres::testing::PostgresPlace;
use crate::record::{Appended, Expected, NewEvent, Position, Revision};

/// Appends the same events until it is known where they stand.
async fn settled(log: &PostgresLog, name: &str, events: Vec<NewEvent>) -> Appended {
    loop {
        match log.append(&stream(name), Expected::NoStream, events.clone()).await {
            Ok(appended) => return appended,
            Err(error @ AppendError::Conflict { .. }) => unreachable!("nobody else appends: {error}"),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lost_after_the_commit_is_settled_by_the_same_ids() {
    let place = PostgresPlace::new();
    let proxy = Proxy::to(place.url()).await.unwrap();
    let log = place.log_at(&proxy.url()).await;
    let events = vec![event("first"), event("second")];
    proxy.lose_answer_to("a stream whose answer is lost");
    let name = stream("a stream whose answer is lost");
    let lost = log.append(&name, Expected::NoStream, events.clone()).await;
    assert!(matches!(lost, Err(AppendError::Unknown { .. })), "{lost:?}");
    assert!(proxy.has_lost_it());
    assert_eq!(place.log().await.head().await.unwrap(), Position(2), "it was committed");

    let settled = settled(&log, name.as_str(), events).await;
    assert_eq!((settled.revision, settled.position), (Revision(1), Position(2)));
    assert_eq!(log.head().await.unwrap(), Position(2), "and has no second effect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_who_shared_a_lost_answer_are_told_so_and_settle_it() {
    let place = PostgresPlace::new();
    let proxy = Proxy::to(place.url()).await.unwrap();
    let log = place.log_at(&proxy.url()).await;
    proxy.lose_answer_to("shared fate 7");
    let appends: Vec<_> = (0..16)
        .map(|n| {
            let (log, events) = (log.clone(), vec![event("")]);
            tokio::spawn(async move { settled(&log, &format!("shared fate {n}"), events).await })
        })
        .collect();
    let mut positions = Vec::new();
    for append in appends {
        positions.push(append.await.unwrap().position.0);
    }
    positions.sort_unstable();
    assert!(positions.into_iter().eq(1..=16));
    assert!(proxy.has_lost_it());
    assert_eq!(log.head().await.unwrap(), Position(16));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_whose_answer_is_lost_is_begun_again() {
    let place = PostgresPlace::new();
    let source = PostgresPlace::new().log().await;
    let name = stream("a stream that moves");
    source.append(&name, Expected::NoStream, vec![event("first"), event("second")]).await.unwrap();
    let records = source.read_all(Position::START, 10).await.unwrap().records;

    let proxy = Proxy::to(place.url()).await.unwrap();
    let log = place.log_at(&proxy.url()).await;
    proxy.lose_answer_to("a stream that moves");
    let lost = log.import(records.clone()).await;
    assert!(matches!(lost, Err(AppendError::Unknown { .. })), "{lost:?}");
    assert_eq!(finally(async || log.import(records.clone()).await).await, Position(2));
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().records, records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_on_a_connection_that_was_lost_is_read_on_another() {
    let place = PostgresPlace::new();
    let log = place.log().await;
    log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap();
    for _ in 0..8 {
        log.read_stream(&stream("a"), Revision(0), 1).await.unwrap();
    }
    place.end_all_sessions().await;
    for _ in 0..8 {
        assert_eq!(log.read_stream(&stream("a"), Revision(0), 1).await.unwrap().len(), 1);
        assert_eq!(log.read_all(Position::START, 1).await.unwrap().records.len(), 1);
    }
}
