//! How long to wait before asking again, and when to stop.

use std::time::Duration;

use chrono::TimeDelta;

/// Waits that double from failure to failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl Backoff {
    /// How long to wait after so many failures in a row. `jitter`, from 0 to 1, picks from the upper half of the wait, so
    /// that those who failed together do not come back together.
    #[must_use]
    pub fn delay(&self, failures: u32, jitter: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
    }
}

/// How the reactor deals with failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the answer to a first question. Without one the job waits with those that failed, where there is more time:
    /// a marketplace that hangs holds no new job up for longer.
    pub first_answer: Duration,
    /// For failures that may pass by themselves.
    pub transient: Backoff,
    /// For failures that a person must see to. Once they have, the next attempt should not be far.
    pub refused: Backoff,
    /// What is open for so long is given up …
    pub give_up_after: TimeDelta,
    /// … but never before this process has asked so often: it may just have come back from a long outage of its own.
    pub least_attempts: u32,
    /// What was given up is tried once more after each of these: whoever asks for the same again changes nothing in the
    /// log, and so would bring nothing back.
    pub once_more_every: Duration,
}

impl Default for Patience {
    /// 3 s for a first answer; then waits of 1 s to 10 min, or 10 s to 30 min where the marketplace refuses; given up
    /// after 72 h and 12 attempts, and tried once more every 24 h.
    fn default() -> Self {
        Self {
            first_answer: Duration::from_secs(3),
            transient: Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(10) },
            refused: Backoff { first: Duration::from_secs(10), longest: Duration::from_mins(30) },
            give_up_after: TimeDelta::hours(72),
            least_attempts: 12,
            once_more_every: Duration::from_hours(24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let Backoff { first, longest } = Patience::default().transient;
        let backoff = Backoff { first, longest };
        let whole: Vec<u64> = (1..=12).map(|failures| backoff.delay(failures, 1.0).as_secs()).collect();
        assert_eq!(whole, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(backoff.delay(u32::MAX, 1.0), longest);
        assert_eq!(backoff.delay(0, 1.0), first);
    }

    #[test]
    fn jitter_picks_from_the_upper_half() {
        let backoff = Patience::default().transient;
        assert_eq!(backoff.delay(4, 0.0), Duration::from_secs(4));
        assert_eq!(backoff.delay(4, 0.5), Duration::from_secs(6));
        assert_eq!(backoff.delay(4, 7.0), Duration::from_secs(8));
    }
}
