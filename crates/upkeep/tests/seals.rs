//! Seals on a real log, by a sealer of the test, with a clock that is moved by hand.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chopmark_commands::{Clock, Commands};
use chopmark_domain::seal::{SealClaims, Sealed};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{Chain, EventLog, Expected, LogMetrics, NewEvent, Position, Revision, StreamName};
use chopmark_upkeep::{NotSealed, Sealer, Seals, UpkeepMetrics};
use chrono::{DateTime, TimeDelta, Utc};
use prometheus::Registry;
use tempfile::TempDir;
use uuid::Uuid;

struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Seals with a word, which stands for a key.
struct Word(&'static str);

impl Sealer for Word {
    fn seal(&self, claims: &SealClaims) -> String {
        format!("{} {} {}", self.0, claims.records, claims.chain)
    }

    fn knows(&self, sealed: &Sealed) -> bool {
        self.seal(&sealed.claims) == sealed.seal
    }
}

struct World {
    log: Arc<SqliteLog>,
    clock: Arc<HandClock>,
    folder: TempDir,
}

/// The log's clock stands where the hand clock begins.
fn begin() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_790_000_000_000).unwrap()
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let options = SqliteOptions { clock: begin, ..SqliteOptions::default() };
        let path = folder.path().join("log.db");
        let log = Arc::new(SqliteLog::open(&path, options, LogMetrics::unregistered()).unwrap());
        Self { log, clock: Arc::new(HandClock(AtomicI64::new(begin().timestamp_millis()))), folder }
    }

    fn seals_by(&self, word: &'static str) -> Seals {
        let metrics = UpkeepMetrics::register(&Registry::new()).unwrap();
        let commands = Commands::new(self.log.clone(), self.clock.clone());
        Seals::new(commands, Arc::new(Word(word)), Duration::from_secs(3_600), metrics)
    }

    fn seals(&self) -> Seals {
        self.seals_by("ours")
    }

    fn passes(&self, time: TimeDelta) {
        self.clock.0.fetch_add(time.num_milliseconds(), Ordering::Relaxed);
    }

    async fn happens(&self, stream: &str) {
        let name = StreamName::new(stream).unwrap();
        let last = self.log.read_stream(&name, Revision(0), 1_000).await.unwrap().pop();
        let expected = last.map_or(Expected::NoStream, |record| Expected::Exact(record.revision));
        let event =
            NewEvent { id: Uuid::now_v7(), kind: "kind".into(), data: b"{}".to_vec(), metadata: b"{}".to_vec() };
        self.log.append(&name, expected, vec![event]).await.unwrap();
    }

    /// The chain over the first records of the log.
    async fn chain(&self, records: usize) -> Chain {
        let page = self.log.read_all(Position::START, records).await.unwrap();
        let mut chain = Chain::START;
        page.records.iter().for_each(|record| chain.add(record));
        chain
    }

    async fn assert_true(&self, sealed: &Sealed, records: usize) {
        let chain = self.chain(records).await;
        assert_eq!((sealed.claims.records, sealed.claims.chain.0), (chain.records(), chain.value()));
        let named = StreamName::new(&sealed.claims.stream).unwrap();
        let named = self.log.read_stream(&named, Revision(sealed.claims.revision), 1).await.unwrap();
        assert_eq!((named[0].id, named[0].position), (sealed.claims.id, Position(records as u64)));
    }
}

#[tokio::test]
async fn a_seal_covers_everything_before_it_the_seal_before_included() {
    let world = World::new();
    let mut seals = world.seals();
    assert_eq!(seals.seal_if_due().await.unwrap(), None, "an empty log is not sealed");
    world.happens("a").await;
    world.happens("b").await;
    let first = seals.seal_if_due().await.unwrap().expect("the first is due at once");
    world.assert_true(&first, 2).await;
    world.happens("a").await;
    world.passes(TimeDelta::hours(1));
    let second = seals.seal_if_due().await.unwrap().unwrap();
    world.assert_true(&second, 4).await;
}

#[tokio::test]
async fn seals_come_at_their_time_and_only_if_something_else_is_new() {
    let world = World::new();
    let mut seals = world.seals();
    world.happens("a").await;
    assert!(seals.seal_if_due().await.unwrap().is_some());
    world.happens("a").await;
    world.passes(TimeDelta::minutes(59));
    assert_eq!(seals.seal_if_due().await.unwrap(), None, "it is not time yet");
    world.passes(TimeDelta::minutes(1));
    assert!(seals.seal_if_due().await.unwrap().is_some());
    world.passes(TimeDelta::hours(9));
    assert_eq!(seals.seal_if_due().await.unwrap(), None, "a seal alone needs no seal");
    assert_eq!(world.seals().seal_if_due().await.unwrap(), None, "for one who just came neither");
    assert_eq!(world.seals().seal().await.unwrap(), None, "nor for one who is asked to");
}

#[tokio::test]
async fn whoever_comes_goes_on_from_the_last_seal_without_reading_what_was_before() {
    let world = World::new();
    for _ in 0..5 {
        world.happens("a").await;
    }
    world.seals().seal().await.unwrap().unwrap();
    world.happens("a").await;
    // The first record cannot be read any more; a new worker does not want to.
    let file = rusqlite::Connection::open(world.folder.path().join("log.db")).unwrap();
    file.execute("UPDATE events SET data = x'00' WHERE position = 1", []).unwrap();
    let sealed = world.seals().seal().await.unwrap().unwrap();
    file.execute("UPDATE events SET data = CAST('{}' AS BLOB) WHERE position = 1", []).unwrap();
    world.assert_true(&sealed, 7).await;
}

#[tokio::test]
async fn of_two_who_seal_at_once_one_is_taken_and_the_other_goes_on_from_it() {
    let world = World::new();
    let (mut one, mut two) = (world.seals(), world.seals());
    world.happens("a").await;
    assert_eq!(one.seal_if_due().await.unwrap().map(|seal| seal.claims.records), Some(1));
    world.happens("a").await;
    two.seal().await.unwrap().unwrap();
    world.passes(TimeDelta::hours(1));
    world.happens("a").await;
    assert_eq!(one.seal_if_due().await.unwrap(), None, "it did not know of the other's");
    let sealed = one.seal_if_due().await.unwrap().unwrap();
    world.assert_true(&sealed, 5).await;
}

#[tokio::test]
async fn seals_of_strangers_are_not_built_on() {
    let world = World::new();
    world.happens("a").await;
    let ours = world.seals().seal().await.unwrap().unwrap();
    world.happens("a").await;
    world.seals_by("a stranger's").seal().await.unwrap().unwrap();
    world.happens("a").await;
    let sealed = world.seals().seal().await.unwrap().unwrap();
    world.assert_true(&sealed, 5).await;
    assert!(sealed.claims.records > ours.claims.records);
}

#[tokio::test]
async fn a_log_that_is_not_what_was_sealed_is_not_sealed_again() {
    let world = World::new();
    world.happens("a").await;
    let sealed = world.seals().seal().await.unwrap().unwrap();
    let other = World::new();
    other.happens("a").await;
    let commands = Commands::new(other.log.clone(), other.clock.clone());
    commands.put_seal(None, sealed).await.unwrap().unwrap();
    other.happens("a").await;
    let refused = other.seals().seal().await.unwrap_err();
    assert!(matches!(refused, NotSealed::NotTheLog { seal: Revision(0), .. }), "{refused}");
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let world = World::new();
    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    world.seals().run(stop).await;
}
