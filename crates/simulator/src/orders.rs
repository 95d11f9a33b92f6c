//! The marketplace's order book: what `order/query` answers from.

mod mock;
mod price;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_huawei::time::format_expire_time;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::message::OrderLine;

pub use mock::MOCK_ORDERS;
pub use price::{Cents, Price};

/// What an order is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The specification.
    pub sku: String,
    /// The product id: one per period type under a specification.
    pub product_id: String,
    /// The amount of its quantity attribute.
    pub quantity: u32,
}

impl Default for Product {
    /// The product of the documentation's example.
    fn default() -> Self {
        Self { sku: "a63ee5c9-0000".into(), product_id: "OFFI0001".into(), quantity: 20 }
    }
}

/// A period, e.g. one `year`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// `year`, `month` or `day`.
    pub unit: &'static str,
    /// How many.
    pub number: u32,
}

/// An order of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its names.
    pub line: OrderLine,
    /// Kind of order.
    pub order_type: OrderType,
    /// How it is charged.
    pub charging_mode: ChargingMode,
    /// When the customer ordered, UTC.
    pub ordered_at: DateTime<Utc>,
    /// When it ends, UTC; only orders by period do.
    pub expires_at: Option<DateTime<Utc>>,
    /// For how long; only orders by period have one.
    pub period: Option<Period>,
    /// What was ordered.
    pub product: Product,
    /// What it costs; `None` where nobody asks, and for trials.
    pub price: Option<Price>,
}

impl Order {
    /// The answer's `orderInfo`, buyer included (查询订单, topic 0070649350). Versions of the interface differ in whether
    /// they tell amounts (S29).
    #[must_use]
    pub fn to_json(&self, with_amounts: bool) -> Value {
        let mut line = json!({
            "orderLineId": self.line.order_line_id,
            "chargingMode": self.charging_mode,
        });
        if let Some(period) = self.period {
            line["periodType"] = json!(period.unit);
            line["periodNumber"] = json!(period.number);
        }
        if let Some(expires_at) = self.expires_at {
            line["expireTime"] = json!(format_expire_time(expires_at));
        }
        if let Some(price) = self.price.filter(|_| with_amounts) {
            line["currency"] = json!(price.currency());
            line["currencyAfterDiscount"] = json!(price.currency_after_discount());
        }
        line["productInfo"] = json!([{
            "productId": self.product.product_id,
            "skuCode": self.product.sku,
            "linearValue": self.product.quantity,
        }]);
        json!({
            "orderId": self.line.order_id,
            "orderType": self.order_type,
            "createTime": format_expire_time(self.ordered_at),
            "orderLine": [line],
            "buyerInfo": {
                "customerId": "68cbc86abc2018ab880d92f36422fa0e",
                "customerName": "zhangsan",
                "customerRealName": "Example Co",
                "mobilePhone": "13800000000",
                "email": "zhangsan@example.com",
            },
        })
    }
}

/// The order book. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Orders(Arc<RwLock<Book>>);

#[derive(Debug, Default)]
struct Book {
    orders: HashMap<String, Order>,
    /// Orders whose number begins so are all like this one.
    series: Vec<(String, Order)>,
    withheld: HashSet<String>,
    /// Answers leave amounts out.
    without_amounts: bool,
}

/// What the book says of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// This.
    Known(Box<Order>),
    /// It exists, and just now nobody can read it.
    Withheld,
    /// There is no such order.
    Unknown,
}

impl Orders {
    /// A book of nothing but the marketplace's mock orders, ordered at a given moment.
    #[must_use]
    pub fn with_mocks(product: &Product, now: DateTime<Utc>) -> Self {
        let orders = Self::default();
        for order in mock::orders(product, now) {
            orders.register(order);
        }
        orders
    }

    /// Adds an order, or replaces what was known of it.
    pub fn register(&self, order: Order) {
        self.write().orders.insert(order.line.order_id.clone(), order);
    }

    /// Adds all orders whose number begins so; each is like the template but for its names.
    pub fn register_series(&self, prefix: &str, template: Order) {
        self.write().series.push((prefix.into(), template));
    }

    /// From now on, whoever asks for this order is told to come back later.
    pub fn withhold(&self, order_id: &str) {
        self.write().withheld.insert(order_id.into());
    }

    /// Ends [`Self::withhold`].
    pub fn reveal(&self, order_id: &str) {
        self.write().withheld.remove(order_id);
    }

