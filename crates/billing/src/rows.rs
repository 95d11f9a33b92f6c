//! What the views hold, row by row.

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::bill::event::{BillImported, BillProgressed};
use chopmark_domain::settlement::bill::{BillIdentity, BillRow};
use chopmark_domain::settlement::books::{Drawn, Source};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::month::{AdjustmentRecorded, PeriodClosed};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::readiness::{Conditions, Missing, OnBill, Supervision};
use chopmark_domain::settlement::reconciliation::judgement::Judged;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A settlement line as the views show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// Whose.
    pub seller: SellerId,
    /// The case that it was drawn up from.
    pub case: String,
    /// The line, with what explains it. Of a closed month: as it stood then.
    pub drawn: Drawn,
    /// The closed month that it belongs to.
    pub closed_in: Option<Period>,
    /// Of a closed month: the line as it would be now, where that differs.
    pub recomputed: Option<Box<SettlementLine>>,
}

impl LineRow {
    /// The line that is shown.
    #[must_use]
    pub fn line(&self) -> &SettlementLine {
        &self.drawn.line
    }

    /// Whether it may wait for more than the run of its period's bill: a moment or its kind is not known, or the
    /// marketplace says that it is on no bill. Every other line counts as billed once that run is over, as long as the
    /// seller is certified.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        let Drawn { line, conditions, on_bill, missing, .. } = &self.drawn;
        let Conditions { effective, paid_in_full, supervision, seller_certified, .. } = conditions;
        let accepted = match supervision {
            Supervision::NotApplicable => true,
            Supervision::Until(done) => done.at().is_some(),
        };
        let is_certain = effective.at().is_some()
            && paid_in_full.at().is_some()
            && accepted
            && seller_certified.is_some()
            && line.period.is_some()
            && !missing.contains(&Missing::LineType);
        match on_bill {
            _ if self.closed_in.is_some() => false,
            OnBill::Billed(_) => false,
            OnBill::Unbilled => true,
            OnBill::Unknown => !is_certain,
        }
    }
}

/// The tab of a line's bill. One of which it is not known is under the first.
#[must_use]
pub fn tab_of(line: &SettlementLine) -> Category {
    line.product_category.unwrap_or(Category::Generic)
}

/// What the lines of a period come to, by tab and currency. Amounts are exact sums of exact lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodRow {
    /// Whose.
    pub seller: SellerId,
    /// The period; `None` for lines of which it cannot be said.
    pub period: Option<Period>,
    /// The tab of the bill.
    pub category: Category,
    /// The currency.
    pub currency: Currency,
    /// How many lines.
    pub lines: u64,
    /// How many of them say no amount.
    pub not_computed: u64,
    /// How many of them rest on an estimate.
    pub estimated: u64,
    /// The sums of the columns.
    pub sums: Columns,
}

/// A month that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedRow {
    /// Whose.
    pub seller: SellerId,
    /// Which.
    pub period: Period,
    /// What was closed.
    pub closed: PeriodClosed,
    /// The event.
    pub source: Source,
}

/// An adjustment that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentRow {
    /// Whose.
    pub seller: SellerId,
    /// On which month's bill.
    pub period: Period,
    /// What was recorded.
    pub adjustment: AdjustmentRecorded,
    /// The event.
    pub source: Source,
}

/// A bill that was imported, without its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillHead {
    /// Which.
    pub identity: BillIdentity,
    /// The last import.
    pub imported: BillImported,
    /// When it was imported, UTC.
    pub imported_at: DateTime<Utc>,
    /// How far it is.
    pub progress: BillProgressed,
    /// The last judgement on each pair that was judged.
    pub judgements: Vec<Judged>,
    /// The sum of the rows' settlement amounts, by currency; each currency once, in order.
    #[serde(default)]
    pub totals: Vec<(Currency, Decimal)>,
    /// The event of the last import.
    pub source: Source,
}

/// A row of an imported bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BilledRow {
    /// Which bill.
    pub identity: BillIdentity,
    /// The row.
    pub row: BillRow,
    /// The event that it stands in.
    pub source: Source,
}
