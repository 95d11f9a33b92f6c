//! Which lines a refund may be of.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::ids::OrderLineId;
use crate::settlement::books::known::{Known, takes_back};
use crate::settlement::books::sale::Sale;
use crate::settlement::books::{Named, Part};
use crate::settlement::policy::UpgradedRefund;
use crate::settlement::product::LineType;
use crate::stream::LicenseId;

/// The sales that a refund may be of, by their places, that which it names or most likely is of first. Empty if no line
/// that is known here is given back.
pub(super) fn originals(
    refund: &Known<'_>,
    at: Option<DateTime<Utc>>,
    sales: &[Sale<'_>],
    refunds: &[Known<'_>],
) -> Vec<usize> {
    let place = |line: &OrderLineId| sales.iter().position(|sale| sale.known.order_line_id() == Some(line));
    let stated = refund.facts.stated.original_order_line_id.as_ref();
    let first = match stated.map(place) {
        None => None,
        Some(None) => return vec![],
        Some(Some(first)) => Some(first),
    };
    let found = match refund.named() {
        Some(Named { part: Part::RenewalCancelled, license, .. }) if first.is_none() => {
            renewals_ahead(&Owned { license, at, sales })
        }
        Some(Named { part: Part::RenewalCancelled, .. }) | None => vec![],
        Some(Named { license, .. }) => {
            let every_order = refund.policy().upgraded_refund == UpgradedRefund::EveryOrder;
            instance(&Owned { license, at, sales }, every_order)
        }
    };
    let first = first.or(found.first().copied());
    // What another refund names is not of this one too.
    let others = refunds.iter().filter(|other| other.line_id != refund.line_id);
    let claimed: BTreeSet<usize> =
        others.filter_map(|other| place(other.facts.stated.original_order_line_id.as_ref()?)).collect();
    let rest = found.into_iter().filter(|sale| Some(*sale) != first && !claimed.contains(sale));
    first.into_iter().chain(rest).collect()
}

/// What a license was made of when it was given back.
struct Owned<'s, 'a> {
    license: &'s LicenseId,
    at: Option<DateTime<Utc>>,
    sales: &'s [Sale<'a>],
}

impl Owned<'_, '_> {
    /// Sales of some kinds, in the order they take effect, then in that they were bought.
    fn of_kinds(&self, kinds: &[LineType]) -> Vec<usize> {
        let mut found: Vec<_> = (0..self.sales.len())
            .filter(|sale| kinds.contains(&self.sales[*sale].known.line_type) && self.is_part(*sale))
            .collect();
        found.sort_by_key(|sale| {
            let sale = &self.sales[*sale];
            (sale.effective_at(), sale.known.bought_at(), sale.known.line_id.clone())
        });
        found
    }

    /// Whether a sale was one of this license by then. What no callback named is in this case for no other reason.
    fn is_part(&self, sale: usize) -> bool {
        let known = &self.sales[sale].known;
        let by_then = |at: DateTime<Utc>| self.at.is_none_or(|given_back| at <= given_back);
        let mut named = known.facts.named.iter().filter(|named| !takes_back(named.part)).peekable();
        match named.peek() {
            Some(_) => named.any(|named| named.license == *self.license && by_then(named.acknowledged_at)),
            None => known.bought_at().is_none_or(by_then),
        }
    }

    fn is_ahead(&self, sale: usize) -> bool {
        let effective = self.sales[sale].conditions.effective;
        self.at.is_some_and(|at| effective.is_ahead_of(at))
    }
}

/// A whole instance: the term that runs, every change of it if refunds take those too, and renewals that have not begun
/// (S26). What an earlier term bought is used up.
fn instance(owned: &Owned<'_, '_>, every_order: bool) -> Vec<usize> {
    let bought = owned.of_kinds(&[LineType::New, LineType::TrialConvert, LineType::Package]);
    let renewals = owned.of_kinds(&[LineType::Renew]);
    let (ahead, begun): (Vec<_>, Vec<_>) = renewals.into_iter().partition(|sale| owned.is_ahead(*sale));
    let Some(running) = begun.last().or(bought.last()).copied() else { return vec![] };
    let since = if begun.is_empty() { None } else { owned.sales[running].effective_at() };
    let of_the_term = |sale: &usize| owned.sales[*sale].effective_at() >= since;
    let changes = owned.of_kinds(&[LineType::Change]).into_iter().filter(of_the_term).filter(|_| every_order);
    std::iter::once(running).chain(changes).chain(ahead).collect()
}

/// Renewals that had not begun, the last one first; if all had, the last one.
fn renewals_ahead(owned: &Owned<'_, '_>) -> Vec<usize> {
    let renewals = owned.of_kinds(&[LineType::Renew]);
    let mut ahead: Vec<_> = renewals.iter().copied().filter(|sale| owned.is_ahead(*sale)).collect();
    ahead.reverse();
    if ahead.is_empty() { renewals.last().copied().into_iter().collect() } else { ahead }
}
