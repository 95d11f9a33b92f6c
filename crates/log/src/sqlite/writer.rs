//! The one thread that appends.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::batch::{self, Failed};
use super::{import, open};
use crate::batch::{Committed, Outcome, Size, Wish};
use crate::event_log::AppendError;
use crate::metrics::LogMetrics;
use crate::record::{Appended, Expected, NewEvent, Position, Record, StreamName};
use crate::trouble::Trouble;
use crate::wake::Head;

/// How long the writer waits for readers before it gives up a restart of the write-ahead log.
const RESTART_TIMEOUT: Duration = Duration::from_millis(20);

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Message {
    Append(Request),
    Import(Import),
    /// Take no more appends, finish those that wait, end.
    Close,
}

/// One append that waits.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) stream: StreamName,
    pub(super) expected: Expected,
    pub(super) events: Vec<NewEvent>,
    pub(super) asked_at: Instant,
    pub(super) answer: oneshot::Sender<Result<Appended, AppendError>>,
}

/// Records of another log.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) records: Vec<Record>,
    pub(super) answer: oneshot::Sender<Result<Position, AppendError>>,
}

/// The writer's belongings.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    /// `None` after a failure: the next batch opens it anew, and so asks the disk, not a state of unknown worth.
    pub(super) connection: Option<Connection>,
    pub(super) requests: mpsc::Receiver<Message>,
    pub(super) head: Arc<Head>,
    pub(super) restart_wal: Arc<AtomicBool>,
    pub(super) metrics: LogMetrics,
    pub(super) clock: fn() -> DateTime<Utc>,
    pub(super) trouble: Trouble,
}

impl Writer {
    /// Serves until the log is closed or dropped, and everything that waited is answered.
    pub(super) fn run(mut self) {
        while self.serve_waiting() {}
        if let Some(connection) = &self.connection
            && let Err(error) = open::checkpoint(connection, "PASSIVE")
        {
            tracing::warn!(%error, "the event log was closed without a checkpoint; the next start does it");
        }
    }

    /// Waits for an append and serves it together with all others that wait. False when there will be no more.
    pub(super) fn serve_waiting(&mut self) -> bool {
        let Some(message) = self.requests.blocking_recv() else { return false };
        let batch = self.gather(message);
        if !batch.is_empty() {
            self.serve(batch);
            self.restart_wal_if_asked();
        }
        true
    }

    /// Takes what waits, up to the limits of a batch.
    fn gather(&mut self, first: Message) -> Vec<Request> {
        let mut batch = Vec::new();
        let mut size = Size::default();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Close => self.requests.close(),
                Message::Import(import) => self.import(import),
                Message::Append(request) => {
                    size.add(&request.events);
                    batch.push(request);
                }
            }
            next = if size.has_room() { self.requests.try_recv().ok() } else { None };
        }
        batch
    }

    fn serve(&mut self, batch: Vec<Request>) {
        match self.commit(&batch) {
            Ok(committed) => {
                self.head.advance(committed.head);
                if committed.events > 0 {
                    self.trouble.is_over();
                    self.metrics.batch_events.observe(committed.events as f64);
                }
                for (request, outcome) in batch.into_iter().zip(committed.outcomes) {
                    self.answer(request, outcome);
                }
            }
            Err(failed) => {
                self.connection = None;
                self.trouble.failed(&failed, batch.len(), Instant::now());
                for request in batch {
                    self.answer(request, Err(failed.to_append_error()));
                }
            }
        }
    }

    fn commit(&mut self, batch: &[Request]) -> Result<Committed, Failed> {
        let now = (self.clock)().timestamp_micros();
        let connection = self.connection()?;
        let wishes: Vec<_> = batch
            .iter()
            .map(|request| Wish { stream: &request.stream, expected: request.expected, events: &request.events })
            .collect();
        batch::commit(connection, &wishes, now)
    }

    fn import(&mut self, Import { records, answer }: Import) {
        let imported = self.connection().and_then(|connection| import::import(connection, &records));
        let imported = imported.unwrap_or_else(|failed| {
            self.connection = None;
            self.trouble.failed(&failed, 1, Instant::now());
            Err(failed.to_append_error())
        });
        // Fails only if the caller did not wait for it.
        let _ = answer.send(imported.map(|imported| {
            self.head.advance(imported.head);
            imported.last
        }));
    }

    fn connection(&mut self) -> Result<&mut Connection, Failed> {
        Ok(match &mut self.connection {
            Some(connection) => connection,
            closed @ None => closed.insert(open::writer(&self.path).map_err(Failed::NotStored)?),
        })
    }

    fn answer(&self, request: Request, outcome: Outcome) {
        self.metrics.count(outcome.as_ref().map(|(_, success)| *success));
        if outcome.is_ok() {
            self.metrics.append_seconds.observe(request.asked_at.elapsed().as_secs_f64());
        }
        // Fails only if the caller did not wait for it.
        let _ = request.answer.send(outcome.map(|(appended, _)| appended));
    }

    /// Under permanent load a checkpoint beside the writer never copies the last pages, and the write-ahead log would grow
    /// for ever. So once it is large, the writer itself copies the few pages left and starts it over.
    fn restart_wal_if_asked(&self) {
        if !self.restart_wal.swap(false, Ordering::Relaxed) {
            return;
        }
        let Some(connection) = &self.connection else { return };
        let restarted = connection
            .busy_timeout(RESTART_TIMEOUT)
            .and_then(|()| open::checkpoint(connection, "RESTART"))
            .and_then(|_| connection.busy_timeout(open::BUSY_TIMEOUT));
        if let Err(error) = restarted {
            tracing::warn!(%error, "the write-ahead log of the event log could not be restarted");
        }
    }
}
