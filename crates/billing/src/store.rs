//! Where the billing views are kept: what a store must do.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chopmark_domain::ids::{OrderId, SellerId, Sku};
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::product::{Category, LineType};
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::rows::{AdjustmentRow, AgeRow, BillHead, BilledRow, ClosedRow, LineRow, PeriodRow};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process wrote meanwhile. Nothing was written.
    #[error("the billing views were written by another process meanwhile: only one may keep them")]
    Moved,
    /// It was made by another version of this program, or holds something else.
    #[error("the billing views are of version {found}, this program keeps version {wanted}: run `chopmark rebuild`")]
    Version {
        /// The version found.
        found: u32,
        /// The version of this program.
        wanted: u32,
    },
    /// It cannot be read or written now.
    #[error("the billing views cannot be reached: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("the billing views are damaged: {reason}; run `chopmark rebuild`")]
    Damaged {
        /// How it shows.
        reason: String,
    },
}

/// How far the views are: written in the same transaction as what follows from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Everything up to here is in the views, but for the work below.
    pub position: Position,
    /// What must be drawn up anew before the next event is taken up, as the bookkeeper wrote it. Opaque to the store.
    pub work: String,
    /// Which log it is: the bookkeeper's mark of it. Opaque to the store.
    pub log: String,
}

/// What the bookkeeper keeps between events. Opaque to the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentKey {
    /// Whose.
    pub seller: SellerId,
    /// Which kind, e.g. `case`; a short name.
    pub kind: &'static str,
    /// Its name within the kind; at most 200 characters.
    pub name: String,
}

/// What one transaction writes: rows as they are from now on.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The checkpoint from now on.
    pub checkpoint: Checkpoint,
    /// Documents, JSON; `None` takes one away.
    pub documents: BTreeMap<DocumentKey, Option<String>>,
    /// Lines by seller and id; `None` takes one away.
    pub lines: BTreeMap<(SellerId, String), Option<LineRow>>,
    /// Periods, whole; one without lines takes it away.
    pub periods: Vec<PeriodRow>,
    /// Ages, whole; one without lines takes it away.
    pub ages: Vec<AgeRow>,
    /// Months that were closed.
    pub closed: Vec<ClosedRow>,
    /// Adjustments that were recorded.
    pub adjustments: Vec<AdjustmentRow>,
    /// Bills, in place of what was known of them.
    pub bills: Vec<BillHead>,
    /// Bills whose rows are taken away first.
    pub cleared_bills: Vec<BillIdentity>,
    /// Rows of bills, added.
    pub bill_rows: Vec<BilledRow>,
}

/// What was read, with how far the views were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// Everything up to here is in it.
    pub position: Position,
    /// What was asked for.
    pub value: T,
}

/// Which lines are asked for; absent means any. They come in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineQuery {
    /// Whose.
    pub seller: SellerId,
    /// Of which period.
    pub period: PeriodFilter,
    /// Of which tab; those of which it is not known count as the first one.
    pub category: Option<Category>,
    /// Of which kind.
    pub line_type: Option<LineType>,
    /// Of which specification.
    pub sku: Option<Sku>,
    /// Of which order.
    pub order_id: Option<OrderId>,
    /// Only those of a closed month that would be others now.
    pub recomputed: bool,
    /// Only those whose amount cannot be said.
    pub not_computed: bool,
    /// Only those that rest on an estimate, or only those that do not.
    pub estimated: Option<bool>,
    /// Only those that [may wait](LineRow::may_wait) for more than the run of their bill.
    pub may_wait: bool,
    /// Only those that may not, and are ready at this moment, UTC, or later.
    pub ready_from: Option<DateTime<Utc>>,
    /// Only those after this line id.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

impl LineQuery {
    /// All lines of a seller, as many as a page has.
    #[must_use]
    pub fn every(seller: SellerId, limit: usize) -> Self {
        Self {
            seller,
            period: PeriodFilter::Any,
            category: None,
            line_type: None,
            sku: None,
            order_id: None,
            recomputed: false,
            not_computed: false,
            estimated: None,
            may_wait: false,
            ready_from: None,
            after: None,
            limit,
        }
    }
}

/// Lines of which period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodFilter {
    /// Any, also of none.
    Any,
    /// This one.
    In(Period),
    /// Those whose period cannot be said.
    None,
}

impl PeriodFilter {
    /// The one period that is asked for, if it is one.
    #[must_use]
    pub fn only(self) -> Option<Period> {
        if let Self::In(period) = self { Some(period) } else { None }
    }
}

/// A store of the billing views. Every engine keeps these promises, and the contract suite holds it to them:
/// - [`commit`](Self::commit) writes everything or nothing, and nothing if the views are elsewhere than expected.
/// - A read sees whole transactions only, and says how far the views were.
/// - What was written is read back equal, to the last digit.
#[async_trait]
pub trait BillingStore: Send + Sync + 'static {
    /// How far the views are; the default before anything was written.
    ///
    /// # Errors
    /// [`StoreError`], as everywhere here.
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError>;

    /// Documents by their keys; those that are not there are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn documents(&self, keys: &[DocumentKey]) -> Result<BTreeMap<DocumentKey, String>, StoreError>;

    /// Documents of a seller and a kind after a name, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn documents_after(
        &self,
        seller: &SellerId,
        kind: &'static str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(DocumentKey, String)>, StoreError>;

    /// Writes changes in one transaction, if the checkpoint is still the expected one.
    ///
    /// # Errors
    /// [`StoreError::Moved`] if it is not; others.
    async fn commit(&self, expected: &Checkpoint, changes: &Changes) -> Result<(), StoreError>;

    /// Takes everything away: the views are built anew from the log.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn clear(&self) -> Result<(), StoreError>;

    /// Lines.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn lines(&self, query: &LineQuery) -> Result<Read<Vec<LineRow>>, StoreError>;

    /// One line.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn line(&self, seller: &SellerId, line_id: &str) -> Result<Read<Option<LineRow>>, StoreError>;

    /// All lines of these orders, at most 1,000 orders, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn lines_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<LineRow>, StoreError>;

    /// What periods come to: by period (none first), tab, currency.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn periods(&self, seller: &SellerId) -> Result<Read<Vec<PeriodRow>>, StoreError>;

    /// What lines come to by age, of this period and later ones or of all: by period, currency, day (none first).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn ages(&self, seller: &SellerId, from: Option<Period>) -> Result<Read<Vec<AgeRow>>, StoreError>;

    /// Closed months, by period.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn closed(&self, seller: &SellerId) -> Result<Read<Vec<ClosedRow>>, StoreError>;

    /// Recorded adjustments, by period and id.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn adjustments(&self, seller: &SellerId) -> Result<Read<Vec<AdjustmentRow>>, StoreError>;

    /// Imported bills, of one period or all, by period and tab.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn bills(&self, seller: &SellerId, period: Option<Period>) -> Result<Read<Vec<BillHead>>, StoreError>;

    /// Rows of a bill after a row number, in the order of the file.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn bill_rows(
        &self,
        identity: &BillIdentity,
        after_row: u32,
        limit: usize,
    ) -> Result<Vec<BilledRow>, StoreError>;

    /// All rows of the seller's bills that name these orders, at most 1,000 orders.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn rows_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<BilledRow>, StoreError>;
}
