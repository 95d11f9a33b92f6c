//! On which bills a sale and its refunds are: by their readiness, by what the marketplace stated, together where one
//! was given back before it was billed; and never in a month that was closed before.

use super::Books;
use super::returns::Return;
use super::sale::Sale;
use crate::settlement::calendar::Period;
use crate::settlement::policy::Pairing;
use crate::settlement::readiness::OnBill;
use crate::settlement::refund::pairing;

/// Where a sale and its refunds go.
pub(super) struct Placed {
    /// The sale's period; `None` while it cannot be said.
    pub(super) period: Option<Period>,
    /// Whether it was given back in full before it was on a bill.
    pub(super) with_refund: bool,
    /// The refunds' periods, in their order.
    pub(super) refunds: Vec<Refunded>,
}

/// Where a refund goes.
#[derive(Clone, Copy)]
pub(super) struct Refunded {
    /// Its period; `None` while it cannot be said.
    pub(super) period: Option<Period>,
    /// Whether it waits for what its original waits for: part of something was given back that is not settled yet.
    pub(super) waits: bool,
}

/// Places a sale and the refunds of it, earliest first.
pub(super) fn sale(sale: &Sale<'_>, returns: &[&Return<'_, '_>], books: &Books<'_>) -> Placed {
    let on_bill = match (books.closed_in)(&sale.known.line_id) {
        Some(closed) => OnBill::Billed(closed),
        None => sale.known.on_bill(),
    };
    if let OnBill::Billed(period) = on_bill {
        let refunds = returns.iter().map(|refund| refunded(refund, on_bill, Some(period), books)).collect();
        return Placed { period: Some(period), with_refund: false, refunds };
    }
    let own = sale.ready_in.map(|own| open(own, books));
    let (mut period, mut with_refund) = (own, false);
    for refund in returns {
        let Some(at) = refund.at.map(|at| at.value) else { continue };
        if refund.completes || own.is_some_and(|own| own <= Period::of(at)) {
            let schedule = refund.refund.seller.schedule(books.working_days);
            let has_run = own.is_some_and(|own| schedule.run(own).starts_at() <= at);
            with_refund = refund.completes && !(has_run && on_bill == OnBill::Unknown);
            period = Some(open(pairing::place(on_bill, own, at, &schedule, refund.refund.policy()).original, books));
            break;
        }
    }
    let refunds = returns.iter().map(|refund| refunded(refund, on_bill, period, books)).collect();
    Placed { period, with_refund, refunds }
}

/// Places a refund whose original is in a period.
fn refunded(refund: &Return<'_, '_>, on_bill: OnBill, original: Option<Period>, books: &Books<'_>) -> Refunded {
    let settled = |period| Refunded { period, waits: false };
    if let Some(stated) = decided(refund, books) {
        return settled(Some(stated));
    }
    let Some(at) = refund.at.map(|at| at.value) else { return settled(None) };
    let policy = refund.refund.policy();
    let waits = !refund.completes && original.is_none_or(|original| original > Period::of(at));
    if waits && policy.pairing == Pairing::Together && !matches!(on_bill, OnBill::Billed(_)) {
        return Refunded { period: original, waits };
    }
    let schedule = refund.refund.seller.schedule(books.working_days);
    let placed = original.map(|original| {
        let on_bill = if on_bill == OnBill::Unbilled { OnBill::Unknown } else { on_bill };
        pairing::place(on_bill, Some(original), at, &schedule, policy).refund.max(original)
    });
    settled(Some(open(placed.unwrap_or(Period::of(at)), books)))
}

/// Places a refund whose original is not known: into its month, since it may be of something that was settled.
pub(super) fn alone(refund: &Return<'_, '_>, books: &Books<'_>) -> Option<Period> {
    let month = refund.at.map(|at| Period::of(at.value));
    decided(refund, books).or(month.map(|month| open(month, books)))
}

/// What was closed, or stated, is no matter of rules.
fn decided(refund: &Return<'_, '_>, books: &Books<'_>) -> Option<Period> {
    let stated = if let OnBill::Billed(period) = refund.refund.on_bill() { Some(period) } else { None };
    (books.closed_in)(&refund.line_id).or(stated)
}

/// The first period from this one on that is not closed.
fn open(mut period: Period, books: &Books<'_>) -> Period {
    while books.closed.contains(&period) && period.next() > period {
        period = period.next();
    }
    period
}
