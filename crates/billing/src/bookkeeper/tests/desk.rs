//! A store that a log is folded into, and that can be made to fail.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::round_to_cents;
use chopmark_log::Record;
use rust_decimal::Decimal;
use tempfile::TempDir;
use tokio::sync::watch;

use super::shop::acme;
use crate::bookkeeper::{BookError, Clerk};
use crate::dump::dump;
use crate::rows::{AdjustmentRow, AgeRow, BillHead, BilledRow, ClosedRow, LineRow, PeriodRow, tab_of};
use crate::sqlite::SqliteBilling;
use crate::store::{BillingStore, Changes, Checkpoint, DocumentKey, LineQuery, PeriodFilter, Read, StoreError};

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is done.
    Done,
    /// The process dies before it.
    DiesBefore,
    /// The process dies after it, and does not know.
    DiesAfter,
}

/// A desk with a store in a file.
pub(super) struct Desk {
    _folder: TempDir,
    pub(super) store: Arc<Frail>,
}

/// A store whose commits end as they are told; all that nobody told of are done.
pub(super) struct Frail {
    inner: SqliteBilling,
    fates: Mutex<VecDeque<Fate>>,
    /// Whoever holds it holds up every commit.
    pub(super) disk: tokio::sync::Mutex<()>,
    /// Commits that were begun.
    pub(super) begun: watch::Sender<usize>,
}

impl Desk {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inner = SqliteBilling::open(&folder.path().join("billing.db")).unwrap();
        Self { _folder: folder, store: Arc::new(Frail::of(inner)) }
    }

    /// A desk with everything that records tell.
    pub(super) async fn of(records: &[Record]) -> Self {
        let desk = Self::new();
        desk.fold(records, 1_024, 500).await;
        desk
    }

    pub(super) fn is_dealt(&self, fates: Vec<Fate>) {
        *self.store.fates.lock().unwrap_or_else(PoisonError::into_inner) = fates.into();
    }

    pub(super) async fn clerk(&self) -> Clerk {
        let store: Arc<dyn BillingStore> = self.store.clone();
        Clerk::open(store).await.unwrap()
    }

    /// Folds records in pages, in slices; after each death a new process goes on.
    pub(super) async fn fold(&self, records: &[Record], page: usize, slice: usize) {
        let mut clerk = self.clerk().await.with_slices_of(slice);
        for page in records.chunks(page) {
            while let Err(error) = clerk.take_up(page).await {
                assert!(matches!(error, BookError::Store(StoreError::Unavailable { .. })), "{error}");
                clerk = self.clerk().await.with_slices_of(slice);
            }
        }
    }

    pub(super) async fn lines(&self) -> Vec<LineRow> {
        self.lines_of(PeriodFilter::Any).await
    }

    pub(super) async fn lines_in(&self, period: &str) -> Vec<LineRow> {
        self.lines_of(PeriodFilter::In(super::shop::period(period))).await
    }

    async fn lines_of(&self, period: PeriodFilter) -> Vec<LineRow> {
        let query = LineQuery { period, ..LineQuery::every(acme(), 10_000) };
        self.store.lines(&query).await.unwrap().value
    }

    pub(super) async fn line(&self, line_id: &str) -> LineRow {
        self.store.line(&acme(), line_id).await.unwrap().value.unwrap_or_else(|| panic!("no line {line_id}"))
    }

    pub(super) async fn store_closed(&self) -> Vec<Period> {
        self.store.closed(&acme()).await.unwrap().value.into_iter().map(|row| row.period).collect()
    }

    pub(super) async fn store_bills(&self) -> Vec<BillHead> {
        self.store.bills(&acme(), None).await.unwrap().value
    }

    pub(super) async fn store_bill_rows(&self, identity: &BillIdentity) -> Vec<BilledRow> {
        self.store.bill_rows(identity, 0, 1_000).await.unwrap()
    }

    /// What the line of an order's line settles.
    pub(super) async fn settled(&self, order: &str) -> Decimal {
        let line = self.line(&format!("{order}-1")).await;
        line.line().settle_amount.unwrap().value
    }

    pub(super) async fn text(&self) -> String {
        dump(self.store.as_ref(), &BTreeSet::from([acme()])).await.unwrap()
    }

    /// Every line counts once in its period, and nothing else does.
    pub(super) async fn adds_up(&self) {
        let mut expected: BTreeMap<_, (u64, u64, u64, Decimal)> = BTreeMap::new();
        for row in self.lines().await {
            let line = row.line();
            let category = line.product_category.unwrap_or(chopmark_domain::settlement::product::Category::Generic);
            let sums = expected.entry((line.period, category, line.currency)).or_default();
            sums.0 += 1;
            sums.1 += u64::from(row.drawn.columns.is_none());
            sums.2 += u64::from(line.is_estimate());
            sums.3 += row.drawn.columns.map(|columns| columns.net).unwrap_or_default();
        }
        let periods = self.store.periods(&acme()).await.unwrap().value;
        let found: BTreeMap<_, _> = periods
            .into_iter()
            .map(|row| {
                let sums = (row.lines, row.not_computed, row.estimated, row.sums.net);
                ((row.period, row.category, row.currency), sums)
            })
            .collect();
        assert_eq!(found, expected);
        self.ages_add_up().await;
    }

    async fn ages_add_up(&self) {
        let mut expected: BTreeMap<_, (u64, u64, u64, Decimal, Decimal, Decimal)> = BTreeMap::new();
        for row in self.lines().await.iter().filter(|row| !row.may_wait()) {
            let line = row.line();
            let sums =
                expected.entry((line.period.unwrap(), tab_of(line), line.currency, row.open_since())).or_default();
            sums.0 += 1;
            sums.5 += line.settle_amount.map_or(Decimal::ZERO, |amount| round_to_cents(amount.value));
            match line.settle_amount.map(|amount| amount.value) {
                None => sums.1 += 1,
                Some(amount) if line.is_estimate() => (sums.2, sums.4) = (sums.2 + 1, sums.4 + amount),
                Some(amount) => sums.3 += amount,
            }
        }
        let ages = self.store.ages(&acme(), None).await.unwrap().value;
        let sums = |row: &AgeRow| {
            (row.lines, row.not_computed, row.estimated, row.stated_sum, row.estimated_sum, row.rounded_sum)
        };
        let found: BTreeMap<_, _> =
            ages.iter().map(|row| ((row.period, row.category, row.currency, row.open_since), sums(row))).collect();
        assert_eq!(found, expected);
    }
}