    /// From now on answers leave amounts out, as some versions of the interface do (S29).
    pub fn leave_amounts_out(&self) {
        self.write().without_amounts = true;
    }

    /// Whether answers tell amounts.
    #[must_use]
    pub fn tell_amounts(&self) -> bool {
        !self.read().without_amounts
    }

    /// Looks an order up, with its line where one is named.
    #[must_use]
    pub fn look_up(&self, order_id: &str, order_line_id: Option<&str>) -> Entry {
        let book = self.read();
        if book.withheld.contains(order_id) {
            return Entry::Withheld;
        }
        let known = book.orders.get(order_id).cloned().or_else(|| {
            let (_, template) = book.series.iter().find(|(prefix, _)| order_id.starts_with(prefix))?;
            Some(Order { line: OrderLine::first_of(order_id), ..template.clone() })
        });
        match known {
            Some(order) if order_line_id.is_none_or(|line| line == order.line.order_line_id) => {
                Entry::Known(Box::new(order))
            }
            _ => Entry::Unknown,
        }
    }

    // A panic while the book is held leaves it whole: each change is one insertion.
    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Book> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn order(id: &str) -> Order {
        Order {
            line: OrderLine::first_of(id),
            order_type: OrderType::New,
            charging_mode: ChargingMode::Period,
            ordered_at: "2022-07-26T06:47:36Z".parse().unwrap(),
            expires_at: Some("2023-07-26T15:59:59Z".parse().unwrap()),
            period: Some(Period { unit: "year", number: 1 }),
            product: Product::default(),
            price: None,
        }
    }

    #[test]
    fn an_order_is_shaped_as_in_the_published_answer() {
        let mut json = order("CS2207261447AUY4H").to_json(true);
        json.as_object_mut().unwrap().shift_remove("buyerInfo").unwrap();
        assert_eq!(
            json.to_string(),
            r#"{"orderId":"CS2207261447AUY4H","orderType":"NEW","createTime":"20220726064736","orderLine":[{"orderLineId":"CS2207261447AUY4H-000001","chargingMode":"PERIOD","periodType":"year","periodNumber":1,"expireTime":"20230726155959","productInfo":[{"productId":"OFFI0001","skuCode":"a63ee5c9-0000","linearValue":20}]}]}"#
        );
    }

    #[test]
    fn amounts_are_texts_and_what_is_given_back_has_no_order_amount() {
        let price = Price { amount: Cents::whole(120), deal: Cents::whole(100) };
        let line = |price, with_amounts| {
            let json = Order { price: Some(price), ..order("CS1") }.to_json(with_amounts);
            let line = &json["orderLine"][0];
            (line["currency"].clone(), line["currencyAfterDiscount"].clone())
        };
        assert_eq!(line(price, true), (json!("120.00"), json!("100.00")));
        assert_eq!(line(Price::of(Cents::whole(-100)), true), (json!(""), json!("-100.00")));
        assert_eq!(line(price, false), (Value::Null, Value::Null));
    }

    #[test]
    fn every_mock_order_is_in_the_book() {
        let orders = Orders::with_mocks(&Product::default(), now());
        for id in MOCK_ORDERS {
            let Entry::Known(order) = orders.look_up(id, Some(&format!("{id}-000001"))) else {
                panic!("{id} is missing");
            };
            assert_eq!(order.expires_at.is_some(), order.charging_mode == ChargingMode::Period);
        }
    }

    #[test]
    fn orders_come_one_by_one_or_in_series_and_may_be_withheld() {
        let orders = Orders::default();
        orders.register(order("CS1"));
        orders.register_series("STORM", order("template"));
        assert!(matches!(orders.look_up("CS1", None), Entry::Known(_)));
        assert_eq!(orders.look_up("CS1", Some("CS1-000002")), Entry::Unknown);
        assert_eq!(orders.look_up("CS2", None), Entry::Unknown);
        let Entry::Known(one) = orders.look_up("STORM77", Some("STORM77-000001")) else {
            panic!("the series is missing");
        };
        assert_eq!(one.line, OrderLine::first_of("STORM77"));
        orders.withhold("CS1");
        assert_eq!(orders.look_up("CS1", None), Entry::Withheld);
        orders.reveal("CS1");
        assert!(matches!(orders.look_up("CS1", None), Entry::Known(_)));
    }
}
