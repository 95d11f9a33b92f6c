//! What the marketplace knows of one thing sold, used or given back.

use chrono::{DateTime, Utc};

use crate::message::OrderLine;
use crate::orders::{Cents, Product};

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A purchase for a period.
    New,
    /// A purchase that is paid once.
    OneTime,
    /// A renewal.
    Renew,
    /// An upgrade.
    Change,
    /// A trial that became commercial.
    TrialConvert,
    /// Consumption of a month; it has no order.
    Usage,
    /// An on-demand package.
    Package,
    /// An unsubscription.
    Refund,
}

/// Whether the customer must accept it (服务监管).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is not supervised.
    NotNeeded,
    /// Not yet.
    Open,
    /// At this moment, UTC.
    At(DateTime<Utc>),
}

/// One thing sold, used or given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// Its order line; consumption has none.
    pub line: Option<OrderLine>,
    /// The line that a refund gives back.
    pub original: Option<OrderLine>,
    /// What it is.
    pub kind: Kind,
    /// What is sold.
    pub product: Product,
    /// What the goods cost; negative for refunds.
    pub sales: Cents,
    /// The voucher in it, with the same sign.
    pub voucher: Cents,
    /// When it was ordered or granted, UTC; consumption: when it was booked.
    pub ordered: DateTime<Utc>,
    /// When it takes effect, UTC; `None` where it has not.
    pub effective: Option<DateTime<Utc>>,
    /// When it is paid in full, UTC; `None` where it is not. A refund is paid when it is granted.
    pub paid: Option<DateTime<Utc>>,
    /// Whether it is accepted.
    pub acceptance: Acceptance,
}

impl Sold {
    /// What lines and rows are told apart by: the order line, or the product of a consumption.
    #[must_use]
    pub fn name(&self) -> &str {
        self.line.as_ref().map_or(&self.product.sku, |line| &line.order_line_id)
    }

    /// What the customer really paid.
    #[must_use]
    pub fn paid_amount(&self) -> Cents {
        self.sales - self.voucher
    }

    /// What the console shows of it at a moment; `None` before it was ordered. A renewal's effective time may lie ahead.
    #[must_use]
    pub fn as_of(&self, at: DateTime<Utc>) -> Option<Self> {
        let acceptance = match self.acceptance {
            Acceptance::At(accepted) if accepted >= at => Acceptance::Open,
            acceptance => acceptance,
        };
        let paid = self.paid.filter(|paid| *paid < at);
        (self.ordered < at).then(|| Self { paid, acceptance, ..self.clone() })
    }

    /// When everything has come true that it takes to be settled; `None` while something has not.
    #[must_use]
    pub fn ready(&self) -> Option<DateTime<Utc>> {
        let ready = self.effective?.max(self.paid?);
        match self.acceptance {
            Acceptance::NotNeeded => Some(ready),
            Acceptance::Open => None,
            Acceptance::At(accepted) => Some(ready.max(accepted)),
        }
    }
}