impl Frail {
    fn of(inner: SqliteBilling) -> Self {
        let (fates, disk) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { inner, fates, disk, begun: watch::Sender::new(0) }
    }

    fn next_fate(&self) -> Fate {
        self.fates.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(Fate::Done)
    }
}

#[async_trait]
impl BillingStore for Frail {
    async fn commit(&self, expected: &Checkpoint, changes: &Changes) -> Result<(), StoreError> {
        self.begun.send_modify(|begun| *begun += 1);
        let _turn = self.disk.lock().await;
        let fate = self.next_fate();
        if fate != Fate::DiesBefore {
            self.inner.commit(expected, changes).await?;
        }
        if fate == Fate::Done { Ok(()) } else { Err(StoreError::Unavailable { reason: "killed".into() }) }
    }

    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.inner.checkpoint().await
    }

    async fn documents(&self, keys: &[DocumentKey]) -> Result<BTreeMap<DocumentKey, String>, StoreError> {
        self.inner.documents(keys).await
    }

    async fn documents_after(
        &self,
        seller: &SellerId,
        kind: &'static str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(DocumentKey, String)>, StoreError> {
        self.inner.documents_after(seller, kind, after, limit).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.inner.clear().await
    }

    async fn lines(&self, query: &LineQuery) -> Result<Read<Vec<LineRow>>, StoreError> {
        self.inner.lines(query).await
    }

    async fn line(&self, seller: &SellerId, line_id: &str) -> Result<Read<Option<LineRow>>, StoreError> {
        self.inner.line(seller, line_id).await
    }

    async fn lines_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<LineRow>, StoreError> {
        self.inner.lines_of_orders(seller, orders).await
    }

    async fn periods(&self, seller: &SellerId) -> Result<Read<Vec<PeriodRow>>, StoreError> {
        self.inner.periods(seller).await
    }

    async fn ages(&self, seller: &SellerId, from: Option<Period>) -> Result<Read<Vec<AgeRow>>, StoreError> {
        self.inner.ages(seller, from).await
    }

    async fn closed(&self, seller: &SellerId) -> Result<Read<Vec<ClosedRow>>, StoreError> {
        self.inner.closed(seller).await
    }

    async fn adjustments(&self, seller: &SellerId) -> Result<Read<Vec<AdjustmentRow>>, StoreError> {
        self.inner.adjustments(seller).await
    }

    async fn bills(&self, seller: &SellerId, period: Option<Period>) -> Result<Read<Vec<BillHead>>, StoreError> {
        self.inner.bills(seller, period).await
    }

    async fn bill_rows(
        &self,
        identity: &BillIdentity,
        after_row: u32,
        limit: usize,
    ) -> Result<Vec<BilledRow>, StoreError> {
        self.inner.bill_rows(identity, after_row, limit).await
    }

    async fn rows_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<BilledRow>, StoreError> {
        self.inner.rows_of_orders(seller, orders).await
    }
}
