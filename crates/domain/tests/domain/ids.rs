//! Names: identifiers, streams, and ids that follow from a purchase.

use chopmark_domain::ids::{IdError, InstanceId, LicenseCode, OrderId, OrderLineId, ProductId, SellerId, Sku};
use chopmark_domain::order::OrderRef;
use chopmark_domain::purchase::{PurchaseIdentity, SellerSecret};
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use proptest::prelude::*;

use crate::support::*;

#[test]
fn every_identifier_has_its_length_and_says_its_name() {
    fn longest<T>(parse: fn(&str) -> Result<T, IdError>) -> (usize, &'static str) {
        let max = (1..200).take_while(|length| parse(&"x".repeat(*length)).is_ok()).count();
        match parse(&"x".repeat(200)) {
            Err(IdError::TooLong { what, .. }) => (max, what),
            _ => panic!("200 characters are too long for any identifier"),
        }
    }
    assert_eq!(longest(SellerId::parse), (64, "seller id"));
    assert_eq!(longest(InstanceId::parse), (64, "instance id"));
    assert_eq!(longest(LicenseCode::parse), (64, "license code"));
    assert_eq!(longest(OrderId::parse), (64, "order id"));
    assert_eq!(longest(OrderLineId::parse), (64, "order line id"));
    assert_eq!(longest(Sku::parse), (128, "sku"));
    assert_eq!(longest(ProductId::parse), (128, "product id"));
}

#[test]
fn control_characters_and_commas_stand_in_no_identifier() {
    for text in ["a\nb", "a\0b", "a\u{7f}b", "a\u{85}b", "a,b"] {
        assert!(InstanceId::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(
        InstanceId::parse("a,b").unwrap_err().to_string(),
        "instance id contains ',', which is not allowed there"
    );
}

#[test]
fn only_what_the_marketplace_may_have_made_is_a_plausible_code() {
    let plausible = |text: &str| LicenseCode::parse(text).unwrap().is_plausible();
    let hyphenless = "10e758d031ad4c4b8f1b81d03469a10e";
    for text in ["PL0001TEST", "PL-1_2", "PL001a", "a63ee5c9-0000", hyphenless, &"P".repeat(64)] {
        assert!(plausible(text), "{text}");
    }
    let instance = "10e758d0-31ad-4c4b-8f1b-81d03469a10e";
    for text in ["PL1", "PL001", "PL 0001", "PL.1234", "PL1234é", "码码码码码码", "../../etc", instance] {
        assert!(!plausible(text), "{text}");
    }
    assert!(plausible("10e758d0-31ad-4c4b-8f1b-81d03469a10x"));
}

#[test]
fn stream_names_are_for_ever() {
    let acme = SellerId::parse("acme").unwrap();
    let code = LicenseKey { seller: acme.clone(), id: LicenseId::Code(LicenseCode::parse("PL1").unwrap()) };
    for (stream, name) in [
        (Stream::instance(&acme, &instance_id("i/1-2")), "instance-acme/i/1-2"),
        (Stream::License(code), "code-acme/PL1"),
        (Stream::Order(acme.clone(), order("CS1").order_id), "order-acme/CS1"),
        (Stream::Seller(acme), "seller-acme"),
        (Stream::Access, "access"),
        (Stream::Seals, "seals"),
    ] {
        assert_eq!(stream.to_string(), name);
        assert_eq!(Stream::parse(name), Some(stream));
    }
}

#[test]
fn names_that_are_not_ours_are_no_streams() {
    for name in [
        "",
        "access-x",
        "seals-acme",
        "instance-",
        "instance-acme",
        "instance-acme/",
        "bill-acme/1",
        "seller-a/b",
        "order-a b/1",
    ] {
        assert_eq!(Stream::parse(name), None, "{name:?}");
    }
}

#[test]
fn instance_ids_are_the_same_in_every_version() {
    // Computed by another program.
    let secret = SellerSecret::new([7; 32]);
    let id = |identity: &PurchaseIdentity| identity.instance_id(&secret).to_string();
    let order_id = || order("CS2211181819B4LVS").order_id;
    let by_line = PurchaseIdentity::OrderLine(order("CS2211181819B4LVS"));
    let by_order = PurchaseIdentity::Order { order_id: order_id() };
    let by_product = PurchaseIdentity::OrderProduct { order_id: order_id(), product_id: product_id("OFFI1") };
    assert_eq!(id(&by_line), "44639e54-9afd-8725-8a5f-a9303a70cc8b");
    assert_eq!(id(&by_order), "c1b2006b-0a90-8ab8-b419-a8afdc6fe5ca");
    assert_eq!(id(&by_product), "7e52045f-8ae9-86d7-b5c2-b630cf4f9650");
    assert!([by_line, by_order, by_product].iter().all(|identity| *identity.order_id() == order_id()));
}

proptest! {
    #[test]
    fn any_stream_name_reads_back(seller in "[A-Za-z0-9._-]{1,64}", id in "[^\\p{C},]{1,64}") {
        prop_assume!(!id.trim().is_empty());
        let seller = SellerId::parse(&seller).unwrap();
        for stream in [
            Stream::instance(&seller, &instance_id(&id)),
            Stream::License(LicenseKey { seller: seller.clone(), id: LicenseId::Code(LicenseCode::parse(&id).unwrap()) }),
            Stream::Order(seller.clone(), OrderId::parse(&id).unwrap()),
            Stream::Seller(seller.clone()),
        ] {
            prop_assert_eq!(Stream::parse(&stream.to_string()), Some(stream));
        }
    }

    #[test]
    fn different_purchases_get_different_ids(a in "[A-Z0-9]{1,4}", b in "[A-Z0-9]{1,4}", c in "[A-Z0-9]{1,4}", d in "[A-Z0-9]{1,4}") {
        let secret = SellerSecret::new([7; 32]);
        let line = |order: &str, line: &str| PurchaseIdentity::OrderLine(OrderRef {
            order_id: OrderId::parse(order).unwrap(),
            order_line_id: OrderLineId::parse(line).unwrap(),
        });
        let (one, two) = (line(&a, &b), line(&c, &d));
        prop_assert_eq!(one == two, one.instance_id(&secret) == two.instance_id(&secret));
    }

    #[test]
    fn no_text_makes_parsing_panic(text: String) {
        let _ = Stream::parse(&text);
        let _ = InstanceId::parse(&text);
        let _ = SellerId::parse(&text);
    }
}
