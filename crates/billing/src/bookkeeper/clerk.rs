//! The fold itself: pages of the log into a store, each slice of them in one transaction with the checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_log::{Anchor, EventLog, Position, ReadError, Record};

use super::bills::Bills;
use super::closing::Closing;
use super::heard::{FoldError, Heard, What};
use super::ledger::Ledger;
use super::papers::{Key, Scope, Work, json, kind, parse, tier_prefix};
use super::sheet::{Of, Sheet};
use crate::store::{BillingStore, Checkpoint, LineQuery, PeriodFilter, StoreError};

/// About so many lines are worked on in one transaction.
const SLICE: usize = 500;

/// Why the books cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event that this version cannot read. Everything before it is in the views.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

/// Folds the log into a store, at which nobody else writes. After an error it is to be thrown away: what it has in
/// memory may be ahead of the store.
pub(crate) struct Clerk {
    store: Arc<dyn BillingStore>,
    checkpoint: Checkpoint,
    work: Work,
    ledgers: BTreeMap<SellerId, Ledger>,
    /// Everybody heard of.
    sellers: BTreeSet<SellerId>,
    slice: usize,
}

/// Events up to a record.
#[derive(Default)]
struct Slice {
    heard: Vec<Heard>,
    weight: usize,
    /// The last record, whether it told anything or not.
    last: Option<(Position, Anchor)>,
}

