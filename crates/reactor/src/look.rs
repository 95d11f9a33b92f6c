//! Orders at risk without a reactor: for those who look at a log from outside.

use std::path::Path;
use std::sync::Arc;

use chopmark_log::{EventLog, ReadError};

use crate::metrics::ReactorMetrics;
use crate::open_orders::{OpenOrders, OrderAtRisk};
use crate::saved::SavedWork;

/// Records read at once.
const PAGE: usize = 2_048;

/// The orders at risk as the log has them at its head. What a running reactor keeps in memory is not in it: how often
/// open orders were asked for, and what went wrong. An event that this version cannot read ends the reading early.
///
/// `snapshot` is the file of a reactor on this log; it saves reading the log from its start, and need not exist.
///
/// # Errors
/// [`ReadError`].
pub async fn orders_at_risk(log: &Arc<dyn EventLog>, snapshot: &Path) -> Result<Vec<OrderAtRisk>, ReadError> {
    let orders = OpenOrders::new(ReactorMetrics::unregistered());
    let SavedWork { position: mut reached, work, .. } = SavedWork::of(log.as_ref(), snapshot).await?;
    orders.restore(work);
    loop {
        let page = log.read_all(reached, PAGE).await?;
        reached = page.reached;
        if orders.apply(&page.records).is_err() || page.at_head {
            return Ok(orders.list());
        }
    }
}
