//! Status requests that were answered and left no event, remembered for as long as they are valid.
//!
//! A request that caused an event is remembered by its stream. One that found the license as it asks leaves no event;
//! if the license moves on and the very same request comes again, it must still change nothing. Until then it is
//! remembered here, by this process, and the next event of the license takes the memory along onto the stream.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chopmark_domain::cause::{REQUEST_MEMORY, RequestSignature};
use chopmark_log::StreamName;
use chrono::{DateTime, Utc};

/// More than a marketplace sends of these while they are valid.
const CAPACITY: usize = 20_000;
/// So many an event takes along: more than anybody sends about one license.
const TAKEN_ALONG: usize = 64;

/// Requests that were answered with success and left no event, by the license's stream.
#[derive(Debug, Default)]
pub(crate) struct Answered(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    by_stream: HashMap<StreamName, VecDeque<(RequestSignature, DateTime<Utc>)>>,
    by_age: VecDeque<(StreamName, DateTime<Utc>)>,
}

impl Answered {
    /// Remembers a request.
    pub(crate) fn remember(&self, stream: &StreamName, signature: RequestSignature, now: DateTime<Utc>) {
        let mut memory = self.memory();
        memory.forget_oldest(now);
        if memory.valid(stream, now).any(|known| known == signature) {
            return;
        }
        memory.by_stream.entry(stream.clone()).or_default().push_back((signature, now));
        memory.by_age.push_back((stream.clone(), now));
    }

    /// Whether this very request about this license was answered so.
    pub(crate) fn contains(&self, stream: &StreamName, signature: RequestSignature, now: DateTime<Utc>) -> bool {
        self.memory().valid(stream, now).any(|known| known == signature)
    }

    /// What the next event of a stream takes along, the newest first.
    pub(crate) fn about(&self, stream: &StreamName, now: DateTime<Utc>) -> Vec<RequestSignature> {
        self.memory().valid(stream, now).take(TAKEN_ALONG).collect()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn valid(&self, stream: &StreamName, now: DateTime<Utc>) -> impl Iterator<Item = RequestSignature> {
        let known = self.by_stream.get(stream).into_iter().flatten().rev();
        known.filter(move |(_, at)| *at + REQUEST_MEMORY > now).map(|(signature, _)| *signature)
    }

    fn forget_oldest(&mut self, now: DateTime<Utc>) {
        while let Some((stream, at)) = self.by_age.front() {
            if *at + REQUEST_MEMORY > now && self.by_age.len() < CAPACITY {
                break;
            }
            if let Some(known) = self.by_stream.get_mut(stream) {
                known.pop_front();
                if known.is_empty() {
                    self.by_stream.remove(stream);
                }
            }
            self.by_age.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn signature(n: usize) -> RequestSignature {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        RequestSignature(bytes)
    }

    fn stream(name: &str) -> StreamName {
        StreamName::new(name).unwrap()
    }

    #[test]
    fn a_request_is_remembered_about_its_license_while_it_is_valid() {
        let (answered, now) = (Answered::default(), Utc::now());
        answered.remember(&stream("a"), signature(1), now);
        assert!(answered.contains(&stream("a"), signature(1), now + TimeDelta::seconds(120)));
        assert!(!answered.contains(&stream("a"), signature(2), now));
        assert!(!answered.contains(&stream("b"), signature(1), now), "another license");
        assert!(!answered.contains(&stream("a"), signature(1), now + REQUEST_MEMORY));
        assert_eq!(answered.about(&stream("a"), now), [signature(1)]);
        assert_eq!(answered.about(&stream("a"), now + REQUEST_MEMORY), []);
    }

    #[test]
    fn memory_is_bounded_and_forgets_the_oldest_first() {
        let (answered, now) = (Answered::default(), Utc::now());
        (0..CAPACITY + 10).for_each(|n| answered.remember(&stream(&format!("{}", n % 100)), signature(n), now));
        assert!(!answered.contains(&stream("0"), signature(0), now));
        assert!(answered.contains(&stream("9"), signature(CAPACITY + 9), now));
        assert_eq!(answered.memory().by_age.len(), CAPACITY);
        assert_eq!(answered.about(&stream("9"), now).len(), TAKEN_ALONG);
        answered.remember(&stream("a"), signature(1), now + REQUEST_MEMORY);
        let memory = answered.memory();
        assert_eq!((memory.by_age.len(), memory.by_stream.len()), (1, 1));
    }
}
