//! From the cases that were touched to the lines, sums and months that stand in the views.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_domain::settlement::books::{Books, Drawn, draw_adjustment, draw_up};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::statement::Subject;

use super::closing::recomputed;
use super::ledger::Ledger;
use super::papers::{Adjusting, CaseFile, Entered, Entry, Key, digest, json, kind, tier_prefix};
use super::sheet::{Of, Sheet};
use crate::rows::LineRow;
use crate::store::{BillingStore, DocumentKey, StoreError};

/// The most orders that are asked for at a time.
const ORDERS: usize = 1_000;

impl Sheet {
    /// Draws up every case that was touched, and enters what has changed.
    pub(crate) async fn enter(
        &mut self,
        store: &dyn BillingStore,
        ledgers: &mut BTreeMap<SellerId, Ledger>,
    ) -> Result<(), StoreError> {
        self.load_frozen(store).await?;
        for of in std::mem::take(&mut self.touched) {
            let (Some(mut file), Some(ledger)) = (self.cases.remove(&of), ledgers.get_mut(&of.0)) else { continue };
            self.enter_case(ledger, &of, &mut file);
            self.changes.documents.insert(of.1.at(&of.0, kind::CASE), Some(json(&file)));
            self.cases.insert(of, file);
        }
        Ok(())
    }

    /// Reads the rows of closed months that belong to the touched cases.
    async fn load_frozen(&mut self, store: &dyn BillingStore) -> Result<(), StoreError> {
        let mut lines: BTreeSet<Of<String>> = BTreeSet::new();
        let mut orders: BTreeMap<&SellerId, BTreeSet<OrderId>> = BTreeMap::new();
        for of in &self.touched {
            let Some(file) = self.cases.get(of) else { continue };
            let frozen = file.frozen();
            if frozen.is_empty() {
                continue;
            }
            lines.extend(frozen.into_iter().map(|line_id| (of.0.clone(), line_id.clone())));
            orders.entry(&of.0).or_default().extend(file.case.lines.keys().filter_map(order_of));
        }
        lines.retain(|line| !self.frozen.contains_key(line));
        let mut found = vec![];
        for (seller, orders) in orders {
            let orders: Vec<_> = orders.into_iter().collect();
            for orders in orders.chunks(ORDERS) {
                found.extend(store.lines_of_orders(seller, orders).await?);
            }
        }
        for row in found {
            let of = (row.seller.clone(), row.line().line_id.clone());
            if lines.remove(&of) {
                self.frozen.insert(of, row);
            }
        }
        // Consumption and corrections are of no order.
        for (seller, line_id) in lines {
            if let Some(row) = store.line(&seller, &line_id).await?.value {
                self.frozen.insert((seller, line_id), row);
            }
        }
        Ok(())
    }

    fn enter_case(&mut self, ledger: &mut Ledger, of: &Of<Key>, file: &mut CaseFile) {
        let closed_in = self.closed_in(&of.0, file);
        let mut drawn = draw(file, ledger, &|line_id| closed_in.get(line_id).copied());
        let mut entered = BTreeMap::new();
        for line_id in file.frozen() {
            let now = drawn.remove(line_id);
            let Some(row) = self.frozen.get(&(of.0.clone(), line_id.clone())).cloned() else { continue };
            let again = recomputed(row.line(), now.as_ref().map(|drawn| &drawn.line));
            let row = LineRow { case: of.1.0.clone(), recomputed: again, ..row };
            entered.insert(line_id.clone(), entered_as(&row, now.as_ref()));
            self.write(file, &of.0, line_id, row, &entered);
        }
        for (line_id, drawn) in drawn {
            let (seller, case) = (of.0.clone(), of.1.0.clone());
            let row = LineRow { seller, case, drawn, closed_in: None, recomputed: None };
            entered.insert(line_id.clone(), entered_as(&row, Some(&row.drawn)));
            self.write(file, &of.0, &line_id, row, &entered);
        }
        for line_id in file.entered.keys().filter(|line_id| !entered.contains_key(*line_id)) {
            self.changes.lines.insert((of.0.clone(), line_id.clone()), None);
        }
        self.point_to_tiers(of, file, &entered);
        settle(ledger, &file.entered, &entered);
        file.entered = entered;
        file.closing.clear();
        file.is_renamed = false;
    }

