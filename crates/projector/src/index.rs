//! The license index as others see it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chopmark_domain::access::{Access, Grant};
use chopmark_domain::catalog::{Catalog, DatedTerms};
use chopmark_domain::ids::{EcsId, SellerId, Sku};
use chopmark_log::progress::{Progress, ProgressWriter, progress};
use chopmark_log::snapshot::SnapshotError;
use chopmark_log::{Anchor, EventLog, Page, Position, ReadError, Record};
use chrono::{DateTime, Utc};

use crate::change::{Change, FoldError};
use crate::contact::Contact;
use crate::list::{self, Filter, Listing};
use crate::look_up::{self, Among, LookUp};
use crate::machines::{self, MachineListing};
use crate::saved;
use crate::scan::Cursor;
use crate::sellers::Counts;
use crate::state::State;

/// Records folded while readers wait: some 50 µs.
const SLICE: usize = 256;

/// Every license, catalog and token, folded from the log, in memory. Clones share one index.
///
/// Many threads read, one at a time [applies](Self::apply). What one call returns belongs together: it is what the log
/// said at the position that comes with it.
#[derive(Debug, Clone)]
pub struct LicenseIndex(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Readers wait for whoever waits to write. So long readings are done by the writer only.
    state: RwLock<State>,
    writer: Mutex<ProgressWriter>,
    progress: Progress,
    contact: Contact,
}

impl Default for LicenseIndex {
    fn default() -> Self {
        Self::new()
    }
}

impl LicenseIndex {
    /// An index of an empty log.
    #[must_use]
    pub fn new() -> Self {
        let (writer, progress) = progress();
        Self(Arc::new(Shared {
            state: RwLock::default(),
            writer: Mutex::new(writer),
            progress,
            contact: Contact::default(),
        }))
    }

    /// Whether the log can be reached, for those who must say that the index may be behind it.
    #[must_use]
    pub fn contact(&self) -> Contact {
        self.0.contact.clone()
    }

