//! Where the logs of these tests are kept.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chopmark_eventstore_double::{Double, Options};
use chopmark_log::contract::{EnginePlace, Place};
use chopmark_log::eventstore::{EventstoreLog, LeaseTimes};
use chopmark_log::{
    AppendError, Appended, Engine, EventLog, Expected, Leadership, LogMetrics, NewEvent, Page, Position, ReadError,
    Record, Revision, StreamName,
};
use secrecy::SecretString;
use tempfile::TempDir;
use uuid::Uuid;

/// How long something may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Opens the log of a connection string.
pub(crate) fn connect(url: &str) -> Arc<EventstoreLog> {
    connect_with(url, LeaseTimes::default())
}

pub(crate) fn connect_with(url: &str, times: LeaseTimes) -> Arc<EventstoreLog> {
    Arc::new(EventstoreLog::connect(&SecretString::from(url), times, LogMetrics::unregistered()).unwrap())
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came: {what}"));
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// A double, with its file in a folder that goes with the test.
pub(crate) struct DoublePlace {
    folder: TempDir,
    double: Mutex<Double>,
}

impl DoublePlace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let double = Mutex::new(start(folder.path().join("double.db"), None));
        Self { folder, double }
    }

    /// Another double over the same file, as another node.
    pub(crate) fn another_node(&self) -> Double {
        start(self.folder.path().join("double.db"), None)
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.double())
    }

    pub(crate) fn log(&self) -> Arc<EventstoreLog> {
        connect(&self.url())
    }

    pub(crate) fn tell(&self, command: &str) {
        self.double().tell(command).unwrap();
    }

    pub(crate) fn double(&self) -> std::sync::MutexGuard<'_, Double> {
        self.double.lock().unwrap()
    }
}

pub(crate) fn start(data: PathBuf, user: Option<&str>) -> Double {
    let listen = "127.0.0.1:0".parse().unwrap();
    Double::start(Options { listen, data, user: user.map(ToOwned::to_owned) }).unwrap()
}

/// Nobody waits for what is not there for long.
pub(crate) fn url_of(double: &Double) -> String {
    format!("{}&discoveryInterval=5", double.url())
}

/// The double, or the part of a real server that is one test's.
pub(crate) enum Server {
    Double(DoublePlace),
    Real(Part),
}

impl Server {
    pub(crate) fn new() -> Self {
        match std::env::var("CHOPMARK_TEST_ESDB_URL") {
            Ok(url) => Self::Real(Part::new(url)),
            Err(_) => Self::double(),
        }
    }

    pub(crate) fn double() -> Self {
        Self::Double(DoublePlace::new())
    }
}

#[async_trait]
impl Place for Server {
    async fn open(&self) -> Arc<dyn EventLog> {
        self.open_engine().await
    }
}

#[async_trait]
impl EnginePlace for Server {
    async fn open_engine(&self) -> Arc<dyn Engine> {
        match self {
            Self::Double(place) => place.log(),
            Self::Real(part) => part.open().await,
        }
    }
}

/// A part of a real server's log: what begins after a position, in streams that begin with a word of its own. So tests run
/// side by side, and again.
#[derive(Clone)]
pub(crate) struct Part {
    url: String,
    word: String,
    begins_after: Arc<Mutex<Option<Position>>>,
    /// Names as they are and as they are stored, where they would be too long.
    shortened: Arc<Mutex<HashMap<String, String>>>,
}

struct PartOfALog {
    log: Arc<EventstoreLog>,
    part: Part,
    begins_after: Position,
}

impl Part {
    fn new(url: String) -> Self {
        let word = format!("test-{}-", Uuid::now_v7().simple());
        Self { url, word, begins_after: Arc::default(), shortened: Arc::default() }
    }

    async fn open(&self) -> Arc<dyn Engine> {
        let log = connect(&self.url);
        let known = *self.begins_after.lock().unwrap();
        let begins_after = match known {
            Some(position) => position,
            None => log.head().await.unwrap(),
        };
        *self.begins_after.lock().unwrap() = Some(begins_after);
        Arc::new(PartOfALog { log, part: self.clone(), begins_after })
    }

    fn inside(&self, name: &StreamName) -> StreamName {
        let inside = format!("{}{name}", self.word);
        StreamName::new(&inside).unwrap_or_else(|_| {
            let short = format!("{}{}", self.word, name.as_str().len());
            self.shortened.lock().unwrap().insert(short.clone(), name.as_str().to_owned());
            stream(&short)
        })
    }

    /// A record as its test knows it; `None` for another test's.
    fn outside(&self, mut record: Record) -> Option<Record> {
        let name = record.stream.as_str();
        let known = self.shortened.lock().unwrap().get(name).cloned();
        let name = known.as_deref().or_else(|| name.strip_prefix(&self.word))?;
        record.stream = stream(name);
        Some(record)
    }
}

#[async_trait]
impl EventLog for PartOfALog {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        match self.log.append(&self.part.inside(stream), expected, events).await {
            Err(AppendError::Conflict { current, .. }) => {
                Err(AppendError::Conflict { stream: stream.clone(), current })
            }
            answer => answer,
        }
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        let records = self.log.read_stream(&self.part.inside(stream), from, limit).await?;
        Ok(records.into_iter().filter_map(|record| self.part.outside(record)).collect())
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let mut page = Page { records: Vec::new(), reached: after.max(self.begins_after), at_head: false };
        while !page.at_head {
            let next = self.log.read_all(page.reached, limit).await?;
            for record in next.records {
                let position = record.position;
                if let Some(record) = self.part.outside(record) {
                    if page.records.len() == limit {
                        return Ok(page);
                    }
                    page.records.push(record);
                }
                page.reached = position;
            }
            (page.reached, page.at_head) = (next.reached, next.at_head);
        }
        Ok(page)
    }

    async fn head(&self) -> Result<Position, ReadError> {
        let page = self.read_all(Position::START, usize::MAX).await?;
        Ok(page.records.last().map_or(Position::START, |record| record.position))
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        self.log.changed(after.max(self.begins_after)).await
    }
}

#[async_trait]
impl Engine for PartOfALog {
    async fn import(&self, records: Vec<Record>) -> Result<Position, AppendError> {
        let inside = |record: Record| Record { stream: self.part.inside(&record.stream), ..record };
        self.log.import(records.into_iter().map(inside).collect()).await
    }

    async fn lead(&self) -> Leadership {
        self.log.lead().await
    }

    async fn close(&self) {
        self.log.close().await;
    }
}
