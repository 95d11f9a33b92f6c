//! The verdict: may this software run?

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

use super::state::{License, Status};
use crate::catalog::{Entitlement, ProductTerms};
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
    /// Frozen by the marketplace.
    Frozen,
    /// The license is for another product.
    WrongProduct,
    /// Past expiry and grace.
    Expired,
    /// The product counts machines and the question names none.
    MachineRequired,
    /// The machine named has no seat.
    MachineNotActivated,
    /// Past expiry, within grace or a provisional term.
    Grace,
    /// Good.
    Valid,
}

impl Code {
    /// Every code, in order.
    pub const ALL: [Self; 9] = [
        Self::NotFound,
        Self::Released,
        Self::Frozen,
        Self::WrongProduct,
        Self::Expired,
        Self::MachineRequired,
        Self::MachineNotActivated,
        Self::Grace,
        Self::Valid,
    ];

    /// The code as answers and metrics spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Released => "RELEASED",
            Self::Frozen => "FROZEN",
            Self::WrongProduct => "WRONG_PRODUCT",
            Self::Expired => "EXPIRED",
            Self::MachineRequired => "MACHINE_REQUIRED",
            Self::MachineNotActivated => "MACHINE_NOT_ACTIVATED",
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
    /// Whether it named the machine it runs on.
    pub names_machine: bool,
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
}

/// Judges a license under its product's terms; `None` where the product is not known (yet).
#[must_use]
pub fn judge<'a>(
    license: &License,
    terms: Option<&'a ProductTerms>,
    question: Question<'_>,
    now: DateTime<Utc>,
) -> Verdict<'a> {
    let code = first_code(license, terms, question, now);
    let moment = match code {
        Code::Grace => grace_end(license, terms).max(license.provisional_until()),
        _ => license.expires_at,
    };
    let seats = terms.and_then(|terms| terms.seats);
    Verdict {
        code,
        reason: Reason { code, moment },
        entitlements: terms.map(|terms| Entitlements { of: &terms.entitlements, quantity: license.quantity }),
        seats: seats.map(|seats| SeatUse { used: 0, limit: seats.limit(license.quantity) }),
    }
}

fn first_code(license: &License, terms: Option<&ProductTerms>, question: Question<'_>, now: DateTime<Utc>) -> Code {
    match license.status {
        Status::Released => return Code::Released,
        Status::Frozen => return Code::Frozen,
        Status::Active => {}
    }
    if let (Some(asked), Some(bought)) = (question.product, &license.sku)
        && asked != bought
    {
        return Code::WrongProduct;
    }
    let late = license.expired(now);
    let kept = license.provisional_until().is_some_and(|until| now < until);
    if late && !kept && grace_end(license, terms).is_some_and(|end| end <= now) {
        return Code::Expired;
    }
    if terms.is_some_and(|terms| terms.seats.is_some()) {
        return if question.names_machine { Code::MachineNotActivated } else { Code::MachineRequired };
    }
    if late { Code::Grace } else { Code::Valid }
}

/// When our own clock ends a license: its expiry plus the product's grace.
fn grace_end(license: &License, terms: Option<&ProductTerms>) -> Option<DateTime<Utc>> {
    let days = terms.map_or(DEFAULT_GRACE_DAYS, |terms| terms.grace_days);
    license.expires_at?.checked_add_signed(TimeDelta::days(days.into()))
}

/// Why, in words. Written out only where somebody reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    code: Code,
    /// The moment the words speak of, UTC: the expiry, or the end of the grace.
    moment: Option<DateTime<Utc>>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.code {
            Code::NotFound => "no such license",
            Code::Released => "the license was released; it has ended for good",
            Code::Frozen => "frozen by the marketplace; renew, or clear the matter there",
            Code::WrongProduct => "the license is for another product",
            Code::Expired => "expired",
            Code::MachineRequired => "this product counts machines; name the machine",
            Code::MachineNotActivated => "this machine has no seat; activate it first",
            Code::Grace => "past its expiry, usable",
            Code::Valid => "active",
        })?;
        match (self.code, self.moment) {
            (Code::Expired, Some(moment)) => write!(f, " on {}", rfc3339(moment)),
            (Code::Grace | Code::Valid, Some(moment)) => write!(f, " until {}", rfc3339(moment)),
            _ => Ok(()),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
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
