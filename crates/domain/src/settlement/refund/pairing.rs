//! On which bills a refund and its original are (S3, S8).

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::settlement::calendar::{Period, Schedule};
use crate::settlement::policy::{Pairing, Policy, SetOff};
use crate::settlement::readiness::OnBill;

/// Where both lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// The original.
    pub original: Period,
    /// The refund. If that bill has been run when we hear of it, it is on the next one.
    pub refund: Period,
}

/// Places a refund and its original (CONSTRUCTED). `ready_in` is the period the original would be settled in by itself,
/// if that can be said.
///
/// - On no bill yet: both together, on the bill of the month of the refund, or on the original's if that is earlier
///   and not run yet. Or, by strict months, each in its own; an original never after its refund.
/// - On a bill: that stays as it is, and the refund is set off in its own month or the next.
#[must_use]
pub fn place(
    on_bill: OnBill,
    ready_in: Option<Period>,
    refunded_at: DateTime<Utc>,
    schedule: &Schedule<'_>,
    policy: &Policy,
) -> Placement {
    let month = Period::of(refunded_at);
    let has_run = |period: &Period| schedule.run(*period).starts_at() <= refunded_at;
    let billed = match on_bill {
        OnBill::Billed(period) => Some(period),
        OnBill::Unbilled => None,
        OnBill::Unknown => ready_in.filter(has_run),
    };
    if let Some(original) = billed {
        let refund = match policy.set_off {
            SetOff::CurrentMonth => month,
            SetOff::NextMonth => month.next(),
        };
        return Placement { original, refund: refund.max(original) };
    }
    let original = ready_in.filter(|period| !has_run(period)).map_or(month, |own| own.min(month));
    let refund = match policy.pairing {
        Pairing::Together => original,
        Pairing::StrictMonths => month,
    };
    Placement { original, refund }
}
