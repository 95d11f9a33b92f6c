//! A license with its history: what deciding needs beyond what checks need.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::applications::{Applications, Progress};
use super::event::{
    Application, CodeAnswer, Errand, Event, InstanceAdopted, OrderFactsApplied, PurchaseAdopted, Refreshed, Scene,
    Upgraded,
};
use super::state::License;
use crate::cause::{Cause, REQUEST_MEMORY, RequestSignature};
use crate::ids::{InstanceId, ProductId, Sku};
use crate::order::{OrderFacts, OrderRef};

/// What a license was bought as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Product id under the specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// Amount bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// End, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The end is the marketplace's estimate.
    #[serde(default)]
    pub expiry_approximate: bool,
}

impl Terms {
    fn take_product(&mut self, facts: &OrderFacts) {
        self.sku = facts.sku.clone().or(self.sku.take());
        self.quantity = facts.quantity.or(self.quantity);
        self.product_id = facts.product_id.clone().or(self.product_id.take());
    }

    fn fill_product(&mut self, facts: &OrderFacts) {
        self.sku = self.sku.take().or_else(|| facts.sku.clone());
        self.quantity = self.quantity.or(facts.quantity);
        self.product_id = self.product_id.take().or_else(|| facts.product_id.clone());
    }

    fn take_answer(&mut self, answer: &CodeAnswer) {
        self.product_id = answer.product_id.clone().or(self.product_id.take());
        self.quantity = answer.quantity.or(self.quantity);
        if answer.expires_at.is_some() {
            self.expires_at = answer.expires_at;
            self.expiry_approximate = false;
        }
    }

    fn take_expiry(&mut self, facts: &OrderFacts) {
        if let Some(expires_at) = facts.expires_at {
            self.expires_at = Some(expires_at);
            self.expiry_approximate = true;
        }
    }
}

/// A callback that named an order, in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mention {
    Purchase(OrderRef),
    AdoptedPurchase(OrderRef),
    Refresh(Refreshed),
    Upgrade(Upgraded),
    /// The marketplace's answer about a code, which may name the order that bought it.
    Confirmed(CodeAnswer),
}

impl Mention {
    fn order(&self) -> Option<&OrderRef> {
        match self {
            Self::Purchase(order) | Self::AdoptedPurchase(order) => Some(order),
            Self::Refresh(refreshed) => Some(&refreshed.order),
            Self::Upgrade(upgraded) => Some(&upgraded.order),
            Self::Confirmed(answer) => answer.order.as_ref(),
        }
    }

    fn names(&self, order: &OrderRef) -> bool {
        self.order() == Some(order)
    }

    /// What this callback makes of the terms, with the facts of its order as far as they are known.
    fn apply(&self, terms: &mut Terms, facts: Option<&OrderFacts>) {
        match (self, facts) {
            (Self::Purchase(_), Some(facts)) => {
                terms.take_product(facts);
                terms.take_expiry(facts);
            }
            // What the seller knew at adoption is newer than the order.
            (Self::AdoptedPurchase(_), Some(facts)) => {
                terms.fill_product(facts);
                if terms.expires_at.is_none() {
                    terms.take_expiry(facts);
                }
            }
            // An upgrade leaves the expiry as it is.
            (Self::Upgrade(_), Some(facts)) => terms.take_product(facts),
            (Self::Refresh(refreshed), facts) => {
                match (refreshed.scene, facts) {
                    (Scene::TrialToFormal | Scene::RenewalChange, Some(facts)) => terms.take_product(facts),
                    (Scene::Renewal, Some(facts)) => terms.fill_product(facts),
                    (Scene::UnsubscribeRenewalPeriod, _) | (_, None) => {}
                }
                terms.product_id = refreshed.product_id.clone().or(terms.product_id.take());
                terms.expires_at = Some(refreshed.expires_at);
                terms.expiry_approximate = false;
            }
            // The marketplace's word about the code is newer than the order that bought it.
            (Self::Confirmed(answer), facts) => {
                if let Some(facts) = facts {
                    terms.fill_product(facts);
                }
                terms.take_answer(answer);
            }
            (Self::Purchase(_) | Self::AdoptedPurchase(_) | Self::Upgrade(_), None) => {}
        }
    }
}

/// What an order did to a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRole {
    /// It bought the license.
    Purchase,
    /// It moved the expiry, for this reason.
    Refresh(Scene),
    /// It brought another specification or quantity.
    Upgrade,
}

