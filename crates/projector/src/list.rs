//! Listing licenses, page by page.

use std::ops::Deref;

use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::license::{Shown, Status};
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::entry::Entry;
use crate::look_up::Found;
use crate::scan::{Cursor, scan};
use crate::sellers::SellerIndex;
use crate::skus::SkuIndex;
use crate::state::State;

/// Which licenses to list. The default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of these sellers: those that the asker may see. `None` for all.
    pub sellers: Option<Vec<SellerId>>,
    /// Only of this seller.
    pub seller: Option<SellerId>,
    /// Only with one of these statuses, as checks show them. `None` for all.
    pub statuses: Option<Vec<Shown>>,
    /// Only of this product.
    pub product: Option<Sku>,
    /// Only with ids that begin so.
    pub id_prefix: Option<String>,
    /// Only those that an operator stopped, or only those that none did. `None` for all.
    pub blocked: Option<bool>,
    /// Only deployments whose ECS id two systems were seen to use in turn a short while ago.
    pub clone_suspected: bool,
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
    statuses: Option<&'a [Shown]>,
    sku: Option<SkuIndex>,
    id_prefix: Option<&'a str>,
    blocked: Option<bool>,
    clone_suspected: bool,
    now: DateTime<Utc>,
}

impl<'a> Wanted<'a> {
    /// `None` if nothing can match: a seller or product that the log does not know.
    fn new(filter: &'a Filter, state: &State, now: DateTime<Utc>) -> Option<Self> {
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
        Some(Self {
            sellers,
            statuses: filter.statuses.as_deref(),
            sku,
            id_prefix: filter.id_prefix.as_deref(),
            blocked: filter.blocked,
            clone_suspected: filter.clone_suspected,
            now,
        })
    }

    /// What is quick to tell comes first.
    fn takes(&self, state: &State, entry: &Entry) -> bool {
        let license = &entry.license;
        self.sellers.as_ref().is_none_or(|sellers| sellers.contains(&entry.seller))
            && (self.sku.is_none() || license.sku == self.sku)
            && self.blocked.is_none_or(|blocked| license.blocked == blocked)
            && (!self.clone_suspected
                || license.deployment().is_some_and(|deployment| deployment.is_clone_suspected(self.now)))
            && self
                .id_prefix
                .is_none_or(|prefix| entry.id.as_ref().text(&mut Uuid::encode_buffer()).starts_with(prefix))
            && self.statuses.is_none_or(|statuses| self.has_one_of(statuses, state, entry))
    }

    /// Only what can make a difference is unpacked and judged.
    fn has_one_of(&self, statuses: &[Shown], state: &State, entry: &Entry) -> bool {
        let possible: &[Shown] = match entry.license.status {
            Status::Active => &[Shown::Active, Shown::Pending],
            Status::Frozen => &[Shown::Frozen],
            Status::Released => &[Shown::Released],
        };
        let wanted = possible.iter().filter(|shown| statuses.contains(shown)).count();
        match wanted {
            0 => false,
            all if all == possible.len() => true,
            _ => statuses.contains(&self.shown(state, entry)),
        }
    }

    fn shown(&self, state: &State, entry: &Entry) -> Shown {
        let license = entry.license.unpack(&state.skus);
        let catalog = state.sellers.get(entry.seller).map(|seller| &seller.catalog);
        let dated = license.sku.as_ref().zip(catalog).and_then(|(sku, catalog)| catalog.terms_at(sku, self.now));
        license.shown(dated.map(|dated| &dated.terms))
    }
}

pub(crate) fn list<S: Deref<Target = State>>(
    read: &dyn Fn() -> S,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: usize,
    now: DateTime<Utc>,
) -> Listing {
    let (position, wanted) = {
        let state = read();
        (state.position, Wanted::new(filter, &state, now))
    };
    let Some(wanted) = wanted else {
        return Listing { position, licenses: vec![], next: None };
    };
    let (licenses, next) = scan(read, after, limit, |state, entry| {
        let id = entry.id.as_ref();
        wanted.takes(state, entry).then(|| Found::new(state, entry, id.text(&mut Uuid::encode_buffer()), now))?
    });
    Listing { position, licenses, next }
}
