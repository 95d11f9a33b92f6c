//! One value of a column, the same for every engine.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

/// A value on its way into a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing was said.
    Null,
    /// Text, codes and JSON.
    Text(String),
    /// A count or a position.
    Integer(i64),
    /// An exact number.
    Amount(Decimal),
    /// A moment, UTC.
    Moment(DateTime<Utc>),
    /// Yes or no.
    Flag(bool),
    /// Texts of which one is looked for.
    AnyOf(Vec<String>),
}

impl Cell {
    /// The stable code of a value, which is what serde writes.
    pub(crate) fn code(value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(serde_json::Value::String(code)) => Self::Text(code),
            _ => Self::Null,
        }
    }

    /// A whole row as JSON. Rows are plain structs with texts for keys, which can always be written so.
    pub(crate) fn document(row: &impl Serialize) -> Self {
        serde_json::to_string(row).map_or(Self::Null, Self::Text)
    }

    /// As text: amounts with all their digits, moments to the microsecond, so that they are in the order of time.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Amount(amount) => Some(amount.to_string()),
            Self::Moment(at) => Some(at.to_rfc3339_opts(SecondsFormat::Micros, true)),
            Self::Integer(number) => Some(number.to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Null | Self::AnyOf(_) => None,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u64> for Cell {
    /// Counts and positions are far from the end of the numbers of a database.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Decimal> for Cell {
    fn from(amount: Decimal) -> Self {
        Self::Amount(amount)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<DateTime<Utc>> for Cell {
    /// Years that no calendar of a database shows are left out; the document has them.
    fn from(at: DateTime<Utc>) -> Self {
        if (1..=9999).contains(&at.year()) { Self::Moment(at) } else { Self::Null }
    }
}

impl<T> From<Option<T>> for Cell
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}
