//! The file: its schema, and what is said of a file that is not right.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::ViewsError;

/// Marks the file as views of ours: "CHVW".
const APPLICATION_ID: i32 = 0x4348_5657;
/// Grows with every change of the schema.
const SCHEMA_VERSION: i32 = 1;

/// Tables may be there: another process may have begun the file at the same moment.
const TABLES: &str = "
-- Times are microseconds since 1970, UTC; hours are hours since 1970.
CREATE TABLE IF NOT EXISTS holders (
    seller      TEXT NOT NULL,
    license     TEXT NOT NULL,
    holder      TEXT NOT NULL, -- a machine's fingerprint; empty for a deployment itself
    at          INTEGER NOT NULL,
    lease_until INTEGER,
    PRIMARY KEY (seller, license, holder)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deployment_hours (
    hour          INTEGER NOT NULL,
    seller        TEXT NOT NULL,
    product       TEXT NOT NULL,
    ecs           TEXT NOT NULL,
    charging_mode TEXT,
    at            INTEGER NOT NULL,
    PRIMARY KEY (hour, seller, product, ecs)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at  INTEGER NOT NULL
) STRICT;
";

const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens the file for writing; begins it if there is none.
pub(super) fn open(path: &Path, now: DateTime<Utc>) -> Result<Connection, ViewsError> {
    create_private(path)?;
    let refused = |error| refusal(path, "open", error);
    let connection = Connection::open(path).map_err(refused)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(refused)?;
    let is_new = pragma(&connection, "schema_version").map_err(refused)? == 0;
    if !is_new {
        check_kind(path, &connection)?;
    }
    let prepare = || -> rusqlite::Result<String> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A power cut may take the last transactions back, and never damages the file.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        if is_new {
            let kind = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};");
            let begun = format!("INSERT OR IGNORE INTO begun VALUES (1, {});", now.timestamp_micros());
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} {begun} {kind} COMMIT;"))?;
        }
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    match prepare().map_err(refused)? {
        ok if ok == "ok" => Ok(connection),
        reason => Err(ViewsError::Damaged { path: path.to_owned(), reason }),
    }
}

/// Opens the file for reading.
pub(super) fn reader(path: &Path) -> Result<Connection, ViewsError> {
    let refused = |error| refusal(path, "open", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(refused)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(refused)?;
    Ok(connection)
}

/// Moves a file and its companions out of the way; gives where it is now.
pub(crate) fn put_aside(path: &Path, now: DateTime<Utc>) -> Result<PathBuf, ViewsError> {
    let aside = beside(path, &format!(".damaged-{}", now.timestamp()));
    // The last transactions may stand beside the file; they belong to it, and would be taken for parts of the new one.
    for suffix in ["-wal", "-shm", ""] {
        match std::fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(ViewsError::Io { path: path.to_owned(), doing: "move aside", source });
            }
            _ => {}
        }
    }
    Ok(aside)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What SQLite's error means to whoever must mend it.
pub(super) fn refusal(path: &Path, doing: &'static str, source: rusqlite::Error) -> ViewsError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            ViewsError::Damaged { path, reason: source.to_string() }
        }
        _ => ViewsError::Sqlite { path, doing, source },
    }
}

/// Makes an empty file that only its owner can read, if there is none: fingerprints are the customers' own.
fn create_private(path: &Path) -> Result<(), ViewsError> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path);
    opened.map(drop).map_err(|source| ViewsError::Io { path: path.to_owned(), doing: "create", source })
}

/// Whether it is a file of ours, and of a version that is understood.
fn check_kind(path: &Path, connection: &Connection) -> Result<(), ViewsError> {
    let read = |name| pragma(connection, name).map_err(|error| refusal(path, "open", error));
    if read("application_id")? != APPLICATION_ID {
        return Err(ViewsError::Foreign { path: path.to_owned() });
    }
    let found = read("user_version")?;
    if found != SCHEMA_VERSION {
        return Err(ViewsError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}
