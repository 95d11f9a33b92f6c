//! The views as others see them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::error::ViewsError;
use crate::memory::{Memory, Merge, merge_into};
use crate::metrics::ViewsMetrics;
use crate::names::{BYTES_MAX, Called};
use crate::noted::Noted;
use crate::postgres::{self, Postgres};
use crate::sighting::{DeploymentSighting, LastSeen, SeenDeployment, Sighting};
use crate::sqlite::{self, Sqlite};
use crate::store::{Charged, Deployment, Holding, Hours, Store, Used};
use crate::writer::{Done, FLUSH_EVERY, Waiting, Writer};

const SECONDS_PER_HOUR: i64 = 3_600;

/// How much may wait for the writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// So many wake it.
    pub(crate) much: i64,
    /// Nothing new is taken above this; some 150 bytes each.
    pub(crate) most: i64,
    /// The writer writes so often.
    pub(crate) every: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { much: 200_000, most: 500_000, every: FLUSH_EVERY }
    }
}

/// When machines, deployments and tokens were last seen. Clones share one store; the last one to go writes what still
/// waits.
#[derive(Clone)]
pub struct Seen(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    waiting: Arc<Waiting>,
    bounds: Bounds,
    metrics: ViewsMetrics,
    done: watch::Receiver<Done>,
    is_closed: AtomicBool,
    /// The latest sighting of a holder that found no room; none at all is the beginning of time.
    dropped_at: AtomicI64,
    writer: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("waiting", &self.0.metrics.waiting.get()).finish_non_exhaustive()
    }
}

impl Seen {
    /// Opens the store; creates it if there is none. Reads all of an existing file once, to know that it is whole.
    ///
    /// # Errors
    /// [`ViewsError`]: the file is damaged, foreign, of a newer version, or cannot be read or written.
    pub fn open(path: &Path, metrics: ViewsMetrics) -> Result<Self, ViewsError> {
        Self::open_at(path, Utc::now(), metrics)
    }

