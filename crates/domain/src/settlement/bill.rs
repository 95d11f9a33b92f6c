//! The marketplace's bill of a period, as its console exports it.
//!
//! The literal headers of the exported files are on no page (UNCONFIRMED), so a [`mapping`] says which column is which
//! field; the fields are those that the console, the bill and the transaction details are known to show (S1, S3, S5,
//! S14, S15, S17, S18, S20). A bill is named by seller, category and period: importing it again is a [`revision`].
//!
//! ```text
//! text cells ─▶ mapping (which column is which field?) ─▶ import (typed, all or nothing) ─▶ revision (what changed?)
//! ```

pub mod cells;
pub mod event;
pub mod import;
pub mod mapping;
pub mod revision;
pub(in crate::settlement) mod sheet;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use self::mapping::Field;
use super::calendar::Period;
use super::line::bill_state::BillState;
use super::money::{Currency, Money, MoneyError, Ratio};
use super::product::{Category, LineType};
use crate::ids::{OrderId, OrderLineId, ProductId, SellerId, Sku};
use crate::order::ChargingMode;

/// Names a bill for ever: an import with the same identity is a new revision of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BillIdentity {
    /// Whose bill.
    pub seller: SellerId,
    /// Which tab of the console (S17).
    pub category: Category,
    /// The period, which is also the bill's id on the console (S1, S3).
    pub period: Period,
}

/// Whether the customer has paid (付费状态, S14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// All of it.
    Completed,
    /// Not yet, or not all.
    Open,
}

/// How far acceptance is (服务监管状态, S14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SupervisionStatus {
    /// There is none.
    NotApplicable,
    /// Accepted.
    Completed,
    /// Not accepted yet.
    Open,
}

/// A row of a bill. What its file does not say is absent. Moments are UTC, amounts are in
/// [`currency`](Self::currency) and as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillRow {
    /// Its row in the file, as a spreadsheet counts: the header is in row 1.
    pub row: u32,
    /// The currency of every amount.
    pub currency: Currency,
    /// The settlement amount; negative if it is taken back.
    pub settle_amount: Decimal,
    /// The order.
    pub order_id: Option<OrderId>,
    /// Its line.
    pub order_line_id: Option<OrderLineId>,
    /// For a refund: the line that is given back (S15).
    pub original_order_line_id: Option<OrderLineId>,
    /// What it is.
    pub line_type: Option<LineType>,
    /// The specification.
    pub sku_code: Option<Sku>,
    /// The marketplace's product id.
    pub product_id: Option<ProductId>,
    /// The product's name, for people.
    pub product_name: Option<String>,
    /// How it is charged.
    pub charging_mode: Option<ChargingMode>,
    /// The customer's account.
    pub customer: Option<String>,
    /// When it took effect.
    pub effective_at: Option<DateTime<Utc>>,
    /// When it was paid in full.
    pub paid_at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub supervision_done_at: Option<DateTime<Utc>>,
    /// Whether it is paid.
    pub payment_status: Option<PaymentStatus>,
    /// Whether it is accepted.
    pub supervision_status: Option<SupervisionStatus>,
    /// What the list asks.
    pub list_price: Option<Decimal>,
    /// What was agreed on (list price with its discount).
    pub deal_price: Option<Decimal>,
    /// What is shared in joint operation, without tax (S5).
    pub sharing_base: Option<Decimal>,
    /// What the goods cost (商品销售金额).
    pub sales_amount: Option<Decimal>,
    /// The voucher in it.
    pub voucher_amount: Option<Decimal>,
    /// What the customer really paid (交易金额).
    pub transaction_amount: Option<Decimal>,
    /// The platform fee (运营管理费比例).
    pub fee_ratio: Option<Ratio>,
    /// The tier's share.
    pub tier_ratio: Option<Ratio>,
    /// Withholding tax that the customer kept back.
    pub customer_wht: Option<Decimal>,
    /// The seller's own taxes.
    pub seller_tax: Option<Decimal>,
    /// How far the bill is.
    pub bill_state: Option<BillState>,
    /// The payment request, which also stands on the bank's statement.
    pub payment_request_no: Option<String>,
    /// The invoice.
    pub invoice_no: Option<String>,
}

impl BillRow {
    /// A row that says what is settled, and nothing else yet.
    #[must_use]
    pub fn new(row: u32, settled: Money) -> Self {
        Self {
            row,
            currency: settled.currency(),
            settle_amount: settled.amount(),
            order_id: None,
            order_line_id: None,
            original_order_line_id: None,
            line_type: None,
            sku_code: None,
            product_id: None,
            product_name: None,
            charging_mode: None,
            customer: None,
            effective_at: None,
            paid_at: None,
            supervision_done_at: None,
            payment_status: None,
            supervision_status: None,
            list_price: None,
            deal_price: None,
            sharing_base: None,
            sales_amount: None,
            voucher_amount: None,
            transaction_amount: None,
            fee_ratio: None,
            tier_ratio: None,
            customer_wht: None,
            seller_tax: None,
            bill_state: None,
            payment_request_no: None,
            invoice_no: None,
        }
    }

