//! Closing a month: what it would be closed with, and what closed months would be corrected by.

use std::collections::{BTreeMap, BTreeSet};

use chopmark_domain::settlement::balance;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::money::{Currency, Money, Sums};
use chopmark_domain::settlement::month::{MOST_LINES, PeriodClosed};
use chopmark_domain::settlement::product::Category;
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::lines::{Slices, every};
use super::standing::stand;
use super::{ATTEMPTS, Asking, Billing, ReportError, Run, schema};
use crate::rows::{AdjustmentRow, LineRow, tab_of};
use crate::store::{PeriodFilter, Read};

/// What a month comes to in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ClosingTotal)]
pub struct ClosingTotal {
    /// The currency.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// The exact sum of the lines' settlement amounts.
    #[schema(value_type = String, example = "95.0025")]
    pub exact: Decimal,
}

/// What a month would be closed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Closing)]
pub struct ClosingView {
    /// Which month.
    #[schema(schema_with = schema::period)]
    pub period: Period,
    /// When its bill is run.
    pub run: Run,
    /// Since when it is closed, if it is; then the rest is what it was closed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<DateTime<Utc>>,
    /// Whether it can be closed: the month is over, and it is not closed.
    pub can_be_closed: bool,
    /// How many lines.
    pub lines: usize,
    /// How many of them say no amount.
    pub not_computed: usize,
    /// How many of them rest on an estimate.
    pub estimated: usize,
    /// How many of them still wait for something.
    pub waiting: usize,
    /// What they come to, by currency.
    pub totals: Vec<ClosingTotal>,
    /// What of this month would be corrected on a later bill.
    pub proposals: Vec<Proposal>,
}

/// The correction of a line of a closed month that a recomputation asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProposedAdjustment)]
pub struct Proposal {
    /// The closed month.
    #[schema(schema_with = schema::period)]
    pub corrects: Period,
    /// The month on whose bill the correction would be: the earliest that is open.
    #[schema(schema_with = schema::period)]
    pub period: Period,
    /// The tab of the bill.
    #[schema(schema_with = schema::categories)]
    pub category: Category,
    /// The currency of all amounts.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// The line.
    pub line_id: String,
    /// What the line was closed with; absent where that could not be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "95.00")]
    pub stated: Option<Decimal>,
    /// What it would be now; absent where that cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "90.00")]
    pub recomputed: Option<Decimal>,
    /// What recorded adjustments of this line come to already.
    #[schema(value_type = String, example = "0")]
    pub recorded: Decimal,
    /// What would still be corrected, in whole cents; absent where that cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "-5.00")]
    pub amount: Option<Decimal>,
}

/// A month ready to be closed: what the event says, and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closable {
    /// The event.
    pub closed: PeriodClosed,
    /// The lines as they stand.
    pub lines: Vec<SettlementLine>,
}

