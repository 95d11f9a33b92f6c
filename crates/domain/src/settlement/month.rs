//! A seller's month: corrections that are booked in it, and its close. One stream for each.
//!
//! Once a month is closed, its lines are shown as they stood then, whatever becomes known later: a recomputation that
//! differs is proposed as an adjustment of a later month (S2, S4).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::Period;
use super::line::SettlementLine;
use super::money::Currency;
use super::product::Category;
use crate::codec::events;

/// Lines that one event holds, so that no event grows beyond what a log takes.
pub const LINES_PER_EVENT: usize = 500;

/// A correction on this month's bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentRecorded {
    /// Names it within the month: the ticket's number, or what the operator calls it.
    pub id: String,
    /// The period that is corrected.
    pub corrects: Period,
    /// The tab of the bill.
    pub category: Category,
    /// The line that is corrected, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// By how much; either sign.
    pub amount: Decimal,
    /// The currency of the amount.
    pub currency: Currency,
    /// Why.
    pub note: String,
}

/// The month was closed. Its lines follow in the same append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodClosed {
    /// How many lines it has.
    pub lines: u32,
    /// The exact sum of the lines' settlement amounts, by currency.
    pub totals: Vec<(Currency, Decimal)>,
    /// The position of the log up to which the lines were computed.
    pub computed_at: u64,
    /// When, UTC.
    pub at: DateTime<Utc>,
}

/// Lines of the month as they stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinesClosed {
    /// At most [`LINES_PER_EVENT`].
    pub lines: Vec<SettlementLine>,
}

events! {
    /// Events of a seller's month.
    pub enum Event {
        /// A correction.
        AdjustmentRecorded(AdjustmentRecorded) = "adjustment_recorded.v1",
        /// Closed.
        PeriodClosed(PeriodClosed) = "period_closed.v1",
        /// Its lines.
        LinesClosed(LinesClosed) = "period_lines_closed.v1",
    }
}

/// Why a month does not take something up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MonthRefusal {
    /// It is closed.
    #[error("the period {period} is closed: record the adjustment in a later one")]
    Closed {
        /// Which.
        period: Period,
    },
    /// Another adjustment has this id.
    #[error("the period {period} has another adjustment {id:?}: give this one its own id")]
    OtherAdjustment {
        /// Which period.
        period: Period,
        /// The id.
        id: String,
    },
    /// More lines than one append takes.
    #[error("{lines} lines are more than a period can be closed with at once")]
    TooManyLines {
        /// How many.
        lines: usize,
    },
}

/// The most lines that one close holds: an append takes 1,000 events.
pub const MOST_LINES: usize = 999 * LINES_PER_EVENT;

/// A seller's month, folded from its stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Month {
    /// Whether it is closed.
    pub closed: bool,
    /// What was recorded.
    pub adjustments: Vec<AdjustmentRecorded>,
}

impl Month {
    /// Takes one event up.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::AdjustmentRecorded(adjustment) => self.adjustments.push(adjustment.clone()),
            Event::PeriodClosed(_) => self.closed = true,
            Event::LinesClosed(_) => {}
        }
    }

    /// The event of a correction; none if it is recorded.
    ///
    /// # Errors
    /// The month is closed, or another correction has that id.
    pub fn adjust(&self, period: Period, adjustment: AdjustmentRecorded) -> Result<Vec<Event>, MonthRefusal> {
        if self.adjustments.contains(&adjustment) {
            return Ok(vec![]);
        }
        if self.adjustments.iter().any(|other| other.id == adjustment.id) {
            return Err(MonthRefusal::OtherAdjustment { period, id: adjustment.id });
        }
        if self.closed { Err(MonthRefusal::Closed { period }) } else { Ok(vec![adjustment.into()]) }
    }

    /// The events that close the month; none if it is closed.
    ///
    /// # Errors
    /// More than [`MOST_LINES`].
    pub fn close(&self, closed: PeriodClosed, lines: &[SettlementLine]) -> Result<Vec<Event>, MonthRefusal> {
        if self.closed {
            return Ok(vec![]);
        }
        if lines.len() > MOST_LINES {
            return Err(MonthRefusal::TooManyLines { lines: lines.len() });
        }
        let parts = lines.chunks(LINES_PER_EVENT).map(|lines| LinesClosed { lines: lines.to_vec() }.into());
        Ok(std::iter::once(closed.into()).chain(parts).collect())
    }
}
