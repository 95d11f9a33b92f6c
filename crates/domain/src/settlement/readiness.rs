//! When an order line is settled: the conditions it must meet, what it still waits for, and since when.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::{BillRun, Period, Schedule, beijing};
use super::marked::{Happening, Mark, Marked};
use super::policy::{Guarantee, Policy};
use super::refund::rules::FIVE_DAYS;

/// Whether an order line must be accepted before it is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// It is not supervised, or a renewal.
    NotApplicable,
    /// It is; settled after acceptance is complete (S7, S14).
    Until(Happening),
}

/// What decides when a line is settled (S14, S3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// When it takes effect: provisioning of a purchase, the beginning of a renewed term, the consumption of usage.
    pub effective: Happening,
    /// When the customer has paid it; on credit, when the whole bill of that month is repaid.
    pub paid_in_full: Happening,
    /// Acceptance.
    pub supervision: Supervision,
    /// Whether the seller's business information is certified; `None` while nobody said.
    pub seller_certified: Option<bool>,
    /// Whether it can be refunded within five days without a reason.
    pub five_day_refund: bool,
}

/// What is known of the bill that a line is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBill {
    /// It is on this one.
    Billed(Period),
    /// It is on none, says the marketplace (未出账).
    Unbilled,
    /// Nobody said: it counts as billed once the bill of its period is run.
    Unknown,
}

/// Why a line is not on a bill yet. The codes are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Blocked {
    /// It has not taken effect.
    NotEffective,
    /// The customer pays on credit and has not repaid all of the month.
    UnpaidCredit,
    /// It is not accepted yet.
    SupervisionOpen,
    /// The seller's business information is not certified.
    SellerNotCertified,
    /// Its guarantee period is not over; only under [`Guarantee::Held`].
    GuaranteeOpen,
    /// Facts are missing: it cannot be said when it is settled.
    FactsMissing,
    /// Nothing is missing; its bill is not run yet.
    RunNotReached,
}

impl Blocked {
    /// Every reason, most fundamental first.
    pub const ALL: [Self; 7] = [
        Self::NotEffective,
        Self::UnpaidCredit,
        Self::SupervisionOpen,
        Self::SellerNotCertified,
        Self::GuaranteeOpen,
        Self::FactsMissing,
        Self::RunNotReached,
    ];

    /// The reason with a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotEffective => "NOT_EFFECTIVE",
            Self::UnpaidCredit => "UNPAID_CREDIT",
            Self::SupervisionOpen => "SUPERVISION_OPEN",
            Self::SellerNotCertified => "SELLER_NOT_CERTIFIED",
            Self::GuaranteeOpen => "GUARANTEE_OPEN",
            Self::FactsMissing => "FACTS_MISSING",
            Self::RunNotReached => "RUN_NOT_REACHED",
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A fact that must be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// When it takes effect.
    EffectiveAt,
    /// When it is paid in full.
    PaidAt,
    /// When it is accepted.
    SupervisionDoneAt,
    /// Whether the seller is certified.
    SellerCertified,
    /// What it is: a purchase, a renewal, a refund.
    LineType,
    /// What its product is, or the terms of that: they say how it is settled.
    ProductTerms,
    /// What the goods cost, or what is given back of it.
    SalesAmount,
    /// The platform fee.
    FeeRatio,
    /// In joint operation, the partner's share.
    PartnerRatio,
    /// In joint operation, the tax in the price.
    TaxRate,
    /// In joint operation with a share of the floor price: what the list asks.
    ListPrice,
    /// For a refund: the line that is given back.
    OriginalLine,
    /// For a refund: how the line that is given back is settled.
    OriginalAmount,
    /// Amounts that fit together: those that were stated are out of range, or in several currencies.
    UsableAmounts,
}

impl Missing {
    /// Every fact that can be missing.
    pub const ALL: [Self; 14] = [
        Self::EffectiveAt,
        Self::PaidAt,
        Self::SupervisionDoneAt,
        Self::SellerCertified,
        Self::LineType,
        Self::ProductTerms,
        Self::SalesAmount,
        Self::FeeRatio,
        Self::PartnerRatio,
        Self::TaxRate,
        Self::ListPrice,
        Self::OriginalLine,
        Self::OriginalAmount,
        Self::UsableAmounts,
    ];
}

/// When a line is settled, as far as it can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// When the last condition comes true, UTC; may lie ahead. An estimate if any of them is. `None` if a condition
    /// has no moment yet.
    pub ready_at: Option<Marked<DateTime<Utc>>>,
    /// The period of that moment.
    pub period: Option<Period>,
    /// The period whose bill it is on, or will be: what an earlier bill left out is on the next one. A seller who is
    /// not certified must be by then.
    pub expected: Option<Period>,
    /// When that bill is run.
    pub run: Option<BillRun>,
    /// Everything it waits for, most fundamental first; empty if it is on a bill, or its bill was run and nothing stood
    /// in its way.
    pub blocked: Vec<Blocked>,
    /// What nobody said.
    pub missing: Vec<Missing>,
}

