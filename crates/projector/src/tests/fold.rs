use chopmark_domain::codec::DecodeError;
use chopmark_domain::hours::{self, Day, Hour, HoursClosed};
use chopmark_domain::ids::{Fingerprint, OrderLineId, ProjectId, RegionId};
use chopmark_domain::license::{
    Blocked, CodeAnswer, CodeSeen, CodeState, Command, DeploymentEnrolled, EcsFacts, EnrolmentHash, Errand,
    ErrandAbandoned, ErrandDelayed, Event, FreedBy, InstanceAdopted, License, LicenseIssued, LicenseRequested,
    LicenseUploaded, MachineActivated, MachineFreed, PurchaseAdopted, Released, Status, Unblocked, Upgraded,
};
use chopmark_domain::order;
use chopmark_domain::stream::Stream;
use chopmark_log::Position;

use super::tape::{
    Tape, activate, application, at, code, created, defined, deployment, dumped, facts, free, frozen, grant, instance,
    instance_key, refreshed, secret, seller, sku, terms, token, unfrozen,
};
use crate::{FoldError, LicenseIndex};

fn machine(name: &str) -> Fingerprint {
    Fingerprint::parse(name).unwrap()
}

fn activated(name: &str, second: i64) -> Event {
    MachineActivated { fingerprint: machine(name), name: None, at: at(second) }.into()
}

fn freed(name: &str, second: i64) -> Event {
    MachineFreed { fingerprint: machine(name), by: FreedBy::Lapse, taken_until: at(second) }.into()
}

fn enrolled(secret: &str, alternates: bool) -> Event {
    DeploymentEnrolled {
        product: sku("sku-image"),
        facts: EcsFacts {
            project_id: ProjectId::parse("0605767a").unwrap(),
            region_id: RegionId::parse("cn-east-3").unwrap(),
            image_id: None,
            charging_mode: Some("0".into()),
        },
        secret: EnrolmentHash::of(secret),
        at: at(7),
        alternates,
    }
    .into()
}

fn confirmed(state: CodeState) -> Event {
    CodeAnswer { state, expires_at: Some(at(9)), product_id: None, quantity: Some(3), order: None }.into()
}

fn license(index: &LicenseIndex, id: &str) -> Option<License> {
    index.look_up(None, id, None, at(0)).found.map(|found| found.license)
}

#[test]
fn a_license_in_the_index_is_the_license_that_the_domain_folds() {
    let adopted = |status| Event::from(InstanceAdopted { purchase: None, terms: terms(Some("sku-a"), None), status });
    let (late, lost) = (Errand::Activate, Errand::Upload(application("7")));
    let lives: [Vec<Event>; 9] = [
        vec![
            created("CS1"),
            facts("sku-a"),
            frozen(),
            unfrozen(5),
            refreshed(at(7)),
            Released { order_id: None, order_line_id: None }.into(),
        ],
        vec![adopted(Status::Frozen), unfrozen(5), facts("sku-b")],
        vec![CodeSeen {}.into(), refreshed(at(9)), frozen()],
        vec![
            created("CS1"),
            Upgraded { order: super::tape::order("CS3") }.into(),
            PurchaseAdopted { instance_id: chopmark_domain::ids::InstanceId::parse("x").unwrap() }.into(),
        ],
        vec![
            refreshed(at(9) + chrono::TimeDelta::nanoseconds(1)),
            created("CS1"),
            refreshed(at(9) + chrono::TimeDelta::nanoseconds(1)),
        ],
        vec![
            created("CS1"),
            activated("one", 1),
            activated("two", 2),
            freed("one", 5),
            Blocked { reason: "misuse".into() }.into(),
            activated("three", 6),
            Unblocked {}.into(),
        ],
        vec![
            confirmed(CodeState::Inactive),
            ErrandDelayed { errand: late, reason: "unreachable".into() }.into(),
            confirmed(CodeState::Alive),
            confirmed(CodeState::Released),
        ],
        vec![
            created("CS1"),
            LicenseRequested { application: application("7"), effective_at: at(0), expires_at: None }.into(),
            LicenseIssued { application: application("7"), document: "signed".into() }.into(),
            ErrandAbandoned { errand: lost, reason: "refused".into(), attempts: 3 }.into(),
            LicenseUploaded { application: application("7") }.into(),
        ],
        vec![enrolled("first", false), enrolled("second", true), frozen()],
    ];
    let kinds: std::collections::BTreeSet<_> =
        lives.iter().flatten().map(chopmark_domain::codec::StoredEvent::kind).collect();
    assert_eq!(kinds, Event::KINDS.iter().copied().collect(), "every kind of event is tried");
    for (number, life) in lives.iter().enumerate() {
        let mut tape = Tape::default();
        let mut expected: Option<License> = None;
        for event in life {
            tape.add(&instance("acme", "id"), event);
            match &mut expected {
                Some(license) => license.evolve(event),
                None => expected = License::begin(event),
            }
            assert_eq!(license(&tape.index(), "id"), expected, "life {number} after {event:?}");
        }
    }
}

