//! The index from nothing but the log.

use std::sync::Arc;

use chopmark_log::{EventLog, Page, Position, ReadError};

use crate::change::FoldError;
use crate::index::LicenseIndex;

/// Records read at a time.
const PAGE: usize = 2048;

/// Why the index could not be made from the log.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event cannot be taken up.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

/// Folds the log from its start to its head, or to a position. Tells now and then how far it has come.
///
/// # Errors
/// [`RebuildError`].
pub async fn rebuild(
    log: Arc<dyn EventLog>,
    until: Option<Position>,
    mut on_progress: impl FnMut(Position),
) -> Result<LicenseIndex, RebuildError> {
    let index = LicenseIndex::new();
    let mut page = log.read_all(Position::START, PAGE).await?;
    while !ends(&mut page, until) {
        // The next page is read while this one is folded.
        let folding = async { index.apply(&page) };
        let (next, folded) = tokio::join!(log.read_all(page.reached, PAGE), folding);
        folded?;
        on_progress(page.reached);
        page = next?;
    }
    index.apply(&page)?;
    on_progress(page.reached);
    Ok(index)
}

/// Whether a page is the last one; cuts off what is too much.
fn ends(page: &mut Page, until: Option<Position>) -> bool {
    if let Some(until) = until.filter(|until| page.reached >= *until) {
        page.records.retain(|record| record.position <= until);
        page.reached = until;
        page.at_head = true;
    }
    page.at_head
}
