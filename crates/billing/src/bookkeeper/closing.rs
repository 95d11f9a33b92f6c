//! Months that are closed: their lines stand as they were closed, whatever becomes known later.

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::books::{Drawn, Source};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::marked::{Happening, Marked};
use chopmark_domain::settlement::month;
use chopmark_domain::settlement::readiness::{Conditions, OnBill, Supervision};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::ledger::Ledger;
use super::papers::{Key, Scope, Work};
use super::sheet::Sheet;
use crate::rows::{ClosedRow, LineRow};
use crate::store::{BillingStore, StoreError};

/// An event of closing a month.
pub(crate) struct Closing {
    pub(crate) seller: SellerId,
    pub(crate) period: Period,
    pub(crate) event: month::Event,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) source: Source,
}

impl Sheet {
    /// Freezes lines. Once the last one is, what else stands in the month moves on.
    pub(crate) async fn close(
        &mut self,
        store: &dyn BillingStore,
        ledger: &mut Ledger,
        work: &mut Work,
        closing: Closing,
    ) -> Result<(), StoreError> {
        let Closing { seller, period, event, recorded_at, source } = closing;
        let is_closed = match event {
            month::Event::AdjustmentRecorded(_) => false,
            month::Event::PeriodClosed(closed) => {
                let lines = closed.lines;
                self.changes.closed.push(ClosedRow { seller: seller.clone(), period, closed, source });
                ledger.begin_closing(period, lines)
            }
            month::Event::LinesClosed(listed) => {
                let count = listed.lines.len();
                for line in listed.lines {
                    let row = store.line(&seller, &line.line_id).await?.value;
                    let file = self.case(&seller, &[], &[Key::of_closed(&line)]);
                    file.closing.insert(line.line_id.clone());
                    let drawn = match row {
                        Some(row) => Drawn { columns: line.columns(), line, ..row.drawn },
                        None => unheard(line, period, recorded_at, &source),
                    };
                    let of = (seller.clone(), drawn.line.line_id.clone());
                    // The case is named when it is entered.
                    let case = String::new();
                    let closed_in = Some(period);
                    let row = LineRow { seller: seller.clone(), case, drawn, closed_in, recomputed: None };
                    self.frozen.insert(of, row);
                }
                ledger.go_on_closing(period, count)
            }
        };
        if is_closed {
            work.add(&seller, Scope::Closed(period));
            for sku in ledger.tiers_settled_by(period) {
                work.add(&seller, Scope::Tier { sku, period });
            }
        }
        Ok(())
    }
}

/// A line that was closed and that nothing else tells of.
fn unheard(line: SettlementLine, period: Period, recorded_at: DateTime<Utc>, source: &Source) -> Drawn {
    let happens = |at: Option<Marked<DateTime<Utc>>>| at.map_or(Happening::Unknown, Happening::At);
    Drawn {
        conditions: Conditions {
            effective: happens(line.effective_at),
            paid_in_full: happens(line.paid_at),
            supervision: line
                .supervision_done_at
                .map_or(Supervision::NotApplicable, |at| Supervision::Until(Happening::At(at))),
            seller_certified: None,
            five_day_refund: false,
        },
        on_bill: OnBill::Billed(period),
        columns: line.columns(),
        explanation: None,
        missing: vec![],
        counted: None,
        tier_of: None,
        open_since: recorded_at,
        sources: vec![source.clone()],
        with_refund: false,
        refund_rule: None,
        line,
    }
}

/// A closed line as it would be now, where what is paid, or on which bill, would be another. A line that would not be
/// there any more comes to nothing.
pub(crate) fn recomputed(closed: &SettlementLine, now: Option<&SettlementLine>) -> Option<Box<SettlementLine>> {
    let nothing = || SettlementLine {
        sales_amount: Some(Marked::estimate(Decimal::ZERO)),
        voucher_amount: None,
        tier_ratio: None,
        customer_wht: None,
        seller_tax: None,
        settle_amount: Some(Marked::estimate(Decimal::ZERO)),
        ..closed.clone()
    };
    let now = now.cloned().unwrap_or_else(nothing);
    let decisive = |line: &SettlementLine| {
        let amount = line.settle_amount.map(|amount| amount.value);
        (line.period, line.product_category, line.currency, amount)
    };
    (decisive(closed) != decisive(&now)).then(|| Box::new(now))
}
