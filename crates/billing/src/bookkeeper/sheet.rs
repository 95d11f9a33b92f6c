//! What one transaction works on: the cases it touches, how they are found, and the changes that it comes to.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::ids::SellerId;
use chrono::{DateTime, Utc};

use super::papers::{CaseFile, Key, json, kind, parse, tier_prefix};
use crate::rows::LineRow;
use crate::store::{BillingStore, Changes, DocumentKey, StoreError};

/// Something of a seller.
pub(crate) type Of<T> = (SellerId, T);

/// The working set of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// Where keys lead; `None` for one that leads nowhere yet.
    keys: BTreeMap<Of<Key>, Option<Key>>,
    /// Ends of licenses.
    expiries: BTreeMap<Of<Key>, Option<DateTime<Utc>>>,
    /// Cases by name.
    pub(crate) cases: BTreeMap<Of<Key>, CaseFile>,
    /// Those that are to be drawn up.
    pub(crate) touched: BTreeSet<Of<Key>>,
    /// Lines of closed months, as they are shown.
    pub(crate) frozen: BTreeMap<Of<String>, LineRow>,
    /// What is written in the end.
    pub(crate) changes: Changes,
}

impl Sheet {
    /// Reads where keys lead, and the cases there.
    pub(crate) async fn load(&mut self, store: &dyn BillingStore, keys: BTreeSet<Of<Key>>) -> Result<(), StoreError> {
        let wanted: Vec<_> = keys
            .iter()
            .flat_map(|(seller, key)| [key.at(seller, kind::KEY), key.at(seller, kind::EXPIRY)])
            .filter(|document| document.kind == kind::KEY || is_license(&document.name))
            .collect();
        let found = store.documents(&wanted).await?;
        let mut names = BTreeSet::new();
        for (seller, key) in keys {
            let name = found.get(&key.at(&seller, kind::KEY)).map(|text| parse("a key", text)).transpose()?;
            names.extend(name.clone().map(|name: Key| (seller.clone(), name)));
            if let Some(text) = found.get(&key.at(&seller, kind::EXPIRY)) {
                self.expiries.insert((seller.clone(), key.clone()), Some(parse("a license's end", text)?));
            }
            self.keys.insert((seller, key), name);
        }
        self.load_cases(store, names).await
    }

    /// Reads cases by their names.
    pub(crate) async fn load_cases(
        &mut self,
        store: &dyn BillingStore,
        names: BTreeSet<Of<Key>>,
    ) -> Result<(), StoreError> {
        let wanted: Vec<_> = names.iter().map(|(seller, name)| name.at(seller, kind::CASE)).collect();
        for (DocumentKey { seller, name, .. }, text) in store.documents(&wanted).await? {
            self.cases.insert((seller, Key(name)), parse("a case", &text)?);
        }
        Ok(())
    }

    /// The case that keys lead to, to be changed. Where they lead to several, what has just been heard connects them,
    /// and they become one. From now on all of `kept_under` lead there.
    pub(crate) fn case(&mut self, seller: &SellerId, found_by: &[Key], kept_under: &[Key]) -> &mut CaseFile {
        let leads_to = |key: &Key| self.keys.get(&(seller.clone(), key.clone())).cloned().flatten();
        let names: BTreeSet<_> = found_by.iter().chain(kept_under).filter_map(leads_to).collect();
        let mut file = CaseFile::default();
        let mut was = BTreeSet::new();
        for name in names {
            if let Some(other) = self.cases.remove(&(seller.clone(), name.clone())) {
                file.take_in(other);
                was.insert(name);
            }
        }
        file.keys.extend(kept_under.iter().cloned());
        let name = file.keys.first().cloned().unwrap_or_else(|| Key(String::new()));
        for former in was.iter().filter(|former| **former != name) {
            self.touched.remove(&(seller.clone(), former.clone()));
            self.changes.documents.insert(former.at(seller, kind::CASE), None);
            // Which of them came from which case is not told any more; what was not there is taken away without harm.
            for (sku, period) in file.tiers() {
                let name = format!("{}{}", tier_prefix(&sku, period), former.0);
                self.changes.documents.insert(DocumentKey { seller: seller.clone(), kind: kind::TIER, name }, None);
            }
        }
        file.is_renamed |= was.len() != 1 || !was.contains(&name);
        for key in &file.keys {
            let leads = self.keys.entry((seller.clone(), key.clone())).or_default();
            if leads.as_ref() != Some(&name) || file.is_renamed {
                *leads = Some(name.clone());
                self.changes.documents.insert(key.at(seller, kind::KEY), Some(json(&name)));
            }
        }
        self.touched.insert((seller.clone(), name.clone()));
        self.cases.entry((seller.clone(), name)).or_insert(file)
    }

    /// The end of a license as it is known.
    pub(crate) fn expiry(&self, seller: &SellerId, license: &Key) -> Option<DateTime<Utc>> {
        self.expiries.get(&(seller.clone(), license.clone())).copied().flatten()
    }

    /// A license ends then.
    pub(crate) fn set_expiry(&mut self, seller: &SellerId, license: &Key, at: DateTime<Utc>) {
        if self.expiries.insert((seller.clone(), license.clone()), Some(at)) != Some(Some(at)) {
            self.changes.documents.insert(license.at(seller, kind::EXPIRY), Some(json(&at)));
        }
    }
}

fn is_license(name: &str) -> bool {
    ["instance/", "code/", "deployment/"].iter().any(|family| name.starts_with(family))
}
