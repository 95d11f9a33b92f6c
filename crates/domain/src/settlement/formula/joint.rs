//! Joint operation and Huawei goods of the China site (联营, 华为商品): a share of the price without tax (S5, S3).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::settlement::explanation::{Explained, Worksheet, number, one, ratio};
use crate::settlement::money::{Money, MoneyError, Ratio};

/// Of which price the partner gets a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedPrice {
    /// The price the customer pays: list price times this sales discount.
    Deal {
        /// What is left of the list price, e.g. `0.9`.
        sales_discount: Ratio,
    },
    /// An agreed floor, whatever the customer pays: list price times this floor discount.
    Floor {
        /// What is left of the list price.
        floor_discount: Ratio,
    },
}

/// What a joint sale is settled by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JointSale {
    /// List price of one, for one unit of time.
    pub list_price: Money,
    /// What is shared.
    pub shared: SharedPrice,
    /// The partner's share of it.
    pub partner_ratio: Ratio,
    /// How many.
    pub quantity: u32,
    /// For how many units of time; 1 for what is bought once.
    pub duration: Decimal,
    /// The tax in the price.
    pub tax_rate: Ratio,
}

/// The sharing base, which is the settlement amount: the partner's share without tax.
///
/// # Errors
/// A negative duration, or out of range.
pub fn settle(sale: &JointSale) -> Result<Explained, MoneyError> {
    if sale.duration < Decimal::ZERO {
        return Err(MoneyError::NotPositive { name: "purchased_duration".into(), value: sale.duration });
    }
    let mut sheet = Worksheet::new(sale.list_price.currency());
    let list = sheet.money("list_price", sale.list_price)?;
    let price = match sale.shared {
        SharedPrice::Deal { sales_discount } => {
            sheet.product("deal_price", &[&list, &ratio("sales_discount", sales_discount)])?
        }
        SharedPrice::Floor { floor_discount } => {
            sheet.product("floor_price", &[&list, &ratio("floor_discount", floor_discount)])?
        }
    };
    let share = ratio("partner_ratio", sale.partner_ratio);
    let (quantity, duration) = (number("quantity", sale.quantity), number("purchased_duration", sale.duration));
    let taxed = sheet.product("partner_share_with_tax", &[&price, &share, &quantity, &duration])?;
    let divisor = sheet.sum("one_plus_tax", &[&one(), &ratio("tax_rate", sale.tax_rate)])?;
    let base = sheet.quotient("settle_amount", &[&taxed, &divisor])?;
    sheet.finish(&base)
}

/// A joint sale whose goods were not told apart: the price of all of them is what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedTotal {
    /// What the customer pays for all goods.
    Deal(Money),
    /// What the list asks for all goods, and the floor discount.
    Floor(Money, Ratio),
}

/// The sharing base of a joint sale by the price of all its goods.
///
/// # Errors
/// Out of range.
pub fn settle_total(total: SharedTotal, partner_ratio: Ratio, tax_rate: Ratio) -> Result<Explained, MoneyError> {
    let (SharedTotal::Deal(money) | SharedTotal::Floor(money, _)) = total;
    let mut sheet = Worksheet::new(money.currency());
    let price = match total {
        SharedTotal::Deal(deal) => sheet.money("deal_price", deal)?,
        SharedTotal::Floor(list, floor_discount) => {
            let list = sheet.money("list_price", list)?;
            sheet.product("floor_price", &[&list, &ratio("floor_discount", floor_discount)])?
        }
    };
    let taxed = sheet.product("partner_share_with_tax", &[&price, &ratio("partner_ratio", partner_ratio)])?;
    let divisor = sheet.sum("one_plus_tax", &[&one(), &ratio("tax_rate", tax_rate)])?;
    let base = sheet.quotient("settle_amount", &[&taxed, &divisor])?;
    sheet.finish(&base)
}
