//! The engine for many machines: a server or cluster of EventStoreDB (KurrentDB), by its own client.
//!
//! The client has its ways (docs/decisions/0019-eventstoredb-behind-a-supervised-client.md); here is where they end. It
//! lives on threads of this engine, so that nobody else's runtime waits for it. Each call has its own time, a client that
//! has died is replaced, and appends are repeated with the same ids until the server says what became of them.
//!
//! A position is the commit position of the server. Records are all events but those whose kind begins with `$`, which are
//! the server's, or with `#`, which are this engine's. The server's whole log is taken for this one: Chopmark wants a server,
//! or cluster, of its own.

mod address;
mod appender;
mod client;
mod error;
mod escape;
mod form;
mod import;
mod lease;
mod reader;
mod watch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use eventstore::EventData;
use rustls::crypto::CryptoProvider;
use secrecy::SecretString;
use tokio::runtime::{Handle, Runtime};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use self::address::Address;
use self::appender::Appender;
use self::client::Clients;
use self::lease::{Candidate, Holders};
use self::reader::Reader;
use self::watch::Watch;
use crate::engine::Engine;
use crate::event_log::{AppendError, EventLog, ReadError};
use crate::leadership::Leadership;
use crate::limits;
use crate::metrics::{LogMetrics, Success};
use crate::record::{Appended, Expected, NewEvent, Page, Position, Record, Revision, StreamName};

pub use self::error::ConnectError;
pub use self::lease::LeaseTimes;

/// Threads that carry the calls.
const THREADS: usize = 2;

/// How long the first client may take to choose the TLS provider.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);

/// An event log on a server or cluster of EventStoreDB.
///
/// It is open whether the server is there or not: calls fail while it is away, and succeed when it is back.
pub struct EventstoreLog {
    threads: Threads,
    shared: Arc<Shared>,
    metrics: LogMetrics,
    times: LeaseTimes,
}

/// The engine's own threads. They end with it, wherever it is dropped.
struct Threads(Option<Runtime>);

/// What the tasks of the engine share.
struct Shared {
    clients: Arc<Clients>,
    appender: Arc<Appender>,
    reader: Arc<Reader>,
    watch: Arc<Watch>,
    holders: Holders,
}

impl std::fmt::Debug for EventstoreLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventstoreLog").finish_non_exhaustive()
    }
}

impl EventstoreLog {
    /// Opens the log that a connection string names: `esdb://…`, `esdb+discover://…`, or the same with `kurrentdb`. TLS,
    /// user and cluster come with the string. The server need not be there.
    ///
    /// # Errors
    /// [`ConnectError`]: the string cannot be right, or the process has chosen another TLS provider before.
    pub fn connect(url: &SecretString, times: LeaseTimes, metrics: LogMetrics) -> Result<Self, ConnectError> {
        let address = Address::parse(url)?;
        let threads = Threads::start()?;
        let clients = Arc::new(Clients::new(address.clone(), threads.handle()?.clone()));
        let_client_choose_provider(&clients)?;
        let reader = Arc::new(Reader::new(Arc::clone(&clients)));
        let watch = Watch::new(address);
        let appender = Arc::new(Appender::new(Arc::clone(&clients)));
        let shared = Arc::new(Shared { clients, appender, reader, watch, holders: Holders::default() });
        Ok(Self { threads, shared, metrics, times })
    }

