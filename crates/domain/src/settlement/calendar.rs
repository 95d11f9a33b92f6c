//! The marketplace's calendar: months in Beijing time, and the days on which bills are run.

pub mod working_days;

use std::fmt;
use std::ops::Range;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use self::working_days::WorkingDays;
use super::product::Site;

/// How far Beijing is ahead of UTC, all year round.
const BEIJING: TimeDelta = TimeDelta::hours(8);

/// What a clock on a wall in Beijing shows (UTC+8).
#[must_use]
pub fn beijing(at: DateTime<Utc>) -> NaiveDateTime {
    // Only the last hours of chrono's calendar, some 260,000 years away, stand for themselves.
    at.naive_utc().checked_add_signed(BEIJING).unwrap_or(at.naive_utc())
}

/// The moment at which a day begins in Beijing.
#[must_use]
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    let there = day.and_time(NaiveTime::MIN);
    there.checked_sub_signed(BEIJING).unwrap_or(there).and_utc()
}

/// Not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a period; write year and month, like 202405")]
pub struct PeriodError {
    /// What was given.
    pub text: String,
}

/// A settlement period: a calendar month in Beijing time, written `202405`. It is named after the month in which
/// things happened, not the one in which the bill is run (S1, S3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(NaiveDate);

impl Period {
    /// The period that a moment is in.
    #[must_use]
    pub fn of(at: DateTime<Utc>) -> Self {
        Self::of_day(beijing(at).date())
    }

    /// The period that a day in Beijing is in.
    #[must_use]
    pub fn of_day(day: NaiveDate) -> Self {
        Self(day.with_day(1).unwrap_or(day))
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    ///
    /// # Errors
    /// Anything but four digits of a year and two of a month.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        let day = NaiveDate::parse_from_str(&format!("{text}01"), "%Y%m%d").ok().map(Self);
        day.filter(|period| period.to_string() == text).ok_or_else(|| PeriodError { text: text.into() })
    }

    /// The period after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add_months(Months::new(1)).unwrap_or(self.0))
    }

    /// The period before this one.
    #[must_use]
    pub fn prev(self) -> Self {
        Self(self.0.checked_sub_months(Months::new(1)).unwrap_or(self.0))
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> NaiveDate {
        self.0
    }

    /// When it begins and when it is over, UTC; the end does not belong to it.
    #[must_use]
    pub fn bounds(self) -> Range<DateTime<Utc>> {
        midnight(self.0)..midnight(self.next().0)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y%m"))
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;
    fn try_from(text: String) -> Result<Self, PeriodError> {
        Self::parse(&text)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

/// A day that every month has: 1 to 28.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct DayOfMonth(u8);

/// Not a day that every month has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a day of every month; give one from 1 to 28")]
pub struct DayError(u8);

impl DayOfMonth {
    /// The 3rd.
    pub const THIRD: Self = Self(3);
    /// The 7th.
    pub const SEVENTH: Self = Self(7);

    /// Takes a day.
    ///
    /// # Errors
    /// Not from 1 to 28.
    pub fn new(day: u8) -> Result<Self, DayError> {
        if (1..=28).contains(&day) { Ok(Self(day)) } else { Err(DayError(day)) }
    }
}

impl TryFrom<u8> for DayOfMonth {
    type Error = DayError;
    fn try_from(day: u8) -> Result<Self, DayError> {
        Self::new(day)
    }
}

impl From<DayOfMonth> for u8 {
    fn from(day: DayOfMonth) -> Self {
        day.0
    }
}

/// When the bill of a period is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BillRun {
    /// The day as the rule names it: the 3rd or the 7th.
    pub nominal: NaiveDate,
    /// That day, or the next working day.
    pub date: NaiveDate,
    /// By when the bill is reviewed and sent to the seller.
    pub sent_by: NaiveDate,
    /// Whether the holidays of that time are known; if not, only weekends are skipped.
    pub certain: bool,
}

impl BillRun {
    /// The moment from which the bill counts as run: the beginning of that day in Beijing (CONSTRUCTED: the run takes
    /// a working day, and its details show what happened up to the day before).
    #[must_use]
    pub fn starts_at(self) -> DateTime<Utc> {
        midnight(self.date)
    }
}

/// When a site's bills are run.
#[derive(Debug, Clone, Copy)]
pub struct Schedule<'a> {
    /// Whose.
    pub site: Site,
    /// On which day of the following month.
    pub run_day: DayOfMonth,
    /// Which days are worked.
    pub working_days: &'a WorkingDays,
}

impl Schedule<'_> {
    /// When the bill of a period is run, and sent: on the run day of the month after it, or the next working day;
    /// then come two (China) or three working days of review (S4, S2).
    #[must_use]
    pub fn run(&self, period: Period) -> BillRun {
        let first = period.next().first_day();
        let nominal = first.checked_add_days(Days::new(u64::from(self.run_day.0) - 1)).unwrap_or(first);
        let date = self.working_days.from(nominal);
        let review = if self.site == Site::Cn { 2 } else { 3 };
        let sent_by = self.working_days.after(date, review);
        let certain = self.working_days.is_known(date.year()) && self.working_days.is_known(sent_by.year());
        BillRun { nominal, date, sent_by, certain }
    }

    /// The earliest period whose bill has not been run by a moment.
    #[must_use]
    pub fn open_period(&self, now: DateTime<Utc>) -> Period {
        let mut period = Period::of(now).prev().prev();
        while self.run(period).starts_at() <= now && period.next() > period {
            period = period.next();
        }
        period
    }
}

/// Whether a bill still waits for the seller's confirmation: bills sent before 2024-12-24 00:00 did, later ones go
/// straight to approval (S17).
#[must_use]
pub fn needs_confirmation(sent_at: DateTime<Utc>) -> bool {
    NaiveDate::from_ymd_opt(2024, 12, 24).is_some_and(|day| sent_at < midnight(day))
}
