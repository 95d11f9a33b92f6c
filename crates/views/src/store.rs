//! Where sightings are kept for good: what an engine must do.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::error::ViewsError;
use crate::memory::{Merge, Taken};

/// Microseconds since 1970, UTC.
pub(crate) type Micros = i64;
/// Hours since 1970, UTC.
pub(crate) type Hours = i64;
/// Product and ECS.
pub(crate) type Deployment = (String, String);

/// What is remembered of a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) at: Micros,
    pub(crate) lease_until: Option<Micros>,
}

impl Merge for Holding {
    fn merge(&mut self, other: Self) {
        self.at = self.at.max(other.at);
        self.lease_until = self.lease_until.max(other.lease_until);
    }
}

/// When a token was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used(pub(crate) Micros);

impl Merge for Used {
    fn merge(&mut self, other: Self) {
        self.0 = self.0.max(other.0);
    }
}

/// What a deployment said last about how it is charged. Saying nothing counts least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charged {
    pub(crate) at: Micros,
    pub(crate) mode: Option<Box<str>>,
}

impl Charged {
    fn weight(&self) -> (bool, Micros, Option<&str>) {
        (self.mode.is_some(), self.at, self.mode.as_deref())
    }
}

impl Merge for Charged {
    fn merge(&mut self, other: Self) {
        if other.weight() > self.weight() {
            *self = other;
        }
    }
}

/// What is written together.
pub(crate) struct Batch {
    /// By seller, license, holder.
    pub(crate) holders: Taken<3, Holding>,
    /// By id.
    pub(crate) tokens: Taken<1, Used>,
    /// By seller, ECS, product and hour.
    pub(crate) hours: Taken<3, Charged>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.tokens.is_empty() && self.hours.is_empty()
    }
}

/// A process that gives out leases and remembers whom it saw. Others count on what it has written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watcher {
    /// Which process; its own, and another one after a restart.
    pub(crate) id: Uuid,
    /// All that it saw before then is in the batch, or was written before.
    pub(crate) complete_to: Instant,
    /// It had to drop a sighting of a holder since it last wrote.
    pub(crate) has_dropped: bool,
}

/// What a store knows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Notes {
    /// When the store was begun.
    pub(crate) begun: Micros,
    /// What the processes that share it told; `None` where it belongs to one.
    pub(crate) told: Option<Told>,
}

/// How far those who share a store have written. Ages, by the clock of the store: those of the processes may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// How long ago it is that all others had written all they had seen; `None` where nobody else is on record.
    pub(crate) others_behind: Option<Duration>,
    /// How long ago anybody last wrote; nobody was seen since, unless somebody is late.
    pub(crate) watched_ago: Duration,
    /// For how long there has been somebody to see, without a break.
    pub(crate) watched_for: Duration,
    /// The last time, so long ago, at which something may have been seen that nobody will ever write.
    pub(crate) lost_ago: Option<Duration>,
}

/// An engine. Its calls block; it is called from several threads, and from several processes where it is shared.
pub(crate) trait Store: Send + Sync + 'static {
    /// Whether other processes may write it as well.
    fn is_shared(&self) -> bool;
    /// Merges a batch into what is kept. With an error, some of it may be kept: merging it again does no harm. Who wrote it
    /// is noted, once all of it is kept.
    fn write(&self, batch: &Batch, watcher: Option<&Watcher>) -> Result<(), ViewsError>;
    /// What the store knows of itself. What `watcher` has not written, it knows by itself.
    fn notes(&self, watcher: Option<Uuid>) -> Result<Notes, ViewsError>;
    /// The holders of a license.
    fn holders(&self, seller: &str, license: &str) -> Result<Vec<(String, Holding)>, ViewsError>;
    /// All tokens.
    fn tokens(&self) -> Result<Vec<(String, Used)>, ViewsError>;
    /// The deployments of an hour.
    fn hour(&self, seller: &str, hour: Hours) -> Result<Vec<(Deployment, Charged)>, ViewsError>;
    /// Forgets a holder.
    fn forget(&self, seller: &str, license: &str, holder: &str) -> Result<(), ViewsError>;
    /// Forgets hours before this one.
    fn forget_hours_before(&self, hour: Hours) -> Result<(), ViewsError>;
    /// Puts everything in order; nothing is written after this. `leaving` is a process that has written all it saw.
    fn close(&self, leaving: Option<Uuid>);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn merged<V: Merge + Clone>(values: &[V], order: &[usize]) -> V {
        let mut values = order.iter().map(|&at| values[at].clone());
        let mut merged = values.next().unwrap();
        values.for_each(|value| merged.merge(value));
        merged
    }

    proptest! {
        #[test]
        fn the_order_of_sightings_makes_no_difference(
            holdings in proptest::array::uniform4((0i64..4, proptest::option::of(0i64..4))),
            charged in proptest::array::uniform4((0i64..4, proptest::option::of("[ab]"))),
            order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
        ) {
            let holdings = holdings.map(|(at, lease_until)| Holding { at, lease_until });
            prop_assert_eq!(merged(&holdings, &order), merged(&holdings, &[0, 1, 2, 3]));
            let charged = charged.map(|(at, mode)| Charged { at, mode: mode.map(String::into_boxed_str) });
            prop_assert_eq!(merged(&charged, &order), merged(&charged, &[0, 1, 2, 3, 1]));
        }
    }

    #[test]
    fn what_was_said_last_about_charging_holds_and_silence_takes_nothing_back() {
        let charged = |at, mode: Option<&str>| Charged { at, mode: mode.map(Into::into) };
        let mut known = charged(1, Some("1"));
        known.merge(charged(2, None));
        assert_eq!(known, charged(1, Some("1")));
        known.merge(charged(3, Some("0")));
        known.merge(charged(2, Some("2")));
        assert_eq!(known, charged(3, Some("0")));
    }
}
