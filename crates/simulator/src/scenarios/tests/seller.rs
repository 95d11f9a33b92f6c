//! A seller in memory: the rules of the domain behind the dialect of the marketplace, with flaws to order.

mod customers;
mod marketplace;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chopmark_domain::cause::{Cause, SignedRequest};
use chopmark_domain::ids::{InstanceId, LicenseCode, OrderLineId, ProductId, Sku};
use chopmark_domain::license::{Command, Refusal, Released, Request, Standing, decide};
use chopmark_domain::order::{OrderFacts, OrderRef};
use chopmark_domain::purchase::{PurchaseIdentity, SellerSecret};
use chopmark_domain::stream::LicenseId;
use chopmark_huawei::answer::{Answer, AppInfo, InstanceInfo, ResultCode};
use chopmark_huawei::callback::{Callback, Delivery, FreezeStatus, Verified, verify};
use chopmark_huawei::keys::{InterfaceType, KeyRing};
use chopmark_huawei::open_api::OpenApi;
use chopmark_huawei::site::Site;
use chrono::Utc;

use crate::open_api_server::{Credentials, Desk, OpenApiServer};
use crate::orders::{Entry, Orders, Product};
use crate::url::Url;

pub(super) const KEY: &str = "test-access-key-0001";

/// So many first callbacks a busy seller does not manage.
pub(super) const BUSY_FOR: u32 = 3;

/// What a seller does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    NewInstanceEachTime,
    CountsRefreshesTwice,
    IgnoresFreezes,
    TakesTestsForReal,
    LowerCaseBodySign,
    Busy,
    GivesSeatsToAll,
    BelievesAnyEcs,
    BelievesAnyCode,
    MakesALicenseEachTime,
}

pub(super) struct Seller {
    pub(super) url: Url,
    pub(super) orders: Orders,
    pub(super) desk: Desk,
    pub(super) checks: Arc<AtomicU64>,
    state: web::Data<State>,
}

struct State {
    keys: KeyRing,
    orders: Orders,
    flaw: Option<Flaw>,
    callbacks: AtomicU32,
    checks: Arc<AtomicU64>,
    licenses: Mutex<HashMap<LicenseId, (Standing, Vec<OrderRef>)>>,
    open_api: OpenApi,
    /// Codes whose activation is under way or done.
    activating: Mutex<HashSet<LicenseCode>>,
}

impl Seller {
    pub(super) fn start(flaw: Option<Flaw>) -> Self {
        let orders = Orders::with_mocks(&Product::default(), Utc::now());
        let checks = Arc::new(AtomicU64::new(0));
        let credentials = Credentials { access_key: "test".into(), secret_key: "123".into() };
        let open_api = OpenApiServer::start(0, credentials, orders.clone()).unwrap();
        let base = reqwest::Url::parse(&open_api.url().to_string()).unwrap();
        let state = web::Data::new(State {
            keys: KeyRing::new(vec![
                (InterfaceType::Base, KEY.into()),
                (InterfaceType::LicenseCode, "code-key".into()),
            ]),
            orders: orders.clone(),
            flaw,
            callbacks: AtomicU32::new(0),
            checks: checks.clone(),
            licenses: Mutex::default(),
            open_api: OpenApi::new(Site::Cn, Some(base), "test".into(), "123".into()).unwrap(),
            activating: Mutex::default(),
        });
        let shared = state.clone();
        let app = move || {
            App::new()
                .app_data(shared.clone())
                .route("/callbacks/acme", web::post().to(callback))
                .configure(customers::routes)
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        let server = server.bind(("127.0.0.1", 0)).unwrap();
        let url = Url::from(server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, orders, desk: open_api.desk(), checks, state }
    }

    pub(super) fn licenses(&self) -> usize {
        self.state.licenses.lock().unwrap().len()
    }
}

async fn callback(request: HttpRequest, body: web::Bytes, state: web::Data<State>) -> HttpResponse {
    let delivery = Delivery { query: request.query_string(), content_encoding: None, body: &body };
    let busy = state.flaw == Some(Flaw::Busy) && state.callbacks.fetch_add(1, Ordering::SeqCst) < BUSY_FOR;
    let (answer, key) = match verify(&delivery, &state.keys, Utc::now()) {
        Ok(verified) if busy => (Answer::failure(ResultCode::InternalError, "later"), Some(verified.key)),
        Ok(verified) => (take_up(&state, &verified), Some(verified.key)),
        Err(rejection) => (rejection.answer(), rejection.key),
    };
    let body = answer.to_bytes();
    let mut response = HttpResponse::Ok().content_type("application/json").finish();
    if let Some(key) = key {
        let value = HeaderValue::from_str(&key.body_sign(&body)).unwrap();
        response.headers_mut().insert(HeaderName::from_static("body-sign"), value);
    }
    let in_case = state.flaw != Some(Flaw::LowerCaseBodySign);
    response.head_mut().set_camel_case_headers(in_case);
    response.set_body(actix_web::body::BoxBody::new(body))
}

fn take_up(state: &web::Data<State>, verified: &Verified<'_>) -> Answer {
    match verified.callback.clone() {
        Callback::GetLicenseAsync { instance, requested } if !verified.test => {
            marketplace::take_application(state, &instance, requested, &verified.request)
        }
        _ => state.take_up(verified),
    }
}

impl State {
    fn take_up(&self, verified: &Verified<'_>) -> Answer {
        if verified.test && self.flaw != Some(Flaw::TakesTestsForReal) {
            return dial_test(&verified.callback);
        }
        let request = &verified.request;
        let instance = |id: &InstanceId| LicenseId::Instance(id.clone());
        let code = |code: &LicenseCode| LicenseId::Code(code.clone());
        let (id, command) = match verified.callback.clone() {
            Callback::NewInstance { order, .. } => return self.create(order, request),
            Callback::OrderNotify { .. } | Callback::GetLicenseAsync { .. } => return Answer::success(),
            Callback::QueryInstance { ids } => return self.describe(&ids),
            Callback::ChangeInstanceCheck { instance: id, .. } => {
                return match self.knows(&instance(&id)) {
                    true => Answer::success(),
                    false => refuse(),
                };
            }
            Callback::RefreshInstance { instance: id, refreshed } => (instance(&id), Command::Refresh(refreshed)),
            Callback::UpdateInstanceStatus { instance: id, status } => (instance(&id), status_command(status)),
            Callback::UpgradeInstance { instance: id, upgraded } => (instance(&id), Command::Upgrade(upgraded)),
            Callback::ReleaseInstance { instance: id, released } => (instance(&id), release(released)),
            Callback::RefreshLicenseCode { code: id, refreshed } => (code(&id), Command::Refresh(refreshed)),
            Callback::UpdateLicenseCodeStatus { code: id, status } => (code(&id), status_command(status)),
            Callback::ReleaseLicenseCode { code: id, released } => (code(&id), release(released)),
        };
        match self.apply(&id, command, Some(request)) {
            Ok(()) => Answer::success(),
            Err(_) => refuse(),
        }
    }

