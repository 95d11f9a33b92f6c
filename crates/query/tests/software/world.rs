//! A seller, a log, an index that follows it, and the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};
use chopmark_commands::{Clock, Commands};
use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{InstanceId, OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::license::{Command, InstanceAdopted, Status, Terms};
use chopmark_domain::order::OrderRef;
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::LogMetrics;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_projector::{LicenseIndex, Projector, ProjectorMetrics};
use chopmark_signing::{IssuerSettings, KeyRing, LeaseIssuer, SigningMetrics};
use chopmark_views::testing::SharedStore;
use chopmark_views::{Seen, ViewsMetrics};
use chrono::{DateTime, TimeDelta, Utc};
use prometheus::Registry;
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use chopmark_query::{CodeLookup, LimitSettings, Parts, Query, QueryMetrics, configure};

/// A clock that is set.
#[derive(Debug)]
pub(crate) struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub(crate) struct World {
    pub(crate) commands: Commands,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) seen: Seen,
    pub(crate) registry: Registry,
    pub(crate) leases: Arc<LeaseIssuer>,
    index: LicenseIndex,
    query: web::Data<Query>,
    stop: CancellationToken,
    folder: Arc<TempDir>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answered {
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// The last part of the problem's type.
    #[track_caller]
    pub(crate) fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_else(|| panic!("{self:?}"))
    }
}

pub(crate) fn seller() -> SellerId {
    SellerId::parse("acme").unwrap()
}

