//! Rows become a table, within its bounds.

use crate::cell::Cell;
use crate::error::TableError;
use crate::limits::Limits;
use crate::place::Place;
use crate::table::{Format, Row, Table};

/// Cells a row must fill to be the header.
const HEADER_CELLS: usize = 2;

/// Takes the cells of a file in their order and counts what they cost.
pub(crate) struct Gatherer {
    limits: Limits,
    preamble: Vec<Row>,
    header: Option<Row>,
    rows: Vec<Row>,
    row: Row,
    cells: usize,
    text_bytes: usize,
}

impl Gatherer {
    pub(crate) fn new(limits: Limits) -> Self {
        let row = Row { number: 0, cells: vec![] };
        Self { limits, preamble: vec![], header: None, rows: vec![], row, cells: 0, text_bytes: 0 }
    }

    /// Begins a row. The one before it is as it is.
    pub(crate) fn begin(&mut self, number: u32) {
        self.row = Row { number, cells: vec![] };
    }

    /// Where a cell of the row is.
    pub(crate) fn place(&self, column: usize) -> Place {
        Place { row: self.row.number, column }
    }

    /// Puts a cell into the row, to the right of all before it. An empty one costs nothing.
    pub(crate) fn put(&mut self, column: usize, cell: Cell) -> Result<(), TableError> {
        if cell.is_empty() {
            return Ok(());
        }
        if column >= self.limits.columns {
            return Err(TableError::TooManyColumns { place: self.place(column), limit: self.limits.columns });
        }
        if self.row.cells.is_empty() && self.count() >= self.limits.rows {
            return Err(TableError::TooManyRows { row: self.row.number, limit: self.limits.rows });
        }
        self.cells += column + 1 - self.row.cells.len().min(column);
        if self.cells > self.limits.cells {
            return Err(TableError::TooManyCells { row: self.row.number, limit: self.limits.cells });
        }
        if let Cell::Text(text) = &cell {
            self.weigh(column, text)?;
        }
        self.row.cells.resize(column, Cell::Empty);
        self.row.cells.push(cell);
        Ok(())
    }

    fn weigh(&mut self, column: usize, text: &str) -> Result<(), TableError> {
        if text.len() > self.limits.cell_characters && text.chars().count() > self.limits.cell_characters {
            return Err(TableError::CellTooLong { place: self.place(column), limit: self.limits.cell_characters });
        }
        self.text_bytes += text.len();
        if self.text_bytes > self.limits.text_bytes {
            return Err(TableError::TooMuchText { limit: self.limits.text_bytes });
        }
        Ok(())
    }

    /// Ends the row: it is a title, the header, or data, or nothing if it has nothing in it.
    pub(crate) fn end(&mut self) {
        let number = self.row.number;
        let mut row = std::mem::replace(&mut self.row, Row { number, cells: vec![] });
        row.cells.shrink_to_fit();
        let filled = row.cells.iter().filter(|cell| !cell.is_empty()).count();
        if filled == 0 {
            return;
        }
        match (&self.header, filled >= HEADER_CELLS) {
            (Some(_), _) => self.rows.push(row),
            (None, true) => self.header = Some(row),
            (None, false) => self.preamble.push(row),
        }
    }

    /// How many rows have something in them.
    pub(crate) fn count(&self) -> usize {
        self.preamble.len() + usize::from(self.header.is_some()) + self.rows.len()
    }

    /// The table of all rows.
    pub(crate) fn finish(
        self,
        format: Format,
        sheet: Option<String>,
        other_sheets: Vec<String>,
    ) -> Result<Table, TableError> {
        let Self { header, preamble, rows, .. } = self;
        let header_row = header.ok_or(if preamble.is_empty() { TableError::Empty } else { TableError::NoHeader })?;
        let mut header: Vec<_> = header_row.cells.iter().map(|cell| cell.shown().trim().to_owned()).collect();
        let widest = rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
        header.resize(header.len().max(widest), String::new());
        Ok(Table { format, sheet, other_sheets, preamble, header_number: header_row.number, header, rows })
    }
}
