//! The tiers of the China site's platform fee, since 2024-03-01 (S21): who sells much of one product in a month pays
//! less for all of that month.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::settlement::calendar::{Period, midnight};
use crate::settlement::money::{Currency, Money, Ratio};
use crate::settlement::policy::{Policy, TierLateLines, TierMonth, TierRefunds};
use crate::settlement::product::LineType;

/// From an amount on, the seller gets this share more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bracket {
    /// The least amount of a month, in RMB; it belongs to the bracket.
    pub at_least: Decimal,
    /// The incremental share, for the whole month.
    pub share: Ratio,
}

/// The table of the tiers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tiers {
    /// Since when there are tiers, UTC.
    pub since: DateTime<Utc>,
    /// The platform fee that a product must have to take part; one with another ratio does not.
    pub fee_ratio: Ratio,
    /// The brackets, in any order.
    pub brackets: Vec<Bracket>,
}

impl Default for Tiers {
    /// From 500,000 RMB one point, from 1,000,000 RMB two, for products with a fee of 5 % (S21).
    fn default() -> Self {
        let bracket = |at_least, points| Bracket { at_least: Decimal::new(at_least, 0), share: Ratio::percent(points) };
        Self {
            since: NaiveDate::from_ymd_opt(2024, 3, 1).map(midnight).unwrap_or_default(),
            fee_ratio: Ratio::percent(5),
            brackets: vec![bracket(500_000, 1), bracket(1_000_000, 2)],
        }
    }
}

impl Tiers {
    /// The share that the month's amount of a product reaches, if it takes part: by its fee, and by its listing, which
    /// is for the caller to know. The bracket holds for the whole amount, not slice by slice; every month begins at
    /// nothing.
    #[must_use]
    pub fn share(&self, fee_ratio: Ratio, month: Money) -> Ratio {
        self.reached(fee_ratio, month).map_or(Ratio::ZERO, |bracket| bracket.share)
    }

    /// The bracket that a product's amount of a month reaches, if it takes part and reaches any.
    #[must_use]
    pub fn reached(&self, fee_ratio: Ratio, month: Money) -> Option<&Bracket> {
        if fee_ratio != self.fee_ratio || month.currency() != Currency::CNY {
            return None;
        }
        let reached = self.brackets.iter().filter(|bracket| bracket.at_least <= month.amount());
        reached.max_by_key(|bracket| bracket.at_least)
    }

    /// The next bracket that is not reached yet: what a finance user sees of the way to go.
    #[must_use]
    pub fn next(&self, month: Money) -> Option<&Bracket> {
        let ahead = self.brackets.iter().filter(|bracket| bracket.at_least > month.amount());
        ahead.min_by_key(|bracket| bracket.at_least)
    }

    /// Whether a sale is under the tiers. One that took effect before them keeps the old rule however late it is
    /// settled, and so does a renewal bought before them, however late it takes effect (S21). `None` if the moment
    /// that decides is not known.
    #[must_use]
    pub fn hold(
        &self,
        line_type: LineType,
        bought_at: Option<DateTime<Utc>>,
        effective_at: Option<DateTime<Utc>>,
    ) -> Option<bool> {
        let decides = if line_type == LineType::Renew { bought_at } else { effective_at };
        decides.map(|at| at >= self.since)
    }
}

/// What decides which month's tier a line counts to, and gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// Kind of line.
    pub line_type: LineType,
    /// The month it was paid in.
    pub paid_in: Period,
    /// The period it is settled in.
    pub settled_in: Period,
    /// What the customer really paid, vouchers taken off; negative for a refund (S21).
    pub paid: Money,
}

impl Counting {
    /// The month whose amount this line adds to, and with what; `None` if it adds to none. Lines under the old rule
    /// count like all others: their customers paid too.
    #[must_use]
    pub fn adds(&self, policy: &Policy) -> Option<(Period, Money)> {
        let counts = match self.line_type {
            LineType::Adjustment => false,
            line_type => !line_type.takes_back() || policy.tier_refunds == TierRefunds::Subtracted,
        };
        counts.then_some((self.month(policy), self.paid))
    }

    /// The month whose tier this line gets; `None` if it gets none.
    #[must_use]
    pub fn gets(&self, policy: &Policy) -> Option<Period> {
        let month = self.month(policy);
        let late = self.settled_in > month;
        (!late || policy.tier_late_lines == TierLateLines::Included).then_some(month)
    }

    fn month(&self, policy: &Policy) -> Period {
        match policy.tier_month {
            TierMonth::Settlement => self.settled_in,
            TierMonth::Payment => self.paid_in,
        }
    }
}
