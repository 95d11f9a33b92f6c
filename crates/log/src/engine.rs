//! What an installation keeps its events in.

use async_trait::async_trait;

use crate::event_log::{AppendError, EventLog};
use crate::leadership::Leadership;
use crate::record::{Position, Record};

/// A log, and what only those need who run it: moving records from another log, choosing who leads, closing.
///
/// The contract suite holds every engine to this too.
#[async_trait]
pub trait Engine: EventLog {
    /// Takes records over from another log, in the order given. Id, stream, revision, kind, data, metadata and
    /// `recorded_at` stay; positions are given anew. Returns the position of the last of them; of no records,
    /// [`Position::START`].
    ///
    /// A record that is there already (the same id at the same place of its stream) is passed over, so an import that
    /// was interrupted is begun again.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] where the place of a record holds another one or is not its stream's next;
    /// [`AppendError::Invalid`] for a record that breaks a limit, or one older than what the log ends with. The records
    /// before it may have been stored.
    async fn import(&self, records: Vec<Record>) -> Result<Position, AppendError>;

    /// Waits until this process may do what only one of those that share the log may do at a time. Waits as long as it
    /// takes, whatever fails meanwhile. Dropping the future withdraws the candidate.
    async fn lead(&self) -> Leadership;

    /// Finishes what is under way and gives everything back. Whatever comes later fails.
    async fn close(&self);
}
