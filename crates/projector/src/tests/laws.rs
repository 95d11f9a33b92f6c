//! What holds of every log.

use std::collections::BTreeSet;

use chopmark_domain::access;
use chopmark_domain::catalog::{self, MappingSaved, ProductKind, SellerTermsDefined};
use chopmark_domain::hours::{Day, Hour, HoursClosed};
use chopmark_domain::ids::{EcsId, InstanceId};
use chopmark_domain::license::{
    CodeState, Command, Errand, Event, InstanceAdopted, Refreshed, Scene, Shown, Status, Upgraded,
};
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::terms::SellerTerms;
use chopmark_domain::stream::{LicenseKey, Stream};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::tape::{
    Tape, activate, answered, application, at, code_key, defined_as, deployment_key, dumped, enrol, free, grant,
    instance_key, issued, order, order_facts, requested, secret, seller, sku, terms,
};
use crate::{Filter, LicenseIndex};

#[derive(Debug, Clone)]
enum Step {
    License { key: LicenseKey, command: Command },
    Defined { seller: usize, product: usize },
    Secret { seller: usize },
    Token { name: usize, expires_in: Option<i64> },
    TokenRevoked { name: usize },
    Settled { seller: usize },
    Mapping { seller: usize },
    HourClosed { seller: usize },
    Stranger,
}

const SELLERS: [&str; 2] = ["acme", "zeta"];
const PRODUCTS: [(&str, ProductKind); 4] = [
    ("sku-a", ProductKind::Saas),
    ("sku-b", ProductKind::OnlineLicense),
    ("sku-c", ProductKind::LicenseCode),
    ("sku-d", ProductKind::Image),
];
const INSTANCES: [&str; 3] =
    ["10e758d0-31ad-4c4b-8f1b-81d03469a10e", "10E758D0-31AD-4C4B-8F1B-81D03469A10E", "旧实例/7"];
const CODES: [&str; 2] = ["PL0001", "10e758d0-31ad-4c4b-8f1b-81d03469a10e"];
const DEPLOYMENTS: [&str; 2] = ["10e758d0-31ad-4c4b-8f1b-81d03469a10e", "PL0001"];
const NAMES: [&str; 3] = ["one", "two", "three"];

/// Seconds between two steps: two hundred of them take longer than a day, within which enrolments and activations count.
const STEP: i64 = 600;

/// Seconds that a log lasts, at most.
const LENGTH: i64 = 200 * STEP;

