//! A log in a temporary folder, a clock that stands still, and a marketplace that answers as it is told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chopmark_commands::{Clock, Commands};
use chopmark_domain::catalog::{LicenseForm, ProductKind, ProductTerms};
use chopmark_domain::cause::{Cause, Metadata};
use chopmark_domain::ids::{EventId, LicenseCode, OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::license::{
    Activation, Application, CodeAnswer, CodeState, Command, License, LicenseRequested, Refreshed, Scene,
};
use chopmark_domain::order::{self, ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use chopmark_huawei::open_api::{CodeOutcome, ErrorKind, OpenApiError, OrderAnswer, Upload};
use chopmark_log::progress::Progress;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Follower, LogMetrics, Position, Record};
use chopmark_reactor::{
    Backoff, LicenseMaker, Marketplace, Marketplaces, OpenErrands, OpenOrders, OpenWork, Patience, Reactor,
    ReactorMetrics,
};
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

/// What the marketplace does when it is asked for something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Does {
    /// Answers with these lines of an order.
    Tell(Vec<OrderFacts>),
    /// Says this of a code.
    Say(CodeOutcome),
    /// Takes what it is given.
    Take,
    /// Fails.
    Fail(ErrorKind),
    /// Never answers.
    Hang,
}

/// A license as it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandedOver {
    pub(crate) event_id: String,
    /// The file's name; none for a text.
    pub(crate) file: Option<String>,
    pub(crate) document: String,
}

/// A double of the marketplace: does what it was told, in turn, and then the last of it for ever. An order is asked for
/// under its id, a code under `activate PL1` and `query PL1`, an upload under `upload E1`.
#[derive(Default)]
pub(crate) struct MarketDouble {
    scripts: Mutex<HashMap<String, Vec<Does>>>,
    asked: watch::Sender<HashMap<String, usize>>,
    handed_over: Mutex<Vec<HandedOver>>,
}

impl MarketDouble {
    pub(crate) fn plan(&self, what: &str, script: &[Does]) {
        self.scripts.lock().unwrap().insert(what.into(), script.to_vec());
    }

    /// How often it was asked for something.
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.asked.borrow().get(what).copied().unwrap_or(0)
    }

    /// How often it was asked in all.
    pub(crate) fn asked_in_all(&self) -> usize {
        self.asked.borrow().values().sum()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn until_asked(&self, what: &str, times: usize) {
        let mut asked = self.asked.subscribe();
        let often = asked.wait_for(|asked| asked.get(what).is_some_and(|found| *found >= times));
        tokio::time::timeout(HANGING, often).await.expect("it was not asked so often").unwrap();
    }

    /// Every attempt to hand a license over, those that failed included.
    pub(crate) fn handed_over(&self) -> Vec<HandedOver> {
        self.handed_over.lock().unwrap().clone()
    }

    /// The next of the script.
    async fn next(&self, what: &str) -> Result<Does, OpenApiError> {
        let mut before = 0;
        self.asked.send_modify(|asked| {
            let count = asked.entry(what.into()).or_default();
            before = *count;
            *count += 1;
        });
        let does = {
            let scripts = self.scripts.lock().unwrap();
            scripts.get(what).and_then(|script| script.get(before).or(script.last())).cloned()
        };
        match does {
            Some(Does::Fail(kind)) => Err(OpenApiError::new(kind, "as planned")),
            Some(Does::Hang) => std::future::pending().await,
            Some(does) => Ok(does),
            None => Err(OpenApiError::new(ErrorKind::Refused, "not planned")),
        }
    }

    async fn about_code(&self, what: &str) -> Result<CodeOutcome, OpenApiError> {
        let Does::Say(outcome) = self.next(what).await? else { panic!("{what} is about a code") };
        Ok(outcome)
    }
}

#[async_trait]
impl Marketplace for MarketDouble {
    async fn query_order(&self, order: &OrderId, _now: DateTime<Utc>) -> Result<OrderAnswer, OpenApiError> {
        let Does::Tell(lines) = self.next(order.as_str()).await? else { panic!("{order} is an order") };
        Ok(OrderAnswer { lines, kept_json: format!("{{\"order\":\"{order}\"}}"), warnings: vec![] })
    }

