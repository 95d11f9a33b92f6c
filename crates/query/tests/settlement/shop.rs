//! A shop: a log on disk, the index and the billing views that follow it, the API on top.

use std::sync::{Arc, Mutex};

use actix_web::App;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{Bytes, Data};
use chopmark_billing::report::Billing;
use chopmark_billing::sqlite::SqliteBilling;
use chopmark_billing::store::BillingStore;
use chopmark_billing::{BillingMetrics, Bookkeeper};
use chopmark_commands::{Clock, Commands};
use chopmark_domain::access::{Grant, Role, TokenHash};
use chopmark_domain::catalog::{ClonePolicy, LicenseForm, ProductKind, ProductTerms};
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics};
use chopmark_projector::LicenseIndex;
use chopmark_query::{Parts, Query, QueryMetrics, configure};
use chopmark_signing::{IssuerSettings, KeyRing, LeaseIssuer, SigningMetrics};
use chopmark_views::{Seen, ViewsMetrics};
use chrono::{DateTime, Utc};
use prometheus::Registry;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

struct HeldClock(Mutex<DateTime<Utc>>);

impl Clock for HeldClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct Shop {
    query: Data<Query>,
    pub(crate) commands: Commands,
    clock: Arc<HeldClock>,
    _folder: TempDir,
    _following: DropGuard,
}

pub(crate) fn seller(id: &str) -> SellerId {
    SellerId::parse(id).unwrap()
}

pub(crate) fn terms() -> ProductTerms {
    ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: [].into(),
        seats: None,
        grace_days: 15,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 1_800,
        fee_ratio: Some("0.05".parse().unwrap()),
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

impl Shop {
    /// With the sellers `acme` and `beta`, the product `plan` of both, and the tokens `finance` (of acme), `beta` (finance
    /// of beta), `support` (of acme) and `admin` (of all). It is the 10th of June 2024.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log: Arc<dyn EventLog> =
            Arc::new(SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
        let clock = Arc::new(HeldClock(Mutex::new("2024-06-10T04:00:00Z".parse().unwrap())));
        let commands = Commands::new(log.clone(), clock.clone());
        for id in ["acme", "beta"] {
            let products = [(Sku::parse("plan").unwrap(), terms())];
            let since = "2024-01-01T00:00:00Z".parse().unwrap();
            let terms = SellerTerms::of(Site::Cn);
            commands.apply_catalog(&seller(id), &terms, &products, since, &Cause::System).await.unwrap();
        }
        let tokens: [(&str, Role, &[&str]); 4] = [
            ("finance", Role::Finance, &["acme"]),
            ("beta", Role::Finance, &["beta"]),
            ("support", Role::Support, &["acme"]),
            ("admin", Role::Admin, &[]),
        ];
        for (id, role, sellers) in tokens {
            let sellers = sellers.iter().map(|id| seller(id)).collect();
            let grant = Grant { id: id.into(), hash: TokenHash::of(id), role, sellers, expires_at: None };
            commands.create_token(grant, &Cause::System).await.unwrap();
        }

        let store: Arc<dyn BillingStore> = Arc::new(SqliteBilling::open(&folder.path().join("billing.db")).unwrap());
        let keeper = Bookkeeper::new(log.clone(), store.clone(), BillingMetrics::unregistered());
        let billing = Billing::new(store, keeper.progress());
        let stop = CancellationToken::new();
        tokio::spawn(keeper.run(stop.clone()));

        let index = LicenseIndex::new();
        loop {
            let page = log.read_all(index.progress().position(), 1_000).await.unwrap();
            index.apply(&page).unwrap();
            if page.at_head {
                break;
            }
        }
        let keys = KeyRing::generate([[1; 32], [2; 32]]).unwrap();
        let settings = IssuerSettings { name: "chopmark".into(), cached_leases: 100 };
        let parts = Parts {
            index,
            commands: commands.clone(),
            journal: Some(Journal::open(&folder.path().join("journal.db"), JournalOptions::default()).unwrap()),
            orders_at_risk: Arc::new(Vec::new),
            errands_at_risk: Arc::new(Vec::new),
            leases: Arc::new(LeaseIssuer::new(keys, settings, [3; 16], SigningMetrics::unregistered())),
            seen: Seen::open(&folder.path().join("views.db"), ViewsMetrics::unregistered()).unwrap(),
            metrics: QueryMetrics::register(&Registry::new()).unwrap(),
        };
        let query = Data::new(Query::new(parts).with_billing(billing));
        Self { query, commands, clock, _folder: folder, _following: stop.drop_guard() }
    }

    pub(crate) fn set_clock(&self, now: &str) {
        *self.clock.0.lock().unwrap() = now.parse().unwrap();
    }

    /// Sends a request with a token.
    pub(crate) async fn send(&self, token: &str, request: TestRequest) -> Reply {
        let request = request.insert_header(("authorization", format!("Bearer {token}")));
        let query = self.query.clone();
        let api = init_service(App::new().configure(|config| configure(config, query))).await;
        let response = call_service(&api, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_body(response).await;
        Reply { status, headers, json: serde_json::from_slice(&body).unwrap_or_default(), body }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Reply {
        self.send(token, TestRequest::get().uri(&format!("/v1/settlement{path}"))).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send(token, TestRequest::post().uri(&format!("/v1/settlement{path}")).set_payload(body.into())).await
    }

    /// What finance of acme sees.
    pub(crate) async fn see(&self, path: &str) -> Value {
        self.get("finance", path).await.ok()
    }

    /// What comes of what finance of acme sends.
    pub(crate) async fn act(&self, path: &str, body: impl Into<Bytes>) -> Value {
        self.post("finance", path, body).await.ok()
    }

    /// States that an order was sold, took effect and was paid.
    pub(crate) async fn sell(&self, order: &str, at: &str, amount: &str) {
        let statement = json!({
            "order_id": order, "order_line_id": format!("{order}-000001"), "line_type": "NEW", "sku": "plan",
            "charging_mode": "PERIOD", "effective_at": at, "paid_at": at, "supervision_done_at": "not_applicable",
            "currency": "CNY", "sales_amount": amount,
        });
        let taken = self.act("/statements", statement.to_string()).await;
        assert_eq!(taken["recorded"], true, "{taken}");
    }
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Expects 200, with the position in the body and in the header.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.json);
        assert_eq!(self.header("chopmark-position"), self.json["position"].as_str().unwrap());
        assert!(!self.json.to_string().contains(":null"), "{}", self.json);
        self.json
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// Expects a problem and gives its name and detail.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> (String, String) {
        assert_eq!(self.status, status, "{}", self.json);
        let text = |member: &str| self.json[member].as_str().unwrap().to_owned();
        (text("type").strip_prefix("https://chopmark.dev/problems/").unwrap().into(), text("detail"))
    }
}
