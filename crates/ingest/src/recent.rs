//! Status changes that were taken up without an event, remembered for as long as their requests are valid.
//!
//! A status change that caused an event is remembered by its stream, for all nodes and across restarts. One that found
//! the license as it asks leaves no event; if the license moves on and the identical request comes again within its
//! window, it must still change nothing. That memory is here: of this node, bounded, and short.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use chopmark_domain::cause::RequestSignature;
use chrono::{DateTime, TimeDelta, Utc};

/// Signatures are valid for 60 s to either side of the signed time.
const WINDOW: TimeDelta = TimeDelta::seconds(150);
/// More than a marketplace sends of these in a window.
const CAPACITY: usize = 20_000;

#[derive(Debug, Default)]
struct Remembered {
    by_signature: HashMap<RequestSignature, DateTime<Utc>>,
    by_age: VecDeque<RequestSignature>,
}

/// Requests that were answered with success and left no event.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Remembered>);

impl Recent {
    /// Whether this very request was answered within its window.
    pub(crate) fn has_answered(&self, signature: RequestSignature, now: DateTime<Utc>) -> bool {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.by_signature.get(&signature).is_some_and(|at| *at + WINDOW > now)
    }

    /// Remembers a request.
    pub(crate) fn remember(&self, signature: RequestSignature, now: DateTime<Utc>) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(oldest) = remembered.by_age.front().copied() {
            let old = remembered.by_signature.get(&oldest).is_none_or(|at| *at + WINDOW <= now);
            if !old && remembered.by_age.len() < CAPACITY {
                break;
            }
            remembered.by_age.pop_front();
            remembered.by_signature.remove(&oldest);
        }
        if remembered.by_signature.insert(signature, now).is_none() {
            remembered.by_age.push_back(signature);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(n: u32) -> RequestSignature {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        RequestSignature(bytes)
    }

    #[test]
    fn a_request_is_remembered_for_its_window() {
        let (recent, now) = (Recent::default(), Utc::now());
        recent.remember(signature(1), now);
        assert!(recent.has_answered(signature(1), now + TimeDelta::seconds(120)));
        assert!(!recent.has_answered(signature(2), now));
        assert!(!recent.has_answered(signature(1), now + WINDOW));
    }

    #[test]
    fn memory_is_bounded_and_forgets_the_oldest_first() {
        let (recent, now) = (Recent::default(), Utc::now());
        let capacity = u32::try_from(CAPACITY).unwrap();
        (0..capacity + 10).for_each(|n| recent.remember(signature(n), now));
        assert!(!recent.has_answered(signature(0), now));
        assert!(recent.has_answered(signature(capacity + 9), now));
        assert_eq!(recent.0.lock().unwrap().by_age.len(), CAPACITY);
    }
}
