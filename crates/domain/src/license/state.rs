//! A license as checks need it: small, since a million of them live in memory.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::event::{Event, InstanceAdopted, OrderFactsApplied, Refreshed, Unfrozen};
use super::history::Terms;
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
            revision: 0,
        };
        match event {
            Event::InstanceCreated(_) | Event::InstanceAdopted(_) | Event::CodeSeen(_) => {
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
            Event::InstanceCreated(_) | Event::CodeSeen(_) | Event::PurchaseAdopted(_) | Event::Upgraded(_) => {}
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
        }
    }

    fn set_terms(&mut self, terms: &Terms) {
        self.sku.clone_from(&terms.sku);
        self.quantity = terms.quantity;
        self.expires_at = terms.expires_at;
        self.expiry_approximate = terms.expiry_approximate;
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
