//! Files that are not what they should be.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::contract::event;
use crate::event_log::{EventLog, ReadError};
use crate::metrics::LogMetrics;
use crate::record::{Expected, NewEvent, Position, Revision, StreamName};
use crate::sqlite::testing::SqlitePlace;
use crate::sqlite::{OpenError, SqliteLog, SqliteOptions};

const EVENTS: u64 = 60;
const LANDMARK: &[u8] = b"the fortieth event of the log";

/// A closed log with some streams; event 40 holds a landmark.
async fn closed_log() -> SqlitePlace {
    let place = SqlitePlace::new();
    let log = place.log();
    for position in 1..=EVENTS {
        let name = StreamName::new(&format!("stream {}", position % 7)).unwrap();
        let expected =
            if position <= 7 { Expected::NoStream } else { Expected::Exact(Revision((position - 1) / 7 - 1)) };
        let data = if position == 40 { LANDMARK.to_vec() } else { vec![b'.'; 400] };
        log.append(&name, expected, vec![NewEvent { data, ..event("") }]).await.unwrap();
    }
    log.close().await;
    place
}

fn open(path: &Path) -> Result<SqliteLog, OpenError> {
    SqliteLog::open(path, SqliteOptions::default(), LogMetrics::unregistered())
}

/// The reason why a file is refused as damaged. The message must name the file and the way out, and the file stay.
fn damage(path: &Path) -> String {
    let before = fs::read(path).unwrap();
    let error = open(path).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()) && message.contains("Restore the last backup"), "{message}");
    assert_eq!(fs::read(path).unwrap(), before);
    match error {
        OpenError::Damaged { reason, .. } => reason,
        other => unreachable!("damage must be called damage, not {other:?}"),
    }
}

fn change(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
}

#[tokio::test]
async fn a_whole_file_is_opened() {
    let place = closed_log().await;
    assert_eq!(open(&place.path()).unwrap().head().await.unwrap(), Position(EVENTS));
}

#[test]
fn a_file_that_is_no_log_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let database = folder.path().join("database");
    change(&database, "CREATE TABLE t (x); PRAGMA application_id = 7;");
    for content in [b"".to_vec(), b"short".to_vec(), vec![b'x'; 10_000], fs::read(&database).unwrap()] {
        fs::write(&path, &content).unwrap();
        assert!(matches!(open(&path), Err(OpenError::NotALog { .. })));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    assert!(matches!(open(folder.path()), Err(OpenError::Io { .. })));
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let place = closed_log().await;
    change(&place.path(), "PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE);");
    assert!(matches!(open(&place.path()), Err(OpenError::Newer { found: 2, known: 1, .. })));
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused() {
    let place = closed_log().await;
    let whole = fs::read(place.path()).unwrap();
    for length in [100, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(place.path(), &whole[..length]).unwrap();
        assert!(damage(&place.path()).contains("cut off"));
    }
}

#[tokio::test]
async fn a_flipped_byte_in_an_event_is_found_and_named() {
    let place = closed_log().await;
    let mut content = fs::read(place.path()).unwrap();
    let at = content.windows(LANDMARK.len()).position(|window| window == LANDMARK).unwrap();
    content[at + 7] ^= 1;
    fs::write(place.path(), &content).unwrap();
    let reason = damage(&place.path());
    assert!(reason.contains("position 40") && reason.contains("checksum"), "{reason}");

    let log = place.log_with(SqliteOptions { verify: false, ..SqliteOptions::default() });
    let is_damaged = |error| matches!(error, ReadError::Damaged { position: Position(40), .. });
    assert!(is_damaged(log.read_all(Position::START, 1000).await.unwrap_err()));
    let stream = StreamName::new("stream 5").unwrap();
    assert!(is_damaged(log.read_stream(&stream, Revision(0), 1000).await.unwrap_err()));
    assert_eq!(log.read_all(Position(40), 1000).await.unwrap().records.len(), 20, "the others can be read");
    assert_eq!(log.read_all(Position::START, 39).await.unwrap().records.len(), 39);
}

#[tokio::test]
async fn a_flipped_byte_in_a_name_is_found_in_the_table_and_in_the_index() {
    let place = closed_log().await;
    let whole = fs::read(place.path()).unwrap();
    let name = b"stream 5";
    let places: Vec<_> = (0..whole.len()).filter(|at| whole[*at..].starts_with(name)).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        let mut content = whole.clone();
        content[at + 4] ^= 2;
        fs::write(place.path(), &content).unwrap();
        damage(&place.path());
    }
}

#[tokio::test]
async fn changed_fields_and_missing_rows_are_found() {
    let changes = [
        "UPDATE events SET kind = 'other' WHERE position = 9;",
        "UPDATE events SET recorded_at = recorded_at + 1 WHERE position = 9;",
        "UPDATE events SET id = zeroblob(16) WHERE position = 9;",
        "UPDATE events SET id = zeroblob(15) WHERE position = 9;",
        "UPDATE events SET metadata = x'00' WHERE position = 9;",
        "UPDATE events SET stream = 77 WHERE position = 9;",
        "UPDATE events SET position = 1000 WHERE position = 60;",
        "UPDATE events SET revision = 1000 WHERE position = 60;",
        "UPDATE streams SET name = 'other' WHERE id = 3;",
        "DELETE FROM events WHERE position = 9;",
        "DELETE FROM streams WHERE id = 3;",
        "DROP INDEX events_by_stream;",
        "DROP INDEX streams_by_name;",
        "DROP TABLE streams;",
    ];
    let place = closed_log().await;
    let whole = fs::read(place.path()).unwrap();
    for sql in changes {
        fs::write(place.path(), &whole).unwrap();
        change(&place.path(), sql);
        damage(&place.path());
    }
}

#[tokio::test]
async fn a_page_of_zeros_is_found_wherever_it_is() {
    let place = closed_log().await;
    let whole = fs::read(place.path()).unwrap();
    for page in 1..whole.len() / 4096 {
        let mut content = whole.clone();
        content[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(place.path(), &content).unwrap();
        damage(&place.path());
    }
}
