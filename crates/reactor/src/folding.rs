//! The open work, kept up with the log and saved now and then.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chopmark_domain::codec::DecodeError;
use chopmark_log::{Anchor, EventLog, Follower, Page, Position, ReadError};

use crate::board::Board;
use crate::open_work::Job;
use crate::saved::SavedWork;

/// Records read at once.
const PAGE: usize = 1_000;
/// Records after which the open work is saved, so that a process that dies has little to read again.
const SAVE_EVERY: usize = 10_000;
/// Before the log is read again where it could not be read.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// Folds the log onto a board. One at a time may do so.
pub(crate) struct Folding {
    follower: Follower,
    /// The last record of the fold.
    anchor: Option<Anchor>,
    board: Board,
    snapshot: PathBuf,
    /// Records since the last snapshot.
    unsaved: usize,
}

impl Folding {
    /// Goes on from what was saved of this log, however long the log cannot be read. A log that is damaged says so when it
    /// is followed.
    pub(crate) async fn resume(log: Arc<dyn EventLog>, board: Board, snapshot: PathBuf) -> Self {
        let SavedWork { position, anchor, work } = saved(log.as_ref(), &snapshot).await;
        board.restore(work);
        Self { follower: Follower::new(log, position), anchor, board, snapshot, unsaved: 0 }
    }

    /// How far it has come.
    pub(crate) fn position(&self) -> Position {
        self.follower.position()
    }

    /// The next page, however long the log cannot be read. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Page, ReadError> {
        loop {
            match self.follower.next(PAGE).await {
                Err(error @ ReadError::Unavailable { .. }) => wait_for_log(&error).await,
                settled => return settled,
            }
        }
    }

    /// Takes a page up and tells which jobs it touched.
    pub(crate) fn take(&mut self, page: &Page) -> Result<BTreeSet<Job>, DecodeError> {
        let touched = self.board.apply(&page.records)?;
        if let Some(last) = page.records.last() {
            self.anchor = Some(Anchor::of(last));
        }
        self.unsaved += page.records.len();
        Ok(touched)
    }

    /// Saves it where there is much to save.
    pub(crate) async fn save_now_and_then(&mut self) {
        if self.unsaved >= SAVE_EVERY {
            self.save().await;
        }
    }

    /// Saves it.
    pub(crate) async fn save(&mut self) {
        let (position, anchor) = (self.position(), self.anchor.clone());
        let saved = SavedWork { position, anchor, work: self.board.work() };
        let path = self.snapshot.clone();
        match tokio::task::spawn_blocking(move || saved.save(&path)).await {
            Ok(Ok(())) => self.unsaved = 0,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the open work was not saved; the next start reads more of the log");
            }
            Err(error) => tracing::error!(%error, "saving the open work broke off"),
        }
    }
}

async fn saved(log: &dyn EventLog, snapshot: &Path) -> SavedWork {
    loop {
        match SavedWork::of(log, snapshot).await {
            Ok(saved) => return saved,
            Err(ReadError::Damaged { .. }) => return SavedWork::nothing(),
            Err(error @ ReadError::Unavailable { .. }) => wait_for_log(&error).await,
        }
    }
}

async fn wait_for_log(error: &ReadError) {
    tracing::warn!(%error, "the open work waits for the log");
    tokio::time::sleep(READ_AGAIN).await;
}
