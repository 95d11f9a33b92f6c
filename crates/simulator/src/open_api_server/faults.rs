//! Failures on order.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// A way in which one call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The true answer, so much later.
    Delay(Duration),
    /// Status 500 with `MKT.0999`; of the license interfaces `92020001`.
    Internal,
    /// Status 406 with `MKT.0250`; of the license interfaces 429 with the gateway's `APIGW.0308`.
    TooManyRequests,
    /// Status 200 with half a JSON text.
    NotJson,
    /// A bare status, as a gateway before the API would give it.
    Status(u16),
}

/// The failures still to come, of which each call takes one; and whether calls are held back.
#[derive(Debug, Default)]
pub struct Faults {
    queue: Mutex<VecDeque<Fault>>,
    held: watch::Sender<bool>,
}

impl Faults {
    /// The next so many calls fail so, after those that were ordered before.
    pub fn inject(&self, fault: Fault, times: usize) {
        self.queue().extend(std::iter::repeat_n(fault, times));
    }

    /// From now on calls wait, and are answered when they are [released](Self::release).
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Calls wait no longer.
    pub fn release(&self) {
        self.held.send_replace(false);
    }

    /// Waits while calls are held back.
    pub(super) async fn released(&self) {
        // Fails only where the sender is gone, and here it is.
        drop(self.held.subscribe().wait_for(|is_held| !is_held).await);
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
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
