//! Who may have a refund (S10, S11, S12). It is the marketplace that decides: what it reports is taken as it is, and
//! these rules explain it, or tell a seller beforehand.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::order::ChargingMode;
use crate::settlement::calendar::beijing;
use crate::settlement::marked::Happening;
use crate::settlement::money::{Currency, Money};
use crate::settlement::policy::InternationalRefunds;
use crate::settlement::product::{AccessType, Site};

/// Five times 24 hours from provisioning (S10, S26).
pub const FIVE_DAYS: TimeDelta = TimeDelta::days(5);

/// No-reason refunds of one account in a calendar year, shared with all other services of the cloud.
pub const YEARLY_QUOTA: usize = 10;

/// Which rule a product is refunded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// In full and without a reason, within five days of provisioning.
    FiveDays,
    /// An amount agreed with the seller, until the order is accepted.
    Negotiated,
    /// Like a cloud resource: in full within five days, then for the hours not used.
    LikeCloudResources,
    /// Not at all.
    Never,
}

/// The rule of a product; `None` if the pages do not say.
#[must_use]
pub fn rule_of(
    site: Site,
    access: AccessType,
    mode: ChargingMode,
    supervised: bool,
    international: InternationalRefunds,
) -> Option<Rule> {
    use ChargingMode::{OnDemand, OnDemandPkg, OneTime, Other, Period};
    match (site, mode) {
        (_, OnDemand | OnDemandPkg) => Some(Rule::Never),
        (_, Other) => None,
        (Site::Cn, Period | OneTime) => in_china(access, mode, supervised),
        (Site::Intl | Site::Eu, Period | OneTime) => elsewhere(access, mode, supervised, international),
    }
}

/// (S10), table 1.
fn in_china(access: AccessType, mode: ChargingMode, supervised: bool) -> Option<Rule> {
    match (access, mode) {
        (AccessType::Saas, _) if supervised => Some(Rule::Negotiated),
        (AccessType::Saas | AccessType::Image, ChargingMode::Period) => Some(Rule::FiveDays),
        (AccessType::License | AccessType::ProfessionalService | AccessType::Hardware, _)
        | (AccessType::DataAsset, ChargingMode::OneTime) => Some(Rule::Negotiated),
        (AccessType::Api | AccessType::AiAsset | AccessType::Container | AccessType::ContentService, _) => {
            Some(Rule::Never)
        }
        _ => None,
    }
}

/// (S11), or (S12) before it.
fn elsewhere(access: AccessType, mode: ChargingMode, supervised: bool, edition: InternationalRefunds) -> Option<Rule> {
    let negotiated = match edition {
        InternationalRefunds::Negotiated => Rule::Negotiated,
        InternationalRefunds::Never => Rule::Never,
    };
    match (access, mode) {
        (AccessType::Image, ChargingMode::Period) => Some(Rule::LikeCloudResources),
        (AccessType::Saas, _) if supervised => Some(negotiated),
        (AccessType::License | AccessType::ProfessionalService | AccessType::Hardware, _) => Some(negotiated),
        (AccessType::Saas | AccessType::ContentService | AccessType::Consulting | AccessType::CloudHost, _) => {
            Some(Rule::Never)
        }
        _ => None,
    }
}

/// The window of a no-reason refund: from provisioning until just before the same second five days later.
#[must_use]
pub fn five_day_window(provisioned_at: DateTime<Utc>) -> Range<DateTime<Utc>> {
    provisioned_at..provisioned_at.checked_add_signed(FIVE_DAYS).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// An order line that somebody wants to give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The rule of its product.
    pub rule: Option<Rule>,
    /// Whether it is a renewal.
    pub is_renewal: bool,
    /// When it takes effect.
    pub effective: Happening,
    /// When it was accepted, if it is supervised.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When its term ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it is given back.
    pub at: DateTime<Utc>,
}

/// What the rules say to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Everything comes back.
    Full(Grounds),
    /// What buyer and seller agree on, at most what was paid.
    Negotiable,
    /// What is not used, see [`prorated`](super::prorated).
    Prorated,
    /// Nothing.
    Refused(Refusal),
    /// The pages do not say, or a fact is missing.
    Unknown,
}

