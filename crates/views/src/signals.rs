//! What wakes the writer before its time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Signals {
    asked: Mutex<Asked>,
    changed: Condvar,
}

#[derive(Default)]
struct Asked {
    /// How often somebody asked for a round.
    flushes: u64,
    is_urgent: bool,
    is_closed: bool,
}

/// A round of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Round {
    /// It answers all who asked up to this.
    pub(crate) flushes: u64,
    pub(crate) is_last: bool,
}

impl Signals {
    /// Wakes the writer.
    pub(crate) fn hurry(&self) {
        self.lock().is_urgent = true;
        self.changed.notify_one();
    }

    /// Asks for a round and tells which answers it.
    pub(crate) fn flush(&self) -> u64 {
        let mut asked = self.lock();
        asked.is_urgent = true;
        asked.flushes += 1;
        let flushes = asked.flushes;
        drop(asked);
        self.changed.notify_one();
        flushes
    }

    /// Asks for the last round.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits until somebody asks, but not longer than this.
    pub(crate) fn wait(&self, at_most: Duration) -> Round {
        let nobody_asks = |asked: &mut Asked| !asked.is_urgent && !asked.is_closed;
        let waited = self.changed.wait_timeout_while(self.lock(), at_most, nobody_asks);
        let (mut asked, _) = waited.unwrap_or_else(PoisonError::into_inner);
        asked.is_urgent = false;
        Round { flushes: asked.flushes, is_last: asked.is_closed }
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
