//! Verdicts: which code, when, and what the license entitles to.

use std::collections::BTreeMap;

use chopmark_domain::catalog::{ClonePolicy, Entitlement, LicenseForm, ProductKind, ProductTerms, Seats};
use chopmark_domain::license::{
    Activation, Code, DeploymentClaim, Language, License, PROVISIONAL_TERM, Question, Reason, SeatUse, Shown, Status,
    judge, judge_itself,
};
use chopmark_domain::settlement::terms::SettlementTerms;
use chrono::TimeDelta;
use serde_json::json;

use crate::support::*;

fn license() -> License {
    License {
        status: Status::Active,
        sku: Some(sku("basic")),
        quantity: Some(20),
        expires_at: Some(day(30)),
        expiry_approximate: false,
        facts_applied: true,
        unfrozen_at: None,
        activation: Activation::Done,
        blocked: false,
        machines: None,
        deployment: None,
        revision: 2,
    }
}

fn terms() -> ProductTerms {
    ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: BTreeMap::new(),
        seats: None,
        grace_days: 15,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 3_600,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

#[test]
fn the_first_code_that_applies_is_given() {
    let (other, late) = (sku("other"), day(100));
    let counted = ProductTerms { seats: Some(Seats::Fixed(1)), ..terms() };
    let elsewhere = ecs("elsewhere");
    let claim = DeploymentClaim { project_id: &elsewhere.project_id, region_id: &elsewhere.region_id, presented: None };
    // Whoever asks so asks for everything wrong at once.
    let wrong = Question { product: Some(&other), machine: None, deployment: Some(claim) };
    let right = Question { product: None, ..wrong };
    let here = Question { machine: Some("third"), deployment: None, ..right };
    let (second, first) = (Question { machine: Some("second"), ..here }, Question { machine: Some("first"), ..here });
    // A deployment with machines, which no command makes: every code has something to say about it.
    let odd = License {
        machines: seated(&["first", "second"]).license().machines.clone(),
        deployment: Life::of_deployment().given(enrolment("here", None, "s1")).license().deployment.clone(),
        ..license()
    };
    let inactive = License { activation: Activation::Inactive, ..odd.clone() };
    let frozen = License { status: Status::Frozen, ..inactive.clone() };
    let blocked = License { blocked: true, ..frozen.clone() };
    let released = License { status: Status::Released, ..blocked.clone() };
    let cases = [
        (Code::Released, &released, wrong, late),
        (Code::Blocked, &blocked, wrong, late),
        (Code::Frozen, &frozen, wrong, late),
        (Code::Pending, &inactive, wrong, late),
        (Code::WrongProduct, &odd, wrong, late),
        (Code::Expired, &odd, right, late),
        (Code::DeploymentConflict, &odd, right, day(31)),
        (Code::MachineRequired, &odd, Question { machine: None, ..here }, day(31)),
        (Code::MachineNotActivated, &odd, here, day(31)),
        (Code::MachineLimit, &odd, second, day(31)),
        (Code::Grace, &odd, first, day(31)),
        (Code::Valid, &odd, first, day(29)),
    ];
    let given: Vec<_> =
        cases.iter().map(|(_, license, question, now)| judge(license, Some(&counted), *question, *now).code).collect();
    assert_eq!(given, cases.map(|(expected, ..)| expected));
    assert_eq!(given, Code::ALL[1..], "every code but NOT_FOUND, which needs no license, in order");

    let itself = |license: &License, now| judge_itself(license, Some(&counted), now);
    assert_eq!(itself(&odd, day(29)), judge(&odd, Some(&counted), first, day(29)), "as an active machine finds it");
    for (expected, license, now) in [
        (Code::Released, &released, late),
        (Code::Blocked, &blocked, late),
        (Code::Frozen, &frozen, late),
        (Code::Pending, &inactive, late),
        (Code::Expired, &odd, late),
        (Code::Grace, &odd, day(31)),
    ] {
        assert_eq!(itself(license, now).code, expected);
    }
}

#[test]
fn a_product_that_counts_no_machines_asks_for_none() {
    let machine = Question { machine: Some("any"), ..Question::default() };
    assert_eq!(judge(&license(), Some(&terms()), machine, day(0)).code, Code::Valid);
}

#[test]
fn an_online_license_is_pending_until_it_is_delivered() {
    let online = ProductTerms { kind: ProductKind::OnlineLicense, ..terms() };
    let bought = License { activation: Activation::Undelivered, ..license() };
    let service = terms();
    let code = |license: &License, terms| judge(license, terms, Question::default(), day(0)).code;
    assert_eq!(code(&bought, Some(&online)), Code::Pending);
    assert_eq!(bought.shown(Some(&online)), Shown::Pending);
    assert_eq!(code(&bought, Some(&service)), Code::Valid, "an instance of a service is delivered when it is bought");
    assert_eq!(code(&bought, None), Code::Valid, "valid with what is known");
    assert_eq!(code(&license(), Some(&online)), Code::Valid);
}

#[test]
fn no_lease_reaches_beyond_the_end_by_our_own_clock() {
    let ends = |license: &License| judge(license, Some(&terms()), Question::default(), day(0)).ends_at;
    assert_eq!(ends(&license()), Some(day(45)), "expiry and grace");
    assert_eq!(ends(&License { expires_at: None, ..license() }), None);
    let provisional = License { unfrozen_at: Some(day(60)), ..license() };
    assert_eq!(ends(&provisional), Some(day(60) + PROVISIONAL_TERM));
    assert_eq!(ends(&License { unfrozen_at: Some(day(31)), ..license() }), Some(day(45)), "whichever is later");
}

#[test]
fn only_grace_and_valid_let_the_software_run() {
    for code in Code::ALL {
        assert_eq!(code.is_valid(), ["GRACE", "VALID"].contains(&code.as_str()), "{code:?}");
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str(), "spelled once");
    }
}

