//! What the double keeps, in a SQLite log, and how the server would number it.

use std::path::Path;

use chopmark_log::sqlite::{OpenError, SqliteLog, SqliteOptions};
use chopmark_log::{
    AppendError, EventLog, Expected, LogMetrics, NewEvent, Position, ReadError, Record, Revision, StreamName,
};
use uuid::Uuid;

/// Positions of the server are places in a file. These leave gaps, so that nobody counts on the next one.
const STEP: u64 = 100;

/// Among every so many appends the double writes something of its own, as servers do.
const CHATTER_EVERY: u64 = 5;

/// An event to append.
#[derive(Debug, Clone)]
pub(crate) struct Proposed {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) is_json: bool,
    pub(crate) data: Vec<u8>,
    pub(crate) metadata: Vec<u8>,
}

/// An event as it is read.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: Uuid,
    pub(crate) stream: String,
    pub(crate) revision: u64,
    pub(crate) position: u64,
    pub(crate) kind: String,
    pub(crate) is_json: bool,
    pub(crate) data: Vec<u8>,
    pub(crate) metadata: Vec<u8>,
    /// In 100 ns since 1970.
    pub(crate) created: i64,
}

/// What an append expects of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expectation {
    Any,
    NoStream,
    StreamExists,
    Exact(u64),
}

/// Where an append stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    /// Of the last event.
    pub(crate) revision: u64,
    /// Of the first event.
    pub(crate) prepare: u64,
    /// Of the last event.
    pub(crate) commit: u64,
}

/// Why nothing was appended.
#[derive(Debug)]
pub(crate) enum Refused {
    WrongRevision { current: Option<u64> },
    Failed(String),
}

/// No event begins at that position.
#[derive(Debug)]
pub(crate) enum NotRead {
    InvalidPosition,
    Failed(String),
}

impl From<ReadError> for NotRead {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.to_string())
    }
}

#[derive(Debug)]
pub(crate) struct Store {
    log: SqliteLog,
    appends: std::sync::atomic::AtomicU64,
}

impl Store {
    /// Opens a file; in a new one it leaves what a server writes before anybody else does.
    pub(crate) async fn open(path: &Path) -> Result<Self, String> {
        let log = SqliteLog::open(path, SqliteOptions::default(), LogMetrics::unregistered())
            .map_err(|error: OpenError| error.to_string())?;
        let store = Self { log, appends: std::sync::atomic::AtomicU64::new(0) };
        if store.head().await.map_err(|error| format!("{error:?}"))? == 0 {
            for (stream, kind) in [("$settings", "$settings"), ("$users", "$User"), ("$$$users", "$metadata")] {
                store.chatter(stream, kind).await;
            }
        }
        Ok(store)
    }

    /// Something that only the server itself writes.
    async fn chatter(&self, stream: &str, kind: &str) {
        let event = Proposed {
            id: Uuid::now_v7(),
            kind: kind.to_owned(),
            is_json: true,
            data: b"{}".to_vec(),
            metadata: Vec::new(),
        };
        // If it cannot be written, neither can what a test writes, which then says so.
        let _ = self.put(stream, Expectation::NoStream, vec![event]).await;
    }

    pub(crate) async fn append(
        &self,
        stream: &str,
        expectation: Expectation,
        events: Vec<Proposed>,
    ) -> Result<Written, Refused> {
        let appends = self.appends.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (chatter, written) = tokio::join!(
            biased;
            async {
                if appends.is_multiple_of(CHATTER_EVERY) {
                    self.chatter(&format!("$stats-{}", Uuid::now_v7()), "$statsCollected").await;
                }
            },
            self.put(stream, expectation, events)
        );
        let () = chatter;
        written
    }

    async fn put(&self, stream: &str, expectation: Expectation, events: Vec<Proposed>) -> Result<Written, Refused> {
        let name = StreamName::new(stream).map_err(|error| Refused::Failed(error.to_string()))?;
        let events: Vec<NewEvent> = events.into_iter().map(Proposed::into_event).collect();
        let mut expected = match expectation {
            Expectation::Exact(revision) => Expected::Exact(Revision(revision)),
            Expectation::Any | Expectation::NoStream => Expected::NoStream,
            Expectation::StreamExists => match self.last_revision(stream).await {
                Ok(Some(last)) => Expected::Exact(Revision(last)),
                Ok(None) => return Err(Refused::WrongRevision { current: None }),
                Err(error) => return Err(Refused::Failed(format!("{error:?}"))),
            },
        };
        loop {
            match self.log.append(&name, expected, events.clone()).await {
                Ok(appended) => {
                    let (revision, commit) = (appended.revision.0, appended.position.0 * STEP);
                    let prepare = commit - STEP * (events.len() as u64 - 1);
                    return Ok(Written { revision, prepare, commit });
                }
                Err(AppendError::Conflict { current, .. }) => {
                    let goes_anywhere = matches!(expectation, Expectation::Any | Expectation::StreamExists);
                    match current {
                        Some(last) if goes_anywhere => expected = Expected::Exact(last),
                        _ => return Err(Refused::WrongRevision { current: current.map(|last| last.0) }),
                    }
                }
                Err(error) => return Err(Refused::Failed(error.to_string())),
            }
        }
    }

