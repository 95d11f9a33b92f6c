//! Files that people bring: bills and transaction details, looked at before anything of them is taken.
//!
//! ```text
//! bytes ─▶ table (within limits) ─▶ mapping (named, given or proposed) ─▶ rows, or every reason why not ─▶ what changes
//! ```
//!
//! Looking changes nothing. What is to be taken up comes back beside the preview, for whoever appends it.

mod bill;
mod transactions;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::catalog::Catalog;
use chopmark_domain::settlement::bill::import::ImportError;
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_tables::{Format, Limits, Table, TableError};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

pub use self::bill::{BillChange, BillFile, BillPreview, ChangedRowShown, RowShown, TotalShown};
pub use self::transactions::{TransactionsFile, TransactionsPreview};
use super::{Asking, ReportError};

/// Rows that a preview shows.
const FIRST_ROWS: usize = 10;
/// Rows of each kind of change that a preview shows.
const CHANGES: usize = 100;
/// Characters of a cell that a preview shows.
const CELL: usize = 200;

/// A file that somebody brought.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its name, for people.
    pub file_name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How its columns are to be read.
    pub mapping: MappingAsked,
}

/// Which columns are which fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingAsked {
    /// As the mapping that fits best says, one that was saved before one that ships.
    Proposed,
    /// As the mapping of this name says, saved or shipped.
    Named(String),
    /// So.
    Given(Mapping),
}

/// Why a file cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It is no table, or more of one than is read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No mapping is called so.
    #[error("there is no mapping {name:?}; known are {}", .known.join(", "))]
    NoMapping {
        /// The name asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// What it is compared with cannot be read.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowAsRead {
    /// Its number, as a spreadsheet counts.
    pub row: u32,
    /// Its cells, by the headers' order.
    pub cells: Vec<String>,
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileShown {
    /// Its name.
    pub file_name: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// `xlsx` or `csv`.
    pub format: &'static str,
    /// The encoding of a CSV file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// The sheet that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Other sheets of the workbook, which were not.
    pub other_sheets: Vec<String>,
    /// The row of the headers.
    pub header_row: u32,
    /// The headers.
    pub headers: Vec<String>,
    /// Rows under the headers.
    pub rows: usize,
    /// The name of the mapping by which the columns are read.
    pub mapping: String,
    /// Header to field.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub columns: BTreeMap<String, Field>,
    /// Headers that no field belongs to; their columns are passed over.
    pub unmapped: Vec<String>,
    /// Fields that no column says.
    #[schema(value_type = Vec<String>)]
    pub unsaid: Vec<Field>,
    /// The first rows, as they stand there.
    pub first_rows: Vec<RowAsRead>,
}

/// Why nothing of a file is taken: a cell, or the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FileProblem)]
pub struct ProblemShown {
    /// The row, as a spreadsheet counts; absent if the file as a whole is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// The header of the column; absent if the row as a whole is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

/// A file's table with the mapping by which it is read.
struct Opened {
    shown: FileShown,
    mapping: Mapping,
    table: Table,
}

impl Opened {
    fn headers(&self) -> Vec<&str> {
        self.table.header.iter().map(String::as_str).collect()
    }

    /// Every row's cells as text.
    fn texts(&self) -> Vec<(u32, Vec<Cow<'_, str>>)> {
        let rows = self.table.rows.iter();
        rows.map(|row| (row.number, row.cells.iter().map(chopmark_tables::Cell::shown).collect())).collect()
    }
}

fn open(upload: Upload, catalog: &Catalog) -> Result<Opened, UploadError> {
    let Upload { file_name, bytes, mapping } = upload;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let table = chopmark_tables::read(&bytes, Limits::default())?;
    drop(bytes);
    let headers: Vec<_> = table.header.iter().map(String::as_str).filter(|header| !header.is_empty()).collect();
    let (mapping, unmapped) = mapped(mapping, catalog, &headers)?;
    let said: BTreeSet<_> = headers.iter().filter_map(|header| mapping.field(header)).collect();
    let (format, encoding) = match table.format {
        Format::Xlsx => ("xlsx", None),
        Format::Csv { encoding, .. } => ("csv", Some(encoding)),
    };
    let first_rows = table.rows.iter().take(FIRST_ROWS).map(|row| RowAsRead {
        row: row.number,
        cells: row.cells.iter().map(|cell| cell.shown().chars().take(CELL).collect()).collect(),
    });
    let shown = FileShown {
        file_name,
        sha256,
        format,
        encoding,
        sheet: table.sheet.clone(),
        other_sheets: table.other_sheets.clone(),
        header_row: table.header_number,
        headers: table.header.clone(),
        rows: table.rows.len(),
        mapping: mapping.name.clone(),
        columns: mapping.columns.clone(),
        unmapped,
        unsaid: Field::all().filter(|field| !said.contains(field)).collect(),
        first_rows: first_rows.collect(),
    };
    Ok(Opened { shown, mapping, table })
}

/// The mapping that is meant, and the headers that it does not know.
fn mapped(asked: MappingAsked, catalog: &Catalog, headers: &[&str]) -> Result<(Mapping, Vec<String>), UploadError> {
    let known = known_mappings(catalog);
    let mapping = match asked {
        MappingAsked::Proposed => {
            let proposal = Mapping::propose_from(headers, &known);
            return Ok((proposal.mapping, proposal.unmapped));
        }
        MappingAsked::Given(mapping) => mapping,
        MappingAsked::Named(name) => match known.iter().find(|mapping| mapping.name == name) {
            Some(mapping) => mapping.clone(),
            None => {
                let known = known.into_iter().map(|mapping| mapping.name).collect();
                return Err(UploadError::NoMapping { name, known });
            }
        },
    };
    // Only what the file has, in its own words: that is what an event keeps.
    let columns = headers.iter().filter_map(|header| Some(((*header).to_owned(), mapping.field(header)?)));
    let columns: BTreeMap<_, _> = columns.collect();
    let unmapped = headers.iter().filter(|header| !columns.contains_key(**header)).map(|&header| header.into());
    let unmapped = unmapped.collect();
    Ok((Mapping { name: mapping.name, columns }, unmapped))
}

/// Mappings by which files can be read: those that were saved, then those that ship.
#[must_use]
pub fn known_mappings(catalog: &Catalog) -> Vec<Mapping> {
    catalog.mappings().cloned().chain(Mapping::shipped()).collect()
}

/// Why nothing is taken, and how many more reasons there are.
fn problems(error: ImportError) -> (Vec<ProblemShown>, usize) {
    let whole = |problem: String| vec![ProblemShown { row: None, column: None, problem }];
    match error {
        ImportError::Cells { bad, more } => {
            let problems = bad.into_iter().map(|cell| ProblemShown {
                row: Some(cell.row),
                column: Some(cell.column).filter(|column| !column.is_empty()),
                problem: cell.problem.to_string(),
            });
            (problems.collect(), more)
        }
        other => (whole(other.to_string()), 0),
    }
}

/// Runs what takes long where nobody waits for it.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UploadError> + Send + 'static,
) -> Result<T, UploadError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ReportError::Unfinished)?
}

/// What reading needs of who asks.
fn owned(asking: &Asking<'_>) -> (Catalog, chopmark_domain::settlement::money::Currency) {
    (asking.catalog.clone(), asking.rules().terms.site.currency())
}
