//! Who may have a refund, by site, product and time.

use chopmark_domain::order::ChargingMode::{self, OnDemand, OnDemandPkg, OneTime, Other, Period};
use chopmark_domain::settlement::marked::Happening;
use chopmark_domain::settlement::policy::InternationalRefunds;
use chopmark_domain::settlement::product::AccessType::{self, *};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::refund::rules::{
    Answer, Grounds, Refusal, Request, Rule, answer, five_day_window, needs_approval, rule_of, yearly_quota,
};

use super::support::*;

fn rule(site: Site, access: AccessType, mode: ChargingMode, supervised: bool) -> Option<Rule> {
    rule_of(site, access, mode, supervised, InternationalRefunds::Negotiated)
}

#[test]
fn china_refunds_by_its_table() {
    for (access, mode, supervised, expected) in [
        (Saas, Period, false, Some(Rule::FiveDays)),
        (Saas, Period, true, Some(Rule::Negotiated)),
        (Saas, OneTime, true, Some(Rule::Negotiated)),
        (Saas, OneTime, false, None),
        (License, Period, true, Some(Rule::Negotiated)),
        (License, OneTime, true, Some(Rule::Negotiated)),
        (ProfessionalService, OneTime, true, Some(Rule::Negotiated)),
        (Hardware, OneTime, true, Some(Rule::Negotiated)),
        (Image, Period, false, Some(Rule::FiveDays)),
        (Image, OneTime, false, None),
        (DataAsset, OneTime, true, Some(Rule::Negotiated)),
        (Api, OneTime, false, Some(Rule::Never)),
        (AiAsset, Period, false, Some(Rule::Never)),
        (Container, Period, false, Some(Rule::Never)),
        (ContentService, OneTime, false, Some(Rule::Never)),
        (Image, OnDemand, false, Some(Rule::Never)),
        (Saas, OnDemandPkg, true, Some(Rule::Never)),
        (Saas, Other, false, None),
    ] {
        assert_eq!(rule(Site::Cn, access, mode, supervised), expected, "{access:?} {mode:?} {supervised}");
    }
}

#[test]
fn other_sites_know_no_five_days_for_services() {
    for site in [Site::Intl, Site::Eu] {
        for (access, mode, supervised, expected) in [
            (Image, Period, false, Some(Rule::LikeCloudResources)),
            (Image, OnDemand, false, Some(Rule::Never)),
            (Saas, Period, false, Some(Rule::Never)),
            (Saas, Period, true, Some(Rule::Negotiated)),
            (License, Period, true, Some(Rule::Negotiated)),
            (Hardware, OneTime, true, Some(Rule::Negotiated)),
            (ContentService, Period, false, Some(Rule::Never)),
            (Consulting, OneTime, false, Some(Rule::Never)),
            (CloudHost, Period, false, Some(Rule::Never)),
        ] {
            assert_eq!(rule(site, access, mode, supervised), expected, "{access:?} {mode:?} {supervised}");
        }
        let older = rule_of(site, Saas, Period, true, InternationalRefunds::Never);
        assert_eq!(older, Some(Rule::Never), "the edition of 2024-08");
    }
}

#[test]
fn the_window_ends_to_the_second() {
    let window = five_day_window(beijing("2022-11-24 14:30:30"));
    assert!(window.contains(&beijing("2022-11-29 14:30:29")));
    assert!(!window.contains(&beijing("2022-11-29 14:30:30")), "before, says the page");
}

fn request(rule: Rule, at_time: &str) -> Request {
    Request {
        rule: Some(rule),
        is_renewal: false,
        effective: at("2024-05-05 14:00:00"),
        accepted_at: None,
        expires_at: Some(beijing("2024-06-05")),
        at: beijing(at_time),
    }
}

#[test]
fn a_refund_is_answered_by_its_rule_and_its_time() {
    use Answer::{Full, Negotiable, Prorated, Refused, Unknown};
    let (early, late, after) = ("2024-05-06", "2024-05-20", "2024-07-01");
    let accepted = |at_time| Request { accepted_at: Some(beijing("2024-05-10")), ..request(Rule::Negotiated, at_time) };
    let coming = |rule| Request { effective: Happening::NotYet, ..request(rule, early) };
    let renewal = |rule, at_time| Request { is_renewal: true, ..request(rule, at_time) };
    for (request, expected) in [
        (request(Rule::FiveDays, early), Full(Grounds::WithinFiveDays)),
        (request(Rule::FiveDays, "2024-05-10 13:59:59"), Full(Grounds::WithinFiveDays)),
        (request(Rule::FiveDays, "2024-05-10 14:00:00"), Refused(Refusal::WindowOver)),
        (coming(Rule::FiveDays), Full(Grounds::NotEffective)),
        (renewal(Rule::FiveDays, early), Refused(Refusal::RenewalEffective)),
        (request(Rule::Negotiated, late), Negotiable),
        (coming(Rule::Negotiated), Negotiable),
        (request(Rule::Negotiated, after), Refused(Refusal::Expired)),
        (accepted("2024-05-09 23:59:59"), Negotiable),
        (accepted("2024-05-10 00:00:00"), Refused(Refusal::GuaranteeOver)),
        (renewal(Rule::Negotiated, late), Refused(Refusal::RenewalEffective)),
        (request(Rule::LikeCloudResources, early), Full(Grounds::WithinFiveDays)),
        (request(Rule::LikeCloudResources, late), Prorated),
        (renewal(Rule::LikeCloudResources, early), Prorated),
        (request(Rule::LikeCloudResources, after), Refused(Refusal::Expired)),
        (coming(Rule::LikeCloudResources), Full(Grounds::NotEffective)),
        (request(Rule::Never, early), Refused(Refusal::NotRefundable)),
        (coming(Rule::Never), Refused(Refusal::NotRefundable)),
        (Request { rule: None, ..request(Rule::Never, early) }, Unknown),
        (Request { effective: Happening::Unknown, ..request(Rule::FiveDays, early) }, Unknown),
        (Request { effective: Happening::Unknown, ..renewal(Rule::Negotiated, early) }, Unknown),
        (Request { effective: Happening::Unknown, ..request(Rule::Negotiated, early) }, Negotiable),
    ] {
        assert_eq!(answer(&request), expected, "{request:?}");
    }
}

#[test]
fn the_yearly_quota_is_shown_and_may_be_exceeded() {
    let mut refunds: Vec<_> = (0..12).map(|n| (n, beijing("2024-05-05"))).collect();
    refunds.push((3, beijing("2024-06-05")));
    refunds.push((99, beijing("2025-01-01 00:00:00")));
    refunds.push((98, beijing("2023-12-31 23:59:59")));
    let quota = yearly_quota(&refunds, 2024);
    assert_eq!((quota.used, quota.left), (12, 0), "bound resources count once, other services use it too");
    assert_eq!(yearly_quota(&refunds, 2025).used, 1, "the year is Beijing's");
    assert_eq!(yearly_quota(&refunds, 2023).left, 9);
}

#[test]
fn large_refunds_need_the_account_manager() {
    assert!(!needs_approval(rmb("50000")) && needs_approval(rmb("50000.01")));
    assert!(!needs_approval(usd("7000")) && needs_approval(usd("7000.01")));
}
