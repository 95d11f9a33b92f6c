//! Days as a spreadsheet counts them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// From when a workbook counts its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    /// 1 is 1900-01-01, and 60 is a 1900-02-29 that never was.
    Of1900,
    /// 0 is 1904-01-01.
    Of1904,
}

const MILLISECONDS_A_DAY: i64 = 86_400_000;

/// The last day that a spreadsheet knows, 9999-12-31, counted from 1899-12-30.
const LAST: i64 = 2_958_465;

/// Decimals of a day that are written: finer than a millisecond, and fifteen digits together with the day.
const DECIMALS: u32 = 10;

impl Epoch {
    /// The moment that a number stands for, to the millisecond; `None` if it is none that a spreadsheet shows.
    pub(super) fn moment(self, serial: Decimal) -> Option<NaiveDateTime> {
        let milliseconds = serial.checked_mul(Decimal::from(MILLISECONDS_A_DAY))?;
        let milliseconds = milliseconds.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).to_i64()?;
        let (days, rest) = (milliseconds.div_euclid(MILLISECONDS_A_DAY), milliseconds.rem_euclid(MILLISECONDS_A_DAY));
        let days = match (self, days) {
            (Self::Of1904, 0..) => days.checked_add(1_462)?,
            (Self::Of1900, 1..=59) => days + 1,
            (Self::Of1900, 61..) => days,
            _ => return None,
        };
        let day = (days <= LAST).then(start)?.checked_add_signed(TimeDelta::days(days))?;
        Some(day.and_time(NaiveTime::MIN) + TimeDelta::milliseconds(rest))
    }
}

/// The number of a moment in a workbook that counts from 1900; `None` before 1900-03-01, from where all agree, and after
/// 9999.
pub(crate) fn serial(moment: NaiveDateTime) -> Option<Decimal> {
    let since = moment.signed_duration_since(start().and_time(NaiveTime::MIN));
    let days = (61..=LAST).contains(&since.num_days()).then(|| Decimal::from(since.num_milliseconds()))?;
    let serial = days / Decimal::from(MILLISECONDS_A_DAY);
    Some(serial.round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// The day 0 of those after February 1900.
fn start() -> NaiveDate {
    NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1900_and_from_1904() {
        for (epoch, number, expected) in [
            (Epoch::Of1900, "1", Some("1900-01-01 00:00:00")),
            (Epoch::Of1900, "59", Some("1900-02-28 00:00:00")),
            (Epoch::Of1900, "60", None),
            (Epoch::Of1900, "61", Some("1900-03-01 00:00:00")),
            (Epoch::Of1900, "45352.5242592593", Some("2024-03-01 12:34:56")),
            (Epoch::Of1900, "2958465", Some("9999-12-31 00:00:00")),
            (Epoch::Of1900, "2958466", None),
            (Epoch::Of1900, "0.5", None),
            (Epoch::Of1900, "-1", None),
            (Epoch::Of1900, "79228162514264337593543950335", None),
            (Epoch::Of1904, "0", Some("1904-01-01 00:00:00")),
            (Epoch::Of1904, "43890.25", Some("2024-03-01 06:00:00")),
        ] {
            let moment = epoch.moment(number.parse().unwrap());
            let shown = moment.map(|moment| moment.format("%Y-%m-%d %H:%M:%S%.f").to_string());
            assert_eq!(shown.as_deref(), expected, "{number}");
        }
    }
}
