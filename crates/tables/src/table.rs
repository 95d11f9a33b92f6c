//! What was read: a header and the rows under it.

use crate::cell::Cell;

/// A table as it stood in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What kind of file it was.
    pub format: Format,
    /// The sheet it stood on; `None` in CSV.
    pub sheet: Option<String>,
    /// The other visible sheets of the workbook, for [`read_sheet`](crate::read_sheet).
    pub other_sheets: Vec<String>,
    /// Rows above the header: titles and the like.
    pub preamble: Vec<Row>,
    /// The header's row, as the person sees it.
    pub header_number: u32,
    /// Names of the columns, without space around them; empty where the header has none. There is one for each column of
    /// the widest row.
    pub header: Vec<String>,
    /// The rows under the header that have something in them.
    pub rows: Vec<Row>,
}

/// The kind of a file, found by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A workbook (Office Open XML).
    Xlsx,
    /// Separated values.
    Csv {
        /// The encoding it is taken for: `UTF-8`, `UTF-16LE`, `UTF-16BE` or `gb18030`.
        encoding: &'static str,
        /// What separates cells: `,`, `;` or a tab, or what a first line `sep=…` says.
        separator: char,
    },
}

/// A row with something in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The row's number in the spreadsheet, from 1. In CSV, too, a cell of several lines is part of one row, and an empty
    /// line is one.
    pub number: u32,
    /// Its cells from the first column on, up to the last with something in it.
    pub cells: Vec<Cell>,
}

impl Row {
    /// The cell of a column, from 0; empty beyond the last.
    #[must_use]
    pub fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Empty)
    }
}
