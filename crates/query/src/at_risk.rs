//! What the reactor has not done yet. It knows; who wires the two together tells it here, since neither crate knows the
//! other. A process without a reactor tells of none.

use std::sync::Arc;

use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_domain::license::Errand;
use chopmark_domain::stream::LicenseId;
use chrono::{DateTime, Utc};

/// Tells which orders' facts are still asked for, or were given up.
pub type OrdersAtRisk = Arc<dyn Fn() -> Vec<OrderAtRisk> + Send + Sync>;

/// Tells which errands for licenses are not done, or were given up.
pub type ErrandsAtRisk = Arc<dyn Fn() -> Vec<ErrandAtRisk> + Send + Sync>;

/// An order whose facts are not known although a callback named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAtRisk {
    /// Whose order.
    pub seller: SellerId,
    /// Which.
    pub order_id: OrderId,
    /// Since when its facts are wanted, UTC.
    pub since: DateTime<Utc>,
    /// How often was asked.
    pub attempts: u32,
    /// What went wrong the last time.
    pub reason: Option<String>,
    /// Asking was given up.
    pub abandoned: bool,
}

/// A code that is not activated, or a license that was applied for and is not uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrandAtRisk {
    /// Whose license.
    pub seller: SellerId,
    /// Which.
    pub license: LicenseId,
    /// What is to be done for it.
    pub errand: Errand,
    /// Since when, UTC.
    pub since: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time, or what it waits for.
    pub reason: Option<String>,
    /// It was given up.
    pub abandoned: bool,
}
