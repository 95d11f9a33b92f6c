//! Is everything there that was written, and as it was written?

use std::path::Path;

use rusqlite::Connection;

use super::error::{OpenError, not_read};
use super::reader;
use super::row::{COLUMNS, Fields, damaged};
use crate::event_log::ReadError;
use crate::record::Position;

/// Files up to this size are checked as a whole.
const WHOLE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Of a larger file the last records are checked.
const LAST_RECORDS: u64 = 100_000;

/// Checks a file as a whole if it is small enough, else its last records.
pub(super) fn verify(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let read_error = |error| OpenError::from_read(path, error);
    let sqlite_error = |error| OpenError::from_sqlite(path, error);
    let damaged = |reason| Err(OpenError::Damaged { path: path.to_owned(), reason });
    if file_bytes(connection).map_err(sqlite_error)? > WHOLE_BYTES_MAX {
        let last = reader::head(connection).map_err(read_error)?;
        return check_records(connection, last.0.saturating_sub(LAST_RECORDS)).map_err(read_error).map(drop);
    }
    let findings = quick_check(connection).map_err(sqlite_error)?;
    if findings != "ok" {
        return damaged(findings.replace('\n', ", "));
    }
    let events = check_records(connection, 0).map_err(read_error)?;
    if sum_streams(connection).map_err(sqlite_error)? != Some(events) {
        return damaged("a stream has gaps, or the index of streams does not fit the events".into());
    }
    if sum_names(connection, "NOT INDEXED").map_err(sqlite_error)?
        != sum_names(connection, "INDEXED BY streams_by_name").map_err(sqlite_error)?
    {
        return damaged("the index of names does not fit the streams".into());
    }
    Ok(())
}

fn file_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    connection.query_row(sql, [], |row| row.get(0))
}

/// What SQLite finds: that each page is where it belongs and holds what it can hold.
fn quick_check(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// What was seen, in whatever order: two ways through the same things come to the same sum.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, parts: [u64; 3]) {
        let mixed = parts
            .into_iter()
            .fold(0_u64, |mixed, part| (mixed.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.0 = self.0.wrapping_add(mixed ^ (mixed >> 31));
    }
}

/// Every record after a position is there and has the right checksum.
fn check_records(connection: &Connection, after: u64) -> Result<Sum, ReadError> {
    let mut sum = Sum::default();
    let mut last = after;
    let sql = format!(
        "SELECT {COLUMNS}, e.stream FROM events e LEFT JOIN streams s ON s.id = e.stream \
         WHERE e.position > ?1 ORDER BY e.position"
    );
    let mut statement = connection.prepare(&sql).map_err(|error| not_read(&error, Position(after)))?;
    let mut rows = statement.query([after]).map_err(|error| not_read(&error, Position(after)))?;
    while let Some(row) = rows.next().map_err(|error| not_read(&error, Position(last)))? {
        let fields = Fields::read(row)?;
        if fields.position != last + 1 {
            return Err(damaged(last + 1, "the record is missing".into()));
        }
        last = fields.position;
        let stream = row.get(9).map_err(|error| damaged(last, error.to_string()))?;
        sum.add([last, stream, fields.revision]);
    }
    Ok(sum)
}

/// The events as the index of streams has them; `None` unless every stream has the revisions 0, 1, 2 …
fn sum_streams(connection: &Connection) -> rusqlite::Result<Option<Sum>> {
    let mut sum = Sum::default();
    let mut next = (0, 0);
    let mut statement = connection.prepare(
        "SELECT position, stream, revision FROM events INDEXED BY events_by_stream ORDER BY stream, revision",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (position, stream, revision) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if stream != next.0 {
            next = (stream, 0);
        }
        if revision != next.1 {
            return Ok(None);
        }
        next.1 += 1;
        sum.add([position, stream, revision]);
    }
    Ok(Some(sum))
}

/// The streams' names as the table or the index has them.
fn sum_names(connection: &Connection, index: &str) -> rusqlite::Result<Sum> {
    let mut sum = Sum::default();
    let mut statement = connection.prepare(&format!("SELECT id, name FROM streams {index}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = crc32fast::hash(row.get_ref(1)?.as_bytes()?);
        sum.add([row.get(0)?, name.into(), 0]);
    }
    Ok(sum)
}
