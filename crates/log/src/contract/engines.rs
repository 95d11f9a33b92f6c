//! Promises of those logs that an installation keeps its events in.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Place, begin, event, events, ids, stream, whole_log, whole_stream};
use crate::engine::Engine;
use crate::event_log::{AppendError, EventLog};
use crate::record::{Expected, Position, Record, Revision};

/// Where an engine keeps its log.
#[async_trait]
pub trait EnginePlace: Place {
    /// Opens the log as another process would, beside those that are open.
    async fn open_engine(&self) -> Arc<dyn Engine>;
}

/// Makes a test of each promise of an [`Engine`]. Takes a function or closure that makes a new
/// [`EnginePlace`](crate::contract::EnginePlace).
#[macro_export]
macro_rules! engine_contract {
    ($make:expr) => {
        $crate::event_log_contract! { $make;
            an_import_keeps_everything_but_positions
            an_import_that_was_interrupted_is_begun_again
            an_import_whose_place_is_taken_is_a_conflict
            an_import_out_of_turn_is_a_conflict
            an_import_never_takes_time_back
            after_an_import_appends_go_on
            an_import_wakes_who_waits
            one_leads_at_a_time
            who_leads_no_longer_is_followed
            who_withdraws_does_not_lead
            closing_finishes_what_is_under_way
            after_closing_everything_fails
        }
    };
}

/// How long something may take that must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long something is watched that must not happen.
const WATCH: Duration = Duration::from_millis(1_500);

fn early() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_600_000_000_123_456).unwrap()
}

/// What another log might hold: streams between each other, positions with gaps, all kinds of bytes.
fn records_of_another_log() -> Vec<Record> {
    let rows = [
        ("a", 0, "first.v1", &b"\x00\xff"[..], &b"{}"[..], 0),
        ("华为/授权码", 0, "erste-é.v2", b"{\"n\":1}", b"", 0),
        ("a", 1, "second.v1", b"", b"\xfe", 1),
        ("b", 0, "first.v1", b"b", b"{\"answered\":true}", 1_000_001),
        ("a", 2, "second.v1", b"", b"{}", 86_400_000_000),
    ];
    (1..)
        .zip(rows)
        .map(|(n, (name, revision, kind, data, metadata, micros))| Record {
            id: if n == 1 { Uuid::nil() } else { Uuid::now_v7() },
            stream: stream(name),
            revision: Revision(revision),
            position: Position(n * 1_000),
            kind: kind.into(),
            data: data.to_vec(),
            metadata: metadata.to_vec(),
            recorded_at: early() + TimeDelta::microseconds(micros),
        })
        .collect()
}

fn without_positions(records: &[Record]) -> Vec<Record> {
    records.iter().map(|record| Record { position: Position::START, ..record.clone() }).collect()
}

async fn log_of(engine: &Arc<dyn Engine>) -> Vec<Record> {
    let log: Arc<dyn EventLog> = engine.clone();
    whole_log(&log, 100).await
}

/// Every field comes over as it was, in the order given; only the place in the log is new.
pub async fn an_import_keeps_everything_but_positions(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    assert_eq!(engine.import(Vec::new()).await.unwrap(), Position::START);
    let records = records_of_another_log();
    let last = engine.import(records.clone()).await.unwrap();
    let imported = log_of(&engine).await;
    assert_eq!(without_positions(&imported), without_positions(&records));
    assert_eq!(imported.last().unwrap().position, last);
    assert_eq!(engine.head().await.unwrap(), last);
    let log: Arc<dyn EventLog> = engine.clone();
    let of_a: Vec<_> = imported.into_iter().filter(|record| record.stream.as_str() == "a").collect();
    assert_eq!(whole_stream(&log, "a").await, of_a);
}

/// Records that are there are passed over, wherever an import stopped; the answer is the same.
pub async fn an_import_that_was_interrupted_is_begun_again(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    let records = records_of_another_log();
    engine.import(records[..2].to_vec()).await.unwrap();
    let last = engine.import(records.clone()).await.unwrap();
    let imported = log_of(&engine).await;
    assert_eq!(without_positions(&imported), without_positions(&records));
    assert_eq!(engine.import(records.clone()).await.unwrap(), last);
    assert_eq!(engine.import(records[..2].to_vec()).await.unwrap(), imported[1].position);
    assert_eq!(log_of(&engine).await, imported);
}

/// A record whose place another one has is refused, and what was there stays.
pub async fn an_import_whose_place_is_taken_is_a_conflict(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    let records = records_of_another_log();
    engine.import(records[..3].to_vec()).await.unwrap();
    let before = log_of(&engine).await;
    for taken in [0, 2] {
        let other = Record { id: Uuid::now_v7(), ..records[taken].clone() };
        let refused = engine.import(vec![other]).await;
        assert!(matches!(&refused, Err(AppendError::Conflict { stream, .. }) if *stream == records[taken].stream));
    }
    assert_eq!(log_of(&engine).await, before);
    engine.import(records.clone()).await.unwrap();
    assert_eq!(without_positions(&log_of(&engine).await), without_positions(&records));
}

/// A record that is not its stream's next is refused.
pub async fn an_import_out_of_turn_is_a_conflict(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    let records = records_of_another_log();
    for too_far in [2, 4] {
        let refused = engine.import(vec![records[too_far].clone()]).await;
        assert!(matches!(&refused, Err(AppendError::Conflict { current: None, .. })), "{refused:?}");
    }
    assert_eq!(log_of(&engine).await, []);
    engine.import(records[..1].to_vec()).await.unwrap();
    assert!(matches!(engine.import(vec![records[4].clone()]).await, Err(AppendError::Conflict { .. })));
    assert_eq!(log_of(&engine).await.len(), 1);
}

