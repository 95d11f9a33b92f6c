//! The interfaces that sellers call, and what is counted and spoiled of each.

use std::sync::atomic::{AtomicU64, Ordering};

use super::faults::Faults;

/// An interface that sellers call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interface {
    /// What was bought with an order (topic 0070649350).
    OrderQuery,
    /// Activating license codes, of either version (topic 0070649244).
    Activate,
    /// Asking for license codes, of either version (topic 0070649245).
    Heartbeat,
    /// Handing a license over (topic 0070649351).
    Upload,
}

impl Interface {
    /// Every interface.
    pub const ALL: [Self; 4] = [Self::OrderQuery, Self::Activate, Self::Heartbeat, Self::Upload];

    /// Whether its results are in `error_code`, and not in `resultCode`.
    pub(super) fn is_about_licenses(self) -> bool {
        self != Self::OrderQuery
    }
}

/// What is counted and spoiled of one interface.
#[derive(Debug, Default)]
pub(super) struct Counter {
    calls: AtomicU64,
    pub(super) faults: Faults,
}

/// The same of all of them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    order_query: Counter,
    activate: Counter,
    heartbeat: Counter,
    upload: Counter,
}

impl Counters {
    pub(super) fn of(&self, interface: Interface) -> &Counter {
        match interface {
            Interface::OrderQuery => &self.order_query,
            Interface::Activate => &self.activate,
            Interface::Heartbeat => &self.heartbeat,
            Interface::Upload => &self.upload,
        }
    }
}

impl Counter {
    pub(super) fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}
