//! What upgrades and scale-outs cost: the new price for the time that is left, less the old one (S23). Only services
//! sold for a period can be changed. A change is a line of its own, settled when it is provisioned (CONSTRUCTED).

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::midnight;
use super::explanation::{Explained, Term, Worksheet, number, ratio};
use super::money::{Money, MoneyError, Ratio};
use super::policy::VolumeDiscount;
use super::usage::pricing::Brackets;

/// The time for which a change is priced, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// Days left.
    pub days: Decimal,
    /// Days of the whole term, which the prices are for.
    pub term_days: Decimal,
    /// What is left of the price after discount; 1 for none.
    pub discount: Ratio,
}

impl Remaining {
    fn check(&self) -> Result<(), MoneyError> {
        let not_positive = |name: &str, value| Err(MoneyError::NotPositive { name: name.into(), value });
        if self.term_days <= Decimal::ZERO {
            return not_positive("term_days", self.term_days);
        }
        if self.days < Decimal::ZERO {
            return not_positive("remaining_days", self.days);
        }
        Ok(())
    }

    /// The part of a term's price that falls on the time left. Multiplies before it divides, to stay exact.
    fn part(&self, sheet: &mut Worksheet, name: &'static str, price: &Term) -> Result<Term, MoneyError> {
        let (days, discount) = (number("remaining_days", self.days), ratio("discount", self.discount));
        let product = sheet.product("price_by_days", &[price, &days, &discount])?;
        sheet.quotient(name, &[&product, &number("term_days", self.term_days)])
    }
}

/// The price of an upgrade: `new × days left × discount - old × days left × discount`, prices by the day.
///
/// # Errors
/// Days that are no days, two currencies, or out of range.
pub fn upgrade(old_price: Money, new_price: Money, remaining: &Remaining) -> Result<Explained, MoneyError> {
    remaining.check()?;
    let mut sheet = Worksheet::new(new_price.currency());
    let (new, old) = (sheet.money("new_price", new_price)?, sheet.money("old_price", old_price)?);
    let new = remaining.part(&mut sheet, "new_price_for_the_rest", &new)?;
    let old = remaining.part(&mut sheet, "old_price_for_the_rest", &old)?;
    let fee = sheet.difference("sales_amount", &[&new, &old])?;
    sheet.finish(&fee)
}

/// How users are priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserPricing {
    /// One price for every user.
    Linear,
    /// All users at the price of the bracket that their number falls in.
    Tiered,
    /// The same, but added users are paid for by themselves since 2023-06-12.
    Volume,
}

/// More users for the rest of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleOut {
    /// How users are priced.
    pub pricing: UserPricing,
    /// Users before.
    pub users_before: u32,
    /// Users after.
    pub users_after: u32,
    /// What all users before cost for the whole term.
    pub price_before: Money,
    /// When it was ordered, UTC.
    pub ordered_at: DateTime<Utc>,
}

/// The price of more users. Until 2023-06-12, and after that for linear and tiered prices, all users are priced anew
/// and the old price comes off; since then added users alone are paid for under volume prices. The bracket is always
/// that of all users after. (From 00:00 of that day in Beijing: CONSTRUCTED.)
///
/// # Errors
/// Fewer users than before, days that are no days, two currencies, or out of range.
pub fn scale_out(
    order: &ScaleOut,
    prices: &Brackets,
    remaining: &Remaining,
    policy: VolumeDiscount,
) -> Result<Explained, MoneyError> {
    remaining.check()?;
    let Some(added) = order.users_after.checked_sub(order.users_before).map(Decimal::from) else {
        return Err(MoneyError::NotPositive {
            name: "added_users".into(),
            value: Decimal::from(order.users_after) - Decimal::from(order.users_before),
        });
    };
    let unit = prices.price_of(Decimal::from(order.users_after));
    let mut sheet = Worksheet::new(unit.currency());
    let unit = sheet.money("unit_price_of_all_users", unit)?;
    if order.pricing == UserPricing::Volume && is_new_rule(order.ordered_at) {
        let discount = if policy == VolumeDiscount::Applies { remaining.discount } else { Ratio::ONE };
        let price = sheet.product("price_of_added_users", &[&unit, &number("added_users", added)])?;
        let fee = Remaining { discount, ..*remaining }.part(&mut sheet, "sales_amount", &price)?;
        return sheet.finish(&fee);
    }
    let after = sheet.product("price_of_all_users", &[&unit, &number("users_after", order.users_after)])?;
    let before = sheet.money("price_before", order.price_before)?;
    let after = remaining.part(&mut sheet, "new_price_for_the_rest", &after)?;
    let before = remaining.part(&mut sheet, "old_price_for_the_rest", &before)?;
    let fee = sheet.difference("sales_amount", &[&after, &before])?;
    sheet.finish(&fee)
}

fn is_new_rule(ordered_at: DateTime<Utc>) -> bool {
    NaiveDate::from_ymd_opt(2023, 6, 12).is_some_and(|day| ordered_at >= midnight(day))
}
