//! A till: sales that the marketplace calls in and the console's files tell of, in either order, and what comes of them.

use std::time::Duration;

use chopmark_domain::license::Scene;
use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_simulator::finance::{Acceptance, Accounts, Body, Books, Kind, Language, Sold};
use chopmark_simulator::message::Refresh;
use chopmark_simulator::orders::{Cents, Order, Period, Price, Product};
use chopmark_simulator::{Credentials, Message, OpenApiServer, OrderLine, Orders};
use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::shop::Shop;
use crate::support::{Home, config};

/// What is sold.
pub(crate) const SAAS: &str = "a63ee5c9-0000";

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// The callbacks, and months later the console's file.
    CallbacksFirst,
    /// The console's file, and then the callbacks.
    ImportFirst,
}

pub(crate) const BOTH: [Sequence; 2] = [Sequence::CallbacksFirst, Sequence::ImportFirst];

/// How the marketplace calls something in. Numbers are those of the acts before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `newInstance`.
    Buy,
    /// `newInstance` of a trial.
    Try,
    /// `refreshInstance`: a renewal of that purchase.
    Renew(usize),
    /// `refreshInstance`: that trial becomes commercial.
    Convert(usize),
    /// `refreshInstance`: a renewal of that purchase is given back.
    Cancel(usize),
    /// `upgradeInstance`.
    Upgrade(usize),
    /// `releaseInstance`.
    Release(usize),
    /// Not at all.
    Never,
}

/// A sale and how it is called in.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) sold: Sold,
    pub(crate) call: Call,
}

/// The till of a shop.
pub(crate) struct Till {
    pub(crate) shop: Shop,
}

/// A moment by Beijing's clock.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    let there = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
    there.and_local_timezone(FixedOffset::east_opt(8 * 3600).unwrap()).unwrap().to_utc()
}

/// Something sold, paid and provisioned at one moment.
pub(crate) fn sold(kind: Kind, sales: i64, moment: &str) -> Sold {
    Sold {
        line: Some(OrderLine::fresh()),
        original: None,
        kind,
        product: Product { sku: SAAS.into(), ..Product::default() },
        sales: Cents(sales),
        voucher: Cents(0),
        ordered: at(moment),
        effective: Some(at(moment)),
        paid: Some(at(moment)),
        acceptance: Acceptance::NotNeeded,
    }
}

/// All of it given back.
pub(crate) fn refund(of: &Sold, moment: &str) -> Sold {
    Sold { original: of.line.clone(), product: of.product.clone(), ..sold(Kind::Refund, -of.sales.0, moment) }
}

impl Till {
    /// A shop whose seller is settled so (an inline table of `[seller.settlement]`), and that sells these products too.
    pub(crate) async fn open(settlement: &str, products: &str) -> Self {
        Self::with("", settlement, products).await
    }

    /// The same, with more at the top of the configuration.
    pub(crate) async fn with(top: &str, settlement: &str, products: &str) -> Self {
        let credentials = Credentials { access_key: "AK".into(), secret_key: "SK".into() };
        let orders = Orders::default();
        let open_api = OpenApiServer::start(0, credentials, orders.clone()).unwrap();
        let access = format!(
            "open_api = {{ access_key = {{ value = \"AK\" }}, secret_key = {{ value = \"SK\" }}, base_url = \"{}\" }}\n{settlement}",
            open_api.url()
        );
        let home = Home::new(&format!("{top}{}{products}", config(&access)));
        let server = home.serve().await;
        Self { shop: Shop { open_api, orders, home, server } }
    }

    pub(crate) fn accounts(&self) -> Accounts {
        self.accounts_of("acme")
    }

    pub(crate) fn accounts_of(&self, seller: &str) -> Accounts {
        let server = &self.shop.server;
        Accounts::new(&server.api, seller, &server.admin_token().into(), None)
    }

    /// Everything happens: called in, and told by a file, in either order.
    pub(crate) async fn play(&self, sequence: Sequence, acts: &[Act]) {
        let mut books = Books::with_fee(500);
        acts.iter().filter(|act| act.call != Call::Try).for_each(|act| books.enter(act.sold.clone()));
        let details = books.all_transactions(Language::Chinese).to_csv();
        match sequence {
            Sequence::CallbacksFirst => {
                self.call_in(acts).await;
                self.import("transactions", &[], &details).await;
            }
            Sequence::ImportFirst => {
                self.import("transactions", &[], &details).await;
                self.call_in(acts).await;
            }
        }
    }

