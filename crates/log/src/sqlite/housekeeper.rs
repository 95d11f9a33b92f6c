//! The thread that keeps the write-ahead log short and notices what other processes append.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;

use super::{open, reader, schema};
use crate::metrics::LogMetrics;
use crate::wake::Head;

/// How often it looks.
const ROUND: Duration = Duration::from_millis(100);

/// Pages that make a checkpoint worth its sync: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4096;

/// Pages at which the writer is asked to start the write-ahead log over: 64 MiB.
const RESTART_PAGES: i64 = 16_384;

/// Rounds without an append after which the rest is copied too: pages in the file are checked at every start, and a
/// damaged tail of the write-ahead log could not be told from one that was never written.
const IDLE_ROUNDS: u32 = 10;

/// The housekeeper's belongings.
pub(super) struct Housekeeper {
    path: PathBuf,
    connection: Option<Connection>,
    head: Arc<Head>,
    restart_wal: Arc<AtomicBool>,
    /// The size at which the writer is asked next. Grows while readers keep the write-ahead log from starting over.
    restart_at_pages: i64,
    last_seen_pages: i64,
    idle_rounds: u32,
    is_failing: bool,
    metrics: LogMetrics,
}

impl Housekeeper {
    pub(super) fn new(path: &Path, head: Arc<Head>, metrics: LogMetrics) -> Self {
        Self {
            path: path.to_owned(),
            connection: None,
            head,
            restart_wal: Arc::default(),
            restart_at_pages: RESTART_PAGES,
            last_seen_pages: 0,
            idle_rounds: 0,
            is_failing: false,
            metrics,
        }
    }

    /// Set when the writer should start the write-ahead log over.
    pub(super) fn restart_wal(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.restart_wal)
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self, stop: &Receiver<()>) {
        while stop.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
            match self.round() {
                Ok(()) => self.is_failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut self.is_failing, true) {
                        tracing::warn!(%error, "the event log's housekeeping fails; it is tried again");
                    }
                    self.connection = None;
                }
            }
        }
    }

    /// Looks once.
    pub(super) fn round(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => open::housekeeper(&self.path)?,
        };
        self.head.advance(reader::head(&connection)?);
        self.keep_wal_short(&connection)?;
        self.connection = Some(connection);
        Ok(())
    }

    fn keep_wal_short(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut wal = open::checkpoint(connection, "NOOP")?;
        self.metrics.wal_bytes.set(wal.pages * i64::from(schema::PAGE_BYTES));
        self.idle_rounds = if wal.pages == self.last_seen_pages { self.idle_rounds.saturating_add(1) } else { 0 };
        self.last_seen_pages = wal.pages;
        let to_copy = wal.pages - wal.copied;
        if to_copy >= CHECKPOINT_PAGES || (to_copy > 0 && self.idle_rounds == IDLE_ROUNDS) {
            wal = open::checkpoint(connection, "PASSIVE")?;
        }
        if wal.pages < RESTART_PAGES {
            self.restart_at_pages = RESTART_PAGES;
        } else if wal.pages >= self.restart_at_pages {
            self.restart_at_pages = wal.pages + RESTART_PAGES;
            // What was appended meanwhile is copied here, so that little is left to the writer.
            open::checkpoint(connection, "PASSIVE")?;
            open::checkpoint(connection, "PASSIVE")?;
            self.restart_wal.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
