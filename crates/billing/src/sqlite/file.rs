//! The file: its tables, and what is said of a file that is not right.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, params_from_iter};

use super::writer;
use crate::schema::{self, VERSION, VERSIONS};
use crate::sql::Dialect;
use crate::store::StoreError;

/// Marks the file as billing views of ours: "CHBV".
const APPLICATION_ID: i32 = 0x4348_4256;

/// How long a connection waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What of the write-ahead log stays on disk for reuse, in bytes.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// Pages of the write-ahead log that are moved into the file at once: as many as are kept of it. With fewer, a rebuild would
/// sync the file after nearly every transaction, and move pages that the next one writes again.
const WAL_PAGES: i64 = WAL_BYTES_KEPT / 4096;

/// What becomes of views that are in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Kept,
    TakenAway,
}

/// Opens the file for writing; begins it if there is none.
pub(super) fn open(path: &Path, found: Found) -> Result<Connection, StoreError> {
    create_private(path)
        .map_err(|error| StoreError::Unavailable { reason: format!("cannot create {}: {error}", path.display()) })?;
    let refused = |error| refusal(path, &error);
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(refused)?;
    check_kind(path, &connection)?;
    configure(&connection).map_err(refused)?;
    let version = prepare(&mut connection, found).map_err(refused)?;
    if version != VERSION {
        return Err(StoreError::Version { found: version, wanted: VERSION });
    }
    Ok(connection)
}

/// Opens the file for reading.
pub(super) fn reader(path: &Path, statements: usize) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.set_prepared_statement_cache_capacity(statements);
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))
}

/// Makes the tables where there are none; gives the version of those that are there. All in one transaction: of two
/// processes that begin the file at once, one finds the tables of the other.
fn prepare(connection: &mut Connection, found: Found) -> rusqlite::Result<u32> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if found == Found::TakenAway {
        take_away(&transaction)?;
    }
    if !is_begun(&transaction)? {
        begin(&transaction)?;
    }
    let version = transaction.query_row("SELECT version FROM views_version", [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(version)
}

fn is_begun(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    let tables = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'views_version')";
    transaction.query_row(tables, [], |row| row.get(0))
}

fn begin(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let tables = schema::tables();
    let create: String = tables.iter().map(|table| Dialect::Sqlite.create(table)).collect();
    transaction.execute_batch(&create)?;
    let version = Dialect::Sqlite.put(&VERSIONS.layout());
    transaction.execute(&version, params_from_iter(VERSIONS.cells(&VERSION)))?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    writer::begin(transaction)
}

/// Another version may have had other tables: all of them go.
fn take_away(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let names: Vec<String> =
        transaction.prepare(tables)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    names.iter().try_for_each(|name| transaction.execute(&format!("DROP TABLE \"{name}\""), []).map(drop))
}

/// What SQLite's error means to whoever must mend it.
pub(super) fn refusal(path: &Path, error: &rusqlite::Error) -> StoreError {
    let reason = format!("{}: {error}", path.display());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { reason },
        _ => StoreError::Unavailable { reason },
    }
}

/// Makes an empty file that only its owner can read, if there is none: what a company earns is its own business.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Refuses a database of something else, which must not be touched.
fn check_kind(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let read = |name| {
        let number = connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        number.map_err(|error| refusal(path, &error))
    };
    // A file without tables is one that was just made, here or by another process.
    if read("schema_version")? == 0 || read("application_id")? == APPLICATION_ID {
        return Ok(());
    }
    let path = path.display();
    Err(StoreError::Unavailable {
        reason: format!("{path} is a database of something else: name another file, or move it away"),
    })
}
