//! Reading, on connections of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::not_read;
use super::open;
use super::row::{COLUMNS, Fields, damaged, whole};
use crate::event_log::ReadError;
use crate::record::{Page, Position, Record, Revision, StreamName};

/// Reads at the same time. More would only wait for each other's disk.
const READERS: u32 = 4;

/// A page ends after this much data, however many records were asked for.
const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A few read-only connections, opened when first needed.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::default(), permits: Arc::new(Semaphore::new(READERS as usize)) }
    }

    /// Runs a read on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let unavailable = |reason: String| ReadError::Unavailable { reason };
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| unavailable("the log is closed".into()))?;
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || readers.read_now(&permit, read));
        reading.await.map_err(|error| unavailable(error.to_string()))?
    }

    /// Reads with a connection, which is idle again before the permit is given back. Goes on to the end even if nobody
    /// waits for it any more.
    fn read_now<T>(
        &self,
        _permit: &OwnedSemaphorePermit,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let connection = self.take().map_err(|error| not_read(&error, Position::START))?;
        let result = read(&connection);
        if result.is_ok() && !self.permits.is_closed() {
            self.idle().push(connection);
        }
        result
    }

    /// Waits for the reads under way and closes all connections; later reads fail. Done before the writer ends: SQLite
    /// empties the write-ahead log and removes it when the last connection closes, but only if that one may write.
    pub(super) async fn close(&self) {
        // Fails only if they are closed already.
        let _all = self.permits.acquire_many(READERS).await;
        self.close_idle();
    }

    /// The same without waiting: a read under way closes its connection itself.
    pub(super) fn close_idle(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle().pop();
        idle.map_or_else(|| open::reader(&self.path), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The position of the last event.
pub(super) fn head(connection: &Connection) -> Result<Position, ReadError> {
    let head = connection
        .prepare_cached("SELECT max(position) FROM events")
        .and_then(|mut statement| statement.query_row([], |row| row.get::<_, Option<u64>>(0)))
        .map_err(|error| not_read(&error, Position::START))?;
    Ok(head.map_or(Position::START, Position))
}

/// A stream's records from a revision on.
pub(super) fn read_stream(
    connection: &Connection,
    stream: &StreamName,
    from: Revision,
    limit: usize,
) -> Result<Vec<Record>, ReadError> {
    let mut records: Vec<Record> = Vec::new();
    let last = |records: &[Record]| records.last().map_or(Position::START, |record| record.position);
    let mut statement = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM streams s CROSS JOIN events e ON e.stream = s.id \
             WHERE s.name = ?1 AND e.revision >= ?2 ORDER BY e.revision LIMIT ?3"
        ))
        .map_err(|error| not_read(&error, Position::START))?;
    let mut rows = statement
        .query((stream.as_str(), whole(from.0), whole(limit as u64)))
        .map_err(|error| not_read(&error, Position::START))?;
    while let Some(row) = rows.next().map_err(|error| not_read(&error, last(&records)))? {
        let fields = Fields::read(row)?;
        let expected = from.0 + records.len() as u64;
        if fields.revision != expected {
            return Err(damaged(fields.position, format!("revision {expected} of stream {stream} is missing")));
        }
        records.push(fields.to_record(Some(stream))?);
    }
    Ok(records)
}

/// The log's records after a position.
pub(super) fn read_all(connection: &Connection, after: Position, limit: usize) -> Result<Page, ReadError> {
    let mut page = Page { records: Vec::new(), reached: after, at_head: false };
    let mut bytes = 0;
    let mut statement = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events e LEFT JOIN streams s ON s.id = e.stream \
             WHERE e.position > ?1 ORDER BY e.position LIMIT ?2"
        ))
        .map_err(|error| not_read(&error, after))?;
    let mut rows = statement.query((whole(after.0), whole(limit as u64))).map_err(|error| not_read(&error, after))?;
    while bytes < PAGE_BYTES_MAX {
        let Some(row) = rows.next().map_err(|error| not_read(&error, page.reached))? else {
            break;
        };
        let fields = Fields::read(row)?;
        let expected = page.reached.0 + 1;
        if fields.position != expected {
            return Err(damaged(expected, "the record is missing".into()));
        }
        bytes += fields.data.len() + fields.metadata.len();
        page.records.push(fields.to_record(None)?);
        page.reached = Position(fields.position);
    }
    page.at_head = page.records.len() < limit && bytes < PAGE_BYTES_MAX || is_head(connection, page.reached)?;
    Ok(page)
}

fn is_head(connection: &Connection, position: Position) -> Result<bool, ReadError> {
    let next = connection
        .prepare_cached("SELECT 1 FROM events WHERE position > ?1 LIMIT 1")
        .and_then(|mut statement| statement.query_row([whole(position.0)], |_| Ok(())).optional())
        .map_err(|error| not_read(&error, position))?;
    Ok(next.is_none())
}
