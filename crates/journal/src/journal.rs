//! The journal as others see it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::at_risk::{self, AtRisk};
use crate::delivery::Delivery;
use crate::error::JournalError;
use crate::file;
use crate::list::{self, Filter, LastDelivery};
use crate::queue::Queue;
use crate::writer::Writer;

/// Deliveries that wait for the writer; one more is dropped.
const QUEUE_MAX: usize = 8192;

/// How much a journal keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalOptions {
    /// Deliveries whose signature was right. Default: 100,000.
    pub max_deliveries: u32,
    /// Deliveries of strangers. Default: 1,000.
    pub max_rejected: u32,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { max_deliveries: 100_000, max_rejected: 1_000 }
    }
}

/// The delivery journal of this node. Clones share one file; the last one to go writes what still waits.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Shared>);

struct Shared {
    path: PathBuf,
    queue: Arc<Queue>,
    done: watch::Receiver<u64>,
    reader: Arc<Mutex<Connection>>,
    writer: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens a journal; creates it if there is none. One that is damaged, foreign or of another version is renamed to
    /// `….damaged-<time>` with a warning, and begun anew.
    ///
    /// # Errors
    /// [`JournalError`]: the file cannot be read or written.
    pub fn open(path: &Path, options: JournalOptions) -> Result<Self, JournalError> {
        let sqlite = |source| JournalError::Sqlite { path: path.to_owned(), doing: "open", source };
        let connection = file::open(path, Utc::now())?;
        let reader = file::reader(path).map_err(sqlite)?;
        let strangers_max = usize::try_from(options.max_rejected).unwrap_or(usize::MAX);
        let queue = Arc::new(Queue::new(QUEUE_MAX, strangers_max));
        let (done_sender, done) = watch::channel(0);
        let (deliveries, strangers) = (options.max_deliveries.into(), options.max_rejected.into());
        let writer = Writer::new(connection, Arc::clone(&queue), deliveries, strangers, done_sender).map_err(sqlite)?;
        let thread = std::thread::Builder::new().name("journal-writer".into());
        let writer = thread.spawn(move || writer.run()).map_err(|source| JournalError::Io {
            path: path.to_owned(),
            doing: "start a thread for",
            source,
        })?;
        Ok(Self(Arc::new(Shared {
            path: path.to_owned(),
            queue,
            done,
            reader: Arc::new(Mutex::new(reader)),
            writer: Some(writer),
        })))
    }

    /// Records a delivery. Returns at once and never fails: what finds no room is dropped and [counted](Self::dropped).
    pub fn record(&self, mut delivery: Delivery) {
        delivery.cut();
        self.0.queue.push(delivery);
    }

    /// How many deliveries were dropped since the journal was opened: no room in the queue, more strangers at once than
    /// are kept, or a disk that refused.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.queue.dropped()
    }

    /// Waits until everything recorded so far is written, or dropped.
    pub async fn flush(&self) {
        let queued = self.0.queue.hurry();
        let mut done = self.0.done.clone();
        // Fails only if the writer is gone; there is nothing to wait for then.
        let _ = done.wait_for(|done| *done >= queued).await;
    }

    /// Lists deliveries, newest first, at most `limit`, each with its id; everything recorded so far is seen. The next
    /// page is the one `before` the last id.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn list(
        &self,
        filter: Filter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, Delivery)>, JournalError> {
        self.read(move |connection| list::list(connection, &filter, before, limit)).await
    }

    /// What stands at risk: signed deliveries since a moment, usually [`RETRY_WINDOW`](crate::RETRY_WINDOW) ago, of which
    /// the latest to the same effect was not answered `000000`. Dial tests are left out, and so is what only asks. The
    /// longest at risk first, a thousand at most.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn at_risk(&self, since: DateTime<Utc>) -> Result<Vec<AtRisk>, JournalError> {
        self.read(move |connection| at_risk::at_risk(connection, since)).await
    }

    /// The last signed delivery of each seller, as far as it is kept.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn last(&self) -> Result<Vec<LastDelivery>, JournalError> {
        self.read(list::last).await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        self.flush().await;
        let reader = Arc::clone(&self.0.reader);
        let reading = move || read(&reader.lock().unwrap_or_else(PoisonError::into_inner));
        let path = || self.0.path.clone();
        let result = tokio::task::spawn_blocking(reading).await.map_err(|error| JournalError::Io {
            path: path(),
            doing: "read",
            source: std::io::Error::other(error),
        })?;
        result.map_err(|source| JournalError::Sqlite { path: path(), doing: "read", source })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the thread of the delivery journal panicked");
        }
    }
}