    /// The events of a stream from a revision on, at most `count`.
    pub(crate) async fn stream(&self, stream: &str, from: u64, count: usize) -> Result<Vec<Stored>, NotRead> {
        let Ok(name) = StreamName::new(stream) else { return Ok(Vec::new()) };
        let records = self.log.read_stream(&name, Revision(from), count).await?;
        Ok(records.into_iter().map(Stored::from_record).collect())
    }

    /// The last revision of a stream, found by halving: the log beneath reads forwards only.
    pub(crate) async fn last_revision(&self, stream: &str) -> Result<Option<u64>, NotRead> {
        let (mut there, mut beyond) = (None, 1);
        while !self.stream(stream, beyond - 1, 1).await?.is_empty() {
            there = Some(beyond - 1);
            beyond *= 2;
        }
        let Some(mut there) = there else { return Ok(None) };
        while there + 2 < beyond {
            let between = (there + beyond - 1).div_ceil(2);
            if self.stream(stream, between, 1).await?.is_empty() {
                beyond = between + 1;
            } else {
                there = between;
            }
        }
        Ok(Some(there))
    }

    /// The position of the last event; 0 if there is none.
    pub(crate) async fn head(&self) -> Result<u64, NotRead> {
        Ok(self.log.head().await?.0 * STEP)
    }

    /// Events after a position, at most `count`.
    pub(crate) async fn all_after(&self, after: u64, count: usize) -> Result<Vec<Stored>, NotRead> {
        let page = self.log.read_all(Position(after / STEP), count).await?;
        Ok(page.records.into_iter().map(Stored::from_record).collect())
    }

    /// Events from a position on, itself included. The server reads only where an event begins.
    pub(crate) async fn all_from(&self, from: u64, count: usize) -> Result<Vec<Stored>, NotRead> {
        if from == 0 {
            return self.all_after(0, count).await;
        }
        if !from.is_multiple_of(STEP) || from > self.head().await? {
            return Err(NotRead::InvalidPosition);
        }
        self.all_after(from - STEP, count).await
    }

    /// Events before a position, the latest first, at most `count`. `None` is the end.
    pub(crate) async fn all_before(&self, before: Option<u64>, count: usize) -> Result<Vec<Stored>, NotRead> {
        let end = match before {
            Some(before) if !before.is_multiple_of(STEP) => return Err(NotRead::InvalidPosition),
            Some(before) => before,
            None => self.head().await? + STEP,
        };
        let count = (count as u64).min((end / STEP).saturating_sub(1));
        let after = end.saturating_sub(STEP * (count + 1));
        let mut events = self.all_after(after, usize::try_from(count).unwrap_or(usize::MAX)).await?;
        events.reverse();
        Ok(events)
    }

    /// Waits until there may be events after a position.
    pub(crate) async fn changed(&self, after: u64) -> Result<(), NotRead> {
        Ok(self.log.changed(Position(after / STEP)).await?)
    }
}

impl Proposed {
    /// The log beneath has no place for the type of the content: it goes in front of the kind.
    fn into_event(self) -> NewEvent {
        let content = if self.is_json { 'j' } else { 'b' };
        let kind = format!("{content}{}", self.kind).into();
        NewEvent { id: self.id, kind, data: self.data, metadata: self.metadata }
    }
}

impl Stored {
    fn from_record(record: Record) -> Self {
        let (content, kind) = record.kind.split_at(1);
        Self {
            id: record.id,
            stream: record.stream.as_str().to_owned(),
            revision: record.revision.0,
            position: record.position.0 * STEP,
            kind: kind.to_owned(),
            is_json: content == "j",
            data: record.data,
            metadata: record.metadata,
            created: record.recorded_at.timestamp_micros() * 10,
        }
    }
}
