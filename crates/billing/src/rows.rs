//! What the views hold, row by row.

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::bill::event::{BillImported, BillProgressed};
use chopmark_domain::settlement::bill::{BillIdentity, BillRow};
use chopmark_domain::settlement::books::{Drawn, Source};
use chopmark_domain::settlement::calendar::{Period, beijing};
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::marked::Happening;
use chopmark_domain::settlement::money::{Currency, round_to_cents};
use chopmark_domain::settlement::month::{AdjustmentRecorded, PeriodClosed};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::readiness::{Conditions, Missing, OnBill, Supervision};
use chopmark_domain::settlement::reconciliation::judgement::Judged;
use chrono::{DateTime, NaiveDate, Utc};
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
    /// marketplace says that it is on no bill, or on that of another period. Every other line counts as billed once that
    /// run is over, as long as the seller is certified; before it, nothing stands in its way from the moment on that it is
    /// ready.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        match (self.closed_in, self.drawn.on_bill) {
            (Some(period), _) | (None, OnBill::Billed(period)) => self.line().period != Some(period),
            (None, OnBill::Unbilled) => true,
            (None, OnBill::Unknown) => !self.is_certain(),
        }
    }

    fn is_certain(&self) -> bool {
        let Drawn { line, conditions, missing, .. } = &self.drawn;
        let Conditions { effective, paid_in_full, supervision, seller_certified, .. } = conditions;
        let Some(ready) = line.settle_ready_at else { return false };
        let has_come_by_then = |happening: &Happening| happening.at().is_some_and(|at| at.value <= ready.value);
        let accepted = match supervision {
            Supervision::NotApplicable => true,
            Supervision::Until(done) => has_come_by_then(done),
        };
        has_come_by_then(effective)
            && has_come_by_then(paid_in_full)
            && accepted
            && seller_certified.is_some()
            && line.period.is_some()
            && !missing.contains(&Missing::LineType)
    }

    /// The day in Beijing since which it is open; `None` if it is on a bill, or of a closed month, and waits for nothing.
    #[must_use]
    pub fn open_since(&self) -> Option<NaiveDate> {
        let is_open = self.closed_in.is_none() && !matches!(self.drawn.on_bill, OnBill::Billed(_));
        is_open.then(|| beijing(self.drawn.open_since).date())
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

/// What the lines of a period come to that wait for the run of its bill at most, by the day since which they are open:
/// all but those that [may wait](LineRow::may_wait) for more. Amounts are exact sums of exact lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeRow {
    /// Whose.
    pub seller: SellerId,
    /// The period.
    pub period: Period,
    /// The tab of the bill.
    pub category: Category,
    /// The currency.
    pub currency: Currency,
    /// [Since when](LineRow::open_since) they are open; `None` for those that wait for nothing.
    pub open_since: Option<NaiveDate>,
    /// How many lines.
    pub lines: u64,
    /// How many of them say no amount.
    pub not_computed: u64,
    /// How many of the others rest on an estimate.
    pub estimated: u64,
    /// The sum of what rests on facts that the marketplace stated.
    pub stated_sum: Decimal,
    /// The sum of what rests on an estimate.
    pub estimated_sum: Decimal,
    /// The sum of both, each line rounded to cents before.
    pub rounded_sum: Decimal,
}

impl AgeRow {
    /// What one line comes to; `None` if it may wait for more than the run of its bill.
    #[must_use]
    pub fn of(row: &LineRow) -> Option<Self> {
        let line = row.line();
        let period = line.period.filter(|_| !row.may_wait())?;
        let (amount, is_estimate) = (line.settle_amount.map(|amount| amount.value), line.is_estimate());
        let sum = |counts: bool| amount.filter(|_| counts).unwrap_or_default();
        Some(Self {
            seller: row.seller.clone(),
            period,
            category: tab_of(line),
            currency: line.currency,
            open_since: row.open_since(),
            lines: 1,
            not_computed: u64::from(amount.is_none()),
            estimated: u64::from(amount.is_some() && is_estimate),
            stated_sum: sum(!is_estimate),
            estimated_sum: sum(is_estimate),
            rounded_sum: round_to_cents(sum(true)),
        })
    }

    /// Adds what other lines of the same age come to.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.not_computed += other.not_computed;
        self.estimated += other.estimated;
        self.stated_sum = self.stated_sum.saturating_add(other.stated_sum);
        self.estimated_sum = self.estimated_sum.saturating_add(other.estimated_sum);
        self.rounded_sum = self.rounded_sum.saturating_add(other.rounded_sum);
    }
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