/// Why everything comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounds {
    /// It was provisioned less than five days ago.
    WithinFiveDays,
    /// It has not taken effect.
    NotEffective,
}

/// Why nothing comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The product is never refunded.
    NotRefundable,
    /// The five days are over.
    WindowOver,
    /// It is a renewal that has taken effect.
    RenewalEffective,
    /// It was accepted: the guarantee period is over.
    GuaranteeOver,
    /// Its term is over.
    Expired,
}

/// What the rules say to a request. The yearly quota has no part in it: it is shared with services that we do not
/// see.
#[must_use]
pub fn answer(request: &Request) -> Answer {
    let Some(rule) = request.rule else { return Answer::Unknown };
    if rule == Rule::Never {
        return Answer::Refused(Refusal::NotRefundable);
    }
    let is_effective = !request.effective.is_ahead_of(request.at);
    match (rule, request.is_renewal) {
        _ if request.effective == Happening::Unknown && (request.is_renewal || rule != Rule::Negotiated) => {
            Answer::Unknown
        }
        (Rule::FiveDays | Rule::LikeCloudResources, _) | (Rule::Negotiated, true) if !is_effective => {
            Answer::Full(Grounds::NotEffective)
        }
        (Rule::FiveDays | Rule::Negotiated, true) => Answer::Refused(Refusal::RenewalEffective),
        (Rule::Negotiated, false) => negotiation(request),
        (Rule::FiveDays, false) if is_within_window(request) => Answer::Full(Grounds::WithinFiveDays),
        (Rule::FiveDays, false) => Answer::Refused(Refusal::WindowOver),
        (Rule::LikeCloudResources, false) if is_within_window(request) => Answer::Full(Grounds::WithinFiveDays),
        (Rule::LikeCloudResources, _) if is_expired(request) => Answer::Refused(Refusal::Expired),
        (Rule::LikeCloudResources, _) => Answer::Prorated,
        (Rule::Never, _) => Answer::Refused(Refusal::NotRefundable),
    }
}

fn negotiation(request: &Request) -> Answer {
    if request.accepted_at.is_some_and(|accepted_at| accepted_at <= request.at) {
        Answer::Refused(Refusal::GuaranteeOver)
    } else if is_expired(request) {
        Answer::Refused(Refusal::Expired)
    } else {
        Answer::Negotiable
    }
}

fn is_within_window(request: &Request) -> bool {
    request.effective.at().is_some_and(|effective| five_day_window(effective.value).contains(&request.at))
}

fn is_expired(request: &Request) -> bool {
    request.expires_at.is_some_and(|expires_at| expires_at <= request.at)
}

/// How much of the yearly quota of no-reason refunds is known to be used. Only shown: other services of the cloud use
/// it too, so it never explains away a refund that was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// Refunds that we know of; resources that belong together count once.
    pub used: usize,
    /// Refunds of one account in a year.
    pub allowed: usize,
    /// At most so many are left.
    pub left: usize,
}

/// The quota of one account in a calendar year (from 1 January, Beijing), by its refunds: each resource, or group of
/// resources bound to each other, with the moment it was given back.
#[must_use]
pub fn yearly_quota<R: Ord>(refunds: &[(R, DateTime<Utc>)], year: i32) -> Quota {
    let of_year = refunds.iter().filter(|(_, at)| beijing(*at).year() == year);
    let used = of_year.map(|(resource, _)| resource).collect::<BTreeSet<_>>().len();
    Quota { used, allowed: YEARLY_QUOTA, left: YEARLY_QUOTA.saturating_sub(used) }
}

/// Whether the account manager must approve a refund: more than 50,000 RMB, or 7,000 USD (S36, S26).
#[must_use]
pub fn needs_approval(refund: Money) -> bool {
    match refund.currency() {
        Currency::CNY => refund.amount() > Decimal::new(50_000, 0),
        Currency::USD => refund.amount() > Decimal::new(7_000, 0),
        _ => false,
    }
}
