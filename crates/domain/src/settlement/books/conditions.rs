//! What decides when a line is settled: as stated, or estimated from our acknowledgements, or not known.

use super::known::{Known, last_second};
use crate::settlement::calendar::Period;
use crate::settlement::marked::{Happening, Mark, Marked};
use crate::settlement::policy::UnstatedPayment;
use crate::settlement::product::{AccessType, LineType};
use crate::settlement::readiness::{Conditions, Supervision};
use crate::settlement::refund::rules::{Rule, rule_of};
use crate::settlement::statement::When;

/// What decides when a line is settled.
pub(super) fn of(known: &Known<'_>) -> Conditions {
    let effective = effective(known);
    Conditions {
        effective,
        paid_in_full: paid(known, effective),
        supervision: supervision(known),
        seller_certified: known.certified,
        five_day_refund: known.line_type == LineType::New
            && matches!(rule(known), Some(Rule::FiveDays | Rule::LikeCloudResources)),
    }
}

/// When it takes effect: our acknowledgement of what was bought or given back; of a renewal, the end of the term before
/// it. Consumption belongs to its month whatever else is said (S3, S7).
pub(super) fn effective(known: &Known<'_>) -> Happening {
    if let Some(month) = known.consumed_in() {
        return consumed(known, month);
    }
    match known.facts.stated.effective {
        Some(When::At(at)) => return Happening::At(Marked::stated(at)),
        Some(When::NotYet) => return Happening::NotYet,
        Some(When::NotApplicable) | None => {}
    }
    let estimate = known.named().map(|named| match known.line_type {
        LineType::Renew => named.expiry_before.unwrap_or(named.acknowledged_at),
        _ => named.acknowledged_at,
    });
    estimate.map_or(Happening::Unknown, |at| Happening::At(Marked::estimate(at)))
}

/// Within the month of the consumption: as stated, else its last second, which is no estimate where the marketplace
/// stated what was consumed.
fn consumed(known: &Known<'_>, month: Period) -> Happening {
    let stated = &known.facts.stated;
    match stated.effective {
        Some(When::At(at)) if month.bounds().contains(&at) => Happening::At(Marked::stated(at)),
        _ => {
            let mark = if stated.sales_amount.is_some() { Mark::Stated } else { Mark::Estimate };
            Happening::At(Marked { value: last_second(month), mark })
        }
    }
}

/// When it is paid. Consumption is taken from the balance as it happens, and a refund is paid when it is granted; what
/// else nobody stated goes by the policy.
fn paid(known: &Known<'_>, effective: Happening) -> Happening {
    match known.facts.stated.paid_in_full {
        Some(When::At(at)) => return Happening::At(Marked::stated(at)),
        Some(When::NotYet) => return Happening::NotYet,
        Some(When::NotApplicable) | None => {}
    }
    if matches!(known.line_type, LineType::Usage | LineType::Refund) {
        return effective;
    }
    if known.policy().unstated_payment == UnstatedPayment::Unknown {
        return Happening::Unknown;
    }
    let provisioned = if known.line_type == LineType::Renew { None } else { effective.at() };
    let at = known.named().map(|named| named.acknowledged_at).or(provisioned.map(|at| at.value));
    at.map_or(Happening::Unknown, |at| Happening::At(Marked::estimate(at)))
}

/// Acceptance is only ever stated. Of a product that is not known it cannot be said whether there is one.
fn supervision(known: &Known<'_>) -> Supervision {
    match known.facts.stated.supervision {
        Some(When::At(at)) => return Supervision::Until(Happening::At(Marked::stated(at))),
        Some(When::NotYet) => return Supervision::Until(Happening::NotYet),
        Some(When::NotApplicable) => return Supervision::NotApplicable,
        None => {}
    }
    let never = matches!(
        known.line_type,
        LineType::Renew | LineType::Usage | LineType::Refund | LineType::Downgrade | LineType::Adjustment
    );
    let is_supervised = |access: AccessType| access.is_supervised(known.agreed_supervision(), known.line_type);
    if never || known.access().is_some_and(|access| !is_supervised(access)) {
        Supervision::NotApplicable
    } else {
        Supervision::Until(Happening::Unknown)
    }
}

/// The rule by which it can be given back; `None` if the pages do not say, or its product is not known.
pub(super) fn rule(known: &Known<'_>) -> Option<Rule> {
    let edition = known.policy().international_refunds;
    rule_of(known.seller.site, known.access()?, known.mode()?, known.agreed_supervision(), edition)
}
