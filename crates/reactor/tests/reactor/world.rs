//! A log in a temporary folder, a clock that stands still, and a marketplace that answers as it is told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chopmark_commands::{Clock, Commands};
use chopmark_domain::cause::{Cause, Metadata};
use chopmark_domain::ids::{LicenseCode, OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::license::{Command, License, Refreshed, Scene};
use chopmark_domain::order::{self, ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use chopmark_huawei::open_api::{ErrorKind, OpenApiError, OrderAnswer};
use chopmark_log::progress::Progress;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Follower, LogMetrics, Position, Record};
use chopmark_reactor::{Backoff, OpenOrders, OpenWork, OrderSource, OrderSources, Patience, Reactor, ReactorMetrics};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Ends a test that would otherwise hang. Nothing depends on it.
const HANGING: Duration = Duration::from_secs(60);

/// A clock that is set.
#[derive(Clone)]
struct HandSet(Arc<Mutex<DateTime<Utc>>>);

impl Clock for HandSet {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// What the marketplace does when it is asked for an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Does {
    /// Answers with these lines.
    Tell(Vec<OrderFacts>),
    /// Fails.
    Fail(ErrorKind),
    /// Never answers.
    Hang,
}

/// The marketplace's order query: does what it was told, in turn, and then the last of it for ever.
#[derive(Default)]
pub(crate) struct Marketplace {
    scripts: Mutex<HashMap<OrderId, Vec<Does>>>,
    asked: watch::Sender<HashMap<OrderId, usize>>,
}

impl Marketplace {
    pub(crate) fn plan(&self, order: &str, script: &[Does]) {
        self.scripts.lock().unwrap().insert(order_id(order), script.to_vec());
    }

    /// How often it was asked for an order.
    pub(crate) fn asked(&self, order: &str) -> usize {
        self.asked.borrow().get(&order_id(order)).copied().unwrap_or(0)
    }

    /// Waits until it was asked so often.
    pub(crate) async fn until_asked(&self, order: &str, times: usize) {
        let mut asked = self.asked.subscribe();
        let often = asked.wait_for(|asked| asked.get(&order_id(order)).is_some_and(|found| *found >= times));
        tokio::time::timeout(HANGING, often).await.expect("it was not asked so often").unwrap();
    }
}

#[async_trait]
impl OrderSource for Marketplace {
    async fn query_order(&self, order: &OrderId, _now: DateTime<Utc>) -> Result<OrderAnswer, OpenApiError> {
        let mut before = 0;
        self.asked.send_modify(|asked| {
            let count = asked.entry(order.clone()).or_default();
            before = *count;
            *count += 1;
        });
        let does = {
            let scripts = self.scripts.lock().unwrap();
            scripts.get(order).and_then(|script| script.get(before).or(script.last())).cloned()
        };
        match does {
            Some(Does::Tell(lines)) => Ok(OrderAnswer { lines, kept_json: format!("{{\"order\":\"{order}\"}}") }),
            Some(Does::Fail(kind)) => Err(OpenApiError::new(kind, "as planned")),
            Some(Does::Hang) => std::future::pending().await,
            None => Err(OpenApiError::new(ErrorKind::Refused, "no such order")),
        }
    }
}

/// A reactor that runs.
pub(crate) struct Running {
    pub(crate) orders: OpenOrders,
    progress: Progress,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Waits until no order is open.
    pub(crate) async fn until_nothing_is_open(&self) {
        let settled = async {
            while !self.orders.list().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HANGING, settled).await.expect("something stays open");
    }

    /// Stops it; its open work is saved.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// Waits until it ends by itself.
    pub(crate) async fn until_ended(self) {
        tokio::time::timeout(HANGING, self.task).await.expect("it did not end").unwrap();
    }
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) log: Arc<SqliteLog>,
    pub(crate) commands: Commands,
    pub(crate) marketplace: Arc<Marketplace>,
    pub(crate) patience: Patience,
    clock: HandSet,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = Arc::new(SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
        let clock = HandSet(Arc::new(Mutex::new(Utc::now())));
        let soon = Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(2) };
        Self {
            commands: Commands::new(log.clone(), Arc::new(clock.clone())),
            log,
            marketplace: Arc::default(),
            patience: Patience { transient: soon, refused: soon, least_attempts: 3, ..Patience::default() },
            clock,
            folder,
        }
    }

    pub(crate) fn snapshot(&self) -> PathBuf {
        self.folder.path().join("reactor.snapshot")
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        *self.clock.0.lock().unwrap() += time;
    }

    /// Starts a reactor; the seller has access to the marketplace.
    pub(crate) fn start(&self) -> Running {
        self.start_with(HashMap::from([(seller(), self.marketplace.clone() as Arc<dyn OrderSource>)]))
    }

    pub(crate) fn start_with(&self, sources: OrderSources) -> Running {
        let metrics = ReactorMetrics::unregistered();
        let reactor = Reactor::new(self.log.clone(), self.commands.clone(), sources, self.snapshot(), metrics)
            .with_patience(self.patience);
        let stop = CancellationToken::new();
        Running {
            orders: reactor.open_orders(),
            progress: reactor.progress(),
            task: tokio::spawn(reactor.run(stop.clone())),
            stop,
        }
    }

    /// Waits until a reactor has followed the log to where it ends now.
    pub(crate) async fn caught_up(&self, running: &Running) {
        let head = self.log.head().await.unwrap();
        tokio::time::timeout(HANGING, running.progress.reached(head)).await.expect("it did not follow");
    }

    pub(crate) async fn buy(&self, order: &str, line: &str) -> LicenseKey {
        let (id, _) = self.commands.purchase(&seller(), order_ref(order, line), &Cause::System).await.unwrap();
        LicenseKey { seller: seller(), id: LicenseId::Instance(id) }
    }

    pub(crate) async fn notify(&self, order: &str, line: &str) {
        let notify = order::Command::Notify(line_id(line));
        self.commands.order(&seller(), &order_id(order), notify, &Cause::System).await.unwrap();
    }

    pub(crate) async fn refresh(&self, key: &LicenseKey, order: &str, line: &str) {
        let refreshed = Refreshed {
            scene: Scene::RenewalChange,
            order: order_ref(order, line),
            expires_at: "2028-11-24T00:00:00Z".parse().unwrap(),
            product_id: None,
        };
        self.commands.license(key, Command::Refresh(refreshed), &Cause::System).await.unwrap();
    }

    pub(crate) async fn license(&self, key: &LicenseKey) -> License {
        self.commands.read_license(key).await.unwrap().license().unwrap().clone()
    }

    /// Waits until a stream has so many events of a kind.
    pub(crate) async fn until(&self, stream: &Stream, kind: &str, times: usize) {
        let (stream, mut seen) = (stream.to_string(), 0);
        let mut follower = Follower::new(self.log.clone(), Position::START);
        let followed = async {
            while seen < times {
                let page = follower.next(100).await.unwrap();
                let of_kind = |record: &&Record| record.stream.as_str() == stream && record.kind == kind;
                seen += page.records.iter().filter(of_kind).count();
            }
        };
        if tokio::time::timeout(HANGING, followed).await.is_err() {
            panic!("{stream} never had {times} of {kind}");
        }
    }

    /// Waits until a license has had facts so often.
    pub(crate) async fn until_applied(&self, key: &LicenseKey, times: usize) {
        self.until(&Stream::License(key.clone()), "license_order_facts_applied.v1", times).await;
    }

    pub(crate) async fn records(&self) -> Vec<Record> {
        self.log.read_all(Position::START, 100_000).await.unwrap().records
    }

    /// The events of an order's stream.
    pub(crate) async fn order_events(&self, order: &str) -> Vec<Record> {
        let stream = order_stream(order).to_string();
        self.records().await.into_iter().filter(|record| record.stream.as_str() == stream).collect()
    }

    pub(crate) async fn order_kinds(&self, order: &str) -> Vec<String> {
        self.order_events(order).await.into_iter().map(|record| record.kind).collect()
    }

    /// The open work as the whole log gives it.
    pub(crate) async fn folded(&self) -> OpenWork {
        let mut work = OpenWork::default();
        for record in self.records().await {
            work.apply(&record).unwrap();
        }
        work
    }
}

