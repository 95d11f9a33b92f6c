//! Tables for a spreadsheet: columns of known kinds, and rows that fit them.

mod csv;
mod gate;
mod xlsx;
mod xml;

use std::borrow::Cow;
use std::io;

use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;

use crate::place::Place;

pub use csv::CsvWriter;
pub use xlsx::{Workbook, XlsxWriter};

/// A column of a table to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// What its cells hold.
    pub kind: Kind,
    /// Its width in a workbook, in characters.
    pub width: u16,
    /// Whether a workbook sums it up under the last row. Only numbers are summed.
    pub totalled: bool,
}

/// What the cells of a column hold, and how a workbook shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, never a formula.
    Text,
    /// An amount, with so many digits of its currency after the point (2 for CNY and USD) at least: no digit is lost.
    Money {
        /// Digits after the point.
        digits: u8,
    },
    /// A ratio like 0.15, which a workbook shows as 15.00%.
    Ratio,
    /// A whole number.
    Integer,
    /// A day.
    Date,
    /// A day and a time, in the time zone of the reader.
    DateTime,
}

/// The value of a cell to be written. Empty fits every column, others the columns of their kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// An amount, a ratio or a whole number.
    Number(Decimal),
    /// A day.
    Date(NaiveDate),
    /// A day and a time.
    DateTime(NaiveDateTime),
}

/// Takes a table row by row.
pub trait TableWriter {
    /// What the table is written to.
    type Output;

    /// Writes a row: a value for each column.
    ///
    /// # Errors
    /// The values do not fit the columns, the format cannot hold them, or writing failed. The table is not usable then.
    fn row(&mut self, values: &[Value<'_>]) -> Result<(), WriteError>;

    /// Writes what follows the last row, and gives back what was written to. A table without this is cut off.
    ///
    /// # Errors
    /// Writing failed, or a total is too large for a decimal.
    fn finish(self) -> Result<Self::Output, WriteError>;
}

/// A table that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A table needs columns, and a spreadsheet has so many.
    #[error("{columns} columns cannot be written: from 1 to 16384 can")]
    Columns {
        /// Columns asked for.
        columns: usize,
    },
    /// A row of more or fewer values than there are columns.
    #[error("row {row} has {values} values for {columns} columns")]
    Width {
        /// The row, counted with the header.
        row: u32,
        /// Values it has.
        values: usize,
        /// Columns of the table.
        columns: usize,
    },
    /// A value of another kind than its column.
    #[error("{place}: the value is not of the kind {kind:?}")]
    Kind {
        /// The cell.
        place: Place,
        /// The kind of its column.
        kind: Kind,
    },
    /// A text longer than a cell of a workbook holds.
    #[error("{place}: the text has more than 32767 characters, which no workbook holds: export CSV")]
    TextTooLong {
        /// The cell.
        place: Place,
    },
    /// More rows than a workbook holds.
    #[error("a workbook holds no more than 1048576 rows: export CSV, or a shorter period")]
    TooManyRows,
    /// A sum that no decimal holds.
    #[error("the total of column {column:?} is too large")]
    TotalTooLarge {
        /// The column's name.
        column: String,
    },
    /// What is written to failed.
    #[error("the table could not be written: {0}")]
    Io(#[from] io::Error),
}

impl Column {
    /// A column of a name and a kind, as wide as suits both, without a total.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        let name = name.into();
        // An ideograph is as wide as two letters, and the button of the filter as two more.
        let letters: usize = name.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum();
        let named = u16::try_from(letters + 3).unwrap_or(u16::MAX).min(60);
        let usual = match kind {
            Kind::Text => 24,
            Kind::Money { .. } => 16,
            Kind::Ratio | Kind::Integer => 10,
            Kind::Date => 12,
            Kind::DateTime => 20,
        };
        Self { name, kind, width: usual.max(named), totalled: false }
    }

    /// The column, with a total if it holds amounts or whole numbers.
    #[must_use]
    pub fn totalled(self) -> Self {
        let totalled = matches!(self.kind, Kind::Money { .. } | Kind::Integer);
        Self { totalled, ..self }
    }
}

impl Kind {
    /// Whether a value may stand in a column of this kind.
    fn fits(self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Integer, Value::Number(number)) => number.is_integer(),
            (_, Value::Empty)
            | (Self::Text, Value::Text(_))
            | (Self::Money { .. } | Self::Ratio, Value::Number(_))
            | (Self::Date, Value::Date(_))
            | (Self::DateTime, Value::DateTime(_)) => true,
            _ => false,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Decimal> for Value<'_> {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<NaiveDate> for Value<'_> {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

impl From<NaiveDateTime> for Value<'_> {
    fn from(time: NaiveDateTime) -> Self {
        Self::DateTime(time)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// Whether there can be a table of these columns.
fn checked(columns: Vec<Column>) -> Result<Vec<Column>, WriteError> {
    let possible = (1..=crate::place::MAX_COLUMNS).contains(&columns.len());
    if possible { Ok(columns) } else { Err(WriteError::Columns { columns: columns.len() }) }
}

/// Whether a row fits the columns.
fn fit(columns: &[Column], row: u32, values: &[Value<'_>]) -> Result<(), WriteError> {
    if columns.len() != values.len() {
        return Err(WriteError::Width { row, values: values.len(), columns: columns.len() });
    }
    match columns.iter().zip(values).enumerate().find(|(_, (column, value))| !column.kind.fits(value)) {
        Some((index, (column, _))) => Err(WriteError::Kind { place: Place { row, column: index }, kind: column.kind }),
        None => Ok(()),
    }
}

/// An amount with at least so many digits after the point, and all it has.
fn money(mut amount: Decimal, digits: u8) -> Decimal {
    let digits = u32::from(digits);
    amount = amount.normalize();
    if amount.scale() < digits {
        amount.rescale(digits);
    }
    amount
}
