//! A small installation: a log on disk, an index folded from it, the API on top.

use std::sync::{Arc, Mutex};

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use chopmark_commands::{Clock, Commands};
use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};
use chopmark_domain::catalog::{ClonePolicy, Entitlement, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{LicenseCode, OrderId, OrderLineId, ProductId, SellerId, Sku};
use chopmark_domain::license::Command;
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics};
use chopmark_projector::LicenseIndex;
use chopmark_query::{Parts, Query, QueryMetrics, configure};
use chopmark_signing::{IssuerSettings, KeyRing, LeaseIssuer, SigningMetrics};
use chopmark_views::{Seen, ViewsMetrics};
use chrono::{DateTime, Utc};
use prometheus::Registry;
use serde_json::Value;
use tempfile::TempDir;

/// The moment at which tests take place.
pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn seller(id: &str) -> SellerId {
    SellerId::parse(id).unwrap()
}

pub(crate) fn sku(id: &str) -> Sku {
    Sku::parse(id).unwrap()
}

pub(crate) fn order(id: &str) -> OrderRef {
    OrderRef {
        order_id: OrderId::parse(id).unwrap(),
        order_line_id: OrderLineId::parse(&format!("{id}-000001")).unwrap(),
    }
}

/// Facts of a year's purchase.
pub(crate) fn facts(id: &str, product: &str, quantity: u32, expires_at: &str) -> OrderFacts {
    OrderFacts {
        order_line_id: order(id).order_line_id,
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: Some(sku(product)),
        product_id: Some(ProductId::parse("P-1").unwrap()),
        quantity: Some(quantity),
        expires_at: Some(time(expires_at)),
        ordered_at: Some(time("2026-10-27T10:30:15Z")),
        amount: None,
        deal_amount: None,
    }
}

