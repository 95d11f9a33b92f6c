//! What the log stores, and how its parts are named.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest stream name, in bytes.
pub const STREAM_NAME_MAX: usize = 400;

/// A stream's name: 1 to [`STREAM_NAME_MAX`] bytes without control characters. The log gives it no other meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

/// A text that is no stream name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a stream name: 1 to 400 bytes without control characters")]
pub struct StreamNameError {
    /// The text.
    pub name: String,
}

impl StreamName {
    /// Takes a text for a stream's name.
    ///
    /// # Errors
    /// Empty, too long, or with control characters.
    pub fn new(name: &str) -> Result<Self, StreamNameError> {
        if name.is_empty() || name.len() > STREAM_NAME_MAX || name.chars().any(char::is_control) {
            return Err(StreamNameError { name: name.chars().take(80).collect() });
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event's place in its stream: 0, 1, 2 … without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event's place in the whole log. Later events have greater positions; there may be gaps, and nothing else may be
/// read out of the number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its identity. An append that is repeated with the same ids has no second effect.
    pub id: Uuid,
    /// Its kind, version included.
    pub kind: Cow<'static, str>,
    /// Its data.
    pub data: Vec<u8>,
    /// Its metadata.
    pub metadata: Vec<u8>,
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its identity.
    pub id: Uuid,
    /// Its stream.
    pub stream: StreamName,
    /// Its place in the stream.
    pub revision: Revision,
    /// Its place in the log.
    pub position: Position,
    /// Its kind.
    pub kind: String,
    /// Its data.
    pub data: Vec<u8>,
    /// Its metadata.
    pub metadata: Vec<u8>,
    /// When the log took it, UTC, in microseconds. Never goes back along the log.
    pub recorded_at: DateTime<Utc>,
}

/// What an append expects of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// That it has no event yet.
    NoStream,
    /// That its last event is this one.
    Exact(Revision),
}

/// Where an append's last event came to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// In the stream.
    pub revision: Revision,
    /// In the log.
    pub position: Position,
}

/// Some records in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// How far the log has been read: where the next page goes on. At or after the last record.
    pub reached: Position,
    /// At the time of reading there was nothing after `reached`.
    pub at_head: bool,
}
