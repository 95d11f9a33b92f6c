//! Whether a log is still the one that a state was folded from.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event_log::{EventLog, ReadError};
use crate::record::{Position, Record, Revision, StreamName};

/// The record that was folded last. A snapshot keeps it beside its state: a log that was put back from a backup, and has
/// grown since, has another record in that place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    stream: String,
    revision: Revision,
    id: Uuid,
    position: Position,
}

impl Anchor {
    /// The anchor that a record makes.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            stream: record.stream.as_str().into(),
            revision: record.revision,
            id: record.id,
            position: record.position,
        }
    }

    /// Whether the record is in a log, in the place where it was folded.
    ///
    /// # Errors
    /// [`ReadError`]: the log does not tell.
    pub async fn is_in(&self, log: &dyn EventLog) -> Result<bool, ReadError> {
        let Ok(stream) = StreamName::new(&self.stream) else {
            return Ok(false);
        };
        let records = log.read_stream(&stream, self.revision, 1).await?;
        Ok(records.first().is_some_and(|record| *self == Self::of(record)))
    }
}
