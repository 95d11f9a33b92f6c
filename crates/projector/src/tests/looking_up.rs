use chopmark_domain::license::{CodeSeen, Event};
use chopmark_domain::stream::Stream;

use super::tape::{Tape, at, code, created, defined, facts, instance, seller, sku};
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
