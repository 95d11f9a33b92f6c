//! Opening, sharing and closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Waker};

use chrono::{DateTime, Utc};

use crate::contract::event;
use crate::event_log::{AppendError, EventLog, ReadError};
use crate::metrics::LogMetrics;
use crate::record::{Expected, NewEvent, Position, Revision, StreamName};
use crate::sqlite::testing::SqlitePlace;
use crate::sqlite::{EVENT_BYTES_MAX, EVENTS_MAX, SqliteLog, SqliteOptions, reader};

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = SqlitePlace::new();
    let log = place.log();
    log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(place.path().parent().unwrap()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3, "the log, its -wal and its -shm: {files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn what_breaks_a_limit_is_invalid() {
    let place = SqlitePlace::new();
    let log = place.log();
    let too_large = NewEvent { data: vec![0; EVENT_BYTES_MAX], metadata: vec![0], ..event("") };
    for events in [vec![event(""); EVENTS_MAX + 1], vec![event(""), too_large]] {
        let answer = log.append(&stream("a"), Expected::NoStream, events).await;
        assert!(matches!(answer, Err(AppendError::Invalid { .. })), "{answer:?}");
    }
    let largest = NewEvent { data: vec![0; EVENT_BYTES_MAX], metadata: Vec::new(), ..event("") };
    let most = vec![event(""); EVENTS_MAX];
    assert_eq!(log.append(&stream("a"), Expected::NoStream, most).await.unwrap().revision, Revision(999));
    log.append(&stream("b"), Expected::NoStream, vec![largest]).await.unwrap();
}

#[tokio::test]
async fn a_page_of_large_events_ends_early() {
    let place = SqlitePlace::new();
    let log = place.log();
    for n in 0..6 {
        let large = NewEvent { data: vec![n; EVENT_BYTES_MAX], metadata: Vec::new(), ..event("") };
        log.append(&stream(&format!("{n}")), Expected::NoStream, vec![large]).await.unwrap();
    }
    let first = log.read_all(Position::START, 1000).await.unwrap();
    assert_eq!((first.records.len(), first.at_head), (4, false));
    let rest = log.read_all(first.reached, 1000).await.unwrap();
    assert_eq!((rest.records.len(), rest.at_head), (2, true));
}

#[tokio::test]
async fn a_clock_that_goes_back_does_not_take_the_log_back() {
    static NOW: AtomicI64 = AtomicI64::new(0);
    fn clock() -> DateTime<Utc> {
        DateTime::from_timestamp_micros(NOW.load(Ordering::SeqCst)).unwrap()
    }
    let place = SqlitePlace::new();
    for (n, now) in [1_000_001, 5_000_000, 2_000_000, 5_000_001].into_iter().enumerate() {
        NOW.store(now, Ordering::SeqCst);
        let log = place.log_with(SqliteOptions { clock, ..SqliteOptions::default() });
        log.append(&stream(&format!("{n}")), Expected::NoStream, vec![event("")]).await.unwrap();
    }
    let times: Vec<_> = place
        .log()
        .read_all(Position::START, 10)
        .await
        .unwrap()
        .records
        .iter()
        .map(|record| record.recorded_at.timestamp_micros())
        .collect();
    assert_eq!(times, [1_000_001, 5_000_000, 5_000_000, 5_000_001]);
}

#[tokio::test]
async fn two_logs_on_one_file_are_one_log() {
    let place = SqlitePlace::new();
    let logs = [place.log(), place.log()];
    for round in 0..20_u64 {
        let expected = if round == 0 { Expected::NoStream } else { Expected::Exact(Revision(round - 1)) };
        let (first, second) = (&logs[usize::from(round % 2 == 0)], &logs[usize::from(round % 2 == 1)]);
        let before = second.head().await.unwrap();
        let appended = first.append(&stream("a"), expected, vec![event("")]).await.unwrap();
        assert_eq!(appended.position, Position(round + 1));
        assert!(matches!(
            second.append(&stream("a"), expected, vec![event("")]).await,
            Err(AppendError::Conflict { .. })
        ));
        second.changed(before).await.unwrap();
        assert_eq!(second.head().await.unwrap(), appended.position);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_logs_on_one_file_append_at_once_without_losing_or_doubling() {
    let place = SqlitePlace::new();
    let logs = [place.log(), place.log()];
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let log = Arc::clone(&logs[writer % 2]);
            tokio::spawn(async move {
                let mut expected = Expected::NoStream;
                for _ in 0..20 {
                    let name = stream(&format!("stream {writer}"));
                    expected = Expected::Exact(log.append(&name, expected, vec![event("")]).await.unwrap().revision);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    drop(logs);
    assert_eq!(place.log().head().await.unwrap(), Position(320));
}

/// Starts appends and ends the log in their midst: whatever was acknowledged must be there.
async fn ends_without_loss<F: Future<Output = ()>>(end: impl FnOnce(Arc<SqliteLog>) -> F) {
    let place = SqlitePlace::new();
    let log = place.log();
    let appends: Vec<_> = (0..200)
        .map(|n| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(&stream(&format!("{n}")), Expected::NoStream, vec![event("")]).await })
        })
        .collect();
    tokio::task::yield_now().await;
    end(log).await;
    let mut stored = 0;
    for append in appends {
        match append.await {
            Ok(Ok(_)) => stored += 1,
            Ok(Err(error)) => assert!(matches!(error, AppendError::Unavailable { .. }), "{error:?}"),
            Err(_) => unreachable!("an append does not panic"),
        }
    }
    assert_eq!(place.log().head().await.unwrap(), Position(stored));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_finishes_what_waits_and_refuses_what_comes_later() {
    ends_without_loss(|log| async move {
        log.close().await;
        let late = log.append(&stream("late"), Expected::NoStream, vec![event("")]).await;
        assert!(matches!(late, Err(AppendError::Unavailable { .. })), "{late:?}");
        let wait = log.changed(Position(u64::MAX)).await;
        assert!(matches!(wait, Err(ReadError::Unavailable { .. })), "{wait:?}");
        log.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_log_has_finished_what_it_was_given() {
    ends_without_loss(|log| async move { drop(log) }).await;
}

#[tokio::test]
async fn a_closed_log_is_one_file() {
    let place = SqlitePlace::new();
    let log = place.log();
    log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap();
    assert_eq!(log.read_all(Position::START, 1).await.unwrap().records.len(), 1);
    log.close().await;
    assert_eq!(std::fs::read_dir(place.path().parent().unwrap()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_log_that_was_being_read_is_one_file_when_it_is_closed() {
    let place = SqlitePlace::new();
    let log = place.log();
    log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap();
    let (go_on, told) = std::sync::mpsc::channel::<()>();
    let mut context = Context::from_waker(Waker::noop());
    // Whoever reads goes away; the read itself goes on, until it is told to end.
    let mut read = Box::pin(log.readers.read(move |connection| {
        told.recv().unwrap();
        reader::head(connection)
    }));
    assert!(read.as_mut().poll(&mut context).is_pending());
    drop(read);
    let mut closing = Box::pin(log.close());
    assert!(closing.as_mut().poll(&mut context).is_pending(), "something still reads");
    go_on.send(()).unwrap();
    closing.await;
    assert_eq!(std::fs::read_dir(place.path().parent().unwrap()).unwrap().count(), 1);
    let late = log.read_all(Position::START, 10).await;
    assert!(matches!(late, Err(ReadError::Unavailable { .. })), "{late:?}");
}

#[test]
fn a_log_opens_outside_of_a_runtime() {
    let place = SqlitePlace::new();
    drop(SqliteLog::open(&place.path(), SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
}
