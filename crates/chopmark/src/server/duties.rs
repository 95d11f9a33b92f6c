//! What of all processes that share a log only one does: the one that leads.
//!
//! ```text
//! candidate: the open work is watched ──leads──▶ reactor, upkeep, seals, shared billing views
//!         ▲                                                        │
//!         └───────── all stopped, the right given back ◀──lost─────┘
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chopmark_commands::Commands;
use chopmark_log::{Engine, Leadership};
use chopmark_projector::LicenseIndex;
use chopmark_reactor::{Board, Lookout, Marketplaces, Reactor, ReactorMetrics};
use chopmark_signing::LeaseIssuer;
use chopmark_upkeep::{Seals, Upkeep, UpkeepMetrics};
use chopmark_views::Seen;
use prometheus::{IntGauge, Registry};
use tokio_util::sync::CancellationToken;

use super::background::Background;
use super::books::Books;
use super::marketplaces::SignedLicenses;
use super::registered;
use super::seals::SignedSeals;
use crate::failure::Failure;

/// A candidate for all of it, or who does it.
pub(super) struct Duties {
    log: Arc<dyn Engine>,
    commands: Commands,
    outside: Outside,
    /// Who was seen; `None` where this process cannot know.
    sightings: Option<Sightings>,
    books: Option<Books>,
    /// The time between two seals.
    seal_every: Duration,
    metrics: DutyMetrics,
}

/// What is done at the marketplace.
pub(super) struct Outside {
    pub(super) marketplaces: Marketplaces,
    pub(super) leases: Arc<LeaseIssuer>,
    pub(super) board: Board,
    pub(super) snapshot: PathBuf,
    pub(super) metrics: ReactorMetrics,
}

/// What is done as time goes by.
#[derive(Clone)]
pub(super) struct Sightings {
    pub(super) index: LicenseIndex,
    pub(super) seen: Seen,
}

/// What duties count.
///
/// | name | is |
/// | --- | --- |
/// | `chopmark_leader` | gauge: 1 while this process does what only one does at a time |
struct DutyMetrics {
    leader: IntGauge,
    upkeep: UpkeepMetrics,
}

impl DutyMetrics {
    fn register(registry: &Registry) -> Result<Self, Failure> {
        let help = "1 while this process does what only one does at a time.";
        let leader = registered(IntGauge::new("chopmark_leader", help))?;
        registered(registry.register(Box::new(leader.clone())))?;
        Ok(Self { leader, upkeep: registered(UpkeepMetrics::register(registry))? })
    }
}

impl Duties {
    /// Duties on a log. Of `books`, only those that are shared are a duty.
    ///
    /// # Errors
    /// A metric of the same name is registered.
    pub(super) fn new(
        log: Arc<dyn Engine>,
        commands: Commands,
        outside: Outside,
        sightings: Option<Sightings>,
        books: Option<Books>,
        seal_every: Duration,
        registry: &Registry,
    ) -> Result<Self, Failure> {
        let books = books.filter(Books::are_shared);
        Ok(Self { log, commands, outside, sightings, books, seal_every, metrics: DutyMetrics::register(registry)? })
    }

    /// Waits for its turn, does its duties, stops when it loses the right to them, and waits again; until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        while let Some(leadership) = self.turn(&stop).await {
            tracing::info!("this process leads: the reactor, upkeep and shared views are its business now");
            self.metrics.leader.set(1);
            let mut term = self.begin(&stop);
            tokio::select! {
                () = stop.cancelled() => {}
                () = leadership.lost() => tracing::warn!("this process leads no longer; its duties stop"),
                crash = term.crashed() => std::panic::resume_unwind(crash.into_panic()),
            }
            self.metrics.leader.set(0);
            term.stop().await;
            // Given back only now, so that who is next finds nobody at work.
            drop(leadership);
        }
    }

    /// Waits until this process leads, and shows meanwhile what is open; `None` when told to stop.
    async fn turn(&self, stop: &CancellationToken) -> Option<Leadership> {
        let watching = CancellationToken::new();
        let Outside { board, snapshot, .. } = &self.outside;
        let lookout = Lookout::new(self.log.clone(), board.clone(), snapshot.clone());
        let turn = async {
            let leadership = stop.run_until_cancelled(self.log.lead()).await;
            watching.cancel();
            leadership
        };
        let (leadership, ()) = tokio::join!(turn, lookout.run(watching.clone()));
        leadership
    }

    fn begin(&self, stop: &CancellationToken) -> Background {
        let mut term = Background::under(stop);
        let reactor = self.reactor();
        term.run(|stop| reactor.run(stop));
        if let Some(Sightings { index, seen }) = self.sightings.clone() {
            let upkeep = Upkeep::new(self.commands.clone(), index, seen, self.metrics.upkeep.clone());
            term.run(|stop| upkeep.run(stop));
        }
        let seals = self.seals();
        term.run(|stop| seals.run(stop));
        if let Some(books) = self.books.clone() {
            term.run(|stop| books.keep(stop));
        }
        term
    }

    fn seals(&self) -> Seals {
        let leases = Arc::clone(&self.outside.leases);
        let sealer = Arc::new(SignedSeals(move || leases.keys()));
        Seals::new(self.commands.clone(), sealer, self.seal_every, self.metrics.upkeep.clone())
    }

    fn reactor(&self) -> Reactor {
        let Outside { marketplaces, leases, board, snapshot, metrics } = &self.outside;
        let maker = Arc::new(SignedLicenses(Arc::clone(leases)));
        let (log, commands) = (self.log.clone(), self.commands.clone());
        let reactor = Reactor::new(log, commands, marketplaces.clone(), maker, snapshot.clone(), metrics.clone());
        reactor.at(board.clone())
    }
}
