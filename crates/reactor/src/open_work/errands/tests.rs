use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::{InstanceId, LicenseCode};
use chopmark_domain::license::{CodeSeen, Frozen, LicenseIssued, Released};
use chopmark_domain::stream::Stream;
use chopmark_log::{Revision, StreamName};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::open_work::{Job, OpenWork};

const ERRANDS: [&str; 3] = ["activate", "E1", "E2"];

fn code(text: &str) -> LicenseKey {
    LicenseKey { seller: seller(), id: LicenseId::Code(LicenseCode::parse(text).unwrap()) }
}

fn instance(id: &str) -> LicenseKey {
    LicenseKey { seller: seller(), id: LicenseId::Instance(InstanceId::parse(id).unwrap()) }
}

fn seller() -> SellerId {
    SellerId::parse("acme").unwrap()
}

fn application(event_id: &str) -> Application {
    Application { event_id: EventId::parse(event_id).unwrap(), fingerprint: Some("M1|D1".into()) }
}

fn errand(name: &str) -> Errand {
    if name == "activate" { Errand::Activate } else { Errand::Upload(application(name)) }
}

fn confirmed(state: CodeState) -> Event {
    CodeAnswer { state, expires_at: None, product_id: None, quantity: None, order: None }.into()
}

fn requested(event_id: &str) -> Event {
    LicenseRequested { application: application(event_id), effective_at: DateTime::UNIX_EPOCH, expires_at: None }.into()
}

fn delayed(name: &str) -> Event {
    ErrandDelayed { errand: errand(name), reason: "late".into() }.into()
}

fn given_up(name: &str) -> Event {
    ErrandAbandoned { errand: errand(name), reason: "no".into(), attempts: 12 }.into()
}

fn at(position: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + i64::try_from(position).unwrap(), 0).unwrap()
}

fn record(position: u64, license: &LicenseKey, event: &Event) -> Record {
    Record {
        id: Uuid::nil(),
        stream: StreamName::new(&Stream::License(license.clone()).to_string()).unwrap(),
        revision: Revision(0),
        position: Position(position),
        kind: event.kind().into(),
        data: event.encode(),
        metadata: vec![],
        recorded_at: at(position),
    }
}

/// A log in the making.
#[derive(Default)]
struct Story {
    work: OpenWork,
    position: u64,
}

impl Story {
    /// Something happens. Tells which errands it touched.
    fn tell(&mut self, license: &LicenseKey, event: impl Into<Event>) -> Vec<String> {
        self.position += 1;
        let touched = self.work.apply(&record(self.position, license, &event.into())).unwrap();
        let mut touched: Vec<String> = touched.iter().map(Job::to_string).collect();
        touched.sort();
        touched.dedup();
        touched
    }

    fn open(&self) -> Vec<String> {
        self.work.errands.iter().map(|(key, _)| Job::from(key).to_string()).collect()
    }

    fn get(&self, license: &LicenseKey, name: &str) -> Option<&OpenErrand> {
        self.work.errands.get(&ErrandKey { license: license.clone(), errand: errand(name) })
    }
}

#[test]
fn a_code_that_is_inactive_is_to_be_activated_until_the_marketplace_tells_otherwise() {
    for state in [CodeState::Alive, CodeState::Expired, CodeState::Released] {
        let mut story = Story::default();
        story.tell(&code("PL1"), CodeSeen {});
        assert!(story.open().is_empty(), "a code that is merely seen is nobody's errand");
        story.tell(&code("PL1"), confirmed(CodeState::Inactive));
        assert_eq!(story.open(), ["the activation of PL1"]);
        story.tell(&code("PL2"), confirmed(state));
        assert_eq!(story.open(), ["the activation of PL1"], "another code");
        story.tell(&code("PL1"), confirmed(state));
        assert!(story.open().is_empty());
    }
}

#[test]
fn a_license_applied_for_is_to_be_uploaded_each_application_by_itself() {
    let mut story = Story::default();
    story.tell(&instance("i1"), requested("E1"));
    story.tell(&instance("i1"), requested("E2"));
    story.tell(&instance("i1"), LicenseIssued { application: application("E1"), document: "d".into() });
    assert_eq!(story.open(), ["the license for application E1 of i1", "the license for application E2 of i1"]);
    story.tell(&instance("i1"), LicenseUploaded { application: application("E1") });
    assert_eq!(story.open(), ["the license for application E2 of i1"]);
}

#[test]
fn a_release_ends_all_errands_also_those_given_up() {
    let mut story = Story::default();
    story.tell(&instance("i1"), requested("E1"));
    story.tell(&instance("i1"), requested("E2"));
    story.tell(&instance("i1"), given_up("E1"));
    story.tell(&instance("i2"), requested("E1"));
    assert_eq!(story.work.errands.counts(&seller()), (2, 1));
    let touched = story.tell(&instance("i1"), Released { order_id: None, order_line_id: None });
    assert_eq!(touched, ["the license for application E1 of i1", "the license for application E2 of i1"]);
    assert_eq!(story.open(), ["the license for application E1 of i2"]);
    assert_eq!(story.work.errands.counts(&seller()), (1, 0));
}

