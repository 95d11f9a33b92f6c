//! How a stored line stands at a moment.

use chopmark_domain::settlement::calendar::Schedule;
use chopmark_domain::settlement::policy::Policy;
use chopmark_domain::settlement::readiness::{Blocked, OnBill, Readiness, assess};
use chrono::{DateTime, Utc};

use super::Rules;
use crate::rows::LineRow;

/// When a line is settled, and what it waits for. Unlike [`assess`] alone it knows what the books decided: a refund that
/// goes on the bill of its purchase, a closed month that takes nothing more.
pub(crate) fn stand(row: &LineRow, rules: &Rules, now: DateTime<Utc>) -> Readiness {
    standing(row, &rules.terms.policy, &rules.schedule(), now)
}

fn standing(row: &LineRow, policy: &Policy, schedule: &Schedule<'_>, now: DateTime<Utc>) -> Readiness {
    let drawn = &row.drawn;
    let mut readiness = assess(&drawn.conditions, drawn.on_bill, policy, schedule, now);
    readiness.blocked.retain(|reason| *reason != Blocked::RunNotReached);
    let planned = drawn.line.period.or(readiness.period);
    let can_be_billed = drawn.conditions.seller_certified != Some(false);
    let is_settled = row.closed_in.is_some() || matches!(drawn.on_bill, OnBill::Billed(_));
    readiness.expected = match (row.closed_in, drawn.on_bill) {
        (Some(closed), _) => Some(closed),
        (None, OnBill::Billed(period)) => Some(period),
        // It is on the bill of its refund, whatever else it would have waited for.
        (None, OnBill::Unknown) if drawn.with_refund => planned,
        (None, OnBill::Unknown) if can_be_billed => planned,
        (None, OnBill::Unbilled | OnBill::Unknown) => planned.map(|period| period.max(schedule.open_period(now))),
    };
    readiness.run = readiness.expected.map(|period| schedule.run(period));
    if is_settled || drawn.with_refund {
        readiness.blocked.clear();
    }
    if !is_settled && readiness.blocked.is_empty() && readiness.run.is_some_and(|run| now < run.starts_at()) {
        readiness.blocked.push(Blocked::RunNotReached);
    }
    readiness
}
