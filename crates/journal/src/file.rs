//! The journal's file: its schema, and what happens to a file that is not right.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::JournalError;

/// Marks the file as a journal of ours: "CHJL".
const APPLICATION_ID: i32 = 0x4348_4a4c;
/// Grows with every change of the schema. The journal of another version is put aside: it is not worth migrating.
const SCHEMA_VERSION: i32 = 2;

const SCHEMA: &str = "
CREATE TABLE deliveries (
    id            INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL, -- microseconds since 1970, UTC
    seller        TEXT NOT NULL,
    activity      TEXT,
    test          INTEGER NOT NULL,
    authenticated INTEGER NOT NULL,
    subject       TEXT,
    order_id      TEXT,
    order_line    TEXT,
    result_code   TEXT NOT NULL,
    reason        TEXT,
    millis        REAL NOT NULL,
    remote        TEXT,
    body          TEXT NOT NULL,
    answer        TEXT NOT NULL
) STRICT;
-- Both are small: most deliveries are signed, and most go well.
CREATE INDEX strangers ON deliveries (id) WHERE NOT authenticated;
CREATE INDEX failures ON deliveries (at) WHERE authenticated AND NOT test AND result_code <> '000000';
";

const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a file is not used.
enum Unusable {
    /// Damaged, of another version, or not ours. The text says which.
    Bad(String),
    /// It may be good, but cannot be opened now.
    Refused(rusqlite::Error),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Bad(error.to_string()),
            _ => Self::Refused(error),
        }
    }
}

/// Opens the journal for writing. A file that is not right is renamed, and a new one begun.
pub(crate) fn open(path: &Path, now: DateTime<Utc>) -> Result<Connection, JournalError> {
    let refused = |source| JournalError::Sqlite { path: path.to_owned(), doing: "open", source };
    let io_error = |doing| move |source| JournalError::Io { path: path.to_owned(), doing, source };
    create_private(path).map_err(io_error("create"))?;
    match writer(path) {
        Ok(connection) => Ok(connection),
        Err(Unusable::Refused(source)) => Err(refused(source)),
        Err(Unusable::Bad(reason)) => {
            let aside = put_aside(path, now).map_err(io_error("put aside"))?;
            create_private(path).map_err(io_error("create"))?;
            tracing::warn!(journal = %path.display(), moved_to = %aside.display(), reason, "the delivery journal is begun anew");
            writer(path).map_err(|unusable| match unusable {
                Unusable::Refused(source) => refused(source),
                Unusable::Bad(reason) => io_error("begin")(io::Error::other(reason)),
            })
        }
    }
}

/// Makes an empty file that only its owner can read, if there is none: bodies name customers' purchases.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn writer(path: &Path) -> Result<Connection, Unusable> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let is_new = is_empty(&connection)?;
    if !is_new {
        check_kind(&connection)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // After a power cut the last deliveries may be missing, or the file damaged: this is no log.
    connection.pragma_update(None, "synchronous", "OFF")?;
    if is_new {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        connection.execute_batch(SCHEMA)?;
    }
    let check: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if check == "ok" { Ok(connection) } else { Err(Unusable::Bad(check)) }
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(pragma(connection, "schema_version")? == 0)
}

/// Whether it is a journal of this version.
fn check_kind(connection: &Connection) -> Result<(), Unusable> {
    if pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(Unusable::Bad("it is no delivery journal".into()));
    }
    if pragma(connection, "user_version")? != SCHEMA_VERSION {
        return Err(Unusable::Bad("it is of another version".into()));
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// Opens a journal that is there, and leaves it as it is whatever is wrong with it.
pub(crate) fn existing(path: &Path) -> Result<Connection, JournalError> {
    let opened = || -> Result<Connection, Unusable> {
        let connection = reader(path)?;
        check_kind(&connection)?;
        Ok(connection)
    };
    opened().map_err(|unusable| match unusable {
        Unusable::Refused(source) => JournalError::Sqlite { path: path.to_owned(), doing: "open", source },
        Unusable::Bad(reason) => {
            JournalError::Io { path: path.to_owned(), doing: "read", source: io::Error::other(reason) }
        }
    })
}

/// Opens the journal for reading.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn put_aside(path: &Path, now: DateTime<Utc>) -> io::Result<PathBuf> {
    let aside = beside(path, &format!(".damaged-{}", now.format("%Y%m%dT%H%M%S%3fZ")));
    // The last transactions may stand beside the file; they belong to it, and would be taken for parts of the new one.
    for suffix in ["-wal", "-shm", ""] {
        match std::fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
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
