//! One cell, and how a person would read it.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;

use crate::number;

/// What a cell holds. All that a CSV file holds is text; [`Cell::number`] and [`Cell::date_time`] read both kinds of file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cell {
    /// Nothing, or nothing but white space.
    #[default]
    Empty,
    /// Text as it stands in the file, with the space around it. A number that no decimal holds exactly is text, too, as is
    /// an error like `#N/A`, and a time of day without a date (`12:30:00`).
    Text(String),
    /// A number, exact.
    Number(Decimal),
    /// A day.
    Date(NaiveDate),
    /// A day and a time, to the millisecond, in the time zone of whoever wrote the file.
    DateTime(NaiveDateTime),
    /// TRUE or FALSE.
    Bool(bool),
}

/// How fractions are written in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalMark {
    /// `1,234.50`
    #[default]
    Point,
    /// `1.234,50`
    Comma,
}

/// How a day with a time may be written.
const DATE_TIMES: [&str; 8] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
];

/// How a day may be written. Forms that two people read as two days (`03/04/2024`) are not among them.
const DATES: [&str; 5] = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d"];

impl Cell {
    /// A cell of text, empty if there is nothing to see in it.
    pub(crate) fn of_text(text: String) -> Self {
        if text.trim().is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// What a person reads in it, on one line of a message or a preview: numbers and dates in their plain form.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Date(date) => Cow::Owned(date.format("%Y-%m-%d").to_string()),
            Self::DateTime(time) => Cow::Owned(time.format("%Y-%m-%d %H:%M:%S%.f").to_string()),
            Self::Bool(true) => Cow::Borrowed("TRUE"),
            Self::Bool(false) => Cow::Borrowed("FALSE"),
        }
    }

    /// Its number: the one it is, or the one that its text writes. A text may have a sign, thousands in groups of three,
    /// an exponent, a currency sign (`¥`, `￥`, `$`, `€`) before it or a percent sign after it, which divides by 100.
    /// `None` if it is anything else; nothing is rounded.
    #[must_use]
    pub fn number(&self, mark: DecimalMark) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => number::written(text, mark),
            _ => None,
        }
    }

    /// Its day and time: the one it is, or the one that its text writes, the year first (`2024-03-01 12:00:00`,
    /// `2024/3/1 12:00`, `2024年3月1日`, `20240301`). A day alone is its midnight.
    #[must_use]
    pub fn date_time(&self) -> Option<NaiveDateTime> {
        match self {
            Self::Date(date) => Some(date.and_time(NaiveTime::MIN)),
            Self::DateTime(time) => Some(*time),
            Self::Text(text) => {
                let text = text.trim();
                let time = DATE_TIMES.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
                time.or_else(|| DATES.iter().find_map(|form| day(text, form)).map(|day| day.and_time(NaiveTime::MIN)))
            }
            _ => None,
        }
    }
}

/// A day in one form; digits alone must be eight, or a number would pass for a day.
fn day(text: &str, form: &str) -> Option<NaiveDate> {
    let of_length = form != "%Y%m%d" || text.len() == 8;
    of_length.then(|| NaiveDate::parse_from_str(text, form).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn a_cell_costs_24_bytes() {
        assert_eq!(size_of::<Cell>(), 24, "5,000,000 cells are 120 MB");
    }

    #[test]
    fn texts_are_read_as_the_numbers_that_people_write() {
        use DecimalMark::{Comma, Point};
        for (written, mark, expected) in [
            ("12.50", Point, Some("12.50")),
            (" -1,234,567.8 ", Point, Some("-1234567.8")),
            ("1.234,50", Comma, Some("1234.50")),
            ("1,5", Comma, Some("1.5")),
            ("¥12", Point, Some("12")),
            ("-￥ 12.00", Point, Some("-12.00")),
            ("+15%", Point, Some("0.15")),
            ("1.5E3", Point, Some("1500")),
            ("0.1234567890123456789012345678", Point, Some("0.1234567890123456789012345678")),
            ("1,5", Point, None),
            ("1,2345", Point, None),
            ("12,34,567", Point, None),
            (",123", Point, None),
            ("1.2.3", Point, None),
            ("1_000", Point, None),
            ("12 pieces", Point, None),
            ("¥", Point, None),
            ("--1", Point, None),
            ("", Point, None),
            ("1e999", Point, None),
            ("0.12345678901234567890123456789", Point, None),
        ] {
            let expected = expected.map(|number| number.parse::<Decimal>().unwrap());
            assert_eq!(text(written).number(mark), expected, "{written:?}");
        }
    }

    #[test]
    fn days_and_times_are_read_with_the_year_first() {
        for (written, expected) in [
            ("2024-03-01 12:34:56", Some("2024-03-01 12:34:56")),
            ("2024/3/1 9:05", Some("2024-03-01 09:05:00")),
            ("2024-03-01T12:34:56.5", Some("2024-03-01 12:34:56.500")),
            ("2024年3月1日", Some("2024-03-01 00:00:00")),
            (" 20240301 ", Some("2024-03-01 00:00:00")),
            ("202431", None),
            ("03/04/2024", None),
            ("2024-02-30", None),
            ("1234.5", None),
        ] {
            let shown = text(written).date_time().map(|time| time.format("%Y-%m-%d %H:%M:%S%.f").to_string());
            assert_eq!(shown.as_deref(), expected, "{written:?}");
        }
    }
}