#[test]
fn a_license_looked_up_stays_as_it_was_then() {
    let mut tape = Tape::default();
    for event in [created("CS1"), activated("one", 1), activated("two", 2)] {
        tape.add(&instance("acme", "id"), &event);
    }
    let index = LicenseIndex::new();
    index.apply(&tape.page(0..2)).unwrap();
    let before = license(&index, "id").unwrap();
    index.apply(&tape.page(2..3)).unwrap();
    assert!(before.has_machine("one") && !before.has_machine("two"));
    assert!(license(&index, "id").unwrap().has_machine("two"));
}

#[test]
fn looking_a_license_up_copies_no_machine() {
    let mut tape = Tape::default();
    tape.add(&instance("acme", "id"), &created("CS1"));
    tape.add(&instance("acme", "id"), &activated("one", 1));
    let index = tape.index();
    let machines = || license(&index, "id").unwrap().machines.unwrap();
    assert!(std::sync::Arc::ptr_eq(&machines(), &machines()));
}

#[test]
fn machines_that_nobody_looks_at_are_changed_where_they_are() {
    let mut tape = Tape::default();
    for event in [created("CS1"), activated("one", 1), activated("two", 2)] {
        tape.add(&instance("acme", "id"), &event);
    }
    let index = LicenseIndex::new();
    let place = || std::sync::Arc::as_ptr(&license(&index, "id").unwrap().machines.unwrap());
    index.apply(&tape.page(0..2)).unwrap();
    let before = place();
    index.apply(&tape.page(2..3)).unwrap();
    assert_eq!(place(), before, "a copy would be elsewhere");
}

#[test]
fn memory_is_counted_as_machines_come_and_go() {
    let key = instance_key("acme", "id");
    let mut tape = Tape::default();
    tape.ask(&key, Command::Create { order: super::tape::order("CS1") }, at(0)).unwrap();
    let none = tape.index().memory_bytes();
    tape.ask(&key, activate("one"), at(1)).unwrap();
    let one = tape.index().memory_bytes();
    tape.ask(&key, activate("two"), at(2)).unwrap();
    let two = tape.index().memory_bytes();
    assert!(none + 100 < one && one < two && two < none + 1000, "{none} {one} {two}");
    tape.ask(&key, free("one", at(3)), at(3)).unwrap();
    tape.ask(&key, activate("six"), at(4)).unwrap();
    assert_eq!(tape.index().memory_bytes(), two, "the first one has given its place up");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(crate::SNAPSHOT_FILE);
    tape.index().save(&path).unwrap();
    assert_eq!(LicenseIndex::load(&path).unwrap().unwrap().memory_bytes(), two);
}

#[test]
fn an_adopted_purchase_makes_no_license() {
    let mut tape = Tape::default();
    let to = chopmark_domain::ids::InstanceId::parse("old-id").unwrap();
    tape.add(&instance("acme", "derived"), &Event::from(PurchaseAdopted { instance_id: to }));
    assert_eq!(license(&tape.index(), "derived"), None);
}

