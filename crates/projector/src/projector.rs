//! Keeping the index up with the log, and its snapshot up with the index.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chopmark_log::{Anchor, EventLog, Follower, Page, Position, ReadError};
use prometheus::IntCounter;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_util::sync::CancellationToken;

use crate::change::FoldError;
use crate::index::LicenseIndex;
use crate::metrics::{Lag, ProjectorMetrics};
use crate::saved;
use crate::state::State;

/// Records read at a time. One page is applied in a millisecond or two.
const PAGE: usize = 1024;

/// A snapshot is saved after so many events …
const SNAPSHOT_EVENTS: u64 = 100_000;
/// … or after so long, if there was any.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(300);

/// A failed reading of the log is tried again after so long, and then after twice that and so on, up to the maximum.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// How often is looked whether the log answers, and how far the index is behind it: reading may wait, and say nothing.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Keeps a [`LicenseIndex`] up with the log: the only one to apply to it.
pub struct Projector {
    log: Arc<dyn EventLog>,
    index: LicenseIndex,
    snapshot: PathBuf,
    metrics: ProjectorMetrics,
    lag: Lag,
    /// Events applied since the last snapshot.
    unsaved: u64,
    /// So many of them are saved without waiting for the clock.
    save_at: u64,
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

impl Projector {
    /// A projector of a log into an index that nobody else applies to, with the file of its snapshot.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, index: LicenseIndex, snapshot: PathBuf, metrics: ProjectorMetrics) -> Self {
        metrics.watch(&index);
        let lag = metrics.lag(&log, &index);
        Self { log, index, snapshot, metrics, lag, unsaved: 0, save_at: SNAPSHOT_EVENTS }
    }

    /// Runs until told to stop: goes on from the snapshot, follows the log, and saves snapshots now and then and at the
    /// end. A log that cannot be read is tried again for ever, and the index answers meanwhile. An event that this
    /// version cannot apply ends the following, not the answering: the index is as far as it can come, and so is ready.
    pub async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.follow()).await;
        if self.unsaved > 0 {
            self.save().await;
        }
    }

    async fn follow(&mut self) {
        self.resume().await;
        // While one page is applied the next one is being read.
        let (sender, pages) = mpsc::channel(1);
        let reading = read_pages(Arc::clone(&self.log), self.index.position(), sender, self.retry());
        let looking = look_again_and_again(self.lag.clone());
        tokio::join!(reading, self.apply_pages(pages), looking);
    }

    async fn apply_pages(&mut self, mut pages: mpsc::Receiver<Page>) {
        let mut ticks = interval_at(Instant::now() + SNAPSHOT_EVERY, SNAPSHOT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut is_due = false;
            tokio::select! {
                page = pages.recv() => {
                    let Some(page) = page else { return };
                    if let Err(error) = self.apply(&page).await {
                        return self.stand_still(&error).await;
                    }
                }
                _ = ticks.tick() => is_due = true,
            }
            if self.unsaved >= self.save_at || (is_due && self.unsaved > 0) {
                self.save().await;
            }
        }
    }

    async fn apply(&mut self, page: &Page) -> Result<(), FoldError> {
        let before = self.index.position();
        let applied = self.index.apply(page);
        let reached = self.index.position();
        let count = page.records.iter().filter(|record| record.position > before && record.position <= reached).count();
        self.unsaved += count as u64;
        self.metrics.applied.inc_by(count as u64);
        if page.at_head && applied.is_ok() {
            self.lag.none();
        } else {
            self.lag.look().await;
        }
        applied
    }

    fn retry(&self) -> Retry {
        Retry { next: RETRY_FIRST, errors: self.metrics.read_errors.clone(), lag: self.lag.clone() }
    }

    /// Answers from where the index is, and says loudly that it goes no further.
    async fn stand_still(&mut self, error: &FoldError) {
        tracing::error!(%error, "the license index stands still and answers from before this event");
        std::future::pending::<()>().await;
    }

    /// Takes the snapshot up, if there is one and it was made from this log.
    async fn resume(&mut self) {
        let path = self.snapshot.clone();
        let loaded = tokio::task::spawn_blocking(move || saved::load(&path)).await;
        let state = match loaded {
            Ok(Ok(Some(state))) => state,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => return tracing::warn!(%error, "the log is folded from its start"),
            Err(error) => return tracing::error!(%error, "the log is folded from its start"),
        };
        if self.is_of_this_log(state.anchor.as_ref()).await {
            self.take_over(state);
        } else {
            tracing::warn!("the snapshot was made from another log; this one is folded from its start");
        }
    }

    fn take_over(&self, state: State) {
        let (position, licenses) = (state.position, state.licenses.len());
        self.index.resume(state);
        tracing::info!(%position, licenses, "the license index goes on from its snapshot");
    }

    async fn is_of_this_log(&self, anchor: Option<&Anchor>) -> bool {
        let mut retry = self.retry();
        loop {
            match saved::is_of(anchor, self.log.as_ref()).await {
                Ok(is_in) => return is_in,
                Err(error) => retry.wait(&error).await,
            }
        }
    }

    async fn save(&mut self) {
        let (index, path) = (self.index.clone(), self.snapshot.clone());
        match tokio::task::spawn_blocking(move || index.save(&path)).await {
            Ok(Ok(position)) => {
                tracing::debug!(%position, "snapshot of the license index saved");
                self.unsaved = 0;
            }
            Ok(Err(error)) => tracing::warn!(%error, "no snapshot of the license index"),
            Err(error) => tracing::error!(%error, "no snapshot of the license index"),
        }
        // Where it failed, a full disk is not tried again at every event, but at the next turn and at the end.
        self.save_at = self.unsaved + SNAPSHOT_EVENTS;
    }
}

