//! The catalog: terms in time.

use std::collections::BTreeMap;

use chopmark_domain::catalog::{Catalog, ClonePolicy, Event, LicenseForm, ProductKind, ProductTerms};
use chopmark_domain::ids::Sku;
use chopmark_domain::purchase::SellerSecret;
use chrono::{DateTime, Utc};

use crate::support::*;

fn terms(grace_days: u32) -> ProductTerms {
    ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: BTreeMap::new(),
        seats: None,
        grace_days,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 3_600,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
    }
}

/// Applies and takes up; gives the number of events.
fn apply(catalog: &mut Catalog, wanted: &[(Sku, ProductTerms)], effective_at: DateTime<Utc>) -> usize {
    let events = catalog.apply(wanted, effective_at);
    for event in &events {
        catalog.evolve(event);
    }
    events.len()
}

fn grace_at(catalog: &Catalog, name: &str, at: DateTime<Utc>) -> Option<u32> {
    catalog.terms_at(&sku(name), at).map(|dated| dated.terms.grace_days)
}

#[test]
fn applying_what_holds_already_adds_nothing() {
    let mut catalog = Catalog::default();
    let wanted = [(sku("a"), terms(15)), (sku("b"), terms(30))];
    assert_eq!(apply(&mut catalog, &wanted, day(0)), 2);
    assert_eq!(apply(&mut catalog, &wanted, day(1)), 0);
    assert_eq!(apply(&mut catalog, &[], day(1)), 0, "a product that is not named stays");
    let changed = [(sku("a"), terms(15)), (sku("b"), terms(31))];
    assert_eq!(apply(&mut catalog, &changed, day(2)), 1, "only what changed");
    assert_eq!(catalog.version, 3);
}

#[test]
fn the_version_counts_every_change_without_gaps() {
    let mut catalog = Catalog::default();
    let mut versions = vec![];
    for round in 0..4 {
        let wanted = [(sku("a"), terms(round)), (sku("b"), terms(round / 2))];
        for event in catalog.apply(&wanted, day(round.into())) {
            if let Event::ProductDefined(defined) = &event {
                versions.push(defined.catalog_version);
            }
            catalog.evolve(&event);
        }
    }
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
    assert_eq!(catalog.version, 6);
}

#[test]
fn terms_hold_from_their_moment_on() {
    let mut catalog = Catalog::default();
    apply(&mut catalog, &[(sku("a"), terms(1))], day(0));
    apply(&mut catalog, &[(sku("a"), terms(2))], day(10));
    for (at, expected) in [(-1, None), (0, Some(1)), (9, Some(1)), (10, Some(2)), (99, Some(2))] {
        assert_eq!(grace_at(&catalog, "a", day(at)), expected, "day {at}");
    }
    assert_eq!(grace_at(&catalog, "b", day(5)), None);
    assert_eq!(catalog.latest(&sku("a")).map(|dated| dated.terms.grace_days), Some(2));
}

#[test]
fn a_later_decision_overrides_a_planned_change() {
    let mut catalog = Catalog::default();
    apply(&mut catalog, &[(sku("a"), terms(1))], day(0));
    apply(&mut catalog, &[(sku("a"), terms(2))], day(10));
    apply(&mut catalog, &[(sku("a"), terms(3))], day(5));
    for (at, expected) in [(4, 1), (5, 3), (10, 3), (99, 3)] {
        assert_eq!(grace_at(&catalog, "a", day(at)), Some(expected), "day {at}");
    }
}

#[test]
fn a_planned_change_can_be_taken_back() {
    let mut catalog = Catalog::default();
    apply(&mut catalog, &[(sku("a"), terms(1))], day(0));
    apply(&mut catalog, &[(sku("a"), terms(2))], day(10));
    assert_eq!(apply(&mut catalog, &[(sku("a"), terms(1))], day(3)), 1);
    assert_eq!(grace_at(&catalog, "a", day(99)), Some(1));
}

#[test]
fn products_are_listed_with_all_their_terms() {
    let mut catalog = Catalog::default();
    apply(&mut catalog, &[(sku("b"), terms(1)), (sku("a"), terms(1))], day(0));
    apply(&mut catalog, &[(sku("a"), terms(2))], day(1));
    let listed: Vec<_> = catalog
        .products()
        .map(|(sku, terms)| (sku.as_str(), terms.iter().map(|dated| dated.catalog_version).collect()))
        .collect();
    assert_eq!(listed, [("a", vec![2, 3]), ("b", vec![1])]);
}

#[test]
fn a_seller_has_one_secret_for_ever() {
    let mut catalog = Catalog::default();
    for event in catalog.create_secret(SellerSecret::new([1; 32])) {
        catalog.evolve(&event);
    }
    assert_eq!(catalog.create_secret(SellerSecret::new([2; 32])), []);
    assert_eq!(catalog.secret, Some(SellerSecret::new([1; 32])));
    assert_eq!(catalog.version, 0, "the secret is no change of the catalog");
}
