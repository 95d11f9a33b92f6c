//! Records of another log, taken over as they are.

use rusqlite::{Connection, TransactionBehavior};

use super::batch::{Failed, create_stream, find_stream, insert, last_event, position_of};
use super::row::Fields;
use crate::event_log::AppendError;
use crate::record::{Position, Record, Revision};

/// Stores the records that are not there yet, all or none, and returns where the last of all stands and where the log
/// ends now.
pub(super) fn import(connection: &mut Connection, records: &[Record]) -> Result<Result<Imported, AppendError>, Failed> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Failed::NotStored)?;
    let imported = write(&transaction, records).map_err(Failed::NotStored)?;
    if imported.is_ok() {
        transaction.commit().map_err(Failed::at_commit)?;
    }
    Ok(imported)
}

/// Where imported records came to stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Imported {
    /// The last of them.
    pub(super) last: Position,
    /// The end of the log.
    pub(super) head: Position,
}

fn write(connection: &Connection, records: &[Record]) -> rusqlite::Result<Result<Imported, AppendError>> {
    let (mut head, mut last_time) = last_event(connection)?;
    let mut last = Position::START;
    for record in records {
        let stream = find_stream(connection, &record.stream)?;
        let next = stream.map_or(0, |stream| stream.last.0 + 1);
        let recorded_at = record.recorded_at.timestamp_micros();
        if record.revision.0 != next {
            match there_already(connection, record, stream.map(|stream| stream.id))? {
                Some(position) => last = position,
                None => return Ok(Err(conflict(record, next))),
            }
            continue;
        }
        if recorded_at < last_time {
            return Ok(Err(older(record)));
        }
        let stream_id = match stream {
            Some(stream) => stream.id,
            None => create_stream(connection, &record.stream)?,
        };
        (head, last_time, last) = (head + 1, recorded_at, Position(head + 1));
        insert(connection, stream_id, &fields(record, head))?;
    }
    Ok(Ok(Imported { last, head: Position(head) }))
}

fn there_already(connection: &Connection, record: &Record, stream: Option<i64>) -> rusqlite::Result<Option<Position>> {
    let Some(stream) = stream else { return Ok(None) };
    position_of(connection, stream, record.revision, record.id)
}

fn fields(record: &Record, position: u64) -> Fields<'_> {
    Fields {
        position,
        stream: record.stream.as_str(),
        revision: record.revision.0,
        id: record.id,
        kind: &record.kind,
        recorded_at: record.recorded_at.timestamp_micros(),
        metadata: &record.metadata,
        data: &record.data,
    }
}

fn conflict(record: &Record, next: u64) -> AppendError {
    AppendError::Conflict { stream: record.stream.clone(), current: next.checked_sub(1).map(Revision) }
}

fn older(record: &Record) -> AppendError {
    let at = record.recorded_at.to_rfc3339();
    AppendError::Invalid { reason: format!("event {} was recorded {at}, before what the log ends with", record.id) }
}
