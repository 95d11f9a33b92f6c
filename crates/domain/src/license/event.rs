//! What can happen to a license.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::history::Terms;
use super::state::Status;
use crate::codec::events;
use crate::ids::{InstanceId, OrderId, OrderLineId, ProductId};
use crate::order::{OrderFacts, OrderRef};
use crate::purchase::PurchaseIdentity;

/// Why a license was refreshed (更新实例, zh-cn_topic_0070649429; topic 0070649167 for codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scene {
    /// A trial became a purchase.
    TrialToFormal,
    /// Renewed.
    Renewal,
    /// Renewed with another specification or quantity.
    RenewalChange,
    /// A renewal was cancelled: expiry moves back.
    UnsubscribeRenewalPeriod,
}

/// An instance was bought. Its facts follow from the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceCreated {
    /// What was bought.
    pub order: OrderRef,
}

/// An instance that existed before Chopmark was taken over under the id it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceAdopted {
    /// The purchase, where it is known; its redelivery answers this instance's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<PurchaseIdentity>,
    /// What was known of it then.
    pub terms: Terms,
    /// Its status then.
    pub status: Status,
}

/// On the stream of the id that a purchase would have got: the purchase belongs to an adopted instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseAdopted {
    /// The instance that a redelivery of the purchase answers.
    pub instance_id: InstanceId,
}

/// A license code was named by the marketplace for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSeen {}

/// The marketplace gave a new expiry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Refreshed {
    /// Why.
    pub scene: Scene,
    /// The order named: of the renewal, conversion or cancellation.
    pub order: OrderRef,
    /// The new expiry, UTC; may be earlier than the old one.
    pub expires_at: DateTime<Utc>,
    /// The new product id, where the period type changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
}

/// The customer bought another specification or quantity. What, follows from the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Upgraded {
    /// The order of the upgrade.
    pub order: OrderRef,
}

/// The facts of an order that a callback named are known, and these are the terms that follow from all that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFactsApplied {
    /// The order.
    pub order_id: OrderId,
    /// The facts of the line.
    pub facts: OrderFacts,
    /// The license's terms from now on.
    pub terms: Terms,
}

/// The marketplace froze the license: expired, in arrears, or a violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {}

/// The marketplace lifted the freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfrozen {
    /// When, UTC: our clock at the callback. Where the expiry known then has passed, a provisional term begins here.
    pub at: DateTime<Utc>,
}

/// The marketplace released the license. Final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The order named, where an unsubscription was the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// Its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_line_id: Option<OrderLineId>,
}

events! {
    /// Events of a license's stream.
    pub enum Event {
        /// Bought.
        InstanceCreated(InstanceCreated) = "instance_created.v1",
        /// Taken over.
        InstanceAdopted(InstanceAdopted) = "instance_adopted.v1",
        /// The purchase belongs to an adopted instance.
        PurchaseAdopted(PurchaseAdopted) = "purchase_adopted.v1",
        /// First seen.
        CodeSeen(CodeSeen) = "license_code_seen.v1",
        /// New expiry.
        Refreshed(Refreshed) = "license_refreshed.v1",
        /// New specification or quantity bought.
        Upgraded(Upgraded) = "license_upgraded.v1",
        /// Facts of an order known.
        OrderFactsApplied(OrderFactsApplied) = "license_order_facts_applied.v1",
        /// Frozen.
        Frozen(Frozen) = "license_frozen.v1",
        /// Unfrozen.
        Unfrozen(Unfrozen) = "license_unfrozen.v1",
        /// Released.
        Released(Released) = "license_released.v1",
    }
}

impl Event {
    /// The order whose facts this event waits for.
    #[must_use]
    pub fn names_order(&self) -> Option<OrderRef> {
        match self {
            Self::InstanceCreated(InstanceCreated { order })
            | Self::Upgraded(Upgraded { order })
            | Self::Refreshed(Refreshed { order, .. }) => Some(order.clone()),
            Self::InstanceAdopted(InstanceAdopted { purchase: Some(PurchaseIdentity::OrderLine(order)), .. }) => {
                Some(order.clone())
            }
            _ => None,
        }
    }
}