pub(crate) fn terms(kind: ProductKind) -> ProductTerms {
    ProductTerms {
        kind,
        name: "Example".into(),
        entitlements: [].into(),
        seats: None,
        grace_days: 15,
        lease_seconds: 1_000,
        offline_grace_seconds: 9_000,
        check_interval_seconds: 100,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(LimitSettings::default(), None).await
    }

    pub(crate) async fn with(limits: LimitSettings, codes: Option<Arc<dyn CodeLookup>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seen = Seen::open(&folder.path().join("views.db"), ViewsMetrics::unregistered()).unwrap();
        Self::seeing(seen, folder, limits, codes).await
    }

    /// A world whose software is seen in a store of its own.
    async fn seeing(seen: Seen, folder: TempDir, limits: LimitSettings, codes: Option<Arc<dyn CodeLookup>>) -> Self {
        let log = folder.path().join("log.db");
        let log = SqliteLog::open(&log, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(1_800_000_000_123_456)));
        let commands = Commands::new(Arc::new(log), clock.clone());
        Self::node("node", seen, Arc::new(folder), clock, commands, |query| {
            let query = query.with_limits(limits);
            match codes {
                Some(codes) => query.with_codes(codes),
                None => query,
            }
        })
        .await
    }

    /// A world that keeps what it sees where others of its nodes share it.
    pub(crate) async fn of_nodes(store: &SharedStore) -> Self {
        let (seen, folder) = (store.open(), tempfile::tempdir().unwrap());
        seen.keep_watch();
        Self::seeing(seen, folder, LimitSettings::default(), None).await
    }

    /// One more node on the same log.
    pub(crate) async fn another_node(&self, store: &SharedStore) -> Self {
        let (seen, folder) = (store.open(), Arc::clone(&self.folder));
        seen.keep_watch();
        Self::node("another", seen, folder, Arc::clone(&self.clock), self.commands.clone(), |query| query).await
    }

    /// One more node on the same log, which gives no answer again.
    pub(crate) async fn forgetful_node(&self) -> Self {
        let seen = Seen::open(&self.folder.path().join("forgetful.db"), ViewsMetrics::unregistered()).unwrap();
        let (folder, clock, commands) = (Arc::clone(&self.folder), Arc::clone(&self.clock), self.commands.clone());
        Self::node("forgetful", seen, folder, clock, commands, |query| query.with_steady_answers(1)).await
    }

    async fn node(
        name: &str,
        seen: Seen,
        folder: Arc<TempDir>,
        clock: Arc<SetClock>,
        commands: Commands,
        settings: impl FnOnce(Query) -> Query,
    ) -> Self {
        let at = |kind: &str| folder.path().join(format!("{name}.{kind}"));
        let (index, registry, stop) = (LicenseIndex::new(), Registry::new(), CancellationToken::new());
        let metrics = ProjectorMetrics::register(&registry).unwrap();
        let log = Arc::clone(commands.log());
        tokio::spawn(Projector::new(log, index.clone(), at("index"), metrics).run(stop.clone()));
        let keys = KeyRing::generate([[1; 32], [2; 32]]).unwrap();
        let settings_of_leases = IssuerSettings { name: "chopmark".into(), cached_leases: 100 };
        let leases = LeaseIssuer::new(keys, settings_of_leases, [3; 16], SigningMetrics::unregistered());
        let leases = Arc::new(leases);
        let parts = Parts {
            index: index.clone(),
            commands: commands.clone(),
            journal: Some(Journal::open(&at("journal"), JournalOptions::default()).unwrap()),
            orders_at_risk: Arc::new(Vec::new),
            errands_at_risk: Arc::new(Vec::new),
            leases: Arc::clone(&leases),
            seen: seen.clone(),
            metrics: QueryMetrics::register(&registry).unwrap(),
        };
        let query = web::Data::new(settings(Query::new(parts)));
        while !index.progress().is_caught_up() {
            tokio::task::yield_now().await;
        }
        Self { commands, clock, seen, registry, leases, index, query, stop, folder }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.commands.now()
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.0.fetch_add(time.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    pub(crate) async fn sells(&self, sku: &str, terms: ProductTerms) {
        let wanted = [(Sku::parse(sku).unwrap(), terms)];
        let in_force = self.now() - TimeDelta::days(1);
        let applied = self
            .commands
            .apply_catalog(&seller(), &SellerTerms::of(Site::Cn), &wanted, in_force, &Cause::System)
            .await
            .unwrap();
        self.come_to(applied.position).await;
    }

    pub(crate) async fn sells_seats(&self, sku: &str, seats: u32) {
        self.sells(sku, ProductTerms { seats: Some(Seats::Fixed(seats)), ..terms(ProductKind::Saas) }).await;
    }

    /// An instance of a product that ends in so many days.
    pub(crate) async fn has_instance(&self, id: &str, sku: &str, days: i64) {
        let terms = Terms {
            sku: Some(Sku::parse(sku).unwrap()),
            expires_at: Some(self.now() + TimeDelta::days(days)),
            ..Terms::default()
        };
        let adopted = InstanceAdopted { purchase: None, terms, status: Status::Active };
        let id = InstanceId::parse(id).unwrap();
        let position = self.commands.adopt(&seller(), &id, adopted, &Cause::System).await.unwrap();
        self.come_to(position).await;
    }

    /// An instance of which nothing is known but that it was bought.
    pub(crate) async fn has_purchase(&self, order: &str) -> String {
        let order = OrderRef {
            order_id: OrderId::parse(order).unwrap(),
            order_line_id: OrderLineId::parse(&format!("{order}-000001")).unwrap(),
        };
        let (id, position) = self.commands.purchase(&seller(), order, &Cause::System).await.unwrap();
        self.come_to(position).await;
        id.to_string()
    }

    pub(crate) async fn tell(&self, id: LicenseId, command: Command) {
        let key = LicenseKey { seller: seller(), id };
        let done = self.commands.license(&key, command, &Cause::System).await.unwrap();
        self.come_to(done.position).await;
    }

    pub(crate) async fn has_token(&self, token: &str, role: Role) {
        let grant =
            Grant { id: token.into(), hash: TokenHash::of(token), role, sellers: vec![seller()], expires_at: None };
        self.come_to(self.commands.create_token(grant, &Cause::System).await.unwrap()).await;
    }

    /// Comes to where the log is now.
    pub(crate) async fn catch_up(&self) {
        self.come_to(Some(self.commands.log().head().await.unwrap())).await;
    }

    async fn come_to(&self, position: Option<chopmark_log::Position>) {
        assert!(self.index.progress().reached(position.unwrap()).await);
    }

    /// Events in the log.
    pub(crate) async fn events(&self) -> u64 {
        self.commands.log().head().await.unwrap().0
    }

    pub(crate) async fn check(&self, question: &Value) -> Answered {
        self.ask(TestRequest::post().uri("/v1/checks").set_payload(question.to_string())).await
    }

    pub(crate) async fn ask(&self, request: TestRequest) -> Answered {
        self.ask_on(configure, request).await
    }

    /// Asks a listener that has these routes.
    pub(crate) async fn ask_on(
        &self,
        routes: fn(&mut web::ServiceConfig, web::Data<Query>),
        request: TestRequest,
    ) -> Answered {
        let query = self.query.clone();
        let app = init_service(App::new().configure(|config| routes(config, query))).await;
        let response = call_service(&app, request.peer_addr("192.0.2.7:4711".parse().unwrap()).to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(response).await;
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Answered { status, headers, body }
    }

    /// The value of a counter, of all its labels together.
    pub(crate) fn counted(&self, name: &str, label: &str) -> f64 {
        let families = self.registry.gather();
        let metrics = families.iter().filter(|family| family.name() == name).flat_map(|family| family.get_metric());
        let labelled = metrics.filter(|metric| metric.get_label().iter().any(|pair| pair.value() == label));
        labelled.map(|metric| metric.get_counter().get_value()).sum()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