/// Moments at which everything is asked: among the steps, and long after.
fn moments() -> [DateTime<Utc>; 3] {
    [at(500), at(LENGTH / 2), at(2 * LENGTH)]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

/// What may come for whatever license.
fn anything() -> impl Strategy<Value = Command> {
    let upgraded = Command::Upgrade(Upgraded { order: order("CS1") });
    let released = Command::Release { order_id: None, order_line_id: None };
    let delayed = Command::DelayErrand { errand: Errand::Activate, reason: "unreachable".into() };
    let abandoned = Command::AbandonErrand { errand: Errand::Activate, reason: "unreachable".into(), attempts: 3 };
    let refreshed = (0..LENGTH).prop_map(|second| {
        let (order, expires_at) = (order("CS1"), at(second));
        Command::Refresh(Refreshed { scene: Scene::Renewal, order, expires_at, product_id: None })
    });
    let facts = prop::sample::select(&PRODUCTS[..])
        .prop_map(|(product, _)| Command::ApplyOrderFacts { order: order("CS1"), facts: order_facts(product) });
    prop_oneof![
        4 => facts,
        2 => refreshed,
        2 => Just(Command::Freeze),
        2 => Just(Command::Unfreeze),
        2 => prop::sample::select(vec![upgraded, released, delayed, abandoned]),
        2 => Just(Command::Block("by hand".into())),
        2 => Just(Command::Unblock),
        8 => name().prop_map(activate),
        4 => (name(), 0..LENGTH).prop_map(|(machine, second)| free(machine, at(second))),
    ]
}

fn of_instance() -> impl Strategy<Value = Command> {
    let adopted =
        Command::Adopt(InstanceAdopted { purchase: None, terms: terms(Some("sku-b"), None), status: Status::Frozen });
    let elsewhere = Command::AdoptPurchase(InstanceId::parse("elsewhere").unwrap());
    prop_oneof![
        12 => anything(),
        6 => Just(Command::Create { order: order("CS1") }),
        2 => Just(adopted),
        1 => Just(elsewhere),
        5 => name().prop_map(requested),
        5 => name().prop_map(issued),
        6 => name().prop_map(|serial| Command::ConfirmUpload(application(serial))),
    ]
}

fn of_code() -> impl Strategy<Value = Command> {
    let states = vec![CodeState::Inactive, CodeState::Inactive, CodeState::Alive, CodeState::Released];
    prop_oneof![3 => anything(), 1 => prop::sample::select(states).prop_map(answered)]
}

fn of_deployment() -> impl Strategy<Value = Command> {
    let enrolled = (0..2_usize, prop::option::of(name()), name());
    let enrolled = enrolled.prop_map(|(product, presented, secret)| enrol(PRODUCTS[product].0, presented, secret));
    prop_oneof![1 => anything(), 4 => enrolled]
}

fn license() -> impl Strategy<Value = Step> {
    fn step<K: Fn(&str, &str) -> LicenseKey>(
        key: K,
        ids: &'static [&'static str],
        command: impl Strategy<Value = Command>,
    ) -> impl Strategy<Value = Step> {
        (prop::sample::select(&SELLERS[..]), prop::sample::select(ids), command)
            .prop_map(move |(seller, id, command)| Step::License { key: key(seller, id), command })
    }
    prop_oneof![
        3 => step(instance_key, &INSTANCES, of_instance()),
        1 => step(code_key, &CODES, of_code()),
        2 => step(deployment_key, &DEPLOYMENTS, of_deployment()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => license(),
        4 => (0..2_usize, 0..4_usize).prop_map(|(seller, product)| Step::Defined { seller, product }),
        1 => (0..2_usize).prop_map(|seller| Step::Secret { seller }),
        2 => (0..3_usize, prop::option::of(0..LENGTH))
            .prop_map(|(name, expires_in)| Step::Token { name, expires_in }),
        1 => (0..3_usize).prop_map(|name| Step::TokenRevoked { name }),
        1 => (0..2_usize).prop_map(|seller| Step::Settled { seller }),
        1 => (0..2_usize).prop_map(|seller| Step::Mapping { seller }),
        1 => (0..2_usize).prop_map(|seller| Step::HourClosed { seller }),
        1 => Just(Step::Stranger),
    ]
}

/// The log of what was asked for. What the domain refuses leaves no trace.
fn tape() -> impl Strategy<Value = Tape> {
    prop::collection::vec(step(), 0..200).prop_map(|steps| written(&steps))
}

fn written(steps: &[Step]) -> Tape {
    let mut tape = Tape::default();
    let mut versions = [0; 2];
    for (number, step) in (0..).zip(steps) {
        let now = at(number * STEP);
        match step {
            Step::License { key, command } => drop(tape.ask(key, command.clone(), now)),
            Step::Defined { seller: of, product } => {
                versions[*of] += 1;
                let (product, kind) = PRODUCTS[*product];
                let effective = if versions[*of] % 3 == 0 { LENGTH } else { 0 };
                tape.add(&Stream::Seller(seller(SELLERS[*of])), &defined_as(kind, versions[*of], product, effective));
            }
            Step::Settled { seller: of } => {
                versions[*of] += 1;
                let terms = SellerTerms { certified: versions[*of] % 2 == 0, ..SellerTerms::of(Site::Cn) };
                let defined = SellerTermsDefined { catalog_version: versions[*of], effective_at: now, terms };
                tape.add(&Stream::Seller(seller(SELLERS[*of])), &catalog::Event::from(defined));
            }
            Step::Mapping { seller: of } => {
                let mapping =
                    Mapping { name: format!("{number}"), columns: [("金额".into(), Field::SettleAmount)].into() };
                tape.add(&Stream::Seller(seller(SELLERS[*of])), &catalog::Event::from(MappingSaved { mapping }));
            }
            Step::Secret { seller: of } => tape.add(&Stream::Seller(seller(SELLERS[*of])), &secret(1)),
            Step::Token { name, expires_in } => tape.create_token(grant(NAMES[*name], expires_in.map(at))),
            Step::TokenRevoked { name } => tape.revoke_token(NAMES[*name]),
            Step::HourClosed { seller: of } => {
                let closed = HoursClosed { hour: Hour::of(now), seen: vec![] };
                tape.add(
                    &Stream::Hours(seller(SELLERS[*of]), Day::of(now)),
                    &chopmark_domain::hours::Event::from(closed),
                );
            }
            Step::Stranger => tape.add_raw("$settings", "whatever", b"?"),
        }
    }
    tape
}

/// Everything that can be asked.
fn answers(index: &LicenseIndex) -> Vec<String> {
    let mut all = vec![dumped(index), format!("{:?}\n{:?}", index.counts(), index.access())];
    for now in moments() {
        for id in INSTANCES.iter().chain(&CODES).chain(&DEPLOYMENTS) {
            for product in [None, Some("sku-a"), Some("sku-b"), Some("unknown")].map(|product| product.map(sku)) {
                for of in [None, Some("acme"), Some("zeta"), Some("unknown")].map(|of| of.map(seller)) {
                    let (of, product) = (of.as_ref(), product.as_ref());
                    let named = index.look_up(of, id, product, now);
                    all.push(format!("{named:?} {:?}", index.look_up_any(of, id, product, now)));
                }
            }
        }
        for of in SELLERS.map(seller) {
            all.push(format!("{:?} {:?}", index.catalog(&of), index.code_sellers(now)));
            all.extend(DEPLOYMENTS.map(|ecs| format!("{:?}", index.deployment(&of, &EcsId::parse(ecs).unwrap(), now))));
        }
        all.extend(PRODUCTS.map(|(product, _)| format!("{:?}", index.product(&sku(product), now))));
        all.extend(NAMES.map(|token| format!("{:?}", index.grant(token, now))));
        all.push(format!("{:?}", index.machines(None, 100, now)));
        all.push(format!("{:?}", index.list(&Filter::default(), None, 100, now)));
    }
    all
}

/// Some logs, always the same.
pub(super) fn samples() -> Vec<Tape> {
    let mut runner = TestRunner::deterministic();
    (0..80).map(|_| tape().new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn the_logs_tried_here_have_every_kind_of_event() {
    let tapes = samples();
    let kinds: BTreeSet<_> = tapes.iter().flat_map(|tape| &tape.records).map(|record| record.kind.as_str()).collect();
    for kind in [Event::KINDS, catalog::Event::KINDS, access::Event::KINDS].concat() {
        assert!(kinds.contains(kind), "{kind} is in none of them");
    }
    let suspected = Filter { clone_suspected: true, ..Filter::default() };
    let pending = Filter { statuses: Some(vec![Shown::Pending]), ..Filter::default() };
    for filter in [suspected, pending] {
        let taken =
            |tape: &Tape| moments().map(|now| keys(&tape.index(), &filter, now).len()).into_iter().sum::<usize>();
        assert!(tapes.iter().map(taken).sum::<usize>() > 0, "{filter:?} takes something somewhere");
    }
}

fn keys(index: &LicenseIndex, filter: &Filter, now: DateTime<Utc>) -> Vec<LicenseKey> {
    index.list(filter, None, 100, now).licenses.into_iter().map(|found| found.key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn licenses_are_as_the_domain_has_them(tape in tape()) {
        let index = tape.index();
        let listed = index.list(&Filter::default(), None, 100, at(0)).licenses;
        prop_assert_eq!(listed.len(), index.len());
        for found in listed {
            prop_assert_eq!(Some(&found.license), tape.license(&found.key));
        }
    }

    #[test]
    fn pages_may_be_cut_anywhere(tape in tape(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let length = tape.records.len();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(length + 1)).collect();
        cuts.extend([0, length]);
        cuts.sort_unstable();
        let index = LicenseIndex::new();
        for pair in cuts.windows(2) {
            index.apply(&tape.page(pair[0]..pair[1])).unwrap();
        }
        prop_assert_eq!(answers(&index), answers(&tape.index()));
    }

    #[test]
    fn a_snapshot_at_any_point_and_the_rest_are_the_whole(tape in tape(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(tape.records.len() + 1);
        let before = LicenseIndex::new();
        before.apply(&tape.page(0..cut)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(crate::SNAPSHOT_FILE);
        before.save(&path).unwrap();
        let resumed = LicenseIndex::load(&path).unwrap().unwrap();
        prop_assert_eq!(answers(&resumed), answers(&before));
        prop_assert_eq!(resumed.progress().position(), before.position());
        resumed.apply(&tape.page(cut..tape.records.len())).unwrap();
        prop_assert_eq!(answers(&resumed), answers(&tape.index()));
    }

    #[test]
    fn counts_are_what_a_listing_counts(tape in tape()) {
        let index = tape.index();
        let shown = [vec![Shown::Pending, Shown::Active], vec![Shown::Frozen], vec![Shown::Released]];
        for (seller, counts) in index.counts() {
            for ((_, count), statuses) in counts.named().into_iter().zip(shown.clone()) {
                let filter = Filter { seller: Some(seller.clone()), statuses: Some(statuses), ..Filter::default() };
                prop_assert_eq!(keys(&index, &filter, at(0)).len(), count);
            }
        }
    }

    #[test]
    fn a_filter_takes_what_the_domain_says(tape in tape(), statuses in prop::sample::subsequence(vec![Shown::Pending, Shown::Active, Shown::Frozen, Shown::Released], 0..=4)) {
        let index = tape.index();
        for now in moments() {
            let all = index.list(&Filter::default(), None, 100, now).licenses;
            let expected = |takes: &dyn Fn(&crate::Found) -> bool| -> Vec<LicenseKey> {
                all.iter().filter(|found| takes(found)).map(|found| found.key.clone()).collect()
            };
            let shown = |found: &crate::Found| {
                let terms = found.terms.as_ref().map(|dated| &dated.terms);
                statuses.contains(&found.license.shown(terms))
            };
            let suspected = |found: &crate::Found| {
                found.license.deployment.as_ref().is_some_and(|deployment| deployment.is_clone_suspected(now))
            };
            let used = |found: &crate::Found| found.license.machines.as_ref().is_some_and(|machines| !machines.is_empty());
            let filter = Filter { statuses: Some(statuses.clone()), ..Filter::default() };
            prop_assert_eq!(keys(&index, &filter, now), expected(&shown));
            let filter = Filter { clone_suspected: true, ..Filter::default() };
            prop_assert_eq!(keys(&index, &filter, now), expected(&suspected));
            for blocked in [false, true] {
                let filter = Filter { blocked: Some(blocked), ..Filter::default() };
                prop_assert_eq!(keys(&index, &filter, now), expected(&|found| found.license.blocked == blocked));
            }
            let with_machines = index.machines(None, 100, now).licenses;
            prop_assert_eq!(with_machines.into_iter().map(|with| with.key).collect::<Vec<_>>(), expected(&used));
        }
    }
}
