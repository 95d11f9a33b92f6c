//! Reads, each with its time.
//!
//! `$all` is read whole, and what is no record of the log is left out here: the client cannot ask for a filter but in a
//! subscription.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventstore::{
    Error, Position as ServerPosition, ReadAllOptions, ReadStream, ReadStreamOptions, RecordedEvent, StreamPosition,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Code;

use super::client::Clients;
use super::error;
use super::form;
use crate::event_log::ReadError;
use crate::record::{Page, Position, Record, Revision, StreamName};

/// How long a read may wait for the server, at its beginning and for each next event.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads under way at once: with the appends, fewer calls than a server allows on one connection.
const READS_MAX: usize = 24;

/// The least and, where the server's own are in the way, the most events asked for at once.
const EVENTS: (usize, usize) = (16, 1024);

/// How many events are looked at from the end at first, to find the last record; then four times as many, and so on.
const LOOKING_BACK: usize = 4;

/// A page ends after this much data, however many records were asked for.
const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Who reads.
pub(super) struct Reader {
    clients: Arc<Clients>,
    permits: Semaphore,
    end: Mutex<End>,
}

/// The last record known, and up to where there is known to be none after it.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    record: u64,
    searched: u64,
}

/// Why a read came to nothing.
enum Failed {
    /// There is nothing by that name.
    Absent,
    /// No event begins at that position.
    InvalidPosition,
    Final(ReadError),
    /// Another attempt may succeed.
    ForNow {
        reason: String,
    },
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        Self::Final(error)
    }
}

/// What is read from.
enum Source<'a> {
    Stream { name: &'a str, from: StreamPosition<u64>, is_backwards: bool },
    All { from: StreamPosition<ServerPosition>, is_backwards: bool },
}

/// A read until it has succeeded, or its time is over.
struct Tries<'a> {
    deadline: Instant,
    _permit: SemaphorePermit<'a>,
}

/// Events as they come, each within its time.
struct Events<'a> {
    reader: &'a Reader,
    generation: u64,
    stream: ReadStream,
}

impl Reader {
    pub(super) fn new(clients: Arc<Clients>) -> Self {
        Self { clients, permits: Semaphore::new(READS_MAX), end: Mutex::default() }
    }

    /// A stream's records from a revision on.
    pub(super) async fn stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Record>, ReadError> {
        if limit == 0 || from.0 > i64::MAX.cast_unsigned() || form::is_of_server(stream) {
            return Ok(Vec::new());
        }
        let tries = self.tries().await?;
        loop {
            match self.stream_once(stream, from, limit).await {
                Ok(records) => return Ok(records),
                Err(failed) => {
                    if !tries.again(failed).await? {
                        return Ok(Vec::new());
                    }
                }
            }
        }
    }

