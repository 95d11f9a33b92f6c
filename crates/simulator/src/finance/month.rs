//! Months as the marketplace counts them: on a clock in Beijing, eight hours ahead of UTC all year round.

use std::fmt;

use chrono::{DateTime, Datelike, TimeDelta, Utc};

/// How far Beijing is ahead.
const AHEAD: TimeDelta = TimeDelta::hours(8);

/// The bill of a month is run on this day of the next one, or on the next working day.
const RUN_DAY: u32 = 3;

/// A month in Beijing, written `202405`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    /// 1 to 12.
    month: u32,
}

impl Month {
    /// A month of a year, 1 to 12; what lies beyond wraps into the next years.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Self {
        (1..month).fold(Self { year, month: 1 }, |before, _| before.next())
    }

    /// The month that a moment is in.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        let there = at + AHEAD;
        Self { year: there.year(), month: there.month() }
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 {
            return Self { year: self.year + 1, month: 1 };
        }
        Self { month: self.month + 1, ..self }
    }

    /// The month before this one.
    #[must_use]
    pub fn prev(self) -> Self {
        if self.month == 1 {
            return Self { year: self.year - 1, month: 12 };
        }
        Self { month: self.month - 1, ..self }
    }

    /// A moment of the month by Beijing's clock. A day that the month has not is one of the next month.
    #[must_use]
    pub fn at(self, day: u32, hour: u32) -> DateTime<Utc> {
        let first = chrono::NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default();
        let there = first.and_time(chrono::NaiveTime::MIN).and_utc();
        there - AHEAD + TimeDelta::days(i64::from(day) - 1) + TimeDelta::hours(hour.into())
    }

    /// The earliest moment at which its bill may be run.
    #[must_use]
    pub fn run(self) -> DateTime<Utc> {
        self.next().at(RUN_DAY, 0)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}", self.year, self.month)
    }
}

/// A moment as Beijing's clock shows it.
pub(super) fn shown(at: DateTime<Utc>) -> String {
    (at + AHEAD).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_eight_hours_before_that_of_utc() {
        let at = |text: &str| Month::of(text.parse().unwrap()).to_string();
        assert_eq!(at("2024-04-30T15:59:59Z"), "202404");
        assert_eq!(at("2024-04-30T16:00:00Z"), "202405");
        assert_eq!(Month::new(2024, 5).at(30, 14).to_rfc3339(), "2024-05-30T06:00:00+00:00");
        assert_eq!(Month::new(2024, 12).next().to_string(), "202501");
        assert_eq!(Month::new(2024, 1).prev().to_string(), "202312");
        assert_eq!(shown(Month::new(2024, 12).run()), "2025-01-03 00:00:00");
    }
}