/// When everything has come true: `max(effective_at, paid_in_full_at, supervision_done_at if supervised)`
/// (CONSTRUCTED from S1, S3, S7; it agrees with every documented example). `None` while a moment is not known.
#[must_use]
pub fn ready_at(conditions: &Conditions, policy: &Policy) -> Option<Marked<DateTime<Utc>>> {
    let mut moments = vec![conditions.effective.at()?, conditions.paid_in_full.at()?];
    if let Supervision::Until(done) = conditions.supervision {
        moments.push(done.at()?);
    }
    moments.extend(guarantee_ends_at(conditions, policy));
    let mark = moments.iter().map(|moment| moment.mark).min().unwrap_or(Mark::Stated);
    moments.iter().map(|moment| moment.value).max().map(|value| Marked { value, mark })
}

fn guarantee_ends_at(conditions: &Conditions, policy: &Policy) -> Option<Marked<DateTime<Utc>>> {
    let Marked { value, mark } = conditions.effective.at()?;
    let held = policy.guarantee == Guarantee::Held && conditions.five_day_refund;
    held.then(|| value.checked_add_signed(FIVE_DAYS).map(|value| Marked { value, mark }))?
}

/// When a line is settled, and what it waits for at a moment.
#[must_use]
pub fn assess(
    conditions: &Conditions,
    on_bill: OnBill,
    policy: &Policy,
    schedule: &Schedule<'_>,
    now: DateTime<Utc>,
) -> Readiness {
    let ready_at = ready_at(conditions, policy);
    let period = ready_at.map(|ready| Period::of(ready.value));
    let cannot_be_billed = conditions.seller_certified == Some(false);
    let expected = match on_bill {
        OnBill::Billed(period) => Some(period),
        OnBill::Unknown if !cannot_be_billed => period,
        OnBill::Unbilled | OnBill::Unknown => period.map(|period| period.max(schedule.open_period(now))),
    };
    let run = expected.map(|period| schedule.run(period));
    let missing = missing(conditions);
    let mut blocked = vec![];
    if !matches!(on_bill, OnBill::Billed(_)) {
        blocked = waits_for(conditions, policy, now);
        blocked.extend((!missing.is_empty()).then_some(Blocked::FactsMissing));
        if blocked.is_empty() && run.is_some_and(|run| now < run.starts_at()) {
            blocked.push(Blocked::RunNotReached);
        }
    }
    Readiness { ready_at, period, expected, run, blocked, missing }
}

fn waits_for(conditions: &Conditions, policy: &Policy, now: DateTime<Utc>) -> Vec<Blocked> {
    let Conditions { effective, paid_in_full, supervision, seller_certified, .. } = conditions;
    let unaccepted = matches!(supervision, Supervision::Until(done) if done.is_ahead_of(now));
    let guaranteed = guarantee_ends_at(conditions, policy).is_some_and(|end| end.value > now);
    [
        (effective.is_ahead_of(now), Blocked::NotEffective),
        (paid_in_full.is_ahead_of(now), Blocked::UnpaidCredit),
        (unaccepted, Blocked::SupervisionOpen),
        (*seller_certified == Some(false), Blocked::SellerNotCertified),
        (guaranteed && !effective.is_ahead_of(now), Blocked::GuaranteeOpen),
    ]
    .into_iter()
    .filter_map(|(blocks, reason)| blocks.then_some(reason))
    .collect()
}

/// What nobody said of the conditions.
pub(super) fn missing(conditions: &Conditions) -> Vec<Missing> {
    let unknown = Happening::Unknown;
    [
        (conditions.effective == unknown, Missing::EffectiveAt),
        (conditions.paid_in_full == unknown, Missing::PaidAt),
        (conditions.supervision == Supervision::Until(unknown), Missing::SupervisionDoneAt),
        (conditions.seller_certified.is_none(), Missing::SellerCertified),
    ]
    .into_iter()
    .filter_map(|(is_missing, fact)| is_missing.then_some(fact))
    .collect()
}

/// How long something has been open, in buckets that finance people know from other marketplaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AgeBucket {
    /// Up to 30 days.
    #[serde(rename = "<31")]
    UpTo30,
    /// 31 to 60 days.
    #[serde(rename = "31-60")]
    UpTo60,
    /// 61 to 90 days.
    #[serde(rename = "61-90")]
    UpTo90,
    /// 91 to 120 days.
    #[serde(rename = "91-120")]
    UpTo120,
    /// More.
    #[serde(rename = ">120")]
    Over120,
}

impl AgeBucket {
    /// The bucket of something open since a moment, by days of the Beijing calendar.
    #[must_use]
    pub fn of(since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self::since(beijing(since).date(), now)
    }

    /// The bucket of something open since a day of the Beijing calendar.
    #[must_use]
    pub fn since(day: NaiveDate, now: DateTime<Utc>) -> Self {
        match (beijing(now).date() - day).num_days() {
            ..=30 => Self::UpTo30,
            31..=60 => Self::UpTo60,
            61..=90 => Self::UpTo90,
            91..=120 => Self::UpTo120,
            _ => Self::Over120,
        }
    }
}
