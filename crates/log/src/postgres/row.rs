//! One record as a row, and its checksum.

use chrono::DateTime;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::event_log::ReadError;
use crate::record::{NewEvent, Position, Record, Revision, StreamName};

/// The greatest prime below 2^32, and what positions and times are multiplied with.
const PRIME: i64 = 4_294_967_291;
const OF_POSITION: i64 = 461_845_907;
const OF_TIME: i64 = 268_435_399;

/// The checksum of what is known of an event before it has its place: a CRC-32 (IEEE) over revision (8 bytes, little
/// endian) and id (16 bytes), then stream, kind, metadata and data, each after its length (8 bytes).
pub(super) fn content_checksum(stream: &str, revision: i64, id: Uuid, kind: &str, metadata: &[u8], data: &[u8]) -> i64 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&revision.to_le_bytes());
    crc.update(id.as_bytes());
    for part in [stream.as_bytes(), kind.as_bytes(), metadata, data] {
        crc.update(&(part.len() as u64).to_le_bytes());
        crc.update(part);
    }
    crc.finalize().into()
}

/// The checksum of a row. The server reckons the same where it gives an event its place: `place_checksum`.
fn checksum(content: i64, position: i64, recorded_at: i64) -> i64 {
    (content + position % PRIME * OF_POSITION + recorded_at % PRIME * OF_TIME) % PRIME
}

/// The checksum of an event that would stand at a revision.
pub(super) fn checksum_of_event(stream: &StreamName, revision: i64, event: &NewEvent) -> i64 {
    content_checksum(stream.as_str(), revision, event.id, &event.kind, &event.metadata, &event.data)
}

/// Takes a row of `position, stream, revision, id, kind, recorded_at, checksum, metadata, data` for a record, and checks it
/// against its checksum. `after` is the position before it, for the message if even its position cannot be read.
pub(super) fn record(row: &Row, after: Position) -> Result<Record, ReadError> {
    let place: i64 = column(row, 0, after)?;
    let at = Position(u64::try_from(place).map_err(|_| damaged(after, format!("{place} is not a position")))?);
    let (stream, revision): (&str, i64) = (column(row, 1, at)?, column(row, 2, at)?);
    let (id, kind, recorded_at): (Uuid, &str, i64) = (column(row, 3, at)?, column(row, 4, at)?, column(row, 5, at)?);
    let (metadata, data): (&[u8], &[u8]) = (column(row, 7, at)?, column(row, 8, at)?);
    let content = content_checksum(stream, revision, id, kind, metadata, data);
    if checksum(content, place, recorded_at) != column::<i64>(row, 6, at)? {
        return Err(damaged(at, "the record's checksum is wrong".into()));
    }
    let not_a = |what: &str| damaged(at, format!("the record has no {what}"));
    Ok(Record {
        id,
        stream: StreamName::new(stream).map_err(|error| damaged(at, error.to_string()))?,
        revision: Revision(u64::try_from(revision).map_err(|_| not_a("revision"))?),
        position: at,
        kind: kind.to_owned(),
        data: data.to_vec(),
        metadata: metadata.to_vec(),
        recorded_at: DateTime::from_timestamp_micros(recorded_at).ok_or_else(|| not_a("time"))?,
    })
}

fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize, position: Position) -> Result<T, ReadError> {
    row.try_get(at).map_err(|error| damaged(position, error.to_string()))
}

/// A record that is not as it was written.
pub(super) fn damaged(position: Position, reason: String) -> ReadError {
    ReadError::Damaged { position, reason }
}

/// A number as PostgreSQL has it. No log gets to its end.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