impl Clerk {
    /// Goes on from where the store is.
    pub(crate) async fn open(store: Arc<dyn BillingStore>) -> Result<Self, StoreError> {
        let checkpoint = store.checkpoint().await?;
        let work = Work::read(&checkpoint.work)?;
        let (ledgers, sellers) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { store, checkpoint, work, ledgers, sellers, slice: SLICE })
    }

    /// The same with smaller transactions.
    #[cfg(test)]
    pub(crate) fn with_slices_of(self, slice: usize) -> Self {
        Self { slice, ..self }
    }

    /// Everything up to here is in the store, but for what is still to be drawn up anew: [`finish_work`](Self::finish_work).
    pub(crate) fn position(&self) -> Position {
        self.checkpoint.position
    }

    /// The sellers that were heard of since it was opened.
    pub(crate) fn sellers(&self) -> &BTreeSet<SellerId> {
        &self.sellers
    }

    /// Whether the store was made from this log.
    pub(crate) async fn is_of(&self, log: &dyn EventLog) -> Result<bool, BookError> {
        if self.checkpoint.log.is_empty() {
            return Ok(true);
        }
        let anchor: Anchor = parse("the mark of the log", &self.checkpoint.log)?;
        Ok(anchor.is_in(log).await?)
    }

    /// Takes records up, in their order, each once; then the store is complete up to the last of them.
    pub(crate) async fn take_up(&mut self, records: &[Record]) -> Result<(), BookError> {
        self.finish_work().await?;
        let mut slice = Slice::default();
        let before = self.position();
        for record in records.iter().filter(|record| record.position > before) {
            let heard = match Heard::read(record) {
                Ok(heard) => heard,
                Err(error) => {
                    self.write_slice(slice).await?;
                    return Err(error.into());
                }
            };
            // What freezes lines finds everything before it drawn up to the end, and stands alone.
            let stands_alone = heard.as_ref().is_some_and(Heard::closes);
            if stands_alone {
                self.write_slice(std::mem::take(&mut slice)).await?;
            }
            slice.add(record, heard);
            if stands_alone || slice.weight >= self.slice {
                self.write_slice(std::mem::take(&mut slice)).await?;
            }
        }
        self.write_slice(slice).await
    }

    async fn write_slice(&mut self, slice: Slice) -> Result<(), BookError> {
        let Some((position, anchor)) = slice.last else { return Ok(()) };
        let mut sheet = Sheet::default();
        let mut bills = Bills::default();
        self.prepare(&slice.heard, &mut sheet, &mut bills).await?;
        for heard in slice.heard {
            self.tell(heard, &mut sheet, &mut bills).await?;
        }
        bills.write(&mut sheet.changes);
        self.commit(sheet, position, json(&anchor)).await?;
        self.finish_work().await
    }

    /// Reads everything that events may touch.
    async fn prepare(&mut self, heard: &[Heard], sheet: &mut Sheet, bills: &mut Bills) -> Result<(), StoreError> {
        let mut keys: BTreeSet<Of<Key>> = BTreeSet::new();
        let mut identities: BTreeSet<BillIdentity> = BTreeSet::new();
        for heard in heard {
            keys.extend(heard.keys().into_iter().map(|key| (heard.seller.clone(), key)));
            if let What::Bill(identity, _) = &heard.what {
                identities.insert(identity.clone());
            }
            self.sellers.insert(heard.seller.clone());
            if !self.ledgers.contains_key(&heard.seller) {
                let ledger = Ledger::load(self.store.as_ref(), &heard.seller).await?;
                self.ledgers.insert(heard.seller.clone(), ledger);
            }
        }
        sheet.load(self.store.as_ref(), keys).await?;
        bills.load(self.store.as_ref(), identities).await
    }

    async fn tell(&mut self, heard: Heard, sheet: &mut Sheet, bills: &mut Bills) -> Result<(), StoreError> {
        if !heard.closes() && !matches!(heard.what, What::Bill(..) | What::Catalog(_)) {
            sheet.take_up(heard);
            return Ok(());
        }
        let Heard { seller, what, recorded_at, source } = heard;
        let Some(ledger) = self.ledgers.get_mut(&seller) else { return Ok(()) };
        match what {
            What::Catalog(event) => {
                ledger.take_terms(&event);
                self.work.add(&seller, Scope::All);
            }
            What::Bill(identity, event) => {
                bills.take_up(&identity, *event, recorded_at, &source, &mut sheet.changes);
            }
            What::Month(period, event) => {
                let closing = Closing { seller, period, event: *event, recorded_at, source };
                sheet.close(self.store.as_ref(), ledger, &mut self.work, closing).await?;
            }
            What::Facts(..) | What::Stated(_) | What::License(..) | What::Hours(..) => {}
        }
        Ok(())
    }

    /// Draws up what was touched, and writes it with the checkpoint.
    async fn commit(&mut self, mut sheet: Sheet, position: Position, log: String) -> Result<(), BookError> {
        sheet.enter(self.store.as_ref(), &mut self.ledgers).await?;
        for ledger in self.ledgers.values_mut() {
            ledger.write(&mut sheet.changes, &mut self.work);
        }
        let checkpoint = Checkpoint { position, work: self.work.text(), log };
        sheet.changes.checkpoint = checkpoint.clone();
        self.store.commit(&self.checkpoint, &sheet.changes).await?;
        self.checkpoint = checkpoint;
        Ok(())
    }

    /// Draws up anew what an event made necessary, slice by slice.
    pub(crate) async fn finish_work(&mut self) -> Result<(), BookError> {
        while let Some(task) = self.work.0.front().cloned() {
            if !self.ledgers.contains_key(&task.seller) {
                let ledger = Ledger::load(self.store.as_ref(), &task.seller).await?;
                self.ledgers.insert(task.seller.clone(), ledger);
            }
            self.sellers.insert(task.seller.clone());
            let (names, next) = self.cases_of(&task.seller, &task.scope, task.after.as_deref()).await?;
            match (next, self.work.0.front_mut()) {
                (Some(next), Some(task)) => task.after = Some(next),
                _ => drop(self.work.0.pop_front()),
            }
            let mut sheet = Sheet::default();
            let names: BTreeSet<_> = names.into_iter().map(|name| (task.seller.clone(), name)).collect();
            sheet.load_cases(self.store.as_ref(), names).await?;
            sheet.touched = sheet.cases.keys().cloned().collect();
            self.commit(sheet, self.position(), self.checkpoint.log.clone()).await?;
        }
        Ok(())
    }

    /// The next cases of a scope after a cursor, and the cursor of those that follow; none where these are the last.
    async fn cases_of(
        &self,
        seller: &SellerId,
        scope: &Scope,
        after: Option<&str>,
    ) -> Result<(Vec<Key>, Option<String>), StoreError> {
        match scope {
            Scope::All => {
                let found = self.store.documents_after(seller, kind::CASE, after, self.slice).await?;
                let names: Vec<_> = found.into_iter().map(|(key, _)| Key(key.name)).collect();
                let next = names.last().filter(|_| names.len() == self.slice).map(|name| name.0.clone());
                Ok((names, next))
            }
            Scope::Tier { sku, period } => {
                let prefix = tier_prefix(sku, *period);
                let after = after.unwrap_or(&prefix);
                let found = self.store.documents_after(seller, kind::TIER, Some(after), self.slice).await?;
                let is_page = found.len() == self.slice;
                let found: Vec<_> = found.into_iter().take_while(|(key, _)| key.name.starts_with(&prefix)).collect();
                let next =
                    found.last().filter(|_| is_page && found.len() == self.slice).map(|(key, _)| key.name.clone());
                let names = found.into_iter().map(|(_, name)| parse("a case's name", &name));
                Ok((names.collect::<Result<_, _>>()?, next))
            }
            Scope::Closed(period) => {
                let query = LineQuery {
                    period: PeriodFilter::In(*period),
                    after: after.map(str::to_owned),
                    ..LineQuery::every(seller.clone(), self.slice)
                };
                let rows = self.store.lines(&query).await?.value;
                let next = rows.last().filter(|_| rows.len() == self.slice).map(|row| row.line().line_id.clone());
                // What is proposed for a closed line was drawn up while its month was open.
                let open = rows.into_iter().filter(|row| row.closed_in.is_none() || row.recomputed.is_some());
                Ok((open.map(|row| Key(row.case)).collect(), next))
            }
        }
    }
}

impl Slice {
    fn add(&mut self, record: &Record, heard: Option<Heard>) {
        self.weight += heard.as_ref().map_or(0, Heard::weight);
        self.heard.extend(heard);
        self.last = Some((record.position, Anchor::of(record)));
    }
}