    async fn activate_code(&self, code: &LicenseCode, _now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError> {
        self.about_code(&format!("activate {code}")).await
    }

    async fn query_code(&self, code: &LicenseCode, _now: DateTime<Utc>) -> Result<CodeOutcome, OpenApiError> {
        self.about_code(&format!("query {code}")).await
    }

    async fn upload_license(
        &self,
        application: &EventId,
        upload: Upload<'_>,
        _now: DateTime<Utc>,
    ) -> Result<(), OpenApiError> {
        let (file, content) = match upload {
            Upload::Text(text) => (None, text.as_bytes()),
            Upload::File { name, content } => (Some(name.to_owned()), content),
        };
        let document = String::from_utf8(content.to_vec()).unwrap();
        let event_id = application.to_string();
        self.handed_over.lock().unwrap().push(HandedOver { event_id, file, document });
        self.next(&format!("upload {application}")).await.map(drop)
    }
}

/// A double of whoever makes licenses: no two that it makes are the same.
#[derive(Default)]
pub(crate) struct MakerDouble {
    made: AtomicUsize,
    /// Characters of a license.
    pub(crate) length: AtomicUsize,
}

impl MakerDouble {
    /// How many it made.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

impl LicenseMaker for MakerDouble {
    fn make(
        &self,
        seller: &SellerId,
        instance: &LicenseId,
        license: &License,
        terms: &ProductTerms,
        requested: &LicenseRequested,
    ) -> String {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        let event_id = &requested.application.event_id;
        let quantity = license.quantity.unwrap_or(0);
        let text = format!("{number}: {quantity} {} of {seller} on {instance} for {event_id}", terms.name);
        format!("{text:<width$}", width = self.length.load(Ordering::SeqCst))
    }
}

/// A reactor that runs.
pub(crate) struct Running {
    pub(crate) orders: OpenOrders,
    pub(crate) errands: OpenErrands,
    progress: Progress,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Waits until an errand says why it waits, or why it failed.
    pub(crate) async fn until_reason(&self, reason: &str) {
        let settled = async {
            while !self.errands.list().iter().any(|errand| errand.reason.as_deref() == Some(reason)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HANGING, settled).await.expect("no errand says so");
    }

    /// Waits until a code is active.
    pub(crate) async fn until_activated(&self, world: &World, of: &str) {
        let settled = async {
            while world.license(&code(of)).await.activation == Activation::Inactive {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HANGING, settled).await.expect("it is not activated");
    }

    /// Waits until nothing is open.
    pub(crate) async fn until_nothing_is_open(&self) {
        let settled = async {
            while !self.orders.list().is_empty() || !self.errands.list().is_empty() {
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
    pub(crate) marketplace: Arc<MarketDouble>,
    pub(crate) maker: Arc<MakerDouble>,
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
            maker: Arc::default(),
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

    /// The marketplace, for the one seller there is.
    pub(crate) fn marketplaces(&self) -> Marketplaces {
        HashMap::from([(seller(), self.marketplace.clone() as Arc<dyn Marketplace>)])
    }

    /// Starts a reactor; the seller has access to the marketplace.
    pub(crate) fn start(&self) -> Running {
        self.start_with(self.marketplaces())
    }

    pub(crate) fn start_with(&self, marketplaces: Marketplaces) -> Running {
        self.start_at(self.snapshot(), marketplaces)
    }

    /// Starts a reactor that keeps its open work there.
    pub(crate) fn start_at(&self, snapshot: PathBuf, marketplaces: Marketplaces) -> Running {
        let metrics = ReactorMetrics::unregistered();
        let (log, commands) = (self.log.clone(), self.commands.clone());
        let reactor = Reactor::new(log, commands, marketplaces, self.maker.clone(), snapshot, metrics)
            .with_patience(self.patience);
        let stop = CancellationToken::new();
        Running {
            orders: reactor.open_orders(),
            errands: reactor.open_errands(),
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

    /// Brings a product into the catalog.
    pub(crate) async fn define(&self, form: LicenseForm) {
        let terms = ProductTerms {
            kind: ProductKind::OnlineLicense,
            name: "Example CAD".into(),
            entitlements: [].into(),
            seats: None,
            grace_days: 7,
            lease_seconds: 3_600,
            offline_grace_seconds: 86_400,
            check_interval_seconds: 300,
            fee_ratio: None,
            clones: Default::default(),
            license_form: form,
            settlement: SettlementTerms::default(),
        };
        let now = self.commands.now();
        self.commands
            .apply_catalog(&seller(), &SellerTerms::of(Site::Cn), &[(sku(), terms)], now, &Cause::System)
            .await
            .unwrap();
    }

    /// The customer applies for a license.
    pub(crate) async fn apply_for(&self, key: &LicenseKey, event_id: &str) {
        let requested = LicenseRequested {
            application: application(event_id),
            effective_at: "2026-11-24T00:00:00Z".parse().unwrap(),
            expires_at: None,
        };
        self.commands.license(key, Command::RequestLicense(requested), &Cause::System).await.unwrap();
    }

    /// The marketplace tells of a code.
    pub(crate) async fn confirm(&self, key: &LicenseKey, state: CodeState) {
        self.commands.license(key, Command::ConfirmCode(code_answer(state)), &Cause::System).await.unwrap();
    }

    /// The events of a license's stream.
    pub(crate) async fn license_events(&self, key: &LicenseKey) -> Vec<Record> {
        let stream = Stream::License(key.clone()).to_string();
        self.records().await.into_iter().filter(|record| record.stream.as_str() == stream).collect()
    }

    pub(crate) async fn license_kinds(&self, key: &LicenseKey) -> Vec<String> {
        self.license_events(key).await.into_iter().map(|record| record.kind).collect()
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
        sku: Some(sku()),
        product_id: None,
        quantity: Some(20),
        expires_at: Some("2027-11-24T00:00:00Z".parse().unwrap()),
        ordered_at: None,
        amount: None,
        deal_amount: None,
    }
}

fn sku() -> Sku {
    Sku::parse("a63ee5c9-0000").unwrap()
}

pub(crate) fn application(event_id: &str) -> Application {
    Application { event_id: EventId::parse(event_id).unwrap(), fingerprint: Some("M1|D1".into()) }
}

/// What the marketplace says of a code that runs until the end of 2027.
pub(crate) fn code_answer(state: CodeState) -> CodeAnswer {
    let expires_at = Some("2027-12-31T00:00:00Z".parse().unwrap());
    CodeAnswer { state, expires_at, product_id: None, quantity: Some(5), order: None }
}

/// The same as the marketplace's answer.
pub(crate) fn says(state: CodeState) -> Does {
    let kept_json = format!("{{\"status\":\"{state:?}\"}}");
    Does::Say(CodeOutcome::Known { answer: code_answer(state), kept_json })
}
