//! CSV that a spreadsheet opens rightly with a double click: UTF-8 with a byte order mark, commas, CRLF.

use std::borrow::Cow;
use std::io::{BufWriter, Write};

use crate::formula::neutralised;

use super::{Column, Kind, TableWriter, Value, WriteError, checked, fit, money};

/// Writes CSV (RFC 4180). Text that a spreadsheet would calculate gets an apostrophe before it, which
/// [`read`](crate::read()) takes off again; numbers never do. Days and times are in ISO form, amounts with the digits of
/// their currency. There is no row of totals: what reads this would take it for data.
#[derive(Debug)]
pub struct CsvWriter<W: Write> {
    out: BufWriter<W>,
    columns: Vec<Column>,
    row: u32,
}

impl<W: Write> CsvWriter<W> {
    /// Begins a table: writes its header.
    ///
    /// # Errors
    /// There are no columns or too many, or writing failed.
    pub fn new(out: W, columns: Vec<Column>) -> Result<Self, WriteError> {
        let mut writer = Self { out: BufWriter::new(out), columns: checked(columns)?, row: 1 };
        writer.out.write_all("\u{feff}".as_bytes())?;
        let names: Vec<_> = writer.columns.iter().map(|column| neutralised(&column.name).into_owned()).collect();
        writer.record(names.iter().map(|name| Cow::Borrowed(name.as_str())))?;
        Ok(writer)
    }

    fn record<'a>(&mut self, fields: impl Iterator<Item = Cow<'a, str>>) -> Result<(), WriteError> {
        for (index, field) in fields.enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            // Space at the ends is quoted, too: some programs trim it otherwise.
            let plain = !field.contains([',', ';', '\t', '"', '\r', '\n']) && field.trim().len() == field.len();
            if plain {
                self.out.write_all(field.as_bytes())?;
            } else {
                write!(self.out, "\"{}\"", field.replace('"', "\"\""))?;
            }
        }
        Ok(self.out.write_all(b"\r\n")?)
    }
}

impl<W: Write> TableWriter for CsvWriter<W> {
    type Output = W;

    fn row(&mut self, values: &[Value<'_>]) -> Result<(), WriteError> {
        self.row = self.row.saturating_add(1);
        fit(&self.columns, self.row, values)?;
        let fields: Vec<_> = self.columns.iter().zip(values).map(|(column, value)| field(column.kind, value)).collect();
        self.record(fields.into_iter())
    }

    fn finish(self) -> Result<W, WriteError> {
        self.out.into_inner().map_err(|error| WriteError::Io(error.into_error()))
    }
}

fn field<'v>(kind: Kind, value: &'v Value<'_>) -> Cow<'v, str> {
    match (kind, value) {
        (_, Value::Empty) => Cow::Borrowed(""),
        (_, Value::Text(text)) => neutralised(text),
        (Kind::Money { digits }, Value::Number(amount)) => Cow::Owned(money(*amount, digits).to_string()),
        (_, Value::Number(number)) => Cow::Owned(number.normalize().to_string()),
        (_, Value::Date(date)) => Cow::Owned(date.format("%Y-%m-%d").to_string()),
        (_, Value::DateTime(time)) => Cow::Owned(time.format("%Y-%m-%d %H:%M:%S%.f").to_string()),
    }
}