#[test]
fn expiry_and_grace_end_to_the_second() {
    let second = TimeDelta::seconds(1);
    for (grace_days, now, expected) in [
        (15, day(30) - second, Code::Valid),
        (15, day(30), Code::Grace),
        (15, day(45) - second, Code::Grace),
        (15, day(45), Code::Expired),
        (0, day(30) - second, Code::Valid),
        (0, day(30), Code::Expired),
        (3650, day(3000), Code::Grace),
    ] {
        let terms = ProductTerms { grace_days, ..terms() };
        let verdict = judge(&license(), Some(&terms), Question::default(), now);
        assert_eq!(verdict.code, expected, "{grace_days} days of grace, at {now}");
    }
}

#[test]
fn without_a_known_product_the_grace_is_fifteen_days() {
    let code = |now| judge(&license(), None, Question::default(), now).code;
    assert_eq!(code(day(45) - TimeDelta::seconds(1)), Code::Grace);
    assert_eq!(code(day(45)), Code::Expired);
}

#[test]
fn a_license_without_expiry_does_not_expire() {
    let forever = License { expires_at: None, ..license() };
    assert_eq!(judge(&forever, Some(&terms()), Question::default(), day(36_500)).code, Code::Valid);
}

#[test]
fn a_provisional_term_outlasts_the_grace_and_never_shortens_it() {
    let unfrozen = |at| License { unfrozen_at: Some(at), ..license() };
    let code = |license: &License, now| judge(license, Some(&terms()), Question::default(), now).code;
    let late = unfrozen(day(100));
    assert_eq!(code(&late, day(100)), Code::Grace);
    assert_eq!(code(&late, day(100) + PROVISIONAL_TERM - TimeDelta::seconds(1)), Code::Grace);
    assert_eq!(code(&late, day(100) + PROVISIONAL_TERM), Code::Expired);
    let early = unfrozen(day(31));
    assert_eq!(code(&early, day(44)), Code::Grace, "grace runs until day 45");
    assert_eq!(code(&early, day(45)), Code::Expired);
    assert_eq!(unfrozen(day(30)).provisional_until(), Some(day(33)), "expiry is the first moment past");
    let in_time = unfrozen(day(20));
    assert_eq!(in_time.provisional_until(), None, "a freeze lifted before expiry needs none");
}

