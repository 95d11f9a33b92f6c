//! One bill with everything that it is compared with.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::ids::{OrderId, OrderLineId};
use chopmark_domain::settlement::bill::{Bill, BillRow};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::formula::tier::Tiers;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::reconciliation::elsewhere::{Elsewhere, LineElsewhere, RowElsewhere};
use chopmark_domain::settlement::reconciliation::{Pair, Reconciling, Tolerance, Totals, reconcile};

use crate::report::ReportError;
use crate::rows::{BillHead, BilledRow, LineRow};

/// Digits of the number of a line within its order, as the marketplace writes order line ids: `CS…-000001`.
const LINE_DIGITS: usize = 6;

/// By which rules a bill is compared.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) tolerance: Tolerance,
    pub(super) tiers: Tiers,
}

/// What is known besides a bill and its lines.
#[derive(Default)]
pub(super) struct Around {
    lines: Vec<LineElsewhere>,
    rows: Vec<RowElsewhere>,
}

impl Around {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.rows.is_empty()
    }

    /// A line as it is expected now.
    pub(super) fn add_line(&mut self, row: LineRow, expected: Option<Period>) {
        let line = SettlementLine { period: expected, ..row.drawn.line };
        self.lines.push(LineElsewhere { seller: row.seller, line });
    }

    pub(super) fn add_row(&mut self, billed: BilledRow) {
        self.rows.push(RowElsewhere { bill: billed.identity, row: billed.row });
    }
}

/// A bill, the lines expected on it, and what came of comparing them.
pub(super) struct Compared {
    pub(super) head: BillHead,
    pub(super) bill: Bill,
    pub(super) lines: BTreeMap<String, LineRow>,
    pub(super) rows: BTreeMap<u32, BilledRow>,
    pub(super) pairs: Vec<Pair>,
    pub(super) totals: BTreeMap<Currency, Totals>,
}

impl Compared {
    pub(super) fn reckoned(self, setting: &Setting, around: &Around) -> Result<Self, ReportError> {
        let lines: Vec<_> = self.lines.values().map(|row| row.line().clone()).collect();
        let reconciling = Reconciling {
            bill: &self.bill,
            lines: &lines,
            elsewhere: Elsewhere { lines: &around.lines, rows: &around.rows },
            tolerance: setting.tolerance,
            tiers: &setting.tiers,
        };
        let reconciliation = reconcile(&reconciling)?.judged_by(&self.head.judgements);
        Ok(Self { pairs: reconciliation.pairs, totals: reconciliation.totals, ..self })
    }

    /// The orders of lines without a row and of rows without a line.
    pub(super) fn orders_alone(&self) -> Vec<OrderId> {
        let alone = || self.pairs.iter().filter(|pair| pair.lines.is_empty() || pair.rows.is_empty());
        let lines = alone().flat_map(|pair| &pair.lines).filter_map(|id| self.lines.get(id)?.line().order_id.clone());
        let rows = alone().flat_map(|pair| &pair.rows).filter_map(|number| self.rows.get(number));
        let orders: BTreeSet<_> = lines.chain(rows.flat_map(|billed| orders_of(&billed.row))).collect();
        orders.into_iter().collect()
    }
}

/// The order that a row names, and those that its order lines are lines of.
fn orders_of(row: &BillRow) -> Vec<OrderId> {
    let lines = [&row.order_line_id, &row.original_order_line_id].into_iter().flatten();
    row.order_id.iter().cloned().chain(lines.filter_map(order_of_line)).collect()
}

/// The order that an order line's id begins with, as the marketplace makes them (`CS1-000001`, S29).
pub(crate) fn order_of_line(line: &OrderLineId) -> Option<OrderId> {
    let (order, number) = line.as_str().rsplit_once('-')?;
    let is_number = number.len() == LINE_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { OrderId::parse(order).ok() } else { None }
}

/// The pairs of all bills in the order in which they are shown.
pub(super) fn order(bills: &[Compared]) -> Vec<(usize, usize)> {
    let places = bills.iter().enumerate().flat_map(|(bill, compared)| {
        compared.pairs.iter().enumerate().map(move |(place, pair)| {
            let at_stake = pair.outcome.at_stake().abs();
            ((pair.outcome.is_matched(), Reverse(at_stake), bill, place), (bill, place))
        })
    });
    let mut places: Vec<_> = places.collect();
    places.sort_unstable();
    places.into_iter().map(|(_, place)| place).collect()
}
