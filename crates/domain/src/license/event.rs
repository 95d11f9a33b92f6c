//! What can happen to a license.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::deployment::{EcsFacts, EnrolmentHash};
use super::history::Terms;
use super::state::{License, Status};
use crate::codec::events;
use crate::ids::{EventId, Fingerprint, InstanceId, OrderId, OrderLineId, ProductId, Sku};
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

/// An operator stopped the license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Why, for those who ask later.
    pub reason: String,
}

/// An operator lets the license go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unblocked {}

/// A machine took a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineActivated {
    /// Which.
    pub fingerprint: Fingerprint,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When, UTC.
    pub at: DateTime<Utc>,
}

/// Who or what freed a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreedBy {
    /// The customer, with the machine's lease.
    Customer,
    /// An operator.
    Operator,
    /// Nobody heard of it for longer than any of its leases lasts; or it was freed before, and all of them are known to
    /// have ended.
    Lapse,
}

/// A machine gave its seat up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineFreed {
    /// Which.
    pub fingerprint: Fingerprint,
    /// Who or what freed it.
    pub by: FreedBy,
    /// Until when its seat stays taken, UTC: a lease may be out that can still be used offline.
    pub taken_until: DateTime<Utc>,
}

/// A deployment was seen for the first time, or anew: its system was installed again. Its former secret ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentEnrolled {
    /// The product it runs.
    pub product: Sku,
    /// What it said of itself.
    #[serde(flatten)]
    pub facts: EcsFacts,
    /// The hash of the secret it got.
    pub secret: EnrolmentHash,
    /// When, UTC.
    pub at: DateTime<Utc>,
    /// Enrolments follow each other as those of two systems with one ECS id do.
    #[serde(default)]
    pub alternates: bool,
}

/// What the marketplace says of a code (topic 0070649245).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// It exists and nobody has activated it.
    Inactive,
    /// `ALIVE`.
    Alive,
    /// `EXPIRED`.
    Expired,
    /// `RELEASED`.
    Released,
}

/// What the marketplace answered about a code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CodeAnswer {
    /// Its state.
    pub state: CodeState,
    /// Its end, UTC; authoritative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Its product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// The amount bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// The order that bought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderRef>,
}

impl CodeAnswer {
    /// The answer with a date where it calls a code expired and names none: the moment of asking, so that the grace of the
    /// product begins there. A license that has expired as far as is known keeps its date.
    pub(super) fn dated(self, license: Option<&License>, now: DateTime<Utc>) -> Self {
        let lacks_date = self.state == CodeState::Expired && self.expires_at.is_none();
        let needs_date = lacks_date && !license.is_some_and(|license| license.expired(now));
        if needs_date { Self { expires_at: Some(now), ..self } } else { self }
    }

    /// Whether it says nothing that an earlier answer did not. What it leaves out is no news.
    pub(super) fn adds_nothing_to(&self, known: &Self) -> bool {
        fn same<T: PartialEq>(new: Option<&T>, known: Option<&T>) -> bool {
            new.is_none() || new == known
        }
        self.state == known.state
            && same(self.expires_at.as_ref(), known.expires_at.as_ref())
            && same(self.product_id.as_ref(), known.product_id.as_ref())
            && same(self.quantity.as_ref(), known.quantity.as_ref())
            && same(self.order.as_ref(), known.order.as_ref())
    }
}

/// What tells one application for an online license from another (topic 0070649255).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Application {
    /// The marketplace's serial of it.
    pub event_id: EventId,
    /// The device it is for, as sent; at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// `getLicenseAsync`: the customer applied for a license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseRequested {
    /// Which application.
    #[serde(flatten)]
    pub application: Application,
    /// When the license begins, UTC.
    pub effective_at: DateTime<Utc>,
    /// When it ends, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The license applied for was made. There is never a second one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseIssued {
    /// For which application.
    #[serde(flatten)]
    pub application: Application,
    /// The license: a signed text.
    pub document: String,
}

/// The marketplace took the license that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseUploaded {
    /// For which application.
    #[serde(flatten)]
    pub application: Application,
}

/// Something to be done at the marketplace for this license.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Errand {
    /// Activate the code.
    Activate,
    /// Upload the license that was applied for.
    Upload(Application),
}

/// An errand did not succeed at first. It goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrandDelayed {
    /// Which.
    #[serde(flatten)]
    pub errand: Errand,
    /// What went wrong.
    pub reason: String,
}

/// An errand was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrandAbandoned {
    /// Which.
    #[serde(flatten)]
    pub errand: Errand,
    /// What went wrong the last time.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
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
        /// Stopped by an operator.
        Blocked(Blocked) = "license_blocked.v1",
        /// Let go on by an operator.
        Unblocked(Unblocked) = "license_unblocked.v1",
        /// A machine took a seat.
        MachineActivated(MachineActivated) = "machine_activated.v1",
        /// A machine gave its seat up.
        MachineFreed(MachineFreed) = "machine_freed.v1",
        /// A deployment first seen, or enrolled anew.
        DeploymentEnrolled(DeploymentEnrolled) = "deployment_enrolled.v1",
        /// The marketplace told of a code.
        CodeConfirmed(CodeAnswer) = "license_code_confirmed.v1",
        /// A license was applied for.
        LicenseRequested(LicenseRequested) = "license_requested.v1",
        /// It was made.
        LicenseIssued(LicenseIssued) = "license_issued.v1",
        /// The marketplace took it.
        LicenseUploaded(LicenseUploaded) = "license_uploaded.v1",
        /// An errand is late.
        ErrandDelayed(ErrandDelayed) = "license_errand_delayed.v1",
        /// An errand was given up.
        ErrandAbandoned(ErrandAbandoned) = "license_errand_abandoned.v1",
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
            Self::CodeConfirmed(CodeAnswer { order, .. }) => order.clone(),
            Self::InstanceAdopted(InstanceAdopted { purchase: Some(PurchaseIdentity::OrderLine(order)), .. }) => {
                Some(order.clone())
            }
            _ => None,
        }
    }
}
