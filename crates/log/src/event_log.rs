//! The trait that every engine implements, and its errors.

use async_trait::async_trait;

use crate::record::{Appended, Expected, NewEvent, Page, Position, Record, Revision, StreamName};

/// An append that did not succeed, or is not known to have.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not as expected. Nothing was stored.
    #[error("stream {stream} is not at the expected revision")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// Its last revision, where the engine knows it.
        current: Option<Revision>,
    },
    /// The answer was lost: the events may be stored or not. Append the same ids again to find out.
    #[error("it is not known whether the events were stored: {reason}")]
    Unknown {
        /// What happened.
        reason: String,
    },
    /// The log cannot be written now. Nothing was stored; where an answer was lost before, that remains unsettled.
    #[error("the event log cannot be written: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
    /// The events break a limit of the log. Nothing was stored.
    #[error("the events cannot be stored: {reason}")]
    Invalid {
        /// Which limit.
        reason: String,
    },
}

/// A read that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log cannot be read now.
    #[error("the event log cannot be read: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
    /// What was read is not what was written.
    #[error("the event log is damaged at position {position}: {reason}")]
    Damaged {
        /// Where.
        position: Position,
        /// How it shows.
        reason: String,
    },
}

/// An append-only log of records in streams: the only source of truth.
///
/// Every engine keeps these promises, and the contract suite (`chopmark_log::contract`) holds it to them:
/// - [`append`](Self::append) returns `Ok` only after the events are on stable storage. All events of one append are
///   stored, next to each other, or none.
/// - An append that finds its own events (the same ids, in the same order) at the place where it expected to write is
///   answered as the first time. So a lost answer is settled by appending again.
/// - Positions grow in the order in which events become readable: whoever has read up to a position never misses an
///   event before it.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends events, at least one, to a stream.
    ///
    /// # Errors
    /// [`AppendError`]; only [`AppendError::Unknown`] may have stored something.
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError>;

    /// Reads a stream from a revision on, at most `limit` records. No such stream reads as no records.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError>;

    /// Reads the log after a position, at most about `limit` records.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError>;

    /// The position of the last event; [`Position::START`] in an empty log.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn head(&self) -> Result<Position, ReadError>;

    /// Waits until there may be events after a position. Returns at once if there are, and may return too early.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn changed(&self, after: Position) -> Result<(), ReadError>;
}