#[test]
fn every_event_of_a_license_touches_its_errands_and_no_other() {
    let mut story = Story::default();
    story.tell(&instance("i1"), requested("E1"));
    story.tell(&instance("i2"), requested("E1"));
    assert_eq!(story.tell(&instance("i1"), Frozen {}), ["the license for application E1 of i1"]);
    let [first, second] = ["i1", "i2"].map(|id| story.get(&instance(id), "E1").unwrap().clone());
    assert_eq!((first.since, first.touched_at), (at(1), Position(3)));
    assert_eq!((second.since, second.touched_at), (at(2), Position(2)));
}

#[test]
fn an_errand_given_up_comes_back_when_it_is_called_for_again() {
    let mut story = Story::default();
    story.tell(&code("PL1"), confirmed(CodeState::Inactive));
    story.tell(&code("PL1"), delayed("activate"));
    assert!(story.get(&code("PL1"), "activate").unwrap().is_late);
    story.tell(&code("PL1"), given_up("activate"));
    assert_eq!(story.work.errands.counts(&seller()), (0, 1));
    story.tell(&code("PL1"), confirmed(CodeState::Inactive));
    let open = story.get(&code("PL1"), "activate").unwrap();
    assert_eq!((open.since, open.is_late), (at(4), true), "as from now, and not as what never failed");
    assert_eq!(story.work.errands.counts(&seller()), (1, 0));
}

#[test]
fn sellers_are_walls() {
    let mut story = Story::default();
    story.tell(&code("PL1"), confirmed(CodeState::Inactive));
    let other = LicenseKey { seller: SellerId::parse("other").unwrap(), ..code("PL1") };
    story.tell(&other, confirmed(CodeState::Alive));
    assert_eq!(story.open(), ["the activation of PL1"]);
}

/// What the naive model says of one errand.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Naive {
    None,
    Open,
    GivenUp,
}

/// Looks all of a license's events through, the last one first.
fn naive(name: &str, events: &[Event]) -> Naive {
    let Some((last, before)) = events.split_last() else { return Naive::None };
    let is_this = |errand: &Errand| *errand == self::errand(name);
    let is_for = |found: &Application| is_this(&Errand::Upload(found.clone()));
    match last {
        Event::Released(_) => Naive::None,
        Event::CodeConfirmed(answer) if name == "activate" => {
            if answer.state == CodeState::Inactive {
                Naive::Open
            } else {
                Naive::None
            }
        }
        Event::LicenseRequested(requested) if is_for(&requested.application) => Naive::Open,
        Event::LicenseUploaded(uploaded) if is_for(&uploaded.application) => Naive::None,
        Event::ErrandAbandoned(abandoned) if is_this(&abandoned.errand) => match naive(name, before) {
            Naive::None => Naive::None,
            Naive::Open | Naive::GivenUp => Naive::GivenUp,
        },
        _ => naive(name, before),
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let name = || prop::sample::select(&ERRANDS[..]);
    let event_id = || prop::sample::select(&ERRANDS[1..]);
    let state =
        prop::sample::select(&[CodeState::Inactive, CodeState::Inactive, CodeState::Alive, CodeState::Expired][..]);
    prop_oneof![
        3 => state.prop_map(confirmed),
        3 => event_id().prop_map(requested),
        2 => event_id().prop_map(|id| LicenseUploaded { application: application(id) }.into()),
        2 => event_id().prop_map(|id| LicenseIssued { application: application(id), document: "d".into() }.into()),
        2 => name().prop_map(delayed),
        3 => name().prop_map(given_up),
        1 => Just(Event::from(Released { order_id: None, order_line_id: None })),
        1 => Just(Event::from(Frozen {})),
    ]
}

proptest! {
    #[test]
    fn the_fold_agrees_with_looking_everything_through(
        story in prop::collection::vec((prop::sample::select(&["i1", "i2"][..]), any_event()), 0..40),
        cut in 0_usize..40,
    ) {
        let mut work = OpenWork::default();
        for (position, (id, event)) in (1..).zip(&story) {
            // A snapshot in the middle changes nothing.
            if usize::try_from(position).unwrap() == cut {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("work.snapshot");
                chopmark_log::snapshot::save(&path, "test", 1, Position(position), &work).unwrap();
                work = chopmark_log::snapshot::load(&path, "test", 1).unwrap().unwrap().1;
            }
            let touched = work.apply(&record(position, &instance(id), event)).unwrap();
            prop_assert!(touched.iter().all(|job| matches!(job, Job::Errand(key) if key.license == instance(id))));
        }
        let (mut open, mut given_up) = (0, 0);
        for id in ["i1", "i2"] {
            let events: Vec<Event> =
                story.iter().filter(|(of, _)| *of == id).map(|(_, event)| event.clone()).collect();
            for name in ERRANDS {
                let key = ErrandKey { license: instance(id), errand: errand(name) };
                let is_given_up = work.errands.abandoned().any(|(found, _)| found == key);
                let found = match work.errands.get(&key) {
                    Some(_) => Naive::Open,
                    None if is_given_up => Naive::GivenUp,
                    None => Naive::None,
                };
                let expected = naive(name, &events);
                prop_assert_eq!(found, expected, "{} of {}", name, id);
                open += usize::from(expected == Naive::Open);
                given_up += usize::from(expected == Naive::GivenUp);
            }
        }
        prop_assert_eq!(work.errands.counts(&seller()), (open, given_up));
        prop_assert_eq!(work.orders.iter().count(), 0);
    }
}
