//! What is to be done for licenses at the marketplace.

use std::collections::BTreeMap;

use chopmark_domain::ids::{EventId, SellerId};
use chopmark_domain::license::{
    Application, CodeAnswer, CodeState, Errand, ErrandAbandoned, ErrandDelayed, Event, LicenseRequested,
    LicenseUploaded,
};
use chopmark_domain::stream::{LicenseId, LicenseKey};
use chopmark_log::{Position, Record};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An errand for a license.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrandKey {
    /// For which license.
    pub license: LicenseKey,
    /// Which.
    pub errand: Errand,
}

/// An errand that is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenErrand {
    /// Since when, UTC: when the log took the event that opened it.
    pub since: DateTime<Utc>,
    /// The license's last event: what stood in the way may have changed with it.
    pub touched_at: Position,
    /// It did not succeed at first.
    pub is_late: bool,
}

/// An errand of which nothing more is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AbandonedErrand {
    pub(crate) errand: OpenErrand,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
}

/// An errand as a snapshot can hold it: every field is there, every time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Kept {
    Activate,
    Upload { event_id: EventId, fingerprint: Option<String> },
}

impl From<&Errand> for Kept {
    fn from(errand: &Errand) -> Self {
        match errand.clone() {
            Errand::Activate => Self::Activate,
            Errand::Upload(Application { event_id, fingerprint }) => Self::Upload { event_id, fingerprint },
        }
    }
}

impl From<&Kept> for Errand {
    fn from(kept: &Kept) -> Self {
        match kept.clone() {
            Kept::Activate => Self::Activate,
            Kept::Upload { event_id, fingerprint } => Self::Upload(Application { event_id, fingerprint }),
        }
    }
}

/// A license's errands stand together, so that its events find them.
type Place = (LicenseId, Kept);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SellerErrands {
    open: BTreeMap<Place, OpenErrand>,
    abandoned: BTreeMap<Place, AbandonedErrand>,
}

/// All errands for licenses, folded from the log:
///
/// - the marketplace tells that a code is inactive: activating it opens; any other answer about it closes;
/// - a license is applied for: uploading it opens; its upload closes;
/// - the license is released: all its errands close;
/// - [`ErrandAbandoned`] sets an errand aside. A later event that opens it brings it back; the same answer or the same
///   application once more is no event, so the reactor tries it once at each start and once a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errands {
    sellers: BTreeMap<SellerId, SellerErrands>,
}

impl Errands {
    /// Takes an event of a license up. Tells which errands it closed or touched: every event of a license touches all
    /// its errands.
    pub(super) fn apply(&mut self, license: &LicenseKey, event: &Event, record: &Record) -> Vec<ErrandKey> {
        let before = self.of(license);
        match event {
            Event::CodeConfirmed(CodeAnswer { state: CodeState::Inactive, .. }) => {
                self.open(license, &Errand::Activate, record);
            }
            Event::CodeConfirmed(_) => self.close(license, &Errand::Activate),
            Event::LicenseRequested(LicenseRequested { application, .. }) => {
                self.open(license, &Errand::Upload(application.clone()), record);
            }
            Event::LicenseUploaded(LicenseUploaded { application }) => {
                self.close(license, &Errand::Upload(application.clone()));
            }
            Event::Released(_) => before.iter().for_each(|key| self.close(license, &key.errand)),
            Event::ErrandDelayed(ErrandDelayed { errand, .. }) => {
                if let Some(open) = self.open_mut(license, errand) {
                    open.is_late = true;
                }
            }
            Event::ErrandAbandoned(abandoned) => self.set_aside(license, abandoned),
            _ => {}
        }
        let mut touched = self.of(license);
        for key in &touched {
            if let Some(open) = self.open_mut(license, &key.errand) {
                open.touched_at = record.position;
            }
        }
        touched.extend(before);
        touched
    }

    fn open(&mut self, license: &LicenseKey, errand: &Errand, record: &Record) {
        let work = self.sellers.entry(license.seller.clone()).or_default();
        let place = place(license, errand);
        let is_late = work.abandoned.remove(&place).is_some();
        let open = || OpenErrand { since: record.recorded_at, touched_at: record.position, is_late };
        work.open.entry(place).or_insert_with(open);
    }

    fn close(&mut self, license: &LicenseKey, errand: &Errand) {
        if let Some(work) = self.sellers.get_mut(&license.seller) {
            let place = place(license, errand);
            work.open.remove(&place);
            work.abandoned.remove(&place);
        }
    }

    fn set_aside(&mut self, license: &LicenseKey, abandoned: &ErrandAbandoned) {
        let Some(work) = self.sellers.get_mut(&license.seller) else { return };
        let ErrandAbandoned { errand, reason, attempts } = abandoned;
        let place = place(license, errand);
        if let Some(errand) = work.open.remove(&place) {
            let abandoned = AbandonedErrand { errand, reason: reason.clone(), attempts: *attempts };
            work.abandoned.insert(place, abandoned);
        }
    }

    fn open_mut(&mut self, license: &LicenseKey, errand: &Errand) -> Option<&mut OpenErrand> {
        self.sellers.get_mut(&license.seller)?.open.get_mut(&place(license, errand))
    }

    /// The errands of one license, open and abandoned.
    fn of(&self, license: &LicenseKey) -> Vec<ErrandKey> {
        let Some(work) = self.sellers.get(&license.seller) else { return vec![] };
        let first = (license.id.clone(), Kept::Activate);
        let open = work.open.range(&first..).map(|(place, _)| place);
        let abandoned = work.abandoned.range(&first..).map(|(place, _)| place);
        let here = |place: &&Place| place.0 == license.id;
        open.take_while(here).chain(abandoned.take_while(here)).map(|place| key(&license.seller, place)).collect()
    }

    /// An errand, if it is to be done.
    #[must_use]
    pub fn get(&self, key: &ErrandKey) -> Option<&OpenErrand> {
        self.sellers.get(&key.license.seller)?.open.get(&place(&key.license, &key.errand))
    }

    /// All errands that are to be done.
    pub fn iter(&self) -> impl Iterator<Item = (ErrandKey, &OpenErrand)> {
        self.sellers
            .iter()
            .flat_map(|(seller, work)| work.open.iter().map(|(place, errand)| (key(seller, place), errand)))
    }

    pub(crate) fn abandoned(&self) -> impl Iterator<Item = (ErrandKey, &AbandonedErrand)> {
        self.sellers
            .iter()
            .flat_map(|(seller, work)| work.abandoned.iter().map(|(place, errand)| (key(seller, place), errand)))
    }

    /// How many errands of a seller are open, and how many abandoned.
    pub(crate) fn counts(&self, seller: &SellerId) -> (usize, usize) {
        self.sellers.get(seller).map_or((0, 0), |work| (work.open.len(), work.abandoned.len()))
    }

    pub(crate) fn sellers(&self) -> impl Iterator<Item = &SellerId> {
        self.sellers.keys()
    }
}

fn place(license: &LicenseKey, errand: &Errand) -> Place {
    (license.id.clone(), errand.into())
}

fn key(seller: &SellerId, (id, kept): &Place) -> ErrandKey {
    ErrandKey { license: LicenseKey { seller: seller.clone(), id: id.clone() }, errand: kept.into() }
}

#[cfg(test)]
mod tests;