/// A record older than what the log ends with has no place in it.
pub async fn an_import_never_takes_time_back(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    engine.append(&stream("here"), Expected::NoStream, events(1)).await.unwrap();
    let refused = engine.import(records_of_another_log()).await;
    assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    assert_eq!(log_of(&engine).await.len(), 1);
}

/// What was imported is what expectations are about, and an append of the other log is settled here.
pub async fn after_an_import_appends_go_on(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    let records = records_of_another_log();
    let last = engine.import(records.clone()).await.unwrap();
    let lost = crate::record::NewEvent { id: records[2].id, ..event("its answer was lost over there") };
    let settled = engine.append(&stream("a"), Expected::Exact(Revision(0)), vec![lost]).await.unwrap();
    assert_eq!(settled.revision, Revision(1));
    let stale = engine.append(&stream("a"), Expected::NoStream, events(1)).await;
    assert!(matches!(stale, Err(AppendError::Conflict { .. })), "{stale:?}");
    let next = engine.append(&stream("a"), Expected::Exact(Revision(2)), events(2)).await.unwrap();
    assert_eq!(next.revision, Revision(4));
    assert!(next.position > last);
    let all = log_of(&engine).await;
    assert_eq!(all.len(), records.len() + 2);
    assert!(all.is_sorted_by_key(|record| record.recorded_at), "time never goes back");
}

/// Whoever waits at the head hears of an import as of an append.
pub async fn an_import_wakes_who_waits(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    let waiting = {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            while engine.head().await.unwrap() == Position::START {
                engine.changed(Position::START).await.unwrap();
            }
        })
    };
    tokio::task::yield_now().await;
    engine.import(records_of_another_log()).await.unwrap();
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is woken").unwrap();
}

/// Of several candidates one leads, and keeps leading.
pub async fn one_leads_at_a_time(place: &impl EnginePlace) {
    let (one, two) = (place.open_engine().await, place.open_engine().await);
    let leadership = tokio::time::timeout(PATIENCE, one.lead()).await.expect("nobody else leads");
    tokio::select! {
        second = two.lead() => unreachable!("two lead: {leadership:?} and {second:?}"),
        () = leadership.lost() => unreachable!("nobody took it"),
        () = tokio::time::sleep(WATCH) => {}
    }
    // Nor does a second candidate of the same process.
    assert!(tokio::time::timeout(WATCH, one.lead()).await.is_err(), "two lead");
}

/// When a leader gives the right back, however many wait, one of them has it.
pub async fn who_leads_no_longer_is_followed(place: &impl EnginePlace) {
    let (one, two) = (place.open_engine().await, place.open_engine().await);
    let mut leadership = one.lead().await;
    for next in [&two, &one, &two] {
        let waiting = tokio::spawn({
            let next = Arc::clone(next);
            async move { next.lead().await }
        });
        tokio::task::yield_now().await;
        drop(leadership);
        leadership = tokio::time::timeout(PATIENCE, waiting).await.expect("it is followed").unwrap();
    }
}

/// A candidate that goes leaves nothing behind.
pub async fn who_withdraws_does_not_lead(place: &impl EnginePlace) {
    let (one, two) = (place.open_engine().await, place.open_engine().await);
    let leadership = one.lead().await;
    let waiting = tokio::spawn({
        let two = Arc::clone(&two);
        async move { two.lead().await }
    });
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.is_err());
    drop(leadership);
    tokio::time::timeout(PATIENCE, one.lead()).await.expect("nobody else leads");
}

/// What was acknowledged before or while a log closed is there, and nothing else.
pub async fn closing_finishes_what_is_under_way(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    let appends: Vec<_> = (0..40)
        .map(|n| {
            let (engine, name, event) = (Arc::clone(&engine), stream(&format!("stream {n}")), event("said"));
            tokio::spawn(async move {
                let appended = engine.append(&name, Expected::NoStream, vec![event.clone()]).await.ok()?;
                Some((appended.position, event.id))
            })
        })
        .collect();
    tokio::task::yield_now().await;
    engine.close().await;
    let mut acknowledged = Vec::new();
    for append in appends {
        acknowledged.extend(append.await.unwrap());
    }
    acknowledged.sort_unstable();
    drop(engine);
    let stored = log_of(&place.open_engine().await).await;
    assert_eq!(ids(&stored), acknowledged.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

/// A closed log stores nothing, reads nothing and lets nobody wait for ever.
pub async fn after_closing_everything_fails(place: &impl EnginePlace) {
    let engine = place.open_engine().await;
    let log: Arc<dyn EventLog> = engine.clone();
    let last = begin(&log, "a", 1).await.position;
    engine.close().await;
    let stale = engine.append(&stream("b"), Expected::NoStream, events(1)).await;
    assert!(matches!(stale, Err(AppendError::Unavailable { .. })), "{stale:?}");
    assert!(engine.import(records_of_another_log()).await.is_err());
    assert!(engine.read_stream(&stream("a"), Revision(0), 1).await.is_err());
    assert!(engine.read_all(Position::START, 1).await.is_err());
    assert!(engine.head().await.is_err());
    assert!(tokio::time::timeout(PATIENCE, engine.changed(last)).await.expect("it answers").is_err());
    engine.close().await;
    drop((engine, log));
    assert_eq!(log_of(&place.open_engine().await).await.len(), 1);
}
