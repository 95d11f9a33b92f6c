//! Doing jobs: attempts until one succeeds, with longer and longer waits, and an end to it.

mod activation;
mod facts;
mod failure;
mod places;
mod record;
mod upload;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use chopmark_commands::Commands;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::Errand;
use chopmark_huawei::open_api::OpenApiError;
use chopmark_log::Position;
use chopmark_log::progress::Progress;
use tokio::time::{Instant, timeout};

use crate::board::{Board, Open};
use crate::maker::LicenseMaker;
use crate::marketplace::Marketplaces;
use crate::metrics::ReactorMetrics;
use crate::open_work::Job;
use crate::patience::Patience;
use failure::Failure;
use places::{Place, Places};
use record::Trouble;
pub(crate) use record::cause;

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is no longer open.
    Done,
    /// Nothing can be done about it as it was then.
    Parked {
        /// [`Open::touched_at`] then.
        touched_at: Position,
    },
}

/// What all jobs share.
pub(crate) struct Office {
    commands: Commands,
    maker: Arc<dyn LicenseMaker>,
    board: Board,
    progress: Progress,
    patience: Patience,
    metrics: ReactorMetrics,
    places: Places,
    /// Sellers without an open API of whom that has been said.
    warned: Mutex<Vec<SellerId>>,
}

/// What is remembered of a job between attempts.
#[derive(Default)]
struct Memory {
    /// Failures in a row.
    failures: u32,
    /// Failures of the marketplace.
    untold: u32,
    /// The log says so.
    is_delayed: bool,
}

impl Memory {
    /// Whether the marketplace failed at this before: it then asks for a place among those that did.
    fn has_failed(&self) -> bool {
        self.untold > 0 || self.is_delayed
    }
}

impl Office {
    pub(crate) fn new(
        commands: Commands,
        marketplaces: Marketplaces,
        maker: Arc<dyn LicenseMaker>,
        board: Board,
        progress: Progress,
        patience: Patience,
        metrics: ReactorMetrics,
    ) -> Self {
        let places = Places::new(marketplaces);
        Self { commands, maker, board, progress, patience, metrics, places, warned: Mutex::default() }
    }

    /// Tries until the job is no longer open.
    pub(crate) async fn run(&self, job: &Job) -> Ended {
        let mut memory = Memory::default();
        while let Some(open) = self.board.get(job) {
            match self.attempt(&open, &mut memory).await {
                Ok(()) => memory = Memory::default(),
                Err(failure @ (Failure::NoOpenApi | Failure::Waits(_))) => {
                    self.note_wait(job, &failure);
                    return Ended::Parked { touched_at: open.touched_at() };
                }
                Err(failure) => self.after(&failure, job, &open, &mut memory).await,
            }
        }
        Ended::Done
    }

    /// Tries once what was given up: what stood in the way may have been mended.
    pub(crate) async fn try_once_more(&self, given_up: &Open) {
        let job = given_up.job();
        match self.attempt(given_up, &mut Memory::default()).await {
            Ok(()) => tracing::info!(seller = %job.seller(), %job, "what was given up succeeded after all"),
            Err(failure @ (Failure::NoOpenApi | Failure::Waits(_))) => self.note_wait(&job, &failure),
            Err(failure) => {
                let reason = failure.reason();
                tracing::warn!(seller = %job.seller(), %job, reason, "what was given up was tried once more in vain");
            }
        }
    }

    /// One attempt to close a job as it is open now. On success the fold has seen all of its effects.
    async fn attempt(&self, open: &Open, memory: &mut Memory) -> Result<(), Failure> {
        match open {
            Open::Facts(key, order) => self.get_facts(key, order, memory).await?,
            Open::Errand(key, errand) => {
                memory.is_delayed |= errand.is_late;
                let position = match &key.errand {
                    Errand::Activate => self.activate(&key.license, memory).await?,
                    Errand::Upload(application) => self.upload(&key.license, application, memory).await?,
                };
                self.wait_for_fold(position).await;
            }
        }
        match self.board.get(&open.job()) {
            Some(still) if still == *open => Err(Failure::Unchanged),
            _ => Ok(()),
        }
    }

    async fn wait_for_fold(&self, position: Option<Position>) {
        if let Some(position) = position {
            self.progress.reached(position).await;
        }
    }

    /// A place at the seller's marketplace.
    async fn place(&self, seller: &SellerId, memory: &Memory) -> Result<Place<'_>, Failure> {
        self.places.take(seller, memory.has_failed()).await.ok_or(Failure::NoOpenApi)
    }

    /// Puts a question to the marketplace; the place is free again with the answer.
    async fn ask<T>(
        &self,
        place: Place<'_>,
        api: &'static str,
        question: impl Future<Output = Result<T, OpenApiError>>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let answer = if place.is_first() {
            timeout(self.patience.first_answer, question).await.unwrap_or_else(|_| Err(failure::late()))
        } else {
            question.await
        };
        self.metrics.answered(api, answer.as_ref().err().map(|error| error.kind), begun.elapsed());
        answer.map_err(Failure::Untold)
    }

    /// Says that an attempt failed, where it matters, and waits for the next.
    async fn after(&self, failure: &Failure, job: &Job, open: &Open, memory: &mut Memory) {
        memory.failures += 1;
        let was_asked = matches!(failure, Failure::Untold(_));
        let reason = failure.reason();
        if memory.failures == 1 {
            tracing::warn!(seller = %job.seller(), %job, reason, "something is late; trying goes on");
        }
        self.board.note_failure(job, reason.clone(), was_asked);
        if was_asked {
            memory.untold += 1;
            if self.must_give_up(open, memory) && self.abandon(job, reason.clone(), memory.untold).await {
                return;
            }
            if !memory.is_delayed {
                self.record_delay(job, reason).await;
            }
        }
        let backoff = if failure.is_transient() { self.patience.transient } else { self.patience.refused };
        tokio::time::sleep(backoff.delay(memory.failures, rand::random())).await;
    }

    fn must_give_up(&self, open: &Open, memory: &Memory) -> bool {
        let waited = self.commands.now() - open.since();
        waited >= self.patience.give_up_after && memory.untold >= self.patience.least_attempts
    }

    /// Puts on record that trying is over; false where it is not. An order that was given up before, and then named
    /// again, is not given up twice: it stays open, and asking goes on.
    async fn abandon(&self, job: &Job, reason: String, attempts: u32) -> bool {
        match self.record(job, Trouble::GivenUp { reason, attempts }).await {
            Ok(appended) => {
                if appended.is_some() {
                    tracing::error!(seller = %job.seller(), %job, attempts, "given up");
                }
                self.wait_for_fold(appended).await;
                appended.is_some()
            }
            Err(error) => {
                tracing::warn!(seller = %job.seller(), %job, %error, "giving up could not be recorded");
                false
            }
        }
    }

    /// Puts on record that a job is late. Where that fails, the next failure brings another occasion.
    async fn record_delay(&self, job: &Job, reason: String) {
        if let Err(error) = self.record(job, Trouble::Late { reason }).await {
            tracing::warn!(seller = %job.seller(), %job, %error, "the delay could not be recorded");
        }
    }

    /// A job that waits says for what where open work is listed; that a seller has no open API is said once.
    fn note_wait(&self, job: &Job, failure: &Failure) {
        if !matches!(failure, Failure::NoOpenApi) {
            self.board.note_failure(job, failure.reason(), false);
            return;
        }
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.contains(job.seller()) {
            tracing::warn!(seller = %job.seller(), "the seller has no open_api: what is to be done at the marketplace stays open");
            warned.push(job.seller().clone());
        }
    }
}
