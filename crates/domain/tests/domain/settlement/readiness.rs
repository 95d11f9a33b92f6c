//! When a line is settled, and what it waits for.

use chopmark_domain::settlement::marked::{Happening, Mark, Marked};
use chopmark_domain::settlement::policy::{Guarantee, Policy};
use chopmark_domain::settlement::product::{AccessType, LineType, Site};
use chopmark_domain::settlement::readiness::{
    AgeBucket, Blocked, Conditions, Missing, OnBill, Readiness, Supervision, assess, ready_at,
};

use super::support::*;

fn at_time(conditions: &Conditions, now: &str) -> Readiness {
    assess(conditions, OnBill::Unknown, &Policy::default(), &schedule(Site::Cn), beijing(now))
}

#[test]
fn each_condition_blocks_with_its_own_code() {
    let ready = opened("2024-05-05");
    let open = Supervision::Until(Happening::NotYet);
    for (conditions, code) in [
        (ready, "RUN_NOT_REACHED"),
        (Conditions { effective: Happening::NotYet, ..ready }, "NOT_EFFECTIVE"),
        (Conditions { effective: at("2024-07-01"), ..ready }, "NOT_EFFECTIVE"),
        (Conditions { paid_in_full: Happening::NotYet, ..ready }, "UNPAID_CREDIT"),
        (Conditions { supervision: open, ..ready }, "SUPERVISION_OPEN"),
        (Conditions { seller_certified: Some(false), ..ready }, "SELLER_NOT_CERTIFIED"),
        (Conditions { paid_in_full: Happening::Unknown, ..ready }, "FACTS_MISSING"),
    ] {
        let blocked = at_time(&conditions, "2024-05-20").blocked;
        assert_eq!(blocked.iter().map(|reason| reason.code()).collect::<Vec<_>>(), [code], "{conditions:?}");
        assert_eq!(serde_json::to_value(&blocked).unwrap(), serde_json::json!([code]));
    }
}

#[test]
fn everything_a_line_waits_for_is_told_the_most_fundamental_first() {
    let waiting = Conditions {
        effective: Happening::NotYet,
        paid_in_full: Happening::NotYet,
        supervision: Supervision::Until(Happening::NotYet),
        seller_certified: Some(false),
        five_day_refund: false,
    };
    assert_eq!(
        at_time(&waiting, "2024-05-20").blocked,
        [Blocked::NotEffective, Blocked::UnpaidCredit, Blocked::SupervisionOpen, Blocked::SellerNotCertified]
    );
}

#[test]
fn what_nobody_said_is_named_and_never_guessed() {
    let unknown = Conditions {
        effective: Happening::Unknown,
        paid_in_full: Happening::Unknown,
        supervision: Supervision::Until(Happening::Unknown),
        seller_certified: None,
        five_day_refund: true,
    };
    let readiness = at_time(&unknown, "2024-05-20");
    let missing = [Missing::EffectiveAt, Missing::PaidAt, Missing::SupervisionDoneAt, Missing::SellerCertified];
    assert_eq!(readiness.missing, missing);
    assert_eq!(readiness.blocked, [Blocked::FactsMissing]);
    assert_eq!((readiness.ready_at, readiness.period, readiness.expected), (None, None, None));
}

#[test]
fn a_moment_that_lies_ahead_already_tells_the_period() {
    let renewal = Conditions { paid_in_full: at("2024-05-10"), ..opened("2024-07-01") };
    let readiness = at_time(&renewal, "2024-05-20");
    assert_eq!(readiness.blocked, [Blocked::NotEffective]);
    assert_eq!(readiness.expected, Some(period("202407")));
    assert_eq!(readiness.run.unwrap().date, date("2024-08-05"));
}

