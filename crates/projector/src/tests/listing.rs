use chopmark_domain::catalog::ProductKind;
use chopmark_domain::license::{CodeSeen, CodeState, Command, Event, Shown};
use chopmark_domain::stream::{LicenseKey, Stream};

use super::tape::{
    Tape, activate, answered, at, code, code_key, created, defined_as, deployment_key, enrol, facts, frozen, instance,
    instance_key, order, seller, sku,
};
use crate::{Cursor, Filter, LicenseIndex};

fn ids(index: &LicenseIndex, filter: &Filter) -> Vec<String> {
    let listing = index.list(filter, None, 100, at(0));
    assert_eq!(listing.next, None);
    listing.licenses.into_iter().map(|found| found.key.id.to_string()).collect()
}

#[test]
fn each_filter_narrows() {
    let mut tape = Tape::default();
    tape.add(&instance("acme", "a-1"), &created("CS1"));
    tape.add(&instance("acme", "a-2"), &created("CS1"));
    tape.add(&instance("acme", "a-2"), &frozen());
    tape.add(&instance("zeta", "z-1"), &created("CS1"));
    tape.add(&instance("zeta", "z-1"), &facts("sku-z"));
    tape.add(&code("zeta", "PL1"), &Event::from(CodeSeen {}));
    let index = tape.index();
    let any = Filter::default;
    let cases: [(Filter, &[&str]); 11] = [
        (any(), &["a-1", "a-2", "z-1", "PL1"]),
        (Filter { sellers: Some(vec![seller("zeta"), seller("third")]), ..any() }, &["z-1", "PL1"]),
        (Filter { sellers: Some(vec![]), ..any() }, &[]),
        (Filter { seller: Some(seller("acme")), ..any() }, &["a-1", "a-2"]),
        (Filter { sellers: Some(vec![seller("zeta")]), seller: Some(seller("acme")), ..any() }, &[]),
        (Filter { seller: Some(seller("third")), ..any() }, &[]),
        (Filter { statuses: Some(vec![Shown::Frozen]), ..any() }, &["a-2"]),
        (Filter { statuses: Some(vec![]), ..any() }, &[]),
        (Filter { product: Some(sku("sku-z")), ..any() }, &["z-1"]),
        (Filter { product: Some(sku("unknown")), ..any() }, &[]),
        (Filter { id_prefix: Some("a-".into()), ..any() }, &["a-1", "a-2"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&index, &filter), expected, "{filter:?}");
    }
}

#[test]
fn statuses_are_those_that_checks_show_at_the_time() {
    let mut tape = Tape::default();
    let (online, other) = (instance_key("acme", "online"), instance_key("acme", "saas"));
    for (key, product) in [(&online, "sku-online"), (&other, "sku-saas")] {
        tape.ask(key, Command::Create { order: order("CS1") }, at(0)).unwrap();
        tape.add(&Stream::License(key.clone()), &facts(product));
    }
    tape.ask(&code_key("acme", "PL1"), answered(CodeState::Inactive), at(0)).unwrap();
    tape.ask(&code_key("acme", "PL2"), answered(CodeState::Alive), at(0)).unwrap();
    let catalog = Stream::Seller(seller("acme"));
    tape.add(&catalog, &defined_as(ProductKind::OnlineLicense, 1, "sku-online", 100));
    tape.add(&catalog, &defined_as(ProductKind::Saas, 2, "sku-saas", 0));
    let index = tape.index();
    let ids = |shown, second| -> Vec<String> {
        let filter = Filter { statuses: Some(vec![shown]), ..Filter::default() };
        let listed = index.list(&filter, None, 100, at(second)).licenses;
        listed.into_iter().map(|found| found.key.id.to_string()).collect()
    };
    assert_eq!(ids(Shown::Pending, 99), ["PL1"]);
    assert_eq!(ids(Shown::Pending, 100), ["online", "PL1"], "by then the product is one that is handed over");
    assert_eq!(ids(Shown::Active, 100), ["saas", "PL2"]);
    assert_eq!(ids(Shown::Frozen, 100), Vec::<String>::new());
}

