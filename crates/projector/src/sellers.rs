//! Sellers as numbers, each with its catalog.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chopmark_domain::catalog::{self, Catalog, DatedTerms, ProductKind};
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::license::Status;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A seller's number. At most 65,536 sellers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct SellerIndex(u16);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Seller {
    pub(crate) id: SellerId,
    #[serde(with = "crate::saved::as_json")]
    pub(crate) catalog: Arc<Catalog>,
    /// The same terms as in the catalog by their catalog version, ready to be handed out.
    #[serde(skip)]
    terms: BTreeMap<u32, Arc<DatedTerms>>,
    /// Licenses by status.
    #[serde(skip)]
    pub(crate) licenses: Counts,
}

impl Seller {
    fn new(id: SellerId) -> Self {
        Self { id, catalog: Arc::default(), terms: BTreeMap::new(), licenses: Counts::default() }
    }

    pub(crate) fn evolve(&mut self, event: &catalog::Event) {
        Arc::make_mut(&mut self.catalog).evolve(event);
        if let catalog::Event::ProductDefined(defined) = event {
            self.share_terms(&defined.sku);
        }
    }

    /// The terms that the catalog gives a product at a moment.
    pub(crate) fn terms_at(&self, sku: &Sku, at: DateTime<Utc>) -> Option<Arc<DatedTerms>> {
        let version = self.catalog.terms_at(sku, at)?.catalog_version;
        self.terms.get(&version).cloned()
    }

    /// Whether license codes are sold at a moment.
    pub(crate) fn sells_codes(&self, at: DateTime<Utc>) -> bool {
        let mut in_force = self.catalog.products().filter_map(|(sku, _)| self.catalog.terms_at(sku, at));
        in_force.any(|dated| dated.terms.kind == ProductKind::LicenseCode)
    }

    fn share_terms(&mut self, sku: &Sku) {
        if let Some(latest) = self.catalog.latest(sku) {
            self.terms.insert(latest.catalog_version, Arc::new(latest.clone()));
        }
    }

    fn restore(&mut self) {
        let all = self.catalog.products().flat_map(|(_, terms)| terms);
        self.terms = all.map(|dated| (dated.catalog_version, Arc::new(dated.clone()))).collect();
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sellers {
    list: Vec<Seller>,
    #[serde(skip)]
    numbers: HashMap<Box<str>, SellerIndex>,
}

impl Sellers {
    pub(crate) fn find(&self, id: &str) -> Option<SellerIndex> {
        self.numbers.get(id).copied()
    }

    pub(crate) fn get(&self, seller: SellerIndex) -> Option<&Seller> {
        self.list.get(usize::from(seller.0))
    }

    pub(crate) fn get_mut(&mut self, seller: SellerIndex) -> Option<&mut Seller> {
        self.list.get_mut(usize::from(seller.0))
    }

    /// `None` if there are too many.
    pub(crate) fn intern(&mut self, id: SellerId) -> Option<SellerIndex> {
        if let Some(known) = self.find(id.as_str()) {
            return Some(known);
        }
        let number = SellerIndex(u16::try_from(self.list.len()).ok()?);
        self.numbers.insert(id.as_str().into(), number);
        self.list.push(Seller::new(id));
        Some(number)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SellerIndex, &Seller)> {
        (0..=u16::MAX).map(SellerIndex).zip(&self.list)
    }

    /// Makes again what a snapshot leaves out, except for the counts.
    pub(crate) fn restore(&mut self) {
        self.list.iter_mut().for_each(Seller::restore);
        self.numbers = self.iter().map(|(number, seller)| (seller.id.as_str().into(), number)).collect();
    }

    pub(crate) fn bytes(&self) -> usize {
        // Catalogs hold a few hundred bytes for each change of a product, twice.
        let terms: usize = self.list.iter().map(|seller| seller.terms.len() * 1024).sum();
        self.list.len() * (size_of::<Seller>() + 128) + terms
    }
}

/// Licenses by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts([usize; 3]);

impl Counts {
    pub(crate) fn add(&mut self, status: Status) {
        *self.of_mut(status) += 1;
    }

    pub(crate) fn remove(&mut self, status: Status) {
        *self.of_mut(status) -= 1;
    }

    /// Each status as metrics spell it, with its number.
    pub(crate) fn named(self) -> [(&'static str, usize); 3] {
        let [active, frozen, released] = self.0;
        [("active", active), ("frozen", frozen), ("released", released)]
    }

    fn of_mut(&mut self, status: Status) -> &mut usize {
        let [active, frozen, released] = &mut self.0;
        match status {
            Status::Active => active,
            Status::Frozen => frozen,
            Status::Released => released,
        }
    }
}
