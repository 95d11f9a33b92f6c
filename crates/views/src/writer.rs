//! The thread that writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use prometheus::IntGauge;
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::ViewsError;
use crate::memory::Memory;
use crate::metrics::ViewsMetrics;
use crate::signals::Signals;
use crate::store::{Batch, Charged, Holding, Store, Used, Watcher};

/// A sighting is in the store at the latest so long after it came, while the store takes it.
pub const FLUSHED_WITHIN: Duration = Duration::from_secs(15);

/// The rest of the time is for writing.
pub(crate) const FLUSH_EVERY: Duration = Duration::from_secs(10);

/// A disk that is full is not complained about at every round.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// All that waits for the writer.
pub(crate) struct Waiting {
    pub(crate) holders: Memory<3, Holding>,
    pub(crate) tokens: Memory<1, Used>,
    pub(crate) hours: Memory<3, Charged>,
    pub(crate) signals: Signals,
    /// So much waits that the writer was woken. Stays set while the store refuses: then its own time is soon enough.
    pub(crate) is_much: AtomicBool,
    /// A sighting of a holder found no room, and others who share the store have not been told.
    pub(crate) has_dropped: AtomicBool,
    /// This process, once it keeps watch.
    watcher: OnceLock<Uuid>,
}

impl Waiting {
    pub(crate) fn new(waiting: &IntGauge) -> Self {
        Self {
            holders: Memory::new(waiting.clone()),
            tokens: Memory::new(waiting.clone()),
            hours: Memory::new(waiting.clone()),
            signals: Signals::default(),
            is_much: AtomicBool::new(false),
            has_dropped: AtomicBool::new(false),
            watcher: OnceLock::new(),
        }
    }

    /// Others are told that this process sees, and from now on how far it has written.
    pub(crate) fn keep_watch(&self) {
        self.watcher.get_or_init(Uuid::now_v7);
        self.signals.hurry();
    }

    /// This process, if it keeps watch.
    pub(crate) fn watcher(&self) -> Option<Uuid> {
        self.watcher.get().copied()
    }

    fn take(&self) -> Batch {
        Batch { holders: self.holders.take(), tokens: self.tokens.take(), hours: self.hours.take() }
    }

    fn written(&self, batch: Batch) {
        self.holders.written(batch.holders);
        self.tokens.written(batch.tokens);
        self.hours.written(batch.hours);
    }

    fn keep(&self, batch: Batch) {
        self.holders.keep(batch.holders);
        self.tokens.keep(batch.tokens);
        self.hours.keep(batch.hours);
    }
}

/// How far the writer has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Done {
    /// All who asked up to this are answered.
    pub(crate) flushes: u64,
    /// Why nothing was written.
    pub(crate) failure: Option<String>,
}

pub(crate) struct Writer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) metrics: ViewsMetrics,
    pub(crate) done: watch::Sender<Done>,
    pub(crate) every: Duration,
    pub(crate) complained: Option<Instant>,
}

impl Writer {
    pub(crate) fn run(mut self) {
        loop {
            let round = self.waiting.signals.wait(self.every);
            let failure = self.write().err();
            if let Some(error) = &failure {
                self.metrics.write_failures.inc();
                self.complain(error);
            }
            let has_written = failure.is_none();
            self.done.send_replace(Done { flushes: round.flushes, failure: failure.map(|error| error.to_string()) });
            if round.is_last {
                return self.end(has_written);
            }
        }
    }

    /// Who has not written all it saw does not say farewell: others take it for dead, and are careful.
    fn end(&self, has_written: bool) {
        let lost = u64::try_from(self.metrics.waiting.get()).unwrap_or(0);
        self.metrics.dropped.inc_by(lost);
        self.store.close(self.waiting.watcher().filter(|_| has_written));
    }

    fn write(&self) -> Result<(), ViewsError> {
        let began = Instant::now();
        let has_dropped = self.waiting.has_dropped.swap(false, Ordering::Relaxed);
        let watcher = self.waiting.watcher().filter(|_| self.store.is_shared());
        let watcher = watcher.map(|id| Watcher { id, complete_to: began, has_dropped });
        let batch = self.waiting.take();
        if !batch.is_empty() || watcher.is_some() {
            if let Err(error) = self.store.write(&batch, watcher.as_ref()) {
                self.waiting.keep(batch);
                self.waiting.has_dropped.fetch_or(has_dropped, Ordering::Relaxed);
                return Err(error);
            }
            self.metrics.write_seconds.observe(began.elapsed().as_secs_f64());
        }
        self.waiting.written(batch);
        self.waiting.is_much.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn complain(&mut self, error: &ViewsError) {
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            self.complained = Some(Instant::now());
            tracing::warn!(%error, "what was seen is not written yet, and tried again; checks are answered all the same");
        }
    }
}
