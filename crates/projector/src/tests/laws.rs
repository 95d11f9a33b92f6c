//! What holds of every log.

use chopmark_domain::license::{CodeSeen, Event, InstanceAdopted, Released, Status};
use chopmark_domain::stream::Stream;
use proptest::prelude::*;

use super::tape::{
    Tape, at, code, created, defined, dumped, facts, frozen, instance, refreshed, secret, seller, terms, token,
    unfrozen,
};
use crate::{Filter, LicenseIndex};

#[derive(Debug, Clone)]
enum Step {
    License { seller: usize, id: usize, event: Event },
    Defined { seller: usize, product: usize },
    Secret { seller: usize },
    Token,
    Stranger,
}

const SELLERS: [&str; 2] = ["acme", "zeta"];
const PRODUCTS: [&str; 3] = ["sku-a", "sku-b", "sku-c"];
const IDS: [&str; 4] =
    ["10e758d0-31ad-4c4b-8f1b-81d03469a10e", "10E758D0-31AD-4C4B-8F1B-81D03469A10E", "PL0001", "旧实例/7"];

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(created("CS1")),
        Just(CodeSeen {}.into()),
        (0..3_usize).prop_map(|product| facts(PRODUCTS[product])),
        (0..1000_i64).prop_map(|second| refreshed(at(second))),
        Just(frozen()),
        (0..1000_i64).prop_map(unfrozen),
        Just(Released { order_id: None, order_line_id: None }.into()),
        prop_oneof![Just(Status::Active), Just(Status::Frozen)]
            .prop_map(|status| { InstanceAdopted { purchase: None, terms: terms(None, None), status }.into() }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..2_usize, 0..4_usize, event()).prop_map(|(seller, id, event)| Step::License { seller, id, event }),
        2 => (0..2_usize, 0..3_usize).prop_map(|(seller, product)| Step::Defined { seller, product }),
        1 => (0..2_usize).prop_map(|seller| Step::Secret { seller }),
        1 => Just(Step::Token),
        1 => Just(Step::Stranger),
    ]
}

fn tape(steps: &[Step]) -> Tape {
    let mut tape = Tape::default();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::License { seller, id, event } => {
                let stream = if *id == 2 { code } else { instance }(SELLERS[*seller], IDS[*id]);
                tape.add(&stream, event);
            }
            Step::Defined { seller: of, product } => {
                let version = u32::try_from(number).unwrap() + 1;
                tape.add(&Stream::Seller(seller(SELLERS[*of])), &defined(version, PRODUCTS[*product], 0));
            }
            Step::Secret { seller: of } => tape.add(&Stream::Seller(seller(SELLERS[*of])), &secret(1)),
            Step::Token => tape.add(&Stream::Access, &token(&number.to_string())),
            Step::Stranger => tape.add_raw("$settings", "whatever", b"?"),
        }
    }
    tape
}

/// Everything that can be asked.
fn answers(index: &LicenseIndex) -> String {
    let mut all = dumped(index);
    for id in IDS {
        for product in [None, Some("sku-a"), Some("sku-b"), Some("unknown")] {
            let product = product.map(super::tape::sku);
            for of in [None, Some("acme"), Some("zeta"), Some("unknown")] {
                let looked_up = index.look_up(of.map(seller).as_ref(), id, product.as_ref(), at(500));
                all.push_str(&format!("{looked_up:?}\n"));
            }
        }
    }
    for of in SELLERS {
        all.push_str(&format!("{:?}\n", index.catalog(&seller(of))));
    }
    all.push_str(&format!("{:?}\n{:?}", index.list(&Filter::default(), None, 100, at(500)), index.counts()));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_may_be_cut_anywhere(steps in prop::collection::vec(step(), 0..60), cuts in prop::collection::vec(0..60_usize, 0..6)) {
        let tape = tape(&steps);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(steps.len())).collect();
        cuts.extend([0, steps.len()]);
        cuts.sort_unstable();
        let index = LicenseIndex::new();
        for pair in cuts.windows(2) {
            index.apply(&tape.page(pair[0]..pair[1])).unwrap();
        }
        prop_assert_eq!(answers(&index), answers(&tape.index()));
    }

    #[test]
    fn a_snapshot_at_any_point_and_the_rest_are_the_whole(steps in prop::collection::vec(step(), 0..60), cut in 0..60_usize) {
        let tape = tape(&steps);
        let cut = cut.min(steps.len());
        let before = LicenseIndex::new();
        before.apply(&tape.page(0..cut)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(crate::SNAPSHOT_FILE);
        before.save(&path).unwrap();
        let resumed = LicenseIndex::load(&path).unwrap().unwrap();
        prop_assert_eq!(answers(&resumed), answers(&before));
        prop_assert_eq!(resumed.progress().position(), before.position());
        resumed.apply(&tape.page(cut..steps.len())).unwrap();
        prop_assert_eq!(answers(&resumed), answers(&tape.index()));
    }

    #[test]
    fn counts_are_what_a_listing_counts(steps in prop::collection::vec(step(), 0..60)) {
        let index = tape(&steps).index();
        for (seller, counts) in index.counts() {
            for ((_, count), status) in counts.named().into_iter().zip([Status::Active, Status::Frozen, Status::Released]) {
                let filter = Filter { seller: Some(seller.clone()), statuses: Some(vec![status]), ..Filter::default() };
                prop_assert_eq!(index.list(&filter, None, 100, at(0)).licenses.len(), count);
            }
        }
    }
}
