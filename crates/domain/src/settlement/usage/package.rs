//! Packages of metered quantities, paid before use (S28). A package is settled at once when it is bought; here is
//! what of later use it covers.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::settlement::money::MoneyError;

/// What happens when a package is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenExhausted {
    /// What goes beyond it is charged by use (按需套餐包).
    ChargedByUse,
    /// The service stops until another one is bought (用完即停套餐包).
    Stops,
}

/// Where a used quantity goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// Covered by the package.
    pub covered: Decimal,
    /// Charged by use.
    pub charged: Decimal,
    /// Not served: the service had stopped. If it was served all the same, nobody pays for it.
    pub unserved: Decimal,
    /// What is left of the package.
    pub left: Decimal,
}

/// Takes a used quantity out of a package: its quota first, then what the package says.
///
/// # Errors
/// A negative number.
pub fn draw(left: Decimal, used: Decimal, when_exhausted: WhenExhausted) -> Result<Drawn, MoneyError> {
    for (name, value) in [("quota_left", left), ("quantity", used)] {
        if value < Decimal::ZERO {
            return Err(MoneyError::NotPositive { name: name.into(), value });
        }
    }
    let covered = left.min(used);
    let beyond = used - covered;
    let (charged, unserved) = match when_exhausted {
        WhenExhausted::ChargedByUse => (beyond, Decimal::ZERO),
        WhenExhausted::Stops => (Decimal::ZERO, beyond),
    };
    Ok(Drawn { covered, charged, unserved, left: left - covered })
}
