//! Why something is on one side only: what is known of it on other bills, in other periods, of other sellers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Groups;
use super::cause::{Cause, Condition};
use super::key::{Key, Keys};
use crate::ids::{OrderLineId, SellerId};
use crate::settlement::bill::{BillIdentity, BillRow};
use crate::settlement::calendar::Period;
use crate::settlement::line::SettlementLine;
use crate::settlement::marked::{Mark, Marked};
use crate::settlement::money::Currency;
use crate::settlement::product::LineType;
use crate::settlement::readiness::Blocked;

/// A line that is not expected on the bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineElsewhere {
    /// Whose it is.
    pub seller: SellerId,
    /// The line, with its own category and period.
    pub line: SettlementLine,
}

/// A row of another bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowElsewhere {
    /// Which bill.
    pub bill: BillIdentity,
    /// The row.
    pub row: BillRow,
}

/// What is known besides the bill and its lines. Sellers are walls: whoever may not see another seller's lines is
/// given none of them here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Elsewhere<'a> {
    /// Lines of other periods, categories and sellers, as far as they name an order of the bill.
    pub lines: &'a [LineElsewhere],
    /// Rows of other bills, as far as they name an order of the lines or of the bill.
    pub rows: &'a [RowElsewhere],
}

/// All of it, by key.
pub(super) struct Surroundings<'a> {
    bill: &'a BillIdentity,
    groups: &'a Groups<'a>,
    currencies: BTreeMap<&'a Key, Vec<Currency>>,
    lines: BTreeMap<Key, Vec<&'a LineElsewhere>>,
    rows: BTreeMap<Key, Vec<&'a RowElsewhere>>,
    /// Order lines of which a purchase is on the bill; of which a refund is.
    sold_on_bill: BTreeSet<&'a str>,
    refunded_on_bill: BTreeSet<&'a str>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(bill: &'a BillIdentity, groups: &'a Groups<'a>, keys: &Keys, elsewhere: Elsewhere<'a>) -> Self {
        let (mut lines, mut rows): (BTreeMap<_, Vec<_>>, BTreeMap<_, Vec<_>>) = Default::default();
        for found in elsewhere.lines {
            lines.entry(keys.of_line(&found.line)).or_default().push(found);
        }
        for found in elsewhere.rows {
            rows.entry(keys.of_row(&found.row)).or_default().push(found);
        }
        for found in lines.values_mut() {
            found.sort_by(|one, other| (&one.seller, &one.line.line_id).cmp(&(&other.seller, &other.line.line_id)));
        }
        for found in rows.values_mut() {
            found.sort_by(|one, other| (&one.bill, one.row.row).cmp(&(&other.bill, other.row.row)));
        }
        let mut currencies: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let (mut sold_on_bill, mut refunded_on_bill) = (BTreeSet::new(), BTreeSet::new());
        for ((key, currency), group) in groups {
            currencies.entry(key).or_default().push(*currency);
            match key {
                Key::Line(id) if !group.rows.is_empty() => drop(sold_on_bill.insert(id.as_str())),
                Key::RefundOf(id) if !group.rows.is_empty() => drop(refunded_on_bill.insert(id.as_str())),
                _ => {}
            }
        }
        Self { bill, groups, currencies, lines, rows, sold_on_bill, refunded_on_bill }
    }

    /// Why lines are on no row.
    pub(super) fn why_missing(&self, key: &Key, currency: Currency, lines: &[&SettlementLine]) -> Vec<Cause> {
        let cause = self
            .other_currency(key, currency)
            .or_else(|| self.billed_elsewhere(key, lines))
            .or_else(|| lines.iter().find_map(|line| still_blocked(line)))
            .or_else(|| self.unpaired(key))
            .or_else(|| lines.iter().find_map(|line| estimated(line)));
        vec![cause.unwrap_or(Cause::Unexplained)]
    }

    /// Why rows belong to no line.
    pub(super) fn why_unknown(&self, key: &Key, currency: Currency, rows: &[&BillRow]) -> Vec<Cause> {
        let also_in = self.other_bills(key, rows);
        let billed_before = (!also_in.is_empty()).then_some(Cause::Duplicate { also_in });
        let cause = self
            .other_currency(key, currency)
            .or(billed_before)
            .or_else(|| self.expected_elsewhere(key, rows))
            .or_else(|| self.unheard_refund(key))
            .or_else(|| matches!(key, Key::Adjustment(_)).then_some(Cause::Correction));
        vec![cause.unwrap_or(Cause::NotHeardOf)]
    }

    fn other_currency(&self, key: &Key, currency: Currency) -> Option<Cause> {
        let others = self.currencies.get(key)?;
        let other = others.iter().find(|other| **other != currency)?;
        Some(Cause::OtherCurrency { currency: *other })
    }

    /// Periods of this seller's other bills that have one of the rows too.
    fn other_bills(&self, key: &Key, rows: &[&BillRow]) -> Vec<Period> {
        // Consumption and corrections come every month: they are no duplicates.
        if !matches!(key, Key::Line(_) | Key::RefundOf(_) | Key::Order(_)) {
            return vec![];
        }
        let own = |row: &&BillRow| row.order_line_id.clone();
        let found = self.rows_elsewhere(key, rows.iter().map(own).collect());
        let bills = found.filter(|found| found.bill.seller == self.bill.seller);
        let periods = bills.map(|found| found.bill.period).filter(|period| *period != self.bill.period);
        periods.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Rows of other bills that one of these order lines may be on.
    fn rows_elsewhere(&self, key: &Key, own: Vec<Option<OrderLineId>>) -> impl Iterator<Item = &'a RowElsewhere> {
        let (month, is_monthly, is_refund) = (self.bill.period, is_monthly(key), matches!(key, Key::RefundOf(_)));
        let found = self.rows.get(key).into_iter().flatten().copied();
        let found = found.filter(move |found| !is_monthly || found.bill.period == month);
        found.filter(move |found| !is_refund || may_be_one_of(found.row.order_line_id.as_ref(), &own))
    }

    fn billed_elsewhere(&self, key: &Key, lines: &[&SettlementLine]) -> Option<Cause> {
        let own = |line: &&SettlementLine| line.order_line_id.clone();
        let other = self.rows_elsewhere(key, lines.iter().map(own).collect()).next()?;
        if other.bill.seller != self.bill.seller {
            return Some(Cause::OtherSeller { seller: other.bill.seller.clone() });
        }
        if other.bill.period == self.bill.period {
            return Some(Cause::OtherCategory { category: other.bill.category });
        }
        let period = other.bill.period;
        if let Some(pairing) = self.half(key, period) {
            return Some(pairing);
        }
        let because = lines.iter().find_map(|line| differing(line, &other.row, period));
        let because = because.or_else(|| lines.iter().find_map(|line| deciding(line)));
        Some(Cause::OtherPeriod { period: Some(period), because })
    }

    fn expected_elsewhere(&self, key: &Key, rows: &[&BillRow]) -> Option<Cause> {
        let own: Vec<_> = rows.iter().map(|row| row.order_line_id.clone()).collect();
        let is_it = |found: &&&LineElsewhere| match key {
            Key::RefundOf(_) => may_be_one_of(found.line.order_line_id.as_ref(), &own),
            _ => !is_monthly(key) || found.line.period == Some(self.bill.period),
        };
        let found: Vec<_> = self.lines.get(key)?.iter().filter(is_it).collect();
        let ours = found.iter().find(|found| found.seller == self.bill.seller);
        let other = ours.or(found.first())?;
        if other.seller != self.bill.seller {
            return Some(Cause::OtherSeller { seller: other.seller.clone() });
        }
        let line = &other.line;
        let category = line.product_category.filter(|category| *category != self.bill.category);
        if let Some(category) = category.filter(|_| line.period == Some(self.bill.period)) {
            return Some(Cause::OtherCategory { category });
        }
        if let Some(pairing) = line.period.and_then(|period| self.half(key, period)) {
            return Some(pairing);
        }
        let because = rows.iter().find_map(|row| differing(line, row, self.bill.period));
        let because = because.or_else(|| line.blocked_reason.and_then(condition)).or_else(|| deciding(line));
        Some(Cause::OtherPeriod { period: line.period, because })
    }

    /// For one half of a purchase and its refund: whether the other half is on this bill, while this one belongs to
    /// another.
    fn half(&self, key: &Key, half_in: Period) -> Option<Cause> {
        let is_split = match key {
            Key::Line(id) => self.refunded_on_bill.contains(id.as_str()) && !self.sold_on_bill.contains(id.as_str()),
            Key::RefundOf(id) => self.sold_on_bill.contains(id.as_str()) || self.is_expected(&Key::Line(id.clone())),
            _ => false,
        };
        is_split.then_some(Cause::RefundPairing { half_in: Some(half_in) })
    }

    /// A purchase and its refund, both expected, of which not both are on the bill.
    fn unpaired(&self, key: &Key) -> Option<Cause> {
        let other = match key {
            Key::Line(id) => Key::RefundOf(id.clone()),
            Key::RefundOf(id) => Key::Line(id.clone()),
            _ => return None,
        };
        self.is_expected(&other).then_some(Cause::RefundPairing { half_in: None })
    }

    fn unheard_refund(&self, key: &Key) -> Option<Cause> {
        let Key::RefundOf(id) = key else { return None };
        let sale = Key::Line(id.clone());
        (self.is_expected(&sale) || self.lines.contains_key(&sale)).then_some(Cause::RefundNotHeardOf)
    }

    fn is_expected(&self, key: &Key) -> bool {
        let currencies = self.currencies.get(key).into_iter().flatten();
        currencies
            .into_iter()
            .any(|currency| self.groups.get(&(key.clone(), *currency)).is_some_and(|group| !group.lines.is_empty()))
    }
}

