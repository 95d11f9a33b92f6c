//! The engine for those who run a PostgreSQL: several processes, on several machines, append to one log and read it.
//!
//! Positions have no gaps and follow the order in which commits become visible, because all who append do so under one
//! advisory lock. It is taken once for all appends that wait, not for each: one task gathers them and hands them to the
//! server as one statement, a call of a function that checks, stores, tells and commits
//! ([decision 18](../../../docs/decisions/0018-one-lock-for-all-appends-that-wait.md)). The server needs nobody for the
//! rest, so whoever is cut off or stands still holds nothing up.
//!
//! Everything is connected when it is needed, and anew when it was lost. While the server is away each call fails within
//! its time; when it is back they succeed, without a restart.

mod batch;
mod company;
mod error;
mod import;
mod leader;
mod link;
mod listener;
mod reader;
mod row;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chopmark_postgres::{Address, Session};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use self::company::Company;
use self::link::{CONNECT_TIMEOUT, Link};
use self::listener::Listener;
use self::reader::Readers;
use self::tables::Tables;
use self::writer::{Claim, Message, Request, Writer};
use crate::batch::Outcome;
use crate::engine::Engine;
use crate::event_log::{AppendError, EventLog, ReadError};
use crate::leadership::Leadership;
use crate::limits;
use crate::metrics::LogMetrics;
use crate::record::{Appended, Expected, NewEvent, Page, Position, Record, Revision, StreamName};
use crate::trouble::Trouble;
use crate::wake::Head;

pub use self::error::ConnectError;

/// The most bytes of data and metadata of one append: 64 MiB.
pub const APPEND_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Appends that wait for the writer before the next caller waits too.
const WAITING_MAX: usize = 1024;

/// How long an append may take, whatever happens.
const APPEND_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the server waits for the lock. Others hold it for one statement each.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the server may take for a batch. It stores nothing then.
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How long a stream or the head may take to be read.
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a page of the log may take to be read.
const PAGE_TIMEOUT: Duration = Duration::from_secs(15);

/// Connections that read streams.
const STREAM_READERS: usize = 3;
/// Connections that read pages, which may be large and would hold up a callback.
const PAGE_READERS: usize = 2;

/// How a log in PostgreSQL is used.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The schema of the tables: small letters, digits and `_`. Default: `chopmark_log`.
    pub schema: String,
    /// The clock behind [`Record::recorded_at`]. Default: the system's.
    pub clock: fn() -> DateTime<Utc>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { schema: "chopmark_log".into(), clock: Utc::now }
    }
}

/// An event log in a PostgreSQL, version 14 or newer.
///
/// It uses eight connections at most, and one more while it leads or waits to. They must be connections to the server
/// itself, or through a pooler that gives each of them a session of its own.
#[derive(Debug)]
pub struct PostgresLog {
    requests: mpsc::Sender<Message>,
    streams: Readers,
    pages: Readers,
    imports: Link,
    head: Arc<Head>,
    metrics: LogMetrics,
    leader: Address,
    tables: Tables,
    tasks: Mutex<Option<Tasks>>,
}

#[derive(Debug)]
struct Tasks {
    writer: JoinHandle<()>,
    listener: JoinHandle<()>,
}

impl PostgresLog {
    /// Takes up a log at a URL like `postgres://user:password@host/database?sslmode=require`; makes its tables where there
    /// are none. With several hosts, `postgres://user@one,two/database`, it uses the one that takes writes.
    ///
    /// A server that cannot be reached now is no error: it is asked again with each call. Needs a runtime of tokio.
    ///
    /// # Errors
    /// [`ConnectError`]: the URL cannot be right, or the database holds something else.
    pub async fn connect(
        url: &SecretString,
        options: &PostgresOptions,
        metrics: LogMetrics,
    ) -> Result<Self, ConnectError> {
        let tables = Tables::new(&options.schema)?;
        let address = |statement_timeout| Address::of(url, &session(statement_timeout));
        let link = |statement_timeout| Ok(Link::new(address(statement_timeout)?, tables.clone()));
        let links = |count, timeout| (0..count).map(|_| link(timeout)).collect::<Result<Vec<_>, ConnectError>>();
        let writer = link(STATEMENT_TIMEOUT)?;
        match writer.get().await {
            Ok(_) => {}
            Err(error) if error.may_pass() => {
                tracing::warn!(%error, "the event log cannot be reached; it is asked again when it is needed");
            }
            Err(error) => return Err(error),
        }
        let (requests, waiting) = mpsc::channel(WAITING_MAX);
        let head = Arc::new(Head::new(Position::START));
        let writer = Writer {
            link: writer,
            requests: waiting,
            come: VecDeque::new(),
            head: Arc::clone(&head),
            metrics: metrics.clone(),
            clock: options.clock,
            trouble: Trouble::default(),
            company: Company::default(),
        };
        let listener = Listener { address: address(READ_TIMEOUT)?, tables: tables.clone(), head: Arc::clone(&head) };
        let (streams, pages) = (links(STREAM_READERS, READ_TIMEOUT)?, links(PAGE_READERS, PAGE_TIMEOUT)?);
        Ok(Self {
            requests,
            streams: Readers::new(streams, READ_TIMEOUT),
            pages: Readers::new(pages, PAGE_TIMEOUT),
            imports: link(import::IMPORT_TIMEOUT)?,
            head,
            metrics,
            leader: Address::of(url, &leader::session(session(READ_TIMEOUT)))?,
            tables: tables.clone(),
            tasks: Mutex::new(Some(Tasks {
                writer: tokio::spawn(writer.run()),
                listener: tokio::spawn(listener.run()),
            })),
        })
    }

