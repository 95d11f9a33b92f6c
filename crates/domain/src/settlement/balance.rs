//! What a period comes to, and what is paid of it: totals, corrections, shortfalls and the deposit (S8, S9).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::Period;
use super::explanation::{Explanation, Worksheet};
use super::money::{Currency, Money, MoneyError};
use super::policy::{BillTotal, Carry};

/// The total of a bill's lines, both ways. Shown lines may differ from the shown total by half a cent each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The sum of the exact lines.
    pub exact: Money,
    /// What the bill says: that sum rounded once, or the sum of the rounded lines.
    pub shown: Money,
}

/// The lines of a bill, added up one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition {
    exact: Money,
    rounded: Money,
}

impl Addition {
    /// Of no line yet.
    #[must_use]
    pub fn nothing(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { exact: zero, rounded: zero }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Two currencies, or out of range.
    pub fn add(&mut self, line: Money) -> Result<(), MoneyError> {
        *self = Self { exact: self.exact.plus(line)?, rounded: self.rounded.plus(line.shown())? };
        Ok(())
    }

    /// Adds many lines: what they come to exactly, and with each of them rounded.
    ///
    /// # Errors
    /// Two currencies, or out of range.
    pub fn include(&mut self, exact: Money, rounded: Money) -> Result<(), MoneyError> {
        *self = Self { exact: self.exact.plus(exact)?, rounded: self.rounded.plus(rounded)? };
        Ok(())
    }

    /// What it comes to.
    #[must_use]
    pub fn total(self, rounding: BillTotal) -> Total {
        let shown = match rounding {
            BillTotal::RoundTheSum => self.exact.shown(),
            BillTotal::SumTheRounded => self.rounded.shown(),
        };
        Total { exact: self.exact, shown }
    }
}

/// Adds the lines of a bill up.
///
/// # Errors
/// Two currencies, or out of range.
pub fn total(
    currency: Currency,
    lines: impl IntoIterator<Item = Money>,
    rounding: BillTotal,
) -> Result<Total, MoneyError> {
    let mut addition = Addition::nothing(currency);
    lines.into_iter().try_for_each(|line| addition.add(line))?;
    Ok(addition.total(rounding))
}

/// What a seller has with the marketplace between two periods, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The deposit (保证金); zero for the many sellers that have none.
    pub deposit: Money,
    /// A shortfall carried to the next period; not negative.
    pub shortfall: Money,
}

impl Account {
    /// An account with a deposit and no shortfall.
    #[must_use]
    pub fn with_deposit(deposit: Money) -> Self {
        Self { deposit, shortfall: Money::zero(deposit.currency()) }
    }
}

/// How a period ends for the seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closing {
    /// Which period.
    pub period: Period,
    /// Lines and adjustments, less the shortfall brought forward.
    pub net: Money,
    /// What is paid out.
    pub payable: Money,
    /// What is taken from the deposit.
    pub from_deposit: Money,
    /// What the seller must pay by other means. It is not carried on.
    pub receivable: Money,
    /// The account after it, with what is carried to the next period.
    pub account: Account,
    /// How the net came to be.
    pub explanation: Explanation,
}

/// Ends a period: `net = lines + adjustments - shortfall brought forward`. A negative net is carried for one month if
/// the policy says so and nothing was brought forward; else the deposit covers what it can, and the seller owes the
/// rest (CONSTRUCTED from S8, S9; whether the carry lasts exactly a month, and whether a deposit must be filled up
/// again, no page says).
///
/// # Errors
/// Two currencies, or out of range.
pub fn close(
    period: Period,
    lines: Money,
    adjustments: Money,
    account: &Account,
    carry: Carry,
) -> Result<Closing, MoneyError> {
    let currency = account.deposit.currency();
    let mut sheet = Worksheet::new(currency);
    let sum = sheet.sum(
        "lines_and_adjustments",
        &[&sheet.money("lines_total", lines.shown())?, &sheet.money("adjustments", adjustments.shown())?],
    )?;
    let brought = sheet.money("shortfall_brought_forward", account.shortfall)?;
    let net = sheet.difference("net_amount", &[&sum, &brought])?;
    let explained = sheet.finish(&net)?;
    let (net, zero) = (explained.amount, Money::zero(currency));
    let mut closing = Closing {
        period,
        net,
        payable: zero,
        from_deposit: zero,
        receivable: zero,
        account: Account::with_deposit(account.deposit),
        explanation: explained.explanation,
    };
    let is_first = account.shortfall.amount().is_zero();
    if net.amount() >= Decimal::ZERO {
        closing.payable = net;
    } else if carry == Carry::DepositAfterNextMonth && is_first {
        closing.account.shortfall = -net;
    } else {
        let shortfall = -net;
        let drawn = Money::new(account.deposit.amount().min(shortfall.amount()).max(Decimal::ZERO), currency)?;
        closing.from_deposit = drawn;
        closing.receivable = shortfall.minus(drawn)?;
        closing.account.deposit = account.deposit.minus(drawn)?;
    }
    Ok(closing)
}

/// A correction of a closed period, on the next bill: what was issued never changes (S2, S4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Adjustment {
    /// The period that is corrected.
    pub corrects: Period,
    /// The period on whose bill the correction is.
    pub period: Period,
    /// By how much, in whole cents; either sign.
    pub amount: Money,
}

/// The correction that a recomputation asks for, on the bill of the earliest period that is still open; `None` if both
/// are shown alike.
///
/// # Errors
/// Two currencies, or out of range.
pub fn adjustment(
    closed: Period,
    stated: Money,
    recomputed: Money,
    open: Period,
) -> Result<Option<Adjustment>, MoneyError> {
    let amount = recomputed.shown().minus(stated.shown())?;
    let period = open.max(closed.next());
    Ok((!amount.amount().is_zero()).then_some(Adjustment { corrects: closed, period, amount }))
}
