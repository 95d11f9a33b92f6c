//! What reading bills and reading transaction details have in common: the columns of a file, a row of it, and its bad
//! cells.

use super::cells::{self, CellError};
use super::import::{BadCell, ImportError};
use super::mapping::{Field, Mapping};
use crate::settlement::money::Currency;

/// How many bad cells are told; a file with more has another trouble than its cells.
const TOLD: usize = 100;

/// Words that a row of totals begins with.
const TOTALS: [&str; 5] = ["合计", "总计", "合計", "Total", "Grand Total"];

/// A column that is read.
pub(in crate::settlement) struct Column<'a> {
    at: usize,
    pub(in crate::settlement) header: &'a str,
    pub(in crate::settlement) field: Field,
}

/// The columns of a file that a mapping knows.
///
/// # Errors
/// Two of them say the same.
pub(in crate::settlement) fn columns<'a>(
    mapping: &Mapping,
    headers: &[&'a str],
) -> Result<Vec<Column<'a>>, ImportError> {
    let mut columns: Vec<Column<'a>> = vec![];
    for (at, &header) in headers.iter().enumerate() {
        let Some(field) = mapping.field(header) else { continue };
        if let Some(other) = columns.iter().find(|column| column.field == field) {
            return Err(ImportError::SameField { field, first: other.header.into(), second: header.into() });
        }
        columns.push(Column { at, header, field });
    }
    Ok(columns)
}

/// A row of a file. Cells missing at its end are empty ones.
#[derive(Clone, Copy)]
pub(in crate::settlement) struct SheetRow<'a> {
    pub(in crate::settlement) columns: &'a [Column<'a>],
    /// As a spreadsheet counts.
    pub(in crate::settlement) number: u32,
    pub(in crate::settlement) cells: &'a [&'a str],
}

impl<'a> SheetRow<'a> {
    /// Whether nothing stands in it.
    pub(in crate::settlement) fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// Whether it is a row of totals (合计).
    pub(in crate::settlement) fn is_total(&self) -> bool {
        let first = self.first().map(|first| first.trim_end_matches([':', '：']));
        first.is_some_and(|first| TOTALS.iter().any(|word| word.eq_ignore_ascii_case(first)))
    }

    fn first(&self) -> Option<&'a str> {
        self.cells.iter().map(|cell| cell.trim()).find(|cell| !cells::is_blank(cell))
    }

    /// The column of a field and what stands in it, if anything does.
    pub(in crate::settlement) fn cell(&self, field: Field) -> Option<(&'a Column<'a>, &'a str)> {
        let column = self.columns.iter().find(|column| column.field == field)?;
        Some((column, self.text(column).trim())).filter(|(_, cell)| !cells::is_blank(cell))
    }

    /// The header of a field's column; empty where there is none.
    pub(in crate::settlement) fn header(&self, field: Field) -> &'a str {
        self.columns.iter().find(|column| column.field == field).map_or("", |column| column.header)
    }

    pub(in crate::settlement) fn text(&self, column: &Column<'_>) -> &'a str {
        self.cells.get(column.at).copied().unwrap_or_default()
    }

    /// The currency of its amounts, where a column says it.
    pub(in crate::settlement) fn currency(&self) -> Result<Option<Currency>, BadCell> {
        let Some((column, cell)) = self.cell(Field::Currency) else { return Ok(None) };
        let currency = Currency::parse(&cell.to_ascii_uppercase());
        currency.map(Some).map_err(|problem| self.bad(column.header, problem))
    }

    /// A problem with a cell, or with the row as a whole where the column is empty.
    pub(in crate::settlement) fn bad(&self, column: &str, problem: impl Into<CellError>) -> BadCell {
        BadCell { row: self.number, column: column.into(), problem: problem.into() }
    }
}

/// The bad cells of a file: the first of them, and how many more there are.
#[derive(Default)]
pub(in crate::settlement) struct BadCells {
    bad: Vec<BadCell>,
    more: usize,
}

impl BadCells {
    pub(in crate::settlement) fn add(&mut self, problem: BadCell) {
        if self.bad.len() < TOLD { self.bad.push(problem) } else { self.more += 1 }
    }

    /// # Errors
    /// If there are any.
    pub(in crate::settlement) fn none(self) -> Result<(), ImportError> {
        let Self { bad, more } = self;
        if bad.is_empty() { Ok(()) } else { Err(ImportError::Cells { bad, more }) }
    }
}
