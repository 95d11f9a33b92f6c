//! Answers that are lost or false, servers that are slow or away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chopmark_log::contract::event;
use chopmark_log::eventstore::EventstoreLog;
use chopmark_log::{AppendError, EventLog, Expected, NewEvent, Position, Revision};
use uuid::Uuid;

use crate::places::{DoublePlace, connect, stream, until};

/// The time of an append, and some for a busy machine.
const APPEND_TIME: Duration = Duration::from_secs(20);

async fn appended(log: &EventstoreLog, events: usize) -> Result<Revision, AppendError> {
    let events: Vec<NewEvent> = (0..events).map(|n| event(&format!("event {n}"))).collect();
    Ok(log.append(&stream("a"), Expected::NoStream, events).await?.revision)
}

async fn stored(log: &EventstoreLog) -> usize {
    log.read_all(Position::START, 100).await.unwrap().records.len()
}

#[tokio::test]
async fn a_lost_answer_is_found_out_and_nothing_is_stored_twice() {
    for fault in ["cut-after-write", "silence-after-write", "timeout-after-write", "abort-after-write", "timeout"] {
        let place = DoublePlace::new();
        let log = place.log();
        place.tell(fault);
        assert_eq!(appended(&log, 3).await.unwrap(), Revision(2), "{fault}");
        assert_eq!(stored(&log).await, 3, "{fault}");
    }
}

#[tokio::test]
async fn an_answer_that_stays_lost_is_unknown_and_settled_later() {
    let place = DoublePlace::new();
    let log = place.log();
    place.tell("timeout-after-write 1000");
    let mine = event("mine");
    let lost = log.append(&stream("a"), Expected::NoStream, vec![mine.clone()]).await;
    assert!(matches!(lost, Err(AppendError::Unknown { .. })), "{lost:?}");
    place.double().start_again().unwrap();
    let place = forget_faults(&place);
    let log = connect(&place);
    let settled = log.append(&stream("a"), Expected::NoStream, vec![mine]).await.unwrap();
    assert_eq!(settled.revision, Revision(0));
    assert_eq!(stored(&log).await, 1);
}

/// A node without faults over the same file, which stays for the rest of the test.
fn forget_faults(place: &DoublePlace) -> String {
    let node = place.another_node();
    let url = crate::places::url_of(&node);
    std::mem::forget(node);
    url
}

#[tokio::test]
async fn a_conflict_that_the_server_reports_is_a_conflict() {
    let place = DoublePlace::new();
    let log = place.log();
    place.tell("wrong-revision");
    assert!(matches!(appended(&log, 1).await, Err(AppendError::Conflict { .. })));
    assert_eq!(appended(&log, 1).await.unwrap(), Revision(0));
}

#[tokio::test]
async fn a_slow_server_is_waited_for_and_a_stuck_one_is_not() {
    let place = DoublePlace::new();
    let log = place.log();
    place.tell("slow 300");
    assert_eq!(appended(&log, 1).await.unwrap(), Revision(0));
    place.tell("slow 60000");
    let begun = Instant::now();
    let late = log.append(&stream("b"), Expected::NoStream, vec![event("late")]).await;
    assert!(matches!(late, Err(AppendError::Unknown { .. })), "{late:?}");
    assert!(log.read_stream(&stream("b"), Revision(0), 1).await.is_err());
    assert!(log.head().await.is_err());
    assert!(begun.elapsed() < APPEND_TIME, "nobody waits for ever");
    place.tell("slow 0");
    until("a read", async || log.head().await.is_ok()).await;
}

/// What nobody waits for is refused here, and ends the session that it was sent in.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_given_up_hurts_nobody_else() {
    let place = DoublePlace::new();
    let log = place.log();
    appended(&log, 1).await.unwrap();
    place.tell("slow 200");
    for round in 0..5 {
        let given_up = tokio::time::timeout(Duration::from_millis(50), appended(&log, 1)).await;
        assert!(given_up.is_err(), "it was answered before the server answers: {given_up:?}");
        let name = stream(&format!("round {round}"));
        let appended = log.append(&name, Expected::NoStream, vec![event("after it")]).await;
        assert_eq!(appended.unwrap().revision, Revision(0), "round {round}");
    }
    assert_eq!(stored(&log).await, 6);
}

