//! Tables that people bring and take away: CSV and XLSX files, read safely and written as a spreadsheet likes them.
//!
//! **Reading.** [`read()`] takes the bytes of an upload, finds out by their content what they are, and gives a [`Table`]:
//! the names in the header row, and the rows under it with the numbers that the person sees beside them. Numbers are
//! exact decimals, taken from the text in the file. Whatever the bytes are, reading ends within its [`Limits`] and with
//! a table or a [`TableError`] that says where the trouble is and what to do.
//!
//! **Writing.** [`CsvWriter`] and [`XlsxWriter`] take rows of typed [`Value`]s one by one and keep none of them, so that a
//! table of any length streams in little memory. What they write depends on what they are given and on nothing else.
//!
//! ```
//! use chopmark_tables::{Cell, Column, CsvWriter, Kind, Limits, TableWriter, Value, read};
//! use rust_decimal::Decimal;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let columns = vec![Column::new("Order", Kind::Text), Column::new("Net", Kind::Money { digits: 2 })];
//! let mut writer = CsvWriter::new(Vec::new(), columns)?;
//! writer.row(&[Value::from("CS1"), Value::from(Decimal::new(125, 1))])?;
//! let file = writer.finish()?;
//!
//! let table = read(&file, Limits::default())?;
//! assert_eq!(table.header, ["Order", "Net"]);
//! assert_eq!(table.rows[0].number, 2);
//! assert_eq!(table.rows[0].cell(1), &Cell::Text("12.50".into()));
//! # Ok(())
//! # }
//! ```

mod cell;
mod csv;
mod error;
mod formula;
mod gather;
mod limits;
mod number;
mod place;
mod read;
mod table;
mod write;
mod xlsx;

pub use cell::{Cell, DecimalMark};
pub use error::TableError;
pub use limits::Limits;
pub use place::Place;
pub use read::{read, read_sheet};
pub use table::{Format, Row, Table};
pub use write::{Column, CsvWriter, Kind, TableWriter, Value, Workbook, WriteError, XlsxWriter};
