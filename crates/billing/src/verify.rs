//! Whether the views are what the log says.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chopmark_log::{EventLog, Position};
use tokio::time::sleep;

use crate::bookkeeper::{BookError, Clerk};
use crate::dump::Dump;
use crate::rebuild::{Rebuilding, go_on};
use crate::store::{BillingStore, StoreError};

/// Differences that a report shows.
const SHOWN: usize = 10;

/// How often views that move on are compared.
const ATTEMPTS: u32 = 10;

/// How long a bookkeeper that is drawing something up anew is given before the views are looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the views could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The views cannot be read, or the log cannot be folded.
    #[error(transparent)]
    Book(#[from] BookError),
    /// They were written whenever they were compared.
    #[error("the billing views were written meanwhile: stop the server, or try again when less happens")]
    Moved,
    /// Something is still to be drawn up anew, and nobody does: the server that began it was killed.
    #[error("the billing views were left in the middle of being drawn up anew, at position {position}")]
    Unfinished {
        /// Where.
        position: Position,
    },
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Book(error.into())
    }
}

/// What comparing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The position of the views, up to which the log was folded.
    pub position: Position,
    /// How many lines of the log's dump were compared.
    pub compared: u64,
    /// How many lines of the dumps differ.
    pub differing: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl VerifyReport {
    /// Whether the views are exactly what the log says.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differing == 0
    }

    async fn compare(&mut self, mut kept: Dump<'_>, mut log: Dump<'_>) -> Result<(), StoreError> {
        let (mut kept_line, mut log_line) = (kept.next().await?, log.next().await?);
        loop {
            // The lesser subject is missing on the other side.
            let (take_kept, take_log) = match (&kept_line, &log_line) {
                (None, None) => return Ok(()),
                (Some(kept), Some(log)) => (kept.subject <= log.subject, log.subject <= kept.subject),
                (kept, log) => (kept.is_some(), log.is_some()),
            };
            let ours = kept_line.take_if(|_| take_kept);
            let theirs = log_line.take_if(|_| take_log);
            self.compared += u64::from(take_log);
            if ours != theirs {
                self.add(ours.map(|line| line.json), theirs.map(|line| line.json));
            }
            if take_kept {
                kept_line = kept.next().await?;
            }
            if take_log {
                log_line = log.next().await?;
            }
        }
    }

    fn add(&mut self, kept: Option<String>, log: Option<String>) {
        self.differing += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(Difference { kept, log });
        }
    }
}

/// A line of a dump that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As the views have it.
    pub kept: Option<String>,
    /// As the log has it.
    pub log: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_nothing = |line: &Option<String>| line.as_deref().unwrap_or("nothing").to_owned();
        write!(f, "kept: {}\n log: {}", or_nothing(&self.kept), or_nothing(&self.log))
    }
}

/// Folds the log up to the position of the views into a fresh store, and compares both, line by line of their
/// [`Dump`]s. Only reads the views; where they have moved on meanwhile, it follows them and compares again, a few times.
///
/// # Errors
/// [`VerifyError`]: there was nothing to compare. A difference is no error but in the report.
pub async fn verify(
    log: Arc<dyn EventLog>,
    kept: &dyn BillingStore,
    fresh: Arc<dyn BillingStore>,
    mut on_progress: impl FnMut(Rebuilding),
) -> Result<VerifyReport, VerifyError> {
    fresh.clear().await?;
    let mut clerk = Clerk::open(Arc::clone(&fresh)).await?;
    let first = kept.checkpoint().await?;
    for _ in 0..ATTEMPTS {
        let checkpoint = kept.checkpoint().await?;
        if !checkpoint.work.is_empty() {
            sleep(PAUSE).await;
            continue;
        }
        go_on(log.as_ref(), &mut clerk, Some(checkpoint.position), &mut on_progress).await?;
        let mut report = VerifyReport { position: checkpoint.position, compared: 0, differing: 0, differences: vec![] };
        if clerk.position() != checkpoint.position {
            let ends_at = |position| Some(format!("the views are at position {position}"));
            report.add(ends_at(checkpoint.position), Some(format!("the log ends at position {}", clerk.position())));
        }
        let sellers = clerk.sellers();
        report.compare(Dump::new(kept, sellers), Dump::new(fresh.as_ref(), sellers)).await?;
        if kept.checkpoint().await? == checkpoint {
            return Ok(report);
        }
    }
    let last = kept.checkpoint().await?;
    let is_left = last == first && !last.work.is_empty();
    Err(if is_left { VerifyError::Unfinished { position: last.position } } else { VerifyError::Moved })
}
