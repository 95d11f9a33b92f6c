//! A license as checks need it: small, since a million of them live in memory.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::deployment::Deployment;
use super::event::{
    CodeAnswer, CodeState, DeploymentEnrolled, Event, InstanceAdopted, OrderFactsApplied, Refreshed, Unfrozen,
};
use super::history::Terms;
use super::machine::Machines;
use crate::catalog::{ProductKind, ProductTerms};
use crate::ids::Sku;

/// How long a license stays valid that was unfrozen after its known expiry: the marketplace knows more than we do,
/// and will tell.
pub const PROVISIONAL_TERM: TimeDelta = TimeDelta::hours(72);

/// Where a license stands with the marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Usable.
    Active,
    /// Frozen by the marketplace; data must be kept.
    Frozen,
    /// Over. Final.
    Released,
}

/// Whether what was bought was handed over, for kinds of license where that is a step of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// It was, or there is no such step.
    Done,
    /// An instance for which no license was delivered; of no matter but to online licenses.
    Undelivered,
    /// A code that the marketplace knows and nobody has activated.
    Inactive,
}

/// Where a license stands, as checks show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// Bought, and not yet handed over.
    Pending,
    /// Usable.
    Active,
    /// Frozen by the marketplace.
    Frozen,
    /// Over.
    Released,
}

/// A license, folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    /// Where it stands.
    pub status: Status,
    /// What was bought; `None` before the order's facts are known.
    pub sku: Option<Sku>,
    /// How much was bought.
    pub quantity: Option<u32>,
    /// When it ends, UTC.
    pub expires_at: Option<DateTime<Utc>>,
    /// The expiry was computed by the marketplace from order time and period, not stated by a refresh.
    pub expiry_approximate: bool,
    /// Facts of an order were applied, whether or not they name a product.
    pub facts_applied: bool,
    /// When a freeze was last lifted, UTC.
    pub unfrozen_at: Option<DateTime<Utc>>,
    /// Whether what was bought was handed over.
    pub activation: Activation,
    /// An operator stopped it.
    pub blocked: bool,
    /// Machines that have its seats. Shared, since whoever looks a license up takes it along.
    pub machines: Option<Arc<Machines>>,
    /// What is known of the ECS, where the license is a deployment.
    pub deployment: Option<Arc<Deployment>>,
    /// How many events this license has.
    pub revision: u32,
}

