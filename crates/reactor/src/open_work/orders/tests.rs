use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::{InstanceId, LicenseCode};
use chopmark_domain::license::{CodeSeen, Frozen, InstanceCreated, Refreshed, Released, Scene, Terms, Upgraded};
use chopmark_domain::order::{ChargingMode, FactsDelayed, OrderFacts, OrderType, Stated};
use chopmark_domain::settlement::statement::{StatedFacts, Statement, Subject};
use chopmark_domain::stream::Stream;
use chopmark_log::{Revision, StreamName};
use uuid::Uuid;

use super::*;
use crate::open_work::OpenWork;

fn seller() -> SellerId {
    SellerId::parse("acme").unwrap()
}

fn order_key(order: &str) -> OrderKey {
    OrderKey { seller: seller(), order_id: OrderId::parse(order).unwrap() }
}

fn line(text: &str) -> OrderLineId {
    OrderLineId::parse(text).unwrap()
}

fn named(order: &str, of_line: &str) -> OrderRef {
    OrderRef { order_id: OrderId::parse(order).unwrap(), order_line_id: line(of_line) }
}

fn order_stream(order: &str) -> Stream {
    Stream::Order(seller(), OrderId::parse(order).unwrap())
}

fn facts(of_line: &str) -> OrderFacts {
    OrderFacts {
        order_line_id: line(of_line),
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: None,
        product_id: None,
        quantity: None,
        expires_at: None,
        ordered_at: None,
        amount: None,
        deal_amount: None,
    }
}

fn instance(id: &str) -> LicenseId {
    LicenseId::Instance(InstanceId::parse(id).unwrap())
}

/// A log in the making.
#[derive(Default)]
struct Story {
    work: OpenWork,
    position: u64,
}

impl Story {
    fn record(&mut self, stream: &Stream, kind: &str, data: Vec<u8>) -> Record {
        self.position += 1;
        Record {
            id: Uuid::nil(),
            stream: StreamName::new(&stream.to_string()).unwrap(),
            revision: Revision(0),
            position: Position(self.position),
            kind: kind.into(),
            data,
            metadata: vec![],
            recorded_at: at(self.position),
        }
    }

    fn license(&mut self, id: &LicenseId, event: impl Into<license::Event>) -> &mut Self {
        let event = event.into();
        let stream = Stream::License(LicenseKey { seller: seller(), id: id.clone() });
        let record = self.record(&stream, event.kind(), event.encode());
        self.work.apply(&record).unwrap();
        self
    }

    fn order(&mut self, order: &str, event: impl Into<order::Event>) -> &mut Self {
        let event = event.into();
        let stream = order_stream(order);
        let record = self.record(&stream, event.kind(), event.encode());
        self.work.apply(&record).unwrap();
        self
    }

    fn bought(&mut self, id: &str, order: OrderRef) -> &mut Self {
        self.license(&instance(id), InstanceCreated { order })
    }

    fn applied(&mut self, id: &str, order: &str, of_line: &str) -> &mut Self {
        let order_id = OrderId::parse(order).unwrap();
        self.license(&instance(id), OrderFactsApplied { order_id, facts: facts(of_line), terms: Terms::default() })
    }

    fn recorded(&mut self, order: &str, lines: &[&str]) -> &mut Self {
        self.order(order, FactsRecorded { lines: lines.iter().map(|line| facts(line)).collect() })
    }

    fn given_up(&mut self, order: &str) -> &mut Self {
        self.order(order, FactsAbandoned { reason: "no".into(), attempts: 12 })
    }

    /// What is open, as `order/line: who waits`.
    fn open(&self) -> Vec<String> {
        let mut open = vec![];
        for (key, order) in self.work.orders.iter() {
            for (line, waiting) in &order.lines {
                let notice = waiting.notified.then_some("notice");
                let waiting: Vec<_> =
                    notice.into_iter().chain(waiting.licenses.iter().map(LicenseId::as_str)).collect();
                open.push(format!("{}/{line}: {}", key.order_id, waiting.join(" ")));
            }
        }
        open
    }
}

/// A second for each record.
fn at(position: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + i64::try_from(position).unwrap(), 0).unwrap()
}

#[test]
fn a_license_that_names_an_order_waits_until_its_facts_are_applied() {
    let mut story = Story::default();
    story.bought("i1", named("CS1", "1"));
    assert_eq!(story.open(), ["CS1/1: i1"]);
    story.recorded("CS1", &["1"]);
    assert_eq!(story.open(), ["CS1/1: i1"], "recorded is not yet applied");
    story.applied("i1", "CS1", "2");
    assert_eq!(story.open(), ["CS1/1: i1"], "another line");
    story.applied("i1", "CS1", "1");
    assert!(story.open().is_empty());
    assert_eq!(story.work.orders.counts(&seller()), (0, 0));
}

#[test]
fn every_event_that_names_an_order_opens_and_no_other() {
    let refreshed = Refreshed { scene: Scene::Renewal, order: named("CS2", "1"), expires_at: at(0), product_id: None };
    let code = LicenseId::Code(LicenseCode::parse("PL1").unwrap());
    let mut story = Story::default();
    story
        .license(&code, CodeSeen {})
        .license(&code, refreshed)
        .license(&code, Upgraded { order: named("CS3", "1") })
        .license(&code, Frozen {})
        .license(&code, Released { order_id: Some(OrderId::parse("CS4").unwrap()), order_line_id: Some(line("1")) });
    assert_eq!(story.open(), ["CS2/1: PL1", "CS3/1: PL1"], "also after the release");
}