pub(crate) fn terms(kind: ProductKind, seats: Option<Seats>) -> ProductTerms {
    ProductTerms {
        kind,
        name: "Example".into(),
        entitlements: [
            ("reports".to_owned(), Entitlement::Flag(true)),
            ("users".to_owned(), Entitlement::Text("quantity".into())),
        ]
        .into(),
        seats,
        grace_days: 15,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 1_800,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

/// A clock that tests hold.
pub(crate) struct HeldClock(Mutex<DateTime<Utc>>);

impl Clock for HeldClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct House {
    pub(crate) commands: Commands,
    pub(crate) index: LicenseIndex,
    pub(crate) journal: Journal,
    pub(crate) at_risk: Arc<Mutex<Vec<OrderAtRisk>>>,
    pub(crate) errands: Arc<Mutex<Vec<ErrandAtRisk>>>,
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) query: Data<Query>,
    pub(crate) _folder: TempDir,
}

impl House {
    /// With sellers `acme` (products `saas`, `seated` and `codes`) and `beta` (product `other`), and the tokens
    /// `admin-token` (all sellers) and `acme-token` (support of acme).
    pub(crate) async fn new() -> Self {
        let house = Self::bare().await;
        let acme = [
            (sku("saas"), terms(ProductKind::Saas, None)),
            (sku("seated"), terms(ProductKind::Saas, Some(Seats::Fixed(3)))),
            (sku("codes"), terms(ProductKind::LicenseCode, None)),
        ];
        let start = time("2026-01-01T00:00:00Z");
        house
            .commands
            .apply_catalog(&seller("acme"), &SellerTerms::of(Site::Cn), &acme, start, &Cause::System)
            .await
            .unwrap();
        let beta = [(sku("other"), terms(ProductKind::OnlineLicense, None))];
        house
            .commands
            .apply_catalog(&seller("beta"), &SellerTerms::of(Site::Cn), &beta, start, &Cause::System)
            .await
            .unwrap();
        house.token("admin-token", Role::Admin, &[]).await;
        house.token("acme-token", Role::Support, &["acme"]).await;
        house.project().await;
        house
    }

    /// With nothing in the log, and nothing folded from it.
    pub(crate) async fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log: Arc<dyn EventLog> =
            Arc::new(SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
        let clock = Arc::new(HeldClock(Mutex::new(time(NOW))));
        let commands = Commands::new(log, clock.clone());
        let journal = Journal::open(&folder.path().join("journal.db"), JournalOptions::default()).unwrap();
        let (index, registry) = (LicenseIndex::new(), Registry::new());
        let (at_risk, errands) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(vec![])));
        let orders_at_risk = {
            let at_risk = at_risk.clone();
            Arc::new(move || at_risk.lock().unwrap().clone())
        };
        let errands_at_risk = {
            let errands: Arc<Mutex<Vec<ErrandAtRisk>>> = errands.clone();
            Arc::new(move || errands.lock().unwrap().clone())
        };
        let metrics = QueryMetrics::register(&registry).unwrap();
        let keys = KeyRing::generate([[1; 32], [2; 32]]).unwrap();
        let settings = IssuerSettings { name: "chopmark".into(), cached_leases: 100 };
        let parts = Parts {
            index: index.clone(),
            commands: commands.clone(),
            journal: Some(journal.clone()),
            orders_at_risk,
            errands_at_risk,
            leases: Arc::new(LeaseIssuer::new(keys, settings, [3; 16], SigningMetrics::unregistered())),
            seen: Seen::open(&folder.path().join("views.db"), ViewsMetrics::unregistered()).unwrap(),
            metrics,
        };
        let query = Data::new(Query::new(parts));
        Self { commands, index, journal, at_risk, errands, registry, clock, query, _folder: folder }
    }

    pub(crate) fn set_clock(&self, now: &str) {
        *self.clock.0.lock().unwrap() = time(now);
    }

    /// Folds what is new in the log.
    pub(crate) async fn project(&self) {
        loop {
            let page = self.commands.log().read_all(self.index.progress().position(), 1_000).await.unwrap();
            self.index.apply(&page).unwrap();
            if page.at_head {
                return;
            }
        }
    }

    pub(crate) async fn token(&self, token: &str, role: Role, sellers: &[&str]) {
        let grant = Grant {
            id: token.into(),
            hash: TokenHash::of(token),
            role,
            sellers: sellers.iter().map(|id| seller(id)).collect(),
            expires_at: None,
        };
        self.commands.create_token(grant, &Cause::System).await.unwrap();
    }

    /// Buys an instance; its facts are not known yet.
    pub(crate) async fn buy(&self, whose: &str, order_id: &str) -> LicenseKey {
        let (id, _) = self.commands.purchase(&seller(whose), order(order_id), &Cause::System).await.unwrap();
        self.project().await;
        LicenseKey { seller: seller(whose), id: LicenseId::Instance(id) }
    }

    /// Buys an instance whose facts are known at once.
    pub(crate) async fn buy_known(&self, order_id: &str, product: &str, expires_at: &str) -> LicenseKey {
        let key = self.buy("acme", order_id).await;
        let facts = facts(order_id, product, 20, expires_at);
        self.run(&key, Command::ApplyOrderFacts { order: order(order_id), facts }).await;
        key
    }

    pub(crate) async fn run(&self, key: &LicenseKey, command: Command) {
        self.commands.license(key, command, &Cause::System).await.unwrap();
        self.project().await;
    }

    /// Sends a request to the API of this house.
    pub(crate) async fn send(&self, request: TestRequest) -> Reply {
        let query = self.query.clone();
        let api = init_service(App::new().configure(|config| configure(config, query))).await;
        let response = call_service(&api, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_body(response).await;
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Reply { status, headers, json }
    }

    /// Sends a request with a token, while the index follows the log.
    pub(crate) async fn act(&self, token: &str, request: TestRequest) -> Reply {
        let request = request.insert_header(("authorization", format!("Bearer {token}")));
        let following = async {
            loop {
                self.project().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            reply = self.send(request) => reply,
            () = following => panic!("it follows for ever"),
        }
    }

    /// A check's answer.
    pub(crate) async fn check(&self, question: Value) -> Value {
        let reply = self.send(TestRequest::post().uri("/v1/checks").set_payload(question.to_string())).await;
        assert_eq!(reply.status, StatusCode::OK, "{question}: {}", reply.json);
        assert_eq!(reply.header("chopmark-position"), reply.json["position"].as_str());
        reply.json
    }

    /// A view's answer, whatever it is.
    pub(crate) async fn get(&self, token: &str, uri: &str) -> Reply {
        let request = TestRequest::get().uri(uri).insert_header(("authorization", format!("Bearer {token}")));
        self.send(request).await
    }
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Expects a problem of RFC 9457 and gives its name and detail.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> (String, String) {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let text = |member: &str| self.json[member].as_str().unwrap_or_else(|| panic!("{member}: {}", self.json));
        assert_eq!(self.json["status"], status);
        assert!(!text("title").is_empty() && !text("detail").is_empty());
        assert_eq!(self.json.as_object().unwrap().len(), 4, "{}", self.json);
        let name = text("type").strip_prefix("https://chopmark.dev/problems/").unwrap();
        (name.into(), text("detail").into())
    }
}

pub(crate) fn code(whose: &str, code: &str) -> LicenseKey {
    LicenseKey { seller: seller(whose), id: LicenseId::Code(LicenseCode::parse(code).unwrap()) }
}