/// An order that a callback named for a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedOrder<'a> {
    /// The order and its line.
    pub order: &'a OrderRef,
    /// What it did.
    pub role: OrderRole,
    /// What is known of it; `None` while its facts have not been applied.
    pub facts: Option<&'a OrderFacts>,
}

/// A license with all that deciding about it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The license as it is.
    pub license: License,
    adopted: Option<InstanceAdopted>,
    mentions: Vec<(Mention, Covered)>,
    facts: BTreeMap<OrderRef, OrderFacts>,
    requests: Vec<(RequestSignature, DateTime<Utc>)>,
    applications: Applications,
    /// Errands that are on record as late, or as given up.
    late: BTreeSet<Errand>,
    /// Activations within [`ACTIVATION_WINDOW`] of the last.
    activations: Vec<DateTime<Utc>>,
}

/// The time within which activations of one license are counted.
pub(super) const ACTIVATION_WINDOW: TimeDelta = TimeDelta::hours(24);

/// Whether an [`Event::OrderFactsApplied`] has followed a mention.
type Covered = bool;

impl History {
    /// A license at its first event, of which nothing is noted yet; `None` if that event begins none.
    pub(super) fn of(first: &Event) -> Option<Self> {
        Some(Self {
            license: License::begin(first)?,
            adopted: None,
            mentions: vec![],
            facts: BTreeMap::new(),
            requests: vec![],
            applications: Applications::default(),
            late: BTreeSet::new(),
            activations: vec![],
        })
    }

