//! Seals of the log. Deciding what they say is the worker's; here they are found and put on record.

use chopmark_domain::cause::Cause;
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::seal::{Event, Sealed};
use chopmark_domain::stream::Stream;
use chopmark_log::{AppendError, Appended, Expected, Record, Revision, StreamName};
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::error::CommandError;

/// A seal on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealOnRecord {
    /// Its place among the seals.
    pub revision: Revision,
    /// When the log took it, UTC.
    pub recorded_at: DateTime<Utc>,
    /// What it says.
    pub sealed: Sealed,
}

impl SealOnRecord {
    /// Reads the record of a seal.
    ///
    /// # Errors
    /// [`CommandError::Decode`]: a newer version wrote it, or it is none.
    pub fn read(record: &Record) -> Result<Self, CommandError> {
        let Event::Sealed(sealed) = Event::decode(&record.kind, &record.data)
            .map_err(|source| CommandError::Decode { stream: record.stream.clone(), source })?;
        Ok(Self { revision: record.revision, recorded_at: record.recorded_at, sealed })
    }
}

impl Commands {
    /// Some seals from a place among them on; none at their end.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn seals(&self, from: Revision, limit: usize) -> Result<Vec<SealOnRecord>, CommandError> {
        let records = self.log.read_stream(&seals()?, from, limit).await?;
        records.iter().map(SealOnRecord::read).collect()
    }

    /// Puts a seal on record, next after the one of this revision, or as the first. `None` if another was quicker.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn put_seal(&self, after: Option<Revision>, sealed: Sealed) -> Result<Option<Appended>, CommandError> {
        let expected = after.map_or(Expected::NoStream, Expected::Exact);
        match self.append(&seals()?, expected, &[Event::from(sealed)], &Cause::System).await {
            Ok(appended) => Ok(Some(appended)),
            Err(AppendError::Conflict { .. }) => Ok(None),
            Err(error) => Err(CommandError::NotDurable { reason: error.to_string() }),
        }
    }
}

/// The stream of seals.
fn seals() -> Result<StreamName, CommandError> {
    Ok(StreamName::new(&Stream::Seals.to_string())?)
}
