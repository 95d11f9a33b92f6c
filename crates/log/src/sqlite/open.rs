//! Opening the file: creating it, refusing what is not a log, and the settings of each kind of connection.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, ffi};
use uuid::Uuid;

use super::error::OpenError;
use super::{header, reader, schema, verify};
use crate::files;
use crate::record::Position;

/// How long a connection waits for one of another process. Shorter than the marketplace waits for its answer.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The writer's connection and the position of the last event.
pub(super) fn open(path: &Path, is_verified: bool) -> Result<(Connection, Position), OpenError> {
    let io_error = |source| OpenError::Io { path: path.to_owned(), doing: "open", source };
    if !path.try_exists().map_err(io_error)? {
        create(path)?;
    }
    header::check(path)?;
    let connection = writer(path).map_err(|error| OpenError::from_sqlite(path, error))?;
    if is_verified {
        verify::verify(path, &connection)?;
    }
    // A process that was killed may have left commits that were never synced. A checkpoint syncs them before anybody
    // builds on them.
    checkpoint(&connection, "PASSIVE").map_err(|error| OpenError::from_sqlite(path, error))?;
    let last = reader::head(&connection).map_err(|error| OpenError::from_read(path, error))?;
    Ok((connection, last))
}

/// Creates the file complete and under another name first: a file under the log's own name is always a whole log, so an
/// empty one means damage and is never taken for a new log.
fn create(path: &Path) -> Result<(), OpenError> {
    let io_error = |source| OpenError::Io { path: path.to_owned(), doing: "create", source };
    let unfinished = files::beside(path, &format!(".{}.new", Uuid::now_v7()));
    files::create_private(&unfinished).map_err(io_error)?;
    fill(&unfinished).map_err(|error| OpenError::from_sqlite(path, error))?;
    match std::fs::hard_link(&unfinished, path) {
        // Another process was quicker; its file is as good.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        linked => linked.map_err(io_error)?,
    }
    std::fs::remove_file(&unfinished).map_err(io_error)?;
    files::sync_folder_of(path).map_err(io_error)
}

fn fill(path: &Path) -> rusqlite::Result<()> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "page_size", schema::PAGE_BYTES)?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    let (application, format) = (schema::APPLICATION_ID, schema::FORMAT);
    connection.execute_batch(&format!(
        "BEGIN; {} PRAGMA application_id = {application}; PRAGMA user_version = {format}; COMMIT;",
        schema::CREATE
    ))
}

/// The connection that appends. It syncs at each commit and leaves checkpoints to the housekeeper.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        let reason = "its file system does not allow a write-ahead log; use a local disk";
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), Some(reason.into())));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    Ok(connection)
}

/// Pages that the writer keeps in memory, KiB: the upper levels of the indices of some ten million streams. More would be
/// slower: whenever a page is split, SQLite puts one aside under a number above all others, and so looks at every page it
/// keeps when the transaction ends. With 64 MiB that took a fifth of the writer's time.
const CACHE_KIB: i64 = 8 * 1024;

/// What of the write-ahead log stays on disk for reuse after a restart.
const WAL_BYTES_KEPT: i64 = 128 * 1024 * 1024;

/// The connection that checkpoints.
pub(super) fn housekeeper(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// The state of the write-ahead log, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wal {
    pub(super) pages: i64,
    pub(super) copied: i64,
}

/// Copies pages from the write-ahead log into the file, as far as `mode` goes (`NOOP`, `PASSIVE`, `RESTART`, `TRUNCATE`).
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Wal> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Wal { pages: row.get(1)?, copied: row.get(2)? })
    })
}
