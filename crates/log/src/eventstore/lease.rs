//! The right to lead, as a lease on a stream.
//!
//! Whoever leads appends to the stream every few seconds, expecting the revision of what he appended last. Whoever waits
//! watches the stream, and takes the lease over by an append of his own when the last revision has not changed for the time
//! of a lease. The server lets one of two appends through, so one has it. No clock is compared with another: each measures
//! only how long ago something happened to himself.
//!
//! Whoever leads has lost it two thirds of a lease after he began to send the last append that succeeded. Others have
//! seen that append later than that, so none of them takes over before the whole of a lease is over.

use std::sync::Arc;
use std::time::Duration;

use eventstore::{AppendToStreamOptions, ExpectedRevision, StreamMetadataBuilder};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::appender::Appender;
use super::client::Clients;
use super::form;
use super::reader::Reader;
use crate::event_log::{AppendError, ReadError};
use crate::leadership::Leadership;
use crate::record::{Expected, NewEvent, Revision, StreamName};

/// The stream of the lease.
const STREAM: &str = "chopmark-lease";
/// The kind of its events, which are no records of the log.
const KIND: &str = "#lease";
/// The server keeps so many of them.
const KEPT: u64 = 10;

/// The times of a lease.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTimes {
    /// How long others wait after the holder's last sign before one of them takes over. Default: 15 s.
    pub lease: Duration,
    /// How often the holder gives a sign. Default: 5 s.
    pub renew: Duration,
    /// How often others look. Default: 1 s.
    pub look: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), renew: Duration::from_secs(5), look: Duration::from_secs(1) }
    }
}

impl LeaseTimes {
    /// When a holder has lost it who began to send his last sign then.
    fn lost_at(&self, sent: Instant) -> Instant {
        sent + self.lease * 2 / 3
    }

    /// When somebody may take over who has seen the last sign then.
    fn free_at(&self, seen: Instant) -> Instant {
        seen + self.lease
    }
}

/// What an event of the lease says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sign {
    holder: Uuid,
    /// It was given back.
    is_released: bool,
}

/// Who wants the lease, or has it.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) times: LeaseTimes,
    pub(super) clients: Arc<Clients>,
    pub(super) appender: Arc<Appender>,
    pub(super) reader: Arc<Reader>,
    pub(super) runtime: Handle,
    pub(super) holders: Holders,
}

/// Who holds a lease in this process, so that it is given back when the log is closed.
#[derive(Clone, Default)]
pub(super) struct Holders {
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Holders {
    /// Has all leases given back.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// What a candidate has seen of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    revision: Option<Revision>,
    at: Instant,
}

impl Seen {
    /// Looks again: a revision seen before was seen then.
    fn again(self, revision: Option<Revision>, now: Instant) -> Self {
        if revision == self.revision { self } else { Self { revision, at: now } }
    }
}

impl Candidate {
    /// Waits for the lease, as long as it takes.
    pub(super) async fn lead(self) -> Leadership {
        let holder = Uuid::now_v7();
        let mut seen: Option<Seen> = None;
        loop {
            match self.last_sign().await {
                Ok((revision, is_free)) => {
                    let now = Instant::now();
                    let first = Seen { revision, at: now };
                    let latest = seen.unwrap_or(first).again(revision, now);
                    seen = Some(latest);
                    if is_free || now >= self.times.free_at(latest.at) {
                        if let Ok(revision) = self.sign(Uuid::now_v7(), holder, revision).await {
                            return Held { candidate: self, holder, revision, since: now }.until_dropped();
                        }
                        // Somebody else was first, or it is not known: then the next look tells.
                        seen = None;
                    }
                }
                Err(error) => tracing::debug!(%error, "the lease cannot be looked at"),
            }
            sleep(self.times.look).await;
        }
    }

    /// The last sign's revision, and whether nobody has the lease.
    async fn last_sign(&self) -> Result<(Option<Revision>, bool), ReadError> {
        let Some(event) = self.reader.last_of(STREAM).await? else { return Ok((None, true)) };
        let sign: Option<Sign> = serde_json::from_slice(&event.data).ok();
        Ok((Some(Revision(event.revision)), sign.is_some_and(|sign| sign.is_released)))
    }

    /// Gives a sign after a revision, and tells its own.
    async fn sign(&self, id: Uuid, holder: Uuid, after: Option<Revision>) -> Result<Revision, AppendError> {
        self.append(id, &Sign { holder, is_released: false }, after).await
    }

