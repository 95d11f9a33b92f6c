//! Checks of one license: a limit that costs nearly nothing as long as nobody comes near it.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::quota::{Exceeded, Policy, Quota};

const SLOTS: usize = 1 << 16;

/// A slot's word: the minute, counted round, above; its checks below.
const COUNT_BITS: u32 = 20;
const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;
const MINUTES: u64 = 1 << (u32::BITS - COUNT_BITS);

/// Counts checks in two steps.
///
/// Every check counts in the slot that its license's hash leads to, begun anew each minute; many licenses share one.
/// That is a hash and one atomic word. Only when a slot has seen a sixteenth of the burst within the minute, are its
/// licenses counted each for itself, exactly, in bounded memory, from nothing. Only that count refuses. So a license is
/// never refused for what its neighbours in a slot do: what it shares with them decides only whether it is looked at
/// closely. It has its whole burst, and up to a sixteenth more.
#[derive(Debug)]
pub(super) struct Bursts {
    slots: Box<[AtomicU32]>,
    hasher: RandomState,
    unquestioned: u32,
    exact: Quota,
    began: Instant,
}

impl Bursts {
    pub(super) fn new(policy: Policy, now: Instant) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU32::new(0)).collect(),
            hasher: RandomState::new(),
            unquestioned: (policy.quota() / 16).min(COUNT_MAX),
            exact: Quota::new(policy, now),
            began: now,
        }
    }

    /// Counts a check.
    pub(super) fn spend(&self, seller: &str, license: &str, now: Instant) -> Result<(), Exceeded> {
        if self.is_quiet(license, now) { Ok(()) } else { self.exact.spend(&(seller, license), now).map(drop) }
    }

    /// Counts in the slot while it has seen little within this minute. Licenses of several sellers with one id share it,
    /// as others do: the id alone is less to hash.
    fn is_quiet(&self, license: &str, now: Instant) -> bool {
        let at = usize::try_from(self.hasher.hash_one(license) % SLOTS as u64).unwrap_or(0);
        let minute = now.saturating_duration_since(self.began).as_secs() / 60 % MINUTES;
        let minute = u32::try_from(minute).unwrap_or(0);
        let counted = |word: u32| {
            let count = if word >> COUNT_BITS == minute { word & COUNT_MAX } else { 0 };
            (count < self.unquestioned).then(|| minute << COUNT_BITS | (count + 1))
        };
        self.slots[at].fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted).is_ok()
    }

    /// How many licenses are looked at closely.
    #[cfg(test)]
    pub(super) fn closely(&self) -> usize {
        self.exact.keys()
    }
}
