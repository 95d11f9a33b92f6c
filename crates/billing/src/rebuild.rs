//! The views from nothing but the log.

use std::collections::BTreeSet;
use std::sync::Arc;

use chopmark_domain::ids::SellerId;
use chopmark_log::{EventLog, Page, Position};

use crate::bookkeeper::{BookError, Clerk, PAGE};
use crate::store::BillingStore;

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilding {
    /// Everything up to here is in the views.
    pub position: Position,
    /// Where the log ended when the rebuild began, or where the rebuild is to end.
    pub until: Position,
    /// Events taken up so far, those that say nothing of money included.
    pub events: u64,
}

/// What a rebuild came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Everything up to here is in the views.
    pub position: Position,
    /// Events taken up.
    pub events: u64,
    /// Every seller that the log tells of.
    pub sellers: BTreeSet<SellerId>,
}

/// Takes everything away and folds the log from its start to its head, or to a position. Tells after every page how far
/// it has come. If it is interrupted, the views are whole, but behind; a bookkeeper goes on from there.
///
/// # Errors
/// [`BookError`].
pub async fn rebuild(
    log: Arc<dyn EventLog>,
    store: Arc<dyn BillingStore>,
    until: Option<Position>,
    on_progress: impl FnMut(Rebuilding),
) -> Result<Rebuilt, BookError> {
    store.clear().await?;
    let mut clerk = Clerk::open(store).await?;
    let events = go_on(log.as_ref(), &mut clerk, until, on_progress).await?;
    Ok(Rebuilt { position: clerk.position(), events, sellers: clerk.sellers().clone() })
}

/// Folds the log from where the views are to its head, or to a position, and says how many events that took.
pub(crate) async fn go_on(
    log: &dyn EventLog,
    clerk: &mut Clerk,
    until: Option<Position>,
    mut on_progress: impl FnMut(Rebuilding),
) -> Result<u64, BookError> {
    let end = match until {
        Some(until) => until,
        None => log.head().await?,
    };
    clerk.finish_work().await?;
    let mut events = 0;
    let mut page = log.read_all(clerk.position(), PAGE).await?;
    loop {
        let is_last = ends(&mut page, until);
        events += page.records.len() as u64;
        let reached = page.reached;
        // The next page is read while this one is folded.
        let reading = async { if is_last { Ok(None) } else { log.read_all(reached, PAGE).await.map(Some) } };
        let (next, taken) = tokio::join!(reading, clerk.take_up(&page.records));
        taken?;
        on_progress(Rebuilding { position: reached, until: end, events });
        match next? {
            Some(next) => page = next,
            None => return Ok(events),
        }
    }
}

/// Whether a page is the last one; cuts off what is too much.
fn ends(page: &mut Page, until: Option<Position>) -> bool {
    let Some(until) = until.filter(|until| page.reached >= *until) else { return page.at_head };
    page.records.retain(|record| record.position <= until);
    page.reached = until;
    true
}