#[test]
fn what_operators_stopped_and_what_looks_like_a_clone_is_found() {
    let mut tape = Tape::default();
    let (stopped, ecs) = (instance_key("acme", "stopped"), deployment_key("acme", "ecs"));
    tape.ask(&stopped, Command::Create { order: order("CS1") }, at(0)).unwrap();
    tape.ask(&stopped, Command::Block("misuse".into()), at(0)).unwrap();
    tape.ask(&ecs, enrol("sku-image", None, "first"), at(0)).unwrap();
    tape.ask(&ecs, enrol("sku-image", None, "second"), at(10)).unwrap();
    let suspected = || Filter { clone_suspected: true, ..Filter::default() };
    assert_eq!(ids(&tape.index(), &suspected()), Vec::<String>::new());
    tape.ask(&ecs, enrol("sku-image", Some("first"), "third"), at(20)).unwrap();
    let index = tape.index();
    assert_eq!(ids(&index, &suspected()), ["ecs"]);
    assert_eq!(index.list(&suspected(), None, 10, at(20 + 24 * 3600)).licenses, [], "that was a day ago");
    assert_eq!(ids(&index, &Filter { blocked: Some(true), ..Filter::default() }), ["stopped"]);
    assert_eq!(ids(&index, &Filter { blocked: Some(false), ..Filter::default() }), ["ecs"]);
}

#[test]
fn licenses_that_machines_use_are_listed_page_by_page() {
    let mut tape = Tape::default();
    let used = |number| instance_key("acme", &format!("id-{number}"));
    for number in 0..9_000 {
        tape.add(&Stream::License(used(number)), &created("CS1"));
    }
    for number in [3, 4_095, 4_096, 8_999] {
        tape.ask(&used(number), Command::Create { order: order("CS1") }, at(0)).unwrap();
        tape.ask(&used(number), activate("one"), at(0)).unwrap();
    }
    tape.add(&Stream::Seller(seller("acme")), &defined_as(ProductKind::Saas, 1, "sku-a", 0));
    tape.add(&Stream::License(used(3)), &facts("sku-a"));
    let index = tape.index();
    let keys = |listing: &crate::MachineListing| -> Vec<LicenseKey> {
        listing.licenses.iter().map(|with| with.key.clone()).collect()
    };
    let first = index.machines(None, 3, at(0));
    assert_eq!(keys(&first), [used(3), used(4_095), used(4_096)]);
    let with = first.licenses.first().unwrap();
    assert!(with.machines.get("one").is_some());
    assert_eq!(with.terms.as_ref().map(|dated| dated.catalog_version), Some(1));
    let rest = index.machines(first.next.as_ref(), 3, at(0));
    assert_eq!((keys(&rest), rest.next), (vec![used(8_999)], None));
    assert_eq!(index.machines(None, 4, at(0)).next, None, "nothing more is said to come that does not");
}

#[test]
fn pages_cover_everything_once_while_licenses_are_added() {
    let mut tape = Tape::default();
    for number in 0..10_000 {
        tape.add(&instance("acme", &format!("id-{number}")), &created("CS1"));
    }
    let index = tape.index();
    for status in [None, Some(Shown::Frozen)] {
        let already = tape.records.len();
        for number in (0..10_000).filter(|_| status.is_some()).step_by(99) {
            tape.add(&instance("acme", &format!("id-{number}")), &frozen());
        }
        index.apply(&tape.page(already..tape.records.len())).unwrap();
        let filter = Filter { statuses: status.map(|status| vec![status]), ..Filter::default() };
        let (mut listed, mut cursor) = (vec![], None);
        loop {
            let listing = index.list(&filter, cursor.as_ref(), 7, at(0));
            assert_eq!(listing.position, index.position());
            listed.extend(listing.licenses.into_iter().map(|found| found.key.id.to_string()));
            let Some(next) = listing.next else { break };
            cursor = Some(Cursor::parse(&next.to_string()).unwrap());
            let grown = tape.records.len();
            if grown < 10_050 {
                tape.add(&instance("acme", &format!("id-{grown}")), &created("CS1"));
                index.apply(&tape.page(grown..grown + 1)).unwrap();
            }
        }
        let step = if status.is_some() { 99 } else { 1 };
        let expected = (0..if status.is_some() { 10_000 } else { 10_050 }).step_by(step);
        assert_eq!(listed, expected.map(|number| format!("id-{number}")).collect::<Vec<_>>());
    }
}

#[test]
fn only_what_was_written_as_a_cursor_is_one() {
    for text in ["", "l", "7", "l+7", "l07", "lFF", "l100000000", "l-1"] {
        assert!(Cursor::parse(text).is_err(), "{text}");
    }
    assert_eq!(Cursor::parse("lff").unwrap().to_string(), "lff");
    let beyond = Cursor::parse("lffffffff").unwrap();
    assert_eq!(LicenseIndex::new().list(&Filter::default(), Some(&beyond), 10, at(0)).licenses, []);
}
