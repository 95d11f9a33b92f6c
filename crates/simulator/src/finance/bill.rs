//! The bill of a month, as the marketplace makes it, and what can be wrong with one.

use super::books::Line;
use super::month::Month;
use super::sold::Sold;
use crate::orders::Cents;

/// A row of a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What was sold.
    pub sold: Sold,
    /// The platform fee that is shown, in hundredths of a percent.
    pub fee: i64,
    /// The share of the tier that is shown, in hundredths of a percent.
    pub tier: i64,
    /// What the seller gets, rounded.
    pub settled: Cents,
}

impl Row {
    /// What a line is on the bill.
    #[must_use]
    pub fn of(line: &Line) -> Self {
        Self { sold: line.sold.clone(), fee: line.fee, tier: line.tier, settled: line.settled().rounded() }
    }
}

/// The bill of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Which month.
    pub month: Month,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Bill {
    /// A bill of these lines.
    #[must_use]
    pub fn new(month: Month, lines: impl IntoIterator<Item = Line>) -> Self {
        Self { month, rows: lines.into_iter().map(|line| Row::of(&line)).collect() }
    }

    /// What it comes to.
    #[must_use]
    pub fn total(&self) -> Cents {
        self.rows.iter().map(|row| row.settled).sum()
    }

    /// Rows are added here; a row that names nothing known may be among them.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// A row is left out.
    pub fn leave_out(&mut self, name: &str) -> Option<Row> {
        let at = self.rows.iter().position(|row| row.sold.name() == name)?;
        Some(self.rows.remove(at))
    }

    /// A row is there twice.
    pub fn repeat(&mut self, name: &str) {
        if let Some(row) = self.rows.iter().find(|row| row.sold.name() == name).cloned() {
            self.rows.push(row);
        }
    }

    /// A row has another amount, for no reason that it shows.
    pub fn set_off(&mut self, name: &str, by: Cents) {
        self.change(name, |row| row.settled = row.settled + by);
    }

    /// A row is settled with another fee and another tier.
    pub fn settle_by(&mut self, name: &str, fee: i64, tier: i64) {
        self.change(name, |row| *row = Row::of(&Line { sold: row.sold.clone(), month: None, fee, tier }));
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.sold.name() == name) {
            change(row);
        }
    }
}
