//! Failures on order.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A way in which one call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The true answer, so much later.
    Delay(Duration),
    /// Status 500 with `MKT.0999`.
    Internal,
    /// Status 406 with `MKT.0250`.
    TooManyRequests,
    /// Status 200 with half a JSON text.
    NotJson,
    /// A bare status, as a gateway before the API would give it.
    Status(u16),
}

/// The failures still to come: each call takes one.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// The next so many calls fail so, after those that were ordered before.
    pub fn inject(&self, fault: Fault, times: usize) {
        self.queue().extend(std::iter::repeat_n(fault, times));
    }

    /// From now on calls succeed.
    pub fn clear(&self) {
        self.queue().clear();
    }

    pub(super) fn next(&self) -> Option<Fault> {
        self.queue().pop_front()
    }

    // A panic while the queue is held leaves it whole.
    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
