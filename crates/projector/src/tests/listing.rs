use chopmark_domain::license::{CodeSeen, Event, Status};

use super::tape::{Tape, at, code, created, facts, frozen, instance, seller, sku};
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
        (Filter { statuses: Some(vec![Status::Frozen]), ..any() }, &["a-2"]),
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
fn pages_cover_everything_once_while_licenses_are_added() {
    let mut tape = Tape::default();
    for number in 0..10_000 {
        tape.add(&instance("acme", &format!("id-{number}")), &created("CS1"));
    }
    let index = tape.index();
    for status in [None, Some(Status::Frozen)] {
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
