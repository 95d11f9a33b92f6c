//! Appends, each settled within its time.
//!
//! Appends go over `BatchAppend`, in which an append and its answer are one message each, and many share a session. A session
//! ends with the first append that is refused, and takes along whatever else is under way in it. So what was not answered is
//! sent again with the same ids, in a session of its own, where nobody else's conflict reaches it, and if need be to another
//! node, until the server says what became of it or the time is over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventstore::{BatchAppendClient, BatchAppendOptions, Error, EventData, ExpectedRevision, Position};
use rand::Rng;
use tokio::sync::Semaphore;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::client::Clients;
use super::error::{self, Refusal};
use crate::event_log::AppendError;
use crate::record::{Expected, StreamName};

/// How long an append may take in all, waiting and repeating included: a callback is answered within four seconds.
const APPEND_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one attempt may take before it is repeated over another connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_400);

/// The least and the most time between two attempts. The first is repeated at once.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));

/// Appends under way at once. A server allows a hundred calls on one connection, and reads are calls too.
const APPENDS_MAX: usize = 64;

/// Appends that share a session at most.
const SHARED_MAX: usize = 32;

/// Where the last event of an append stands, in its stream and, if the server told it, in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) revision: u64,
    pub(super) position: Option<u64>,
}

/// Who appends.
pub(super) struct Appender {
    clients: Arc<Clients>,
    shared: Mutex<Vec<Arc<Session>>>,
    /// Held while a session is opened, so that those who wait for one share it.
    opening: tokio::sync::Mutex<()>,
    permits: Semaphore,
}

struct Session {
    appends: BatchAppendClient,
    generation: u64,
    /// Appends under way in it, and all there ever were.
    under_way: AtomicUsize,
    begun: AtomicUsize,
    is_over: AtomicBool,
}

/// An append under way in a session.
struct UnderWay<'a> {
    session: &'a Session,
    /// Tells whether it is alone, if it was when it began.
    ticket: Option<usize>,
    has_ended: bool,
}

/// One append until it is settled.
struct Attempts {
    deadline: Instant,
    next_pause: Duration,
    is_first: bool,
    /// An attempt was sent and not answered.
    may_be_stored: bool,
}

impl Appender {
    pub(super) fn new(clients: Arc<Clients>) -> Self {
        Self {
            clients,
            shared: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            permits: Semaphore::new(APPENDS_MAX),
        }
    }

