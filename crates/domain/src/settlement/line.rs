//! The settlement line: one thing sold, used, given back or corrected, as finance sees it.

pub mod bill_state;
pub mod columns;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use self::bill_state::BillState;
use super::calendar::Period;
use super::marked::{Mark, Marked};
use super::money::{Currency, Money, MoneyError, Ratio, written};
use super::product::{Category, LineType};
use super::readiness::Blocked;
use crate::ids::{OrderId, OrderLineId, ProductId, Sku};
use crate::order::ChargingMode;

/// A settlement line (CONSTRUCTED). What nobody said is absent and never guessed; what we estimated is marked.
/// Moments are UTC, amounts are exact and in [`currency`](Self::currency).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementLine {
    /// Names the line for ever.
    pub line_id: String,
    /// The period it is settled in, or expected to be.
    pub period: Option<Period>,
    /// The bill it is on.
    pub bill_id: Option<String>,
    /// The tab of the bill.
    pub product_category: Option<Category>,
    /// The order; consumption has none.
    pub order_id: Option<OrderId>,
    /// Its line.
    pub order_line_id: Option<OrderLineId>,
    /// For a refund: the line that is given back.
    pub original_order_line_id: Option<OrderLineId>,
    /// What it is.
    pub line_type: LineType,
    /// The specification; reports group by it, since it survives a change of the period type (S29).
    pub sku_code: Option<Sku>,
    /// The marketplace's product id.
    pub product_id: Option<ProductId>,
    /// How it is charged.
    pub charging_mode: Option<ChargingMode>,
    /// The customer, by the marketplace's id.
    pub customer_id: Option<String>,
    /// When it takes effect.
    pub effective_at: Option<Marked<DateTime<Utc>>>,
    /// When it is paid in full.
    pub paid_at: Option<Marked<DateTime<Utc>>>,
    /// When it was accepted, if it is supervised.
    pub supervision_done_at: Option<Marked<DateTime<Utc>>>,
    /// When the last condition comes true.
    pub settle_ready_at: Option<Marked<DateTime<Utc>>>,
    /// The currency of every amount.
    pub currency: Currency,
    /// What the goods cost; of a refund what is given back of it, negative.
    pub sales_amount: Option<Marked<Decimal>>,
    /// The voucher in it, with the same sign.
    pub voucher_amount: Option<Marked<Decimal>>,
    /// The platform fee, frozen when the line is made.
    pub fee_ratio: Option<Ratio>,
    /// The tier's share; an estimate until the month is closed.
    pub tier_ratio: Option<Marked<Ratio>>,
    /// Withholding tax that the customer keeps back.
    pub customer_wht: Option<Marked<Decimal>>,
    /// The seller's own taxes.
    pub seller_tax: Option<Marked<Decimal>>,
    /// What the seller gets; negative if it is taken back.
    pub settle_amount: Option<Marked<Decimal>>,
    /// Why it is on no bill yet.
    pub blocked_reason: Option<Blocked>,
    /// How far its bill is.
    pub bill_state: Option<BillState>,
    /// The payment request, which also stands on the bank's statement.
    pub payment_request_no: Option<String>,
    /// The invoice.
    pub invoice_no: Option<String>,
}

impl SettlementLine {
    /// What the seller gets, exactly, as money; `None` while it cannot be said.
    ///
    /// # Errors
    /// Out of range.
    pub fn settled(&self) -> Result<Option<Money>, MoneyError> {
        self.settle_amount.map(|amount| Money::new(amount.value, self.currency)).transpose()
    }

    /// The line with its amounts as they are [`written`].
    #[must_use]
    pub fn written(self) -> Self {
        let written = |amount: Option<Marked<Decimal>>| {
            amount.map(|Marked { value, mark }| Marked { value: written(value), mark })
        };
        Self {
            sales_amount: written(self.sales_amount),
            voucher_amount: written(self.voucher_amount),
            customer_wht: written(self.customer_wht),
            seller_tax: written(self.seller_tax),
            settle_amount: written(self.settle_amount),
            ..self
        }
    }

    /// Whether anything in it is an estimate of ours.
    #[must_use]
    pub fn is_estimate(&self) -> bool {
        let moments = [self.effective_at, self.paid_at, self.supervision_done_at, self.settle_ready_at];
        let amounts = [self.sales_amount, self.voucher_amount, self.customer_wht, self.seller_tax, self.settle_amount];
        let moments = moments.into_iter().flatten().map(|moment| moment.mark);
        let amounts = amounts.into_iter().flatten().map(|amount| amount.mark);
        moments.chain(amounts).chain(self.tier_ratio.map(|tier| tier.mark)).any(|mark| mark == Mark::Estimate)
    }
}
