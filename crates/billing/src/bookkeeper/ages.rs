//! What the lines come to that wait for the run of their bill at most, by the day since which they are open. A forecast
//! goes by these sums; it need not read the lines.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::{Currency, round_to_cents};
use chopmark_domain::settlement::product::Category;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::exact::Exact;
use super::papers::{Certain, Entry, json, kind, parse};
use crate::rows::AgeRow;
use crate::store::{Changes, DocumentKey, StoreError};

/// Lines of one age: of a period, a tab and a currency, open since a day.
type Age = (Period, Category, Currency, Option<NaiveDate>);

/// The exact sums of one age.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    lines: u64,
    not_computed: u64,
    estimated: u64,
    stated_sum: Exact,
    estimated_sum: Exact,
    rounded_sum: Exact,
}

/// A seller's sums by age.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    totals: BTreeMap<Age, Totals>,
    changed: BTreeSet<Age>,
}

impl Ages {
    /// Takes up what [`write`](Self::write) kept.
    pub(crate) fn read(&mut self, text: &str) -> Result<(), StoreError> {
        let (age, totals) = parse("the sums of an age", text)?;
        self.totals.insert(age, totals);
        Ok(())
    }

    /// A line adds to its age, or no longer.
    pub(crate) fn enter(&mut self, entry: &Entry, takes_away: bool) {
        let (Some(period), Some(certain)) = (entry.period, &entry.certain) else { return };
        let age = (period, entry.category, entry.currency, certain.open_since);
        let totals = self.totals.entry(age).or_default();
        totals.enter(certain, entry.estimated, takes_away);
        if totals.lines == 0 {
            self.totals.remove(&age);
        }
        self.changed.insert(age);
    }

    /// Writes what has changed.
    pub(crate) fn write(&mut self, seller: &SellerId, changes: &mut Changes) {
        for age in std::mem::take(&mut self.changed) {
            let totals = self.totals.get(&age);
            let (period, category, currency, open_since) = age;
            let day = open_since.map_or_else(|| "none".to_owned(), |day| day.to_string());
            let name = format!("{period}/{}/{currency}/{day}", category.code());
            let key = DocumentKey { seller: seller.clone(), kind: kind::AGE, name };
            changes.documents.insert(key, totals.map(|totals| json(&(age, totals))));
            changes.ages.push(totals.cloned().unwrap_or_default().row(seller, age));
        }
    }
}

impl Totals {
    fn enter(&mut self, certain: &Certain, is_estimate: bool, takes_away: bool) {
        let count = |count: &mut u64| *count = if takes_away { count.saturating_sub(1) } else { *count + 1 };
        count(&mut self.lines);
        let Some(amount) = certain.amount else { return count(&mut self.not_computed) };
        let enter = |sum: &mut Exact, amount| *sum = if takes_away { sum.take_away(amount) } else { sum.add(amount) };
        enter(if is_estimate { &mut self.estimated_sum } else { &mut self.stated_sum }, amount);
        enter(&mut self.rounded_sum, round_to_cents(amount));
        if is_estimate {
            count(&mut self.estimated);
        }
    }

    fn row(self, seller: &SellerId, (period, category, currency, open_since): Age) -> AgeRow {
        let Self { lines, not_computed, estimated, stated_sum, estimated_sum, rounded_sum } = self;
        AgeRow {
            seller: seller.clone(),
            period,
            category,
            currency,
            open_since,
            lines,
            not_computed,
            estimated,
            stated_sum: stated_sum.value(),
            estimated_sum: estimated_sum.value(),
            rounded_sum: rounded_sum.value(),
        }
    }
}