    fn create(&self, order: OrderRef, request: &SignedRequest) -> Answer {
        let purchase = PurchaseIdentity::OrderLine(order.clone());
        let secret = match self.flaw {
            Some(Flaw::NewInstanceEachTime) => SellerSecret::new(rand::random()),
            _ => SellerSecret::new([7; 32]),
        };
        let id = purchase.instance_id(&secret);
        let key = LicenseId::Instance(id.clone());
        self.apply(&key, Command::Create { order }, Some(request)).unwrap();
        Answer::new_instance(&id)
    }

    fn describe(&self, ids: &[InstanceId]) -> Answer {
        let known = ids.iter().filter(|id| self.knows(&LicenseId::Instance((*id).clone())));
        let info: Vec<_> = known.map(info).collect();
        if info.is_empty() { refuse() } else { Answer::instances(info) }
    }

    fn knows(&self, id: &LicenseId) -> bool {
        self.licenses.lock().unwrap().contains_key(id)
    }

    fn apply(&self, id: &LicenseId, command: Command, request: Option<&SignedRequest>) -> Result<(), Refusal> {
        if self.flaw == Some(Flaw::IgnoresFreezes) && command == Command::Freeze {
            return Ok(());
        }
        let mut licenses = self.licenses.lock().unwrap();
        let (mut standing, mut orders) = licenses.get(id).cloned().unwrap_or_default();
        let now = Utc::now();
        let asked = Request { now, signature: request.map(|request| request.signature) };
        let mut events = decide(id, &standing, command.clone(), asked)?;
        if let (Some(Flaw::CountsRefreshesTwice), Command::Refresh(refreshed)) = (self.flaw, command) {
            events = vec![refreshed.into()];
        }
        let cause = request.map_or(Cause::System, |request| Cause::Callback(Box::new(request.clone())));
        for event in events {
            orders.extend(event.names_order());
            standing.evolve(&event, &cause, now);
        }
        licenses.insert(id.clone(), (standing, orders));
        Ok(())
    }

    /// What a reactor would have done meanwhile.
    fn learn_facts(&self, id: &LicenseId) {
        let orders = self.licenses.lock().unwrap().get(id).map(|(_, orders)| orders.clone());
        for order in orders.unwrap_or_default() {
            let entry = self.orders.look_up(order.order_id.as_str(), Some(order.order_line_id.as_str()));
            if let Entry::Known(known) = entry {
                let facts = facts(&known);
                self.apply(id, Command::ApplyOrderFacts { order, facts }, None).unwrap();
            }
        }
    }
}

fn facts(order: &crate::orders::Order) -> OrderFacts {
    OrderFacts {
        order_line_id: OrderLineId::parse(&order.line.order_line_id).unwrap(),
        order_type: order.order_type,
        charging_mode: order.charging_mode,
        sku: Some(Sku::parse(&order.product.sku).unwrap()),
        product_id: Some(ProductId::parse(&order.product.product_id).unwrap()),
        quantity: Some(order.product.quantity),
        expires_at: order.expires_at,
        ordered_at: Some(order.ordered_at),
        amount: None,
        deal_amount: None,
    }
}

fn dial_test(callback: &Callback) -> Answer {
    match callback {
        Callback::NewInstance { .. } => Answer::new_instance(&InstanceId::parse("made-up").unwrap()),
        Callback::QueryInstance { ids } => Answer::instances(ids.iter().map(info).collect()),
        _ => Answer::success(),
    }
}

fn info(id: &InstanceId) -> InstanceInfo {
    InstanceInfo {
        instance_id: id.clone(),
        app_info: Some(AppInfo {
            front_end_url: format!("https://app.example.com/{id}"),
            admin_url: None,
            user_name: None,
            password: None,
            memo: None,
        }),
    }
}

fn status_command(status: FreezeStatus) -> Command {
    match status {
        FreezeStatus::Freeze => Command::Freeze,
        FreezeStatus::Unfreeze => Command::Unfreeze,
    }
}

fn release(released: Released) -> Command {
    Command::Release { order_id: released.order_id, order_line_id: released.order_line_id }
}

fn refuse() -> Answer {
    Answer::failure(ResultCode::UnknownInstance, "instance is invalid")
}
