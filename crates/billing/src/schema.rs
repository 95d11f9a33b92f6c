//! The tables of the billing views, for every engine: their columns, what fills them, and what they mean to whoever reads
//! them with a tool of their own.

mod bills;
mod bookkeeping;
mod lines;
mod months;
#[cfg(test)]
mod tests;

pub(crate) use self::bills::{BILL_ROWS, BILLS};
pub(crate) use self::bookkeeping::{CHECKPOINT, DOCUMENTS, VERSIONS};
pub(crate) use self::lines::{AHEAD, LINES};
pub(crate) use self::months::{ADJUSTMENTS, AGES, CLOSED, PERIODS};
use crate::cell::Cell;

/// Grows with every change of the tables or of the documents in them. The views are then built anew from the log.
pub(crate) const VERSION: u32 = 1;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Amount,
    Moment,
    Flag,
    Json,
}

/// A column, without what fills it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether it always holds something.
    pub(crate) is_needed: bool,
    /// What it means.
    pub(crate) says: &'static str,
}

/// A column of rows, with what it takes from each.
pub(crate) struct Filled<R> {
    column: Column,
    of: fn(&R) -> Cell,
}

/// A column that always holds something.
pub(crate) const fn needed<R>(name: &'static str, kind: Kind, says: &'static str, of: fn(&R) -> Cell) -> Filled<R> {
    Filled { column: Column { name, kind, is_needed: true, says }, of }
}

/// A column that may be null.
pub(crate) const fn maybe<R>(name: &'static str, kind: Kind, says: &'static str, of: fn(&R) -> Cell) -> Filled<R> {
    Filled { column: Column { name, kind, is_needed: false, says }, of }
}

/// A way to find rows beside the key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Index {
    pub(crate) name: &'static str,
    /// Its columns.
    pub(crate) on: &'static str,
    /// Which rows are in it, as in a query; empty for all.
    pub(crate) only: &'static str,
}

/// A table of rows.
pub(crate) struct Table<R: 'static> {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    /// What tells its rows apart: columns, or expressions of one column.
    pub(crate) key: &'static [&'static str],
    pub(crate) indexes: &'static [Index],
    pub(crate) columns: &'static [Filled<R>],
}

/// A table, whatever its rows are.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) key: &'static [&'static str],
    pub(crate) indexes: &'static [Index],
    pub(crate) columns: Vec<Column>,
}

impl<R> Table<R> {
    /// The table without what fills it.
    pub(crate) fn layout(&self) -> Layout {
        Layout {
            name: self.name,
            says: self.says,
            key: self.key,
            indexes: self.indexes,
            columns: self.columns.iter().map(|filled| filled.column).collect(),
        }
    }

    /// A row as cells, in the order of the columns.
    pub(crate) fn cells(&self, row: &R) -> Vec<Cell> {
        self.columns.iter().map(|filled| (filled.of)(row)).collect()
    }
}

/// Every table, in the order of the page that describes them.
pub(crate) fn tables() -> Vec<Layout> {
    vec![
        LINES.layout(),
        PERIODS.layout(),
        AGES.layout(),
        CLOSED.layout(),
        ADJUSTMENTS.layout(),
        BILLS.layout(),
        BILL_ROWS.layout(),
        DOCUMENTS.layout(),
        CHECKPOINT.layout(),
        VERSIONS.layout(),
    ]
}
