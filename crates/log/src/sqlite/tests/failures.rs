//! What callers are told when SQLite refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use rusqlite::{Connection, ffi};
use tokio::sync::{mpsc, oneshot};

use crate::contract::event;
use crate::event_log::{AppendError, EventLog};
use crate::metrics::LogMetrics;
use crate::record::{Appended, Expected, NewEvent, Position, Revision, StreamName};
use crate::sqlite::batch::Failed;
use crate::sqlite::housekeeper::Housekeeper;
use crate::sqlite::open;
use crate::sqlite::testing::SqlitePlace;
use crate::sqlite::writer::{Message, Request, Writer};
use crate::trouble::Trouble;
use crate::wake::Head;

type Answer = oneshot::Receiver<Result<Appended, AppendError>>;

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// A writer that is driven by hand, and where its messages go in.
fn writer(place: &SqlitePlace, restart_wal: Arc<AtomicBool>) -> (Writer, mpsc::Sender<Message>) {
    let (connection, last) = open::open(&place.path(), true).unwrap();
    let (sender, requests) = mpsc::channel(1024);
    let writer = Writer {
        path: place.path(),
        connection: Some(connection),
        requests,
        head: Arc::new(Head::new(last)),
        restart_wal,
        metrics: LogMetrics::unregistered(),
        clock: Utc::now,
        trouble: Trouble::default(),
    };
    (writer, sender)
}

fn ask(sender: &mpsc::Sender<Message>, name: &str, events: Vec<NewEvent>) -> Answer {
    let (answer, answered) = oneshot::channel();
    let asked_at = std::time::Instant::now();
    let request = Request { stream: stream(name), expected: Expected::NoStream, events, asked_at, answer };
    sender.try_send(Message::Append(request)).unwrap();
    answered
}

#[test]
fn a_full_disk_stores_nothing_of_the_batch_and_the_next_batch_is_written() {
    let place = SqlitePlace::new();
    let (mut writer, sender) = writer(&place, Arc::default());
    let connection = writer.connection.as_ref().unwrap();
    connection.pragma_update_and_check(None, "max_page_count", 10, |_| Ok(())).unwrap();
    let small = vec![event("small")];
    let mut answers =
        [ask(&sender, "a", small.clone()), ask(&sender, "b", vec![NewEvent { data: vec![0; 1_000_000], ..event("") }])];
    writer.serve_waiting();
    for answer in &mut answers {
        assert!(matches!(answer.try_recv().unwrap(), Err(AppendError::Unavailable { .. })));
    }
    let mut again = ask(&sender, "a", small);
    writer.serve_waiting();
    assert_eq!(again.try_recv().unwrap().unwrap(), Appended { revision: Revision(0), position: Position(1) });
}

#[test]
fn only_a_full_disk_leaves_no_doubt_about_a_failed_commit() {
    let told = |code| {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        Failed::at_commit(error).to_append_error()
    };
    assert!(matches!(told(ffi::SQLITE_FULL), AppendError::Unavailable { .. }));
    let doubtful = [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_NOMEM];
    for code in doubtful {
        assert!(matches!(told(code), AppendError::Unknown { .. }), "{code}");
    }
}

#[test]
fn a_failed_commit_is_an_unknown_outcome_and_appending_again_settles_it() {
    let place = SqlitePlace::new();
    let (mut writer, sender) = writer(&place, Arc::default());
    let other = Connection::open(place.path()).unwrap();
    other
        .execute_batch(
            "CREATE TABLE p (x PRIMARY KEY); CREATE TABLE c (x REFERENCES p (x) DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER t AFTER INSERT ON events BEGIN INSERT INTO c VALUES (1); END;",
        )
        .unwrap();
    let events = vec![event("once")];
    let mut lost = ask(&sender, "a", events.clone());
    writer.serve_waiting();
    assert!(matches!(lost.try_recv().unwrap(), Err(AppendError::Unknown { .. })));
    other.execute_batch("DROP TRIGGER t;").unwrap();
    for _ in 0..2 {
        let mut again = ask(&sender, "a", events.clone());
        writer.serve_waiting();
        assert_eq!(again.try_recv().unwrap().unwrap(), Appended { revision: Revision(0), position: Position(1) });
    }
}

#[test]
fn one_batch_holds_winners_losers_and_repeats() {
    let place = SqlitePlace::new();
    let (mut writer, sender) = writer(&place, Arc::default());
    let winner = vec![event("a 1"), event("a 2")];
    let mut answers = [
        ask(&sender, "a", winner.clone()),
        ask(&sender, "a", vec![event("loser")]),
        ask(&sender, "a", winner.clone()),
        ask(&sender, "b", vec![event("b 1")]),
    ];
    writer.serve_waiting();
    let [won, lost, repeated, other] = &mut answers;
    let appended = Appended { revision: Revision(1), position: Position(2) };
    assert_eq!(won.try_recv().unwrap().unwrap(), appended);
    assert!(matches!(lost.try_recv().unwrap(), Err(AppendError::Conflict { current: Some(Revision(1)), .. })));
    assert_eq!(repeated.try_recv().unwrap().unwrap(), appended);
    assert_eq!(other.try_recv().unwrap().unwrap().position, Position(3));
    assert_eq!(writer.metrics.batch_events.get_sample_count(), 1, "all in one transaction");
    let count = |result| writer.metrics.appends.with_label_values(&[result]).get();
    assert_eq!((count("stored"), count("conflict"), count("repeated")), (2, 1, 1));

    let mut repeated = ask(&sender, "a", winner);
    writer.serve_waiting();
    assert_eq!(repeated.try_recv().unwrap().unwrap(), appended);
    assert_eq!(writer.metrics.batch_events.get_sample_count(), 1, "a batch that stores nothing is none");
}

#[tokio::test]
async fn a_file_locked_by_others_is_unavailable_and_then_available_again() {
    let place = SqlitePlace::new();
    let log = place.log();
    let other = Connection::open(place.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = log.append(&stream("a"), Expected::NoStream, vec![event("")]).await;
    assert!(matches!(answer, Err(AppendError::Unavailable { .. })), "{answer:?}");
    other.execute_batch("ROLLBACK").unwrap();
    log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap();
}

#[test]
fn a_large_write_ahead_log_is_started_over() {
    let place = SqlitePlace::new();
    let head = Arc::new(Head::new(Position::START));
    drop(open::open(&place.path(), true).unwrap());
    let mut housekeeper = Housekeeper::new(&place.path(), Arc::clone(&head), LogMetrics::unregistered());
    let restart_wal = housekeeper.restart_wal();
    let (mut writer, sender) = writer(&place, Arc::clone(&restart_wal));
    let big = || vec![NewEvent { data: vec![7; 8_000_000], ..event("") }];
    for n in 0..10 {
        let mut answer = ask(&sender, &format!("big {n}"), big());
        writer.serve_waiting();
        answer.try_recv().unwrap().unwrap();
    }
    housekeeper.round().unwrap();
    assert!(restart_wal.load(Ordering::Relaxed));
    for n in 0..2 {
        let mut answer = ask(&sender, &format!("small {n}"), vec![event("small")]);
        writer.serve_waiting();
        answer.try_recv().unwrap().unwrap();
    }
    housekeeper.round().unwrap();
    let wal = open::checkpoint(writer.connection.as_ref().unwrap(), "NOOP").unwrap();
    assert!(wal.pages < 20, "{wal:?}");
    assert!(!restart_wal.load(Ordering::Relaxed));
}
