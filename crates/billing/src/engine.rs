//! What an engine does for a store, and the store over it: questions and rows are the same for all of them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::calendar::Period;
use chopmark_log::Position;
use serde::de::DeserializeOwned;

use crate::rows::{AdjustmentRow, AgeRow, BillHead, BilledRow, ClosedRow, LineRow, PeriodRow};
use crate::sql::{self, Dialect, Question};
use crate::store::{BillingStore, Changes, Checkpoint, DocumentKey, LineQuery, Read, StoreError};
use crate::writes::{self, Write};

/// A row that answers a question.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) position: i64,
    pub(crate) name: Option<String>,
    pub(crate) document: Option<String>,
}

/// An engine: a database that runs statements.
#[async_trait]
pub(crate) trait Engine: Send + Sync + 'static {
    /// What it speaks.
    const DIALECT: Dialect;

    /// Answers a question, in one snapshot.
    async fn ask(&self, question: Question) -> Result<Vec<Answer>, StoreError>;

    /// Moves the checkpoint on and writes, in one transaction.
    async fn write(&self, expected: &Checkpoint, next: &Checkpoint, writes: Vec<Write>) -> Result<(), StoreError>;

    /// Empties every table, in one transaction.
    async fn empty(&self) -> Result<(), StoreError>;
}

/// What a question finds, with the position.
async fn read<T: DeserializeOwned>(engine: &impl Engine, question: Question) -> Result<Read<Vec<T>>, StoreError> {
    let answers = engine.ask(question).await?;
    let position = position(answers.first())?;
    let documents = answers.iter().filter_map(|answer| answer.document.as_deref());
    let value = documents.map(parsed).collect::<Result<_, _>>()?;
    Ok(Read { position, value })
}

fn position(answer: Option<&Answer>) -> Result<Position, StoreError> {
    let position = answer.and_then(|answer| u64::try_from(answer.position).ok());
    position.map(Position).ok_or_else(|| StoreError::Damaged { reason: "the checkpoint is missing".into() })
}

fn parsed<T: DeserializeOwned>(document: &str) -> Result<T, StoreError> {
    serde_json::from_str(document)
        .map_err(|error| StoreError::Damaged { reason: format!("a row cannot be understood: {error}") })
}

/// Small tables are put in order here: a tab has its place on the console, not in the alphabet.
fn sorted<T, K: Ord>(mut rows: Read<Vec<T>>, key: impl Fn(&T) -> K) -> Read<Vec<T>> {
    rows.value.sort_by_key(key);
    rows
}

#[async_trait]
impl<E: Engine> BillingStore for E {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        let question = Question { sql: sql::CHECKPOINT.into(), cells: vec![] };
        let answer = self.ask(question).await?.pop();
        let position = position(answer.as_ref())?;
        let (log, work) = answer.map(|answer| (answer.name, answer.document)).unwrap_or_default();
        Ok(Checkpoint { position, work: work.unwrap_or_default(), log: log.unwrap_or_default() })
    }

    async fn documents(&self, keys: &[DocumentKey]) -> Result<BTreeMap<DocumentKey, String>, StoreError> {
        let mut found = BTreeMap::new();
        for ((seller, kind), names) in sql::by_kind(keys) {
            for answer in self.ask(sql::documents(E::DIALECT, seller, kind, names)).await? {
                if let (Some(name), Some(document)) = (answer.name, answer.document) {
                    found.insert(DocumentKey { seller: seller.clone(), kind, name }, document);
                }
            }
        }
        Ok(found)
    }

    async fn documents_after(
        &self,
        seller: &SellerId,
        kind: &'static str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(DocumentKey, String)>, StoreError> {
        let answers = self.ask(sql::documents_after(E::DIALECT, seller, kind, after, limit)).await?;
        let found = answers.into_iter().filter_map(|answer| Some((answer.name?, answer.document?)));
        Ok(found.map(|(name, document)| (DocumentKey { seller: seller.clone(), kind, name }, document)).collect())
    }

    async fn commit(&self, expected: &Checkpoint, changes: &Changes) -> Result<(), StoreError> {
        self.write(expected, &changes.checkpoint, writes::of(changes)).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.empty().await
    }

    async fn lines(&self, query: &LineQuery) -> Result<Read<Vec<LineRow>>, StoreError> {
        read(self, sql::lines(E::DIALECT, query)).await
    }

    async fn line(&self, seller: &SellerId, line_id: &str) -> Result<Read<Option<LineRow>>, StoreError> {
        let mut found = read(self, sql::line(E::DIALECT, seller, line_id)).await?;
        Ok(Read { position: found.position, value: found.value.pop() })
    }

    async fn lines_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<LineRow>, StoreError> {
        let question = sql::of_orders(E::DIALECT, "settlement_lines", "line_id", seller, orders);
        Ok(read(self, question).await?.value)
    }

    async fn periods(&self, seller: &SellerId) -> Result<Read<Vec<PeriodRow>>, StoreError> {
        let rows = read(self, sql::all(E::DIALECT, "settlement_periods", "period", seller)).await?;
        Ok(sorted(rows, |row: &PeriodRow| (row.period, row.category, row.currency)))
    }

    async fn ages(&self, seller: &SellerId, from: Option<Period>) -> Result<Read<Vec<AgeRow>>, StoreError> {
        let rows = read(self, sql::ages(E::DIALECT, seller, from)).await?;
        Ok(sorted(rows, |row: &AgeRow| (row.period, row.category, row.currency, row.open_since)))
    }

    async fn closed(&self, seller: &SellerId) -> Result<Read<Vec<ClosedRow>>, StoreError> {
        read(self, sql::all(E::DIALECT, "settlement_closed", "period", seller)).await
    }

    async fn adjustments(&self, seller: &SellerId) -> Result<Read<Vec<AdjustmentRow>>, StoreError> {
        let rows = read(self, sql::all(E::DIALECT, "settlement_adjustments", "period", seller)).await?;
        Ok(sorted(rows, |row: &AdjustmentRow| (row.period, row.adjustment.id.clone())))
    }

    async fn bills(&self, seller: &SellerId, period: Option<Period>) -> Result<Read<Vec<BillHead>>, StoreError> {
        let heads = read(self, sql::bills(E::DIALECT, seller, period)).await?;
        Ok(sorted(heads, |head: &BillHead| (head.identity.period, head.identity.category)))
    }

    async fn bill_rows(
        &self,
        identity: &BillIdentity,
        after_row: u32,
        limit: usize,
    ) -> Result<Vec<BilledRow>, StoreError> {
        Ok(read(self, sql::bill_rows(E::DIALECT, identity, after_row, limit)).await?.value)
    }

    async fn rows_of_orders(&self, seller: &SellerId, orders: &[OrderId]) -> Result<Vec<BilledRow>, StoreError> {
        let rows = read(self, sql::of_orders(E::DIALECT, "bill_rows", "file_row", seller, orders)).await?;
        let place = |row: &BilledRow| (row.identity.period, row.identity.category, row.row.row);
        Ok(sorted(rows, place).value)
    }
}
