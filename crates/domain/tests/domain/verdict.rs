//! Verdicts: which code, when, and what the license entitles to.

use std::collections::BTreeMap;

use chopmark_domain::catalog::{Entitlement, ProductKind, ProductTerms, Seats};
use chopmark_domain::license::{Code, License, PROVISIONAL_TERM, Question, SeatUse, Status, judge};
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
    }
}

#[test]
fn the_first_code_that_applies_is_given() {
    let other = sku("other");
    let late = day(100);
    let counted = ProductTerms { seats: Some(Seats::Fixed(3)), ..terms() };
    let wrong = Question { product: Some(&other), names_machine: false };
    let machine = Question { product: None, names_machine: true };
    let with = |status| License { status, ..license() };
    let cases = [
        (Code::Released, with(Status::Released), &counted, wrong, late),
        (Code::Frozen, with(Status::Frozen), &counted, wrong, late),
        (Code::WrongProduct, license(), &counted, wrong, late),
        (Code::Expired, license(), &counted, Question::default(), late),
        (Code::MachineRequired, license(), &counted, Question::default(), day(31)),
        (Code::MachineNotActivated, license(), &counted, machine, day(31)),
        (Code::Grace, license(), &terms(), Question::default(), day(31)),
        (Code::Valid, license(), &terms(), machine, day(29)),
    ];
    let given: Vec<_> = cases
        .iter()
        .map(|(expected, license, terms, question, now)| {
            let code = judge(license, Some(terms), *question, *now).code;
            assert_eq!(code, *expected);
            code
        })
        .collect();
    assert_eq!(given, Code::ALL[1..], "every code but NOT_FOUND, which needs no license, in order");
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
    let question = Question { product: Some(&asked), names_machine: false };
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