    async fn append(&self, id: Uuid, sign: &Sign, after: Option<Revision>) -> Result<Revision, AppendError> {
        let invalid = |error: &dyn ToString| AppendError::Invalid { reason: error.to_string() };
        let stream = StreamName::new(STREAM).map_err(|error| invalid(&error))?;
        let data = serde_json::to_vec(sign).map_err(|error| invalid(&error))?;
        let event = form::to_server(NewEvent { id, kind: KIND.into(), data, metadata: Vec::new() });
        let expected = after.map_or(Expected::NoStream, Expected::Exact);
        let signed = self.appender.append(&stream, expected, vec![event]).await?;
        Ok(Revision(signed.revision))
    }

    /// Gives the lease back, if it is still the holder's.
    async fn release(&self, holder: Uuid) {
        let Ok(Some(event)) = self.reader.last_of(STREAM).await else { return };
        if serde_json::from_slice(&event.data).ok() == Some(Sign { holder, is_released: false }) {
            // If it does not succeed, others wait until the lease is over.
            let _ =
                self.append(Uuid::now_v7(), &Sign { holder, is_released: true }, Some(Revision(event.revision))).await;
        }
    }

    /// Asks the server to keep only the last signs. One that is not asked keeps them all, which harms nobody.
    async fn keep_few(&self) {
        let Ok(held) = self.clients.get() else { return };
        let mut options = AppendToStreamOptions::default().expected_revision(ExpectedRevision::NoStream);
        if let Some(credentials) = &self.clients.address().credentials {
            options = options.authenticated(credentials.clone());
        }
        let few = StreamMetadataBuilder::new().max_count(KEPT).build();
        let _ = held.client.set_stream_metadata(STREAM, &options, &few).await;
    }
}

/// The lease in somebody's hands.
struct Held {
    candidate: Candidate,
    holder: Uuid,
    /// The last sign.
    revision: Revision,
    /// Before the last sign was sent.
    since: Instant,
}

impl Held {
    /// Holds the lease until it is lost or dropped.
    fn until_dropped(mut self) -> Leadership {
        let (tell_lost, lost) = watch::channel(false);
        let dropped = CancellationToken::new();
        let guard = dropped.clone().drop_guard();
        let (runtime, holders) = (self.candidate.runtime.clone(), self.candidate.holders.clone());
        let holding = holders.tasks.track_future(async move {
            self.candidate.keep_few().await;
            tokio::select! {
                () = dropped.cancelled() => {}
                () = self.candidate.holders.closing.clone().cancelled_owned() => {}
                () = self.renew() => tracing::warn!("the lease to lead was not renewed in time; another process may lead"),
            }
            tell_lost.send_replace(true);
            self.candidate.release(self.holder).await;
        });
        runtime.spawn(holding);
        Leadership::new(guard, lost)
    }

    /// Gives signs until the lease is lost.
    async fn renew(&mut self) {
        loop {
            let Candidate { times, .. } = self.candidate;
            let lost_at = times.lost_at(self.since);
            sleep_until(lost_at.min(self.since + times.renew)).await;
            let now = Instant::now();
            if now >= lost_at {
                return;
            }
            // Repeated with the same id, a sign is as old as its first attempt: others may have seen that one.
            let id = Uuid::now_v7();
            let renewed = timeout_at(lost_at, async {
                loop {
                    match self.candidate.sign(id, self.holder, Some(self.revision)).await {
                        Ok(revision) => return Some(revision),
                        Err(AppendError::Conflict { .. } | AppendError::Invalid { .. }) => return None,
                        Err(error) => tracing::debug!(%error, "the lease is not renewed yet"),
                    }
                    sleep(times.look).await;
                }
            });
            let Ok(Some(revision)) = renewed.await else { return };
            (self.since, self.revision) = (now, revision);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: LeaseTimes =
        LeaseTimes { lease: Duration::from_secs(15), renew: Duration::from_secs(5), look: Duration::from_secs(1) };

    #[test]
    fn a_holder_has_lost_it_before_anybody_may_take_over() {
        let sent = Instant::now();
        for seconds_later in 0..100 {
            let seen = Seen { revision: Some(Revision(3)), at: sent + Duration::from_secs(seconds_later) };
            assert!(TIMES.lost_at(sent) + Duration::from_secs(5) <= TIMES.free_at(seen.at));
        }
    }

    #[test]
    fn only_a_new_sign_makes_others_wait_anew() {
        let begun = Instant::now();
        let seen = Seen { revision: Some(Revision(3)), at: begun };
        let later = begun + Duration::from_secs(9);
        assert_eq!(seen.again(Some(Revision(3)), later), seen);
        assert_eq!(seen.again(Some(Revision(4)), later), Seen { revision: Some(Revision(4)), at: later });
    }
}
