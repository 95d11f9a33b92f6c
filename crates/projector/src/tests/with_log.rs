//! Against the real log.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::stream::Stream;
use chopmark_log::snapshot::SnapshotError;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{
    AppendError, Appended, EventLog, Expected, LogMetrics, NewEvent, Page, Position, ReadError, Record, Revision,
    StreamName,
};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::laws::samples;
use super::tape::{Tape, at, created, defined, dumped, frozen, instance, refreshed, secret, seller, token, unfrozen};
use crate::{
    LicenseIndex, Projector, ProjectorMetrics, RebuildError, SNAPSHOT_FILE, VerifyError, latest, rebuild, verify,
};

struct House {
    folder: tempfile::TempDir,
    log: Arc<SqliteLog>,
}

/// A projector that runs.
struct Running {
    index: LicenseIndex,
    registry: Registry,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(open(&folder.path().join("log.db")));
        Self { folder, log }
    }

    fn snapshot(&self) -> PathBuf {
        self.folder.path().join(SNAPSHOT_FILE)
    }

    async fn append(&self, stream: &Stream, revision: u64, event: &impl StoredEvent) -> Position {
        append(&self.log, &stream.to_string(), revision, event.kind(), event.encode()).await
    }

    /// A few licenses, a catalog and a token.
    async fn fill(&self) -> Position {
        self.append(&Stream::Seller(seller("acme")), 0, &secret(7)).await;
        self.append(&Stream::Seller(seller("acme")), 1, &defined(1, "sku-a", 0)).await;
        self.append(&Stream::Access, 0, &token("t")).await;
        for number in 0..40 {
            let stream = instance("acme", &Uuid::from_u128(number).to_string());
            self.append(&stream, 0, &created("CS1")).await;
            self.append(&stream, 1, &frozen()).await;
        }
        self.log.head().await.unwrap()
    }

    fn run(&self) -> Running {
        self.run_on(self.log.clone())
    }

    fn run_on(&self, log: Arc<dyn EventLog>) -> Running {
        let (index, registry, stop) = (LicenseIndex::new(), Registry::new(), CancellationToken::new());
        let metrics = ProjectorMetrics::register(&registry).unwrap();
        let projector = Projector::new(log, index.clone(), self.snapshot(), metrics);
        let task = tokio::spawn(projector.run(stop.clone()));
        Running { index, registry, stop, task }
    }

    async fn rebuilt(&self) -> LicenseIndex {
        rebuild(self.log.clone(), None, |_| ()).await.unwrap()
    }
}

impl Running {
    async fn stop(self) -> LicenseIndex {
        self.stop.cancel();
        self.task.await.unwrap();
        self.index
    }

    /// The values of a metric, with its labels.
    fn metric(&self, name: &str) -> Vec<f64> {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        let values =
            family.get_metric().iter().map(|metric| metric.get_gauge().get_value() + metric.get_counter().get_value());
        values.collect()
    }
}

