//! The index as the log has it now, for those who look once.

use std::path::Path;

use chopmark_log::snapshot::SnapshotError;
use chopmark_log::{EventLog, ReadError};

use crate::change::FoldError;
use crate::index::LicenseIndex;

/// Records read at a time.
const PAGE: usize = 2048;

/// The index as far as this version can make it.
#[derive(Debug)]
pub struct Latest {
    /// The index.
    pub index: LicenseIndex,
    /// What stands in the way of the rest.
    pub stopped: Option<FoldError>,
}

/// Why there is no index.
#[derive(Debug, thiserror::Error)]
pub enum LatestError {
    /// The snapshot is there and cannot be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Brings the index of a snapshot up to the head of the log, or makes one where no snapshot of this log can be used.
/// Writes nothing.
///
/// # Errors
/// [`LatestError`].
pub async fn latest(log: &dyn EventLog, snapshot: &Path) -> Result<Latest, LatestError> {
    let index = match LicenseIndex::load(snapshot)? {
        Some(kept) if kept.is_of(log).await? => kept,
        _ => LicenseIndex::new(),
    };
    loop {
        let page = log.read_all(index.position(), PAGE).await?;
        let stopped = index.apply(&page).err();
        if stopped.is_some() || page.at_head {
            return Ok(Latest { index, stopped });
        }
    }
}
