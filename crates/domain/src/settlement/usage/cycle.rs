//! Charging cycles of metered items (S28).

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

/// The cycle that a moment of use is in: cycles of one length follow each other from the start of use, and each is
/// charged when it is over. A cycle of a day is 24 hours from that start, not a day of the calendar.
///
/// `None` before the start, or if the length is no positive number of seconds.
#[must_use]
pub fn cycle_of(start: DateTime<Utc>, length: TimeDelta, used_at: DateTime<Utc>) -> Option<Range<DateTime<Utc>>> {
    let (since, seconds) = (used_at.signed_duration_since(start), length.num_seconds());
    if since < TimeDelta::zero() || seconds <= 0 {
        return None;
    }
    let whole = since.num_seconds() / seconds * seconds;
    let from = start.checked_add_signed(TimeDelta::try_seconds(whole)?)?;
    Some(from..from.checked_add_signed(length)?)
}
