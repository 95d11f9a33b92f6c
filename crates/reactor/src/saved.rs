//! The open work as a file, so that a restart need not read the whole log.

use std::path::Path;

use chopmark_log::snapshot::{self, SnapshotError};
use chopmark_log::{Anchor, EventLog, Position, ReadError};
use serde::{Deserialize, Serialize};

use crate::open_work::OpenWork;

/// The fold's name in its snapshot.
const FOLD: &str = "open-work";
/// The fold's version: raised when the same log would give another state, or the state is stored differently.
const FOLD_VERSION: u32 = 4;

/// Open work as it stood after a position of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedWork {
    /// Everything up to here is folded.
    #[serde(skip, default = "start")]
    pub position: Position,
    /// The record folded last; none before the first.
    pub anchor: Option<Anchor>,
    /// What was open.
    pub work: OpenWork,
}

fn start() -> Position {
    Position::START
}

impl SavedWork {
    /// Reads it; `None` if there is none, or none that this version can use.
    ///
    /// # Errors
    /// [`SnapshotError`]: the file is there and cannot be read.
    pub fn load(path: &Path) -> Result<Option<Self>, SnapshotError> {
        let loaded = snapshot::load::<Self>(path, FOLD, FOLD_VERSION)?;
        Ok(loaded.map(|(position, saved)| Self { position, ..saved }))
    }

    /// Writes it in place of the one before.
    ///
    /// # Errors
    /// [`SnapshotError`]; the one before is still there.
    pub fn save(&self, path: &Path) -> Result<(), SnapshotError> {
        snapshot::save(path, FOLD, FOLD_VERSION, self.position, self)
    }

    /// What was saved of this very log; nothing, at the log's start, where there is nothing, or something of another log.
    ///
    /// # Errors
    /// [`ReadError`]: the log does not tell whether it is the one.
    pub(crate) async fn of(log: &dyn EventLog, path: &Path) -> Result<Self, ReadError> {
        let file = path.to_owned();
        let saved = match tokio::task::spawn_blocking(move || Self::load(&file)).await {
            Ok(Ok(saved)) => saved,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the saved open work cannot be read; the log is read from its start");
                None
            }
            Err(error) => {
                tracing::error!(%error, "reading the saved open work broke off");
                None
            }
        };
        let Some(saved) = saved else { return Ok(Self::nothing()) };
        let is_of_this_log = match &saved.anchor {
            Some(anchor) => anchor.is_in(log).await?,
            None => saved.position == Position::START,
        };
        if is_of_this_log {
            return Ok(saved);
        }
        tracing::warn!("the saved open work was made from another log; this one is read from its start");
        Ok(Self::nothing())
    }

    /// Nothing is open at a log's start.
    pub(crate) fn nothing() -> Self {
        Self { position: Position::START, anchor: None, work: OpenWork::default() }
    }
}
