//! What happens to a bill: imported, imported anew, judged, and on its way to payment. One stream for each.

use serde::{Deserialize, Serialize};

use super::mapping::Mapping;
use super::{Bill, BillIdentity, BillRow};
use crate::codec::events;
use crate::settlement::line::bill_state::BillState;
use crate::settlement::reconciliation::judgement::Judged;

/// Rows that one event holds, so that no event grows beyond what a log takes.
pub const ROWS_PER_EVENT: usize = 500;

/// A bill was imported, or imported anew. Its rows follow in the same append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillImported {
    /// Counts the imports of this bill, from 1.
    pub revision: u32,
    /// The file's name, for people.
    pub file_name: String,
    /// SHA-256 of the file's bytes, hexadecimal.
    pub sha256: String,
    /// How its columns were read.
    pub mapping: Mapping,
    /// How many rows it has.
    pub rows: u32,
}

/// Rows of the import before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillRowsListed {
    /// Of which revision.
    pub revision: u32,
    /// At most [`ROWS_PER_EVENT`].
    pub rows: Vec<BillRow>,
}

/// A person accepted or disputed a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceJudged {
    /// The judgement, with what was judged.
    pub judged: Judged,
}

/// How far the bill is, as an operator read it on the console, or as the rows of its file say. What is absent stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BillProgressed {
    /// Its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BillState>,
    /// The payment request; several bills may share one (S19).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_request_no: Option<String>,
    /// The invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice_no: Option<String>,
}

events! {
    /// Events of a bill.
    pub enum Event {
        /// Imported.
        Imported(BillImported) = "bill_imported.v1",
        /// Its rows.
        RowsListed(BillRowsListed) = "bill_rows_listed.v1",
        /// A difference judged.
        DifferenceJudged(DifferenceJudged) = "bill_difference_judged.v1",
        /// Further on its way.
        Progressed(BillProgressed) = "bill_progressed.v1",
    }
}

/// A bill, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptBill {
    /// The last import; `None` before the first.
    pub imported: Option<BillImported>,
    /// The rows of the last import, in the order of the file.
    pub rows: Vec<BillRow>,
    /// The last judgement on each pair that was judged.
    pub judgements: Vec<Judged>,
    /// How far it is: by what an operator or the rows of an import said last.
    pub progress: BillProgressed,
}

impl KeptBill {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::Imported(imported) => {
                self.imported = Some(imported.clone());
                self.rows.clear();
            }
            Event::RowsListed(BillRowsListed { rows, .. }) => {
                self.progress.take_up(&BillProgressed::said_by(rows));
                self.rows.extend_from_slice(rows);
            }
            Event::DifferenceJudged(DifferenceJudged { judged }) => {
                self.judgements.retain(|other| (&other.key, other.currency) != (&judged.key, judged.currency));
                self.judgements.push(judged.clone());
            }
            Event::Progressed(progress) => self.progress.take_up(progress),
        }
    }

    /// The bill as it was imported last; `None` before the first import.
    #[must_use]
    pub fn bill(&self, identity: &BillIdentity) -> Option<Bill> {
        self.imported.is_some().then(|| Bill { identity: identity.clone(), rows: self.rows.clone() })
    }

    /// The events that take an import up as the next revision; none if its rows are those of the last one.
    /// `imported.revision` is set here.
    #[must_use]
    pub fn import(&self, imported: BillImported, rows: &[BillRow]) -> Vec<Event> {
        if self.imported.is_some() && self.rows == rows {
            return vec![];
        }
        let revision = self.imported.as_ref().map_or(0, |last| last.revision) + 1;
        let parts = rows.chunks(ROWS_PER_EVENT).map(|rows| BillRowsListed { revision, rows: rows.to_vec() }.into());
        std::iter::once(BillImported { revision, ..imported }.into()).chain(parts).collect()
    }

    /// The event of a judgement; none if that is the last word already.
    #[must_use]
    pub fn judge(&self, judged: Judged) -> Vec<Event> {
        if self.judgements.contains(&judged) { vec![] } else { vec![DifferenceJudged { judged }.into()] }
    }

    /// The event that takes the bill's progress up; none if it says nothing new.
    #[must_use]
    pub fn progress(&self, progress: BillProgressed) -> Vec<Event> {
        let mut known = self.progress.clone();
        known.take_up(&progress);
        if known == self.progress { vec![] } else { vec![progress.into()] }
    }
}

impl BillProgressed {
    /// What rows of a bill say of it; where they say several things, the last.
    #[must_use]
    pub fn said_by(rows: &[BillRow]) -> Self {
        Self {
            state: rows.iter().rev().find_map(|row| row.bill_state),
            payment_request_no: rows.iter().rev().find_map(|row| row.payment_request_no.clone()),
            invoice_no: rows.iter().rev().find_map(|row| row.invoice_no.clone()),
        }
    }

    /// Takes up what is newer; what it leaves out stays.
    pub fn take_up(&mut self, newer: &Self) {
        self.state = newer.state.or(self.state);
        if newer.payment_request_no.is_some() {
            self.payment_request_no.clone_from(&newer.payment_request_no);
        }
        if newer.invoice_no.is_some() {
            self.invoice_no.clone_from(&newer.invoice_no);
        }
    }
}
