//! Walking through a log and waiting at its end.

use std::sync::Arc;

use crate::event_log::{EventLog, ReadError};
use crate::record::{Page, Position};

/// Reads a log page by page, in its order, and waits at the end for more.
pub struct Follower {
    log: Arc<dyn EventLog>,
    position: Position,
    has_told_of_head: bool,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Follower {
    /// Starts after a position: [`Position::START`] reads the whole log.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, after: Position) -> Self {
        Self { log, position: after, has_told_of_head: false }
    }

    /// How far it has read.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next page, of at most about `limit` records. Waits until there is something to read.
    ///
    /// The first page with [`at_head`](Page::at_head) comes without waiting, even if it is empty: it says that the
    /// follower has caught up. Dropping the future loses nothing; neither does an error, the next call tries again from
    /// the same place.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn next(&mut self, limit: usize) -> Result<Page, ReadError> {
        loop {
            let page = self.log.read_all(self.position, limit).await?;
            let is_news = !page.records.is_empty() || (page.at_head && !self.has_told_of_head);
            let has_moved = page.reached > self.position;
            self.position = page.reached;
            if is_news {
                self.has_told_of_head |= page.at_head;
                return Ok(page);
            }
            if page.at_head || !has_moved {
                self.log.changed(self.position).await?;
            }
        }
    }
}
