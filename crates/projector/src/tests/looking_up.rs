use chopmark_domain::catalog::ProductKind;
use chopmark_domain::ids::EcsId;
use chopmark_domain::license::{CodeSeen, Event};
use chopmark_domain::stream::{LicenseId, Stream};

use super::tape::{Tape, at, code, created, defined, defined_as, deployment_key, enrol, facts, instance, seller, sku};
use crate::LicenseIndex;

const ID: &str = "10e758d0-31ad-4c4b-8f1b-81d03469a10e";

/// Whose license is found; `"?"` if the question is ambiguous.
fn found(index: &LicenseIndex, of: Option<&str>, id: &str, product: Option<&str>) -> Option<String> {
    let looked_up = index.look_up(of.map(seller).as_ref(), id, product.map(sku).as_ref(), at(0));
    if looked_up.ambiguous {
        assert_eq!(looked_up.found, None);
        return Some("?".into());
    }
    looked_up.found.map(|found| {
        assert_eq!(found.key.id.as_str(), id);
        found.key.seller.to_string()
    })
}

#[test]
fn two_sellers_may_have_the_same_id_and_the_product_or_seller_tells_them_apart() {
    let mut tape = Tape::default();
    tape.add(&Stream::Seller(seller("acme")), &defined(1, "sku-a", 0));
    tape.add(&Stream::Seller(seller("zeta")), &defined(1, "sku-z", 0));
    tape.add(&instance("acme", ID), &created("CS1"));
    tape.add(&instance("zeta", ID), &created("CS1"));
    tape.add(&instance("acme", "only at acme"), &created("CS1"));
    let index = tape.index();
    let is = |of, id, product, expected: Option<&str>| {
        assert_eq!(found(&index, of, id, product).as_deref(), expected, "{of:?} {id} {product:?}");
    };
    is(None, ID, None, Some("?"));
    is(None, ID, Some("sku-a"), Some("acme"));
    is(None, ID, Some("sku-z"), Some("zeta"));
    is(None, ID, Some("nobody's"), Some("?"));
    is(Some("acme"), ID, None, Some("acme"));
    is(Some("zeta"), ID, Some("sku-a"), Some("zeta"));
    is(Some("third"), ID, None, None);
    is(None, "only at acme", None, Some("acme"));
    is(None, "only at acme", Some("nobody's"), Some("acme"));
    is(None, "only at acme", Some("sku-z"), None);
    is(Some("zeta"), "only at acme", None, None);
    is(None, "unknown", None, None);
    is(None, "10E758D0-31AD-4C4B-8F1B-81D03469A10E", None, None);
    is(None, "", None, None);
}

#[test]
fn an_instance_and_a_code_of_one_seller_with_the_same_id_are_told_apart_by_their_product() {
    let mut tape = Tape::default();
    tape.add(&instance("acme", "same"), &created("CS1"));
    tape.add(&instance("acme", "same"), &facts("sku-a"));
    tape.add(&code("acme", "same"), &Event::from(CodeSeen {}));
    let index = tape.index();
    assert_eq!(index.len(), 2);
    assert_eq!(found(&index, Some("acme"), "same", None).as_deref(), Some("?"));
    assert_eq!(found(&index, Some("acme"), "same", Some("sku-a")).as_deref(), Some("acme"));
    assert_eq!(found(&index, None, "same", Some("sku-a")).as_deref(), Some("acme"));
    assert_eq!(found(&index, None, "same", Some("sku-b")).as_deref(), Some("?"));
}

#[test]
fn a_deployment_is_found_only_by_those_who_ask_for_one_or_may_look_around() {
    let mut tape = Tape::default();
    tape.ask(&deployment_key("acme", ID), enrol("sku-image", None, "secret"), at(0)).unwrap();
    tape.ask(&deployment_key("zeta", ID), enrol("sku-other", None, "secret"), at(0)).unwrap();
    let (acme, zeta, ecs) = (seller("acme"), seller("zeta"), EcsId::parse(ID).unwrap());
    let index = tape.index();
    assert_eq!(found(&index, None, ID, None), None);
    assert_eq!(found(&index, Some("acme"), ID, Some("sku-image")), None);
    let of_zeta = index.deployment(&zeta, &ecs, at(0));
    assert_eq!(of_zeta.position, tape.reached());
    assert_eq!(of_zeta.found.unwrap().key, deployment_key("zeta", ID));
    assert_eq!(index.deployment(&seller("third"), &ecs, at(0)).found, None);
    assert_eq!(index.deployment(&acme, &EcsId::parse("unknown").unwrap(), at(0)).found, None);
    assert_eq!(index.look_up_any(Some(&acme), ID, None, at(0)).found.unwrap().key, deployment_key("acme", ID));
    assert!(index.look_up_any(None, ID, None, at(0)).ambiguous);
    assert_eq!(index.look_up_any(None, ID, Some(&sku("sku-other")), at(0)).found.unwrap().key.seller, zeta);
    // An instance of the same id: software means that one, whoever looks around must say more.
    tape.add(&instance("acme", ID), &created("CS1"));
    tape.add(&instance("acme", ID), &facts("sku-a"));
    let index = tape.index();
    assert_eq!(found(&index, Some("acme"), ID, None).as_deref(), Some("acme"));
    assert!(index.look_up_any(Some(&acme), ID, None, at(0)).ambiguous);
    let by_product = index.look_up_any(Some(&acme), ID, Some(&sku("sku-a")), at(0)).found.unwrap();
    assert!(matches!(by_product.key.id, LicenseId::Instance(_)));
}

#[test]
fn a_product_is_its_sellers_once_it_is_in_force() {
    let mut tape = Tape::default();
    let catalog = |of| Stream::Seller(seller(of));
    tape.add(&catalog("acme"), &defined_as(ProductKind::LicenseCode, 1, "sku-a", 100));
    tape.add(&catalog("zeta"), &defined_as(ProductKind::Image, 1, "sku-z", 0));
    let index = tape.index();
    let product = |name, second| {
        let (of, dated) = index.product(&sku(name), at(second))?;
        Some((of.to_string(), dated.catalog_version))
    };
    assert_eq!(product("sku-a", 99), None);
    assert_eq!(product("sku-a", 100), Some(("acme".into(), 1)));
    assert_eq!(product("sku-z", 0), Some(("zeta".into(), 1)));
    assert_eq!(product("sku-unknown", 0), None);
    assert_eq!(index.code_sellers(at(99)), []);
    assert_eq!(index.code_sellers(at(100)), [seller("acme")]);
}
