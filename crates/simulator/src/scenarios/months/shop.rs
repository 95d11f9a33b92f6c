//! What is sold in the shop: each order entered in the marketplace's books, and called with.

use std::collections::BTreeMap;

use chopmark_domain::license::Scene;
use chopmark_domain::order::{ChargingMode, OrderType};
use chrono::{DateTime, TimeDelta, Utc};

use crate::console::Expected;
use crate::finance::{Acceptance, Books, Kind, Month, Sold};
use crate::message::{Message, OrderLine, Refresh};
use crate::orders::{Cents, Order, Price};
use crate::scenarios::play::Play;

/// What comes of a sale.
struct Bought {
    line: OrderLine,
    instance: String,
}

/// The shop.
pub(super) struct Shop<'p, 'c> {
    pub(super) play: &'p mut Play<'c>,
    pub(super) books: Books,
    bought: BTreeMap<&'static str, Bought>,
}

impl<'p, 'c> Shop<'p, 'c> {
    /// A shop that has sold nothing yet, with a platform fee in hundredths of a percent.
    pub(super) fn new(play: &'p mut Play<'c>, fee: i64) -> Self {
        Self { play, books: Books::with_fee(fee), bought: BTreeMap::new() }
    }

    /// The order line of a sale; empty where it was not sold.
    pub(super) fn line(&self, what: &str) -> String {
        self.bought.get(what).map(|bought| bought.line.order_line_id.clone()).unwrap_or_default()
    }

    /// Something of the context's product: ordered at a moment, paid a minute later, provisioned five minutes later.
    pub(super) fn sold(&self, kind: Kind, sales: Cents, ordered: DateTime<Utc>) -> Sold {
        Sold {
            line: Some(OrderLine::fresh()),
            original: None,
            kind,
            product: self.play.context.product.clone(),
            sales,
            voucher: Cents(0),
            ordered,
            effective: Some(ordered + TimeDelta::minutes(5)),
            paid: Some(ordered + TimeDelta::minutes(1)),
            acceptance: Acceptance::NotNeeded,
        }
    }

    /// A purchase that nothing special happens to.
    pub(super) async fn buys(&mut self, what: &'static str, kind: Kind, amount: Cents, at: DateTime<Utc>) {
        let sold = self.sold(kind, amount, at);
        self.sells(what, sold).await;
    }

    /// A purchase.
    pub(super) async fn sells(&mut self, what: &'static str, sold: Sold) {
        let order = self.ordered(&sold, OrderType::New);
        self.new_instance(what, &order).await;
        self.books.enter(sold);
    }

    /// A trial: it costs nothing and is on no bill.
    pub(super) async fn tries(&mut self, what: &'static str, at: DateTime<Utc>) {
        let trial = self.sold(Kind::New, Cents(0), at);
        let order = Order { price: None, ..self.ordered(&trial, OrderType::Trial) };
        self.new_instance(what, &order).await;
    }

    async fn new_instance(&mut self, what: &'static str, order: &Order) {
        if let Some(instance) = self.play.buy(what, order).await {
            self.bought.insert(what, Bought { line: order.line.clone(), instance });
        }
    }

    /// A renewal of what was bought, or its conversion from a trial.
    pub(super) async fn renews(&mut self, bought: &str, what: &'static str, sold: Sold) {
        let (scene, order_type) = match sold.kind {
            Kind::TrialConvert => (Scene::TrialToFormal, OrderType::TrialToFormal),
            _ => (Scene::Renewal, OrderType::Renew),
        };
        let order = self.ordered(&sold, order_type);
        self.refresh(bought, what, scene, &order).await;
        self.books.enter(sold);
    }

    /// A renewal that has not begun is given back.
    pub(super) async fn cancels(&mut self, bought: &str, renewal: &str, what: &'static str, at: DateTime<Utc>) {
        let Some(refund) = self.refund(renewal, at) else { return };
        let order = self.ordered(&refund, OrderType::Unsubscribe);
        self.refresh(bought, what, Scene::UnsubscribeRenewalPeriod, &order).await;
        self.books.enter(refund);
    }

