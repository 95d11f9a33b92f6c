//! One record as a row, and its checksum.

use chrono::DateTime;
use rusqlite::Row;
use uuid::Uuid;

use crate::event_log::ReadError;
use crate::record::{Position, Record, Revision, StreamName};

/// What [`Fields::read`] expects to be selected, from `events e` and `streams s`.
pub(super) const COLUMNS: &str =
    "e.position, s.name, e.revision, e.id, e.kind, e.recorded_at, e.crc, e.metadata, e.data";

/// A record's fields, borrowed from a row or from an event about to be written.
pub(super) struct Fields<'a> {
    pub(super) position: u64,
    pub(super) stream: &'a str,
    pub(super) revision: u64,
    pub(super) id: Uuid,
    pub(super) kind: &'a str,
    /// Microseconds since 1970, UTC.
    pub(super) recorded_at: i64,
    pub(super) metadata: &'a [u8],
    pub(super) data: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Takes a row's fields, and checks them against their checksum.
    pub(super) fn read(row: &'a Row<'_>) -> Result<Self, ReadError> {
        let position = row.get(0).map_err(|error| damaged(0, error.to_string()))?;
        let (fields, crc) = Self::take(position, row).map_err(|error| damaged(position, error.to_string()))?;
        if fields.checksum() == crc {
            Ok(fields)
        } else {
            Err(damaged(position, "the record's checksum is wrong".into()))
        }
    }

    fn take(position: u64, row: &'a Row<'_>) -> rusqlite::Result<(Self, u32)> {
        let fields = Self {
            position,
            stream: row.get_ref(1)?.as_str()?,
            revision: row.get(2)?,
            id: row.get(3)?,
            kind: row.get_ref(4)?.as_str()?,
            recorded_at: row.get(5)?,
            metadata: row.get_ref(7)?.as_blob()?,
            data: row.get_ref(8)?.as_blob()?,
        };
        Ok((fields, row.get(6)?))
    }

    /// CRC-32 (IEEE) over position, revision and time (8 bytes each, little endian), id (16 bytes), then stream, kind,
    /// metadata and data, each after its length (8 bytes).
    pub(super) fn checksum(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let mut fixed = [0; 40];
        fixed[..8].copy_from_slice(&self.position.to_le_bytes());
        fixed[8..16].copy_from_slice(&self.revision.to_le_bytes());
        fixed[16..24].copy_from_slice(&self.recorded_at.to_le_bytes());
        fixed[24..].copy_from_slice(self.id.as_bytes());
        crc.update(&fixed);
        for part in [self.stream.as_bytes(), self.kind.as_bytes(), self.metadata, self.data] {
            crc.update(&(part.len() as u64).to_le_bytes());
            crc.update(part);
        }
        crc.finalize()
    }

    /// The record, with its stream's name where the caller has it.
    pub(super) fn to_record(&self, stream: Option<&StreamName>) -> Result<Record, ReadError> {
        let stream = match stream {
            Some(stream) => stream.clone(),
            None => StreamName::new(self.stream).map_err(|error| damaged(self.position, error.to_string()))?,
        };
        let recorded_at = DateTime::from_timestamp_micros(self.recorded_at)
            .ok_or_else(|| damaged(self.position, format!("{} is not a time", self.recorded_at)))?;
        Ok(Record {
            id: self.id,
            stream,
            revision: Revision(self.revision),
            position: Position(self.position),
            kind: self.kind.to_owned(),
            data: self.data.to_vec(),
            metadata: self.metadata.to_vec(),
            recorded_at,
        })
    }
}

/// A record that is not as it was written.
pub(super) fn damaged(position: u64, reason: String) -> ReadError {
    ReadError::Damaged { position: Position(position), reason }
}

/// A number as SQLite has it. No log gets to its end.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