fn open(path: &Path) -> SqliteLog {
    SqliteLog::open(path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap()
}

async fn append(
    log: &SqliteLog,
    stream: &str,
    revision: u64,
    kind: impl Into<Cow<'static, str>>,
    data: Vec<u8>,
) -> Position {
    let expected = revision.checked_sub(1).map_or(Expected::NoStream, |last| Expected::Exact(Revision(last)));
    let event = NewEvent { id: Uuid::now_v7(), kind: kind.into(), data, metadata: b"{}".to_vec() };
    log.append(&StreamName::new(stream).unwrap(), expected, vec![event]).await.unwrap().position
}

#[tokio::test]
async fn the_projector_follows_and_ends_with_a_snapshot_that_verifies() {
    let house = House::new();
    let filled = house.fill().await;
    let running = house.run();
    running.index.progress().reached(filled).await;
    let more = house.append(&instance("acme", "new"), 0, &created("CS9")).await;
    running.index.progress().reached(more).await;
    assert!(running.index.look_up(None, "new", None, at(0)).found.is_some());
    assert_eq!(running.metric("chopmark_licenses"), [1.0, 40.0, 0.0]);
    assert!(running.metric("chopmark_index_bytes")[0] > 0.0);
    assert_eq!(running.metric("chopmark_projector_stopped"), [0.0]);
    let index = running.stop().await;
    assert_eq!(dumped(&index), dumped(&house.rebuilt().await));
    let report = verify(&house.snapshot(), house.log.clone()).await.unwrap();
    assert!(report.is_equal(), "{report:?}");
    assert_eq!((report.position, report.licenses), (more, 41));
}

#[tokio::test]
async fn whatever_can_happen_is_rebuilt_from_a_real_log_and_verified_against_it() {
    for tape in samples().into_iter().take(8) {
        let house = House::new();
        for record in &tape.records {
            let (stream, revision) = (record.stream.as_str(), record.revision.0);
            append(&house.log, stream, revision, record.kind.clone(), record.data.clone()).await;
        }
        let rebuilt = house.rebuilt().await;
        assert_eq!(dumped(&rebuilt), dumped(&tape.index()));
        rebuilt.save(&house.snapshot()).unwrap();
        let report = verify(&house.snapshot(), house.log.clone()).await.unwrap();
        assert!(report.is_equal(), "{report:?}");
    }
}

#[tokio::test]
async fn a_projector_goes_on_from_its_snapshot_and_not_from_the_start() {
    let house = House::new();
    let filled = house.fill().await;
    let running = house.run();
    running.index.progress().reached(filled).await;
    running.stop().await;
    let more = house.append(&instance("acme", &Uuid::from_u128(3).to_string()), 2, &unfrozen(5)).await;
    let running = house.run();
    running.index.progress().reached(more).await;
    while running.metric("chopmark_projector_applied_total") != [1.0] {
        tokio::task::yield_now().await;
    }
    let index = running.stop().await;
    assert_eq!(dumped(&index), dumped(&house.rebuilt().await));
}

#[tokio::test]
async fn a_damaged_snapshot_is_replaced_by_the_log() {
    let house = House::new();
    let filled = house.fill().await;
    let absent = verify(&house.snapshot(), house.log.clone()).await.unwrap_err();
    assert!(matches!(absent, VerifyError::Snapshot(SnapshotError::Absent { .. })), "{absent}");
    for damaged in [&b""[..], b"CHOPSNAP and nothing else"] {
        std::fs::write(house.snapshot(), damaged).unwrap();
        let error = verify(&house.snapshot(), house.log.clone()).await.unwrap_err();
        assert!(matches!(error, VerifyError::Snapshot(SnapshotError::Damaged { .. })), "{error}");
        let running = house.run();
        running.index.progress().reached(filled).await;
        let index = running.stop().await;
        assert_eq!(dumped(&index), dumped(&house.rebuilt().await));
        assert!(verify(&house.snapshot(), house.log.clone()).await.unwrap().is_equal());
    }
}

#[tokio::test]
async fn a_snapshot_of_another_log_is_not_used() {
    let (house, other) = (House::new(), House::new());
    let filled = other.fill().await;
    let running = other.run();
    running.index.progress().reached(filled).await;
    running.stop().await;
    std::fs::copy(other.snapshot(), house.snapshot()).unwrap();
    let report = verify(&house.snapshot(), house.log.clone()).await.unwrap();
    assert_eq!(report.differing, 1 + 2 + 40, "the last event, catalog, access and all licenses: {report:?}");
    let is_of =
        async |log: &SqliteLog| LicenseIndex::load(&other.snapshot()).unwrap().unwrap().is_of(log).await.unwrap();
    assert!(is_of(&other.log).await && !is_of(&house.log).await);
    let refilled = house.fill().await;
    assert!(!is_of(&house.log).await);
    assert_eq!(refilled, filled, "the same number of events, yet not the same events");
    let report = verify(&house.snapshot(), house.log.clone()).await.unwrap();
    assert_eq!(report.differing, 1, "only the last event tells: {report:?}");
    let running = house.run();
    running.index.progress().reached(refilled).await;
    while running.metric("chopmark_projector_applied_total") != [83.0] {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    assert!(verify(&house.snapshot(), house.log.clone()).await.unwrap().is_equal());
}

#[tokio::test]
async fn verifying_finds_what_is_not_as_the_log_says() {
    let house = House::new();
    house.fill().await;
    let index = house.rebuilt().await;
    // The same index, but for one license that is not frozen, one that is too much, and another secret.
    let mut tape = Tape::default();
    tape.add(&instance("acme", &Uuid::from_u128(5).to_string()), &unfrozen(1));
    tape.add(&instance("acme", "too much"), &created("CS1"));
    tape.add(&Stream::Seller(seller("acme")), &secret(8));
    let position = index.position();
    for record in &mut tape.records {
        record.position.0 += position.0;
    }
    index.apply(&tape.page(0..3)).unwrap();
    // Further than the log, too; which is what its last event says.
    index.save(&house.snapshot()).unwrap();
    let report = verify(&house.snapshot(), house.log.clone()).await.unwrap();
    assert!(!report.is_equal());
    assert_eq!(report.differing, 4, "{report:?}");
    let shown: Vec<_> = report.differences.iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("last event"), "{shown:?}");
    assert!(shown[1].contains("sha256:"), "{shown:?}");
    assert!(shown[2].contains(r#""status":"active""#) && shown[2].contains(r#""status":"frozen""#), "{shown:?}");
    assert!(shown[3].contains("too much") && shown[3].contains("log: nothing"), "{shown:?}");
}

#[tokio::test]
async fn rebuilding_stops_where_it_is_told_to() {
    let house = House::new();
    house.fill().await;
    let mut told = vec![];
    let index = rebuild(house.log.clone(), Some(Position(4)), |position| told.push(position)).await.unwrap();
    assert_eq!((index.position(), index.len()), (Position(4), 1));
    assert_eq!(told, [Position(4)]);
    assert_eq!(rebuild(house.log.clone(), Some(Position::START), |_| ()).await.unwrap().len(), 0);
    assert_eq!(house.rebuilt().await.len(), 40);
}

#[tokio::test]
async fn a_newer_event_stops_the_projector_which_answers_and_alerts_and_goes_on_after_an_update() {
    let house = House::new();
    let filled = house.fill().await;
    append(&house.log, "instance-acme/new", 0, "instance_created.v2", b"{}".to_vec()).await;
    house.append(&instance("acme", "late"), 0, &created("CS1")).await;
    let running = house.run();
    let progress = running.index.progress();
    assert!(!progress.reached(Position(filled.0 + 1)).await, "nobody waits for what does not come");
    assert!(progress.is_caught_up() && progress.stands_still(), "as far as it can come, so it answers");
    assert_eq!(running.metric("chopmark_projector_stopped"), [1.0]);
    assert_eq!(running.index.position(), filled);
    assert_eq!(running.index.len(), 40);
    while running.metric("chopmark_projector_lag_events") != [2.0] {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    let saved = LicenseIndex::load(&house.snapshot()).unwrap().unwrap();
    assert_eq!(saved.position(), filled);
}

#[tokio::test]
async fn stopping_before_anything_was_read_leaves_the_snapshot_as_it_is() {
    let house = House::new();
    let filled = house.fill().await;
    let running = house.run();
    running.index.progress().reached(filled).await;
    running.stop().await;
    let before = std::fs::read(house.snapshot()).unwrap();
    let running = house.run();
    running.stop().await;
    assert_eq!(std::fs::read(house.snapshot()).unwrap(), before);
}

#[tokio::test]
async fn refreshes_survive_the_way_through_log_and_snapshot_to_the_nanosecond() {
    let house = House::new();
    let expires_at = at(0) + chrono::TimeDelta::nanoseconds(123_456_789);
    house.append(&instance("acme", "id"), 0, &created("CS1")).await;
    house.append(&instance("acme", "id"), 1, &refreshed(expires_at)).await;
    house.rebuilt().await.save(&house.snapshot()).unwrap();
    let index = LicenseIndex::load(&house.snapshot()).unwrap().unwrap();
    let found = index.look_up(None, "id", None, at(0)).found.unwrap();
    assert_eq!(found.license.expires_at, Some(expires_at));
}

/// A log that cannot be read for a while.
struct Flaky {
    log: Arc<SqliteLog>,
    failures_left: AtomicU32,
}

impl Flaky {
    fn fail(&self) -> Result<(), ReadError> {
        let fails = |left: u32| left.checked_sub(1);
        match self.failures_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails) {
            Ok(_) => Err(ReadError::Unavailable { reason: "pulled the plug".into() }),
            Err(_) => Ok(()),
        }
    }
}

#[async_trait]
impl EventLog for Flaky {
    async fn append(&self, stream: &StreamName, at: Expected, events: Vec<NewEvent>) -> Result<Appended, AppendError> {
        self.log.append(stream, at, events).await
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.fail()?;
        self.log.read_stream(stream, from, limit).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.fail()?;
        self.log.read_all(after, limit).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.log.head().await
    }

    async fn changed(&self, after: Position) -> Result<(), ReadError> {
        self.log.changed(after).await
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_tried_again_until_it_can() {
    let house = House::new();
    let filled = house.fill().await;
    let log = Arc::new(Flaky { log: house.log.clone(), failures_left: AtomicU32::new(2) });
    assert!(matches!(rebuild(log.clone(), None, |_| ()).await, Err(RebuildError::Read(_))), "a command says so");
    let running = house.run_on(log);
    running.index.progress().reached(filled).await;
    assert_eq!(running.metric("chopmark_projector_read_errors_total"), [1.0]);
    assert_eq!(running.stop().await.len(), 40);
}

#[tokio::test]
async fn the_lag_shows_while_the_log_cannot_be_read() {
    let house = House::new();
    let filled = house.fill().await;
    let log = Arc::new(Flaky { log: house.log.clone(), failures_left: AtomicU32::new(u32::MAX) });
    let running = house.run_on(log);
    let behind = f64::from(u32::try_from(filled.0).unwrap());
    while running.metric("chopmark_projector_lag_events") != [behind] {
        tokio::task::yield_now().await;
    }
    assert!(!running.index.progress().is_caught_up());
    running.stop().await;
}

#[tokio::test]
async fn whoever_looks_once_sees_the_log_as_it_is_now() {
    let house = House::new();
    house.fill().await;
    house.rebuilt().await.save(&house.snapshot()).unwrap();
    let kept = std::fs::read(house.snapshot()).unwrap();
    house.append(&instance("acme", "new"), 0, &created("CS9")).await;
    for snapshot in [house.snapshot(), house.folder.path().join("none")] {
        let looked = latest(house.log.as_ref(), &snapshot).await.unwrap();
        assert!(looked.stopped.is_none());
        assert_eq!(dumped(&looked.index), dumped(&house.rebuilt().await));
    }
    append(&house.log, "instance-acme/newer", 0, "instance_created.v9", b"{}".to_vec()).await;
    let looked = latest(house.log.as_ref(), &house.snapshot()).await.unwrap();
    assert!(looked.stopped.is_some() && looked.index.len() == 41, "as far as this version can");
    assert_eq!(std::fs::read(house.snapshot()).unwrap(), kept, "looking writes nothing");
}
