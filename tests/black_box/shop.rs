//! A seller with a product of every kind, and a marketplace whose open API is served.

use std::time::Duration;

use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_huawei::callback::FreezeStatus;
use chopmark_simulator::checks::Checks;
use chopmark_simulator::http::{Connection, Request, Response};
use chopmark_simulator::orders::{Order, Period, Product};
use chopmark_simulator::{Code, Credentials, Message, OpenApiServer, OrderLine, Orders};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Home, Server, config};

pub(crate) const SAAS: &str = "a63ee5c9-0000";
/// Three machines per license.
pub(crate) const THREE_SEATS: &str = "a63ee5c9-0001";
pub(crate) const IMAGE: &str = "a63ee5c9-0002";
/// An image that refuses clones.
pub(crate) const STRICT_IMAGE: &str = "a63ee5c9-0003";
pub(crate) const CODE: &str = "a63ee5c9-0004";
pub(crate) const ONLINE: &str = "a63ee5c9-0005";
/// As many machines as were bought; leases of a minute, and nothing beyond.
pub(crate) const SEATS_BOUGHT: &str = "a63ee5c9-0006";
/// An image of seller `other`.
pub(crate) const OTHERS_IMAGE: &str = "a63ee5c9-0007";

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
[[product]]
sku = "a63ee5c9-0007"
seller = "other"
kind = "image"
name = "Somebody else's image"
"#;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

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
        Self::configured(more, "").await
    }

    /// With more in `open_api`.
    pub(crate) async fn with_open_api(more: &str) -> Self {
        Self::configured("", &format!(", {more}")).await
    }

    async fn configured(more: &str, more_open_api: &str) -> Self {
        let credentials = Credentials { access_key: "AK".into(), secret_key: "SK".into() };
        let orders = Orders::with_mocks(&Product::default(), Utc::now());
        let open_api = OpenApiServer::start(0, credentials, orders.clone()).unwrap();
        let access = format!(
            "open_api = {{ access_key = {{ value = \"AK\" }}, secret_key = {{ value = \"SK\" }}, base_url = \"{}\"{more_open_api} }}",
            open_api.url()
        );
        let home = Home::new(&format!("{more}\n{}{PRODUCTS}", config(&access)));
        let server = home.serve().await;
        Self { open_api, orders, home, server }
    }

    /// Stops the server and starts it again.
    pub(crate) async fn restart(self) -> Self {
        self.start_after(Server::stop).await
    }

    /// Kills the server and starts it again.
    pub(crate) async fn crash(self) -> Self {
        self.start_after(Server::kill).await
    }

    async fn start_after(self, end: impl FnOnce(Server)) -> Self {
        let Self { open_api, orders, home, server } = self;
        end(server);
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
            price: None,
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
            tokio::time::sleep(PAUSE).await;
        }
        panic!("it never came: {verdict}");
    }

    /// Registers a code that an order bought.
    pub(crate) fn code(&self, sku: &str, quantity: u32) -> String {
        let code = format!("PL{}", Uuid::new_v4().simple()).to_uppercase();
        self.open_api.codes().register(&code, Code::of(&self.order(sku, quantity)));
        code
    }

    /// A code that was named, activated, and asked for; and whose order is known.
    pub(crate) async fn activated(&self, quantity: u32) -> String {
        let code = self.code(CODE, quantity);
        // Inactive, what the activation said, what the question said after that, the order's facts.
        self.until(&code, |verdict| verdict["license"]["revision"] == 4).await;
        code
    }

    /// Sends a message, which must be answered with success.
    pub(crate) async fn says(&self, message: &Message) -> Value {
        let answer = self.server.call(message).await;
        assert_eq!(answer["resultCode"], "000000", "{message:?}: {answer}");
        answer
    }

    /// Freezes an instance or lifts that.
    pub(crate) async fn set(&self, instance: &str, status: FreezeStatus) {
        self.says(&Message::UpdateInstanceStatus { instance: instance.into(), status }).await;
    }

    /// Makes a token and gives it.
    pub(crate) async fn token(&self, wanted: &Value) -> String {
        let made = self.admin("POST", "/v1/tokens", &wanted.to_string()).await;
        assert_eq!(made.status, 201, "{}", json(&made));
        json(&made)["token"].as_str().unwrap().to_owned()
    }

    /// The end of the log itself, not of what an index has seen of it; some license must be named.
    pub(crate) async fn head(&self, license: &str) -> u64 {
        let history = self.server.look_up(&format!("/v1/licenses/{license}/history?limit=1")).await;
        history["position"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn checks(&self) -> Checks {
        Checks::new(&self.server.api, "acme", None)
    }

    /// A request with the admin token.
    pub(crate) async fn admin(&self, method: &str, target: &str, body: &str) -> Response {
        bear(&self.server, &self.server.admin_token(), method, target, body).await
    }
}

/// Looks until something is so.
pub(crate) async fn wait(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("it never came: {what}");
}

/// A request with a token.
pub(crate) async fn bear(server: &Server, token: &str, method: &str, target: &str, body: &str) -> Response {
    request(server, method, target, &[("Authorization", &format!("Bearer {token}"))], body).await
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
