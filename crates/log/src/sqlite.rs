//! The embedded engine: one SQLite file.
//!
//! The file is in WAL mode with `synchronous=FULL`. One thread writes: it takes all appends that wait and commits them in
//! one transaction, so many share one sync. Checkpoints run on a thread of their own. Reads use a few read-only
//! connections. Every record carries a CRC-32 over all its fields, which is checked at every read.
//!
//! Several processes may use the same file, on the same machine: appends are checked inside SQLite's own lock, and
//! appends of others are noticed within about [a tenth of a second](EventLog::changed).

mod batch;
mod error;
mod header;
mod housekeeper;
mod import;
mod leader;
mod open;
mod reader;
mod row;
mod schema;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};

use self::housekeeper::Housekeeper;
use self::reader::Readers;
use self::writer::{Import, Message, Request, Writer};
use crate::engine::Engine;
use crate::event_log::{AppendError, EventLog, ReadError};
use crate::leadership::Leadership;
use crate::limits;
use crate::metrics::LogMetrics;
use crate::record::{Appended, Expected, NewEvent, Page, Position, Record, Revision, StreamName};
use crate::trouble::Trouble;
use crate::wake::Head;

pub use self::error::OpenError;
pub use crate::limits::{EVENT_BYTES_MAX, EVENTS_MAX};

/// Appends that wait for the writer before the next caller waits too.
const WAITING_MAX: usize = 1024;

/// How a log file is opened.
#[derive(Debug, Clone, Copy)]
pub struct SqliteOptions {
    /// Whether the records are checked before the log is used: all of them in a file of up to 1 GiB, the last 100,000 in
    /// a larger one. A short-lived command beside a running server does without. Default: true.
    pub verify: bool,
    /// The clock behind [`Record::recorded_at`]. Default: the system's.
    pub clock: fn() -> DateTime<Utc>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { verify: true, clock: Utc::now }
    }
}

/// An event log in one SQLite file.
///
/// Dropping it is safe at any time, and waits for the appends that are already on their way; [`close`](Self::close) does
/// that without blocking a thread of the runtime.
#[derive(Debug)]
pub struct SqliteLog {
    path: PathBuf,
    requests: mpsc::Sender<Message>,
    readers: Arc<Readers>,
    head: Arc<Head>,
    metrics: LogMetrics,
    threads: Mutex<Option<Threads>>,
}

/// The two threads of a log. The writer ends first; the housekeeper when its channel closes.
#[derive(Debug)]
struct Threads {
    writer: std::thread::JoinHandle<()>,
    housekeeper: std::thread::JoinHandle<()>,
    stop_housekeeper: std::sync::mpsc::Sender<()>,
}

impl SqliteLog {
    /// Opens a log file; creates it, readable by its owner only, if there is none.
    ///
    /// # Errors
    /// [`OpenError`]: the file is no log of ours, is of a newer version, is damaged, or cannot be used. It is never
    /// deleted or replaced.
    pub fn open(path: &Path, options: SqliteOptions, metrics: LogMetrics) -> Result<Self, OpenError> {
        let (connection, last) = open::open(path, options.verify)?;
        let head = Arc::new(Head::new(last));
        let (requests, waiting) = mpsc::channel(WAITING_MAX);
        let (stop_housekeeper, stopped) = std::sync::mpsc::channel();
        let housekeeper = Housekeeper::new(path, Arc::clone(&head), metrics.clone());
        let writer = Writer {
            path: path.to_owned(),
            connection: Some(connection),
            requests: waiting,
            head: Arc::clone(&head),
            restart_wal: housekeeper.restart_wal(),
            metrics: metrics.clone(),
            clock: options.clock,
            trouble: Trouble::default(),
        };
        let thread_error = |source| OpenError::Io { path: path.to_owned(), doing: "start a thread for", source };
        let threads = Threads {
            writer: spawn("log-writer", move || writer.run()).map_err(thread_error)?,
            housekeeper: spawn("log-housekeeper", move || housekeeper.run(&stopped)).map_err(thread_error)?,
            stop_housekeeper,
        };
        let readers = Arc::new(Readers::new(path));
        let path = path.to_owned();
        Ok(Self { path, requests, readers, head, metrics, threads: Mutex::new(Some(threads)) })
    }

    /// Takes no more appends, finishes those that wait and the reads under way, and gives the file back: all in one file,
    /// unless another process has it open. Whatever comes later fails.
    pub async fn close(&self) {
        self.readers.close().await;
        // Fails only if the log is closed already.
        let _ = self.requests.send(Message::Close).await;
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(threads) = threads {
            // Joining fails only if a thread panicked; there is nothing left to save then.
            let _ = tokio::task::spawn_blocking(move || threads.join()).await;
        }
        self.head.close();
    }

    async fn hand_over(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let asked_at = Instant::now();
        let (answer, answered) = oneshot::channel();
        let request = Request { stream: stream.clone(), expected, events, asked_at, answer };
        if self.requests.send(Message::Append(request)).await.is_err() {
            return Err(AppendError::Unavailable { reason: "the log is closed".into() });
        }
        answered.await.unwrap_or_else(|_| {
            Err(AppendError::Unknown { reason: "the log's writer ended before it answered".into() })
        })
    }
}

impl Threads {
    fn join(self) {
        let writer = self.writer.join();
        drop(self.stop_housekeeper);
        let housekeeper = self.housekeeper.join();
        if writer.and(housekeeper).is_err() {
            tracing::error!("a thread of the event log panicked");
        }
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        self.readers.close_idle();
        // The writer ends when it has drained the channel and nobody holds its other end.
        self.requests = mpsc::channel(1).0;
        if let Some(threads) = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take() {
            threads.join();
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(run)
}

#[async_trait]
impl EventLog for SqliteLog {
    /// Dropping the future does not take the append back.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        if let Err(error) = limits::check(&events) {
            self.metrics.count(Err(&error));
            return Err(error);
        }
        self.hand_over(stream, expected, events).await
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        let stream = stream.clone();
        self.readers.read(move |connection| reader::read_stream(connection, &stream, from, limit)).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.readers.read(move |connection| reader::read_all(connection, after, limit)).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        let head = self.readers.read(reader::head).await?;
        self.head.advance(head);
        Ok(head)
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        self.head.passed(after).await
    }
}

#[async_trait]
impl Engine for SqliteLog {
    /// All of one call or none.
    async fn import(&self, records: Vec<Record>) -> Result<Position, AppendError> {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Message::Import(Import { records, answer })).await.is_err() {
            return Err(AppendError::Unavailable { reason: "the log is closed".into() });
        }
        answered.await.unwrap_or_else(|_| {
            Err(AppendError::Unknown { reason: "the log's writer ended before it answered".into() })
        })
    }

    async fn lead(&self) -> Leadership {
        leader::lead(&self.path).await
    }

    async fn close(&self) {
        SqliteLog::close(self).await;
    }
}