#[test]
fn licenses_and_lines_of_one_order_are_one_open_order() {
    let mut story = Story::default();
    story.bought("i1", named("CS1", "1")).bought("i2", named("CS1", "1")).bought("i3", named("CS1", "2"));
    assert_eq!(story.open(), ["CS1/1: i1 i2", "CS1/2: i3"]);
    assert_eq!(story.work.orders.counts(&seller()), (1, 0));
    let order = story.work.orders.get(&order_key("CS1")).unwrap();
    assert_eq!((order.since, order.named_at), (at(1), Position(3)));
    story.applied("i1", "CS1", "1").applied("i3", "CS1", "2");
    assert_eq!(story.open(), ["CS1/1: i2"]);
}

#[test]
fn a_notice_wants_facts_that_no_license_needs() {
    let mut story = Story::default();
    story.order("CS1", Notified { order_line_id: line("1") }).order("CS1", Notified { order_line_id: line("2") });
    assert_eq!(story.open(), ["CS1/1: notice", "CS1/2: notice"]);
    story.order("CS1", FactsDelayed { reason: "late".into() });
    story.recorded("CS1", &["2", "3"]);
    assert_eq!(story.open(), ["CS1/1: notice"], "the answer lacked a line");
    story.bought("i1", named("CS1", "1")).recorded("CS1", &["1"]);
    assert_eq!(story.open(), ["CS1/1: i1"]);
}

#[test]
fn what_is_stated_of_a_line_neither_asks_nor_answers() {
    let mut story = Story::default();
    story.bought("i1", named("CS1", "1"));
    let OrderRef { order_id, order_line_id } = named("CS1", "1");
    let subject = Subject::OrderLine { order_id, order_line_id };
    let facts = StatedFacts { withdrawn: Some(true), ..StatedFacts::default() };
    let stated = order::Event::from(Stated { statement: Statement { subject, facts } });
    for order in ["CS1", "CS2"] {
        let record = story.record(&order_stream(order), stated.kind(), stated.encode());
        assert_eq!(story.work.apply(&record).unwrap(), []);
    }
    assert_eq!(story.open(), ["CS1/1: i1"]);
}

#[test]
fn naming_an_order_again_opens_it_again() {
    let mut story = Story::default();
    story.bought("i1", named("CS1", "1")).applied("i1", "CS1", "1");
    story.license(&instance("i1"), Upgraded { order: named("CS1", "1") });
    assert_eq!(story.open(), ["CS1/1: i1"]);
    assert_eq!(story.work.orders.get(&order_key("CS1")).unwrap().since, at(3));
}

#[test]
fn an_abandoned_order_is_set_aside_with_everyone_who_waits() {
    let mut story = Story::default();
    story.bought("i1", named("CS1", "1")).order("CS1", Notified { order_line_id: line("1") }).given_up("CS1");
    assert!(story.open().is_empty());
    assert_eq!(story.work.orders.counts(&seller()), (0, 1));

    story.bought("i2", named("CS1", "1"));
    assert_eq!(story.open(), ["CS1/1: notice i1 i2"], "named again, it is open again");
    assert_eq!(story.work.orders.get(&order_key("CS1")).unwrap().since, at(4));

    story.given_up("CS1").recorded("CS1", &["1"]);
    assert_eq!(story.open(), ["CS1/1: i1 i2"], "its facts came after all");

    story.given_up("CS1").applied("i1", "CS1", "1").applied("i2", "CS1", "1");
    assert_eq!(story.work.orders.counts(&seller()), (0, 0), "nobody waits any more");
    story.given_up("CS9");
    assert_eq!(story.work.orders.counts(&seller()), (0, 0), "nobody waited");
}

#[test]
fn sellers_are_walls() {
    let mut story = Story::default();
    story.bought("i1", named("CS1", "1"));
    let other = Stream::Order(SellerId::parse("other").unwrap(), OrderId::parse("CS1").unwrap());
    let abandoned = order::Event::from(FactsAbandoned { reason: "no".into(), attempts: 1 });
    let record = story.record(&other, abandoned.kind(), abandoned.encode());
    story.work.apply(&record).unwrap();
    assert_eq!(story.open(), ["CS1/1: i1"]);
}

#[test]
fn other_streams_are_passed_over_and_what_cannot_be_read_is_said() {
    let mut story = Story::default();
    let record = story.record(&Stream::Access, "token_created.v1", b"{}".to_vec());
    assert_eq!(story.work.apply(&record).unwrap(), []);
    for settlement in [
        "bill-acme/generic/202610",
        "month-acme/202610",
        "transactions-acme/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ] {
        let of_money = Record { stream: StreamName::new(settlement).unwrap(), ..record.clone() };
        assert_eq!(story.work.apply(&of_money).unwrap(), [], "{settlement}");
    }
    let foreign = Record { stream: StreamName::new("$stats-127.0.0.1").unwrap(), ..record };
    assert_eq!(story.work.apply(&foreign).unwrap(), []);
    let newer = story.record(&order_stream("CS1"), "order_notified.v9", vec![]);
    assert!(story.work.apply(&newer).is_err());
}
