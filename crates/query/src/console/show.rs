//! How pages write times and numbers.

use std::borrow::Borrow;
use std::fmt::Display;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, Utc};

/// What stands for what is not known.
pub(super) const DASH: &str = "–";

/// Seconds by which Beijing is ahead of UTC. Pages show its time, as the marketplace's console does.
const BEIJING: i32 = 8 * 3_600;

fn beijing(at: DateTime<Utc>) -> NaiveDateTime {
    FixedOffset::east_opt(BEIJING).map_or_else(|| at.naive_utc(), |offset| at.with_timezone(&offset).naive_local())
}

/// A time, to the second, Beijing.
pub(super) fn time(at: impl Borrow<DateTime<Utc>>) -> String {
    beijing(*at.borrow()).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A time, or a dash.
pub(super) fn time_or_dash(at: &Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| DASH.into(), time)
}

/// A value, or a dash.
pub(super) fn or_dash(value: &Option<impl Display>) -> String {
    value.as_ref().map_or_else(|| DASH.into(), ToString::to_string)
}

/// A time as a date-and-time field holds it, Beijing.
pub(super) fn field(at: DateTime<Utc>) -> String {
    beijing(at).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Reads such a field. Browsers leave the seconds out where there are none.
pub(super) fn read_field(text: &str) -> Option<DateTime<Utc>> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let local = formats.into_iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    local.checked_sub_signed(TimeDelta::seconds(BEIJING.into())).map(|utc| utc.and_utc())
}

/// A whole duration in hours and minutes: `2 h 05 min`.
pub(super) fn duration(time: TimeDelta) -> String {
    let minutes = time.num_minutes();
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_beijing_s_and_fields_read_back() {
        let at: DateTime<Utc> = "2026-11-24T18:30:05Z".parse().unwrap();
        assert_eq!(time(at), "2026-11-25 02:30:05");
        assert_eq!(read_field(&field(at)), Some(at));
        assert_eq!(read_field("2026-11-25T02:30").map(time), Some("2026-11-25 02:30:00".into()));
        for text in ["", "yesterday", "2026-11-25", "2026-13-01T00:00"] {
            assert_eq!(read_field(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_hours_and_minutes() {
        assert_eq!(duration(TimeDelta::minutes(125)), "2 h 05 min");
        assert_eq!(duration(TimeDelta::seconds(59)), "0 h 00 min");
    }
}
