//! What a customer may have paid for and not got: work that events call for outside, and that is not done.

use chrono::{DateTime, Utc};

use crate::ids::{OrderId, SellerId};
use crate::license::Errand;
use crate::stream::LicenseId;

/// An order whose facts are not known although an event named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAtRisk {
    /// Whose order.
    pub seller: SellerId,
    /// Which.
    pub order_id: OrderId,
    /// Since when its facts are wanted, UTC.
    pub since: DateTime<Utc>,
    /// How often the marketplace was asked: since the start of this process, or in all where it was given up.
    pub attempts: u32,
    /// What went wrong the last time.
    pub reason: Option<String>,
    /// Asking was given up.
    pub abandoned: bool,
}

/// An errand that is not done: a code that is not activated, a license that is not uploaded.
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
    /// How often it was tried: since the start of this process, or in all where it was given up.
    pub attempts: u32,
    /// What went wrong the last time, or what it waits for.
    pub reason: Option<String>,
    /// It was given up.
    pub abandoned: bool,
}
