//! Reports as tables for a spreadsheet: CSV and XLSX.
//!
//! Columns are named by the codes of the fields, which the shipped mapping `codes` reads back; moments are Beijing's and
//! say so in their header. Amounts are real numbers, exact to the last digit. In a workbook they are summed up under the
//! last row where all of them are in one currency.

mod lines;
mod summaries;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use chopmark_tables::{Column, CsvWriter, Kind, TableWriter, Value, Workbook, WriteError, XlsxWriter};
use chrono::{DateTime, NaiveDateTime, Utc};

pub use self::lines::LineExport;
pub use self::summaries::{forecast_table, pairs_table, periods_table};
use super::ReportError;

/// What stands beside the totals.
const TOTAL: &str = "Total";

/// As what a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values, UTF-8.
    Csv,
    /// A workbook.
    Xlsx,
}

impl ExportFormat {
    /// The format of a name: `csv` or `xlsx`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// How the names of its files end.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// A table as a whole: a few hundred rows, or some thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name, on the tab of a workbook.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, a value for each column.
    pub rows: Vec<Vec<Value<'static>>>,
}

impl Table {
    /// The table as the bytes of a file that was made at a moment.
    ///
    /// # Errors
    /// [`ReportError::Write`]: more rows than a workbook holds.
    pub fn file(self, format: ExportFormat, created: DateTime<Utc>) -> Result<Vec<u8>, ReportError> {
        let mut exporter = Exporter::begin(format, &self.name, self.columns, created)?;
        for row in &self.rows {
            exporter.row(row)?;
        }
        Ok(exporter.finish()?)
    }
}

/// Bytes that were written and not taken yet.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Writer {
    Csv(CsvWriter<Sink>),
    Xlsx(Box<XlsxWriter<Sink>>),
}

/// Writes a table row by row; what is written is taken away as it comes.
struct Exporter {
    writer: Writer,
    sink: Sink,
}

impl Exporter {
    fn begin(
        format: ExportFormat,
        name: &str,
        columns: Vec<Column>,
        created: DateTime<Utc>,
    ) -> Result<Self, WriteError> {
        let sink = Sink::default();
        let writer = match format {
            ExportFormat::Csv => Writer::Csv(CsvWriter::new(sink.clone(), columns)?),
            ExportFormat::Xlsx => {
                let workbook = Workbook { sheet: name.into(), columns, total: TOTAL.into(), created };
                Writer::Xlsx(Box::new(XlsxWriter::new(sink.clone(), workbook)?))
            }
        };
        Ok(Self { writer, sink })
    }

    fn row(&mut self, values: &[Value<'_>]) -> Result<(), WriteError> {
        match &mut self.writer {
            Writer::Csv(writer) => writer.row(values),
            Writer::Xlsx(writer) => writer.row(values),
        }
    }

    /// What was written since the last time.
    fn take(&self) -> Vec<u8> {
        self.sink.take()
    }

    /// The rest of the file.
    fn finish(self) -> Result<Vec<u8>, WriteError> {
        match self.writer {
            Writer::Csv(writer) => drop(writer.finish()?),
            Writer::Xlsx(writer) => drop(writer.finish()?),
        }
        Ok(self.sink.take())
    }
}

fn text(name: &str) -> Column {
    Column::new(name, Kind::Text)
}

/// A column of amounts, summed up where that makes sense.
fn amount(name: &str, one_currency: bool) -> Column {
    let column = Column::new(name, Kind::Money { digits: 2 });
    if one_currency { column.totalled() } else { column }
}

fn count(name: &str) -> Column {
    Column::new(name, Kind::Integer)
}

fn ratio(name: &str) -> Column {
    Column::new(name, Kind::Ratio)
}

fn day(name: &str) -> Column {
    Column::new(name, Kind::Date)
}

/// A column of moments, with the zone of its clock.
fn moment(name: &str) -> Column {
    Column::new(format!("{name} (UTC+8)"), Kind::DateTime)
}

/// A moment as a clock in Beijing shows it, to the second: spreadsheets know no finer.
fn there(at: DateTime<Utc>) -> NaiveDateTime {
    use chrono::SubsecRound;
    chopmark_domain::settlement::calendar::beijing(at).trunc_subsecs(0)
}

/// A code as serde writes it.
fn code(value: impl serde::Serialize) -> Value<'static> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => Value::from(code),
        _ => Value::Empty,
    }
}

fn number(count: u64) -> Value<'static> {
    Value::Number(count.into())
}
