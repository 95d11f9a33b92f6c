//! Until when a freed machine keeps its seat: until the last of its leases has ended, since the machine may go on
//! offline until then.

use chopmark_domain::license::{self, Machine, judge};
use chopmark_projector::Found;
use chopmark_views::LastSeen;
use chrono::{DateTime, TimeDelta, Utc};

use crate::checks::lease_term;

/// What is known of a machine's leases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The end of the lease shown, UTC.
    pub(super) shown: Option<DateTime<Utc>>,
    /// When it was last seen, and the end of its longest lease; absent if it never was.
    pub(super) seen: Option<LastSeen>,
    /// When this process began, UTC: an earlier one may have died before it noted the last leases that it gave out.
    /// Absent where not even the notes can be read, and any lease may be out.
    pub(super) noted_since: Option<DateTime<Utc>>,
}

/// The moment, UTC; never before `now`.
pub(super) fn taken_until(found: &Found, machine: &Machine, known: Known, now: DateTime<Utc>) -> DateTime<Utc> {
    let noted = known.shown.max(known.seen.and_then(|seen| seen.lease_until));
    let unnoted = match known.noted_since {
        Some(since) if machine.activated_at >= since => None,
        Some(since) => longest(found, since, now),
        None => longest(found, now, now),
    };
    noted.max(unnoted).map_or(now, |until| until.max(now))
}

/// The end of the longest lease that can have been given out at a moment.
fn longest(found: &Found, given_out: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    let verdict = judge(&found.license, terms, license::Question::default(), now);
    let term = lease_term(found, &verdict);
    let seconds = i64::from(term.lease_seconds) + i64::from(term.offline_grace_seconds);
    let end = given_out.checked_add_signed(TimeDelta::seconds(seconds))?;
    Some(term.not_beyond.map_or(end, |not_beyond| end.min(not_beyond)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chopmark_domain::catalog::{ClonePolicy, DatedTerms, LicenseForm, ProductKind, ProductTerms, Seats};
    use chopmark_domain::ids::{Fingerprint, InstanceId, OrderId, OrderLineId, SellerId};
    use chopmark_domain::license::{Event, InstanceCreated, License};
    use chopmark_domain::order::OrderRef;
    use chopmark_domain::stream::{LicenseId, LicenseKey};

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn found(expires_at: Option<DateTime<Utc>>) -> Found {
        let order =
            OrderRef { order_id: OrderId::parse("CS1").unwrap(), order_line_id: OrderLineId::parse("CS1-1").unwrap() };
        let mut license = License::begin(&Event::InstanceCreated(InstanceCreated { order })).unwrap();
        license.expires_at = expires_at;
        let terms = ProductTerms {
            kind: ProductKind::Saas,
            name: "Example".into(),
            entitlements: [].into(),
            seats: Some(Seats::Fixed(3)),
            grace_days: 0,
            lease_seconds: 100,
            offline_grace_seconds: 1_000,
            check_interval_seconds: 10,
            fee_ratio: None,
            clones: ClonePolicy::Report,
            license_form: LicenseForm::Text,
        };
        let dated = DatedTerms { catalog_version: 1, effective_at: at(-10_000), terms };
        let id = LicenseId::Instance(InstanceId::parse("I1").unwrap());
        let key = LicenseKey { seller: SellerId::parse("acme").unwrap(), id };
        Found { key, license, terms: Some(Arc::new(dated)) }
    }

    fn machine(activated_at: i64) -> Machine {
        let fingerprint = Fingerprint::parse("m1").unwrap();
        Machine { fingerprint, name: None, activated_at: at(activated_at), taken_until: None }
    }

    fn seen(lease_until: Option<i64>) -> Option<LastSeen> {
        Some(LastSeen { at: at(-5), lease_until: lease_until.map(at) })
    }

    #[test]
    fn a_seat_is_free_when_the_last_lease_has_ended() {
        let known = Known { shown: None, seen: None, noted_since: Some(at(-50)) };
        let until = |known| taken_until(&found(None), &machine(-40), known, at(0));
        assert_eq!(until(known), at(0), "it never had a lease");
        assert_eq!(until(Known { seen: seen(Some(700)), ..known }), at(700));
        assert_eq!(until(Known { seen: seen(Some(700)), shown: Some(at(900)), ..known }), at(900));
        assert_eq!(until(Known { seen: seen(Some(-1)), ..known }), at(0), "it has ended already");
    }

    #[test]
    fn what_an_earlier_process_may_have_given_out_counts_as_given() {
        let known = Known { shown: None, seen: seen(Some(700)), noted_since: Some(at(-50)) };
        let until = |expires_at, known| taken_until(&found(expires_at), &machine(-60), known, at(0));
        assert_eq!(until(None, known), at(1_050));
        assert_eq!(until(Some(at(800)), known), at(800), "no lease reaches beyond the license");
        assert_eq!(until(Some(at(200)), known), at(700), "but one that is known does not get shorter");
        assert_eq!(until(None, Known { seen: None, noted_since: None, ..known }), at(1_100));
    }
}
