//! What the worker does as time goes by. Of all processes on a log, one should run it.
//!
//! | what | when | becomes |
//! | --- | --- | --- |
//! | a seat lapses | its machine was not heard of for longer than any of its leases lasts | `machine_freed.v1` |
//! | an hour is closed | a little after its end | `hours_closed.v1`: the deployments seen within it |
//!
//! Checks themselves append nothing: what they tell about machines and deployments is in the views store, and from there
//! comes what is worth an event. Doing it twice does no harm; the rules of the domain see that it is done once.

mod hours;
mod lapse;
mod metrics;

use std::collections::HashMap;
use std::time::Duration;

use chopmark_commands::{CommandError, Commands};
use chopmark_domain::hours::Hour;
use chopmark_domain::ids::SellerId;
use chopmark_projector::LicenseIndex;
use chopmark_views::{Seen, ViewsError};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

pub use lapse::{Watch, has_lapsed};
pub use metrics::UpkeepMetrics;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(60);

/// The worker's rounds.
pub struct Upkeep {
    commands: Commands,
    index: LicenseIndex,
    seen: Seen,
    watch: Watch,
    metrics: UpkeepMetrics,
    /// The last hour of each seller that was looked at.
    looked_at: HashMap<SellerId, Hour>,
}

/// Why something was not done. The next round tries again.
#[derive(Debug, thiserror::Error)]
enum UpkeepError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Views(#[from] ViewsError),
}

impl Upkeep {
    /// A worker. `watching_since` is when the views store began to be kept: who was not seen before then is not missed.
    #[must_use]
    pub fn new(
        commands: Commands,
        index: LicenseIndex,
        seen: Seen,
        watching_since: DateTime<Utc>,
        metrics: UpkeepMetrics,
    ) -> Self {
        let watch = Watch { watching_since, up_since: commands.now() };
        Self { commands, index, seen, watch, metrics, looked_at: HashMap::new() }
    }

    /// Goes its rounds until told to stop.
    pub async fn run(mut self, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            if !self.index.progress().is_caught_up() {
                continue;
            }
            if shutdown.run_until_cancelled(self.round()).await.is_none() {
                return;
            }
        }
    }

    /// One round: every hour that is over is closed, every seat that has lapsed is freed. What cannot be done is said and
    /// counted, keeps nothing else from being done, and is tried again in the next round.
    pub async fn round(&mut self) {
        self.close_hours().await;
        self.free_lapsed().await;
    }

    fn failed(&self, seller: &SellerId, error: &UpkeepError) {
        self.metrics.failed.inc();
        tracing::warn!(%seller, %error, "upkeep could not do everything; the next round tries again");
    }
}