    async fn stream_once(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, Failed> {
        let mut records: Vec<Record> = Vec::new();
        let position = StreamPosition::Position(from.0);
        let source = Source::Stream { name: stream.as_str(), from: position, is_backwards: false };
        let mut events = self.events(source, limit).await?;
        while let Some(event) = events.next().await? {
            let record = form::from_server(event)?;
            let expected = from.0 + records.len() as u64;
            if record.revision.0 != expected {
                let reason = format!("revision {expected} of stream {stream} is missing");
                return Err(ReadError::Damaged { position: record.position, reason }.into());
            }
            records.push(record);
        }
        Ok(records)
    }

    /// The last event of a stream, whatever its kind.
    pub(super) async fn last_of(&self, stream: &str) -> Result<Option<RecordedEvent>, ReadError> {
        let tries = self.tries().await?;
        loop {
            match self.last_of_once(stream).await {
                Ok(event) => return Ok(event),
                Err(failed) => {
                    if !tries.again(failed).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    async fn last_of_once(&self, stream: &str) -> Result<Option<RecordedEvent>, Failed> {
        let source = Source::Stream { name: stream, from: StreamPosition::End, is_backwards: true };
        self.events(source, 1).await?.next().await
    }

    /// The records after a position.
    pub(super) async fn page(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let mut page = Page { records: Vec::new(), reached: after, at_head: false };
        let (mut bytes, mut at_least) = (0, EVENTS.0);
        let tries = self.tries().await?;
        loop {
            // The one at the position, which is left out, and one to see whether there are more.
            let count = (limit.max(1) - page.records.len()).saturating_add(2).max(at_least);
            match self.fill(&mut page, &mut bytes, limit.max(1), count).await {
                Ok(true) => return Ok(page),
                Ok(false) => at_least = (at_least * 4).min(EVENTS.1),
                Err(failed) => {
                    if !tries.again(failed).await? {
                        break;
                    }
                }
            }
        }
        drop(tries);
        self.page_of_no_event(after).await
    }

    /// Reads on from where a page has come to. True if the page is whole.
    async fn fill(&self, page: &mut Page, bytes: &mut usize, limit: usize, count: usize) -> Result<bool, Failed> {
        let after = page.reached.0;
        let from = match after {
            0 => StreamPosition::Start,
            at => StreamPosition::Position(ServerPosition { commit: at, prepare: at }),
        };
        let mut events = self.events(Source::All { from, is_backwards: false }, count).await?;
        let (mut read, mut is_full) = (0, false);
        // Read to the end, also when the page is full: a call that is broken off costs the server more than a few events.
        while let Some(event) = events.next().await? {
            read += 1;
            let position = Position(event.position.commit);
            if position.0 <= after || is_full {
                continue;
            }
            if form::is_record(&event.event_type) {
                is_full = page.records.len() >= limit;
                if is_full {
                    continue;
                }
                *bytes += event.data.len() + event.custom_metadata.len();
                page.records.push(form::from_server(event)?);
            }
            page.reached = position;
            if *bytes >= PAGE_BYTES_MAX {
                return Ok(true);
            }
        }
        page.at_head = read < count && !is_full;
        Ok(page.at_head || page.records.len() >= limit)
    }

    /// What follows a position where no event begins: nothing, if it is after all of them.
    async fn page_of_no_event(&self, after: Position) -> Result<Page, ReadError> {
        if self.head().await?.is_none_or(|head| head <= after) {
            return Ok(Page { records: Vec::new(), reached: after, at_head: true });
        }
        Err(ReadError::Damaged {
            position: after,
            reason: "no event begins there: is it the position of another log?".into(),
        })
    }

    /// Where the last record of the log stands, looked for from the end.
    pub(super) async fn head(&self) -> Result<Option<Position>, ReadError> {
        let known = *self.known_end();
        let found = self.look_back(known).await?;
        Ok(found.map(|found| found.map_or(Position(known.record), |record| record.position)))
    }

    /// The last record of the log.
    pub(super) async fn last_record(&self) -> Result<Option<Record>, ReadError> {
        Ok(self.look_back(End::default()).await?.flatten())
    }

    /// The last record, or that it is the one that is known.
    async fn look_back(&self, known: End) -> Result<Option<Option<Record>>, ReadError> {
        let (mut from, mut end) = (StreamPosition::End, None);
        let mut count = LOOKING_BACK;
        loop {
            let events = self.backwards(from, count).await?;
            let is_all = events.len() < count;
            for event in events {
                let position = event.position;
                let end = *end.get_or_insert(position.commit);
                if form::is_record(&event.event_type) {
                    let record = form::from_server(event)?;
                    self.found(record.position, end);
                    return Ok(Some(Some(record)));
                }
                if position.commit <= known.searched && known.record > 0 {
                    self.found(Position(known.record), end);
                    return Ok(Some(None));
                }
                from = StreamPosition::Position(position);
            }
            if is_all {
                return Ok(None);
            }
            count = (count * 4).min(EVENTS.1);
        }
    }

    async fn backwards(
        &self,
        from: StreamPosition<ServerPosition>,
        count: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let tries = self.tries().await?;
        loop {
            match self.backwards_once(from, count).await {
                Ok(events) => return Ok(events),
                Err(failed) => {
                    if !tries.again(failed).await? {
                        return Ok(Vec::new());
                    }
                }
            }
        }
    }

    async fn backwards_once(
        &self,
        from: StreamPosition<ServerPosition>,
        count: usize,
    ) -> Result<Vec<RecordedEvent>, Failed> {
        let mut events = self.events(Source::All { from, is_backwards: true }, count).await?;
        let mut read = Vec::new();
        while let Some(event) = events.next().await? {
            read.push(event);
        }
        Ok(read)
    }

    /// A record is at a position, and none between it and `searched`.
    fn found(&self, record: Position, searched: u64) {
        let mut end = self.known_end();
        if record.0 >= end.record {
            *end = End { record: record.0, searched: searched.max(record.0) };
        }
    }

    fn known_end(&self) -> std::sync::MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn events(&self, source: Source<'_>, count: usize) -> Result<Events<'_>, Failed> {
        let held = self.clients.get().map_err(|error| Failed::ForNow { reason: error::reason_of(&error) })?;
        let generation = held.generation;
        let credentials = self.clients.address().credentials.clone();
        let stream = self.in_time(generation, async {
            match source {
                Source::Stream { name, from, is_backwards } => {
                    let options = ReadStreamOptions::default().position(from).max_count(count).requires_leader(true);
                    let options = if is_backwards { options.backwards() } else { options.forwards() };
                    let options = credentials.iter().fold(options, |options, user| options.authenticated(user.clone()));
                    held.client.read_stream(name, &options).await
                }
                Source::All { from, is_backwards } => {
                    let options = ReadAllOptions::default().position(from).max_count(count).requires_leader(true);
                    let options = if is_backwards { options.backwards() } else { options.forwards() };
                    let options = credentials.iter().fold(options, |options, user| options.authenticated(user.clone()));
                    held.client.read_all(&options).await
                }
            }
        });
        Ok(Events { reader: self, generation, stream: stream.await? })
    }

    async fn in_time<T>(&self, generation: u64, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failed> {
        match timeout_at(Instant::now() + READ_TIMEOUT, answer).await {
            Ok(Ok(answer)) => {
                self.clients.is_good(generation);
                Ok(answer)
            }
            Ok(Err(error)) => Err(self.failed(&error, generation)),
            Err(_) => {
                self.clients.was_silent(generation, READ_TIMEOUT);
                Err(Failed::ForNow { reason: "the server does not answer".into() })
            }
        }
    }

    fn failed(&self, error: &Error, generation: u64) -> Failed {
        if error::is_doubtful(error) {
            self.clients.is_doubtful(generation);
        }
        let reason = error::reason_of(error);
        match error {
            Error::ResourceNotFound => Failed::Absent,
            Error::Grpc { code: Code::InvalidArgument, message } if message.contains("invalid position") => {
                Failed::InvalidPosition
            }
            Error::ResourceDeleted => {
                let reason = format!("the stream was deleted on the server: {reason}");
                Failed::Final(ReadError::Damaged { position: Position::START, reason })
            }
            Error::AccessDenied | Error::UnsupportedFeature => Failed::Final(ReadError::Unavailable { reason }),
            _ => Failed::ForNow { reason },
        }
    }

    /// The time of a read, once it is its turn.
    async fn tries(&self) -> Result<Tries<'_>, ReadError> {
        let deadline = Instant::now() + READ_TIMEOUT;
        let unavailable = |reason: &str| ReadError::Unavailable { reason: reason.into() };
        let permit = timeout_at(deadline, self.permits.acquire()).await;
        let permit = permit.map_err(|_| unavailable("too many reads wait"))?;
        Ok(Tries { deadline, _permit: permit.map_err(|_| unavailable("the log is closed"))? })
    }

    /// Reads nothing more.
    pub(super) fn close(&self) {
        self.permits.close();
    }
}

impl Tries<'_> {
    /// Waits for another attempt; false if there is nothing to be read, however often.
    async fn again(&self, failed: Failed) -> Result<bool, ReadError> {
        match failed {
            Failed::Absent | Failed::InvalidPosition => Ok(false),
            Failed::Final(error) => Err(error),
            Failed::ForNow { reason } if Instant::now() + PAUSE >= self.deadline => {
                Err(ReadError::Unavailable { reason })
            }
            Failed::ForNow { .. } => {
                sleep(PAUSE).await;
                Ok(true)
            }
        }
    }
}

impl Events<'_> {
    async fn next(&mut self) -> Result<Option<RecordedEvent>, Failed> {
        let event = self.reader.in_time(self.generation, self.stream.next()).await?;
        // The event itself: links, which point to others, are system events and are not resolved.
        Ok(event.and_then(|event| event.event))
    }
}
