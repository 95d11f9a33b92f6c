//! Until when a call may wait.

use std::time::{Duration, Instant};

/// No call waits longer, whatever the program asks for.
const LONGEST: Duration = Duration::from_hours(24);

/// The moment by which a call has its answer. There is one for each call; whatever waits in it, for an answer or for
/// a lock, waits until then at the most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// This long from now, a day at the most.
    pub(crate) fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait.min(LONGEST))
    }

    /// The time until then; none once it is over.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// An earlier one, after a quarter of the time that is left: for what must leave time for the rest of the call.
    pub(crate) fn quarter(self) -> Self {
        Self::after(self.left() / 4)
    }
}