/// Whether it comes anew every month, so that only the same month's can be meant.
fn is_monthly(key: &Key) -> bool {
    matches!(key, Key::Usage(_) | Key::Adjustment(_))
}

/// Whether an order line is one of these, as far as both sides name it: an order line may be given back in parts.
fn may_be_one_of(own: Option<&OrderLineId>, others: &[Option<OrderLineId>]) -> bool {
    own.is_none() || others.iter().any(|other| other.is_none() || other.as_ref() == own)
}

/// What a line waits for, apart from the bill itself.
fn still_blocked(line: &SettlementLine) -> Option<Cause> {
    let reason = line.blocked_reason.filter(|reason| *reason != Blocked::RunNotReached)?;
    Some(Cause::StillBlocked { reason })
}

/// A line that is on no bill and whose deciding moment is ours: probably it comes true later.
fn estimated(line: &SettlementLine) -> Option<Cause> {
    if line.line_type == LineType::Adjustment {
        return None;
    }
    let (condition, moment) = latest(line)?;
    (moment.mark == Mark::Estimate).then_some(Cause::OtherPeriod { period: None, because: Some(condition) })
}

/// The condition that comes true last.
fn deciding(line: &SettlementLine) -> Option<Condition> {
    latest(line).map(|(condition, _)| condition)
}