#[tokio::test]
async fn a_server_that_was_away_is_found_again_without_a_restart() {
    let place = DoublePlace::new();
    let log = place.log();
    appended(&log, 2).await.unwrap();
    for round in 0..3 {
        place.double().stop();
        let refused = log.append(&stream("b"), Expected::NoStream, vec![event("while away")]).await;
        assert!(matches!(refused, Err(AppendError::Unavailable { .. } | AppendError::Unknown { .. })), "{refused:?}");
        place.double().start_again().unwrap();
        let name = stream(&format!("round {round}"));
        let mine = event("again");
        until("an append", async || log.append(&name, Expected::NoStream, vec![mine.clone()]).await.is_ok()).await;
    }
    assert_eq!(
        log.read_all(Position::START, 100).await.unwrap().records.iter().filter(|r| r.stream.as_str() == "a").count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_appends_than_go_at_once_all_find_their_turn_or_an_answer() {
    let place = DoublePlace::new();
    let log = place.log();
    let appends: Vec<_> = (0..500)
        .map(|n| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                log.append(&stream(&format!("stream {n}")), Expected::NoStream, vec![event("one of many")]).await
            })
        })
        .collect();
    for append in appends {
        append.await.unwrap().unwrap();
    }
    assert_eq!(log.read_all(Position::START, 1000).await.unwrap().records.len(), 500);
}

#[tokio::test]
async fn what_is_too_large_for_the_server_is_invalid() {
    let place = DoublePlace::new();
    let log = place.log();
    let large = NewEvent { data: vec![b'x'; 2 * 1024 * 1024], ..event("") };
    let refused = log.append(&stream("a"), Expected::NoStream, vec![large]).await;
    assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    assert_eq!(appended(&log, 1).await.unwrap(), Revision(0));
}

#[tokio::test]
async fn names_of_the_server_and_of_the_engine_are_refused() {
    let place = DoublePlace::new();
    let log = place.log();
    for kind in ["$metadata", "#lease", ""] {
        let event = NewEvent { kind: kind.into(), ..event("") };
        let refused = log.append(&stream("a"), Expected::NoStream, vec![event]).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{kind}: {refused:?}");
    }
    let refused = log.append(&stream("$settings"), Expected::NoStream, vec![event("")]).await;
    assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    assert_eq!(log.read_stream(&stream("$settings"), Revision(0), 10).await.unwrap(), []);
}

#[tokio::test]
async fn json_is_kept_byte_for_byte() {
    let place = DoublePlace::new();
    let log = place.log();
    let texts =
        ["{\"b\": 1,\n \"a\":2}", " {}", "{} ", "{\"n\":1e400}", "{\"a\":1,\"a\":2}", "no json", "1", "\"\\u00e9\""];
    let events: Vec<NewEvent> = texts.iter().map(|text| event(text)).collect();
    log.append(&stream("a"), Expected::NoStream, events).await.unwrap();
    let records = log.read_stream(&stream("a"), Revision(0), 100).await.unwrap();
    assert_eq!(records.iter().map(|record| std::str::from_utf8(&record.data).unwrap()).collect::<Vec<_>>(), texts);
}

#[tokio::test]
async fn a_position_where_no_event_begins_is_damage_unless_it_is_beyond_all() {
    let place = DoublePlace::new();
    let log = place.log();
    appended(&log, 3).await.unwrap();
    let head = log.head().await.unwrap();
    assert!(log.read_all(Position(head.0 - 1), 10).await.is_err(), "it is the position of another log");
    let page = log.read_all(Position(head.0 + 1), 10).await.unwrap();
    assert!(page.at_head && page.records.is_empty());
}

#[tokio::test]
async fn an_event_that_takes_another_ones_id_in_another_stream_is_stored() {
    let place = DoublePlace::new();
    let log = place.log();
    let id = Uuid::now_v7();
    for name in ["a", "b"] {
        log.append(&stream(name), Expected::NoStream, vec![NewEvent { id, ..event(name) }]).await.unwrap();
    }
    assert_eq!(stored(&log).await, 2);
}
