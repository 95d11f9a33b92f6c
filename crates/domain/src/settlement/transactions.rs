//! The console's transaction details (交易明细, S15) as they were imported: what the open API does not tell of orders.
//!
//! One stream for each file, named by the digest of its bytes: the same file again changes nothing, and a file is taken
//! as a whole or not at all.

pub mod read;

use serde::{Deserialize, Serialize};

use super::bill::mapping::Mapping;
use super::statement::Statement;
use crate::codec::events;

/// Rows that one event holds, so that no event grows beyond what a log takes.
pub const ROWS_PER_EVENT: usize = 500;

/// A file of transaction details was imported. Its rows follow in the same append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionsImported {
    /// The file's name, for people.
    pub file_name: String,
    /// SHA-256 of the file's bytes, hexadecimal.
    pub sha256: String,
    /// How its columns were read.
    pub mapping: Mapping,
    /// How many rows were taken.
    pub rows: u32,
}

/// A row of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedRow {
    /// Its row in the file, as a spreadsheet counts: the header is in row 1.
    pub row: u32,
    /// What it says.
    #[serde(flatten)]
    pub statement: Statement,
}

/// Rows of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionsListed {
    /// At most [`ROWS_PER_EVENT`].
    pub rows: Vec<StatedRow>,
}

events! {
    /// Events of one imported file.
    pub enum Event {
        /// Imported.
        Imported(TransactionsImported) = "transactions_imported.v1",
        /// Its rows.
        Listed(TransactionsListed) = "transactions_listed.v1",
    }
}

/// A file of transaction details, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transactions {
    imported: bool,
}

impl Transactions {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        self.imported |= matches!(event, Event::Imported(_));
    }

    /// The events that take a file up; none if it was.
    #[must_use]
    pub fn import(&self, imported: TransactionsImported, rows: &[StatedRow]) -> Vec<Event> {
        if self.imported {
            return vec![];
        }
        let parts = rows.chunks(ROWS_PER_EVENT).map(|rows| TransactionsListed { rows: rows.to_vec() }.into());
        std::iter::once(imported.into()).chain(parts).collect()
    }
}
