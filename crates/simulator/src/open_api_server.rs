//! The marketplace's open API, as far as sellers ask it for orders (查询订单, topic 0070649350), with every way of failing.

mod authentic;
mod faults;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chopmark_huawei::open_api::ORDER_QUERY_PATH;
use chrono::Utc;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

pub use faults::{Fault, Faults};

use crate::orders::{Entry, Orders};
use crate::url::Url;

/// What a seller signs open-API calls with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The access key id (AK).
    pub access_key: String,
    /// The secret access key (SK).
    pub secret_key: SecretString,
}

/// A running open API on this machine. It ends with [`Self::stop`], or with its runtime.
pub struct OpenApiServer {
    address: SocketAddr,
    handle: ServerHandle,
    state: web::Data<State>,
}

struct State {
    credentials: Credentials,
    orders: Orders,
    faults: Faults,
    calls: Arc<AtomicU64>,
}

impl OpenApiServer {
    /// Starts one on a port of the loopback interface; port 0 takes a free one.
    ///
    /// # Errors
    /// The port is taken, or may not be had.
    pub fn start(port: u16, credentials: Credentials, orders: Orders) -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, port).into(), credentials, orders)
    }

    /// Starts one at an address of this machine; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is taken, or may not be had.
    pub fn start_at(address: SocketAddr, credentials: Credentials, orders: Orders) -> io::Result<Self> {
        let state = web::Data::new(State { credentials, orders, faults: Faults::default(), calls: Arc::default() });
        let shared = state.clone();
        let app = move || App::new().app_data(shared.clone()).route(ORDER_QUERY_PATH, web::get().to(query_order));
        let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).bind(address)?;
        let address = server.addrs().first().copied();
        let address = address.ok_or_else(|| io::Error::other("the server is bound to no address"))?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle, state })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address, to be configured as the seller's `open_api.base_url`.
    #[must_use]
    pub fn url(&self) -> Url {
        Url::from(self.address)
    }

    /// Makes the next calls fail.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// How many calls it has had, failed ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state.calls.load(Ordering::Relaxed)
    }

    /// Ends it; calls under way are answered.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    order_id: Option<String>,
    order_line_id: Option<String>,
}

async fn query_order(request: HttpRequest, query: web::Query<Query>, state: web::Data<State>) -> HttpResponse {
    state.calls.fetch_add(1, Ordering::Relaxed);
    state.faults.released().await;
    if let Some(fault) = state.faults.next() {
        match fault {
            Fault::Delay(time) => tokio::time::sleep(time).await,
            fault => return failure(&fault),
        }
    }
    if let Err(problem) = authentic::check(&request, &state.credentials, Utc::now()) {
        return refusal(StatusCode::UNAUTHORIZED, "MKT.0154", &problem.to_string());
    }
    let Some(order_id) = query.order_id.as_deref().filter(|id| !id.is_empty()) else {
        return refusal(StatusCode::BAD_REQUEST, "MKT.0101", "orderId is missing");
    };
    match state.orders.look_up(order_id, query.order_line_id.as_deref()) {
        Entry::Known(order) => answer(
            StatusCode::OK,
            &json!({"resultCode": "MKT.0000", "resultMsg": "Success", "orderInfo": order.to_json()}),
        ),
        Entry::Withheld => failure(&Fault::Internal),
        Entry::Unknown => refusal(StatusCode::BAD_REQUEST, "MKT.0101", "the order does not exist"),
    }
}

/// Status and code as the table of errors has them (查询订单:错误码).
fn failure(fault: &Fault) -> HttpResponse {
    match fault {
        Fault::TooManyRequests => refusal(StatusCode::NOT_ACCEPTABLE, "MKT.0250", "too many requests"),
        Fault::NotJson => HttpResponse::Ok().content_type("application/json").body("{\"resultCode\":"),
        Fault::Status(status) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            HttpResponse::build(status).content_type("text/html").body("<html></html>")
        }
        Fault::Internal | Fault::Delay(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "MKT.0999", "internal error"),
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    answer(status, &json!({"resultCode": code, "resultMsg": message}))
}

fn answer(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type("application/json;charset=UTF-8").body(body.to_string())
}

#[cfg(test)]
mod tests;