#[test]
fn what_an_earlier_bill_left_out_is_expected_on_the_next_one() {
    let order = opened("2024-03-05");
    let on = |on_bill, order| assess(&order, on_bill, &Policy::default(), &schedule(Site::Cn), beijing("2024-06-10"));
    let (march, may, june) = (period("202403"), period("202405"), period("202406"));

    let presumed = on(OnBill::Unknown, order);
    assert_eq!(
        (presumed.expected, presumed.blocked),
        (Some(march), vec![]),
        "its bill was run, nothing stood in its way"
    );
    let left_out = on(OnBill::Unbilled, order);
    assert_eq!((left_out.period, left_out.expected), (Some(march), Some(june)));
    assert_eq!(left_out.blocked, [Blocked::RunNotReached]);
    let billed = on(OnBill::Billed(may), Conditions { paid_in_full: Happening::Unknown, ..order });
    assert_eq!((billed.expected, billed.blocked), (Some(may), vec![]), "a fact, whatever else is missing");
    let uncertified = on(OnBill::Unknown, Conditions { seller_certified: Some(false), ..order });
    assert_eq!((uncertified.expected, uncertified.blocked), (Some(june), vec![Blocked::SellerNotCertified]));
}

#[test]
fn one_estimate_makes_the_whole_an_estimate_until_it_is_replaced() {
    let stated = opened("2024-05-05");
    let ours = Marked::estimate(beijing("2024-05-04"));
    let estimated = Conditions { effective: Happening::At(ours), ..stated };
    let ready = |conditions| ready_at(&conditions, &Policy::default()).unwrap();
    assert_eq!(ready(estimated), Marked { value: beijing("2024-05-05"), mark: Mark::Estimate });
    assert_eq!(ready(stated).mark, Mark::Stated);

    let theirs = Marked::stated(beijing("2024-05-03"));
    assert_eq!(ours.replaced_by(theirs), theirs);
    assert_eq!(theirs.replaced_by(ours), theirs, "whichever comes first");
    assert_eq!(theirs.replaced_by(Marked::stated(beijing("2024-05-02"))).value, beijing("2024-05-02"));
}

#[test]
fn the_last_second_of_a_month_in_beijing_decides() {
    for (last, month) in [("2024-05-31 23:59:59", "202405"), ("2024-06-01 00:00:00", "202406")] {
        let accepted = Conditions { supervision: Supervision::Until(at(last)), ..opened("2024-05-05") };
        assert_eq!(at_time(&accepted, "2024-05-20").period, Some(period(month)), "{last}");
    }
}

#[test]
fn the_guarantee_period_holds_money_only_under_its_switch() {
    let order = Conditions { five_day_refund: true, ..opened("2024-05-30 14:00:00") };
    let held = Policy { guarantee: Guarantee::Held, ..Policy::default() };
    assert_eq!(ready_at(&order, &Policy::default()).unwrap().value, beijing("2024-05-30 14:00:00"));
    assert_eq!(ready_at(&order, &held).unwrap().value, beijing("2024-06-04 14:00:00"));
    let readiness = assess(&order, OnBill::Unknown, &held, &schedule(Site::Cn), beijing("2024-06-02"));
    assert_eq!((readiness.period, readiness.blocked), (Some(period("202406")), vec![Blocked::GuaranteeOpen]));
    let unsupported = Conditions { five_day_refund: false, ..order };
    assert_eq!(ready_at(&unsupported, &held).unwrap().value, beijing("2024-05-30 14:00:00"));
}

#[test]
fn supervision_depends_on_the_product_and_never_holds_a_renewal() {
    for (access, agreed, supervised) in [
        (AccessType::Saas, false, false),
        (AccessType::Saas, true, true),
        (AccessType::License, false, true),
        (AccessType::ProfessionalService, false, true),
        (AccessType::AppOrchestration, false, true),
        (AccessType::Hardware, false, true),
        (AccessType::Image, true, false),
        (AccessType::Api, true, false),
    ] {
        assert_eq!(access.is_supervised(agreed, LineType::New), supervised, "{access:?}");
        assert!(!access.is_supervised(agreed, LineType::Renew), "{access:?}");
    }
}

#[test]
fn age_is_counted_in_days_of_beijing() {
    for (days, bucket) in [(0, "<31"), (30, "<31"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90")]
        .into_iter()
        .chain([(91, "91-120"), (120, "91-120"), (121, ">120"), (4000, ">120"), (-3, "<31")])
    {
        let since = beijing("2024-05-05 23:59:59");
        let now = beijing("2024-05-05 00:00:01") + chrono::TimeDelta::days(days);
        assert_eq!(serde_json::to_value(AgeBucket::of(since, now)).unwrap(), bucket, "{days} days");
    }
}
