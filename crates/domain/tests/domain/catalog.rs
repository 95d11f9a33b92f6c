//! The catalog: terms in time.

use std::collections::BTreeMap;

use chopmark_domain::catalog::{Catalog, ClonePolicy, Event, LicenseForm, ProductKind, ProductTerms};
use chopmark_domain::ids::Sku;
use chopmark_domain::purchase::SellerSecret;
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms, product_at};
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
        settlement: SettlementTerms::default(),
    }
}

/// Applies and takes up; gives the number of events.
fn apply(catalog: &mut Catalog, wanted: &[(Sku, ProductTerms)], effective_at: DateTime<Utc>) -> usize {
    let events = catalog.apply(&SellerTerms::of(Site::Cn), wanted, effective_at);
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
    assert_eq!(apply(&mut catalog, &wanted, day(0)), 3, "both products, and how the seller is settled");
    assert_eq!(apply(&mut catalog, &wanted, day(1)), 0);
    assert_eq!(apply(&mut catalog, &[], day(1)), 0, "a product that is not named stays");
    let changed = [(sku("a"), terms(15)), (sku("b"), terms(31))];
    assert_eq!(apply(&mut catalog, &changed, day(2)), 1, "only what changed");
    assert_eq!(catalog.version, 4);
}

#[test]
fn the_version_counts_every_change_without_gaps() {
    let mut catalog = Catalog::default();
    let mut versions = vec![];
    for round in 0..4 {
        let wanted = [(sku("a"), terms(round)), (sku("b"), terms(round / 2))];
        for event in catalog.apply(&SellerTerms::of(Site::Cn), &wanted, day(round.into())) {
            if let Event::ProductDefined(defined) = &event {
                versions.push(defined.catalog_version);
            }
            catalog.evolve(&event);
        }
    }
    assert_eq!(versions, [2, 3, 4, 5, 6, 7], "the first is how the seller is settled");
    assert_eq!(catalog.version, 7);
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
    assert_eq!(listed, [("a", vec![3, 4]), ("b", vec![2])]);
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

#[test]
fn how_a_seller_is_settled_holds_from_its_moment_on_and_the_first_word_before_it() {
    let mut catalog = Catalog::default();
    assert_eq!(catalog.seller_terms_at(day(0)), None);
    let plain = SellerTerms::of(Site::Cn);
    let certified_later = SellerTerms { certified: false, ..plain.clone() };
    for (terms, from) in [(&certified_later, 5), (&plain, 10), (&plain, 11)] {
        for event in catalog.apply(terms, &[], day(from)) {
            catalog.evolve(&event);
        }
    }
    for (at, expected) in [(0, false), (5, false), (9, false), (10, true), (99, true)] {
        assert_eq!(catalog.seller_terms_at(day(at)).map(|dated| dated.terms.certified), Some(expected), "day {at}");
    }
    assert_eq!(catalog.version, 2, "what holds already adds nothing");
}

#[test]
fn before_all_terms_those_hold_that_are_in_force_first_as_they_were_corrected_last() {
    let mut catalog = Catalog::default();
    let moments = [(5, 1, Site::Cn), (2, 2, Site::Intl), (2, 3, Site::Eu), (9, 4, Site::Cn)];
    for (from, grace_days, site) in moments {
        for event in catalog.apply(&SellerTerms::of(site), &[(sku("a"), terms(grace_days))], day(from)) {
            catalog.evolve(&event);
        }
    }
    for (at, site, grace_days) in [(0, Site::Eu, 3), (2, Site::Eu, 3), (8, Site::Eu, 3), (9, Site::Cn, 4)] {
        assert_eq!(catalog.seller_terms_at(day(at)).map(|dated| dated.terms.site), Some(site), "day {at}");
        let product = product_at(&catalog, &sku("a"), day(at)).map(|terms| terms.grace_days);
        assert_eq!(product, Some(grace_days), "day {at}");
    }
    assert_eq!(grace_at(&catalog, "a", day(0)), None, "licenses are judged by terms in force alone");
}

#[test]
fn a_mapping_is_saved_in_place_of_the_one_that_has_its_name() {
    let mapping = |column: &str| Mapping { name: "ours".into(), columns: [(column.into(), Field::OrderId)].into() };
    let mut catalog = Catalog::default();
    for (column, events) in [("a", 1), ("a", 0), ("b", 1)] {
        let saved = catalog.save_mapping(mapping(column));
        assert_eq!(saved.len(), events, "{column}");
        saved.iter().for_each(|event| catalog.evolve(event));
    }
    assert_eq!(catalog.mappings().collect::<Vec<_>>(), [&mapping("b")]);
    assert_eq!(catalog.version, 0, "a mapping is no change of terms");
}
