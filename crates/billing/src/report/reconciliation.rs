//! The imported bills of a period against the lines that were expected on them, differences first.

mod compare;
mod hours;
mod shown;

use std::collections::BTreeMap;

use chopmark_domain::settlement::bill::{Bill, BillIdentity};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::month::MOST_LINES;
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::reconciliation::key::Key;
use chopmark_domain::settlement::reconciliation::{Pair, Tolerance};
use chopmark_log::Position;
use serde::Serialize;
use utoipa::ToSchema;

use self::compare::Compared;
pub(crate) use self::compare::order_of_line;
pub use self::hours::UsageHours;
pub use self::shown::{BillCompared, PairLine, PairRow, ShownCause, ShownJudgement, ShownPair, ShownTotals};
use super::lines::{Slices, every};
use super::standing::stand;
use super::{Asking, Billing, ReportError, SLICE, schema};
use crate::rows::{BillHead, LineRow};
use crate::store::PeriodFilter;

/// Which bills are compared, and how.
#[derive(Debug, Clone, Copy)]
pub struct ReconciliationAsked {
    /// Of which period.
    pub period: Period,
    /// Of which tab; all that were imported where none is named.
    pub category: Option<Category>,
    /// What counts as rounding.
    pub tolerance: Tolerance,
}

/// A tab in which lines are expected and no bill was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct WithoutBill {
    /// The tab.
    #[schema(schema_with = schema::categories)]
    pub category: Category,
    /// How many lines are expected on its bill.
    pub lines: u64,
}

/// The bills of a period compared. Pairs are shown page by page: there may be as many as a bill has rows.
pub struct Reconciled {
    /// The period.
    pub period: Period,
    /// How far the views were.
    pub position: Position,
    /// Tabs without a bill; with no bill at all there is nothing to compare yet: import one.
    pub without_bill: Vec<WithoutBill>,
    /// Image hours seen against hours billed.
    pub hours: Vec<UsageHours>,
    bills: Vec<Compared>,
    /// Which bill and which of its pairs, in the order in which they are shown.
    order: Vec<(usize, usize)>,
}

/// A page of pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairPage {
    /// Differences first, the most money at stake first.
    pub pairs: Vec<ShownPair>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<usize>,
}

impl Billing {
    /// Compares the imported bills of a period with its lines.
    ///
    /// # Errors
    /// [`ReportError`]; [`ReportError::TooMany`] lines.
    pub async fn reconciliation(
        &self,
        asking: &Asking<'_>,
        asked: ReconciliationAsked,
    ) -> Result<Reconciled, ReportError> {
        let heads = self.store().bills(asking.seller, Some(asked.period)).await?;
        let is_asked = |category| asked.category.is_none_or(|only| only == category);
        let heads: Vec<_> = heads.value.into_iter().filter(|head| is_asked(head.identity.category)).collect();
        let rows = self.store().periods(asking.seller).await?;
        let mut without_bill: BTreeMap<_, WithoutBill> = BTreeMap::new();
        for row in rows.value.iter().filter(|row| row.period == Some(asked.period) && is_asked(row.category)) {
            if heads.iter().all(|head| head.identity.category != row.category) {
                let category = row.category;
                without_bill.entry(category.code()).or_insert(WithoutBill { category, lines: 0 }).lines += row.lines;
            }
        }
        let (mut bills, mut hours) = (vec![], vec![]);
        for head in heads {
            let compared = self.compare(asking, asked.tolerance, head).await?;
            hours.extend(hours::of(asking, &compared));
            bills.push(compared);
        }
        let order = compare::order(&bills);
        let without_bill = without_bill.into_values().collect();
        Ok(Reconciled { period: asked.period, position: rows.position, without_bill, hours, bills, order })
    }

    async fn compare(
        &self,
        asking: &Asking<'_>,
        tolerance: Tolerance,
        head: BillHead,
    ) -> Result<Compared, ReportError> {
        let identity = head.identity.clone();
        let lines = self.expected_on(asking, &identity).await?;
        let rows = self.rows_of(&identity).await?;
        let bill = Bill { identity, rows: rows.values().map(|billed| billed.row.clone()).collect() };
        let tiers = asking.rules().terms.policy.tiers;
        let setting = compare::Setting { tolerance, tiers };
        let blank = Compared { head, bill, lines, rows, pairs: vec![], totals: BTreeMap::new() };
        // Many thousands of pairs take their time; others on this thread must not wait for it.
        let first = reckon(blank, setting.clone(), compare::Around::default()).await?;
        let around = self.around(asking, &first).await?;
        if around.is_empty() { Ok(first) } else { reckon(first, setting, around).await }
    }