    /// The same, by a clock that says `now`, UTC.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn open_at(path: &Path, now: DateTime<Utc>, metrics: ViewsMetrics) -> Result<Self, ViewsError> {
        Self::over(Arc::new(Sqlite::open(path, now)?), Bounds::default(), metrics)
    }

    /// Keeps what is seen in a PostgreSQL, in the schema `chopmark_seen`, where other processes share it. The URL is like
    /// `postgres://user:password@host/database?sslmode=require`. A server that is away, also now, only delays: until it is
    /// back, what is seen is remembered here, and what is asked fails.
    ///
    /// # Errors
    /// [`ViewsError::Url`]; [`ViewsError::Thread`].
    pub fn connect_later(url: &SecretString, metrics: ViewsMetrics) -> Result<Self, ViewsError> {
        Self::over(Arc::new(Postgres::connect_later(url, postgres::SCHEMA)?), Bounds::default(), metrics)
    }

    /// The same for who cannot do without: a damaged file is moved aside to `….damaged-<seconds since 1970>`, with its
    /// companions and an error in the log, and a new one is begun. Nothing depends on what is lost but how idle machines
    /// look.
    ///
    /// # Errors
    /// [`ViewsError`]: the file is foreign or of a newer version, or the disk refuses.
    pub fn open_or_begin_anew(path: &Path, metrics: ViewsMetrics) -> Result<Self, ViewsError> {
        match Self::open(path, metrics.clone()) {
            Err(error @ ViewsError::Damaged { .. }) => {
                let aside = sqlite::put_aside(path, Utc::now())?;
                tracing::error!(%error, moved_to = %aside.display(), "the views are begun anew");
                Self::open(path, metrics)
            }
            opened => opened,
        }
    }

    pub(crate) fn over(store: Arc<dyn Store>, bounds: Bounds, metrics: ViewsMetrics) -> Result<Self, ViewsError> {
        let waiting = Arc::new(Waiting::new(&metrics.waiting));
        let (sender, done) = watch::channel(Done::default());
        let writer = Writer {
            store: Arc::clone(&store),
            waiting: Arc::clone(&waiting),
            metrics: metrics.clone(),
            done: sender,
            every: bounds.every,
            complained: None,
        };
        let thread = std::thread::Builder::new().name("views-writer".into());
        let writer = Some(thread.spawn(move || writer.run()).map_err(|source| ViewsError::Thread { source })?);
        let (is_closed, dropped_at) = (AtomicBool::new(false), AtomicI64::new(i64::MIN));
        Ok(Self(Arc::new(Shared { store, waiting, bounds, metrics, done, is_closed, dropped_at, writer })))
    }

    /// Whether other processes may have seen what this one does not know yet.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.store.is_shared()
    }

    /// From now on this process gives out leases and remembers whom it saw: others that share the store count on what it
    /// writes. To be said before the first sighting.
    pub fn keep_watch(&self) {
        self.0.waiting.keep_watch();
    }

    /// How far what was seen is known, by a clock that says `now`, UTC.
    ///
    /// # Errors
    /// [`ViewsError`]: the store cannot be read.
    pub async fn noted(&self, now: DateTime<Utc>) -> Result<Noted, ViewsError> {
        let watcher = self.0.waiting.watcher();
        let notes = self.read(move |store| store.notes(watcher)).await?;
        Ok(Noted::of(notes, watcher.is_some(), self.dropped_at(), now))
    }

    /// The time, UTC, of the latest sighting of a holder that this process had no room for.
    #[must_use]
    pub fn dropped_at(&self) -> Option<DateTime<Utc>> {
        let at = self.0.dropped_at.load(Ordering::Relaxed);
        (at > i64::MIN).then(|| time(at))
    }

    /// Remembers that a holder of a license was seen. Returns at once, waits for no disk and never fails; what finds no
    /// room is dropped and counted. A sighting older than what is known changes no time.
    pub fn saw(&self, sighting: Sighting<'_>) {
        let called = Called { hour: 0, names: [sighting.seller, sighting.license, sighting.holder] };
        let at = sighting.at.timestamp_micros();
        let lease_until = sighting.lease_until.map(|until| until.timestamp_micros());
        if !self.take(&self.0.waiting.holders, called, Holding { at, lease_until }) {
            self.0.dropped_at.fetch_max(at, Ordering::Relaxed);
            self.0.waiting.has_dropped.store(true, Ordering::Relaxed);
        }
    }

    /// Remembers that a deployment was seen within an hour; as [`saw`](Self::saw) in all else.
    pub fn saw_deployment_hour(&self, sighting: DeploymentSighting<'_>) {
        let called = Called { hour: hour_of(sighting.at), names: [sighting.seller, sighting.ecs, sighting.product] };
        let mode = sighting.charging_mode.map(Into::into);
        self.take(&self.0.waiting.hours, called, Charged { at: sighting.at.timestamp_micros(), mode });
    }

    /// Remembers that a token was used; as [`saw`](Self::saw) in all else.
    pub fn saw_token(&self, token_id: &str, at: DateTime<Utc>) {
        let called = Called { hour: 0, names: [token_id] };
        self.take(&self.0.waiting.tokens, called, Used(at.timestamp_micros()));
    }

    /// False: there was no room.
    fn take<const N: usize, V: Merge>(&self, memory: &Memory<N, V>, called: Called<'_, N>, value: V) -> bool {
        let shared = &*self.0;
        let is_welcome = called.len() <= BYTES_MAX && !shared.is_closed.load(Ordering::Relaxed);
        if !is_welcome || !memory.saw(called, value, |waiting| waiting < shared.bounds.most) {
            shared.metrics.dropped.inc();
            return false;
        }
        let is_much = shared.metrics.waiting.get() >= shared.bounds.much;
        if is_much && !shared.waiting.is_much.swap(true, Ordering::Relaxed) {
            shared.waiting.signals.hurry();
        }
        true
    }

    /// When each holder of a license was last seen: what is written, and what is not yet.
    ///
    /// # Errors
    /// [`ViewsError`]: the store cannot be read.
    pub async fn last_seen(&self, seller: &str, license: &str) -> Result<HashMap<String, LastSeen>, ViewsError> {
        let mut holders = BTreeMap::new();
        self.0.waiting.holders.each_at_home(Called { hour: 0, names: [seller, license, ""] }, |called, holding| {
            let [_, _, holder] = called.names;
            merge_into(&mut holders, holder.to_owned(), *holding);
        });
        let (seller, license) = (seller.to_owned(), license.to_owned());
        for (holder, holding) in self.read(move |store| store.holders(&seller, &license)).await? {
            merge_into(&mut holders, holder, holding);
        }
        let told = |holding: Holding| LastSeen { at: time(holding.at), lease_until: holding.lease_until.map(time) };
        Ok(holders.into_iter().map(|(holder, holding)| (holder, told(holding))).collect())
    }

    /// When each token was last used, by its id.
    ///
    /// # Errors
    /// [`ViewsError`]: the store cannot be read.
    pub async fn token_last_used(&self) -> Result<HashMap<String, DateTime<Utc>>, ViewsError> {
        let mut tokens = BTreeMap::new();
        self.0.waiting.tokens.each(|called, used| {
            let [id] = called.names;
            merge_into(&mut tokens, id.to_owned(), *used);
        });
        for (id, used) in self.read(|store| store.tokens()).await? {
            merge_into(&mut tokens, id, used);
        }
        Ok(tokens.into_iter().map(|(id, Used(at))| (id, time(at))).collect())
    }

    /// The deployments of a seller that were seen within the hour that holds this moment, by product and ECS.
    ///
    /// # Errors
    /// [`ViewsError`]: the store cannot be read.
    pub async fn hour(&self, seller: &str, hour: DateTime<Utc>) -> Result<Vec<SeenDeployment>, ViewsError> {
        let hour = hour_of(hour);
        let mut deployments = BTreeMap::new();
        self.0.waiting.hours.each(|called, charged| {
            let [owner, ecs, product] = called.names;
            if owner == seller && called.hour == hour {
                merge_into(&mut deployments, (product.to_owned(), ecs.to_owned()), charged.clone());
            }
        });
        let seller = seller.to_owned();
        for (deployment, charged) in self.read(move |store| store.hour(&seller, hour)).await? {
            merge_into(&mut deployments, deployment, charged);
        }
        let told = |((product, ecs), charged): (Deployment, Charged)| {
            let charging_mode = charged.mode.map(String::from);
            SeenDeployment { product, ecs, charging_mode }
        };
        Ok(deployments.into_iter().map(told).collect())
    }

    /// Forgets the deployments of all hours that ended by then: they are closed.
    ///
    /// # Errors
    /// [`ViewsError`]: nothing may have been forgotten; try again.
    pub async fn forget_hours_before(&self, moment: DateTime<Utc>) -> Result<(), ViewsError> {
        self.written().await?;
        let hour = hour_of(moment);
        self.read(move |store| store.forget_hours_before(hour)).await
    }

    /// Forgets when a holder was last seen: its machine was freed. If it is seen again, it is remembered again.
    ///
    /// # Errors
    /// [`ViewsError`]: it may not have been forgotten; try again.
    pub async fn forget(&self, seller: &str, license: &str, holder: &str) -> Result<(), ViewsError> {
        self.written().await?;
        let [seller, license, holder] = [seller, license, holder].map(str::to_owned);
        self.read(move |store| store.forget(&seller, &license, &holder)).await
    }

    /// Waits until everything seen so far is written, or could not be and is tried again later.
    pub async fn flush(&self) {
        // A failure is counted and logged where it happened.
        let _ = self.written().await;
    }

    /// Takes no more sightings and waits until what there is has been written, or could not be.
    pub async fn close(&self) {
        self.0.close();
        let mut done = self.0.done.clone();
        // Ends with the writer.
        while done.changed().await.is_ok() {}
    }

    /// How far the writer has come.
    #[cfg(test)]
    pub(crate) fn done(&self) -> watch::Receiver<Done> {
        self.0.done.clone()
    }

    async fn written(&self) -> Result<(), ViewsError> {
        let asked = self.0.waiting.signals.flush();
        let mut done = self.0.done.clone();
        match done.wait_for(|done| done.flushes >= asked).await.map(|done| done.failure.clone()) {
            Ok(Some(reason)) => Err(ViewsError::NotWritten { reason }),
            // Without a writer everything that could be written is.
            Ok(None) | Err(_) => Ok(()),
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, ViewsError> + Send + 'static,
    ) -> Result<T, ViewsError> {
        let store = Arc::clone(&self.0.store);
        let reading = tokio::task::spawn_blocking(move || read(&*store));
        reading.await.unwrap_or_else(|error| Err(ViewsError::NotRead { reason: error.to_string() }))
    }
}

impl Shared {
    fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.waiting.signals.close();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
        let writer = self.writer.take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the thread of the views panicked");
        }
    }
}

fn hour_of(moment: DateTime<Utc>) -> Hours {
    moment.timestamp().div_euclid(SECONDS_PER_HOUR)
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