    /// What the seller gets, as money.
    ///
    /// # Errors
    /// Out of range.
    pub fn settled(&self) -> Result<Money, MoneyError> {
        Money::new(self.settle_amount, self.currency)
    }

    /// Whether it names anything that it could be matched by.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.has_order() || self.sku_code.is_some() || self.product_id.is_some()
    }

    fn has_order(&self) -> bool {
        self.order_line_id.is_some() || self.original_order_line_id.is_some() || self.order_id.is_some()
    }

    /// Whether it is consumption: it says so, or belongs to no order.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self.line_type {
            Some(line_type) => line_type == LineType::Usage,
            None => self.charging_mode == Some(ChargingMode::OnDemand) || !self.has_order(),
        }
    }

    /// Everything it says, as text, by field: what a person compares. Moments are UTC (RFC 3339); trailing zeros do
    /// not count.
    #[must_use]
    pub fn values(&self) -> Vec<(Field, String)> {
        let text = |field, value: Option<&str>| value.map(|value| (field, value.to_owned()));
        let amount = |field, value: Option<Decimal>| value.map(|value| (field, value.normalize().to_string()));
        let moment = |field, value: Option<DateTime<Utc>>| value.map(|value| (field, value.to_rfc3339()));
        [
            Some((Field::Currency, self.currency.to_string())),
            text(Field::OrderId, self.order_id.as_ref().map(OrderId::as_str)),
            text(Field::OrderLineId, self.order_line_id.as_ref().map(OrderLineId::as_str)),
            text(Field::OriginalOrderLineId, self.original_order_line_id.as_ref().map(OrderLineId::as_str)),
            code(Field::LineType, self.line_type),
            text(Field::SkuCode, self.sku_code.as_ref().map(Sku::as_str)),
            text(Field::ProductId, self.product_id.as_ref().map(ProductId::as_str)),
            text(Field::ProductName, self.product_name.as_deref()),
            code(Field::ChargingMode, self.charging_mode),
            text(Field::Customer, self.customer.as_deref()),
            moment(Field::EffectiveAt, self.effective_at),
            moment(Field::PaidAt, self.paid_at),
            moment(Field::SupervisionDoneAt, self.supervision_done_at),
            code(Field::PaymentStatus, self.payment_status),
            code(Field::SupervisionStatus, self.supervision_status),
            amount(Field::ListPrice, self.list_price),
            amount(Field::DealPrice, self.deal_price),
            amount(Field::SharingBase, self.sharing_base),
            amount(Field::SalesAmount, self.sales_amount),
            amount(Field::VoucherAmount, self.voucher_amount),
            amount(Field::TransactionAmount, self.transaction_amount),
            amount(Field::FeeRatio, self.fee_ratio.map(Ratio::value)),
            amount(Field::TierRatio, self.tier_ratio.map(Ratio::value)),
            amount(Field::CustomerWht, self.customer_wht),
            amount(Field::SellerTax, self.seller_tax),
            amount(Field::SettleAmount, Some(self.settle_amount)),
            code(Field::BillState, self.bill_state),
            text(Field::PaymentRequestNo, self.payment_request_no.as_deref()),
            text(Field::InvoiceNo, self.invoice_no.as_deref()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A value by its stable code, which is what serde writes.
fn code(field: Field, value: Option<impl Serialize>) -> Option<(Field, String)> {
    let value = serde_json::to_value(value?).ok()?;
    value.as_str().map(|code| (field, code.to_owned()))
}

/// Two rows of one file that name the same thing. Both are kept: a marketplace may bill twice by mistake, and then
/// the reconciliation must show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The row that names it first.
    pub first: u32,
    /// The row that names it again.
    pub again: u32,
}

/// A bill as it was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Which one.
    pub identity: BillIdentity,
    /// Its rows, in the order of the file.
    pub rows: Vec<BillRow>,
}

impl Bill {
    /// Rows that name what an earlier one named. Consumption is named by its product, of which there may be many
    /// charges, so there only rows that are equal in everything count.
    #[must_use]
    pub fn duplicates(&self) -> Vec<Duplicate> {
        let mut seen = HashMap::new();
        let mut duplicates = vec![];
        for row in &self.rows {
            let values = if row.has_order() && !row.is_usage() { vec![] } else { row.values() };
            let first = *seen.entry((revision::RowName::of(row), values)).or_insert(row.row);
            if first != row.row {
                duplicates.push(Duplicate { first, again: row.row });
            }
        }
        duplicates
    }
}
