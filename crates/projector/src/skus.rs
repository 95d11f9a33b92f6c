//! SKUs as numbers: many licenses share few of them.

use std::collections::HashMap;
use std::num::NonZeroU32;

use chopmark_domain::ids::Sku;
use serde::{Deserialize, Serialize};

use crate::sellers::SellerIndex;

/// A SKU's number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SkuIndex(NonZeroU32);

impl SkuIndex {
    fn at(place: usize) -> Option<Self> {
        NonZeroU32::new(u32::try_from(place).ok()?.checked_add(1)?).map(Self)
    }

    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    sku: Sku,
    /// Whose catalog has it.
    owner: Option<SellerIndex>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Skus {
    list: Vec<Known>,
    #[serde(skip)]
    numbers: HashMap<Sku, SkuIndex>,
}

impl Skus {
    pub(crate) fn get(&self, sku: SkuIndex) -> Option<&Sku> {
        self.list.get(sku.place()).map(|known| &known.sku)
    }

    pub(crate) fn find(&self, sku: &Sku) -> Option<SkuIndex> {
        self.numbers.get(sku).copied()
    }

    /// `None` if there are too many.
    pub(crate) fn intern(&mut self, sku: &Sku) -> Option<SkuIndex> {
        if let Some(known) = self.find(sku) {
            return Some(known);
        }
        let number = SkuIndex::at(self.list.len())?;
        self.list.push(Known { sku: sku.clone(), owner: None });
        self.numbers.insert(sku.clone(), number);
        Some(number)
    }

    /// The seller whose catalog has this SKU.
    pub(crate) fn owner(&self, sku: &Sku) -> Option<SellerIndex> {
        self.list.get(self.find(sku)?.place())?.owner
    }

    /// A SKU belongs to one seller of an installation: the one who defined it last. `None` if there are too many.
    pub(crate) fn set_owner(&mut self, sku: &Sku, seller: SellerIndex) -> Option<()> {
        let number = self.intern(sku)?;
        self.list.get_mut(number.place())?.owner = Some(seller);
        Some(())
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        let numbered = self.list.iter().enumerate();
        self.numbers = numbered.filter_map(|(place, known)| Some((known.sku.clone(), SkuIndex::at(place)?))).collect();
    }

    pub(crate) fn bytes(&self) -> usize {
        let each = size_of::<Known>() + 2 * size_of::<(Sku, SkuIndex)>() + 16;
        self.list.iter().map(|known| each + known.sku.as_str().len()).sum()
    }
}
