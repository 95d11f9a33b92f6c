//! What the index holds: a fold of the log.

use std::sync::Arc;

use chopmark_domain::access::{self, Access};
use chopmark_domain::catalog;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{self, License};
use chopmark_log::{Anchor, Position, Record};
use serde::{Deserialize, Serialize};

use crate::change::{Change, FoldError};
use crate::compact_id::{CompactId, Family, IdRef};
use crate::entry::{Entry, PackedLicense};
use crate::licenses::{Licenses, Slot};
use crate::sellers::{SellerIndex, Sellers};
use crate::skus::Skus;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// Everything up to here is folded.
    #[serde(skip, default = "start")]
    pub(crate) position: Position,
    pub(crate) anchor: Option<Anchor>,
    pub(crate) sellers: Sellers,
    pub(crate) skus: Skus,
    #[serde(with = "crate::saved::as_json")]
    pub(crate) access: Arc<Access>,
    pub(crate) licenses: Licenses,
}

fn start() -> Position {
    Position::START
}

impl Default for State {
    fn default() -> Self {
        Self {
            position: Position::START,
            anchor: None,
            sellers: Sellers::default(),
            skus: Skus::default(),
            access: Arc::default(),
            licenses: Licenses::default(),
        }
    }
}

impl State {
    /// Takes records up, each with its change, in the order of the log.
    pub(crate) fn fold(&mut self, changes: Vec<(&Record, Option<Change<'_>>)>) -> Result<(), FoldError> {
        let mut last = None;
        let mut folded = Ok(());
        for (record, change) in changes {
            folded = change.map_or(Ok(()), |change| self.take_up(record, change));
            if folded.is_err() {
                break;
            }
            self.position = record.position;
            last = Some(record);
        }
        if let Some(record) = last {
            self.anchor = Some(Anchor::of(record));
        }
        folded
    }

    fn take_up(&mut self, record: &Record, change: Change<'_>) -> Result<(), FoldError> {
        let taken = match change {
            Change::License { seller, family, id, event } => self.take_up_license(seller, family, id, &event),
            Change::Catalog { seller, event } => self.take_up_catalog(seller, &event),
            Change::Access(event) => {
                self.take_up_access(&event);
                Ok(())
            }
        };
        taken.map_err(|what| FoldError::Full { position: record.position, what })
    }

    fn take_up_license(
        &mut self,
        seller: &str,
        family: Family,
        id: &str,
        event: &license::Event,
    ) -> Result<(), &'static str> {
        let known = self.sellers.find(seller);
        let slot = known.and_then(|seller| self.licenses.find(seller, family, IdRef::of(id)));
        match slot {
            Some(slot) => self.evolve(slot, event),
            None => License::begin(event).map_or(Ok(()), |license| self.begin(seller, family, id, &license)),
        }
    }

    fn evolve(&mut self, slot: Slot, event: &license::Event) -> Result<(), &'static str> {
        let Self { licenses, skus, sellers, .. } = self;
        let evolved = licenses.change(slot, |entry| {
            let before = entry.license.status;
            entry.license.change(skus, |license| license.evolve(event))?;
            Some((entry.seller, before, entry.license.status))
        });
        let Some(evolved) = evolved else {
            return Ok(());
        };
        let (seller, before, after) = evolved.ok_or("SKUs")?;
        if before != after
            && let Some(seller) = sellers.get_mut(seller)
        {
            seller.licenses.remove(before);
            seller.licenses.add(after);
        }
        Ok(())
    }

    fn begin(&mut self, seller: &str, family: Family, id: &str, license: &License) -> Result<(), &'static str> {
        // A stranger's stream whose name only begins as ours do.
        let Some(key) = SellerId::parse(seller).ok().and_then(|seller| family.key(&seller, id)) else {
            return Ok(());
        };
        let seller = self.sellers.intern(key.seller).ok_or("sellers")?;
        let status = license.status;
        let entry = Entry {
            id: CompactId::from(IdRef::of(id)),
            seller,
            family,
            license: PackedLicense::pack(license, &mut self.skus).ok_or("SKUs")?,
        };
        if !self.licenses.push(entry) {
            return Err("licenses");
        }
        if let Some(seller) = self.sellers.get_mut(seller) {
            seller.licenses.add(status);
        }
        Ok(())
    }

    fn take_up_catalog(&mut self, seller: &str, event: &catalog::Event) -> Result<(), &'static str> {
        let Ok(id) = SellerId::parse(seller) else {
            return Ok(());
        };
        let number = self.sellers.intern(id).ok_or("sellers")?;
        if let catalog::Event::ProductDefined(defined) = event {
            self.skus.set_owner(&defined.sku, number).ok_or("SKUs")?;
        }
        if let Some(seller) = self.sellers.get_mut(number) {
            seller.evolve(event);
        }
        Ok(())
    }

    fn take_up_access(&mut self, event: &access::Event) {
        Arc::make_mut(&mut self.access).evolve(event);
    }

    /// Makes again what a snapshot leaves out; `None` if its numbers do not fit together.
    pub(crate) fn restore(mut self, position: Position) -> Option<Self> {
        self.position = position;
        self.skus.restore();
        self.sellers.restore();
        for (_, entry) in self.licenses.iter_from(Slot(0)) {
            let Entry { seller, license, .. } = entry;
            if license.sku.is_some_and(|sku| self.skus.get(sku).is_none()) {
                return None;
            }
            self.sellers.get_mut(*seller)?.licenses.add(license.status);
        }
        Some(self)
    }

    pub(crate) fn seller(&self, id: &SellerId) -> Option<SellerIndex> {
        self.sellers.find(id.as_str())
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.licenses.bytes() + self.sellers.bytes() + self.skus.bytes()
    }
}
