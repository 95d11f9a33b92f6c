//! How many requests each seller may have under way.

use std::collections::HashMap;
use std::sync::Arc;

use chopmark_domain::ids::SellerId;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::marketplace::{Marketplace, Marketplaces};

/// Requests that one seller may have under way, of each kind: so many for jobs never tried, as many for those that failed
/// before. However many fail, those that are new have places of their own, which
/// [`first_answer`](crate::Patience::first_answer) frees soon where the marketplace hangs; and no seller waits for another.
const REQUESTS_OF_EACH: usize = 16;

/// The places of all sellers.
pub(super) struct Places(HashMap<SellerId, Counter>);

struct Counter {
    marketplace: Arc<dyn Marketplace>,
    first: Semaphore,
    again: Semaphore,
}

/// A place at a seller's marketplace, for one request.
pub(super) struct Place<'a> {
    pub(super) marketplace: &'a dyn Marketplace,
    is_first: bool,
    // Nobody closes the semaphores; without a permit there would merely be no limit.
    _permit: Option<SemaphorePermit<'a>>,
}

impl Places {
    pub(super) fn new(marketplaces: Marketplaces) -> Self {
        let counter = |marketplace| Counter {
            marketplace,
            first: Semaphore::new(REQUESTS_OF_EACH),
            again: Semaphore::new(REQUESTS_OF_EACH),
        };
        Self(marketplaces.into_iter().map(|(seller, marketplace)| (seller, counter(marketplace))).collect())
    }

    /// Waits for a place; `None` where the seller has no open API.
    pub(super) async fn take(&self, seller: &SellerId, has_failed: bool) -> Option<Place<'_>> {
        let counter = self.0.get(seller)?;
        let places = if has_failed { &counter.again } else { &counter.first };
        let permit = places.acquire().await.ok();
        Some(Place { marketplace: counter.marketplace.as_ref(), is_first: !has_failed, _permit: permit })
    }

    /// Whether the seller has an open API.
    pub(super) fn has(&self, seller: &SellerId) -> bool {
        self.0.contains_key(seller)
    }
}

impl Place<'_> {
    /// Whether it is for what was never tried.
    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }
}
