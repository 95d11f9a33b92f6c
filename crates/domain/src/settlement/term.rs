//! Terms that are bought and renewed, and their days (S24).

use std::ops::Range;

use chrono::{DateTime, Months, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::beijing;
use super::policy::TermDays;

/// How long a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermLength {
    /// So many months.
    Months(u32),
    /// So many years.
    Years(u32),
}

impl TermLength {
    /// For how long an automatic renewal goes: a month for what was bought by the month, be it eight of them, a year
    /// for what was bought by the year.
    #[must_use]
    pub fn renewed_automatically(self) -> Self {
        match self {
            Self::Months(_) => Self::Months(1),
            Self::Years(_) => Self::Years(1),
        }
    }

    fn months(self) -> u32 {
        match self {
            Self::Months(months) => months,
            Self::Years(years) => years.saturating_mul(12),
        }
    }
}

/// The end of a term that begins at a moment: the same time of the day in Beijing, so many months later. `None` beyond
/// the calendar.
#[must_use]
pub fn end_of_term(from: DateTime<Utc>, length: TermLength) -> Option<DateTime<Utc>> {
    let there = beijing(from);
    let until = there.checked_add_months(Months::new(length.months()))?;
    from.checked_add_signed(until.signed_duration_since(there))
}

/// The term of a renewal. It begins where the one before it ends, also if it was paid in the grace or retention period
/// after that: days of grace are owed. It takes effect at its beginning, and is settled when it is effective and paid,
/// so never before its payment (CONSTRUCTED). `None` beyond the calendar.
#[must_use]
pub fn renewed_term(expires_at: DateTime<Utc>, length: TermLength) -> Option<Range<DateTime<Utc>>> {
    Some(expires_at..end_of_term(expires_at, length)?)
}

/// The days of a term, by the policy: between its ends, exactly, or 30 a month and 365 a year.
#[must_use]
pub fn term_days(length: TermLength, from: DateTime<Utc>, to: DateTime<Utc>, policy: TermDays) -> Decimal {
    match (policy, length) {
        (TermDays::Exact, _) => days_between(from, to),
        (TermDays::Thirty365, TermLength::Months(months)) => Decimal::from(months) * Decimal::from(30),
        (TermDays::Thirty365, TermLength::Years(years)) => Decimal::from(years) * Decimal::from(365),
    }
}

/// The days between two moments, with their fraction.
#[must_use]
pub fn days_between(from: DateTime<Utc>, to: DateTime<Utc>) -> Decimal {
    Decimal::from(to.signed_duration_since(from).num_seconds()) / Decimal::from(86_400)
}
