//! What engines that gather appends have in common: what each append wants, and what becomes of all of them in one
//! transaction.

use crate::event_log::AppendError;
use crate::limits;
use crate::metrics::Success;
use crate::record::{Appended, Expected, NewEvent, Position, Revision, StreamName};

/// A batch takes no further append once it has this many events …
const EVENTS_MAX: usize = 512;
/// … or this many bytes.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much a batch has.
#[derive(Default)]
pub(crate) struct Size {
    events: usize,
    bytes: usize,
}

impl Size {
    /// The batch takes the events of another append.
    pub(crate) fn add(&mut self, events: &[NewEvent]) {
        self.events += events.len();
        self.bytes += events.iter().map(limits::bytes).sum::<usize>();
    }

    /// Whether it takes another append.
    pub(crate) fn has_room(&self) -> bool {
        self.events < EVENTS_MAX && self.bytes < BYTES_MAX
    }
}

/// What one append wants.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) stream: &'a StreamName,
    pub(crate) expected: Expected,
    pub(crate) events: &'a [NewEvent],
}

impl Wish<'_> {
    /// The revision of its first event.
    pub(crate) fn first(&self) -> u64 {
        match self.expected {
            Expected::NoStream => 0,
            Expected::Exact(Revision(revision)) => revision.saturating_add(1),
        }
    }
}

/// What became of it.
pub(crate) type Outcome = Result<(Appended, Success), AppendError>;

/// What became of them all: one outcome for each wish, and where the log ends now.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) outcomes: Vec<Outcome>,
    /// The events stored.
    pub(crate) events: u64,
    pub(crate) head: Position,
}

/// No wish was fulfilled, or it is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed<E> {
    /// Nothing was stored.
    #[error("nothing was stored: {0}")]
    NotStored(E),
    /// The commit was not acknowledged; what was stored shows later.
    #[error("it is not known what was stored: {0}")]
    Unknown(E),
}

impl<E: ToString> Failed<E> {
    /// What each of the appends is told.
    pub(crate) fn to_append_error(&self) -> AppendError {
        match self {
            Self::NotStored(error) => AppendError::Unavailable { reason: error.to_string() },
            Self::Unknown(error) => AppendError::Unknown { reason: error.to_string() },
        }
    }
}
