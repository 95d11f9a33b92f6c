//! Looking on while another process keeps the views.

use std::sync::Arc;
use std::time::Duration;

use chopmark_log::progress::{Progress, ProgressWriter, progress};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metrics::BillingMetrics;
use crate::store::BillingStore;

/// Whoever waits for a position waits so much longer than the views took.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Views that cannot be read are looked at again after so long.
const RETRY: Duration = Duration::from_secs(2);

/// Knows how far a [`BillingStore`] is that this process may not be the one to keep. Clones know the same.
#[derive(Clone)]
pub struct Onlooker {
    store: Arc<dyn BillingStore>,
    metrics: BillingMetrics,
    writer: Arc<ProgressWriter>,
    progress: Progress,
}

impl std::fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Onlooker").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl Onlooker {
    /// Of a store.
    #[must_use]
    pub fn new(store: Arc<dyn BillingStore>, metrics: BillingMetrics) -> Self {
        let (writer, progress) = progress();
        Self { store, metrics, writer: Arc::new(writer), progress }
    }

    /// How far the views are, for those who wait for it: as far as was seen of the store, and as far as a bookkeeper
    /// [tells](crate::Bookkeeper::telling).
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    pub(crate) fn writer(&self) -> Arc<ProgressWriter> {
        Arc::clone(&self.writer)
    }

    /// Looks again and again, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.look_on()).await;
    }

    async fn look_on(&self) {
        loop {
            match self.store.checkpoint().await {
                // What is still to be drawn up belongs to the last position.
                Ok(checkpoint) if checkpoint.work.is_empty() => {
                    self.metrics.position.set(i64::try_from(checkpoint.position.0).unwrap_or(i64::MAX));
                    self.writer.advance(checkpoint.position);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "how far the billing views are cannot be seen");
                    sleep(RETRY).await;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