impl License {
    /// A license at its first event; `None` if that event begins none.
    #[must_use]
    pub fn begin(event: &Event) -> Option<Self> {
        let mut license = Self {
            status: Status::Active,
            sku: None,
            quantity: None,
            expires_at: None,
            expiry_approximate: false,
            facts_applied: false,
            unfrozen_at: None,
            activation: Activation::Done,
            blocked: false,
            machines: None,
            deployment: None,
            revision: 0,
        };
        match event {
            Event::InstanceCreated(_)
            | Event::InstanceAdopted(_)
            | Event::CodeSeen(_)
            | Event::CodeConfirmed(_)
            | Event::DeploymentEnrolled(_) => {
                license.evolve(event);
                Some(license)
            }
            _ => None,
        }
    }

    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        self.revision += 1;
        match event {
            Event::InstanceCreated(_) => self.activation = Activation::Undelivered,
            Event::CodeSeen(_)
            | Event::PurchaseAdopted(_)
            | Event::Upgraded(_)
            | Event::LicenseRequested(_)
            | Event::LicenseIssued(_)
            | Event::ErrandDelayed(_)
            | Event::ErrandAbandoned(_) => {}
            Event::InstanceAdopted(InstanceAdopted { terms, status, .. }) => {
                self.set_terms(terms);
                self.status = *status;
            }
            Event::Refreshed(Refreshed { expires_at, .. }) => {
                self.expires_at = Some(*expires_at);
                self.expiry_approximate = false;
            }
            Event::OrderFactsApplied(OrderFactsApplied { terms, .. }) => {
                self.set_terms(terms);
                self.facts_applied = true;
            }
            Event::Frozen(_) => self.status = Status::Frozen,
            Event::Unfrozen(Unfrozen { at }) => {
                self.status = Status::Active;
                self.unfrozen_at = Some(*at);
            }
            Event::Released(_) => self.status = Status::Released,
            Event::Blocked(_) => self.blocked = true,
            Event::Unblocked(_) => self.blocked = false,
            Event::MachineActivated(activated) => {
                Arc::make_mut(self.machines.get_or_insert_default()).activate(activated);
            }
            Event::MachineFreed(freed) => {
                Arc::make_mut(self.machines.get_or_insert_default()).free(freed);
            }
            Event::DeploymentEnrolled(enrolled) => self.enrol(enrolled),
            Event::CodeConfirmed(answer) => self.take_answer(answer),
            Event::LicenseUploaded(_) => self.activation = Activation::Done,
        }
    }

    fn enrol(&mut self, enrolled: &DeploymentEnrolled) {
        self.sku = Some(enrolled.product.clone());
        self.deployment = Some(Arc::new(Deployment::enrolled(self.deployment.as_deref(), enrolled)));
    }

    fn take_answer(&mut self, answer: &CodeAnswer) {
        let CodeAnswer { state, expires_at, quantity, .. } = answer;
        self.activation = if *state == CodeState::Inactive { Activation::Inactive } else { Activation::Done };
        if *state == CodeState::Released {
            self.status = Status::Released;
        }
        if expires_at.is_some() {
            self.expires_at = *expires_at;
            self.expiry_approximate = false;
        }
        self.quantity = quantity.or(self.quantity);
    }

    fn set_terms(&mut self, terms: &Terms) {
        self.sku.clone_from(&terms.sku);
        self.quantity = terms.quantity;
        self.expires_at = terms.expires_at;
        self.expiry_approximate = terms.expiry_approximate;
    }

    /// Whether it was bought and not yet handed over. `terms` are those of its product, where that is known.
    #[must_use]
    pub fn is_pending(&self, terms: Option<&ProductTerms>) -> bool {
        match self.activation {
            Activation::Done => false,
            Activation::Inactive => true,
            Activation::Undelivered => terms.is_some_and(|terms| terms.kind == ProductKind::OnlineLicense),
        }
    }

    /// Where it stands, as checks show it.
    #[must_use]
    pub fn shown(&self, terms: Option<&ProductTerms>) -> Shown {
        match self.status {
            Status::Active if self.is_pending(terms) => Shown::Pending,
            Status::Active => Shown::Active,
            Status::Frozen => Shown::Frozen,
            Status::Released => Shown::Released,
        }
    }

    /// A machine that may use it.
    #[must_use]
    pub fn has_machine(&self, fingerprint: &str) -> bool {
        let machine = self.machines.as_ref().and_then(|machines| machines.get(fingerprint));
        machine.is_some_and(super::machine::Machine::is_active)
    }

    /// Seats that are taken.
    #[must_use]
    pub fn seats_used(&self, now: DateTime<Utc>) -> u32 {
        self.machines.as_ref().map_or(0, |machines| machines.used(now))
    }

    /// Whether what was bought is known: from an order, or since adoption.
    #[must_use]
    pub fn facts_known(&self) -> bool {
        self.facts_applied || self.sku.is_some()
    }

    /// Whether the known expiry has passed.
    #[must_use]
    pub fn expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }

    /// The end of the provisional term: the freeze was lifted after the expiry known today.
    ///
    /// This is derived, not stored, so that a refresh and an unfreeze give the same license in either order.
    #[must_use]
    pub fn provisional_until(&self) -> Option<DateTime<Utc>> {
        let unfrozen_at = self.unfrozen_at?;
        (self.expires_at? <= unfrozen_at).then_some(unfrozen_at + PROVISIONAL_TERM)
    }
}
