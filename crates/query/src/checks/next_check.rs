//! When a program should ask again.

use std::ops::RangeInclusive;

use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::license::Code;
use chrono::{DateTime, Utc};
use rand::Rng;

/// Seconds until the next check, where no product says otherwise.
const CHECK_INTERVAL_SECONDS: u32 = 3_600;

/// Seconds until the next check of what is pending: that takes a moment as a rule.
const PENDING_SECONDS: u32 = 60;

/// Seconds until the next check: a little less than the product's interval, each time by another amount, so that all
/// that start at once do not ask at once for ever. Never later than the lease must be renewed.
pub(super) fn next_check_after(
    code: Code,
    terms: Option<&ProductTerms>,
    renew_by: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> u32 {
    among(code, terms, renew_by, now, |seconds| rand::rng().random_range(seconds))
}

fn among(
    code: Code,
    terms: Option<&ProductTerms>,
    renew_by: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    choose: impl FnOnce(RangeInclusive<u32>) -> u32,
) -> u32 {
    let interval = terms.map_or(CHECK_INTERVAL_SECONDS, |terms| terms.check_interval_seconds);
    if code == Code::Pending {
        return interval.clamp(1, PENDING_SECONDS);
    }
    // Whole seconds that are left; where it is none, at once.
    let left = renew_by.map(|renew_by| u32::try_from((renew_by - now).num_seconds()).unwrap_or(0));
    let wanted = choose(interval - interval / 10..=interval);
    left.map_or(wanted, |left| wanted.min(left)).max(1)
}

#[cfg(test)]
mod tests {
    use chopmark_domain::catalog::ProductKind;
    use chopmark_domain::settlement::terms::SettlementTerms;
    use chrono::TimeDelta;

    use super::*;

    fn terms(check_interval_seconds: u32) -> ProductTerms {
        ProductTerms {
            kind: ProductKind::Saas,
            name: "Example".into(),
            entitlements: [].into(),
            seats: None,
            grace_days: 15,
            lease_seconds: 86_400,
            offline_grace_seconds: 604_800,
            check_interval_seconds,
            fee_ratio: None,
            clones: chopmark_domain::catalog::ClonePolicy::Report,
            license_form: chopmark_domain::catalog::LicenseForm::Text,
            settlement: SettlementTerms::default(),
        }
    }

    fn bounds(code: Code, interval: u32, left: Option<TimeDelta>) -> (u32, u32) {
        let (now, terms) = (Utc::now(), terms(interval));
        let renew_by = left.map(|left| now + left);
        let with = |choose: fn(RangeInclusive<u32>) -> u32| among(code, Some(&terms), renew_by, now, choose);
        (with(|seconds| *seconds.start()), with(|seconds| *seconds.end()))
    }

    #[test]
    fn the_next_check_comes_within_the_last_tenth_of_the_interval() {
        assert_eq!(bounds(Code::Valid, 3_600, None), (3_240, 3_600));
        assert_eq!(bounds(Code::Frozen, 100, None), (90, 100));
        assert_eq!(bounds(Code::Valid, 1, None), (1, 1));
        assert_eq!(bounds(Code::Valid, 0, None), (1, 1), "at once is not asked for");
    }

    #[test]
    fn a_lease_is_renewed_before_it_must_be() {
        assert_eq!(bounds(Code::Valid, 3_600, Some(TimeDelta::seconds(90))), (90, 90));
        assert_eq!(bounds(Code::Valid, 3_600, Some(TimeDelta::milliseconds(90_999))), (90, 90));
        assert_eq!(bounds(Code::Valid, 3_600, Some(TimeDelta::milliseconds(500))), (1, 1));
        assert_eq!(bounds(Code::Valid, 3_600, Some(TimeDelta::days(1))), (3_240, 3_600));
    }

    #[test]
    fn what_is_pending_is_asked_for_again_soon() {
        assert_eq!(bounds(Code::Pending, 3_600, None), (60, 60));
        assert_eq!(bounds(Code::Pending, 5, None), (5, 5));
    }

    #[test]
    fn without_a_product_it_is_an_hour() {
        assert_eq!(among(Code::NotFound, None, None, Utc::now(), |seconds| *seconds.end()), 3_600);
        assert!((3_240..=3_600).contains(&next_check_after(Code::NotFound, None, None, Utc::now())));
    }
}
