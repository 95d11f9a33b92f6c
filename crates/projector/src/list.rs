//! Listing licenses, page by page.

use std::ops::Deref;

use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::license::Status;
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::entry::Entry;
use crate::licenses::Slot;
use crate::look_up::Found;
use crate::sellers::SellerIndex;
use crate::skus::SkuIndex;
use crate::state::State;

/// Licenses looked at before the index may go on: a search for something rare looks at all of them.
const SLICE: u32 = 4096;

/// Which licenses to list. The default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these sellers: those that the asker may see. `None` for all.
    pub sellers: Option<Vec<SellerId>>,
    /// Only of this seller.
    pub seller: Option<SellerId>,
    /// Only with one of these statuses. `None` for all.
    pub statuses: Option<Vec<Status>>,
    /// Only of this product.
    pub product: Option<Sku>,
    /// Only with ids that begin so.
    pub id_prefix: Option<String>,
}

/// Where the next page of a listing begins. Stays right while licenses are added, and over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Slot);

/// A text that is no cursor of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of a listing; begin again without one")]
pub struct CursorError;

impl Cursor {
    /// Reads what `Display` wrote.
    ///
    /// # Errors
    /// The text is not of that form.
    pub fn parse(text: &str) -> Result<Self, CursorError> {
        let digits = text.strip_prefix('l').ok_or(CursorError)?;
        let slot = u32::from_str_radix(digits, 16).map_err(|_| CursorError)?;
        let cursor = Self(Slot(slot));
        if cursor.to_string() == text { Ok(cursor) } else { Err(CursorError) }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "l{:x}", self.0.0)
    }
}

/// A page of licenses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The listing holds everything that the log said up to here.
    pub position: Position,
    /// The licenses, in the order of their first events.
    pub licenses: Vec<Found>,
    /// Where to go on; `None` if there is nothing more.
    pub next: Option<Cursor>,
}

/// A filter in the index's numbers.
struct Wanted<'a> {
    sellers: Option<Vec<SellerIndex>>,
    statuses: Option<&'a [Status]>,
    sku: Option<SkuIndex>,
    id_prefix: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// `None` if nothing can match: a seller or product that the log does not know.
    fn new(filter: &'a Filter, state: &State) -> Option<Self> {
        let all = |sellers: &[SellerId]| sellers.iter().filter_map(|seller| state.seller(seller)).collect::<Vec<_>>();
        let mut sellers = filter.sellers.as_deref().map(all);
        if let Some(seller) = &filter.seller {
            let seller = state.seller(seller)?;
            let is_covered = sellers.is_none_or(|sellers| sellers.contains(&seller));
            sellers = Some(is_covered.then_some(seller).into_iter().collect());
        }
        let sku = match &filter.product {
            Some(product) => Some(state.skus.find(product)?),
            None => None,
        };
        let (statuses, id_prefix) = (filter.statuses.as_deref(), filter.id_prefix.as_deref());
        Some(Self { sellers, statuses, sku, id_prefix })
    }

    fn takes(&self, entry: &Entry) -> bool {
        self.sellers.as_ref().is_none_or(|sellers| sellers.contains(&entry.seller))
            && self.statuses.is_none_or(|statuses| statuses.contains(&entry.license.status))
            && (self.sku.is_none() || entry.license.sku == self.sku)
            && self
                .id_prefix
                .is_none_or(|prefix| entry.id.as_ref().text(&mut Uuid::encode_buffer()).starts_with(prefix))
    }
}

pub(crate) fn list<S: Deref<Target = State>>(
    read: &dyn Fn() -> S,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: usize,
    now: DateTime<Utc>,
) -> Listing {
    let mut listing = Listing { position: read().position, licenses: vec![], next: None };
    let mut from = after.map_or(Slot(0), |cursor| cursor.0);
    loop {
        let state = read();
        let Some(wanted) = Wanted::new(filter, &state) else {
            return listing;
        };
        let mut looked_at = 0;
        for (slot, entry) in state.licenses.iter_from(from).take(SLICE as usize) {
            looked_at += 1;
            if !wanted.takes(entry) {
                continue;
            }
            if listing.licenses.len() == limit {
                listing.next = Some(Cursor(slot));
                return listing;
            }
            let id = entry.id.as_ref();
            listing.licenses.extend(Found::new(&state, entry, id.text(&mut Uuid::encode_buffer()), now));
        }
        if looked_at < SLICE {
            return listing;
        }
        from = Slot(from.0 + looked_at);
    }
}
