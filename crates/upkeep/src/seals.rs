//! Seals over the log.

use std::sync::Arc;
use std::time::Duration;

use chopmark_commands::{CommandError, Commands, SealOnRecord};
use chopmark_domain::seal::{ChainValue, SealClaims, Sealed};
use chopmark_domain::stream::Stream;
use chopmark_log::{Chain, EventLog, Position, ReadError, Record, Revision, StreamName};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::UpkeepMetrics;

/// Records or seals read at a time.
const PAGE: usize = 1_000;

/// The longest time between two looks whether it is time for a seal.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who seals. It is not known here how.
pub trait Sealer: Send + Sync + 'static {
    /// The seal over these claims, as text.
    fn seal(&self, claims: &SealClaims) -> String;

    /// Whether this installation made the seal, now or formerly, over the claims that stand beside it.
    fn knows(&self, sealed: &Sealed) -> bool;
}

/// Why the log was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    /// The seals cannot be read or written.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log does not hold what was sealed: it was changed, or is another one.
    #[error(
        "seal {seal} of this installation names event {} at revision {} of stream {}, and the log has another one there \
         or none; look at it: chopmark log verify",
        .claims.id, .claims.revision, .claims.stream
    )]
    NotTheLog {
        /// The seal's place among the seals.
        seal: Revision,
        /// What it covers.
        claims: Box<SealClaims>,
    },
}

/// Puts seals on record: now and then, where something else than seals is new.
///
/// It goes on from the last seal of this installation that is in the log, and reads what came after. What came before is
/// not looked at again: `chopmark log verify` does that.
pub struct Seals {
    commands: Commands,
    sealer: Arc<dyn Sealer>,
    every: Duration,
    metrics: UpkeepMetrics,
    /// `None` before the first look, and where another process sealed meanwhile.
    known: Option<Known>,
}

/// What is known of the log so far.
struct Known {
    /// Over everything up to `position`.
    chain: Chain,
    position: Position,
    /// The last record that is no seal, and comes after the last seal's.
    unsealed: bool,
    /// The last record read.
    last: Option<Place>,
    /// The last seal on record, whoever made it.
    seal: Option<(Revision, DateTime<Utc>)>,
}

/// A record, by its name.
struct Place {
    stream: StreamName,
    revision: Revision,
    id: uuid::Uuid,
}

impl Seals {
    /// A seal every so often. The time counts from the last seal on record, over restarts.
    #[must_use]
    pub fn new(commands: Commands, sealer: Arc<dyn Sealer>, every: Duration, metrics: UpkeepMetrics) -> Self {
        Self { commands, sealer, every, metrics, known: None }
    }

