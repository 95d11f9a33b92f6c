//! The tables, and what marks a file as ours.

/// `PRAGMA application_id`: "CHOP".
pub(super) const APPLICATION_ID: u32 = 0x4348_4f50;

/// `PRAGMA user_version`: the format of the file.
pub(super) const FORMAT: u32 = 1;

/// Bytes of a page. Larger pages cost more at each commit, for each one touched; smaller ones hold too few events.
pub(super) const PAGE_BYTES: u32 = 4096;

/// Positions start at 1 and have no gaps; revisions start at 0 and have none; `recorded_at` is in microseconds since 1970,
/// UTC; `crc` is of [`Fields::checksum`](super::row::Fields::checksum).
pub(super) const CREATE: &str = "
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX streams_by_name ON streams (name);
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        id BLOB NOT NULL,
        kind TEXT NOT NULL,
        recorded_at INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        metadata BLOB NOT NULL,
        data BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
";