    /// The lines expected on a bill.
    async fn expected_on(
        &self,
        asking: &Asking<'_>,
        identity: &BillIdentity,
    ) -> Result<BTreeMap<String, LineRow>, ReportError> {
        let rules = asking.rules();
        let mut query = every(asking, PeriodFilter::In(identity.period));
        query.category = Some(identity.category);
        let (mut slices, mut lines) = (Slices::of(self, query), BTreeMap::new());
        while let Some(rows) = slices.next().await? {
            for mut row in rows {
                let readiness = stand(&row, &rules, asking.now);
                if readiness.expected == Some(identity.period) {
                    row.drawn.line.blocked_reason = readiness.blocked.first().copied();
                    lines.insert(row.line().line_id.clone(), row);
                }
            }
            if lines.len() > MOST_LINES {
                return Err(ReportError::TooMany { what: "lines to reconcile", most: MOST_LINES });
            }
        }
        Ok(lines)
    }

    pub(super) async fn rows_of(
        &self,
        identity: &BillIdentity,
    ) -> Result<BTreeMap<u32, crate::rows::BilledRow>, ReportError> {
        let (mut rows, mut after) = (BTreeMap::new(), 0);
        loop {
            let slice = self.store().bill_rows(identity, after, SLICE).await?;
            let is_last = slice.len() < SLICE;
            for billed in slice {
                after = after.max(billed.row.row);
                rows.insert(billed.row.row, billed);
            }
            if is_last {
                return Ok(rows);
            }
        }
    }

    /// What is known elsewhere of the orders whose lines or rows stand alone.
    async fn around(&self, asking: &Asking<'_>, compared: &Compared) -> Result<compare::Around, ReportError> {
        let orders = compared.orders_alone();
        let mut around = compare::Around::default();
        for some in orders.chunks(SLICE) {
            for mut row in self.store().lines_of_orders(asking.seller, some).await? {
                if !compared.lines.contains_key(&row.line().line_id) {
                    let readiness = stand(&row, &asking.rules(), asking.now);
                    row.drawn.line.blocked_reason = readiness.blocked.first().copied();
                    around.add_line(row, readiness.expected);
                }
            }
            for billed in self.store().rows_of_orders(asking.seller, some).await? {
                if billed.identity != compared.bill.identity {
                    around.add_row(billed);
                }
            }
        }
        Ok(around)
    }
}

async fn reckon(
    compared: Compared,
    setting: compare::Setting,
    around: compare::Around,
) -> Result<Compared, ReportError> {
    let reckoned = tokio::task::spawn_blocking(move || compared.reckoned(&setting, &around)).await;
    reckoned.map_err(|_| ReportError::Unfinished)?
}

impl Reconciled {
    /// Each bill with its totals.
    #[must_use]
    pub fn bills(&self) -> Vec<BillCompared> {
        self.bills.iter().map(BillCompared::of).collect()
    }

    /// A page of pairs from a place on; `differences` leaves out what matches.
    #[must_use]
    pub fn page(&self, from: usize, limit: usize, differences: bool) -> PairPage {
        let pairs = || self.order.iter().filter_map(|(bill, pair)| self.at(*bill, *pair));
        let shown = pairs().filter(|(_, pair)| !differences || !pair.outcome.is_matched());
        let mut rest = shown.skip(from);
        let pairs: Vec<_> = rest.by_ref().take(limit).map(|(compared, pair)| ShownPair::of(compared, pair)).collect();
        let next = rest.next().map(|_| from.saturating_add(pairs.len()));
        PairPage { pairs, next }
    }

    /// A pair by what its lines and rows have in common.
    #[must_use]
    pub fn pair(&self, category: Category, key: &Key, currency: Currency) -> Option<&Pair> {
        let compared = self.bills.iter().find(|compared| compared.bill.identity.category == category)?;
        compared.pairs.iter().find(|pair| pair.key == *key && pair.currency == currency)
    }

    fn at(&self, bill: usize, pair: usize) -> Option<(&Compared, &Pair)> {
        let compared = self.bills.get(bill)?;
        Some((compared, compared.pairs.get(pair)?))
    }
}
