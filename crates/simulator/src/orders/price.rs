//! What an order costs, as the marketplace writes it.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

/// Money in hundredths of the site's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cents(pub i64);

impl Cents {
    /// Whole units, e.g. 100 RMB.
    #[must_use]
    pub const fn whole(units: i64) -> Self {
        Self(units * 100)
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, cents) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Cents {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

/// What an order line costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The order amount (`currency`), never negative.
    pub amount: Cents,
    /// The deal amount before vouchers (`currencyAfterDiscount`); negative for what is given back.
    pub deal: Cents,
}

impl Price {
    /// A price without a discount; negative for what is given back.
    #[must_use]
    pub fn of(deal: Cents) -> Self {
        Self { amount: deal.abs(), deal }
    }

    /// `currency`: the order amount; empty for what is given back (S29).
    #[must_use]
    pub fn currency(self) -> String {
        if self.deal.0 < 0 { String::new() } else { self.amount.to_string() }
    }

    /// `currencyAfterDiscount`: the deal amount; negative for what is given back (S29).
    #[must_use]
    pub fn currency_after_discount(self) -> String {
        self.deal.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_two_decimals() {
        let written: Vec<_> = [0, 5, -5, 100, -12_345].map(|cents| Cents(cents).to_string()).into();
        assert_eq!(written, ["0.00", "0.05", "-0.05", "1.00", "-123.45"]);
    }
}
