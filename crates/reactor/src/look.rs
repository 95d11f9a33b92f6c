//! What is at risk, without a reactor: for those who look at a log from outside.

use std::path::Path;
use std::sync::Arc;

use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};
use chopmark_log::{EventLog, ReadError};

use crate::board::{Board, OpenErrands, OpenOrders};
use crate::metrics::ReactorMetrics;
use crate::saved::SavedWork;

/// Records read at once.
const PAGE: usize = 2_048;

/// What a customer may have paid for and not got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtRisk {
    /// Orders whose facts are not known.
    pub orders: Vec<OrderAtRisk>,
    /// Codes that are not activated, licenses that are not uploaded.
    pub errands: Vec<ErrandAtRisk>,
}

/// What is at risk as the log has it at its head. What a running reactor keeps in memory is not in it: how often open
/// work was tried, and what went wrong. An event that this version cannot read ends the reading early.
///
/// `snapshot` is the file of a reactor on this log; it saves reading the log from its start, and need not exist.
///
/// # Errors
/// [`ReadError`].
pub async fn at_risk(log: &Arc<dyn EventLog>, snapshot: &Path) -> Result<AtRisk, ReadError> {
    let board = Board::new(ReactorMetrics::unregistered());
    let SavedWork { position: mut reached, work, .. } = SavedWork::of(log.as_ref(), snapshot).await?;
    board.restore(work);
    loop {
        let page = log.read_all(reached, PAGE).await?;
        reached = page.reached;
        if board.apply(&page.records).is_err() || page.at_head {
            let orders = OpenOrders(board.clone()).list();
            return Ok(AtRisk { orders, errands: OpenErrands(board).list() });
        }
    }
}
