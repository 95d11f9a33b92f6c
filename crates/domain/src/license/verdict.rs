//! The verdict: may this software run?

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

use super::deployment::DeploymentClaim;
use super::reason::Reason;
use super::state::{License, Status};
use crate::catalog::{ClonePolicy, Entitlement, ProductTerms};
use crate::ids::Sku;

/// Days after expiry that a license stays valid where no product says otherwise.
const DEFAULT_GRACE_DAYS: u32 = 15;

/// Why a verdict is what it is, in the order in which they are looked at: the first that applies is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// There is no such license.
    NotFound,
    /// Over.
    Released,
    /// Stopped by an operator.
    Blocked,
    /// Frozen by the marketplace.
    Frozen,
    /// A code or online license that is not activated yet.
    Pending,
    /// The license is for another product.
    WrongProduct,
    /// Past expiry and grace.
    Expired,
    /// The ECS is enrolled from elsewhere, or by a clone that the product does not bear.
    DeploymentConflict,
    /// The product counts machines and the question names none.
    MachineRequired,
    /// The machine named has no seat.
    MachineNotActivated,
    /// More machines are activated than there are seats by now, and this is one of the last.
    MachineLimit,
    /// Past expiry, within grace or a provisional term.
    Grace,
    /// Good.
    Valid,
}

impl Code {
    /// Every code, in order.
    pub const ALL: [Self; 13] = [
        Self::NotFound,
        Self::Released,
        Self::Blocked,
        Self::Frozen,
        Self::Pending,
        Self::WrongProduct,
        Self::Expired,
        Self::DeploymentConflict,
        Self::MachineRequired,
        Self::MachineNotActivated,
        Self::MachineLimit,
        Self::Grace,
        Self::Valid,
    ];

    /// The code as answers and metrics spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Released => "RELEASED",
            Self::Blocked => "BLOCKED",
            Self::Frozen => "FROZEN",
            Self::Pending => "PENDING",
            Self::WrongProduct => "WRONG_PRODUCT",
            Self::Expired => "EXPIRED",
            Self::DeploymentConflict => "DEPLOYMENT_CONFLICT",
            Self::MachineRequired => "MACHINE_REQUIRED",
            Self::MachineNotActivated => "MACHINE_NOT_ACTIVATED",
            Self::MachineLimit => "MACHINE_LIMIT",
            Self::Grace => "GRACE",
            Self::Valid => "VALID",
        }
    }

    /// Whether the software may run.
    #[must_use]
    pub fn is_valid(self) -> bool {
        matches!(self, Self::Grace | Self::Valid)
    }
}

/// What the software asks, beyond the license's id.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// The product that it is.
    pub product: Option<&'a Sku>,
    /// The fingerprint of the machine it runs on.
    pub machine: Option<&'a str>,
    /// What the ECS it runs on says of itself; only such a question finds a deployment.
    pub deployment: Option<DeploymentClaim<'a>>,
}

/// Seats of a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SeatUse {
    /// Machines that hold one.
    pub used: u32,
    /// Machines that may; absent while the amount bought is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl SeatUse {
    /// How a license's seats are used, under its product's terms as far as they are known.
    #[must_use]
    pub fn of(license: &License, terms: Option<&ProductTerms>, now: DateTime<Utc>) -> Self {
        let seats = terms.and_then(|terms| terms.seats);
        Self { used: license.seats_used(now), limit: seats.and_then(|seats| seats.limit(license.quantity)) }
    }
}

/// The answer to a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Why. Whether the software may run follows from it.
    pub code: Code,
    /// The same in words for the customer.
    pub reason: Reason,
    /// What the license entitles to; `None` while its product is not known.
    pub entitlements: Option<Entitlements<'a>>,
    /// Its seats, where the product counts machines.
    pub seats: Option<SeatUse>,
    /// When our own clock ends the license, UTC: no lease reaches further. `None` where it has no end.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Judges a license under its product's terms; `None` where the product is not known (yet).
#[must_use]
pub fn judge<'a>(
    license: &License,
    terms: Option<&'a ProductTerms>,
    question: Question<'_>,
    now: DateTime<Utc>,
) -> Verdict<'a> {
    verdict(license, terms, first_code(license, terms, question, now), now)
}

/// Judges a license as a check by one of its active machines would find it: for people, who want to know of a license
/// whether it is good, and not that they named no machine.
#[must_use]
pub fn judge_itself<'a>(license: &License, terms: Option<&'a ProductTerms>, now: DateTime<Utc>) -> Verdict<'a> {
    verdict(license, terms, standing_code(license, terms, now), now)
}

