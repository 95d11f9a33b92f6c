//! The one loop: load, decide, append; on conflict again.

use std::time::Duration;

use chopmark_domain::cause::{Cause, Metadata};
use chopmark_domain::codec::{StoredEvent, to_json};
use chopmark_domain::stream::Stream;
use chopmark_log::{AppendError, Appended, Expected, NewEvent, Position, Record, Revision, StreamName};
use rand::Rng;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::CommandError;
use crate::fold::Fold;
use crate::{Commands, Done};

/// For how long others may keep changing a stream before we give up. The marketplace waits five seconds for an answer;
/// whoever decides once more after this is still in time.
const PATIENCE: Duration = Duration::from_millis(3_500);
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

    fn position(&self) -> Option<Position> {
        self.last.map(|(_, position)| position)
    }
}

/// A decision that is durable.
pub(crate) struct Decided<S: Fold> {
    /// The state after it.
    pub(crate) state: S,
    /// The position of the stream's last event.
    pub(crate) position: Option<Position>,
    /// What was appended.
    pub(crate) events: Vec<S::Event>,
}

impl<S: Fold> From<Decided<S>> for Done<S> {
    fn from(decided: Decided<S>) -> Self {
        Self { state: decided.state, position: decided.position, appended: decided.events.len() }
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
    ) -> Result<Decided<S>, CommandError>
    where
        S: Fold,
        D: Fn(&S) -> Result<Vec<S::Event>, CommandError> + Send,
    {
        let name = StreamName::new(&stream.to_string())?;
        let mut loaded = match guess {
            Guess::New => Loaded { state: S::default(), last: None },
            Guess::Unknown => self.load(&name).await?,
        };
        let begun = Instant::now();
        let mut conflicts = 0;
        loop {
            let events = decide(&loaded.state)?;
            if events.is_empty() {
                return Ok(Decided { position: loaded.position(), state: loaded.state, events });
            }
            match self.append(&name, loaded.expected(), &events, cause).await {
                Ok(appended) => {
                    let now = self.now();
                    events.iter().for_each(|event| loaded.state.take_new(event, cause, now));
                    return Ok(Decided { state: loaded.state, position: Some(appended.position), events });
                }
                Err(AppendError::Conflict { .. }) if begun.elapsed() < PATIENCE => {
                    // A guess that was wrong says nothing of others being at work.
                    if conflicts > 0 || guess == Guess::Unknown {
                        back_off(conflicts).await;
                    }
                    conflicts += 1;
                    loaded = self.load(&name).await?;
                }
                Err(AppendError::Conflict { .. }) => return Err(CommandError::Contended { stream: name }),
                Err(error) => return Err(CommandError::NotDurable { reason: error.to_string() }),
            }
        }
    }

    /// Reads a stream's state.
    pub(crate) async fn read<S: Fold>(&self, stream: &Stream) -> Result<S, CommandError> {
        Ok(self.load(&StreamName::new(&stream.to_string())?).await?.state)
    }

    async fn load<S: Fold>(&self, name: &StreamName) -> Result<Loaded<S>, CommandError> {
        let records = self.read_whole(name).await?;
        let last = records.last().map(|record| (record.revision, record.position));
        Ok(Loaded { state: S::fold(name, &records)?, last })
    }

    /// Every record of a stream.
    pub(crate) async fn read_whole(&self, name: &StreamName) -> Result<Vec<Record>, CommandError> {
        let mut records = self.log.read_stream(name, Revision(0), PAGE).await?;
        let mut page = records.len();
        while page == PAGE {
            let next = self.log.read_stream(name, Revision(records.len() as u64), PAGE).await?;
            page = next.len();
            records.extend(next);
        }
        Ok(records)
    }

    /// Appends; a lost answer is asked for again with the same ids, so that it is never guessed.
    pub(crate) async fn append<E: StoredEvent>(
        &self,
        name: &StreamName,
        expected: Expected,
        events: &[E],
        cause: &Cause,
    ) -> Result<Appended, AppendError> {
        let metadata = to_json(&Metadata { cause: cause.clone(), answered: self.answered.about(name, self.now()) });
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
                    if attempt == 1 {
                        tracing::warn!(stream = %name, reason, "an append's answer was lost; asking again");
                    }
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
