//! The suite notices a store that breaks its promises.

use async_trait::async_trait;
use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::calendar::Period;

use super::*;
use crate::rows::{AdjustmentRow, AgeRow, BillHead, BilledRow, ClosedRow, PeriodRow};
use crate::sqlite::testing::SqlitePlace;
use crate::store::{DocumentKey, Read, StoreError};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    LosesTheLastLine,
    WritesThoughMoved,
    KeepsTheCheckpoint,
    ForgetsAFilter,
    RoundsToCents,
    TellsAnOldPosition,
}

struct BrokenPlace(SqlitePlace, Fault);

struct Broken(Arc<dyn BillingStore>, Fault);

#[async_trait]
impl Place for BrokenPlace {
    async fn open(&self) -> Arc<dyn BillingStore> {
        Arc::new(Broken(self.0.open().await, self.1))
    }
}

impl Broken {
    fn is(&self, fault: Fault) -> bool {
        self.1 == fault
    }
}

#[async_trait]
impl BillingStore for Broken {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.0.checkpoint().await
    }

    async fn documents(&self, keys: &[DocumentKey]) -> Result<BTreeMap<DocumentKey, String>, StoreError> {
        self.0.documents(keys).await
    }

    async fn documents_after(
        &self,
        seller: &SellerId,
        kind: &'static str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(DocumentKey, String)>, StoreError> {
        self.0.documents_after(seller, kind, after, limit).await
    }

    async fn commit(&self, expected: &Checkpoint, changes: &Changes) -> Result<(), StoreError> {
        if self.is(Fault::KeepsTheCheckpoint) {
            return self.0.commit(expected, &Changes { checkpoint: expected.clone(), ..changes.clone() }).await;
        }
        match self.0.commit(expected, changes).await {
            Err(StoreError::Moved) if self.is(Fault::WritesThoughMoved) => {
                let current = self.0.checkpoint().await?;
                self.0.commit(&current, changes).await
            }
            answer => answer,
        }
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.0.clear().await
    }

    async fn lines(&self, query: &LineQuery) -> Result<Read<Vec<LineRow>>, StoreError> {
        let mut query = query.clone();
        if self.is(Fault::ForgetsAFilter) {
            query.not_computed = false;
        }
        let mut read = self.0.lines(&query).await?;
        match self.1 {
            Fault::LosesTheLastLine => {
                read.value.pop();
            }
            Fault::RoundsToCents => read.value.iter_mut().for_each(|row| {
                row.drawn.columns.iter_mut().for_each(|columns| columns.sales = columns.sales.round_dp(2));
            }),
            Fault::TellsAnOldPosition => read.position.0 = read.position.0.saturating_sub(1),
            _ => {}
        }
        Ok(read)
    }

    async fn line(&self, seller: &SellerId, line_id: &str) -> Result<Read<Option<LineRow>>, StoreError> {
        self.0.line(seller, line_id).await
    }

    async fn lines_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<LineRow>, StoreError> {
        self.0.lines_of_orders(seller, orders).await
    }

    async fn periods(&self, seller: &SellerId) -> Result<Read<Vec<PeriodRow>>, StoreError> {
        self.0.periods(seller).await
    }

    async fn ages(&self, seller: &SellerId, from: Option<Period>) -> Result<Read<Vec<AgeRow>>, StoreError> {
        self.0.ages(seller, from).await
    }

    async fn closed(&self, seller: &SellerId) -> Result<Read<Vec<ClosedRow>>, StoreError> {
        self.0.closed(seller).await
    }

    async fn adjustments(&self, seller: &SellerId) -> Result<Read<Vec<AdjustmentRow>>, StoreError> {
        self.0.adjustments(seller).await
    }

    async fn bills(&self, seller: &SellerId, period: Option<Period>) -> Result<Read<Vec<BillHead>>, StoreError> {
        self.0.bills(seller, period).await
    }

    async fn bill_rows(
        &self,
        identity: &BillIdentity,
        after_row: u32,
        limit: usize,
    ) -> Result<Vec<BilledRow>, StoreError> {
        self.0.bill_rows(identity, after_row, limit).await
    }

    async fn rows_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<BilledRow>, StoreError> {
        self.0.rows_of_orders(seller, orders).await
    }
}

async fn fails(promise: impl Future<Output = ()> + Send + 'static) -> bool {
    tokio::spawn(promise).await.is_err_and(|error| error.is_panic())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_fails_a_store_that_breaks_a_promise() {
    let mut overlooked = vec![];
    for fault in [
        Fault::LosesTheLastLine,
        Fault::WritesThoughMoved,
        Fault::KeepsTheCheckpoint,
        Fault::ForgetsAFilter,
        Fault::RoundsToCents,
        Fault::TellsAnOldPosition,
    ] {
        let place = BrokenPlace(SqlitePlace::new().await, fault);
        let is_noticed = match fault {
            Fault::LosesTheLastLine => fails(async move { pages_have_no_gaps_and_no_doubles(&place).await }).await,
            Fault::WritesThoughMoved => {
                fails(async move { a_commit_from_elsewhere_writes_nothing(&place).await }).await
            }
            Fault::KeepsTheCheckpoint => {
                fails(async move { a_commit_moves_the_checkpoint_with_everything(&place).await }).await
            }
            Fault::ForgetsAFilter => {
                fails(async move { each_filter_finds_what_a_person_would_pick(&place).await }).await
            }
            Fault::RoundsToCents => fails(async move { lines_are_read_back_to_the_last_digit(&place).await }).await,
            Fault::TellsAnOldPosition => fails(async move { two_openings_share_one_state(&place).await }).await,
        };
        if !is_noticed {
            overlooked.push(fault);
        }
    }
    assert_eq!(overlooked, []);
}
