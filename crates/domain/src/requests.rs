//! Status requests about a license that were answered with success and changed nothing. The license's own stream knows
//! only those that caused an event; where several processes take callbacks, these stand beside it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::cause::{REQUEST_MEMORY, RequestSignature};
use crate::codec::events;

/// A request to freeze or unfreeze found the license as it asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestAnswered {
    /// The request's signature; the request itself is the cause.
    pub signature: RequestSignature,
}

events! {
    /// Events of the requests about one license.
    pub enum Event {
        /// A status request changed nothing.
        Answered(RequestAnswered) = "request_answered.v1",
    }
}

/// The requests about one license that changed nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests(Vec<(RequestSignature, DateTime<Utc>)>);

impl Requests {
    /// Whether this very request was answered so, and is still valid.
    #[must_use]
    pub fn contains(&self, signature: RequestSignature, now: DateTime<Utc>) -> bool {
        self.0.iter().any(|(known, at)| *known == signature && *at + REQUEST_MEMORY > now)
    }

    /// Remembers a request; nothing happens if it is remembered.
    #[must_use]
    pub fn answer(&self, signature: RequestSignature, now: DateTime<Utc>) -> Vec<Event> {
        if self.contains(signature, now) { vec![] } else { vec![RequestAnswered { signature }.into()] }
    }

    /// Takes an event up that was recorded at a time, UTC. Those that are no longer valid are let go.
    pub fn evolve(&mut self, event: &Event, recorded_at: DateTime<Utc>) {
        let Event::Answered(RequestAnswered { signature }) = event;
        self.0.retain(|(_, at)| *at + REQUEST_MEMORY > recorded_at);
        self.0.push((*signature, recorded_at));
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_request_is_remembered_once_and_while_it_is_valid() {
        let (signature, now) = (RequestSignature([7; 32]), DateTime::<Utc>::UNIX_EPOCH);
        let mut requests = Requests::default();
        for event in requests.answer(signature, now) {
            requests.evolve(&event, now);
        }
        assert!(requests.contains(signature, now) && requests.answer(signature, now).is_empty());
        assert!(!requests.contains(RequestSignature([8; 32]), now));
        assert!(requests.contains(signature, now + REQUEST_MEMORY - TimeDelta::seconds(1)));
        assert!(!requests.contains(signature, now + REQUEST_MEMORY));
        let later = RequestSignature([9; 32]);
        requests.evolve(&RequestAnswered { signature: later }.into(), now + REQUEST_MEMORY);
        assert_eq!(requests, Requests(vec![(later, now + REQUEST_MEMORY)]), "memory is bounded by what is valid");
    }
}
