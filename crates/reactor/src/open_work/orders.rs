//! Orders whose facts are wanted.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::ids::{OrderId, OrderLineId, SellerId};
use chopmark_domain::license::{self, OrderFactsApplied};
use chopmark_domain::order::{self, FactsAbandoned, FactsRecorded, Notified, OrderRef};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::{Position, Record};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An order of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderKey {
    /// Whose order.
    pub seller: SellerId,
    /// Which.
    pub order_id: OrderId,
}

/// Who waits for the facts of an order line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// `orderNotify` named it: its facts are wanted on the order's stream, whether or not a license needs them.
    pub notified: bool,
    /// Licenses that named it.
    pub licenses: BTreeSet<LicenseId>,
}

impl Waiting {
    fn is_over(&self) -> bool {
        !self.notified && self.licenses.is_empty()
    }
}

/// An order whose facts are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// Since when, UTC: when the log took the event that opened it.
    pub since: DateTime<Utc>,
    /// The event that last added to it.
    pub named_at: Position,
    /// Its lines that are waited for; never none.
    pub lines: BTreeMap<OrderLineId, Waiting>,
}

/// An order of which nothing more is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AbandonedOrder {
    pub(crate) order: OpenOrder,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SellerOrders {
    open: BTreeMap<OrderId, OpenOrder>,
    abandoned: BTreeMap<OrderId, AbandonedOrder>,
}

/// All orders whose facts are wanted, folded from the log:
///
/// - a license's event that names an order opens; [`OrderFactsApplied`] of that line on the license's stream closes.
///   A release closes nothing: money still needs the facts;
/// - `orderNotify` opens; [`FactsRecorded`] with that line closes;
/// - [`FactsAbandoned`] sets the whole order aside. The next event that names it, or facts for it, bring it back with
///   everyone who waited; it is asked for once at each start of the reactor, and once a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedFacts {
    sellers: BTreeMap<SellerId, SellerOrders>,
}

/// Who is to be put on the list.
enum Waiter {
    Notice,
    License(LicenseId),
}

impl WantedFacts {
    /// Takes an event of a license up. Tells the order it was about, if it was about one.
    pub(super) fn apply_license(
        &mut self,
        license: &LicenseKey,
        event: &license::Event,
        record: &Record,
    ) -> Option<OrderKey> {
        let LicenseKey { seller, id } = license.clone();
        if let license::Event::OrderFactsApplied(OrderFactsApplied { order_id, facts, .. }) = event {
            let key = OrderKey { seller, order_id: order_id.clone() };
            self.close(&key, &facts.order_line_id, |waiting| {
                waiting.licenses.remove(&id);
            });
            return Some(key);
        }
        let OrderRef { order_id, order_line_id } = event.names_order()?;
        let key = OrderKey { seller, order_id };
        self.open(&key, order_line_id, Waiter::License(id), record);
        Some(key)
    }

    /// Takes an event of an order up.
    pub(super) fn apply_order(&mut self, key: &OrderKey, event: order::Event, record: &Record) {
        match event {
            order::Event::Notified(Notified { order_line_id }) => {
                self.open(key, order_line_id, Waiter::Notice, record);
            }
            order::Event::FactsRecorded(FactsRecorded { lines }) => {
                self.bring_back(key, record);
                for facts in lines {
                    self.close(key, &facts.order_line_id, |waiting| waiting.notified = false);
                }
            }
            order::Event::FactsAbandoned(FactsAbandoned { reason, attempts }) => {
                let work = self.sellers.entry(key.seller.clone()).or_default();
                if let Some(order) = work.open.remove(&key.order_id) {
                    work.abandoned.insert(key.order_id.clone(), AbandonedOrder { order, reason, attempts });
                }
            }
            order::Event::FactsDelayed(_) | order::Event::Stated(_) => {}
        }
    }

    fn open(&mut self, key: &OrderKey, line: OrderLineId, waiter: Waiter, record: &Record) {
        self.bring_back(key, record);
        let work = self.sellers.entry(key.seller.clone()).or_default();
        let order = work.open.entry(key.order_id.clone()).or_insert_with(|| OpenOrder {
            since: record.recorded_at,
            named_at: record.position,
            lines: BTreeMap::new(),
        });
        order.named_at = record.position;
        let waiting = order.lines.entry(line).or_default();
        match waiter {
            Waiter::Notice => waiting.notified = true,
            Waiter::License(id) => {
                waiting.licenses.insert(id);
            }
        }
    }

    /// An abandoned order is open again, as from now. Whoever waited still waits.
    fn bring_back(&mut self, key: &OrderKey, record: &Record) {
        let Some(work) = self.sellers.get_mut(&key.seller) else { return };
        if let Some(AbandonedOrder { order, .. }) = work.abandoned.remove(&key.order_id) {
            let order = OpenOrder { since: record.recorded_at, named_at: record.position, ..order };
            work.open.insert(key.order_id.clone(), order);
        }
    }

    fn close(&mut self, key: &OrderKey, line: &OrderLineId, close: impl FnOnce(&mut Waiting)) {
        let Some(work) = self.sellers.get_mut(&key.seller) else { return };
        let orders = [
            work.open.get_mut(&key.order_id),
            work.abandoned.get_mut(&key.order_id).map(|abandoned| &mut abandoned.order),
        ];
        let Some(order) = orders.into_iter().flatten().next() else { return };
        if let Some(waiting) = order.lines.get_mut(line) {
            close(waiting);
            if waiting.is_over() {
                order.lines.remove(line);
            }
        }
        if order.lines.is_empty() {
            work.open.remove(&key.order_id);
            work.abandoned.remove(&key.order_id);
        }
    }

    /// An order, if its facts are wanted and asked for.
    #[must_use]
    pub fn get(&self, key: &OrderKey) -> Option<&OpenOrder> {
        self.sellers.get(&key.seller)?.open.get(&key.order_id)
    }

    /// All orders whose facts are wanted and asked for.
    pub fn iter(&self) -> impl Iterator<Item = (OrderKey, &OpenOrder)> {
        self.sellers
            .iter()
            .flat_map(|(seller, work)| work.open.iter().map(|(order_id, order)| (key(seller, order_id), order)))
    }

    pub(crate) fn abandoned(&self) -> impl Iterator<Item = (OrderKey, &AbandonedOrder)> {
        self.sellers
            .iter()
            .flat_map(|(seller, work)| work.abandoned.iter().map(|(order_id, order)| (key(seller, order_id), order)))
    }

    /// How many orders of a seller are open, and how many abandoned.
    pub(crate) fn counts(&self, seller: &SellerId) -> (usize, usize) {
        self.sellers.get(seller).map_or((0, 0), |work| (work.open.len(), work.abandoned.len()))
    }

    pub(crate) fn sellers(&self) -> impl Iterator<Item = &SellerId> {
        self.sellers.keys()
    }
}

fn key(seller: &SellerId, order_id: &OrderId) -> OrderKey {
    OrderKey { seller: seller.clone(), order_id: order_id.clone() }
}

#[cfg(test)]
mod tests;