    /// How far the index has come, for those who wait for it. It [stands still](Progress::stands_still) once it has met
    /// an event that this version cannot take up, and answers from before that event.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.0.progress.clone()
    }

    /// Everything up to here is in the index.
    #[must_use]
    pub fn position(&self) -> Position {
        self.read().position
    }

    /// Looks an instance or a license code up by its id: what software that is asked for a license may name.
    ///
    /// Without a seller the product decides, since a SKU belongs to one seller's catalog. If that still leaves several,
    /// nothing is found and the answer says so. `now` chooses among terms that change with time.
    #[must_use]
    pub fn look_up(&self, seller: Option<&SellerId>, id: &str, product: Option<&Sku>, now: DateTime<Utc>) -> LookUp {
        look_up::look_up(&self.read(), Among::InstancesAndCodes, seller, id, product, now)
    }

    /// The same among all licenses, deployments too: for those who have shown that they may look around.
    #[must_use]
    pub fn look_up_any(
        &self,
        seller: Option<&SellerId>,
        id: &str,
        product: Option<&Sku>,
        now: DateTime<Utc>,
    ) -> LookUp {
        look_up::look_up(&self.read(), Among::All, seller, id, product, now)
    }

    /// Looks a deployment up by its ECS.
    #[must_use]
    pub fn deployment(&self, seller: &SellerId, ecs: &EcsId, now: DateTime<Utc>) -> LookUp {
        look_up::deployment(&self.read(), seller, ecs, now)
    }

    /// The seller of a product, with the terms in force; `None` if no catalog has it in force.
    #[must_use]
    pub fn product(&self, sku: &Sku, now: DateTime<Utc>) -> Option<(SellerId, Arc<DatedTerms>)> {
        let state = self.read();
        let seller = state.sellers.get(state.skus.owner(sku)?)?;
        Some((seller.id.clone(), seller.terms_at(sku, now)?))
    }

    /// The sellers who sell license codes: with such a product in force.
    #[must_use]
    pub fn code_sellers(&self, now: DateTime<Utc>) -> Vec<SellerId> {
        let state = self.read();
        let sellers = state.sellers.iter().filter(|(_, seller)| seller.sells_codes(now));
        sellers.map(|(_, seller)| seller.id.clone()).collect()
    }

    /// Lists licenses in the order of their first events, at most `limit`.
    ///
    /// Each license is as it was at or after the listing's position: a long search lets the index go on meanwhile.
    #[must_use]
    pub fn list(&self, filter: &Filter, after: Option<&Cursor>, limit: usize, now: DateTime<Utc>) -> Listing {
        list::list(&|| self.read(), filter, after, limit, now)
    }

    /// Lists licenses that machines use, in the order of their first events, at most `limit`. `now` chooses among
    /// terms that change with time.
    #[must_use]
    pub fn machines(&self, after: Option<&Cursor>, limit: usize, now: DateTime<Utc>) -> MachineListing {
        machines::machines(&|| self.read(), after, limit, now)
    }

    /// What a presented token may do; `None` if it is not one of ours, has expired or was taken back.
    #[must_use]
    pub fn grant(&self, token: &str, now: DateTime<Utc>) -> Option<Grant> {
        self.access().grant(token, now).cloned()
    }

    /// Every token that ever was.
    #[must_use]
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.read().access)
    }

    /// A seller's catalog; `None` if the log does not know the seller.
    #[must_use]
    pub fn catalog(&self, seller: &SellerId) -> Option<Arc<Catalog>> {
        let state = self.read();
        let seller = state.sellers.get(state.seller(seller)?)?;
        Some(Arc::clone(&seller.catalog))
    }

    /// Every seller that the log knows.
    #[must_use]
    pub fn sellers(&self) -> Vec<SellerId> {
        self.read().sellers.iter().map(|(_, seller)| seller.id.clone()).collect()
    }

    /// How many licenses there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().licenses.len()
    }

    /// Whether there is no license.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory, all included, as the index counts itself.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.read().bytes()
    }

    /// Takes a page of the log up: the next one. Records that are in the index already change nothing.
    ///
    /// # Errors
    /// [`FoldError`]: the index stands still before the record named, and nothing after that record may be applied.
    pub fn apply(&self, page: &Page) -> Result<(), FoldError> {
        let writer = self.writer();
        self.take_up(page, &writer).inspect_err(|_| writer.stand_still())
    }

    fn take_up(&self, page: &Page, writer: &ProgressWriter) -> Result<(), FoldError> {
        let reached = self.position();
        let mut news = page.records.as_slice();
        while news.first().is_some_and(|record| record.position <= reached) {
            news = news.get(1..).unwrap_or_default();
        }
        for slice in news.chunks(SLICE) {
            let folded = self.fold(slice);
            writer.advance(self.position());
            folded?;
        }
        if page.reached > self.position() {
            self.write().position = page.reached;
            writer.advance(page.reached);
        }
        if page.at_head {
            writer.caught_up();
        }
        Ok(())
    }

    /// Decodes first, so that readers wait only for what is quick.
    fn fold(&self, records: &[Record]) -> Result<(), FoldError> {
        let mut changes = Vec::with_capacity(records.len());
        let mut unreadable = None;
        for record in records {
            match Change::read(record) {
                Ok(change) => changes.push((record, change)),
                Err(error) => {
                    unreadable = Some(error);
                    break;
                }
            }
        }
        self.write().fold(changes)?;
        unreadable.map_or(Ok(()), Err)
    }

    /// Saves a snapshot. Readers go on meanwhile; [`apply`](Self::apply) waits.
    ///
    /// # Errors
    /// [`SnapshotError`]; an older snapshot is still there.
    pub fn save(&self, path: &Path) -> Result<Position, SnapshotError> {
        self.read_long(|state| saved::save(path, state))
    }

    /// An index as a snapshot has it; `None` if there is none, or none that this version can use.
    ///
    /// # Errors
    /// [`SnapshotError`]: the file is there and cannot be read.
    pub fn load(path: &Path) -> Result<Option<Self>, SnapshotError> {
        Ok(saved::load(path)?.map(Self::from_state))
    }

    /// The same, for those who want to know why there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, SnapshotError> {
        saved::read(path).map(Self::from_state)
    }

    fn from_state(state: State) -> Self {
        let index = Self::new();
        index.resume(state);
        index
    }

    /// Whether it was folded from this very log: one that was put back from a backup may lack the event folded last.
    ///
    /// # Errors
    /// [`ReadError`]: the log does not tell.
    pub async fn is_of(&self, log: &dyn EventLog) -> Result<bool, ReadError> {
        saved::is_of(self.anchor().as_ref(), log).await
    }

    /// Goes on from a state instead of the present one, which must not be further.
    pub(crate) fn resume(&self, state: State) {
        let writer = self.writer();
        let position = state.position;
        let before = std::mem::replace(&mut *self.write(), state);
        writer.advance(position);
        // A big one takes its time to go, and no reader waits for that.
        drop(before);
    }

    /// Licenses of each seller by status.
    pub(crate) fn counts(&self) -> Vec<(SellerId, Counts)> {
        let state = self.read();
        let sellers = state.sellers.iter();
        sellers.map(|(_, seller)| (seller.id.clone(), seller.licenses)).collect()
    }

    pub(crate) fn anchor(&self) -> Option<Anchor> {
        self.read().anchor.clone()
    }

    /// Reads for as long as it takes. The writer waits meanwhile and does not even queue up, so other readers go on.
    pub(crate) fn read_long<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        let _writer = self.writer();
        read(&self.read())
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, ProgressWriter> {
        self.0.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
