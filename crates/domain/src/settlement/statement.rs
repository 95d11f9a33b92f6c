//! What is stated of a line: by the console's transaction details, or by an operator who read it there. It replaces what
//! we estimated, field by field; the newest statement of a field holds.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::Period;
use super::money::{Currency, Ratio};
use super::product::{Category, LineType};
use crate::ids::{OrderId, OrderLineId, ProductId, Sku};
use crate::order::ChargingMode;

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A line of an order.
    OrderLine {
        /// The order.
        order_id: OrderId,
        /// Its line.
        order_line_id: OrderLineId,
    },
    /// Consumption of a product within a month: it belongs to no order, and a bill sums it up (S7).
    Usage {
        /// The specification.
        sku: Sku,
        /// The month of the consumption.
        period: Period,
    },
}

/// A stated moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// It has not happened.
    NotYet,
    /// It happens then, UTC; may lie ahead.
    At(DateTime<Utc>),
    /// It does not apply: what is not supervised is never accepted.
    NotApplicable,
}

/// Whether the marketplace has put a line on a bill (出账状态, S15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Billed {
    /// On this one.
    On(Period),
    /// On none yet.
    NotYet,
}

/// Facts of one line, each of them optional: absent says nothing. Amounts are decimals in
/// [`currency`](StatedFacts::currency) and have the sign that the marketplace gives them: refunds are negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Which line.
    pub subject: Subject,
    /// The facts.
    #[serde(flatten)]
    pub facts: StatedFacts,
}

/// The facts of a [`Statement`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatedFacts {
    /// For a refund: the line that is given back (S15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_order_line_id: Option<OrderLineId>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_type: Option<LineType>,
    /// The tab of the bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The specification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// The marketplace's product id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// How it is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charging_mode: Option<ChargingMode>,
    /// The customer, by the marketplace's id; never a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// When it takes effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<When>,
    /// When it is paid in full; on credit, when the whole bill of that month is repaid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_in_full: Option<When>,
    /// When it is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervision: Option<When>,
    /// Whether it is on a bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed: Option<Billed>,
    /// It never took effect and never will: provisioning failed, the order was cancelled (S35). Such a line is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<bool>,
    /// The currency of the amounts; the site's where nothing says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What the goods cost; on the international sites without VAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sales_amount: Option<Decimal>,
    /// The voucher used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voucher_amount: Option<Decimal>,
    /// In joint operation: what the list asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_price: Option<Decimal>,
    /// The platform fee (运营管理费比例), where the marketplace shows another one than the product's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_ratio: Option<Ratio>,
    /// Withholding tax that the customer keeps back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_wht: Option<Decimal>,
    /// The seller's own taxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller_tax: Option<Decimal>,
}

/// Where in the log, and in which row of a file, each field of [`StatedFacts`] was stated.
pub type StatedAt = BTreeMap<String, Place>;

/// A place in the log: the position, and the row of a file.
pub type Place = (u64, Option<u32>);

macro_rules! each_field {
    ($then:ident) => {
        $then!(
            original_order_line_id,
            line_type,
            category,
            sku,
            product_id,
            charging_mode,
            customer_id,
            effective,
            paid_in_full,
            supervision,
            billed,
            withdrawn,
            currency,
            sales_amount,
            voucher_amount,
            list_price,
            fee_ratio,
            customer_wht,
            seller_tax
        )
    };
}

impl StatedFacts {
    /// Takes a newer statement up: what it says holds from now on, what it leaves out stays.
    pub fn take_up(&mut self, newer: &Self) {
        macro_rules! newest {
            ($($field:ident),+) => { $(if newer.$field.is_some() { self.$field.clone_from(&newer.$field); })+ };
        }
        each_field!(newest);
    }

    /// Takes a statement up that was made at a place of the log: of each field, the statement furthest in the log holds,
    /// in whichever order they are taken up.
    pub fn take_up_from(&mut self, said_at: &mut StatedAt, other: &Self, other_at: impl Fn(&str) -> Place) {
        macro_rules! latest {
            ($($field:ident),+) => { $(
                let (name, place) = (stringify!($field), other_at(stringify!($field)));
                if other.$field.is_some() && said_at.get(name).is_none_or(|known| *known <= place) {
                    self.$field.clone_from(&other.$field);
                    said_at.insert(name.into(), place);
                }
            )+ };
        }
        each_field!(latest);
    }

    /// Whether a newer statement says nothing that this one does not.
    #[must_use]
    pub fn covers(&self, newer: &Self) -> bool {
        let mut both = self.clone();
        both.take_up(newer);
        both == *self
    }
}