#[test]
fn catalogs_and_tokens_are_folded_too() {
    let mut tape = Tape::default();
    tape.add(&Stream::Seller(seller("acme")), &secret(7));
    tape.add(&Stream::Seller(seller("acme")), &defined(1, "sku-a", 0));
    tape.add(&Stream::Access, &token("open sesame"));
    let index = tape.index();
    let catalog = index.catalog(&seller("acme")).unwrap();
    assert_eq!(catalog.version, 1);
    assert!(catalog.latest(&sku("sku-a")).is_some());
    assert_eq!(index.catalog(&seller("other")), None);
    assert_eq!(index.grant("open sesame", at(0)).unwrap().id, "open sesame");
    assert_eq!(index.grant("guess", at(0)), None);
    assert_eq!(index.sellers(), [seller("acme")]);
}

#[test]
fn a_token_ends_when_its_time_is_over_or_it_is_taken_back() {
    let mut tape = Tape::default();
    tape.create_token(grant("for ever", None));
    tape.create_token(grant("a while", Some(at(100))));
    tape.create_token(grant("taken back", None));
    let before = tape.index();
    tape.revoke_token("taken back");
    let index = tape.index();
    assert!(index.grant("for ever", at(100_000)).is_some());
    assert!(index.grant("a while", at(99)).is_some() && index.grant("a while", at(100)).is_none());
    assert!(before.grant("taken back", at(0)).is_some() && index.grant("taken back", at(0)).is_none());
    assert_eq!(index.access().grants().len(), 3, "lists show those that ended, too");
}

#[test]
fn terms_are_those_in_force_at_the_time_asked_about() {
    let mut tape = Tape::default();
    tape.add(&Stream::Seller(seller("acme")), &defined(1, "sku-a", 100));
    tape.add(&instance("acme", "id"), &created("CS1"));
    let terms = |tape: &Tape, second| {
        let found = tape.index().look_up(None, "id", None, at(second)).found.unwrap();
        found.terms.map(|dated| dated.catalog_version)
    };
    assert_eq!(terms(&tape, 100), None, "the product is not known yet");
    tape.add(&instance("acme", "id"), &facts("sku-a"));
    tape.add(&Stream::Seller(seller("acme")), &defined(2, "sku-b", 0));
    tape.add(&Stream::Seller(seller("acme")), &defined(3, "sku-a", 200));
    assert_eq!(terms(&tape, 99), None);
    assert_eq!(terms(&tape, 199), Some(1));
    assert_eq!(terms(&tape, 200), Some(3));
}

#[test]
fn orders_hours_settlement_and_strangers_are_passed_by_whatever_they_hold() {
    let mut tape = Tape::default();
    let notified = order::Notified { order_line_id: OrderLineId::parse("CS1-000001").unwrap() };
    tape.add(&Stream::Order(seller("acme"), super::tape::order("CS1").order_id), &order::Event::from(notified));
    let closed = HoursClosed { hour: Hour::of(at(0)), seen: vec![] };
    tape.add(&Stream::Hours(seller("acme"), Day::of(at(0))), &hours::Event::from(closed));
    for stream in [
        "$stats",
        "order-acme/CS1",
        "hours-acme/20261124",
        "bill-acme/generic/202610",
        "month-acme/202610",
        "transactions-acme/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "deployment-acme/not an ECS id",
        "instance-",
        "instance-no slash",
        "instance-bad seller/id",
        "code-acme/",
        "seller-a b",
        "accessory",
    ] {
        tape.add_raw(stream, "something.v9", b"not even JSON");
    }
    let index = tape.index();
    assert_eq!((index.len(), index.position()), (0, tape.reached()));
    assert!(index.sellers().is_empty());
    assert!(index.progress().is_caught_up());
}

