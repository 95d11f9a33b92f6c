//! Telling the process's log about appends that fail: once a minute, however many there are. A disk that is nearly full
//! refuses and takes in turn, and so does a server that comes and goes.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long what has been said is not said again.
const QUIET: Duration = Duration::from_mins(1);

/// Failures, and what was said of them.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    said_at: Option<Instant>,
    /// It was said last that appends fail, not that they succeed again.
    is_on: bool,
    /// Appends that failed and were not spoken of.
    unsaid: usize,
}

impl Trouble {
    /// A batch of so many appends has failed.
    pub(crate) fn failed(&mut self, failed: &impl Display, appends: usize, now: Instant) {
        self.unsaid += appends;
        if self.said_at.is_none_or(|said_at| now.duration_since(said_at) >= QUIET) {
            tracing::error!(error = %failed, appends = self.unsaid, "the event log takes no appends");
            *self = Self { said_at: Some(now), is_on: true, unsaid: 0 };
        }
    }

    /// A batch was stored.
    pub(crate) fn is_over(&mut self) {
        if std::mem::replace(&mut self.is_on, false) {
            tracing::info!("the event log takes appends again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_at_once_and_then_once_a_minute() {
        let (mut trouble, begun) = (Trouble::default(), Instant::now());
        let mut told = |second| {
            trouble.failed(&"full", 3, begun + Duration::from_secs(second));
            let is_told = trouble.unsaid == 0;
            trouble.is_over();
            is_told
        };
        let seconds = [0, 1, 59, 60, 61, 119, 120, 1000];
        assert_eq!(seconds.map(&mut told), [true, false, false, true, false, false, true, true]);
    }
}