    fn begin(event: &Event, cause: &Cause, recorded_at: DateTime<Utc>) -> Option<Self> {
        let mut history = Self::of(event)?;
        history.note(event, cause, recorded_at);
        Some(history)
    }

    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event, cause: &Cause, recorded_at: DateTime<Utc>) {
        self.license.evolve(event);
        self.note(event, cause, recorded_at);
    }

    fn note(&mut self, event: &Event, cause: &Cause, recorded_at: DateTime<Utc>) {
        self.requests.retain(|(_, at)| *at + REQUEST_MEMORY > recorded_at);
        self.requests.extend(cause.signature().map(|signature| (signature, recorded_at)));
        self.applications.take(event);
        match event {
            Event::InstanceAdopted(adopted) => self.adopted = Some(adopted.clone()),
            Event::MachineActivated(activated) => {
                self.activations.retain(|at| *at + ACTIVATION_WINDOW > activated.at);
                self.activations.push(activated.at);
            }
            Event::ErrandDelayed(delayed) => drop(self.late.insert(delayed.errand.clone())),
            Event::ErrandAbandoned(abandoned) => drop(self.late.insert(abandoned.errand.clone())),
            _ => {}
        }
        if let Event::OrderFactsApplied(OrderFactsApplied { order_id, facts, .. }) = event {
            let order = OrderRef { order_id: order_id.clone(), order_line_id: facts.order_line_id.clone() };
            for (mention, covered) in &mut self.mentions {
                *covered |= mention.names(&order);
            }
            self.facts.insert(order, facts.clone());
        }
        let mention = match (event, event.names_order()) {
            (Event::InstanceAdopted(_), Some(order)) => Mention::AdoptedPurchase(order),
            (Event::Refreshed(refreshed), _) => Mention::Refresh(refreshed.clone()),
            (Event::Upgraded(upgraded), _) => Mention::Upgrade(upgraded.clone()),
            (Event::CodeConfirmed(answer), _) => Mention::Confirmed(answer.clone()),
            (_, Some(order)) => Mention::Purchase(order),
            (_, None) => return,
        };
        self.mentions.push((mention, false));
    }

    /// Whether the license was taken over exactly so.
    pub(super) fn was_adopted_as(&self, adopted: &InstanceAdopted) -> bool {
        self.adopted.as_ref() == Some(adopted)
    }

    /// Whether this refresh was applied already: same scene, order, line, expiry and product.
    pub(super) fn has_refreshed(&self, refreshed: &Refreshed) -> bool {
        self.mentions.iter().any(|(mention, _)| matches!(mention, Mention::Refresh(known) if known == refreshed))
    }

    /// Whether this upgrade was applied already.
    pub(super) fn has_upgraded(&self, upgraded: &Upgraded) -> bool {
        self.mentions.iter().any(|(mention, _)| matches!(mention, Mention::Upgrade(known) if known == upgraded))
    }

    /// Whether this very request caused an event here, or was remembered by one, within its window.
    #[must_use]
    pub fn has_answered(&self, signature: RequestSignature, now: DateTime<Utc>) -> bool {
        self.requests.iter().any(|(known, at)| *known == signature && *at + REQUEST_MEMORY > now)
    }

    /// Whether these facts are applied to every callback that named the order.
    pub(super) fn has_applied(&self, order: &OrderRef, facts: &OrderFacts) -> bool {
        self.facts.get(order) == Some(facts)
            && self.mentions.iter().all(|(mention, covered)| *covered || !mention.names(order))
    }

    /// Whether a callback named this order.
    #[must_use]
    pub fn mentions(&self, order: &OrderRef) -> bool {
        self.mentions.iter().any(|(mention, _)| mention.names(order))
    }

    /// The orders that callbacks named, in the order of arrival.
    pub fn orders(&self) -> impl Iterator<Item = NamedOrder<'_>> {
        let named = self.mentions.iter().enumerate();
        named.filter_map(|(place, (mention, _))| {
            let order = mention.order()?;
            let role = match mention {
                // Every answer about a code names the order that bought it.
                Mention::Confirmed(_) if self.is_named_before(place, order) => return None,
                Mention::Purchase(_) | Mention::AdoptedPurchase(_) | Mention::Confirmed(_) => OrderRole::Purchase,
                Mention::Refresh(refreshed) => OrderRole::Refresh(refreshed.scene),
                Mention::Upgrade(_) => OrderRole::Upgrade,
            };
            Some(NamedOrder { order, role, facts: self.facts.get(order) })
        })
    }

    fn is_named_before(&self, place: usize, order: &OrderRef) -> bool {
        self.mentions.iter().take(place).any(|(mention, _)| mention.names(order))
    }

    /// Whether the marketplace's answer about the code says nothing new.
    pub(super) fn has_confirmed(&self, answer: &CodeAnswer) -> bool {
        let confirmed = self.mentions.iter().rev().find_map(|(mention, _)| match mention {
            Mention::Confirmed(known) => Some(known),
            _ => None,
        });
        confirmed.is_some_and(|known| answer.adds_nothing_to(known))
    }

    /// How far an application for an online license has come.
    #[must_use]
    pub fn application(&self, application: &Application) -> Option<Progress<'_>> {
        self.applications.get(application)
    }

    /// Whether an errand is on record as late.
    pub(super) fn is_late(&self, errand: &Errand) -> bool {
        self.late.contains(errand)
    }

    /// Activations within the last 24 hours.
    pub(super) fn activations_before(&self, now: DateTime<Utc>) -> usize {
        self.activations.iter().filter(|at| **at + ACTIVATION_WINDOW > now).count()
    }

    /// The terms with one more order's facts: every callback in the order of its arrival, each with what is known of
    /// its order, so that facts may come in any order and newer truth wins.
    pub(super) fn terms_with(&self, order: &OrderRef, facts: &OrderFacts) -> Terms {
        let mut terms = self.adopted.as_ref().map(|adopted| adopted.terms.clone()).unwrap_or_default();
        for (mention, _) in &self.mentions {
            let known = if mention.names(order) {
                Some(facts)
            } else {
                mention.order().and_then(|order| self.facts.get(order))
            };
            mention.apply(&mut terms, known);
        }
        terms
    }
}

/// What stands on the stream of a license.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing yet.
    #[default]
    Absent,
    /// The purchase that derives this id belongs to an adopted instance.
    Adopted(InstanceId),
    /// A license.
    Known(Box<History>),
}

impl Standing {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event, cause: &Cause, recorded_at: DateTime<Utc>) {
        match self {
            Self::Known(history) => history.evolve(event, cause, recorded_at),
            Self::Absent | Self::Adopted(_) => {
                if let Event::PurchaseAdopted(PurchaseAdopted { instance_id }) = event {
                    *self = Self::Adopted(instance_id.clone());
                } else if let Some(history) = History::begin(event, cause, recorded_at) {
                    *self = Self::Known(Box::new(history));
                }
            }
        }
    }

    /// Takes up what an event's metadata remember beside its cause: requests that were answered before it.
    pub fn remember(&mut self, answered: &[RequestSignature], recorded_at: DateTime<Utc>) {
        if let Self::Known(history) = self {
            history.requests.extend(answered.iter().map(|signature| (*signature, recorded_at)));
        }
    }

    /// The license, if there is one.
    #[must_use]
    pub fn license(&self) -> Option<&License> {
        match self {
            Self::Known(history) => Some(&history.license),
            Self::Absent | Self::Adopted(_) => None,
        }
    }
}