#[test]
fn before_facts_no_product_is_the_wrong_one() {
    let pending = License { sku: None, quantity: None, expires_at: None, ..license() };
    let asked = sku("anything");
    let question = Question { product: Some(&asked), ..Question::default() };
    assert_eq!(judge(&pending, None, question, day(1)).code, Code::Valid);
}

#[test]
fn amounts_are_filled_into_entitlements_once_known() {
    let generous = ProductTerms {
        entitlements: BTreeMap::from([
            ("reports".into(), Entitlement::Flag(true)),
            ("projects".into(), Entitlement::Number(12)),
            ("edition".into(), Entitlement::Text("gold".into())),
            ("users".into(), Entitlement::Text("quantity".into())),
        ]),
        ..terms()
    };
    let entitled = |quantity| {
        let license = License { quantity, ..license() };
        serde_json::to_value(judge(&license, Some(&generous), Question::default(), day(0)).entitlements).unwrap()
    };
    assert_eq!(entitled(Some(20)), json!({"reports": true, "projects": 12, "edition": "gold", "users": 20}));
    assert_eq!(
        entitled(None),
        json!({"reports": true, "projects": 12, "edition": "gold"}),
        "unknown is absent, never null"
    );
}

#[test]
fn seats_are_shown_even_when_no_machine_is_named() {
    let seats = |seats, quantity| {
        let terms = ProductTerms { seats, ..terms() };
        judge(&License { quantity, ..license() }, Some(&terms), Question::default(), day(0)).seats
    };
    let use_of = |limit| Some(SeatUse { used: 0, limit });
    assert_eq!(seats(None, Some(20)), None);
    assert_eq!(seats(Some(Seats::Fixed(3)), Some(20)), use_of(Some(3)));
    assert_eq!(seats(Some(Seats::Quantity), Some(20)), use_of(Some(20)));
    assert_eq!(seats(Some(Seats::Quantity), None), use_of(None));
}

#[test]
fn reasons_are_for_people() {
    let reason = |license: &License, now| judge(license, Some(&terms()), Question::default(), now).reason.to_string();
    assert_eq!(reason(&license(), day(0)), "active until 2026-12-24T10:00:00Z");
    assert_eq!(reason(&license(), day(31)), "past its expiry, usable until 2027-01-08T10:00:00Z");
    assert_eq!(reason(&license(), day(99)), "expired on 2026-12-24T10:00:00Z");
    let forever = License { expires_at: None, ..license() };
    assert_eq!(reason(&forever, day(0)), "active");
}

#[test]
fn reasons_are_worded_in_english_and_chinese() {
    let reason = |now| judge(&license(), Some(&terms()), Question::default(), now).reason;
    let chinese = |now| reason(now).worded(Language::Chinese).to_string();
    assert_eq!(chinese(day(0)), "有效，有效期至 2026-12-24T10:00:00Z");
    assert_eq!(chinese(day(31)), "已过期，宽限期内可用，有效期至 2027-01-08T10:00:00Z");
    assert_eq!(chinese(day(99)), "已过期，到期时间 2026-12-24T10:00:00Z");
    for code in Code::ALL {
        let worded = |language| Reason::from(code).worded(language).to_string();
        assert!(worded(Language::English).is_ascii(), "{code:?}");
        assert!(worded(Language::Chinese).chars().all(|c| !c.is_ascii_alphabetic()), "{code:?}");
        assert_eq!(Reason::from(code).to_string(), worded(Language::English));
    }
}
