//! Whether a snapshot is what the log says.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use chopmark_log::snapshot::SnapshotError;
use chopmark_log::{EventLog, Position};

use crate::dump::{self, Line};
use crate::index::LicenseIndex;
use crate::rebuild::{RebuildError, rebuild};

/// Differences that a report shows.
const SHOWN: usize = 10;

/// Why a snapshot could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no snapshot, it is damaged or of another version, or it cannot be read: its error says which.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The log cannot be folded.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
}

/// What comparing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The position of the snapshot, up to which the log was folded.
    pub position: Position,
    /// Licenses in the log up to there.
    pub licenses: usize,
    /// How many lines of the dumps differ.
    pub differing: usize,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl VerifyReport {
    /// Whether the snapshot is exactly what the log says.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differing == 0
    }
}

/// A line of a dump that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As the snapshot has it.
    pub snapshot: Option<String>,
    /// As the log has it.
    pub log: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_nothing = |line: &Option<String>| line.as_deref().unwrap_or("nothing").to_owned();
        write!(f, "snapshot: {}\n     log: {}", or_nothing(&self.snapshot), or_nothing(&self.log))
    }
}

/// Folds the log up to the snapshot's position and compares both, line by line of their [`dump`](crate::dump())s.
///
/// # Errors
/// [`VerifyError`]: there was nothing to compare. A difference is no error but in the report.
pub async fn verify(path: &Path, log: Arc<dyn EventLog>) -> Result<VerifyReport, VerifyError> {
    let snapshot = LicenseIndex::open(path)?;
    let position = snapshot.position();
    let rebuilt = rebuild(log, Some(position), |_| ()).await?;
    let mut report = VerifyReport { position, licenses: rebuilt.len(), differing: 0, differences: vec![] };
    let last = |index: &LicenseIndex| format!("last event: {:?}", index.anchor());
    if snapshot.anchor() != rebuilt.anchor() {
        report.add(Some(last(&snapshot)), Some(last(&rebuilt)));
    }
    snapshot.read_long(|ours| rebuilt.read_long(|theirs| report.compare(dump::lines(ours), dump::lines(theirs))));
    Ok(report)
}

impl VerifyReport {
    fn compare(&mut self, snapshot: impl Iterator<Item = Line>, log: impl Iterator<Item = Line>) {
        let (mut snapshot, mut log) = (snapshot.peekable(), log.peekable());
        loop {
            // The lesser subject is missing on the other side.
            let (ours, theirs) = match (snapshot.peek(), log.peek()) {
                (None, None) => return,
                (Some(ours), Some(theirs)) if ours.subject == theirs.subject => (snapshot.next(), log.next()),
                (Some(ours), Some(theirs)) if ours.subject < theirs.subject => (snapshot.next(), None),
                (Some(_), None) => (snapshot.next(), None),
                (_, Some(_)) => (None, log.next()),
            };
            if ours != theirs {
                self.add(ours.map(|line| line.json), theirs.map(|line| line.json));
            }
        }
    }

    fn add(&mut self, snapshot: Option<String>, log: Option<String>) {
        self.differing += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(Difference { snapshot, log });
        }
    }
}
