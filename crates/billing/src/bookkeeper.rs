//! The bookkeeper: folds the log into the billing views, so that each event counts exactly once.
//!
//! ```text
//! records ─▶ Heard ─▶ Sheet (cases found by their keys, told, drawn up) ─▶ Changes + checkpoint, one transaction
//!                        └─▶ Ledger (terms, closed months, products' months, periods' sums, ages) ─▶ Work
//! ```
//!
//! What an event changes for many lines at once, like a tier that is reached or terms that change, is written into the
//! checkpoint as **work**, and done in slices before the next event is taken up; a crash in between goes on from there.
//! So memory stays small whatever the log says, and what is stored depends neither on how the log was cut into pages nor
//! on when the process was killed.

mod ages;
mod bills;
mod clerk;
mod closing;
mod enter;
mod exact;
mod heard;
mod ledger;
mod papers;
mod sheet;
mod take_up;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use chopmark_log::progress::{Progress, ProgressWriter, progress};
use chopmark_log::{EventLog, Follower, Page, Position};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub use self::clerk::BookError;
pub(crate) use self::clerk::Clerk;
pub use self::heard::FoldError;
pub(crate) use self::papers::kind;
use crate::metrics::BillingMetrics;
use crate::onlooker::Onlooker;
use crate::store::{BillingStore, StoreError};

/// Records read at a time.
pub(crate) const PAGE: usize = 1024;

/// What failed is tried again after so long, and then after twice that and so on, up to the maximum.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// How often a bookkeeper that stands still looks how far behind it is.
const STOPPED_LOOK: Duration = Duration::from_secs(10);

/// How long a bookkeeper that is told to stop goes on with the page it has in hand, and with the work that it makes.
const FINISHING: Duration = Duration::from_secs(5);

/// Keeps a [`BillingStore`] up with the log: the only one to write there.
pub struct Bookkeeper {
    log: Arc<dyn EventLog>,
    store: Arc<dyn BillingStore>,
    metrics: BillingMetrics,
    writer: Arc<ProgressWriter>,
    progress: Progress,
    retry: Duration,
}

impl std::fmt::Debug for Bookkeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bookkeeper").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl Bookkeeper {
    /// A bookkeeper of a log and a store.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, store: Arc<dyn BillingStore>, metrics: BillingMetrics) -> Self {
        let (writer, progress) = progress();
        Self { log, store, metrics, writer: Arc::new(writer), progress, retry: RETRY_FIRST }
    }

    /// The same, telling those who look on how far it is.
    #[must_use]
    pub fn telling(self, onlooker: &Onlooker) -> Self {
        Self { writer: onlooker.writer(), progress: onlooker.progress(), ..self }
    }

    /// How far the views are, for those who wait for it. It [stands still](Progress::stands_still) once it has met an
    /// event that this version cannot read; the views are asked all the same.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs until told to stop; what it has in hand then is finished first, if that takes no more than a few seconds: so
    /// the views are left whole, to be compared with the log. What cannot be read or written now is tried again for ever.
    /// Where another process wrote meanwhile, it goes on from there.
    pub async fn run(mut self, stop: CancellationToken) {
        let too_late = async {
            stop.cancelled().await;
            sleep(FINISHING).await;
        };
        tokio::select! {
            () = self.keep(&stop) => {}
            () = too_late => tracing::warn!("stopped before all was drawn up anew: the next start finishes it"),
        }
    }

    async fn keep(&mut self, stop: &CancellationToken) {
        loop {
            let goes_on = match self.follow(stop).await {
                Ok(()) => return,
                Err(BookError::Fold(error)) => stop.run_until_cancelled(self.stand_still(&error)).await,
                Err(error) => stop.run_until_cancelled(self.wait(&error)).await,
            };
            if goes_on.is_none() {
                return;
            }
        }
    }

    /// Follows the log until told to stop, or until something goes wrong.
    async fn follow(&mut self, stop: &CancellationToken) -> Result<(), BookError> {
        let mut clerk = self.begin().await?;
        clerk.finish_work().await?;
        self.advance(clerk.position());
        let mut follower = Follower::new(Arc::clone(&self.log), clerk.position());
        while let Some(page) = stop.run_until_cancelled(follower.next(PAGE)).await {
            self.take_up(&mut clerk, page?).await?;
        }
        Ok(())
    }

    async fn take_up(&mut self, clerk: &mut Clerk, page: Page) -> Result<(), BookError> {
        let before = clerk.position();
        let taken = clerk.take_up(&page.records).await;
        let reached = clerk.position();
        let count = page.records.iter().filter(|record| record.position > before && record.position <= reached);
        self.metrics.applied.inc_by(count.count() as u64);
        self.advance(reached);
        taken?;
        self.retry = RETRY_FIRST;
        if page.at_head {
            self.writer.advance(page.reached);
            self.writer.caught_up();
            self.metrics.lag.set(0);
        } else {
            self.look().await;
        }
        Ok(())
    }

    /// Goes on from the checkpoint, or from nothing where the views are of another log.
    async fn begin(&self) -> Result<Clerk, BookError> {
        let clerk = Clerk::open(Arc::clone(&self.store)).await?;
        if clerk.is_of(self.log.as_ref()).await? {
            return Ok(clerk);
        }
        tracing::warn!("the billing views were made from another log; this one is folded from its start");
        self.store.clear().await?;
        Ok(Clerk::open(Arc::clone(&self.store)).await?)
    }

    fn advance(&self, position: Position) {
        self.metrics.position.set(i64::try_from(position.0).unwrap_or(i64::MAX));
        self.writer.advance(position);
    }

    /// Looks how far the views are behind. Where even the head of the log cannot be read, what was known last stays.
    async fn look(&self) {
        if let Ok(head) = self.log.head().await {
            let lag = head.0.saturating_sub(self.progress.position().0);
            self.metrics.lag.set(i64::try_from(lag).unwrap_or(i64::MAX));
        }
    }

    async fn wait(&mut self, error: &BookError) {
        self.metrics.errors.inc();
        self.look().await;
        match error {
            BookError::Store(StoreError::Moved) => {
                tracing::warn!(%error, "the bookkeeper goes on from where the other process is");
            }
            error => tracing::warn!(%error, retry_in = ?self.retry, "the billing views stay where they are"),
        }
        sleep(self.retry).await;
        self.retry = (self.retry * 2).min(RETRY_MAX);
    }

    async fn stand_still(&mut self, error: &FoldError) {
        tracing::error!(%error, "the billing views stand still and answer from before this event");
        self.metrics.stopped.set(1);
        self.writer.stand_still();
        loop {
            self.look().await;
            sleep(STOPPED_LOOK).await;
        }
    }
}
