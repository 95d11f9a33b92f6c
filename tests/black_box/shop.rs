//! A seller with a product of every kind, and a marketplace whose open API is served.

use std::time::Duration;

use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_simulator::checks::Checks;
use chopmark_simulator::http::{Connection, Request, Response};
use chopmark_simulator::orders::{Order, Period, Product};
use chopmark_simulator::{Credentials, Message, OpenApiServer, OrderLine, Orders};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::support::{Home, Server, config};

pub(crate) const SAAS: &str = "a63ee5c9-0000";
/// Three machines per license.
pub(crate) const THREE_SEATS: &str = "a63ee5c9-0001";
pub(crate) const IMAGE: &str = "a63ee5c9-0002";
/// An image that refuses clones.
pub(crate) const STRICT_IMAGE: &str = "a63ee5c9-0003";
pub(crate) const CODE: &str = "a63ee5c9-0004";
pub(crate) const ONLINE: &str = "a63ee5c9-0005";
/// As many machines as were bought; short leases.
pub(crate) const SEATS_BOUGHT: &str = "a63ee5c9-0006";

const PRODUCTS: &str = r#"
[[product]]
sku = "a63ee5c9-0001"
seller = "acme"
kind = "saas"
name = "Three seats"
seats = 3
[[product]]
sku = "a63ee5c9-0002"
seller = "acme"
kind = "image"
name = "Image"
[[product]]
sku = "a63ee5c9-0003"
seller = "acme"
kind = "image"
name = "Strict image"
clones = "refuse"
[[product]]
sku = "a63ee5c9-0004"
seller = "acme"
kind = "license_code"
name = "Codes"
[[product]]
sku = "a63ee5c9-0005"
seller = "acme"
kind = "online_license"
name = "Online"
entitlements = { modules = "quantity" }
[[product]]
sku = "a63ee5c9-0006"
seller = "acme"
kind = "saas"
name = "Seats as bought"
seats = "quantity"
lease_seconds = 60
offline_grace_seconds = 0
"#;

/// The marketplace and a running server.
pub(crate) struct Shop {
    pub(crate) open_api: OpenApiServer,
    pub(crate) orders: Orders,
    pub(crate) home: Home,
    pub(crate) server: Server,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with("").await
    }

    /// With more in the configuration; it begins at its top.
    pub(crate) async fn with(more: &str) -> Self {
        let credentials = Credentials { access_key: "AK".into(), secret_key: "SK".into() };
        let orders = Orders::with_mocks(&Product::default(), Utc::now());
        let open_api = OpenApiServer::start(0, credentials, orders.clone()).unwrap();
        let access = format!(
            "open_api = {{ access_key = {{ value = \"AK\" }}, secret_key = {{ value = \"SK\" }}, base_url = \"{}\" }}",
            open_api.url()
        );
        let home = Home::new(&format!("{more}\n{}{PRODUCTS}", config(&access)));
        let server = home.serve().await;
        Self { open_api, orders, home, server }
    }

    /// Stops the server and starts it again.
    pub(crate) async fn restart(self) -> Self {
        let Self { open_api, orders, home, server } = self;
        server.stop();
        let server = home.serve().await;
        Self { open_api, orders, home, server }
    }

    pub(crate) fn order(&self, sku: &str, quantity: u32) -> Order {
        let order = Order {
            line: OrderLine::fresh(),
            order_type: OrderType::New,
            charging_mode: ChargingMode::Period,
            ordered_at: Utc::now(),
            expires_at: Some(Utc::now() + TimeDelta::days(365)),
            period: Some(Period { unit: "year", number: 1 }),
            product: Product { sku: sku.into(), quantity, ..Product::default() },
        };
        self.orders.register(order.clone());
        order
    }

    /// Buys so much of a product and waits for the order's facts.
    pub(crate) async fn bought(&self, sku: &str, quantity: u32) -> String {
        let order = self.order(sku, quantity);
        let answer = self.server.call(&Message::NewInstance { order: order.line }).await;
        let instance = answer["instanceId"].as_str().unwrap().to_owned();
        self.until(&instance, |verdict| verdict["license"]["facts"] == "known").await;
        instance
    }

    /// Checks until the verdict is good.
    pub(crate) async fn until(&self, license: &str, good: impl Fn(&Value) -> bool) -> Value {
        let mut verdict = Value::Null;
        for _ in 0..400 {
            verdict = self.server.check(license).await;
            if good(&verdict) {
                return verdict;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it never came: {verdict}");
    }

    pub(crate) fn checks(&self) -> Checks {
        Checks::new(&self.server.api, "acme", None)
    }

    /// A request with the admin token.
    pub(crate) async fn admin(&self, method: &str, target: &str, body: &str) -> Response {
        let bearer = format!("Bearer {}", self.server.admin_token());
        request(&self.server, method, target, &[("Authorization", &bearer)], body).await
    }

    /// The number of events, by the position that a new answer carries.
    pub(crate) async fn events(&self) -> u64 {
        self.server.position().await.parse().unwrap()
    }
}

/// A request to the API.
pub(crate) async fn request(
    server: &Server,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let request = Request { method, host: &server.api.authority(), target, headers, body: body.as_bytes() };
    Connection::to(&server.api).send(&request.to_bytes()).await.unwrap().to_response()
}

pub(crate) fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

pub(crate) fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}
