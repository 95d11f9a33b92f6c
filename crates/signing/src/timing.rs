//! How long a lease lasts.

use chrono::{DateTime, Utc};

/// Seconds a lease lasts at most while the facts of its license are not known: a day.
const PENDING_SECONDS: i64 = 24 * 60 * 60;

/// For how long a lease may be given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The software should ask again within this time, seconds.
    pub lease_seconds: u32,
    /// The lease can be verified offline this much longer, seconds.
    pub offline_grace_seconds: u32,
    /// No lease reaches further, UTC: the license's expiry plus its grace, or the end of a provisional term. `None`
    /// where it has no end.
    pub not_beyond: Option<DateTime<Utc>>,
    /// What was bought is not known yet: a lease ends within 24 hours.
    pub facts_pending: bool,
}

/// The times in a lease, each in seconds since 1970, UTC. `issued_at` ≤ `renew_by` ≤ `expires_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timing {
    /// When it was given out and begins: `iat` and `nbf`.
    pub(crate) issued_at: i64,
    /// Until when the software should have asked again: `renew_by`.
    pub(crate) renew_by: i64,
    /// Its hard end: `exp`.
    pub(crate) expires_at: i64,
}

impl Timing {
    /// The times of a lease given out at a second; `None` if nothing of the term is left then.
    ///
    /// The fraction of `not_beyond` is cut off, so no lease ends after it.
    pub(crate) fn of(issued_at: i64, term: &Term) -> Option<Self> {
        let renew_by = issued_at + i64::from(term.lease_seconds);
        let mut expires_at = renew_by + i64::from(term.offline_grace_seconds);
        if let Some(end) = term.not_beyond {
            expires_at = expires_at.min(end.timestamp());
        }
        if term.facts_pending {
            expires_at = expires_at.min(issued_at + PENDING_SECONDS);
        }
        let is_left = issued_at < expires_at && expires_at <= DateTime::<Utc>::MAX_UTC.timestamp();
        is_left.then_some(Self { issued_at, renew_by: renew_by.min(expires_at), expires_at })
    }

    /// Whether a lease of these times, given out before, still serves at `now` as well as the fresh one would: half
    /// of the time until it must be renewed is left, or a fresh one would last no longer.
    pub(crate) fn serves(&self, fresh: &Self, term: &Term, now: DateTime<Utc>) -> bool {
        let (second, has_fraction) = (now.timestamp(), now.timestamp_subsec_nanos() > 0);
        let whole_left = self.renew_by - second - i64::from(has_fraction);
        let half_left = whole_left >= i64::from(term.lease_seconds / 2);
        let gains_nothing = fresh.renew_by <= self.renew_by && fresh.expires_at <= self.expires_at;
        self.issued_at <= second && second < self.expires_at && (half_left || gains_nothing)
    }
}

/// The moment that a second begins. The last one that there is, where it would be later.
pub(crate) fn moment(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    const DAY_AND_WEEK: Term =
        Term { lease_seconds: 86_400, offline_grace_seconds: 604_800, not_beyond: None, facts_pending: false };

    #[test]
    fn a_lease_lasts_as_its_term_says() {
        let times = |term| {
            let timing = Timing::of(at(0).timestamp(), &term);
            timing.map(|timing| (moment(timing.renew_by), moment(timing.expires_at)))
        };
        let until = |seconds| Term { not_beyond: Some(at(seconds)), ..DAY_AND_WEEK };
        let pending = |term| Term { facts_pending: true, ..term };
        assert_eq!(times(DAY_AND_WEEK), Some((at(86_400), at(691_200))));
        assert_eq!(times(until(100_000)), Some((at(86_400), at(100_000))), "the end cuts what lasts offline");
        assert_eq!(times(until(1_000)), Some((at(1_000), at(1_000))), "and the time to renew");
        assert_eq!(times(pending(DAY_AND_WEEK)), Some((at(86_400), at(86_400))), "a day while facts are pending");
        assert_eq!(times(pending(until(1_000))), Some((at(1_000), at(1_000))));
        assert_eq!(times(until(0)), None);
        assert_eq!(times(until(-1)), None);
    }

    #[test]
    fn the_end_of_time_is_no_reason_to_panic() {
        assert_eq!(Timing::of(DateTime::<Utc>::MAX_UTC.timestamp(), &DAY_AND_WEEK), None);
    }

    #[test]
    fn a_lease_serves_until_half_of_its_time_is_over() {
        let first = Timing::of(at(0).timestamp(), &DAY_AND_WEEK).unwrap();
        let serves = |seconds| {
            let fresh = Timing::of(at(seconds).timestamp(), &DAY_AND_WEEK).unwrap();
            first.serves(&fresh, &DAY_AND_WEEK, at(seconds))
        };
        assert!(serves(0) && serves(43_200));
        assert!(!serves(43_201));
        assert!(!serves(-1), "a clock that was turned back would give out what is not valid yet");
    }

    #[test]
    fn a_lease_that_lasts_to_the_end_is_not_signed_again() {
        let term = Term { not_beyond: Some(at(1_000)), ..DAY_AND_WEEK };
        let first = Timing::of(at(0).timestamp(), &term).unwrap();
        let fresh = Timing::of(at(999).timestamp(), &term).unwrap();
        assert!(first.serves(&fresh, &term, at(999)));
    }

    proptest! {
        #[test]
        fn no_lease_is_longer_than_it_may_be(
            millis in -1_000_000_000_000i64..4_000_000_000_000,
            lease_seconds in prop_oneof![0u32..200_000, any::<u32>()],
            offline_grace_seconds in prop_oneof![0u32..200_000, any::<u32>()],
            left_millis in prop::option::of(-5_000i64..300_000_000),
            facts_pending: bool,
        ) {
            let now = DateTime::from_timestamp_millis(millis).unwrap();
            let not_beyond = left_millis.map(|left| now + TimeDelta::milliseconds(left));
            let term = Term { lease_seconds, offline_grace_seconds, not_beyond, facts_pending };
            let offline = u64::from(lease_seconds) + u64::from(offline_grace_seconds);
            let Some(timing) = Timing::of(now.timestamp(), &term) else {
                let over = not_beyond.is_some_and(|end| end < now + TimeDelta::seconds(1));
                prop_assert!(offline == 0 || over, "a lease is refused only where nothing is left");
                return Ok(());
            };
            let [issued_at, renew_by, expires_at] =
                [timing.issued_at, timing.renew_by, timing.expires_at].map(moment);
            prop_assert!(issued_at <= now && now - issued_at < TimeDelta::seconds(1));
            prop_assert!(issued_at <= renew_by && renew_by <= expires_at && issued_at < expires_at);
            prop_assert!((renew_by - issued_at).num_seconds() <= i64::from(lease_seconds));
            let lasts = u64::try_from((expires_at - issued_at).num_seconds()).unwrap();
            prop_assert!(lasts <= offline);
            prop_assert!(not_beyond.is_none_or(|end| expires_at <= end));
            prop_assert!(!facts_pending || lasts <= 86_400);
            let bounded = not_beyond.is_some_and(|end| end - expires_at < TimeDelta::seconds(1));
            prop_assert!(lasts == offline || bounded || (facts_pending && lasts == 86_400), "nor shorter than it must");
        }
    }
}
