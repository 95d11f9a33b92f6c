//! What the marketplace pays for a sale: one formula for each way of selling, each amount with its steps.

pub mod generic;
pub mod international;
pub mod joint;
pub mod reseller;
pub mod tier;

use rust_decimal::Decimal;

use super::explanation::{Explained, Worksheet, number};
use super::money::{Money, MoneyError};

/// How much of a product is bought: so many of it, for so long, at a price for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goods {
    /// Price for one, for one unit of time.
    pub unit_price: Money,
    /// Units of time: months, years; 1 for what is bought once.
    pub duration: Decimal,
    /// How many.
    pub quantity: u32,
}

/// The sales amount of an order (商品销售金额): all its goods at their prices (S5).
///
/// # Errors
/// Two currencies, a negative duration, or out of range.
pub fn sales_amount(goods: &[Goods]) -> Result<Option<Explained>, MoneyError> {
    let Some(first) = goods.first() else { return Ok(None) };
    let mut sheet = Worksheet::new(first.unit_price.currency());
    let mut amounts = vec![];
    for Goods { unit_price, duration, quantity } in goods {
        if *duration < Decimal::ZERO {
            return Err(MoneyError::NotPositive { name: "purchased_duration".into(), value: *duration });
        }
        let price = sheet.money("unit_price", *unit_price)?;
        let factors = [&price, &number("purchased_duration", *duration), &number("quantity", *quantity)];
        amounts.push(sheet.product("goods_amount", &factors)?);
    }
    let sales = sheet.sum("sales_amount", &amounts.iter().collect::<Vec<_>>())?;
    sheet.finish(&sales).map(Some)
}
