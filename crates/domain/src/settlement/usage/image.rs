//! Hours of images that are paid by use: charged by the hour for the time that the ECS was in its normal state (S27).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::hours::Hour;
use crate::settlement::calendar::Period;
use crate::settlement::explanation::{Explained, Worksheet, number};
use crate::settlement::money::{Money, MoneyError};
use crate::settlement::policy::PoweredOff;

/// Hours looked at in one go: more than eleven years of one ECS.
pub const MOST_HOURS: usize = 100_000;

const SECONDS_PER_HOUR: u32 = 3_600;

/// How a part of an hour counts. Ambiguous and UNCONFIRMED: "no minimum" and "actual running time" speak for
/// proration, and Huawei's own ECS is charged by the second (S27).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PartialHour {
    /// By its seconds.
    #[default]
    Prorate,
    /// As a whole hour.
    Ceil,
}

/// State of an ECS as far as its image's charge goes (S27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EcsState {
    /// Bought for a period that has not expired, or by use and not in arrears.
    Normal,
    /// The same, but switched off.
    PoweredOff,
    /// Its period has expired.
    Expired,
    /// Stopped for arrears.
    InArrears,
    /// Released, or running another product's image.
    Gone,
}

impl EcsState {
    /// Whether the image costs in this state.
    #[must_use]
    pub fn is_charged(self, policy: PoweredOff) -> bool {
        match self {
            Self::Normal => true,
            Self::PoweredOff => policy == PoweredOff::Billed,
            Self::Expired | Self::InArrears | Self::Gone => false,
        }
    }
}

/// A time that one ECS spent in one state, UTC; the end does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// In which state.
    pub state: EcsState,
}

/// How long one ECS used an image within an hour of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourUsed {
    /// Which hour. Its period is that of the use; it is booked when it is over.
    pub hour: Hour,
    /// How many seconds of it, at most 3,600.
    pub seconds: u32,
}

/// More hours than are looked at in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the times of one ECS go over more than {MOST_HOURS} hours; ask for a shorter time")]
pub struct TooManyHours;

/// The charged hours of one ECS, in order. Spans may overlap and come in any order: no second counts twice. Fractions
/// of seconds do not count.
///
/// # Errors
/// More than [`MOST_HOURS`].
pub fn hours_used(spans: &[Span], policy: PoweredOff) -> Result<Vec<HourUsed>, TooManyHours> {
    let charged = spans.iter().filter(|span| span.state.is_charged(policy));
    let mut seconds: Vec<_> = charged.map(|span| (span.from.timestamp(), span.to.timestamp())).collect();
    seconds.sort_unstable();
    let mut hours: BTreeMap<i64, u32> = BTreeMap::new();
    let mut counted_until = i64::MIN;
    for (from, to) in seconds {
        let mut from = from.max(counted_until);
        counted_until = counted_until.max(to);
        while from < to {
            let hour = from.div_euclid(i64::from(SECONDS_PER_HOUR));
            let end = to.min((hour + 1) * i64::from(SECONDS_PER_HOUR));
            *hours.entry(hour).or_default() += u32::try_from(end - from).unwrap_or(SECONDS_PER_HOUR);
            if hours.len() > MOST_HOURS {
                return Err(TooManyHours);
            }
            from = end;
        }
    }
    let used = hours.into_iter().filter_map(|(hour, seconds)| {
        let start = DateTime::from_timestamp(hour * i64::from(SECONDS_PER_HOUR), 0)?;
        Some(HourUsed { hour: Hour::of(start), seconds })
    });
    Ok(used.collect())
}

/// The same hours by the period in which the image was used: its month in Beijing.
#[must_use]
pub fn by_period(hours: &[HourUsed]) -> BTreeMap<Period, Vec<HourUsed>> {
    let mut periods: BTreeMap<Period, Vec<HourUsed>> = BTreeMap::new();
    for used in hours {
        periods.entry(Period::of(used.hour.start())).or_default().push(*used);
    }
    periods
}

/// The hours that are charged: to the second, or begun ones whole. The exact number of seconds counts, so parts of
/// hours add up without loss.
#[must_use]
pub fn seconds_charged(hours: &[HourUsed], partial: PartialHour) -> u64 {
    let charged = |used: &HourUsed| match partial {
        PartialHour::Prorate => used.seconds,
        PartialHour::Ceil => SECONDS_PER_HOUR,
    };
    hours.iter().filter(|used| used.seconds > 0).map(|used| u64::from(charged(used))).sum()
}

/// What hours cost the customer: `price × seconds ÷ 3600`. What of it is settled is a matter of the formulas.
///
/// # Errors
/// Out of range.
pub fn charge(hours: &[HourUsed], hourly_price: Money, partial: PartialHour) -> Result<Explained, MoneyError> {
    let mut sheet = Worksheet::new(hourly_price.currency());
    let price = sheet.money("hourly_price", hourly_price)?;
    let seconds = number("seconds_charged", Decimal::from(seconds_charged(hours, partial)));
    let product = sheet.product("price_by_seconds", &[&price, &seconds])?;
    let amount = sheet.quotient("sales_amount", &[&product, &number("seconds_per_hour", SECONDS_PER_HOUR)])?;
    sheet.finish(&amount)
}

/// A charge of one hour and the moment at which it is taken from the customer's balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HourCharge {
    /// The hour.
    pub used: HourUsed,
    /// When it is booked, UTC: at its end.
    pub booked_at: DateTime<Utc>,
    /// What it costs.
    pub charge: Explained,
}

/// What each hour costs, one by one. The whole of them is [`charge`], which divides only once.
///
/// # Errors
/// Out of range.
pub fn hour_charges(
    hours: &[HourUsed],
    hourly_price: Money,
    partial: PartialHour,
) -> Result<Vec<HourCharge>, MoneyError> {
    let charges = hours.iter().map(|used| {
        let charge = charge(&[*used], hourly_price, partial)?;
        Ok(HourCharge { used: *used, booked_at: used.hour.end(), charge })
    });
    charges.collect()
}

/// How far the hours that deployments were seen are from those that were billed; positive if more were seen.
#[must_use]
pub fn seen_beyond_billed(seen: &[HourUsed], billed: &[HourUsed], partial: PartialHour) -> TimeDelta {
    let [seen, billed] = [seen, billed].map(|hours| i64::try_from(seconds_charged(hours, partial)).unwrap_or(i64::MAX));
    TimeDelta::try_seconds(seen - billed).unwrap_or(TimeDelta::MAX)
}
