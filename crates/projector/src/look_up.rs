//! Finding one license.

use std::sync::Arc;

use chopmark_domain::catalog::DatedTerms;
use chopmark_domain::ids::{EcsId, SellerId, Sku};
use chopmark_domain::license::License;
use chopmark_domain::stream::LicenseKey;
use chopmark_log::Position;
use chrono::{DateTime, Utc};

use crate::compact_id::{Family, IdRef};
use crate::entry::Entry;
use crate::state::State;

/// A license with what it is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which license.
    pub key: LicenseKey,
    /// The license.
    pub license: License,
    /// The terms of its product that are in force; `None` while the product is not known, or not in the catalog.
    pub terms: Option<Arc<DatedTerms>>,
}

impl Found {
    pub(crate) fn new(state: &State, entry: &Entry, id: &str, now: DateTime<Utc>) -> Option<Self> {
        let seller = state.sellers.get(entry.seller)?;
        let license = entry.license.unpack(&state.skus);
        let terms = license.sku.as_ref().and_then(|sku| seller.terms_at(sku, now));
        Some(Self { key: entry.family.key(&seller.id, id)?, license, terms })
    }
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// The position of the log that all of this is true at.
    pub position: Position,
    /// The license.
    pub found: Option<Found>,
    /// Several licenses have this id, and the question does not tell which one is meant.
    pub ambiguous: bool,
}

/// Among which licenses an id is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// Instances and codes: what software may name. An ECS's id is no secret, and asks with what proves it.
    InstancesAndCodes,
    /// Deployments too.
    All,
}

impl Among {
    fn takes(self, entry: &Entry) -> bool {
        self == Self::All || entry.family != Family::Deployment
    }
}

enum Choice<'a> {
    None,
    One(&'a Entry),
    Several,
}

pub(crate) fn look_up(
    state: &State,
    among: Among,
    seller: Option<&SellerId>,
    id: &str,
    product: Option<&Sku>,
    now: DateTime<Utc>,
) -> LookUp {
    let choice = choose(state, among, seller, IdRef::of(id), product);
    LookUp {
        position: state.position,
        ambiguous: matches!(choice, Choice::Several),
        found: match choice {
            Choice::One(entry) => Found::new(state, entry, id, now),
            Choice::None | Choice::Several => None,
        },
    }
}

pub(crate) fn deployment(state: &State, seller: &SellerId, ecs: &EcsId, now: DateTime<Utc>) -> LookUp {
    let id = IdRef::of(ecs.as_str());
    let slot = state.seller(seller).and_then(|seller| state.licenses.find(seller, Family::Deployment, id));
    let entry = slot.and_then(|slot| state.licenses.get(slot));
    LookUp {
        position: state.position,
        ambiguous: false,
        found: entry.and_then(|entry| Found::new(state, entry, ecs.as_str(), now)),
    }
}

fn choose<'a>(
    state: &'a State,
    among: Among,
    seller: Option<&SellerId>,
    id: IdRef<'a>,
    product: Option<&Sku>,
) -> Choice<'a> {
    let owner = match seller {
        Some(seller) => match state.seller(seller) {
            Some(number) => Some(number),
            None => return Choice::None,
        },
        // Sellers are walls: software of one seller finds no license of another, whatever its id.
        None => product.and_then(|product| state.skus.owner(product)),
    };
    let entries = state.licenses.with_id(id).map(|(_, entry)| entry).filter(move |entry| among.takes(entry));
    let mut of_owner = entries.filter(|entry| owner.is_none_or(|owner| entry.seller == owner));
    match (of_owner.next(), of_owner.clone().next()) {
        (None, _) => Choice::None,
        (Some(entry), None) => Choice::One(entry),
        // An instance, a code and a deployment of one seller may have the same id, too.
        (Some(first), Some(_)) => {
            let sku = product.and_then(|product| state.skus.find(product));
            let is_asked_for = |entry: &&Entry| sku.is_some() && entry.license.sku == sku;
            let mut asked_for = std::iter::once(first).chain(of_owner).filter(is_asked_for);
            match (asked_for.next(), asked_for.next()) {
                (Some(entry), None) => Choice::One(entry),
                _ => Choice::Several,
            }
        }
    }
}
