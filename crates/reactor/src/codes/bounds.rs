//! How often is asked: a quota, a pause while the marketplace is away, and once a day.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use chopmark_domain::ids::LicenseCode;
use chrono::{DateTime, TimeDelta, Utc};

use crate::patience::Backoff;

/// Codes never heard of that are asked about for one seller in an hour. Buyers of a seller are fewer; a guesser's
/// chances with so many are nil.
pub(super) const UNKNOWN_CODES_AN_HOUR: u32 = 600;

/// Codes whose day is remembered; of more, none is refreshed that day.
const CODES_A_DAY: usize = 1_000_000;

/// Unknown codes that may still be asked about: full after an hour without any.
#[derive(Debug)]
pub(super) struct Quota {
    left: f64,
    at: Option<DateTime<Utc>>,
}

impl Default for Quota {
    fn default() -> Self {
        Self { left: UNKNOWN_CODES_AN_HOUR.into(), at: None }
    }
}

impl Quota {
    /// Takes one, if one is left.
    pub(super) fn take(&mut self, now: DateTime<Utc>) -> bool {
        let full = f64::from(UNKNOWN_CODES_AN_HOUR);
        let passed = self.at.map_or(TimeDelta::zero(), |at| now - at).max(TimeDelta::zero());
        self.at = Some(now);
        self.left = (self.left + passed.as_seconds_f64() / 3_600.0 * full).min(full);
        let is_left = self.left >= 1.0;
        if is_left {
            self.left -= 1.0;
        }
        is_left
    }
}

/// The marketplace does not answer: for a while it is not asked, so that no check waits for nothing.
#[derive(Debug, Default)]
pub(super) struct Outage {
    failures: u32,
    until: Option<DateTime<Utc>>,
}

impl Outage {
    /// 30 s, and longer from failure to failure.
    const PAUSE: Backoff = Backoff { first: Duration::from_secs(30), longest: Duration::from_mins(10) };

    /// Whether it is not asked now.
    pub(super) fn lasts(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// A question failed. Those that failed together count once.
    pub(super) fn noted(&mut self, now: DateTime<Utc>) {
        if self.lasts(now) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let pause = TimeDelta::from_std(Self::PAUSE.delay(self.failures, 1.0)).unwrap_or(TimeDelta::zero());
        self.until = Some(now + pause);
    }

    /// It answers.
    pub(super) fn over(&mut self) {
        *self = Self::default();
    }
}

/// The codes that were asked about today. Of each only a hash is kept: two codes that share one, which is rare, share a
/// question, and another day they do not.
#[derive(Debug, Default)]
pub(super) struct Today {
    day: i32,
    asked: HashSet<u64>,
    hasher: RandomState,
}

impl Today {
    /// Notes a code; true if it is the first time today, UTC.
    pub(super) fn note(&mut self, code: &LicenseCode, now: DateTime<Utc>) -> bool {
        let day = now.date_naive().to_epoch_days();
        if day != self.day {
            *self = Self { day, ..Self::default() };
        }
        self.asked.len() < CODES_A_DAY && self.asked.insert(self.hasher.hash_one(code))
    }

    /// It was not asked after all.
    pub(super) fn forget(&mut self, code: &LicenseCode) {
        self.asked.remove(&self.hasher.hash_one(code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_quota_ends_and_comes_back_by_and_by() {
        let mut quota = Quota::default();
        let taken = (0..1_000).filter(|_| quota.take(at(0))).count();
        assert_eq!(taken, 600);
        assert!(!quota.take(at(5)));
        assert!(quota.take(at(6)));
        assert!(!quota.take(at(6)));
        assert!(!quota.take(at(-3_600)), "a clock turned back gives nothing");
        assert_eq!((0..1_000).filter(|_| quota.take(at(360_000))).count(), 600, "no more than full");
    }

    #[test]
    fn a_pause_grows_while_the_marketplace_is_away_and_failures_at_once_count_once() {
        let mut outage = Outage::default();
        assert!(!outage.lasts(at(0)));
        (0..32).for_each(|_| outage.noted(at(0)));
        assert!(outage.lasts(at(29)) && !outage.lasts(at(30)));
        outage.noted(at(30));
        assert!(outage.lasts(at(89)) && !outage.lasts(at(90)));
        outage.over();
        outage.noted(at(100));
        assert!(!outage.lasts(at(130)), "it begins anew");
    }

    #[test]
    fn a_code_has_one_turn_a_day() {
        let [one, other] = ["PL1234", "PL5678"].map(|text| LicenseCode::parse(text).unwrap());
        let mut today = Today::default();
        assert!(today.note(&one, at(0)));
        assert!(!today.note(&one, at(60)));
        assert!(today.note(&other, at(60)));
        today.forget(&one);
        assert!(today.note(&one, at(120)));
        assert!(today.note(&one, at(86_400)), "another day");
    }
}
