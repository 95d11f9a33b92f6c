//! Watching what is open without doing any of it.

use std::path::PathBuf;
use std::sync::Arc;

use chopmark_log::EventLog;
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::folding::Folding;

/// Keeps a board up with the log, for a process that shows what is at risk while another one does it. What only that one
/// remembers is not on the board: how often open work was tried, and what went wrong.
pub struct Lookout {
    log: Arc<dyn EventLog>,
    board: Board,
    snapshot: PathBuf,
}

impl std::fmt::Debug for Lookout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookout").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

impl Lookout {
    /// A lookout on a log. `snapshot` is the file where a reactor would keep its open work between runs; both use it, one
    /// after the other.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, board: Board, snapshot: PathBuf) -> Self {
        Self { log, board, snapshot }
    }

    /// Watches until told to stop, then saves the open work. A record that this version cannot read ends it earlier, with
    /// an error in the log of the process; the board stays as it is.
    pub async fn run(self, stop: CancellationToken) {
        let resumed = stop.run_until_cancelled(Folding::resume(self.log, self.board, self.snapshot)).await;
        let Some(mut folding) = resumed else { return };
        while let Some(page) = stop.run_until_cancelled(folding.next()).await {
            let taken = match &page {
                Ok(page) => folding.take(page).map(drop).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = taken {
                // The fold may stand in the middle of a page, so it is not saved.
                return tracing::error!(error, "what is at risk is shown as it was before this record");
            }
            folding.save_now_and_then().await;
        }
        folding.save().await;
    }
}