fn verdict<'a>(license: &License, terms: Option<&'a ProductTerms>, code: Code, now: DateTime<Utc>) -> Verdict<'a> {
    let ends_at = grace_end(license, terms).max(license.provisional_until());
    let moment = if code == Code::Grace { ends_at } else { license.expires_at };
    let counts_machines = terms.is_some_and(|terms| terms.seats.is_some());
    Verdict {
        code,
        reason: Reason::new(code, moment),
        entitlements: terms.map(|terms| Entitlements { of: &terms.entitlements, quantity: license.quantity }),
        seats: counts_machines.then(|| SeatUse::of(license, terms, now)),
        ends_at,
    }
}

fn first_code(license: &License, terms: Option<&ProductTerms>, question: Question<'_>, now: DateTime<Utc>) -> Code {
    let standing = standing_code(license, terms, now);
    if !matches!(standing, Code::Expired | Code::Grace | Code::Valid) {
        return standing;
    }
    if let (Some(asked), Some(bought)) = (question.product, &license.sku)
        && asked != bought
    {
        return Code::WrongProduct;
    }
    if standing == Code::Expired {
        return standing;
    }
    deployment_code(license, terms, question, now)
        .or_else(|| machine_code(license, terms, question, now))
        .unwrap_or(standing)
}

/// What holds of the license whoever asks, and for whatever product.
pub(super) fn standing_code(license: &License, terms: Option<&ProductTerms>, now: DateTime<Utc>) -> Code {
    let late = license.expired(now);
    let kept = license.provisional_until().is_some_and(|until| now < until);
    match license.status {
        Status::Released => Code::Released,
        _ if license.blocked => Code::Blocked,
        Status::Frozen => Code::Frozen,
        Status::Active if license.is_pending(terms) => Code::Pending,
        Status::Active if late && !kept && grace_end(license, terms).is_some_and(|end| end <= now) => Code::Expired,
        Status::Active if late => Code::Grace,
        Status::Active => Code::Valid,
    }
}

fn deployment_code(
    license: &License,
    terms: Option<&ProductTerms>,
    question: Question<'_>,
    now: DateTime<Utc>,
) -> Option<Code> {
    let (deployment, claim) = license.deployment.as_ref().zip(question.deployment)?;
    let policy = terms.map_or(ClonePolicy::Report, |terms| terms.clones);
    deployment.refuses(&claim, policy, now).then_some(Code::DeploymentConflict)
}

fn machine_code(
    license: &License,
    terms: Option<&ProductTerms>,
    question: Question<'_>,
    now: DateTime<Utc>,
) -> Option<Code> {
    let seats = terms?.seats?;
    let Some(fingerprint) = question.machine else { return Some(Code::MachineRequired) };
    if !license.has_machine(fingerprint) {
        return Some(Code::MachineNotActivated);
    }
    let limit = seats.limit(license.quantity)?;
    let before = license.machines.as_ref().map_or(0, |machines| machines.before(fingerprint, now));
    (before >= limit).then_some(Code::MachineLimit)
}

/// When our own clock ends a license: its expiry plus the product's grace.
fn grace_end(license: &License, terms: Option<&ProductTerms>) -> Option<DateTime<Utc>> {
    let days = terms.map_or(DEFAULT_GRACE_DAYS, |terms| terms.grace_days);
    license.expires_at?.checked_add_signed(TimeDelta::days(days.into()))
}

/// What a license entitles to, the amount bought filled in. What depends on an amount that is not known is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entitlements<'a> {
    of: &'a BTreeMap<String, Entitlement>,
    quantity: Option<u32>,
}

/// An entitlement with the amount filled in.
#[derive(Serialize)]
#[serde(untagged)]
enum Granted<'a> {
    Flag(bool),
    Number(i64),
    Text(&'a str),
}

impl Serialize for Entitlements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let granted = |entitlement| match entitlement {
            &Entitlement::Flag(flag) => Some(Granted::Flag(flag)),
            &Entitlement::Number(number) => Some(Granted::Number(number)),
            Entitlement::Text(text) if text == "quantity" => self.quantity.map(|amount| Granted::Number(amount.into())),
            Entitlement::Text(text) => Some(Granted::Text(text)),
        };
        serializer.collect_map(self.of.iter().filter_map(|(name, entitlement)| Some((name, granted(entitlement)?))))
    }
}
