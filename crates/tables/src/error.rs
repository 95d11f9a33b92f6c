//! Why a file could not be read as a table, and what its owner can do.

use crate::place::Place;

/// A file that is no table to read, or more of one than is read. Each text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// There is nothing in the file.
    #[error("the file is empty: choose one with a header row and rows under it")]
    Empty,
    /// More bytes than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the file has {bytes} bytes, at most {limit} are read: split it")]
    TooLarge {
        /// Bytes of the file.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The format of Excel before 2007.
    #[error("this is an Excel 97-2003 workbook (.xls): open it in a spreadsheet and save it as XLSX or CSV")]
    OldExcel,
    /// A workbook with a password.
    #[error("the workbook is encrypted: take its password off and save it as XLSX or CSV")]
    Encrypted,
    /// Another kind of file altogether.
    #[error("this is {found}, not a table: save it as XLSX or CSV")]
    NotATable {
        /// What it looks like.
        found: &'static str,
    },
    /// Part of the file is broken or cut off.
    #[error("{part} is damaged ({why}): open the file in a spreadsheet and save it anew as XLSX")]
    Damaged {
        /// The part of the workbook.
        part: String,
        /// What is wrong with it.
        why: String,
    },
    /// A document type definition, which no spreadsheet writes and through which files attack.
    #[error("{part} has a document type definition, which is not read: save the file anew as XLSX in a spreadsheet")]
    Dtd {
        /// The part of the workbook.
        part: String,
    },
    /// More entries than [`Limits::entries`](crate::Limits::entries).
    #[error("the workbook has more than {limit} parts: copy the table alone into a new workbook")]
    TooManyEntries {
        /// Entries allowed.
        limit: usize,
    },
    /// More than [`Limits::unpacked_bytes`](crate::Limits::unpacked_bytes) or its ratio.
    #[error(
        "the workbook unpacks to more than {limit} bytes: copy the table alone into a new workbook, or save it as CSV"
    )]
    UnpacksTooLarge {
        /// Bytes allowed for a file of its size.
        limit: u64,
    },
    /// More rows than [`Limits::rows`](crate::Limits::rows).
    #[error("row {row} is one too many, at most {limit} rows are read: split the file")]
    TooManyRows {
        /// The row that did not fit, as the spreadsheet numbers it.
        row: u32,
        /// Rows allowed.
        limit: usize,
    },
    /// More columns than [`Limits::columns`](crate::Limits::columns).
    #[error("{place}: there are more than {limit} columns: take out those that are not needed")]
    TooManyColumns {
        /// The first cell that did not fit.
        place: Place,
        /// Columns allowed.
        limit: usize,
    },
    /// More cells than [`Limits::cells`](crate::Limits::cells).
    #[error(
        "row {row}: the table has more than {limit} cells: split the file, or take out columns that are not needed"
    )]
    TooManyCells {
        /// The row that did not fit, as the spreadsheet numbers it.
        row: u32,
        /// Cells allowed.
        limit: usize,
    },
    /// A longer text than [`Limits::cell_characters`](crate::Limits::cell_characters).
    #[error("{place}: the text has more than {limit} characters: shorten it")]
    CellTooLong {
        /// The cell.
        place: Place,
        /// Characters allowed.
        limit: usize,
    },
    /// More text than [`Limits::text_bytes`](crate::Limits::text_bytes).
    #[error(
        "the texts of the table have more than {limit} bytes: split the file, or take out columns that are not needed"
    )]
    TooMuchText {
        /// Bytes allowed.
        limit: usize,
    },
    /// A quotation mark that opens and never closes.
    #[error(
        "{place}: the quotation mark that opens here is never closed: close it, or write it twice if it is part of the text"
    )]
    UnclosedQuote {
        /// The cell it opens.
        place: Place,
    },
    /// Text in no encoding that is known here.
    #[error("line {line} is neither UTF-8 nor GB18030: save the file as CSV UTF-8, or as XLSX")]
    UnknownEncoding {
        /// The line of the first byte that is no UTF-8, from 1.
        line: usize,
    },
    /// A formula whose result is not in the file.
    #[error(
        "{place}: the file holds a formula without its result: open it in a spreadsheet and save it, so that it is calculated"
    )]
    NotCalculated {
        /// The cell.
        place: Place,
    },
    /// No row could be the header.
    #[error("no header row was found: there must be a row with names above the data, at least two of them")]
    NoHeader,
    /// The workbook has no sheet of that name, or none that is visible.
    #[error("{}", no_sheet(.wanted.as_deref(), .sheets))]
    NoSheet {
        /// The sheet asked for.
        wanted: Option<String>,
        /// The visible sheets that there are.
        sheets: Vec<String>,
    },
}

fn no_sheet(wanted: Option<&str>, sheets: &[String]) -> String {
    match wanted {
        Some(wanted) => format!("the workbook has no visible sheet {wanted:?}: choose one of {}", sheets.join(", ")),
        None => "the workbook has no visible sheet: show the one with the table and save it".to_owned(),
    }
}
