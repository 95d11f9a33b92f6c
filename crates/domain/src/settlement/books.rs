//! The books: everything that is known of what was sold, and the settlement lines that follow from it.
//!
//! ```text
//! event ─▶ News (what it says of a line) ─▶ Case::take_up ─▶ draw_up (catalog, tiers, closed months) ─▶ Drawn lines
//! ```
//!
//! A **case** holds all lines that decide about each other: the orders of one license, and the refunds of them. It is
//! small, and everything in it is drawn up together. What is known comes in any order, by callbacks, API answers and
//! imports; the same news in another order make the same lines, but for two statements or two API answers about one
//! field, of which the later in the log holds.

mod adjust;
mod amount;
mod case;
mod conditions;
mod draw;
mod gross;
mod known;
mod place;
mod returns;
mod sale;
mod tier;
mod unnamed;
mod waits;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::adjust::draw_adjustment;
pub use self::case::{Case, LineFacts};
pub use self::draw::draw_up;
use super::calendar::Period;
use super::calendar::working_days::WorkingDays;
use super::explanation::Explanation;
use super::line::SettlementLine;
use super::line::columns::Columns;
use super::money::Money;
use super::readiness::{Conditions, Missing, OnBill};
use super::refund::rules::Answer;
use super::statement::{StatedFacts, Subject};
use crate::catalog::Catalog;
use crate::ids::Sku;
use crate::order::OrderFacts;
use crate::stream::LicenseId;

/// Where something is known from: an event of the log, and the row of the file where it was imported.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// The event's position in the log.
    pub position: u64,
    /// The event's id.
    pub event_id: String,
    /// The event's kind, e.g. `order_facts_recorded.v1`.
    pub kind: String,
    /// The stream that it is on.
    pub stream: String,
    /// The row of the imported file, as a spreadsheet counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
}

/// Which part an order plays in the life of a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It bought the license.
    Purchase,
    /// It renewed it, or renewed it with another specification.
    Renewal,
    /// It made a trial commercial.
    Conversion,
    /// It bought another specification or quantity.
    Change,
    /// It gave a renewal back that had not begun.
    RenewalCancelled,
    /// It gave the license back.
    Release,
}

/// A callback named an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Of which license.
    pub license: LicenseId,
    /// Its part there.
    pub part: Part,
    /// When our answer acknowledged it, UTC: the estimate of when a purchase took effect.
    pub acknowledged_at: DateTime<Utc>,
    /// For a renewal or a conversion: the expiry known before it, UTC, which is when a renewed term begins (S24).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_before: Option<DateTime<Utc>>,
}

/// What an event says of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A callback named it.
    Named(Named),
    /// What the open API answered.
    Order(OrderFacts),
    /// What a file of the console or an operator stated.
    Stated(StatedFacts),
    /// So many deployments were seen in an hour of the month; only of [`Subject::Usage`].
    SeenHours(u64),
}

/// What an event says of a line, with its time and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Which line.
    pub subject: Subject,
    /// What is said of it.
    pub said: Said,
    /// When it was recorded, UTC.
    pub recorded_at: DateTime<Utc>,
    /// Where it stands.
    pub source: Source,
}

/// What drawing up takes beside the case.
pub struct Books<'a> {
    /// The seller's catalog.
    pub catalog: &'a Catalog,
    /// The days on which bills are run.
    pub working_days: &'a WorkingDays,
    /// What customers really paid for a product in a month, by which its tier goes (S21); `None` for nothing.
    pub month_of: &'a dyn Fn(&Sku, Period) -> Option<Money>,
    /// Months that are closed: what becomes known of them later is on the next bill that is open.
    pub closed: &'a BTreeSet<Period>,
    /// The closed month in which the line of an id was closed; `None` for lines that no close lists. Such a line stays
    /// in its month.
    pub closed_in: &'a dyn Fn(&str) -> Option<Period>,
}

/// What a line adds to the amount by which the tier of its product goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The product.
    pub sku: Sku,
    /// The month.
    pub period: Period,
    /// What was really paid; negative for refunds.
    pub paid: Money,
}

/// A line as drawn up, with everything that explains it. A function of the log, not of the time: what it waits for at
/// a moment is told by [`waits`](Self::waits).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// The line; its `blocked_reason` is empty.
    pub line: SettlementLine,
    /// What decides when it is settled.
    pub conditions: Conditions,
    /// What the marketplace said of its bill.
    pub on_bill: OnBill,
    /// Its amount from gross to net; `None` while it cannot be said.
    pub columns: Option<Columns>,
    /// How the amount came to be; `None` while it cannot be said.
    pub explanation: Option<Explanation>,
    /// What nobody said.
    pub missing: Vec<Missing>,
    /// What it adds to its product's month.
    pub counted: Option<Counted>,
    /// The month by whose amount its tier goes, where its product takes part: it is drawn up anew when that changes.
    pub tier_of: Option<(Sku, Period)>,
    /// Since when it is open: the first that was heard of it, UTC.
    pub open_since: DateTime<Utc>,
    /// Everything it is known from, in the order of the log.
    pub sources: Vec<Source>,
    /// Whether it was given back in full before it was on a bill: it is on the bill of its refund, and waits for nothing
    /// but that (S3).
    #[serde(default)]
    pub with_refund: bool,
    /// For a refund: what the rules say to it. Only shown, since it is the marketplace that decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_rule: Option<Answer>,
}