    /// Reads on the engine's own threads, as long as somebody waits for it.
    async fn read<T, F>(&self, read: impl FnOnce(Arc<Shared>) -> F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ReadError>> + Send + 'static,
    {
        let closed = || ReadError::Unavailable { reason: "the log is closed".into() };
        let threads = self.threads.handle().map_err(|_| closed())?;
        let reading = AbortOnDropHandle::new(threads.spawn(read(Arc::clone(&self.shared))));
        reading.await.map_err(|_| closed())?
    }

    /// Appends until it is settled, and finds out where the last event came to stand.
    async fn settle(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<EventData>,
    ) -> Result<Appended, AppendError> {
        let written = self.shared.appender.append(stream, expected, events).await?;
        let revision = Revision(written.revision);
        let position = match written.position {
            Some(position) => Position(position),
            None => self.position_of(stream, revision).await?,
        };
        self.shared.watch.head.advance(position);
        Ok(Appended { revision, position })
    }

    /// Where a record stands that was just appended.
    async fn position_of(&self, stream: &StreamName, revision: Revision) -> Result<Position, AppendError> {
        let unknown = |reason: String| AppendError::Unknown { reason };
        let records = self.read_stream(stream, revision, 1).await.map_err(|error| unknown(error.to_string()))?;
        let record = records.first().ok_or_else(|| unknown("what was just appended is not there".into()))?;
        Ok(record.position)
    }
}

/// The first client in a process chooses the TLS provider for all, and panics where that was done before, TLS or not. So it
/// is looked at before, and the choice waited for, so that nobody comes between.
fn let_client_choose_provider(clients: &Clients) -> Result<(), ConnectError> {
    static IS_CHOSEN: Mutex<bool> = Mutex::new(false);
    let mut is_chosen = IS_CHOSEN.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_chosen {
        return Ok(());
    }
    if CryptoProvider::get_default().is_some() {
        return Err(ConnectError::Provider);
    }
    let begun = Instant::now();
    // What is wrong with it shows again when it is used.
    let _client = clients.get();
    while CryptoProvider::get_default().is_none() {
        if begun.elapsed() > PROVIDER_TIMEOUT {
            return Err(ConnectError::Provider);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    *is_chosen = true;
    Ok(())
}

impl Threads {
    fn start() -> std::io::Result<Self> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(THREADS).thread_name("log-eventstore").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    fn handle(&self) -> std::io::Result<&Handle> {
        self.0.as_ref().map(Runtime::handle).ok_or_else(|| std::io::Error::other("they have ended"))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for EventstoreLog {
    fn drop(&mut self) {
        self.shared.watch.close();
    }
}

#[async_trait]
impl EventLog for EventstoreLog {
    /// Settled within three seconds. Dropping the future does not take the append back.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let asked_at = Instant::now();
        let count = events.len();
        let appended = match limits::check(&events).and_then(|()| form::check(stream, &events)) {
            Ok(()) => {
                let events = events.into_iter().map(form::to_server).collect();
                self.settle(stream, expected, events).await
            }
            Err(error) => Err(error),
        };
        // The server does not tell what it had stored before.
        self.metrics.count(appended.as_ref().map(|_| Success::Stored));
        if appended.is_ok() {
            self.metrics.append_seconds.observe(asked_at.elapsed().as_secs_f64());
            self.metrics.batch_events.observe(count as f64);
        }
        appended
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        let stream = stream.clone();
        self.read(|shared| async move { shared.reader.stream(&stream, from, limit).await }).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.read(|shared| async move { shared.reader.page(after, limit).await }).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        let head = self.read(|shared| async move { shared.reader.head().await }).await?.unwrap_or(Position::START);
        self.shared.watch.head.advance(head);
        Ok(head)
    }

    /// Returns after ten seconds at the latest, and after half a second while no subscription tells of news.
    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        if let (true, Ok(threads)) = (self.shared.watch.is_first(), self.threads.handle()) {
            threads.spawn(watch::look_after(Arc::clone(&self.shared.watch), Arc::clone(&self.shared.reader)));
        }
        tokio::select! {
            passed = self.shared.watch.head.passed(after) => passed,
            () = sleep(self.shared.watch.patience()) => Ok(()),
        }
    }
}

#[async_trait]
impl Engine for EventstoreLog {
    /// Neighbours of one stream are stored together; what comes before an error stays.
    async fn import(&self, records: Vec<Record>) -> Result<Position, AppendError> {
        self.take_over(&records).await
    }

    async fn lead(&self) -> Leadership {
        let Shared { clients, appender, reader, holders, .. } = &*self.shared;
        let Ok(threads) = self.threads.handle() else { std::future::pending().await };
        let candidate = Candidate {
            times: self.times,
            clients: Arc::clone(clients),
            appender: Arc::clone(appender),
            reader: Arc::clone(reader),
            runtime: threads.clone(),
            holders: holders.clone(),
        };
        let leading = AbortOnDropHandle::new(threads.spawn(candidate.lead()));
        match leading.await {
            Ok(leadership) => leadership,
            // The log was dropped: there is nothing to lead any more.
            Err(_) => std::future::pending().await,
        }
    }

    async fn close(&self) {
        self.shared.holders.close().await;
        self.shared.appender.close().await;
        self.shared.reader.close();
        self.shared.watch.close();
    }
}
