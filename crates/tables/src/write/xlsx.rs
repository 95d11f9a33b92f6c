//! Workbooks, written as they grow: no row is kept and no file put aside, so that a long export streams to whoever waits
//! for it. Numbers are written exactly, digit by digit.

use std::fmt::Write as _;
use std::io::{self, Write};

use chrono::{DateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::formula::is_formula;
use crate::place::{MAX_ROWS, Place, letters};
use crate::xlsx::serial;

use super::gate::{Gate, Keeper};
use super::xml::{self, escaped};
use super::{Column, Kind, TableWriter, Value, WriteError, checked, fit};

/// Characters of a cell, as a spreadsheet counts them (UTF-16).
const CELL_CHARACTERS: usize = 32_767;

/// Level of compression, from 0 to 9. On rows of amounts, 6 takes twice the time and saves a fiftieth of the bytes; 1 saves
/// a third of the time and makes the file half as large again.
const COMPRESSION: i64 = 3;

/// Characters of a sheet's name.
const NAME_CHARACTERS: usize = 31;

/// A workbook to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workbook {
    /// The name of its one sheet. What a spreadsheet does not allow in it becomes `-`.
    pub sheet: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What stands beside the totals, in the first column if that holds text. There are totals if a column is totalled.
    pub total: String,
    /// When it was made, as its properties say. Given the same moment, the same rows make the same bytes.
    pub created: DateTime<Utc>,
}

/// Writes a workbook (Office Open XML) with one sheet: the header frozen and filtered, real numbers and days, totals as
/// formulas with their results. Text is never calculated: in a workbook, text and formulas are two kinds of cells; what
/// looks like a formula is marked so that it stays text when somebody edits it.
#[derive(Debug)]
pub struct XlsxWriter<W: Write> {
    // First, so that it is dropped before the zip.
    keeper: Keeper,
    zip: ZipWriter<StreamWriter<Gate<W>>>,
    workbook: Workbook,
    totals: Vec<Decimal>,
    row: u32,
    line: String,
}

impl<W: Write> XlsxWriter<W> {
    /// Begins a workbook: writes all that stands before the first row.
    ///
    /// # Errors
    /// There are no columns or too many, a name is too long for a cell, or writing failed.
    pub fn new(out: W, workbook: Workbook) -> Result<Self, WriteError> {
        let columns = checked(workbook.columns)?;
        let sheet = sheet_name(&workbook.sheet);
        let totals = vec![Decimal::ZERO; columns.len()];
        let workbook = Workbook { sheet, columns, ..workbook };
        let (gate, keeper) = Gate::before(out);
        let zip = ZipWriter::new_stream(gate);
        let mut writer = Self { keeper, zip, workbook, totals, row: 1, line: String::new() };
        writer.part("[Content_Types].xml", &xml::content_types())?;
        writer.part("_rels/.rels", &xml::root())?;
        writer.part("docProps/core.xml", &xml::core(writer.workbook.created))?;
        writer.part("xl/styles.xml", &xml::styles(&writer.workbook.columns))?;
        writer.part("xl/_rels/workbook.xml.rels", &xml::related())?;
        writer.part("xl/worksheets/sheet1.xml", &xml::sheet_head(&writer.workbook.columns))?;
        writer.header()?;
        Ok(writer)
    }

