//! Commands: load a stream, decide, append, answer.
//!
//! This is the shell around the pure rules of `chopmark_domain`: it brings them the state, the time and the cause, and
//! makes what they decide durable. Two deciding at once is settled by the expected revision: the loser reads again and
//! decides anew. A lost answer is settled by appending the same event ids again. Only what is durable is `Ok`.

mod admin;
mod answered;
mod clock;
mod error;
mod fold;
mod licenses;
mod looking_back;
mod requests;
mod seals;
mod seats;
mod settlement;
mod transact;

use std::sync::Arc;

pub use admin::AppliedCatalog;
use chopmark_log::{EventLog, Position};
pub use clock::{Clock, SystemClock};
pub use error::{CommandError, SettlementRefusal};
pub use looking_back::{Cut, Told};
pub use seals::SealOnRecord;

/// Everything that changes the log goes through here. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    secrets: Arc<admin::Secrets>,
    answered: Arc<answered::Answered>,
    is_among_others: bool,
}

/// What a command found or made.
#[derive(Debug, Clone, PartialEq)]
pub struct Done<S> {
    /// The state after the command.
    pub state: S,
    /// The position of the stream's last event; `None` while it has none. An answer that shows this state must not
    /// overtake it: wait for the index to reach it.
    pub position: Option<Position>,
    /// How many events were appended; none when all was known before.
    pub appended: usize,
}

impl Commands {
    /// Commands on a log, with a clock.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock, secrets: Arc::default(), answered: Arc::default(), is_among_others: false }
    }

    /// The same beside other processes that take callbacks: what was answered without an event is then remembered in the
    /// log.
    #[must_use]
    pub fn among_others(self) -> Self {
        Self { is_among_others: true, ..self }
    }

    /// The time, UTC.
    #[must_use]
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }

    /// The log, for reading.
    #[must_use]
    pub fn log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }
}