    /// Writes a row, unless the very same stands there.
    fn write(
        &mut self,
        file: &CaseFile,
        seller: &SellerId,
        line_id: &str,
        row: LineRow,
        entered: &BTreeMap<String, Entered>,
    ) {
        let digest = |entered: &Entered| entered.digest.clone();
        if file.entered.get(line_id).map(digest) != entered.get(line_id).map(digest) {
            self.changes.lines.insert((seller.clone(), line_id.to_owned()), Some(row));
        }
    }

    /// The closed months of those lines of a case that stand in one.
    fn closed_in(&self, seller: &SellerId, file: &CaseFile) -> BTreeMap<String, Period> {
        let row = |line_id: &String| self.frozen.get(&(seller.clone(), line_id.clone()));
        let lines = file.frozen().into_iter();
        lines.filter_map(|line_id| Some((line_id.clone(), row(line_id)?.closed_in?))).collect()
    }

    /// Keeps which months' tiers lead to this case.
    fn point_to_tiers(&mut self, of: &Of<Key>, file: &CaseFile, entered: &BTreeMap<String, Entered>) {
        let now: BTreeSet<_> = entered.values().filter_map(|entered| entered.tier_of.as_ref()).collect();
        let was = file.tiers();
        let key = |(sku, period): &(_, _)| DocumentKey {
            seller: of.0.clone(),
            kind: kind::TIER,
            name: format!("{}{}", tier_prefix(sku, *period), of.1.0),
        };
        for tier in was.iter().filter(|tier| !now.contains(tier)) {
            self.changes.documents.insert(key(tier), None);
        }
        for tier in now.into_iter().filter(|tier| file.is_renamed || !was.contains(tier)) {
            self.changes.documents.insert(key(tier), Some(json(&of.1)));
        }
    }
}

fn order_of(subject: &Subject) -> Option<OrderId> {
    match subject {
        Subject::OrderLine { order_id, .. } => Some(order_id.clone()),
        Subject::Usage { .. } => None,
    }
}

fn entered_as(row: &LineRow, now: Option<&Drawn>) -> Entered {
    Entered {
        digest: digest(json(row).as_bytes()),
        closed_in: row.closed_in,
        entry: Entry::of(row),
        counted: now.and_then(|drawn| drawn.counted.clone()),
        tier_of: now.and_then(|drawn| drawn.tier_of.clone()),
    }
}

/// Takes what a case added before out of the sums, and adds what it comes to now.
fn settle(ledger: &mut Ledger, before: &BTreeMap<String, Entered>, now: &BTreeMap<String, Entered>) {
    for (line_id, Entered { entry, counted, .. }) in before {
        let same = now.get(line_id);
        if same.is_none_or(|now| now.entry != *entry) {
            ledger.enter(entry, true);
        }
        if let Some(counted) =
            counted.as_ref().filter(|counted| same.and_then(|now| now.counted.as_ref()) != Some(counted))
        {
            ledger.count(counted, true);
        }
    }
    for (line_id, Entered { entry, counted, .. }) in now {
        let same = before.get(line_id);
        if same.is_none_or(|before| before.entry != *entry) {
            ledger.enter(entry, false);
        }
        if let Some(counted) =
            counted.as_ref().filter(|counted| same.and_then(|was| was.counted.as_ref()) != Some(counted))
        {
            ledger.count(counted, false);
        }
    }
}

/// The lines of a case by their ids. `closed_in` tells of lines that stand in a closed month.
fn draw(file: &CaseFile, ledger: &Ledger, closed_in: &dyn Fn(&str) -> Option<Period>) -> BTreeMap<String, Drawn> {
    let drawn = match &file.adjusting {
        Some(adjusting) => vec![draw_late(adjusting, ledger.closed(), closed_in)],
        None => draw_up(
            &file.case,
            &Books {
                catalog: ledger.catalog(),
                working_days: ledger.working_days(),
                month_of: &|sku, period| ledger.month_before(sku, period),
                closed: ledger.closed(),
                closed_in,
            },
        ),
    };
    drawn.into_iter().map(|drawn| (drawn.line.line_id.clone(), drawn)).collect()
}

/// The line of a correction. One that came too late for its month is on the next that is open.
fn draw_late(adjusting: &Adjusting, closed: &BTreeSet<Period>, closed_in: &dyn Fn(&str) -> Option<Period>) -> Drawn {
    let Adjusting { period, adjustment, recorded_at, source } = adjusting;
    let mut drawn = draw_adjustment(*period, adjustment, *recorded_at, source.clone());
    let mut open = *period;
    while closed.contains(&open) && open.next() > open {
        open = open.next();
    }
    drawn.line.period = Some(closed_in(&drawn.line.line_id).unwrap_or(open));
    drawn
}