    /// Only called in.
    pub(crate) async fn call_in(&self, acts: &[Act]) {
        let mut instances: Vec<String> = vec![];
        for act in acts {
            let line = act.sold.line.clone().unwrap_or_else(OrderLine::fresh);
            self.shop.orders.register(order(act, &line));
            let instance = |of: usize| instances[of].clone();
            let refresh = |of: usize, scene| {
                let refresh = Refresh { scene, order: line.clone(), expires_at: expiry(), product_id: None };
                Message::RefreshInstance { instance: instance(of), refresh }
            };
            let (message, known) = match act.call {
                Call::Never => {
                    instances.push(String::new());
                    continue;
                }
                Call::Buy | Call::Try => (Message::NewInstance { order: line.clone() }, None),
                Call::Renew(of) => (refresh(of, Scene::Renewal), Some(of)),
                Call::Convert(of) => (refresh(of, Scene::TrialToFormal), Some(of)),
                Call::Cancel(of) => (refresh(of, Scene::UnsubscribeRenewalPeriod), Some(of)),
                Call::Upgrade(of) => {
                    (Message::UpgradeInstance { instance: instance(of), order: line.clone() }, Some(of))
                }
                Call::Release(of) => {
                    (Message::ReleaseInstance { instance: instance(of), order: Some(line.clone()) }, Some(of))
                }
            };
            let answer = self.shop.says(&message).await;
            let new = answer["instanceId"].as_str().map(str::to_owned);
            instances.push(known.map_or_else(|| new.unwrap(), instance));
        }
    }

    /// A file of the console is taken.
    pub(crate) async fn import(&self, what: &str, query: &[(&str, &str)], file: &[u8]) -> Value {
        let query = [query, &[("file_name", "export.csv"), ("commit", "true")]].concat();
        let answer = self.accounts().post(what, &query, Body::File(file)).await.unwrap();
        assert_eq!(answer.status / 100, 2, "{}", answer.json);
        answer.json
    }

    /// A view as it is now.
    pub(crate) async fn view(&self, view: &str, query: &[(&str, &str)]) -> Value {
        let answer = self.accounts().get(view, query).await.unwrap();
        assert_eq!(answer.status, 200, "{view}: {}", answer.json);
        answer.json
    }

    /// Looks until something is so; what it was last is told otherwise.
    pub(crate) async fn until<T>(&self, mut look: impl AsyncFnMut(&Self) -> Result<T, String>) -> T {
        let mut problem = String::new();
        for _ in 0..400 {
            match look(self).await {
                Ok(seen) => return seen,
                Err(last) => problem = last,
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("it never came: {problem}");
    }

    /// The lines of an order, by their ids.
    pub(crate) async fn lines(&self, sold: &Sold) -> Vec<Value> {
        let order = sold.line.as_ref().unwrap().order_id.clone();
        let answer = self.view("lines", &[("order", &order)]).await;
        answer["lines"].as_array().unwrap().clone()
    }

    /// Waits until something sold has one line: in this month, with this amount.
    pub(crate) async fn settles(&self, sold: &Sold, period: &str, amount: &str) -> Value {
        self.until(async |till| {
            let lines = till.lines(sold).await;
            let [line] = lines.as_slice() else { return Err(format!("{} lines, must be one", lines.len())) };
            let found =
                (line["expected_period"].as_str().unwrap_or("no period"), decimal(&line["settle_amount"]["value"]));
            let wanted = (period, Some(amount.parse::<Decimal>().unwrap()));
            if found == wanted { Ok(line.clone()) } else { Err(format!("{found:?}, must be {wanted:?}: {line}")) }
        })
        .await
    }

    /// What a month comes to, as its bill would show it.
    pub(crate) async fn net(&self, period: &str) -> Option<Decimal> {
        let answer = self.view("periods", &[]).await;
        let periods = answer["periods"].as_array().unwrap();
        let found = periods.iter().find(|found| found["period"] == period)?;
        decimal(&found["tabs"][0]["shown"])
    }

    /// How a month ends, in its currency.
    pub(crate) async fn balance(&self, period: &str) -> Value {
        let answer = self.view("periods", &[]).await;
        let periods = answer["periods"].as_array().unwrap();
        let found = periods.iter().find(|found| found["period"] == period).cloned().unwrap_or_default();
        found["balances"][0].clone()
    }
}

pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    value.as_str()?.parse().ok()
}

fn expiry() -> DateTime<Utc> {
    use chrono::SubsecRound;
    (Utc::now() + TimeDelta::days(365)).trunc_subsecs(0)
}

fn order(act: &Act, line: &OrderLine) -> Order {
    let order_type = match (act.call, act.sold.kind) {
        (Call::Try, _) => OrderType::Trial,
        (_, Kind::Renew) => OrderType::Renew,
        (_, Kind::Change) => OrderType::Change,
        (_, Kind::TrialConvert) => OrderType::TrialToFormal,
        (_, Kind::Refund) => OrderType::Unsubscribe,
        _ => OrderType::New,
    };
    let charging_mode = match act.sold.kind {
        Kind::OneTime => ChargingMode::OneTime,
        Kind::Usage => ChargingMode::OnDemand,
        Kind::Package => ChargingMode::OnDemandPkg,
        _ => ChargingMode::Period,
    };
    Order {
        line: line.clone(),
        order_type,
        charging_mode,
        ordered_at: act.sold.ordered,
        expires_at: Some(expiry()),
        period: Some(Period { unit: "month", number: 1 }),
        product: act.sold.product.clone(),
        price: (order_type != OrderType::Trial).then(|| Price::of(act.sold.sales)),
    }
}