    /// Begins a part with its first text.
    fn part(&mut self, name: &str, text: &str) -> Result<(), WriteError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(COMPRESSION))
            .last_modified_time(zip::DateTime::default());
        self.zip.start_file(name, options).map_err(failed)?;
        Ok(self.zip.write_all(text.as_bytes())?)
    }

    fn header(&mut self) -> Result<(), WriteError> {
        let names: Vec<_> = self.workbook.columns.iter().map(|column| column.name.clone()).collect();
        self.line.push_str("<row r=\"1\">");
        for (index, name) in names.iter().enumerate() {
            self.text(index, xml::HEADER, name)?;
        }
        self.end_row()
    }

    fn end_row(&mut self) -> Result<(), WriteError> {
        self.line.push_str("</row>");
        self.zip.write_all(self.line.as_bytes())?;
        self.line.clear();
        Ok(())
    }

    fn text(&mut self, column: usize, style: usize, text: &str) -> Result<(), WriteError> {
        if text.len() > CELL_CHARACTERS && text.encode_utf16().count() > CELL_CHARACTERS {
            return Err(WriteError::TextTooLong { place: Place { row: self.row, column } });
        }
        let _ = write!(
            self.line,
            "<c r=\"{}{}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
            letters(column),
            self.row,
            escaped(text)
        );
        Ok(())
    }

    fn number(&mut self, column: usize, style: usize, number: Decimal) {
        let number = number.normalize();
        let _ = write!(self.line, "<c r=\"{}{}\" s=\"{style}\"><v>{number}</v></c>", letters(column), self.row);
    }

    fn cell(&mut self, index: usize, value: &Value<'_>) -> Result<(), WriteError> {
        let style = xml::cells(index);
        let day = match value {
            Value::Empty => return Ok(()),
            Value::Text(text) if text.is_empty() => return Ok(()),
            Value::Text(text) => {
                return self.text(index, if is_formula(text) { xml::QUOTED } else { style }, text);
            }
            Value::Number(number) => {
                self.add(index, *number)?;
                self.number(index, style, *number);
                return Ok(());
            }
            Value::Date(date) => date.and_time(NaiveTime::MIN),
            Value::DateTime(time) => *time,
        };
        match serial(day) {
            Some(serial) => self.number(index, style, serial),
            // Before spreadsheets agree on days.
            None => self.text(index, style, &day.format("%Y-%m-%d %H:%M:%S").to_string())?,
        }
        Ok(())
    }

    fn add(&mut self, index: usize, number: Decimal) -> Result<(), WriteError> {
        let column = self.workbook.columns.get(index).filter(|column| column.totalled);
        if let (Some(column), Some(total)) = (column, self.totals.get_mut(index)) {
            let sum = total.checked_add(number);
            *total = sum.ok_or_else(|| WriteError::TotalTooLarge { column: column.name.clone() })?;
        }
        Ok(())
    }

    /// The row of totals: formulas, and beside them the exact sums as their results.
    fn totals(&mut self, last: u32) -> Result<(), WriteError> {
        self.row = last + 1;
        let _ = write!(self.line, "<row r=\"{}\">", self.row);
        let labelled = self.workbook.columns.first().is_some_and(|column| column.kind == Kind::Text);
        if labelled {
            let label = self.workbook.total.clone();
            self.text(0, xml::total(0), &label)?;
        }
        for (index, column) in self.workbook.columns.iter().enumerate().skip(usize::from(labelled)) {
            let (letters, style) = (letters(index), xml::total(index));
            let _ = write!(self.line, "<c r=\"{letters}{}\" s=\"{style}\"", self.row);
            let sum = self.totals.get(index).filter(|_| column.totalled).map(Decimal::normalize);
            let _ = match sum {
                Some(sum) if last > 1 => {
                    write!(self.line, "><f>SUM({letters}2:{letters}{last})</f><v>{sum}</v></c>")
                }
                Some(sum) => write!(self.line, "><v>{sum}</v></c>"),
                None => write!(self.line, "/>"),
            };
        }
        self.end_row()
    }
}

impl<W: Write> TableWriter for XlsxWriter<W> {
    type Output = W;

    fn row(&mut self, values: &[Value<'_>]) -> Result<(), WriteError> {
        // One row is kept free for the totals.
        if self.row + 1 >= MAX_ROWS {
            return Err(WriteError::TooManyRows);
        }
        self.row += 1;
        fit(&self.workbook.columns, self.row, values)?;
        let _ = write!(self.line, "<row r=\"{}\">", self.row);
        for (index, value) in values.iter().enumerate() {
            self.cell(index, value)?;
        }
        self.end_row()
    }

    fn finish(mut self) -> Result<W, WriteError> {
        let (last, columns) = (self.row, self.workbook.columns.len());
        if self.workbook.columns.iter().any(|column| column.totalled) {
            self.totals(last)?;
        }
        let corner = letters(columns - 1);
        write!(self.zip, "</sheetData><autoFilter ref=\"A1:{corner}{last}\"/></worksheet>")?;
        self.part("xl/workbook.xml", &xml::workbook(&self.workbook.sheet, columns, last))?;
        let Self { keeper, zip, .. } = self;
        let gate = zip.finish().map_err(failed)?.into_inner();
        drop(keeper);
        Ok(gate.into_inner())
    }
}

/// A name that a spreadsheet allows on a tab.
fn sheet_name(name: &str) -> String {
    let forbidden = |c: char| c.is_control() || matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\');
    let allowed = name.chars().map(|c| if forbidden(c) { '-' } else { c }).take(NAME_CHARACTERS);
    let mut units = 0;
    let short = allowed.take_while(|c| {
        units += c.len_utf16();
        units <= NAME_CHARACTERS
    });
    let name: String = short.collect();
    match name.trim_matches(['\'', ' ']) {
        "" => "Sheet1".to_owned(),
        name => name.to_owned(),
    }
}

fn failed(error: ZipError) -> WriteError {
    WriteError::Io(match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other),
    })
}
