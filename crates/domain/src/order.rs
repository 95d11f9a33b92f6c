//! Orders: what is known of one beyond its name. A callback names an order; its facts come from the open API.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::codec::events;
use crate::ids::{OrderId, OrderLineId, ProductId, Sku};
use crate::settlement::statement::{StatedFacts, Statement, Subject};

/// An order line, as callbacks name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderRef {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub order_line_id: OrderLineId,
}

/// Kind of order (查询订单, topic 0070649350).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderType {
    /// Purchase.
    New,
    /// Trial.
    Trial,
    /// Trial turned commercial.
    TrialToFormal,
    /// Unsubscription.
    Unsubscribe,
    /// Renewal.
    Renew,
    /// Upgrade or scale-out.
    Change,
    /// A kind that this version does not know.
    Other,
}

/// How an order line is charged (查询订单, topic 0070649350).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChargingMode {
    /// Pay-per-use.
    OnDemand,
    /// Once.
    OneTime,
    /// Yearly or monthly.
    Period,
    /// Pay-per-use package.
    OnDemandPkg,
    /// A mode that this version does not know.
    Other,
}

/// What the marketplace's `order/query` says of one order line, as far as licenses need it.
/// The whole answer, without the buyer's fields, is kept in the metadata of [`Event::FactsRecorded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFacts {
    /// Which line.
    pub order_line_id: OrderLineId,
    /// Kind of order.
    pub order_type: OrderType,
    /// How it is charged.
    pub charging_mode: ChargingMode,
    /// Specification bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Product id under that specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// Amount of the quantity attribute (`linearValue`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// Expiry, UTC. Computed by the marketplace from order time and period: approximate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When the customer ordered, UTC; not when it took effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_at: Option<DateTime<Utc>>,
    /// The order amount (`currency`), in the site's currency: never negative, absent for refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The deal amount before vouchers (`currencyAfterDiscount`), in the site's currency: negative for refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal_amount: Option<Decimal>,
}

/// `orderNotify` named a line of this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified {
    /// Which line.
    pub order_line_id: OrderLineId,
}

/// The open API answered; the answer itself is the event's cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsRecorded {
    /// Every line of the answer.
    pub lines: Vec<OrderFacts>,
}

/// The first attempt to ask failed; asking goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsDelayed {
    /// What went wrong.
    pub reason: String,
}

/// An operator, or a file of the console, stated facts of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// What was stated.
    pub statement: Statement,
}

/// Asking was given up for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsAbandoned {
    /// What went wrong the last time.
    pub reason: String,
    /// How often was asked.
    pub attempts: u32,
}

events! {
    /// Events of an order's stream.
    #[expect(clippy::large_enum_variant, reason = "an event is read, taken up and dropped; few are held at a time")]
    pub enum Event {
        /// `orderNotify` named a line.
        Notified(Notified) = "order_notified.v1",
        /// The open API answered.
        FactsRecorded(FactsRecorded) = "order_facts_recorded.v1",
        /// The first attempt failed.
        FactsDelayed(FactsDelayed) = "order_facts_delayed.v1",
        /// Given up.
        FactsAbandoned(FactsAbandoned) = "order_facts_abandoned.v1",
        /// Facts that the open API does not give.
        Stated(Stated) = "order_stated.v1",
    }
}

/// What an order's stream may be asked to take up.
#[expect(clippy::large_enum_variant, reason = "a command is made, decided and dropped")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `orderNotify` arrived.
    Notify(OrderLineId),
    /// The open API answered with these lines.
    RecordFacts(Vec<OrderFacts>),
    /// An attempt failed.
    Delay(String),
    /// No more attempts.
    Abandon {
        /// The last reason.
        reason: String,
        /// How often was asked.
        attempts: u32,
    },
    /// An operator stated facts of a line.
    State(Statement),
}

/// An order, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// Lines that `orderNotify` named.
    pub notified: Vec<OrderLineId>,
    /// Facts by line.
    pub facts: BTreeMap<OrderLineId, OrderFacts>,
    /// The first failed attempt is on record.
    pub delayed: bool,
    /// Asking was given up.
    pub abandoned: bool,
    /// What operators stated, by line.
    pub stated: BTreeMap<Subject, StatedFacts>,
}

impl Order {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::Notified(Notified { order_line_id }) => self.notified.push(order_line_id.clone()),
            Event::FactsRecorded(FactsRecorded { lines }) => {
                self.facts.extend(lines.iter().map(|line| (line.order_line_id.clone(), line.clone())));
                self.abandoned = false;
            }
            Event::FactsDelayed(_) => self.delayed = true,
            Event::FactsAbandoned(_) => self.abandoned = true,
            Event::Stated(Stated { statement: Statement { subject, facts } }) => {
                self.stated.entry(subject.clone()).or_default().take_up(facts);
            }
        }
    }

    /// What a command adds to this order. Everything already known adds nothing.
    #[must_use]
    pub fn decide(&self, command: Command) -> Vec<Event> {
        match command {
            Command::Notify(line) if self.notified.contains(&line) || self.facts.contains_key(&line) => vec![],
            Command::Notify(order_line_id) => vec![Notified { order_line_id }.into()],
            Command::RecordFacts(lines) if lines.iter().all(|line| self.knows(line)) => vec![],
            Command::RecordFacts(lines) => vec![FactsRecorded { lines }.into()],
            Command::Delay(_) if self.delayed => vec![],
            Command::Delay(reason) => vec![FactsDelayed { reason }.into()],
            Command::Abandon { .. } if self.abandoned => vec![],
            Command::Abandon { reason, attempts } => vec![FactsAbandoned { reason, attempts }.into()],
            Command::State(Statement { subject, facts })
                if self.stated.get(&subject).is_some_and(|known| known.covers(&facts)) =>
            {
                vec![]
            }
            Command::State(statement) => vec![Stated { statement }.into()],
        }
    }

    fn knows(&self, line: &OrderFacts) -> bool {
        self.facts.get(&line.order_line_id) == Some(line)
    }
}