    /// Appends events to a stream. They are not empty.
    pub(super) async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<EventData>,
    ) -> Result<Acknowledged, AppendError> {
        let conflict = || AppendError::Conflict { stream: stream.clone(), current: None };
        let Some((first, expected)) = to_server(expected) else { return Err(conflict()) };
        let last = first + events.len() as u64 - 1;
        let mut attempts = Attempts::new();
        let permit = timeout_at(attempts.deadline, self.permits.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            let why = if self.permits.is_closed() { "the log is closed" } else { "too many appends wait" };
            return Err(AppendError::Unavailable { reason: why.into() });
        };
        loop {
            match self.attempt(&attempts, stream, expected, events.clone()).await {
                Ok(position) => return Ok(Acknowledged { revision: last, position: told(position, events.len()) }),
                Err(Refusal::Conflict) => return Err(conflict()),
                Err(Refusal::Invalid(reason)) => return Err(AppendError::Invalid { reason }),
                Err(Refusal::NotStored(reason)) => attempts.again(reason).await?,
                Err(Refusal::Unknown(reason)) => {
                    attempts.may_be_stored = true;
                    attempts.again(reason).await?;
                }
            }
        }
    }

    /// Takes no more appends, and waits for those under way.
    pub(super) async fn close(&self) {
        let all = u32::try_from(APPENDS_MAX).unwrap_or(u32::MAX);
        // They end by themselves, within their time.
        let _all = self.permits.acquire_many(all).await;
        self.permits.close();
        self.shared().clear();
    }

    async fn attempt(
        &self,
        attempts: &Attempts,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<EventData>,
    ) -> Result<Option<Position>, Refusal> {
        let (deadline, generation) = (attempts.attempt_deadline(), self.clients.generation());
        let opened = match attempts.is_first {
            true => timeout_at(deadline, self.shared_session(generation)).await,
            false => timeout_at(deadline, self.open()).await,
        };
        let session = self.judged(generation, opened, Refusal::NotStored)?;
        let under_way = session.begin();
        let sent = session.appends.append_to_stream(stream.as_str(), expected, events);
        let written = self.judged(session.generation, timeout_at(deadline, sent).await, Refusal::Unknown);
        let was_alone = under_way.end(written.is_ok());
        match written {
            Ok(written) => Ok(written.current_position()),
            // What ended the session may have been another append, after this one had been sent.
            Err(Refusal::NotStored(reason)) if !was_alone && error::is_of_session(&reason) => {
                Err(Refusal::Unknown(reason))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// An outcome, which says something of the client too. No answer in time is what the caller says it is.
    fn judged<T>(
        &self,
        generation: u64,
        outcome: Result<Result<T, Error>, Elapsed>,
        unanswered: fn(String) -> Refusal,
    ) -> Result<T, Refusal> {
        match outcome {
            Ok(Ok(done)) => {
                self.clients.is_good(generation);
                Ok(done)
            }
            Ok(Err(error)) => {
                if error::is_doubtful(&error) {
                    self.clients.is_doubtful(generation);
                }
                Err(Refusal::of(&error))
            }
            Err(_) => {
                self.clients.was_silent(generation, ATTEMPT_TIMEOUT);
                Err(unanswered("the server does not answer".into()))
            }
        }
    }

    /// A session that has room for one more.
    async fn shared_session(&self, generation: u64) -> Result<Arc<Session>, Error> {
        if let Some(session) = self.with_room(generation) {
            return Ok(session);
        }
        let _opening = self.opening.lock().await;
        if let Some(session) = self.with_room(generation) {
            return Ok(session);
        }
        let session = self.open().await?;
        self.shared().push(Arc::clone(&session));
        Ok(session)
    }

    /// The fullest session that has room, so that few carry all.
    fn with_room(&self, generation: u64) -> Option<Arc<Session>> {
        let mut shared = self.shared();
        shared.retain(|session| session.generation == generation && !session.is_over.load(Ordering::Relaxed));
        let under_way = |session: &&Arc<Session>| session.under_way.load(Ordering::Relaxed);
        shared.iter().filter(|session| under_way(session) < SHARED_MAX).max_by_key(under_way).cloned()
    }

    /// Opens a session. It lives on the engine's own threads, whoever asks for it.
    async fn open(&self) -> Result<Arc<Session>, Error> {
        let mut options = BatchAppendOptions::default().requires_leader(true);
        if let Some(credentials) = &self.clients.address().credentials {
            options = options.authenticated(credentials.clone());
        }
        let clients = Arc::clone(&self.clients);
        let opening = self.clients.runtime().spawn(async move {
            let held = clients.get()?;
            Ok(Session::new(held.client.batch_append(&options).await?, held.generation))
        });
        // It does not come to an end only where the threads do.
        let opened: Result<Session, Error> =
            AbortOnDropHandle::new(opening).await.unwrap_or(Err(Error::ConnectionClosed));
        opened.map(Arc::new)
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Session>>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn new(appends: BatchAppendClient, generation: u64) -> Self {
        let (under_way, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { appends, generation, under_way, begun, is_over: AtomicBool::new(false) }
    }

    /// An append begins.
    fn begin(&self) -> UnderWay<'_> {
        let ticket = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let alone = self.under_way.fetch_add(1, Ordering::SeqCst) == 0;
        UnderWay { session: self, ticket: alone.then_some(ticket), has_ended: false }
    }
}

impl UnderWay<'_> {
    /// It has ended, and the session with it unless it went well. True if no other append was under way meanwhile.
    fn end(mut self, went_well: bool) -> bool {
        self.has_ended = true;
        self.session.under_way.fetch_sub(1, Ordering::SeqCst);
        self.session.is_over.fetch_or(!went_well, Ordering::SeqCst);
        self.ticket == Some(self.session.begun.load(Ordering::SeqCst))
    }
}

impl Drop for UnderWay<'_> {
    /// Nobody waits any more for what becomes of it. It may yet end the session, so that gets no more appends, and none that
    /// is under way in it is alone from now on.
    fn drop(&mut self) {
        if !self.has_ended {
            self.session.is_over.store(true, Ordering::SeqCst);
        }
    }
}

impl Attempts {
    fn new() -> Self {
        Self { deadline: Instant::now() + APPEND_TIMEOUT, next_pause: PAUSES.0, is_first: true, may_be_stored: false }
    }

    fn attempt_deadline(&self) -> Instant {
        self.deadline.min(Instant::now() + ATTEMPT_TIMEOUT)
    }

    /// Waits for the next attempt; an error if there is no time for one.
    async fn again(&mut self, reason: String) -> Result<(), AppendError> {
        let pause = if std::mem::take(&mut self.is_first) { Duration::ZERO } else { self.pause() };
        if Instant::now() + pause < self.deadline {
            tracing::debug!(reason, "an append is sent again");
            sleep(pause).await;
            return Ok(());
        }
        Err(if self.may_be_stored { AppendError::Unknown { reason } } else { AppendError::Unavailable { reason } })
    }

    fn pause(&mut self) -> Duration {
        let pause = self.next_pause.mul_f64(rand::rng().random_range(0.5..1.0));
        self.next_pause = (self.next_pause * 2).min(PAUSES.1);
        pause
    }
}

/// The position of the last event, if that is what the server tells. Of several events it tells where the first (prepare)
/// and the last (commit) stand; were both the same, it could be either.
fn told(position: Option<Position>, events: usize) -> Option<u64> {
    let position = position.filter(|position| position.commit != u64::MAX)?;
    (events == 1 || position.commit > position.prepare).then_some(position.commit)
}

/// The revision of the first event, and the expectation as the server knows it. `None` is one that no stream fulfils.
fn to_server(expected: Expected) -> Option<(u64, ExpectedRevision)> {
    match expected {
        Expected::NoStream => Some((0, ExpectedRevision::NoStream)),
        Expected::Exact(revision) if revision.0 < i64::MAX.cast_unsigned() => {
            Some((revision.0 + 1, ExpectedRevision::Exact(revision.0)))
        }
        Expected::Exact(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Revision;

    #[test]
    fn only_the_position_of_the_last_event_is_believed() {
        let position = |commit, prepare| Some(Position { commit, prepare });
        assert_eq!(told(position(7, 7), 1), Some(7));
        assert_eq!(told(position(9, 7), 2), Some(9));
        assert_eq!(told(position(7, 7), 2), None);
        assert_eq!(told(position(u64::MAX, u64::MAX), 1), None);
        assert_eq!(told(None, 1), None);
    }

    #[test]
    fn no_stream_is_at_a_revision_beyond_all() {
        assert_eq!(to_server(Expected::NoStream), Some((0, ExpectedRevision::NoStream)));
        assert_eq!(to_server(Expected::Exact(Revision(6))), Some((7, ExpectedRevision::Exact(6))));
        assert_eq!(to_server(Expected::Exact(Revision(u64::MAX))), None);
    }
}
