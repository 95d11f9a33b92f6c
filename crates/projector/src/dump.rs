//! The index as text that can be compared: JSON lines, the same for the same state, whatever way it came to be.

use std::cmp::Ordering;
use std::io::{self, Write};

use chopmark_domain::catalog::Catalog;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::License;
use chopmark_domain::stream::LicenseKey;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::entry::Entry;
use crate::index::LicenseIndex;
use crate::licenses::Slot;
use crate::state::State;

/// What a line is about. Lines come in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Catalog(SellerId),
    Access,
    License(LicenseKey),
}

/// A line of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) subject: Subject,
    pub(crate) json: String,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Content<'a> {
    Catalog {
        seller: &'a SellerId,
        #[serde(flatten)]
        catalog: Value,
    },
    Access(&'a chopmark_domain::access::Access),
    License {
        #[serde(flatten)]
        key: &'a LicenseKey,
        #[serde(flatten)]
        license: License,
    },
}

/// Writes an index as JSON lines: catalogs by seller, then the tokens' hashes, then licenses by seller, family and id.
/// A seller's secret is shown as a digest.
///
/// # Errors
/// The writer's.
pub fn dump(index: &LicenseIndex, to: &mut impl Write) -> io::Result<()> {
    index.read_long(|state| lines(state).try_for_each(|line| writeln!(to, "{}", line.json)))
}

pub(crate) fn lines(state: &State) -> impl Iterator<Item = Line> {
    let catalogs = by_seller(state).into_iter().filter_map(|seller| {
        let seller = state.sellers.iter().nth(seller)?.1;
        let content = Content::Catalog { seller: &seller.id, catalog: without_secret(&seller.catalog)? };
        line(Subject::Catalog(seller.id.clone()), &content)
    });
    let access = std::iter::once_with(|| line(Subject::Access, &Content::Access(&state.access))).flatten();
    let licenses = sorted(state).into_iter().filter_map(|slot| license_line(state, state.licenses.get(slot)?));
    catalogs.chain(access).chain(licenses)
}

fn line(subject: Subject, content: &Content<'_>) -> Option<Line> {
    let json = serde_json::to_string(content).ok()?;
    Some(Line { subject, json })
}

fn license_line(state: &State, entry: &Entry) -> Option<Line> {
    let seller = state.sellers.get(entry.seller)?;
    let key = entry.family.key(&seller.id, entry.id.as_ref().text(&mut Uuid::encode_buffer()))?;
    let content = Content::License { key: &key, license: entry.license.unpack(&state.skus) };
    let json = serde_json::to_string(&content).ok()?;
    Some(Line { subject: Subject::License(key), json })
}

/// Secrets are never printed, and must be compared: so they are shown as what cannot be turned back.
fn without_secret(catalog: &Catalog) -> Option<Value> {
    let mut shown = serde_json::to_value(catalog).ok()?;
    if let Some(secret) = catalog.secret.clone() {
        let digest = Sha256::digest(String::from(secret));
        let short = hex::encode(digest.get(..8)?);
        *shown.get_mut("secret")? = Value::String(format!("sha256:{short}…"));
    }
    Some(shown)
}

/// Sellers' places, by their names.
fn by_seller(state: &State) -> Vec<usize> {
    let ids: Vec<_> = state.sellers.iter().map(|(_, seller)| &seller.id).collect();
    let mut places: Vec<_> = (0..ids.len()).collect();
    places.sort_by_key(|place| ids.get(*place));
    places
}

fn sorted(state: &State) -> Vec<Slot> {
    let name = |entry: &Entry| state.sellers.get(entry.seller).map(|seller| seller.id.as_str());
    let compare = |a: &Entry, b: &Entry| -> Ordering {
        let sellers = if a.seller == b.seller { Ordering::Equal } else { name(a).cmp(&name(b)) };
        sellers.then(a.family.cmp(&b.family)).then_with(|| a.id.as_ref().cmp_text(b.id.as_ref()))
    };
    let mut slots: Vec<_> = state.licenses.iter_from(Slot(0)).map(|(slot, _)| slot).collect();
    slots.sort_by(|a, b| match (state.licenses.get(*a), state.licenses.get(*b)) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    slots
}
