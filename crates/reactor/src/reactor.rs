//! Following the log and keeping one task per open job.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chopmark_commands::Commands;
use chopmark_domain::codec::DecodeError;
use chopmark_log::progress::{Progress, ProgressWriter, progress};
use chopmark_log::{EventLog, Page, ReadError};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::board::{Board, Open, OpenErrands, OpenOrders};
use crate::folding::Folding;
use crate::maker::LicenseMaker;
use crate::marketplace::Marketplaces;
use crate::metrics::ReactorMetrics;
use crate::office::{Ended, Office};
use crate::open_work::Job;
use crate::patience::Patience;

/// Does what is open: gets the facts of orders, activates codes, hands licenses over. Of all processes on a log, one should run it.
pub struct Reactor {
    log: Arc<dyn EventLog>,
    commands: Commands,
    marketplaces: Marketplaces,
    maker: Arc<dyn LicenseMaker>,
    snapshot: PathBuf,
    patience: Patience,
    metrics: ReactorMetrics,
    board: Board,
    progress: (ProgressWriter, Progress),
}

/// Why the reactor no longer follows the log.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("a record cannot be read; run the version that wrote it, or a newer one")]
    Decode(#[from] DecodeError),
    #[error("the log is damaged; see docs/operations/recovery.md")]
    Read(#[from] ReadError),
}

impl Reactor {
    /// A reactor on a log. `snapshot` is the file where it keeps its open work between runs. What a seller without access
    /// to the marketplace has open stays open.
    #[must_use]
    pub fn new(
        log: Arc<dyn EventLog>,
        commands: Commands,
        marketplaces: Marketplaces,
        maker: Arc<dyn LicenseMaker>,
        snapshot: PathBuf,
        metrics: ReactorMetrics,
    ) -> Self {
        Self {
            log,
            commands,
            marketplaces,
            maker,
            snapshot,
            patience: Patience::default(),
            board: Board::new(metrics.clone()),
            metrics,
            progress: progress(),
        }
    }

    /// The same reactor at a board that others look at too. Nobody else keeps it up with the log while the reactor runs.
    #[must_use]
    pub fn at(self, board: Board) -> Self {
        Self { board, ..self }
    }

    /// The same reactor with another patience.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Tells which orders are open.
    #[must_use]
    pub fn open_orders(&self) -> OpenOrders {
        self.board.orders()
    }

    /// Tells which errands for licenses are open.
    #[must_use]
    pub fn open_errands(&self) -> OpenErrands {
        self.board.errands()
    }

    /// How far it has followed the log.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.1.clone()
    }

    /// Runs until told to stop, then saves its open work. Jobs under way are dropped; the next run takes them up.
    ///
    /// A record that this version cannot read ends it earlier, with an error in the log of the process and
    /// `chopmark_reactor_following` at 0.
    pub async fn run(self, shutdown: CancellationToken) {
        let resuming = Folding::resume(self.log, self.board.clone(), self.snapshot);
        let Some(folding) = shutdown.run_until_cancelled(resuming).await else { return };
        let (writer, progress) = self.progress;
        writer.advance(folding.position());
        let once_more = once_more(self.patience.once_more_every);
        let office = Office::new(
            self.commands,
            self.marketplaces,
            self.maker,
            self.board.clone(),
            progress,
            self.patience,
            self.metrics.clone(),
        );
        let mut rounds = Rounds {
            folding,
            board: self.board,
            writer,
            office: Arc::new(office),
            tasks: JoinSet::new(),
            running: HashSet::new(),
            once_more,
            has_caught_up: false,
        };
        self.metrics.follows(true);
        let outcome = rounds.walk(&shutdown).await;
        self.metrics.follows(false);
        rounds.tasks.shutdown().await;
        match outcome {
            Ok(()) => rounds.folding.save().await,
            // The fold may stand in the middle of a page, so it is not saved.
            Err(stopped) => {
                let reason = std::error::Error::source(&stopped).map(ToString::to_string);
                tracing::error!(error = %stopped, reason, "the reactor no longer follows the log");
            }
        }
    }
}

/// A reactor that runs.
struct Rounds {
    folding: Folding,
    board: Board,
    writer: ProgressWriter,
    office: Arc<Office>,
    tasks: JoinSet<(Job, Ended)>,
    /// The jobs that have a task.
    running: HashSet<Job>,
    /// When what was given up is tried once more.
    once_more: Interval,
    has_caught_up: bool,
}

impl Rounds {
    async fn walk(&mut self, shutdown: &CancellationToken) -> Result<(), Stopped> {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                page = self.folding.next() => self.take(&page?).await?,
                Some(ended) = self.tasks.join_next() => self.task_ended(ended),
                _ = self.once_more.tick(), if self.has_caught_up => self.try_given_up_once_more(),
            }
        }
    }

    async fn take(&mut self, page: &Page) -> Result<(), Stopped> {
        let touched = self.folding.take(page)?;
        self.writer.advance(page.reached);
        // Before the end of the log, what looks open may be closed a page later.
        if self.has_caught_up {
            touched.into_iter().for_each(|job| self.start(job));
        } else if page.at_head {
            self.has_caught_up = true;
            self.writer.caught_up();
            self.board.jobs().into_iter().for_each(|job| self.start(job));
            self.try_given_up_once_more();
        }
        self.folding.save_now_and_then().await;
        Ok(())
    }

    fn start(&mut self, job: Job) {
        if self.board.get(&job).is_none() || !self.running.insert(job.clone()) {
            return;
        }
        let office = Arc::clone(&self.office);
        self.tasks.spawn(async move {
            let ended = office.run(&job).await;
            (job, ended)
        });
    }

    fn try_given_up_once_more(&mut self) {
        self.board.given_up().into_iter().for_each(|given_up| self.start_once_more(given_up));
    }

    /// Tries once what was given up. Brought back, it has a task like any other as soon as this one ends.
    fn start_once_more(&mut self, given_up: Open) {
        let job = given_up.job();
        if !self.running.insert(job.clone()) {
            return;
        }
        let office = Arc::clone(&self.office);
        self.tasks.spawn(async move {
            office.try_once_more(&given_up).await;
            (job, Ended::Done)
        });
    }

    fn task_ended(&mut self, ended: Result<(Job, Ended), JoinError>) {
        match ended {
            Ok((job, ended)) => {
                self.running.remove(&job);
                // It may have been named again just as the task ended.
                let open = self.board.get(&job);
                if open.is_some_and(|open| ended != Ended::Parked { touched_at: open.touched_at() }) {
                    self.start(job);
                }
            }
            // The job stays marked as running, so that a fault of ours is not repeated for ever; it is listed as open.
            Err(error) => tracing::error!(%error, "a task broke off; its job is taken up again at the next start"),
        }
    }
}

/// Ticks first when the period is over: the start is an occasion of its own.
fn once_more(every: Duration) -> Interval {
    let mut once_more = interval_at(Instant::now() + every, every);
    once_more.set_missed_tick_behavior(MissedTickBehavior::Delay);
    once_more
}
