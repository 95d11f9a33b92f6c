//! What finance asks: periods, lines, the forecast, the bill against the lines, what a month would be closed with, and
//! what a file would change.
//!
//! ```text
//! store ─▶ rows in slices ─▶ rules of chopmark_domain::settlement, at a moment ─▶ plain structs that serialise
//! ```
//!
//! Every report is a function of the store, the seller's catalog and a moment: [`Asking`] brings the last two. Amounts
//! are exact decimals, written as text, in the currency beside them; moments are UTC, days and periods Beijing's.

mod accounts;
pub mod closing;
pub mod export;
pub mod file;
pub mod forecast;
pub mod lines;
pub mod periods;
pub mod quota;
pub mod reconciliation;
mod schema;
mod standing;
pub mod tiers;
mod underway;

use std::sync::Arc;

use chopmark_domain::catalog::Catalog;
use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::calendar::{Period, Schedule};
use chopmark_domain::settlement::explanation::Explanation;
use chopmark_domain::settlement::money::MoneyError;
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::SellerTerms;
use chopmark_log::Position;
use chopmark_log::progress::Progress;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::{BillingStore, StoreError};

/// Rows that are read at once. What is made of them is small, so that a report over any number of lines stays so.
pub(crate) const SLICE: usize = 1_000;

/// How often rows are read anew that changed while they were read.
pub(crate) const ATTEMPTS: usize = 3;

/// The billing views as reports read them. Cheap to clone.
#[derive(Clone)]
pub struct Billing {
    store: Arc<dyn BillingStore>,
    progress: Progress,
}

/// Whose reports, by whose rules, and as of when.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The seller.
    pub seller: &'a SellerId,
    /// The seller's catalog, which has the rules.
    pub catalog: &'a Catalog,
    /// The moment, UTC.
    pub now: DateTime<Utc>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sum is out of range.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// More than one report holds.
    #[error("there are more than {most} {what}; a report over so many at once is not made, ask for a part of them")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it holds.
        most: usize,
    },
    /// The views went on while they were read, again and again.
    #[error("the billing views changed while they were read; ask again")]
    Moved,
    /// The work on it broke off.
    #[error("the report was not finished; ask again")]
    Unfinished,
    /// A table could not be written.
    #[error(transparent)]
    Write(#[from] chopmark_tables::WriteError),
}

impl Billing {
    /// Reports over a store that somebody keeps up to date, with how far that has come.
    #[must_use]
    pub fn new(store: Arc<dyn BillingStore>, progress: Progress) -> Self {
        Self { store, progress }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn BillingStore> {
        &self.store
    }

    /// How far whoever keeps the store has come.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Waits until the store has what the log has up to a position. `false` if it never will; give it a time limit.
    pub async fn wait_for(&self, position: Position) -> bool {
        self.progress.reached(position).await
    }
}

/// The seller's rules at a moment. A seller of whom nothing is known yet is taken for one of the China site.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) terms: SellerTerms,
    working_days: WorkingDays,
}

impl Rules {
    pub(crate) fn at(catalog: &Catalog, at: DateTime<Utc>) -> Self {
        let terms = catalog.seller_terms_at(at).map_or_else(|| SellerTerms::of(Site::Cn), |dated| dated.terms.clone());
        // Whoever defined the terms was told of days that cannot be read; the days that ship hold then.
        let working_days = terms.all_working_days().unwrap_or_else(|_| WorkingDays::china().clone());
        Self { terms, working_days }
    }

    pub(crate) fn schedule(&self) -> Schedule<'_> {
        self.terms.schedule(&self.working_days)
    }
}

impl Asking<'_> {
    pub(crate) fn rules(&self) -> Rules {
        Rules::at(self.catalog, self.now)
    }
}

/// When the bill of a period is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Run {
    /// The day, in Beijing.
    #[schema(value_type = String, format = Date, example = "2024-06-03")]
    pub date: NaiveDate,
    /// By when the bill is sent to the seller.
    #[schema(value_type = String, format = Date, example = "2024-06-05")]
    pub sent_by: NaiveDate,
    /// Whether the holidays of that time are known; if not, only weekends are skipped.
    pub certain: bool,
}

impl Run {
    pub(crate) fn of(schedule: &Schedule<'_>, period: Period) -> Self {
        let run = schedule.run(period);
        Self { date: run.date, sent_by: run.sent_by, certain: run.certain }
    }
}

/// The steps to an amount as sentences, in order.
#[must_use]
pub fn sentences(explanation: &Explanation) -> Vec<String> {
    explanation.steps.iter().map(ToString::to_string).collect()
}
