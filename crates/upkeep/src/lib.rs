//! What the worker does as time goes by. Of all processes on a log, one should run it.
//!
//! | what | when | becomes |
//! | --- | --- | --- |
//! | a seat lapses | its machine was not heard of for longer than any of its leases lasts | `machine_freed.v1` |
//! | a freed machine's seat is given away | all of its leases are known to have ended, sooner than was said | `machine_freed.v1` |
//! | an hour is closed | a little after its end | `hours_closed.v1`: the deployments seen within it |
//! | the log is sealed | now and then, where something is new | `sealed.v1` |
//!
//! Checks themselves append nothing: what they tell about machines and deployments is in the views store, and from there
//! comes what is worth an event. Doing it twice does no harm; the rules of the domain see that it is done once.

mod hours;
mod lapse;
mod metrics;
mod seals;
mod vacate;

use std::collections::HashMap;
use std::time::Duration;

use chopmark_commands::{CommandError, Commands};
use chopmark_domain::hours::Hour;
use chopmark_domain::ids::SellerId;
use chopmark_projector::{Cursor, LicenseIndex};
use chopmark_views::{Noted, Seen, ViewsError};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

pub use lapse::{Watch, has_lapsed};
pub use metrics::UpkeepMetrics;
pub use seals::{NotSealed, Sealer, Seals};

use vacate::Freed;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(60);

/// Licenses looked at in one go.
const PAGE: usize = 1_000;

/// What a process that was killed may not have written of those it saw, the time until everybody has heard of what was
/// decided, and some time for clocks that differ.
const MARGIN: TimeDelta = TimeDelta::minutes(2);

/// The worker's rounds.
pub struct Upkeep {
    commands: Commands,
    index: LicenseIndex,
    seen: Seen,
    /// When this worker began, UTC.
    began: DateTime<Utc>,
    metrics: UpkeepMetrics,
    /// The last hour of each seller that was looked at.
    looked_at: HashMap<SellerId, Hour>,
    /// Freed machines whose seats are taken.
    freed: Freed,
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
    /// A worker.
    #[must_use]
    pub fn new(commands: Commands, index: LicenseIndex, seen: Seen, metrics: UpkeepMetrics) -> Self {
        let began = commands.now();
        Self { commands, index, seen, began, metrics, looked_at: HashMap::new(), freed: Freed::new() }
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
        match self.seen.noted(self.commands.now()).await {
            Ok(noted) => {
                self.close_hours(&noted).await;
                self.look_after_seats(&noted).await;
            }
            Err(error) => {
                self.metrics.failed.inc();
                tracing::warn!(%error, "nobody's absence is known; the next round tries again");
            }
        }
    }

    /// Frees every machine that has lapsed, and gives away every seat that nobody needs to wait for any more.
    async fn look_after_seats(&mut self, noted: &Noted) {
        let (mut after, mut freed) = (None::<Cursor>, Freed::new());
        loop {
            let listing = self.index.machines(after.as_ref(), PAGE, self.commands.now());
            for license in &listing.licenses {
                let lapsed = self.free_lapsed_of(license, noted).await;
                let vacated = self.vacate_seats_of(license, noted, &mut freed).await;
                for error in [lapsed, vacated].into_iter().filter_map(Result::err) {
                    self.failed(&license.key.seller, &error);
                }
            }
            match listing.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        self.freed = freed;
    }

    fn failed(&self, seller: &SellerId, error: &UpkeepError) {
        self.metrics.failed.inc();
        tracing::warn!(%seller, %error, "upkeep could not do everything; the next round tries again");
    }
}
