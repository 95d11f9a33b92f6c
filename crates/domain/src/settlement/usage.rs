//! What is charged for use: hours of images, metered quantities at their prices, packages. Use belongs to the month
//! in which it happened (S3, S7).

pub mod cycle;
pub mod image;
pub mod package;
pub mod pricing;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::calendar::Period;
use super::money::{Money, MoneyError, Sums};

/// Charges of one product by the period in which it was used, each with that moment: what a month's bill sums up
/// (S7).
///
/// # Errors
/// A sum out of range.
pub fn by_period(
    charges: impl IntoIterator<Item = (DateTime<Utc>, Money)>,
) -> Result<BTreeMap<Period, Sums>, MoneyError> {
    let mut periods: BTreeMap<Period, Sums> = BTreeMap::new();
    for (used_at, charge) in charges {
        periods.entry(Period::of(used_at)).or_default().add(charge)?;
    }
    Ok(periods)
}
