//! The marketplace's open API, as far as sellers call it: orders (查询订单, topic 0070649350), license codes (topics
//! 0070649244, 0070649245) and uploads (topic 0070649351), with every way of failing.

mod authentic;
mod desk;
mod faults;
mod form;
mod interface;
mod licenses;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chopmark_huawei::open_api::{
    ACTIVATE_LIST_PATH, ACTIVATE_PATH, HEARTBEAT_LIST_PATH, HEARTBEAT_PATH, ORDER_QUERY_PATH,
};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

pub use desk::Desk;
pub use faults::{Fault, Faults};
pub use interface::Interface;

use crate::codes::Codes;
use crate::orders::{Entry, Orders};
use crate::uploads::Uploads;
use crate::url::Url;

/// Where licenses are handed over.
const UPLOAD_PATH: &str = "/api/mkp-openapi-public/global/v1/market-event/{event}/file";

/// A license file may have so many bytes, the form around it included.
const LONGEST_BODY: usize = 4 << 20;

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
    desk: Desk,
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
        let desk = Desk::new(credentials, orders);
        let shared = web::Data::new(desk.clone());
        let app = move || App::new().app_data(shared.clone()).configure(routes);
        let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).bind(address)?;
        let address = server.addrs().first().copied();
        let address = address.ok_or_else(|| io::Error::other("the server is bound to no address"))?;
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle, desk })
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

    /// What it answers from, and what it was asked; for plays that outlive a borrow.
    #[must_use]
    pub fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// The book of license codes; empty at first.
    #[must_use]
    pub fn codes(&self) -> &Codes {
        self.desk.codes()
    }

    /// What sellers handed over.
    #[must_use]
    pub fn uploads(&self) -> &Uploads {
        self.desk.uploads()
    }

    /// Makes the next calls fail, whatever they call.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.desk.faults()
    }

    /// Makes the next calls of one interface fail; those ordered for all come first.
    #[must_use]
    pub fn faults_of(&self, interface: Interface) -> &Faults {
        self.desk.faults_of(interface)
    }

    /// How many calls it has had, failed ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.desk.calls()
    }

    /// How many calls of one interface it has had, failed ones included.
    #[must_use]
    pub fn calls_of(&self, interface: Interface) -> u64 {
        self.desk.calls_of(interface)
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

fn routes(app: &mut web::ServiceConfig) {
    app.app_data(web::PayloadConfig::new(LONGEST_BODY))
        .route(ORDER_QUERY_PATH, web::get().to(query_order))
        .route(ACTIVATE_PATH, web::post().to(licenses::activate))
        .route(ACTIVATE_LIST_PATH, web::post().to(licenses::activate_list))
        .route(HEARTBEAT_PATH, web::post().to(licenses::query))
        .route(HEARTBEAT_LIST_PATH, web::post().to(licenses::query_list))
        .route(UPLOAD_PATH, web::post().to(licenses::upload));
}

async fn query_order(request: HttpRequest, query: web::Query<Query>, desk: web::Data<Desk>) -> HttpResponse {
    if let Err(refusal) = desk.admit(Interface::OrderQuery, &request, b"").await {
        return refusal;
    }
    let Some(order_id) = query.order_id.as_deref().filter(|id| !id.is_empty()) else {
        return refusal(StatusCode::BAD_REQUEST, "MKT.0101", "orderId is missing");
    };
    match desk.orders().look_up(order_id, query.order_line_id.as_deref()) {
        Entry::Known(order) => answer(
            StatusCode::OK,
            &json!({"resultCode": "MKT.0000", "resultMsg": "Success", "orderInfo": order.to_json(desk.orders().tell_amounts())}),
        ),
        Entry::Withheld => failure(Interface::OrderQuery, &Fault::Internal),
        Entry::Unknown => refusal(StatusCode::BAD_REQUEST, "MKT.0101", "the order does not exist"),
    }
}

/// Status and code as the tables of errors have them (查询订单:错误码; 错误码, topic 0070649244).
fn failure(interface: Interface, fault: &Fault) -> HttpResponse {
    let of_licenses = interface.is_about_licenses();
    match fault {
        Fault::TooManyRequests if of_licenses => {
            licenses::error(StatusCode::TOO_MANY_REQUESTS, "APIGW.0308", "too many requests")
        }
        Fault::TooManyRequests => refusal(StatusCode::NOT_ACCEPTABLE, "MKT.0250", "too many requests"),
        Fault::NotJson => HttpResponse::Ok().content_type("application/json").body("{\"resultCode\":"),
        Fault::Status(status) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            HttpResponse::build(status).content_type("text/html").body("<html></html>")
        }
        Fault::Internal | Fault::Delay(_) if of_licenses => licenses::internal_error(),
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