    /// Seals until told to stop. What fails is said, counted, and tried again.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let between = LOOK_EVERY.min(self.every);
        while shutdown.run_until_cancelled(tokio::time::sleep(between)).await.is_some() {
            match shutdown.run_until_cancelled(self.seal_if_due()).await {
                None => return,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.metrics.failed.inc();
                    tracing::warn!(%error, "the log was not sealed; it is tried again");
                }
            }
        }
    }

    /// Seals the log if the last seal is old enough and something else is new. The seal, if one was made.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub async fn seal_if_due(&mut self) -> Result<Option<Sealed>, NotSealed> {
        let last = self.known().await?.seal;
        let every = TimeDelta::from_std(self.every).unwrap_or(TimeDelta::MAX);
        let is_due = |at: DateTime<Utc>| at.checked_add_signed(every).is_some_and(|due| due <= self.commands.now());
        if last.is_none_or(|(_, at)| is_due(at)) { self.seal().await } else { Ok(None) }
    }

    /// Seals the log if something else than seals is new, however young the last seal is. The seal, if one was made.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub async fn seal(&mut self) -> Result<Option<Sealed>, NotSealed> {
        let log = Arc::clone(self.commands.log());
        let known = self.known().await?;
        known.catch_up(&*log).await?;
        let after = known.seal.map(|(revision, _)| revision);
        let Some(claims) = known.claims() else {
            return Ok(None);
        };
        let sealed = Sealed { seal: self.sealer.seal(&claims), claims };
        let put = self.commands.put_seal(after, sealed.clone()).await;
        let Some(appended) = put.inspect_err(|_| self.known = None)? else {
            // Another process was quicker: what it says is looked at next time.
            self.known = None;
            return Ok(None);
        };
        let now = self.commands.now();
        if let Some(known) = &mut self.known {
            known.seal = Some((appended.revision, now));
            known.unsealed = false;
        }
        self.metrics.sealed.inc();
        self.metrics.sealed_at.set(now.timestamp());
        tracing::info!(records = sealed.claims.records, chain = %sealed.claims.chain, "the log is sealed");
        Ok(Some(sealed))
    }

    /// What is known; found out where it is not.
    async fn known(&mut self) -> Result<&mut Known, NotSealed> {
        let known = match self.known.take() {
            Some(known) => known,
            None => self.find_out().await?,
        };
        Ok(self.known.insert(known))
    }

    /// Goes on from the last seal that is of this installation; from the beginning where there is none.
    async fn find_out(&self) -> Result<Known, NotSealed> {
        let (mut last, mut ours) = (None, None);
        loop {
            let from = last.map_or(Revision(0), |(Revision(revision), _)| Revision(revision + 1));
            let page = self.commands.seals(from, PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some((end.revision, end.recorded_at));
            ours = page.iter().rev().find(|seal| self.sealer.knows(&seal.sealed)).cloned().or(ours);
        }
        if let Some((_, at)) = last {
            self.metrics.sealed_at.set(at.timestamp());
        }
        let (chain, position) = match ours {
            None => (Chain::START, Position::START),
            Some(seal) => {
                let SealClaims { records, chain: ChainValue(value), .. } = seal.sealed.claims;
                (Chain::at(records, value), self.place_of(seal).await?)
            }
        };
        Ok(Known { chain, position, unsealed: false, last: None, seal: last })
    }

    /// Where the event stands that a seal names.
    async fn place_of(&self, seal: SealOnRecord) -> Result<Position, NotSealed> {
        let SealOnRecord { revision, sealed: Sealed { claims, .. }, .. } = seal;
        let named = match StreamName::new(&claims.stream) {
            Ok(stream) => self.commands.log().read_stream(&stream, Revision(claims.revision), 1).await?.pop(),
            Err(_) => None,
        };
        match named {
            Some(record) if record.id == claims.id => Ok(record.position),
            _ => Err(NotSealed::NotTheLog { seal: revision, claims: Box::new(claims) }),
        }
    }
}

impl Known {
    /// Reads on to the end of the log.
    async fn catch_up(&mut self, log: &dyn EventLog) -> Result<(), NotSealed> {
        loop {
            let page = log.read_all(self.position, PAGE).await?;
            page.records.iter().for_each(|record| self.take(record));
            let has_moved = page.reached > self.position;
            self.position = page.reached;
            // An engine that gives nothing now and is not at its head gives more the next time.
            if page.at_head || !has_moved {
                return Ok(());
            }
        }
    }

    /// What a seal says now; `None` where nothing is new but seals.
    fn claims(&self) -> Option<SealClaims> {
        let last = self.last.as_ref().filter(|_| self.unsealed)?;
        Some(SealClaims {
            stream: last.stream.as_str().into(),
            revision: last.revision.0,
            id: last.id,
            records: self.chain.records(),
            chain: ChainValue(self.chain.value()),
        })
    }

    fn take(&mut self, record: &Record) {
        self.chain.add(record);
        self.unsealed |= Stream::parse(record.stream.as_str()) != Some(Stream::Seals);
        self.last = Some(Place { stream: record.stream.clone(), revision: record.revision, id: record.id });
    }
}