fn latest(line: &SettlementLine) -> Option<(Condition, Marked<DateTime<Utc>>)> {
    let moments = [
        (Condition::Effective, line.effective_at),
        (Condition::Paid, line.paid_at),
        (Condition::Supervision, line.supervision_done_at),
    ];
    let known = moments.into_iter().filter_map(|(condition, moment)| Some((condition, moment?)));
    known.max_by_key(|(_, moment)| moment.value)
}

/// The condition that the row puts into its period, and we into another or into none.
fn differing(line: &SettlementLine, row: &BillRow, rows_period: Period) -> Option<Condition> {
    let differs = |ours: Option<Marked<DateTime<Utc>>>, theirs: Option<DateTime<Utc>>| {
        let theirs = theirs.map(Period::of);
        theirs == Some(rows_period) && ours.map(|ours| Period::of(ours.value)) != theirs
    };
    [
        (differs(line.supervision_done_at, row.supervision_done_at), Condition::Supervision),
        (differs(line.paid_at, row.paid_at), Condition::Paid),
        (differs(line.effective_at, row.effective_at), Condition::Effective),
    ]
    .into_iter()
    .find_map(|(differs, condition)| differs.then_some(condition))
}

/// The condition that a line of ours waits for.
fn condition(blocked: Blocked) -> Option<Condition> {
    match blocked {
        Blocked::NotEffective => Some(Condition::Effective),
        Blocked::UnpaidCredit => Some(Condition::Paid),
        Blocked::SupervisionOpen => Some(Condition::Supervision),
        Blocked::SellerNotCertified | Blocked::GuaranteeOpen | Blocked::FactsMissing | Blocked::RunNotReached => None,
    }
}
