//! How much of a customer's yearly quota of no-reason refunds is known to be used. Only shown: other services of the
//! cloud use it too, so it never explains away a refund that was reported.

use chopmark_domain::settlement::calendar::beijing;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::product::LineType;
use chopmark_domain::settlement::refund::rules::{Answer, Grounds, Quota, yearly_quota};
use chrono::{DateTime, Datelike, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::lines::{Slices, every};
use super::{Asking, Billing, ReportError};
use crate::rows::LineRow;
use crate::store::{LineQuery, PeriodFilter};

/// Refunds of a seller that are looked at. Beyond these more of the quota may be used than is told.
const LOOKED_AT: usize = 20_000;

/// What is known of a customer's quota in the calendar year of a refund, from 1 January in Beijing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefundQuota {
    /// The year.
    #[schema(example = 2024)]
    pub year: i32,
    /// No-reason refunds of the customer that are known of, this one among them; resources bought together count once.
    pub used: usize,
    /// How many one account has.
    #[schema(example = 10)]
    pub allowed: usize,
    /// At most so many are left: other services of the cloud use the quota too.
    pub left: usize,
}

/// The customer of a refund within five days, and when it was granted; `None` for any other line.
fn quota_of(row: &LineRow) -> Option<(&str, DateTime<Utc>)> {
    let line: &SettlementLine = row.line();
    let counts =
        line.line_type == LineType::Refund && row.drawn.refund_rule == Some(Answer::Full(Grounds::WithinFiveDays));
    let customer = line.customer_id.as_deref().filter(|_| counts)?;
    Some((customer, line.effective_at?.value))
}

/// What was given back: all lines of one refund are one resource.
fn resource(row: &LineRow) -> String {
    let line = row.line();
    line.order_line_id.as_ref().map_or_else(|| line.line_id.clone(), ToString::to_string)
}

impl Billing {
    /// The quota that a refund used; `None` for lines that use none, and where the customer is not known.
    pub(super) async fn refund_quota(
        &self,
        asking: &Asking<'_>,
        row: &LineRow,
    ) -> Result<Option<RefundQuota>, ReportError> {
        let Some((customer, at)) = quota_of(row) else { return Ok(None) };
        let refunds = LineQuery { line_type: Some(LineType::Refund), ..every(asking, PeriodFilter::Any) };
        let (mut slices, mut used, mut looked_at) = (Slices::of(self, refunds), vec![], 0);
        while looked_at < LOOKED_AT
            && let Some(rows) = slices.next().await?
        {
            looked_at += rows.len();
            let of_customer = rows.iter().filter_map(|row| {
                let (of, at) = quota_of(row)?;
                (of == customer).then(|| (resource(row), at))
            });
            used.extend(of_customer);
        }
        used.push((resource(row), at));
        let year = beijing(at).year();
        let Quota { used, allowed, left } = yearly_quota(&used, year);
        Ok(Some(RefundQuota { year, used, allowed, left }))
    }
}
