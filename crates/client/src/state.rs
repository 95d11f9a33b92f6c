//! What is known of an installation, as it is kept on disk.
//!
//! The disk is not trusted: a lease and a key count only after their signatures have been verified again. The rest can
//! be changed by whoever may write to the folder, and gains them no more than deleting it would.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::keys::OfferedKey;

/// How far a clock may go back without being noticed, seconds: it is set right by small steps.
const CLOCK_TOLERANCE_SECONDS: i64 = 600;

/// What is known. All times are Unix seconds.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// The last good lease.
    pub(crate) lease: Option<String>,
    /// What the server said with it.
    pub(crate) told: Option<Told>,
    /// The last no, until a yes.
    pub(crate) denial: Option<Told>,
    /// Keys that others vouch for, with their vouching.
    pub(crate) keys: Vec<OfferedKey>,
    /// The secret of an enrolled deployment.
    pub(crate) secret: Option<Secret>,
    /// When the server was first asked.
    pub(crate) first_asked: Option<i64>,
    /// Since when it has not answered sensibly.
    pub(crate) unreachable_since: Option<i64>,
    /// How often in a row it has not.
    pub(crate) failures: u32,
    /// When to ask again.
    pub(crate) next_check: i64,
    /// Seconds the server last asked to wait.
    pub(crate) interval: Option<u64>,
    /// The latest time seen.
    pub(crate) latest: i64,
    /// By how much the clock of this machine is behind it since it was turned back.
    pub(crate) clock_behind: i64,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Its code.
    pub(crate) code: String,
    /// Its words.
    pub(crate) reason: String,
    /// When the license ends.
    #[serde(default)]
    pub(crate) expires_at: Option<i64>,
}

/// A text that appears in no debug output.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Told {
    pub(crate) fn code(&self) -> Code {
        Code::parse(&self.code).unwrap_or_else(|| Code::Other(self.code.clone()))
    }
}

impl State {
    /// The time to go by: the clock's, or where the clock was turned back, what it was turned back from and the time
    /// since. Never goes back.
    pub(crate) fn observe(&mut self, clock: i64) -> i64 {
        if clock.saturating_add(CLOCK_TOLERANCE_SECONDS) >= self.latest {
            self.clock_behind = 0;
        } else if clock.saturating_add(self.clock_behind).saturating_add(CLOCK_TOLERANCE_SECONDS) < self.latest {
            self.clock_behind = self.latest.saturating_sub(clock);
        }
        self.latest = self.latest.max(clock.saturating_add(self.clock_behind));
        self.latest
    }

    /// Begins to count again from times that a verified lease and its server vouch for. A clock that once was years
    /// ahead, and has been set right, is forgiven by this.
    pub(crate) fn trust(&mut self, clock: i64, vouched: i64) -> i64 {
        self.latest = vouched;
        self.clock_behind = 0;
        self.observe(clock)
    }

    /// Whether the clock was turned back.
    pub(crate) fn clock_turned_back(&self) -> bool {
        self.clock_behind > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn time_goes_on_from_where_a_clock_was_turned_back() {
        let mut state = State::default();
        assert_eq!(state.observe(100 * DAY), 100 * DAY);
        assert_eq!(state.observe(40 * DAY), 100 * DAY);
        assert!(state.clock_turned_back());
        assert_eq!(state.observe(43 * DAY), 103 * DAY);
        assert_eq!(state.observe(10 * DAY), 103 * DAY, "turned back again");
        assert_eq!(state.observe(104 * DAY), 104 * DAY, "set right");
        assert!(!state.clock_turned_back());
    }

    #[test]
    fn a_clock_set_right_by_minutes_is_not_one_turned_back() {
        let mut state = State::default();
        state.observe(10_000);
        assert_eq!(state.observe(10_000 - CLOCK_TOLERANCE_SECONDS), 10_000);
        assert!(!state.clock_turned_back());
    }

    #[test]
    fn a_clock_that_was_ahead_is_forgiven_when_the_server_vouches_for_the_time() {
        let mut state = State::default();
        state.observe(40_000 * DAY);
        assert_eq!(state.trust(101 * DAY, 100 * DAY), 101 * DAY);
        assert!(!state.clock_turned_back());
        assert_eq!(state.trust(90 * DAY, 102 * DAY), 102 * DAY);
        assert!(state.clock_turned_back(), "this one is behind the server's");
    }
}
