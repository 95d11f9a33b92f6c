//! Imported bills: their last import, their rows, what was judged of them, and how far they are.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::bill::event::{BillProgressed, Event, KeptBill};
use chopmark_domain::settlement::books::Source;
use chopmark_domain::settlement::money::Currency;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::papers::{json, kind, parse};
use crate::rows::{BillHead, BilledRow};
use crate::store::{BillingStore, Changes, DocumentKey, StoreError};

/// The bills that a transaction touches.
#[derive(Debug, Default)]
pub(crate) struct Bills(BTreeMap<BillIdentity, Open>);

/// A bill without its rows.
#[derive(Debug, Default)]
struct Open {
    kept: KeptBill,
    /// When it was imported, and by which event.
    imported: Option<(DateTime<Utc>, Source)>,
    totals: BTreeMap<Currency, Decimal>,
    /// What was heard of it before it was imported is kept as a document.
    was_early: bool,
}

impl Bills {
    /// Reads what is known of bills.
    pub(crate) async fn load(
        &mut self,
        store: &dyn BillingStore,
        identities: BTreeSet<BillIdentity>,
    ) -> Result<(), StoreError> {
        for identity in identities {
            let heads = store.bills(&identity.seller, Some(identity.period)).await?.value;
            let open = match heads.into_iter().find(|head| head.identity == identity) {
                Some(head) => Open::of(head),
                None => {
                    let key = early(&identity);
                    let found = store.documents(std::slice::from_ref(&key)).await?;
                    let progress = found.get(&key).map(|text| parse("a bill's progress", text)).transpose()?;
                    let was_early = progress.is_some();
                    let kept = KeptBill { progress: progress.unwrap_or_default(), ..KeptBill::default() };
                    Open { kept, was_early, ..Open::default() }
                }
            };
            self.0.insert(identity, open);
        }
        Ok(())
    }

    /// Takes one event up.
    pub(crate) fn take_up(
        &mut self,
        identity: &BillIdentity,
        event: Event,
        recorded_at: DateTime<Utc>,
        source: &Source,
        changes: &mut Changes,
    ) {
        let open = self.0.entry(identity.clone()).or_default();
        match event {
            Event::RowsListed(listed) => {
                open.kept.progress.take_up(&BillProgressed::said_by(&listed.rows));
                for row in listed.rows {
                    let total = open.totals.entry(row.currency).or_default();
                    *total = total.saturating_add(row.settle_amount);
                    changes.bill_rows.push(BilledRow { identity: identity.clone(), row, source: source.clone() });
                }
            }
            event => {
                if let Event::Imported(_) = &event {
                    open.imported = Some((recorded_at, source.clone()));
                    open.totals.clear();
                    changes.bill_rows.retain(|row| row.identity != *identity);
                    changes.cleared_bills.push(identity.clone());
                }
                open.kept.evolve(&event);
            }
        }
    }

    /// Writes them.
    pub(crate) fn write(self, changes: &mut Changes) {
        for (identity, Open { kept, imported, totals, was_early }) in self.0 {
            let KeptBill { imported: import, judgements, progress, .. } = kept;
            let Some((import, (imported_at, source))) = import.zip(imported) else {
                if progress != BillProgressed::default() {
                    changes.documents.insert(early(&identity), Some(json(&progress)));
                }
                continue;
            };
            if was_early {
                changes.documents.insert(early(&identity), None);
            }
            let totals = totals.into_iter().collect();
            let head = BillHead { identity, imported: import, imported_at, progress, judgements, totals, source };
            changes.bills.push(head);
        }
    }
}

impl Open {
    fn of(head: BillHead) -> Self {
        let BillHead { imported, imported_at, progress, judgements, totals, source, .. } = head;
        Self {
            kept: KeptBill { imported: Some(imported), rows: vec![], judgements, progress },
            imported: Some((imported_at, source)),
            totals: totals.into_iter().collect(),
            was_early: false,
        }
    }
}

fn early(identity: &BillIdentity) -> DocumentKey {
    let name = format!("{}/{}", identity.period, identity.category.code());
    DocumentKey { seller: identity.seller.clone(), kind: kind::BILL, name }
}