async fn look_again_and_again(lag: Lag) {
    loop {
        sleep(LOOK_EVERY).await;
        lag.look().await;
    }
}

/// Reads the log for ever, until nobody takes the pages.
async fn read_pages(log: Arc<dyn EventLog>, after: Position, pages: mpsc::Sender<Page>, mut retry: Retry) {
    let mut follower = Follower::new(log, after);
    loop {
        match follower.next(PAGE).await {
            Ok(page) => {
                retry.reset();
                if pages.send(page).await.is_err() {
                    return;
                }
            }
            Err(error) => retry.wait(&error).await,
        }
    }
}

/// Waits longer and longer between attempts.
struct Retry {
    next: Duration,
    errors: IntCounter,
    lag: Lag,
}

impl Retry {
    fn reset(&mut self) {
        self.next = RETRY_FIRST;
    }

    async fn wait(&mut self, error: &ReadError) {
        self.errors.inc();
        self.lag.look().await;
        tracing::warn!(%error, retry_in = ?self.next, "the log cannot be read; the license index answers from where it is");
        sleep(self.next).await;
        self.next = (self.next * 2).min(RETRY_MAX);
    }
}

#[cfg(test)]
mod tests {
    use chopmark_log::LogMetrics;
    use chopmark_log::sqlite::{SqliteLog, SqliteOptions};

    use super::*;

    #[tokio::test]
    async fn what_could_not_be_saved_is_saved_later() {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(&folder.path().join("log.db"), SqliteOptions::default(), LogMetrics::unregistered());
        let path = folder.path().join("not there yet").join("index.snapshot");
        let metrics = ProjectorMetrics::unregistered();
        let mut projector = Projector::new(Arc::new(log.unwrap()), LicenseIndex::new(), path.clone(), metrics);
        projector.unsaved = 3;
        projector.save().await;
        assert_eq!((projector.unsaved, projector.save_at), (3, SNAPSHOT_EVENTS + 3));
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        projector.save().await;
        assert_eq!((projector.unsaved, projector.save_at), (0, SNAPSHOT_EVENTS));
        assert!(path.exists());
    }
}
