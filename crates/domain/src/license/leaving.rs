//! Until when a freed machine keeps its seat: until the last of its leases has ended, since it may go on offline until
//! then.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use super::machine::Machine;
use super::state::License;
use super::verdict::{Question, judge};
use crate::catalog::{LEASE_SECONDS, OFFLINE_GRACE_SECONDS, ProductTerms};

/// What is known of the leases that a machine was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KnownLeases {
    /// The latest end of one that was shown or noted, UTC.
    pub latest_end: Option<DateTime<Utc>>,
    /// Since when every lease that was given out is noted, UTC: an earlier process may have died before it noted the last
    /// ones. Absent where the notes cannot be relied on, and any lease may be out.
    pub noted_since: Option<DateTime<Utc>>,
    /// For how long others may still give out leases, since they have not heard yet that the machine is freed. Counts where
    /// the notes cannot be relied on.
    pub heard_within: TimeDelta,
}

/// Every process has heard of a machine that was freed so long after it was, where the log is not out of reach for longer.
pub const HEARD_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Until when the seat of a machine that is freed now stays taken, UTC; never before `now`. `terms` are those of the
/// license's product, if they are known.
///
/// What may have been given out without being noted counts as given out, for the longest time that it can last.
#[must_use]
pub fn seat_taken_until(
    license: &License,
    terms: Option<&ProductTerms>,
    machine: &Machine,
    known: KnownLeases,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let last_unnoted = match known.noted_since {
        Some(since) if machine.activated_at >= since => None,
        Some(since) => Some(since),
        None => now.checked_add_signed(known.heard_within),
    };
    let longest = last_unnoted.and_then(|given_out| longest_lease(license, terms, given_out, now));
    known.latest_end.max(longest).map_or(now, |until| until.max(now))
}

/// The end of the longest lease that can have been given out at a moment. A lease begins with the second it is given out
/// in.
fn longest_lease(
    license: &License,
    terms: Option<&ProductTerms>,
    given_out: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (lease, offline) = terms
        .map_or((LEASE_SECONDS, OFFLINE_GRACE_SECONDS), |terms| (terms.lease_seconds, terms.offline_grace_seconds));
    let end =
        given_out.trunc_subsecs(0).checked_add_signed(TimeDelta::seconds(i64::from(lease) + i64::from(offline)))?;
    let not_beyond = judge(license, terms, Question::default(), now).ends_at;
    Some(not_beyond.map_or(end, |not_beyond| end.min(not_beyond)))
}
