//! Settlement lines as they stand now: each with what it waits for, since when, and what it is known from.

use chopmark_domain::settlement::books::Source;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::explanation::Step;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::readiness::{AgeBucket, Blocked, Missing};
use chopmark_domain::settlement::refund::rules::{Answer, Grounds, Refusal};
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::quota::RefundQuota;
use super::schema::{ColumnFields, LineFields};
use super::standing::stand;
use super::underway::Underway;
use super::{Asking, Billing, ReportError, Rules, Run, SLICE, schema};
use crate::rows::LineRow;
use crate::store::{LineQuery, PeriodFilter, Read};

/// Lines that one page looks at in search of those that wait for something. A page may end early, and go on with the
/// next.
const LOOKED_AT: usize = 20_000;

/// An event of the log that something is known from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Behind {
    /// Its place in the log.
    #[schema(pattern = "^[0-9]{1,20}$", example = "1274")]
    pub position: String,
    /// Its id.
    pub event_id: String,
    /// What happened, with a version.
    #[schema(example = "order_facts_recorded.v1")]
    pub kind: String,
    /// The stream that it is on.
    pub stream: String,
    /// The row of the imported file, as a spreadsheet counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
}

impl From<&Source> for Behind {
    fn from(source: &Source) -> Self {
        let Source { position, event_id, kind, stream, row } = source.clone();
        Self { position: position.to_string(), event_id, kind, stream, row }
    }
}

/// What the rules say to a refund. Only shown, since it is the marketplace that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefundRule {
    /// `full`, `negotiable`, `prorated`, `refused`, or `unknown` where the marketplace's pages do not say or a fact is
    /// missing.
    #[schema(example = "refused")]
    pub answer: &'static str,
    /// Why all of it or nothing: `within_five_days`, `not_effective`; `not_refundable`, `window_over`,
    /// `renewal_effective`, `guarantee_over`, `expired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "window_over")]
    pub because: Option<&'static str>,
}

impl From<Answer> for RefundRule {
    fn from(answer: Answer) -> Self {
        let (answer, because) = match answer {
            Answer::Full(Grounds::WithinFiveDays) => ("full", Some("within_five_days")),
            Answer::Full(Grounds::NotEffective) => ("full", Some("not_effective")),
            Answer::Negotiable => ("negotiable", None),
            Answer::Prorated => ("prorated", None),
            Answer::Refused(Refusal::NotRefundable) => ("refused", Some("not_refundable")),
            Answer::Refused(Refusal::WindowOver) => ("refused", Some("window_over")),
            Answer::Refused(Refusal::RenewalEffective) => ("refused", Some("renewal_effective")),
            Answer::Refused(Refusal::GuaranteeOver) => ("refused", Some("guarantee_over")),
            Answer::Refused(Refusal::Expired) => ("refused", Some("expired")),
            Answer::Unknown => ("unknown", None),
        };
        Self { answer, because }
    }
}

/// What a line of a closed month would be now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recomputed {
    /// What the seller would get; absent where that cannot be said any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "95.00")]
    pub settle_amount: Option<Decimal>,
    /// That less what was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "-5.00")]
    pub difference: Option<Decimal>,
}

/// A settlement line as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SettlementLine)]
pub struct ShownLine {
    /// The line; of a closed month as it stood then, with how far its bill is now. `blocked_reason` is the most fundamental of [`blocked`](Self::blocked).
    #[serde(flatten)]
    #[schema(inline, value_type = LineFields)]
    pub line: SettlementLine,
    /// Everything it waits for, most fundamental first; empty if it is on a bill, or its bill was run.
    #[schema(schema_with = schema::blocked_list)]
    pub blocked: Vec<Blocked>,
    /// What nobody said.
    #[schema(schema_with = schema::missing_list)]
    pub missing: Vec<Missing>,
    /// How long it has been open, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::ages)]
    pub age: Option<AgeBucket>,
    /// Since when it is open: the first that was heard of it.
    #[schema(value_type = String, format = DateTime)]
    pub open_since: DateTime<Utc>,
    /// The period whose bill it is on, or will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::period)]
    pub expected_period: Option<Period>,
    /// When that bill is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// From gross to net; absent while the amount cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ColumnFields>)]
    pub columns: Option<Columns>,
    /// Whether anything in it is an estimate.
    pub estimated: bool,
    /// Of a refund: what the rules say to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_rule: Option<RefundRule>,
    /// The closed month that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::period)]
    pub closed_in: Option<Period>,
    /// Of a closed month: what it would be now, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recomputed: Option<Recomputed>,
    /// Everything it is known from, in the order of the log.
    pub sources: Vec<Behind>,
}

impl ShownLine {
    pub(crate) fn of(row: LineRow, rules: &Rules, bills: &Underway, now: DateTime<Utc>) -> Self {
        let readiness = stand(&row, rules, now);
        let LineRow { drawn, closed_in, recomputed, .. } = row;
        let stated = drawn.line.settle_amount.map(|amount| amount.value);
        let recomputed = recomputed.map(|line| {
            let settle_amount = line.settle_amount.map(|amount| amount.value);
            let difference = settle_amount.and_then(|now| now.checked_sub(stated.unwrap_or_default()));
            Recomputed { settle_amount, difference }
        });
        let estimated = drawn.line.is_estimate();
        let mut line = SettlementLine { blocked_reason: readiness.blocked.first().copied(), ..drawn.line };
        bills.show(&mut line, &readiness);
        Self {
            estimated,
            age: (!readiness.blocked.is_empty()).then(|| AgeBucket::of(drawn.open_since, now)),
            open_since: drawn.open_since,
            expected_period: readiness.expected,
            run: readiness.expected.map(|period| Run::of(&rules.schedule(), period)),
            blocked: readiness.blocked,
            missing: drawn.missing,
            columns: drawn.columns,
            refund_rule: drawn.refund_rule.map(RefundRule::from),
            closed_in,
            recomputed,
            sources: drawn.sources.iter().map(Behind::from).collect(),
            line,
        }
    }
}

