//! Times as text, against chrono's own.

use chopmark_domain::rfc3339::{Fraction, Rfc3339};
use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use proptest::prelude::*;

fn agree(at: DateTime<Utc>) {
    for (fraction, cut, format) in [
        (Fraction::None, at, SecondsFormat::Secs),
        (Fraction::Millis, at, SecondsFormat::Millis),
        (Fraction::MillisAsNeeded, at.trunc_subsecs(3), SecondsFormat::AutoSi),
        (Fraction::AsNeeded, at, SecondsFormat::AutoSi),
    ] {
        assert_eq!(Rfc3339::new(at, fraction).as_str(), cut.to_rfc3339_opts(format, true), "{fraction:?}");
    }
}

proptest! {
    #[test]
    fn every_time_is_written_as_chrono_does(seconds in -80_000_000_000_i64..300_000_000_000, nanos in 0_u32..1_000_000_000) {
        for nanos in [nanos, nanos / 1_000 * 1_000, nanos / 1_000_000 * 1_000_000, 0] {
            agree(DateTime::from_timestamp(seconds, nanos).unwrap());
        }
    }
}

#[test]
fn the_ends_of_time_and_leap_seconds_are_written_too() {
    agree(DateTime::<Utc>::MIN_UTC);
    agree(DateTime::<Utc>::MAX_UTC);
    agree("2016-12-31T23:59:60Z".parse().unwrap());
    agree("2016-12-31T23:59:60.5Z".parse().unwrap());
}