impl Billing {
    /// What a month would be closed with, or was.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn closing(&self, asking: &Asking<'_>, period: Period) -> Result<Read<ClosingView>, ReportError> {
        let rules = asking.rules();
        let closed = self.store().closed(asking.seller).await?.value;
        let closed = closed.into_iter().find(|row| row.period == period);
        let mut slices = Slices::of(self, every(asking, PeriodFilter::In(period)));
        let (mut totals, mut view) = (
            Sums::default(),
            ClosingView {
                period,
                run: Run::of(&rules.schedule(), period),
                closed_at: closed.as_ref().map(|row| row.closed.at),
                can_be_closed: closed.is_none() && asking.now >= period.bounds().end,
                lines: 0,
                not_computed: 0,
                estimated: 0,
                waiting: 0,
                totals: vec![],
                proposals: vec![],
            },
        );
        while let Some(rows) = slices.next().await? {
            for row in rows {
                let line = row.line();
                view.lines += 1;
                view.estimated += usize::from(line.is_estimate());
                view.waiting += usize::from(!stand(&row, &rules, asking.now).blocked.is_empty());
                match line.settled()? {
                    Some(amount) => totals.add(amount)?,
                    None => view.not_computed += 1,
                }
            }
        }
        let exact = |money: Money| ClosingTotal { currency: money.currency(), exact: money.amount() };
        view.totals = totals.iter().map(exact).collect();
        let Read { position, value } = self.proposals(asking, Some(period)).await?;
        view.proposals = value;
        Ok(Read { position: slices.first.unwrap_or(position), value: view })
    }

    /// Everything that the event of a close says: all lines as of one position.
    ///
    /// # Errors
    /// [`ReportError::TooMany`] lines, [`ReportError::Moved`] if the views go on all the while.
    pub async fn closable(&self, asking: &Asking<'_>, period: Period) -> Result<Closable, ReportError> {
        for _ in 0..ATTEMPTS {
            let mut slices = Slices::of(self, every(asking, PeriodFilter::In(period)));
            let (mut lines, mut totals) = (vec![], Sums::default());
            while let Some(rows) = slices.next().await? {
                for row in rows {
                    let line = row.drawn.line;
                    line.settled()?.into_iter().try_for_each(|amount| totals.add(amount))?;
                    lines.push(line);
                }
                if lines.len() > MOST_LINES {
                    return Err(ReportError::TooMany { what: "lines in the month", most: MOST_LINES });
                }
            }
            if slices.first != slices.last {
                continue;
            }
            let closed = PeriodClosed {
                lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
                totals: totals.iter().map(|money| (money.currency(), money.amount())).collect(),
                computed_at: slices.first.unwrap_or(Position::START).0,
                at: asking.now,
            };
            return Ok(Closable { closed, lines });
        }
        Err(ReportError::Moved)
    }

    /// Corrections that recomputations of closed months ask for and that are not recorded yet, of one month or all, by
    /// line.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn proposals(
        &self,
        asking: &Asking<'_>,
        corrects: Option<Period>,
    ) -> Result<Read<Vec<Proposal>>, ReportError> {
        let closed = self.store().closed(asking.seller).await?;
        if closed.value.is_empty() {
            return Ok(Read { position: closed.position, value: vec![] });
        }
        let closed: BTreeSet<_> = closed.value.iter().map(|row| row.period).collect();
        let recorded = recorded(&self.store().adjustments(asking.seller).await?.value);
        let rules = asking.rules();
        let open = next_open(&closed, rules.schedule().open_period(asking.now));
        let mut query = every(asking, corrects.map_or(PeriodFilter::Any, PeriodFilter::In));
        query.recomputed = true;
        let (mut slices, mut proposals) = (Slices::of(self, query), vec![]);
        while let Some(rows) = slices.next().await? {
            for row in rows {
                proposals.extend(proposed(&row, &recorded, open)?);
            }
            if proposals.len() > MOST_LINES {
                return Err(ReportError::TooMany { what: "lines to be corrected", most: MOST_LINES });
            }
        }
        Ok(Read { position: slices.first.unwrap_or(Position::START), value: proposals })
    }
}

/// The first month from one on that takes something more.
fn next_open(closed: &BTreeSet<Period>, mut period: Period) -> Period {
    while closed.contains(&period) && period.next() > period {
        period = period.next();
    }
    period
}

/// What adjustments corrected of each line of each month.
fn recorded(rows: &[AdjustmentRow]) -> BTreeMap<(String, Currency), Decimal> {
    let mut recorded: BTreeMap<_, Decimal> = BTreeMap::new();
    for AdjustmentRow { adjustment, .. } in rows {
        if let Some(line_id) = &adjustment.line_id {
            let sum = recorded.entry((line_id.clone(), adjustment.currency)).or_default();
            *sum = sum.saturating_add(adjustment.amount);
        }
    }
    recorded
}

/// What a recomputed line asks for: one correction, or one for each currency where it is in another by now.
fn proposed(
    row: &LineRow,
    recorded: &BTreeMap<(String, Currency), Decimal>,
    open: Period,
) -> Result<Vec<Proposal>, ReportError> {
    let (Some(corrects), Some(now)) = (row.closed_in, &row.recomputed) else { return Ok(vec![]) };
    let line = row.line();
    let mut proposals = vec![];
    for currency in BTreeSet::from([line.currency, now.currency]) {
        // A line is nothing in a currency that it is not in.
        let zero = Money::zero(currency);
        let of = |line: &SettlementLine| if line.currency == currency { line.settled() } else { Ok(Some(zero)) };
        let (stated, recomputed) = (of(line)?, of(now)?);
        let recorded = recorded.get(&(line.line_id.clone(), currency)).copied().unwrap_or_default();
        let adjusted = stated.unwrap_or(zero).plus(Money::new(recorded, currency)?)?;
        let amount = recomputed.map(|now| balance::adjustment(corrects, adjusted, now, open)).transpose()?;
        if matches!(amount, Some(None)) {
            continue;
        }
        proposals.push(Proposal {
            corrects,
            period: open.max(corrects.next()),
            category: tab_of(line),
            currency,
            line_id: line.line_id.clone(),
            stated: stated.map(Money::amount),
            recomputed: recomputed.map(Money::amount),
            recorded,
            amount: amount.flatten().map(|adjustment| adjustment.amount.amount()),
        });
    }
    Ok(proposals)
}