/// One step to an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownStep {
    /// As a sentence.
    #[schema(example = "settle_amount = charged_amount 100 × seller_share 0.95 = 95")]
    pub text: String,
    /// As numbers.
    #[serde(flatten)]
    #[schema(inline, value_type = schema::StepFields)]
    pub step: Step,
}

/// A line with everything that explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ExplainedLine)]
pub struct ExplainedLine {
    /// The line.
    #[serde(flatten)]
    pub shown: ShownLine,
    /// How the amount came to be; empty while it cannot be said.
    pub explanation: Vec<ShownStep>,
    /// Of a refund within five days: what is known of its customer's yearly quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_quota: Option<RefundQuota>,
}

/// Which lines are asked for.
#[derive(Debug, Clone)]
pub struct LinesAsked {
    /// By what the store knows. [`LineQuery::limit`] is the page's size.
    pub query: LineQuery,
    /// Only those that wait for this, among other things.
    pub blocked: Option<Blocked>,
}

impl LinesAsked {
    /// What the store is asked for: it knows those that may lack a fact, and need not show the others.
    pub(super) fn store_query(&self) -> LineQuery {
        let may_wait = self.query.may_wait || self.blocked == Some(Blocked::FactsMissing);
        LineQuery { may_wait, ..self.query.clone() }
    }
}

/// A page of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePage {
    /// In the order of their ids.
    pub lines: Vec<ShownLine>,
    /// The line after which the next page begins, for [`LineQuery::after`]; `None` on the last. A page that searches may
    /// be short, or empty, and not the last.
    pub next: Option<String>,
}

impl Billing {
    /// A page of lines.
    ///
    /// # Errors
    /// [`ReportError::Store`].
    pub async fn lines(&self, asking: &Asking<'_>, asked: &LinesAsked) -> Result<Read<LinePage>, ReportError> {
        let rules = asking.rules();
        let limit = asked.query.limit.max(1);
        let bills = self.underway(asking.seller, asked.query.period.only()).await?;
        let mut query = asked.store_query();
        query.limit = if asked.blocked.is_some() { SLICE } else { limit.saturating_add(1) };
        let (mut lines, mut looked_at, mut position) = (vec![], 0, None);
        loop {
            let read = self.store.lines(&query).await?;
            let position = *position.get_or_insert(read.position);
            let (found, wanted) = (read.value.len(), query.limit);
            for row in read.value {
                if lines.len() == limit {
                    return Ok(Read { position, value: LinePage { next: query.after, lines } });
                }
                looked_at += 1;
                query.after = Some(row.line().line_id.clone());
                let shown = ShownLine::of(row, &rules, &bills, asking.now);
                if asked.blocked.is_none_or(|reason| shown.blocked.contains(&reason)) {
                    lines.push(shown);
                }
            }
            if found < wanted {
                return Ok(Read { position, value: LinePage { lines, next: None } });
            }
            if looked_at >= LOOKED_AT {
                return Ok(Read { position, value: LinePage { next: query.after, lines } });
            }
        }
    }

    /// One line with what explains it; `None` if there is none of that id.
    ///
    /// # Errors
    /// [`ReportError::Store`].
    pub async fn line(&self, asking: &Asking<'_>, line_id: &str) -> Result<Read<Option<ExplainedLine>>, ReportError> {
        let Read { position, value } = self.store.line(asking.seller, line_id).await?;
        let rules = asking.rules();
        let bills = self.underway(asking.seller, None).await?;
        let Some(row) = value else { return Ok(Read { position, value: None }) };
        let refund_quota = self.refund_quota(asking, &row).await?;
        let steps = row.drawn.explanation.clone().unwrap_or_default().steps;
        let explanation = steps.into_iter().map(|step| ShownStep { text: step.to_string(), step }).collect();
        let shown = ShownLine::of(row, &rules, &bills, asking.now);
        Ok(Read { position, value: Some(ExplainedLine { shown, explanation, refund_quota }) })
    }
}

/// All lines of a seller's period filter, nothing else asked.
pub(crate) fn every(asking: &Asking<'_>, period: PeriodFilter) -> LineQuery {
    LineQuery { period, ..LineQuery::every(asking.seller.clone(), SLICE) }
}

/// Lines in slices, from the first to the last.
pub(crate) struct Slices<'a> {
    billing: &'a Billing,
    query: LineQuery,
    /// How far the views were at the first slice, and at the last.
    pub(crate) first: Option<Position>,
    pub(crate) last: Option<Position>,
    is_over: bool,
}

impl<'a> Slices<'a> {
    pub(crate) fn of(billing: &'a Billing, query: LineQuery) -> Self {
        Self { billing, query, first: None, last: None, is_over: false }
    }

    /// The next slice; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<LineRow>>, ReportError> {
        if self.is_over {
            return Ok(None);
        }
        let read = self.billing.store.lines(&self.query).await?;
        self.first.get_or_insert(read.position);
        self.last = Some(read.position);
        self.is_over = read.value.len() < self.query.limit;
        self.query.after = read.value.last().map(|row| row.line().line_id.clone()).or(self.query.after.take());
        Ok(Some(read.value))
    }
}
