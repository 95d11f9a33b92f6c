//! Is everything there that was written, and as it was written?

use std::path::Path;

use rusqlite::Connection;

use super::error::OpenError;
use super::row::{COLUMNS, Fields, damaged};
use crate::event_log::ReadError;

/// Files up to this size are checked as a whole.
const WHOLE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Of a larger file the last records are checked.
const LAST_RECORDS: u64 = 100_000;

/// Checks a file as a whole if it is small enough, else its last records.
pub(super) fn verify(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let sqlite_error = |error| OpenError::from_sqlite(path, error);
    let read_error = |error| OpenError::from_read(path, &error);
    let bytes: u64 = connection
        .query_row("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", [], |row| row.get(0))
        .map_err(sqlite_error)?;
    if bytes > WHOLE_BYTES_MAX {
        let last = super::reader::head(connection).map_err(read_error)?;
        return check_records(connection, last.0.saturating_sub(LAST_RECORDS)).map_err(read_error).map(drop);
    }
    check_structure(path, connection)?;
    let in_table = check_records(connection, 0).map_err(read_error)?;
    let in_index = check_streams(path, connection)?;
    if in_table == in_index {
        Ok(())
    } else {
        Err(OpenError::Damaged { path: path.to_owned(), reason: "the index of streams does not fit the events".into() })
    }
}

fn check_structure(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let findings: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| OpenError::from_sqlite(path, error))?;
    if findings == "ok" {
        Ok(())
    } else {
        Err(OpenError::Damaged { path: path.to_owned(), reason: findings.replace('\n', ", ") })
    }
}

/// What was seen of the events, in whatever order: two ways through the same events come to the same sum.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, position: u64, stream: i64, revision: u64) {
        let mixed = [position, stream.cast_unsigned(), revision]
            .into_iter()
            .fold(0_u64, |mixed, part| (mixed.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.0 = self.0.wrapping_add(mixed ^ (mixed >> 31));
    }
}

/// Every record after a position is there and has the right checksum.
fn check_records(connection: &Connection, after: u64) -> Result<Sum, ReadError> {
    let sqlite_error = |error: rusqlite::Error| super::error::not_read(&error, crate::record::Position(after));
    let mut statement = connection
        .prepare(&format!(
            "SELECT {COLUMNS}, e.stream FROM events e LEFT JOIN streams s ON s.id = e.stream \
             WHERE e.position > ?1 ORDER BY e.position"
        ))
        .map_err(sqlite_error)?;
    let mut rows = statement.query([after]).map_err(sqlite_error)?;
    let mut sum = Sum::default();
    let mut last = after;
    while let Some(row) = rows.next().map_err(|error| super::error::not_read(&error, crate::record::Position(last)))? {
        let fields = Fields::read(row)?;
        if fields.position != last + 1 {
            return Err(damaged(last + 1, "the record is missing".into()));
        }
        last = fields.position;
        let stream = row.get(9).map_err(|error| damaged(last, error.to_string()))?;
        sum.add(last, stream, fields.revision);
    }
    Ok(sum)
}

/// Every stream has the revisions 0, 1, 2 …
fn check_streams(path: &Path, connection: &Connection) -> Result<Sum, OpenError> {
    let sqlite_error = |error| OpenError::from_sqlite(path, error);
    let mut statement = connection
        .prepare("SELECT position, stream, revision FROM events INDEXED BY events_by_stream ORDER BY stream, revision")
        .map_err(sqlite_error)?;
    let mut rows = statement.query([]).map_err(sqlite_error)?;
    let mut sum = Sum::default();
    let mut expected = (0, 0);
    while let Some(row) = rows.next().map_err(sqlite_error)? {
        let (position, stream, revision) =
            (row.get(0).map_err(sqlite_error)?, row.get(1).map_err(sqlite_error)?, row.get(2).map_err(sqlite_error)?);
        if stream != expected.0 {
            expected = (stream, 0);
        }
        if revision != expected.1 {
            let reason = format!("revision {} is missing before position {position}", expected.1);
            return Err(OpenError::Damaged { path: path.to_owned(), reason });
        }
        expected.1 += 1;
        sum.add(position, stream, revision);
    }
    Ok(sum)
}
