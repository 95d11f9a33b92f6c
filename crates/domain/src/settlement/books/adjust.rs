//! Corrections as lines: an operator's record of what the marketplace adjusts on a month's bill.

use chrono::{DateTime, Utc};

use super::{Drawn, Source};
use crate::settlement::calendar::Period;
use crate::settlement::explanation::Explanation;
use crate::settlement::line::SettlementLine;
use crate::settlement::marked::{Happening, Marked};
use crate::settlement::month::AdjustmentRecorded;
use crate::settlement::product::LineType;
use crate::settlement::readiness::{Conditions, OnBill, Supervision};

/// The line of a correction on a month's bill (S2, S4). It waits for the run of that bill and nothing else.
#[must_use]
pub fn draw_adjustment(
    period: Period,
    adjustment: &AdjustmentRecorded,
    recorded_at: DateTime<Utc>,
    source: Source,
) -> Drawn {
    let within = super::known::last_second(period);
    let moment = Marked::stated(within.min(recorded_at.max(period.bounds().start)));
    let amount = Marked::stated(adjustment.amount);
    let line = SettlementLine {
        line_id: format!("adjustment/{period}/{}", adjustment.id),
        period: Some(period),
        bill_id: None,
        product_category: Some(adjustment.category),
        order_id: None,
        order_line_id: None,
        original_order_line_id: None,
        line_type: LineType::Adjustment,
        sku_code: None,
        product_id: None,
        charging_mode: None,
        customer_id: None,
        effective_at: Some(moment),
        paid_at: Some(moment),
        supervision_done_at: None,
        settle_ready_at: Some(moment),
        currency: adjustment.currency,
        sales_amount: None,
        voucher_amount: None,
        fee_ratio: None,
        tier_ratio: None,
        customer_wht: None,
        seller_tax: None,
        settle_amount: Some(amount),
        blocked_reason: None,
        bill_state: None,
        payment_request_no: None,
        invoice_no: None,
    }
    .written();
    Drawn {
        columns: line.columns(),
        line,
        conditions: Conditions {
            effective: Happening::At(moment),
            paid_in_full: Happening::At(moment),
            supervision: Supervision::NotApplicable,
            seller_certified: Some(true),
            five_day_refund: false,
        },
        on_bill: OnBill::Unknown,
        explanation: Some(Explanation::default()),
        missing: vec![],
        counted: None,
        tier_of: None,
        open_since: recorded_at,
        sources: vec![source],
        with_refund: false,
        refund_rule: None,
    }
}
