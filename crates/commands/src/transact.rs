//! The one loop: load, decide, append; on conflict again.

use std::time::Duration;

use chopmark_domain::cause::{Cause, Metadata};
use chopmark_domain::codec::{StoredEvent, to_json};
use chopmark_domain::stream::Stream;
use chopmark_log::{AppendError, Appended, Expected, NewEvent, Position, Revision, StreamName};
use rand::Rng;
use uuid::Uuid;

use crate::error::CommandError;
use crate::fold::Fold;
use crate::{Commands, Done};

/// Decisions on one stream before giving up. Contention that lasts longer than this is not the marketplace's.
const ATTEMPTS: u32 = 12;
/// Appends of the same events before a lost answer stays lost.
const APPENDS: u32 = 5;
/// Records read of a stream at once; streams are short.
const PAGE: usize = 1_000;

/// A stream as loaded.
struct Loaded<S> {
    state: S,
    last: Option<(Revision, Position)>,
}

impl<S> Loaded<S> {
    fn expected(&self) -> Expected {
        self.last.map_or(Expected::NoStream, |(revision, _)| Expected::Exact(revision))
    }
}

/// What is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// Nothing is known of the stream.
    Unknown,
    /// Most likely there is no such stream yet: decide on nothing first, and read only if that was wrong.
    New,
}

impl Commands {
    /// Runs one decision on a stream.
    pub(crate) async fn transact<S, D>(
        &self,
        stream: &Stream,
        guess: Guess,
        cause: &Cause,
        decide: D,
    ) -> Result<Done<S>, CommandError>
    where
        S: Fold,
        D: Fn(&S) -> Result<Vec<S::Event>, CommandError> + Send,
    {
        let name = StreamName::new(&stream.to_string())?;
        let mut loaded = match guess {
            Guess::New => Loaded { state: S::default(), last: None },
            Guess::Unknown => self.load(&name).await?,
        };
        for attempt in 0..ATTEMPTS {
            let events = decide(&loaded.state)?;
            if events.is_empty() {
                let position = loaded.last.map(|(_, position)| position);
                return Ok(Done { state: loaded.state, position, appended: 0 });
            }
            match self.append(&name, loaded.expected(), &events, cause).await {
                Ok(appended) => {
                    let now = self.now();
                    events.iter().for_each(|event| loaded.state.take_new(event, cause, now));
                    let position = Some(appended.position);
                    return Ok(Done { state: loaded.state, position, appended: events.len() });
                }
                Err(AppendError::Conflict { .. }) => {
                    back_off(attempt).await;
                    loaded = self.load(&name).await?;
                }
                Err(error) => {
                    return Err(CommandError::NotDurable { reason: error.to_string() });
                }
            }
        }
        Err(CommandError::Contended { stream: name })
    }

    /// Reads a stream's state.
    pub(crate) async fn read<S: Fold>(&self, stream: &Stream) -> Result<Done<S>, CommandError> {
        let loaded = self.load(&StreamName::new(&stream.to_string())?).await?;
        Ok(Done { state: loaded.state, position: loaded.last.map(|(_, position)| position), appended: 0 })
    }

    async fn load<S: Fold>(&self, name: &StreamName) -> Result<Loaded<S>, CommandError> {
        let mut records = self.log.read_stream(name, Revision(0), PAGE).await?;
        let mut page = records.len();
        while page == PAGE {
            let next = self.log.read_stream(name, Revision(records.len() as u64), PAGE).await?;
            page = next.len();
            records.extend(next);
        }
        let last = records.last().map(|record| (record.revision, record.position));
        Ok(Loaded { state: S::fold(name, &records)?, last })
    }

    /// Appends; a lost answer is asked for again with the same ids, so that it is never guessed.
    async fn append<E: StoredEvent>(
        &self,
        name: &StreamName,
        expected: Expected,
        events: &[E],
        cause: &Cause,
    ) -> Result<Appended, AppendError> {
        let metadata = to_json(&Metadata { cause: cause.clone() });
        let events: Vec<NewEvent> = events
            .iter()
            .map(|event| NewEvent {
                id: Uuid::now_v7(),
                kind: event.kind().into(),
                data: event.encode(),
                metadata: metadata.clone(),
            })
            .collect();
        for attempt in 1..APPENDS {
            match self.log.append(name, expected, events.clone()).await {
                Err(AppendError::Unknown { reason }) => {
                    tracing::warn!(stream = %name, reason, "an append's answer was lost; asking again");
                    back_off(attempt).await;
                }
                settled => return settled,
            }
        }
        self.log.append(name, expected, events).await
    }
}

/// A short random wait, so that those who met do not meet again.
async fn back_off(attempt: u32) {
    let ceiling_ms = 2_u64 << attempt.min(6);
    let wait = rand::rng().random_range(0..ceiling_ms);
    tokio::time::sleep(Duration::from_millis(wait)).await;
}
