//! One transaction for all appends that wait.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::row::{Fields, whole};
use crate::batch::{self, Committed, Outcome, Wish};
use crate::event_log::AppendError;
use crate::metrics::Success;
use crate::record::{Appended, NewEvent, Position, Revision, StreamName};

/// No wish was fulfilled, or it is not known.
pub(super) type Failed = batch::Failed<rusqlite::Error>;

impl Failed {
    /// What a failed `COMMIT` leaves behind.
    ///
    /// A commit in WAL mode writes the changed pages behind the write-ahead log, the last of them with the commit mark,
    /// and syncs. `SQLITE_FULL` comes only from these writes: the frame with the mark is not whole, its checksum cannot be
    /// right, and no recovery takes it up. Every other error may come after the mark was written. A sync that fails
    /// (`SQLITE_IOERR_FSYNC`, with which some file systems report a full disk) says nothing about what is on the disk, and
    /// where the index of the write-ahead log could not grow (`SQLITE_IOERR_SHMSIZE`) the events are even there: they
    /// appear when that index is made anew.
    ///
    /// Source: `walFrames` and `unixWrite` in sqlite3.c. That nothing is padded behind the mark, which could fail for want
    /// of room after it, is the default (`SQLITE_POWERSAFE_OVERWRITE`).
    pub(super) fn at_commit(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::NotStored(error),
            _ => Self::Unknown(error),
        }
    }
}

/// Fulfils the wishes whose expectation holds, all in one transaction, and syncs. `now` is in microseconds since 1970.
pub(super) fn commit(connection: &mut Connection, wishes: &[Wish<'_>], now: i64) -> Result<Committed, Failed> {
    let (transaction, committed) = write(connection, wishes, now).map_err(Failed::NotStored)?;
    transaction.commit().map_err(Failed::at_commit)?;
    Ok(committed)
}

fn write<'c>(
    connection: &'c mut Connection,
    wishes: &[Wish<'_>],
    now: i64,
) -> rusqlite::Result<(Transaction<'c>, Committed)> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (before, last_time) = last_event(&transaction)?;
    let recorded_at = now.max(last_time);
    let mut position = before;
    let mut outcomes = Vec::with_capacity(wishes.len());
    for wish in wishes {
        outcomes.push(fulfil(&transaction, wish, &mut position, recorded_at)?);
    }
    Ok((transaction, Committed { outcomes, events: position - before, head: Position(position) }))
}

/// Position and time of the last event. Read in each transaction: another process may have appended.
pub(super) fn last_event(transaction: &Connection) -> rusqlite::Result<(u64, i64)> {
    let last = transaction
        .prepare_cached("SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.unwrap_or((0, i64::MIN)))
}

/// Appends the events of one wish after `position` and moves it on; or finds that its expectation does not hold.
fn fulfil(
    transaction: &Transaction<'_>,
    wish: &Wish<'_>,
    position: &mut u64,
    recorded_at: i64,
) -> rusqlite::Result<Outcome> {
    let known = find_stream(transaction, wish.stream)?;
    let first = wish.first();
    let next = known.map_or(0, |stream| stream.last.0 + 1);
    if first != next {
        let stored = match known {
            Some(stream) => stored_before(transaction, stream.id, first, wish.events)?,
            None => None,
        };
        return Ok(stored.map(|appended| (appended, Success::Repeated)).ok_or_else(|| AppendError::Conflict {
            stream: wish.stream.clone(),
            current: known.map(|stream| stream.last),
        }));
    }
    let stream_id = match known {
        Some(stream) => stream.id,
        None => create_stream(transaction, wish.stream)?,
    };
    let mut revision = first;
    for event in wish.events {
        *position += 1;
        let fields = Fields {
            position: *position,
            stream: wish.stream.as_str(),
            revision,
            id: event.id,
            kind: &event.kind,
            recorded_at,
            metadata: &event.metadata,
            data: &event.data,
        };
        insert(transaction, stream_id, &fields)?;
        revision += 1;
    }
    Ok(Ok((Appended { revision: Revision(revision - 1), position: Position(*position) }, Success::Stored)))
}

/// A stream that has events.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub(super) id: i64,
    pub(super) last: Revision,
}

pub(super) fn find_stream(transaction: &Connection, name: &StreamName) -> rusqlite::Result<Option<Stream>> {
    transaction
        .prepare_cached(
            "SELECT s.id, (SELECT max(e.revision) FROM events e WHERE e.stream = s.id) FROM streams s WHERE s.name = ?1",
        )?
        .query_row([name.as_str()], |row| Ok(Stream { id: row.get(0)?, last: Revision(row.get(1)?) }))
        .optional()
}

pub(super) fn create_stream(transaction: &Connection, name: &StreamName) -> rusqlite::Result<i64> {
    transaction.prepare_cached("INSERT INTO streams (name) VALUES (?1)")?.insert([name.as_str()])
}

/// Where an event stands, if it is the one at this place of a stream.
pub(super) fn position_of(
    connection: &Connection,
    stream_id: i64,
    revision: Revision,
    id: Uuid,
) -> rusqlite::Result<Option<Position>> {
    connection
        .prepare_cached("SELECT position FROM events WHERE stream = ?1 AND revision = ?2 AND id = ?3")?
        .query_row(params![stream_id, whole(revision.0), id.as_bytes()], |row| Ok(Position(row.get(0)?)))
        .optional()
}

/// Where these very events stand, if they are in the stream from revision `first` on.
fn stored_before(
    transaction: &Transaction<'_>,
    stream_id: i64,
    first: u64,
    events: &[NewEvent],
) -> rusqlite::Result<Option<Appended>> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, revision, position FROM events WHERE stream = ?1 AND revision >= ?2 ORDER BY revision LIMIT ?3",
    )?;
    let mut rows = statement.query(params![stream_id, whole(first), events.len()])?;
    let mut last = None;
    for event in events {
        let Some(row) = rows.next()? else { return Ok(None) };
        if row.get::<_, Uuid>(0)? != event.id {
            return Ok(None);
        }
        last = Some(Appended { revision: Revision(row.get(1)?), position: Position(row.get(2)?) });
    }
    Ok(last)
}

pub(super) fn insert(transaction: &Connection, stream_id: i64, fields: &Fields<'_>) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO events (position, stream, revision, id, kind, recorded_at, crc, metadata, data) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            fields.position,
            stream_id,
            fields.revision,
            fields.id.as_bytes(),
            fields.kind,
            fields.recorded_at,
            fields.checksum(),
            fields.metadata,
            fields.data,
        ])?;
    Ok(())
}