    async fn hand_over(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Outcome {
        limits::check(&events)?;
        check(&events)?;
        let deadline = tokio::time::Instant::now() + APPEND_TIMEOUT;
        let claim = Arc::new(Claim::default());
        let (answer, answered) = oneshot::channel();
        let request = Request { stream: stream.clone(), expected, events, claim: Arc::clone(&claim), answer };
        let unavailable = |reason: &str| Err(AppendError::Unavailable { reason: reason.into() });
        match timeout_at(deadline, self.requests.send(Message::Append(request))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return unavailable("the log is closed"),
            Err(_) => return unavailable("too many appends wait already"),
        }
        match timeout_at(deadline, answered).await {
            Ok(Ok(outcome)) => outcome,
            Err(_) if claim.take() => unavailable("PostgreSQL cannot be reached in time"),
            Ok(Err(_)) | Err(_) => Err(AppendError::Unknown { reason: "PostgreSQL does not answer in time".into() }),
        }
    }
}

/// What every connection of the log asks of the server, which gives up a statement after `statement_timeout`.
///
/// Plans are made once: each statement has one good plan, by an index, whatever the tables hold. Who has gone is noticed by
/// the server's own signs of life.
fn session(statement_timeout: Duration) -> Session {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    let off = ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"];
    let mut settings = vec![
        ("statement_timeout", milliseconds(statement_timeout)),
        ("lock_timeout", milliseconds(LOCK_TIMEOUT)),
        ("idle_in_transaction_session_timeout", milliseconds(STATEMENT_TIMEOUT)),
        ("plan_cache_mode", "force_generic_plan".into()),
        ("tcp_keepalives_idle", "5".into()),
        ("tcp_keepalives_interval", "2".into()),
        ("tcp_keepalives_count", "3".into()),
    ];
    settings.extend(off.map(|setting| (setting, "off".into())));
    Session { connect_timeout: CONNECT_TIMEOUT, settings }
}

/// What is possible elsewhere and not here: PostgreSQL keeps no text with a NUL, and a statement has its limits.
fn check(events: &[NewEvent]) -> Result<(), AppendError> {
    let invalid = |reason| Err(AppendError::Invalid { reason });
    let bytes = events.iter().map(limits::bytes).sum::<usize>();
    if bytes > APPEND_BYTES_MAX {
        return invalid(format!("they have {bytes} bytes; at most {APPEND_BYTES_MAX}"));
    }
    match events.iter().find(|event| event.kind.contains('\0')) {
        None => Ok(()),
        Some(event) => invalid(format!("the kind of event {} has a NUL in it", event.id)),
    }
}

impl Drop for PostgresLog {
    fn drop(&mut self) {
        // The writer ends when it has served what waits and nobody can ask any more.
        if let Some(tasks) = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take() {
            tasks.listener.abort();
        }
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    /// Dropping the future does not take the append back.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let asked_at = Instant::now();
        let outcome = self.hand_over(stream, expected, events).await;
        self.metrics.count(outcome.as_ref().map(|(_, success)| *success));
        if outcome.is_ok() {
            self.metrics.append_seconds.observe(asked_at.elapsed().as_secs_f64());
        }
        outcome.map(|(appended, _)| appended)
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.streams.read_stream(stream, from, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.pages.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        let head = self.streams.head().await?;
        self.head.advance(head);
        Ok(head)
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        self.head.passed(after).await
    }
}

#[async_trait]
impl Engine for PostgresLog {
    /// Up to 512 records or 16 MiB at once are taken over together; of more, a part may have been stored.
    async fn import(&self, records: Vec<Record>) -> Result<Position, AppendError> {
        let mut last = Position::START;
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let part = import::part(rest);
            let imported = import::import(&self.imports, part).await?;
            self.head.advance(imported.head);
            last = imported.last;
            rest = rest.get(part.len()..).unwrap_or_default();
        }
        Ok(last)
    }

    async fn lead(&self) -> Leadership {
        leader::lead(&self.leader, &self.tables).await
    }

    async fn close(&self) {
        // Fails only if the log is closed already.
        let _ = self.requests.send(Message::Close).await;
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tasks) = tasks {
            tasks.listener.abort();
            // Fails only if the task panicked; there is nothing left to save then.
            let _ = tasks.writer.await;
        }
        self.head.close();
        self.streams.close().await;
        self.pages.close().await;
        self.imports.close().await;
    }
}