pub(crate) fn cause_of(record: &Record) -> Cause {
    serde_json::from_slice::<Metadata>(&record.metadata).unwrap().cause
}

pub(crate) fn seller() -> SellerId {
    SellerId::parse("acme").unwrap()
}

pub(crate) fn order_id(order: &str) -> OrderId {
    OrderId::parse(order).unwrap()
}

pub(crate) fn line_id(line: &str) -> OrderLineId {
    OrderLineId::parse(line).unwrap()
}

pub(crate) fn order_ref(order: &str, line: &str) -> OrderRef {
    OrderRef { order_id: order_id(order), order_line_id: line_id(line) }
}

pub(crate) fn order_stream(order: &str) -> Stream {
    Stream::Order(seller(), order_id(order))
}

pub(crate) fn code(code: &str) -> LicenseKey {
    LicenseKey { seller: seller(), id: LicenseId::Code(LicenseCode::parse(code).unwrap()) }
}

/// The facts of a line on which 20 of something were bought.
pub(crate) fn facts(line: &str) -> OrderFacts {
    OrderFacts {
        order_line_id: line_id(line),
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: Some(Sku::parse("a63ee5c9-0000").unwrap()),
        product_id: None,
        quantity: Some(20),
        expires_at: Some("2027-11-24T00:00:00Z".parse().unwrap()),
        ordered_at: None,
    }
}
