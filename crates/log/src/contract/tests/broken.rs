//! A good engine with one fault.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{TimeDelta, Utc};
use tokio::sync::watch;

use super::super::*;
use crate::engine::Engine;
use crate::event_log::{AppendError, ReadError};
use crate::leadership::Leadership;
use crate::sqlite::testing::SqlitePlace;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    SkipsARecord,
    /// Some events come to be seen only after later ones: positions were given before the commit.
    ShowsLaterEventsFirst,
    TellsTooEarlyOfTheHead,
    ReadsAStreamFromTheNextRevision,
    ChangesAByte,
    TakesTimeBack,
    AnswersConflictsWithYes,
    StoresDespiteConflict,
    StoresARepeatOnceMore,
    StoresHalfAnAppend,
    AcknowledgesBeforeItStores,
    ForgetsWhenReopened,
    ImportsAtTheTimeOfNow,
    ImportsOnceMore,
    ImportsNothingAndSaysYes,
    LetsTwoLead,
    StaysOpen,
}

pub(super) struct BrokenPlace {
    places: Mutex<Vec<SqlitePlace>>,
    fault: Fault,
}

impl BrokenPlace {
    pub(super) fn new(fault: Fault) -> Self {
        Self { places: Mutex::new(vec![SqlitePlace::new()]), fault }
    }

    fn broken(&self) -> Arc<Broken> {
        let mut places = self.places.lock().unwrap();
        if self.fault == Fault::ForgetsWhenReopened {
            places.push(SqlitePlace::new());
        }
        let inner = places.last().unwrap().log();
        Arc::new(Broken {
            inner,
            fault: self.fault,
            known: Mutex::default(),
            read: Mutex::default(),
            appends: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Place for BrokenPlace {
    async fn open(&self) -> Arc<dyn EventLog> {
        self.broken()
    }
}

#[async_trait]
impl EnginePlace for BrokenPlace {
    async fn open_engine(&self) -> Arc<dyn Engine> {
        self.broken()
    }
}

struct Broken {
    inner: Arc<dyn Engine>,
    fault: Fault,
    /// Ids that were to be stored before.
    known: Mutex<HashSet<Uuid>>,
    /// Ids that were to be read before.
    read: Mutex<HashSet<Uuid>>,
    appends: AtomicUsize,
}

impl Broken {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Whether it came by for the first time.
    fn is_new(&self, id: Uuid) -> bool {
        self.known.lock().unwrap().insert(id)
    }

    /// Stores events at the end of a stream, wherever that is.
    async fn append_somewhere(&self, stream: &StreamName, mut events: Vec<NewEvent>) -> Result<Appended, AppendError> {
        events.iter_mut().for_each(|event| event.id = Uuid::now_v7());
        loop {
            let there = self.inner.read_stream(stream, Revision(0), usize::MAX).await.unwrap();
            let expected = there.last().map_or(Expected::NoStream, |last| Expected::Exact(last.revision));
            match self.inner.append(stream, expected, events.clone()).await {
                Err(AppendError::Conflict { .. }) => {}
                answer => return answer,
            }
        }
    }

    fn as_read(&self, mut records: Vec<Record>) -> Vec<Record> {
        for record in &mut records {
            match (self.fault, record.data.last_mut()) {
                (Fault::ChangesAByte, Some(byte)) => *byte ^= 1,
                (Fault::TakesTimeBack, _) if record.position.0 % 3 == 0 => record.recorded_at -= TimeDelta::hours(1),
                _ => {}
            }
        }
        records
    }
}

#[async_trait]
impl EventLog for Broken {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        mut events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let is_repeated = events.first().is_some_and(|event| !self.is_new(event.id));
        if self.has(Fault::StoresARepeatOnceMore) && is_repeated {
            return self.append_somewhere(stream, events).await;
        }
        if self.has(Fault::AcknowledgesBeforeItStores) && self.appends.fetch_add(1, Ordering::SeqCst) % 7 == 3 {
            return Ok(Appended { revision: Revision(0), position: Position(u64::MAX) });
        }
        if self.has(Fault::StoresHalfAnAppend) {
            events.truncate(1);
        }
        match self.inner.append(stream, expected, events.clone()).await {
            Err(AppendError::Conflict { .. }) if self.has(Fault::AnswersConflictsWithYes) => {
                Ok(Appended { revision: Revision(0), position: Position(1) })
            }
            Err(AppendError::Conflict { .. }) if self.has(Fault::StoresDespiteConflict) => {
                self.append_somewhere(stream, events).await
            }
            answer => answer,
        }
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        let skipped = u64::from(self.has(Fault::ReadsAStreamFromTheNextRevision) && from.0 > 0);
        let from = Revision(from.0.saturating_add(skipped));
        Ok(self.as_read(self.inner.read_stream(stream, from, limit).await?))
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let mut page = self.inner.read_all(after, limit).await?;
        page.at_head |= self.has(Fault::TellsTooEarlyOfTheHead);
        page.records.retain(|record| match self.fault {
            Fault::SkipsARecord => record.position.0 % 5 != 3,
            Fault::ShowsLaterEventsFirst => record.position.0 % 5 != 3 || !self.read.lock().unwrap().insert(record.id),
            _ => true,
        });
        page.records = self.as_read(page.records);
        Ok(page)
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.inner.head().await
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        self.inner.changed(after).await
    }
}

#[async_trait]
impl Engine for Broken {
    async fn import(&self, mut records: Vec<Record>) -> Result<Position, AppendError> {
        if self.has(Fault::ImportsAtTheTimeOfNow) {
            records.iter_mut().for_each(|record| record.recorded_at = Utc::now());
        }
        if self.has(Fault::ImportsOnceMore)
            && let Some(again) = records.iter().find(|record| !self.is_new(record.id))
        {
            let event = NewEvent { data: again.data.clone(), ..event("") };
            self.append_somewhere(&again.stream, vec![event]).await?;
        }
        match self.inner.import(records).await {
            Err(_) if self.has(Fault::ImportsNothingAndSaysYes) => Ok(self.inner.head().await.unwrap()),
            answer => answer,
        }
    }

    async fn lead(&self) -> Leadership {
        if self.has(Fault::LetsTwoLead) {
            let (never, lost) = watch::channel(false);
            return Leadership::new(never, lost);
        }
        self.inner.lead().await
    }

    async fn close(&self) {
        if !self.has(Fault::StaysOpen) {
            self.inner.close().await;
        }
    }
}