    async fn refresh(&mut self, bought: &str, what: &'static str, scene: Scene, order: &Order) {
        let Some(instance) = self.bought.get(bought).map(|bought| bought.instance.clone()) else { return };
        self.play.register(order);
        let expires_at = order.expires_at.unwrap_or_default();
        let refresh = Refresh { scene, order: order.line.clone(), expires_at, product_id: None };
        let message = Message::RefreshInstance { instance: instance.clone(), refresh };
        self.play.deliver(what, &message, &Expected::success()).await;
        self.bought.insert(what, Bought { line: order.line.clone(), instance });
    }

    /// An upgrade of what was bought.
    pub(super) async fn upgrades(&mut self, bought: &str, what: &'static str, sold: Sold) {
        let Some(instance) = self.bought.get(bought).map(|bought| bought.instance.clone()) else { return };
        let order = self.ordered(&sold, OrderType::Change);
        self.play.register(&order);
        let message = Message::UpgradeInstance { instance: instance.clone(), order: order.line.clone() };
        self.play.deliver(what, &message, &Expected::success()).await;
        self.bought.insert(what, Bought { line: order.line, instance });
        self.books.enter(sold);
    }

    /// What was bought is given back, and the instance released.
    pub(super) async fn gives_back(&mut self, bought: &str, what: &'static str, at: DateTime<Utc>) {
        let Some(refund) = self.refund(bought, at) else { return };
        let Some(instance) = self.bought.get(bought).map(|bought| bought.instance.clone()) else { return };
        let order = self.ordered(&refund, OrderType::Unsubscribe);
        self.play.register(&order);
        let message = Message::ReleaseInstance { instance: instance.clone(), order: Some(order.line.clone()) };
        self.play.deliver(what, &message, &Expected::success()).await;
        self.bought.insert(what, Bought { line: order.line, instance });
        self.books.enter(refund);
    }

    /// Consumption of a month: no callback and no order tells of it.
    pub(super) fn uses(&mut self, month: Month, amount: Cents) {
        let at = month.at(20, 12);
        let used = self.sold(Kind::Usage, amount, at);
        self.books.enter(Sold { line: None, paid: Some(at), effective: Some(at), ..used });
    }

    /// The refund of all that was paid for something sold.
    fn refund(&self, what: &str, at: DateTime<Utc>) -> Option<Sold> {
        let line = self.line(what);
        let original = self.books.sold().iter().find(|sold| sold.name() == line)?;
        Some(Sold {
            line: Some(OrderLine::fresh()),
            original: original.line.clone(),
            kind: Kind::Refund,
            sales: -original.sales,
            voucher: -original.voucher,
            ordered: at,
            effective: Some(at),
            paid: Some(at),
            acceptance: Acceptance::NotNeeded,
            ..original.clone()
        })
    }

    fn ordered(&self, sold: &Sold, order_type: OrderType) -> Order {
        let expires_at = Play::now() + TimeDelta::days(365);
        let order = self.play.order(order_type, expires_at, sold.product.quantity);
        let charging_mode = match sold.kind {
            Kind::OneTime => ChargingMode::OneTime,
            Kind::Package => ChargingMode::OnDemandPkg,
            Kind::Usage => ChargingMode::OnDemand,
            _ => ChargingMode::Period,
        };
        let by_period = charging_mode == ChargingMode::Period;
        Order {
            line: sold.line.clone().unwrap_or(order.line),
            charging_mode,
            ordered_at: sold.ordered,
            expires_at: order.expires_at.filter(|_| by_period),
            period: order.period.filter(|_| by_period),
            product: sold.product.clone(),
            price: Some(Price::of(sold.sales)),
            ..order
        }
    }
}