#[test]
fn an_event_of_a_newer_version_stops_the_index_before_it() {
    let newer = ["instance-acme/id", "code-acme/PL1", "deployment-acme/ecs", "seller-acme", "access"];
    for stream in newer {
        let mut tape = Tape::default();
        tape.add(&instance("acme", "id"), &created("CS1"));
        tape.add_raw(stream, "something.v9", b"{}");
        tape.add(&instance("acme", "late"), &created("CS1"));
        let index = LicenseIndex::new();
        let error = index.apply(&tape.page(0..3)).unwrap_err();
        let FoldError::Decode { position, source: DecodeError::UnknownKind { kind }, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((*position, kind.as_str()), (Position(20), "something.v9"));
        assert!(error.to_string().contains(stream), "{error}");
        assert_eq!(index.position(), Position(10));
        assert_eq!(index.progress().position(), Position(10));
        assert!(index.progress().stands_still() && index.progress().is_caught_up(), "it has come as far as it can");
        assert!(license(&index, "id").is_some(), "it goes on answering");
        assert!(license(&index, "late").is_none());
        assert!(index.apply(&tape.page(1..3)).is_err(), "and stays there");
    }
}

#[test]
fn an_event_that_cannot_be_read_stops_the_index_too() {
    let mut tape = Tape::default();
    tape.add_raw("instance-acme/id", "instance_created.v1", b"{\"order\":7}");
    let error = LicenseIndex::new().apply(&tape.page(0..1)).unwrap_err();
    assert!(error.to_string().contains("instance_created.v1"), "{error}");
}

#[test]
fn a_page_applied_again_changes_nothing() {
    let mut tape = Tape::default();
    tape.add(&instance("acme", "id"), &created("CS1"));
    tape.add(&instance("acme", "id"), &frozen());
    let index = tape.index();
    let before = dumped(&index);
    index.apply(&tape.page(0..2)).unwrap();
    index.apply(&tape.page(0..1)).unwrap();
    assert_eq!((dumped(&index), index.position()), (before, Position(20)));
}

#[test]
fn readers_wait_for_a_position_and_then_see_it() {
    let mut tape = Tape::default();
    tape.add(&code("acme", "PL1"), &Event::from(CodeSeen {}));
    let index = LicenseIndex::new();
    let (progress, asking) = (index.progress(), index.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let waiting = runtime.spawn(async move {
        progress.reached(Position(10)).await;
        asking.look_up(None, "PL1", None, at(0))
    });
    index.apply(&tape.page(0..1)).unwrap();
    let looked_up = runtime.block_on(waiting).unwrap();
    assert_eq!(looked_up.position, Position(10));
    assert!(looked_up.found.is_some());
}

#[test]
fn the_dump_is_canonical_and_shows_no_secret() {
    let mut tape = Tape::default();
    tape.add(&deployment("zeta", "a"), &enrolled("its secret", false));
    tape.add(&code("zeta", "b"), &Event::from(CodeSeen {}));
    tape.add(&instance("zeta", "z"), &created("CS1"));
    tape.add(&instance("zeta", "z"), &activated("one", 1));
    tape.add(&Stream::Access, &token("open sesame"));
    tape.add(&code("acme", "PL1"), &Event::from(CodeSeen {}));
    tape.add(&Stream::Seller(seller("acme")), &secret(7));
    let text = dumped(&tape.index());
    let lines: Vec<_> = text.lines().collect();
    let starts = [
        r#"{"catalog":{"seller":"acme","secret":"sha256:"#,
        r#"{"catalog":{"seller":"zeta","secret":null,"#,
        r#"{"access":{"grants":[{"id":"open sesame","#,
        r#"{"license":{"seller":"acme","id":{"code":"PL1"},"status":"active","#,
        r#"{"license":{"seller":"zeta","id":{"instance":"z"},"#,
        r#"{"license":{"seller":"zeta","id":{"code":"b"},"#,
        r#"{"license":{"seller":"zeta","id":{"deployment":"a"},"#,
    ];
    assert_eq!(lines.len(), starts.len(), "{text}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(!text.contains(&"07".repeat(32)) && !text.contains("its secret"));
    assert!(lines[4].contains(r#""machines":[{"fingerprint":"one","#), "{text}");
    assert!(lines[6].contains(r#""region_id":"cn-east-3""#), "{text}");
    tape.add(&Stream::Seller(seller("zeta")), &secret(8));
    assert_ne!(dumped(&tape.index()), text, "another secret is a difference");
}
