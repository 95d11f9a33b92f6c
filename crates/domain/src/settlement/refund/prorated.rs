//! Refunds for the time not used, as for cloud resources and images of the international sites (S26).

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::settlement::explanation::{Explained, Operation, Worksheet, number};
use crate::settlement::marked::{Mark, Marked};
use crate::settlement::money::{Money, MoneyError};

/// What is given back by the hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unused {
    /// What was paid, without coupons: those that were used do not come back.
    pub paid: Money,
    /// The marketplace's handling fee. It depends on term and use, by a table that could not be read; `None` if nobody
    /// said: then the refund is an estimate without it.
    pub handling_fee: Option<Money>,
    /// When it was bought, UTC.
    pub bought_at: DateTime<Utc>,
    /// When its term ends, UTC.
    pub expires_at: DateTime<Utc>,
    /// When it is given back, UTC.
    pub refunded_at: DateTime<Utc>,
}

/// A refund by the hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prorated {
    /// Hours of the whole term.
    pub order_hours: i64,
    /// Hours of it that were used, at most all.
    pub used_hours: i64,
    /// What the customer gets back. What that takes from the seller is a matter of [`amount`](super::amount).
    pub refund: Marked<Explained>,
}

/// Hours between two moments, both floored to the hour.
fn hours(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    let floored = |at: DateTime<Utc>| at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
    floored(to).signed_duration_since(floored(from)).num_hours().max(0)
}

/// Hours of a term. Its last second, like `23:59:59`, belongs to it: the documented example counts 31 days and 14
/// hours from 01-01 10:30 to 02-01 23:59:59.
#[must_use]
pub fn order_hours(bought_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> i64 {
    hours(bought_at, expires_at.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(expires_at))
}

/// The refund: `paid - paid × used hours ÷ order hours - handling fee`, never below zero. A term of no hours counts as
/// used.
///
/// # Errors
/// Two currencies, or out of range.
pub fn refund(unused: &Unused) -> Result<Prorated, MoneyError> {
    let order_hours = order_hours(unused.bought_at, unused.expires_at);
    let used_hours = hours(unused.bought_at, unused.refunded_at).min(order_hours);
    let mut sheet = Worksheet::new(unused.paid.currency());
    let paid = sheet.money("paid_amount", unused.paid)?;
    let consumed = if order_hours == 0 {
        paid.clone()
    } else {
        let product = sheet.product("paid_by_hours", &[&paid, &number("used_hours", used_hours)])?;
        sheet.quotient("consumed_amount", &[&product, &number("order_hours", order_hours)])?
    };
    let fee = unused.handling_fee.unwrap_or(Money::zero(unused.paid.currency()));
    let fee = sheet.money("handling_fee", fee)?;
    let rest = sheet.difference("unused_amount", &[&paid, &consumed, &fee])?;
    let refund = sheet.step("refund_amount", Operation::Largest, &[&rest, &number("nothing", Decimal::ZERO)])?;
    let mark = if unused.handling_fee.is_some() { Mark::Stated } else { Mark::Estimate };
    Ok(Prorated { order_hours, used_hours, refund: Marked { value: sheet.finish(&refund)?, mark } })
}
