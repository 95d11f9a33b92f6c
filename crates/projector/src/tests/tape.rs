//! Hand-made logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use chopmark_domain::access::{self, Grant, Role, TokenHash};
use chopmark_domain::catalog::{
    self, ClonePolicy, LicenseForm, ProductDefined, ProductKind, ProductTerms, Seats, SecretCreated,
};
use chopmark_domain::cause::Cause;
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::{
    EcsId, EventId, Fingerprint, InstanceId, LicenseCode, OrderId, OrderLineId, ProjectId, RegionId, SellerId, Sku,
};
use chopmark_domain::license::{
    self, Application, CodeAnswer, CodeState, Command, EcsFacts, Enrolment, EnrolmentHash, FreedBy, Frozen,
    InstanceCreated, LicenseRequested, OrderFactsApplied, Refreshed, Refusal, Request, Scene, SeatRequest, Standing,
    Terms, Unfrozen, decide,
};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::purchase::SellerSecret;
use chopmark_domain::settlement::terms::SettlementTerms;
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use chopmark_log::{Page, Position, Record, Revision, StreamName};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{LicenseIndex, dump};

/// A log in memory: appends, and gives pages.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) records: Vec<Record>,
    revisions: BTreeMap<String, u64>,
    standings: BTreeMap<LicenseKey, Standing>,
    access: access::Access,
}

impl Tape {
    pub(super) fn add(&mut self, stream: &Stream, event: &impl StoredEvent) {
        self.add_raw(&stream.to_string(), event.kind(), &event.encode());
    }

    /// Appends what a command adds to a license by the rules of the domain, which see nothing of what was added otherwise.
    pub(super) fn ask(&mut self, key: &LicenseKey, command: Command, now: DateTime<Utc>) -> Result<(), Refusal> {
        let standing = self.standings.entry(key.clone()).or_default();
        let events = decide(&key.id, standing, command, Request { now, signature: None })?;
        events.iter().for_each(|event| standing.evolve(event, &Cause::System, now));
        events.iter().for_each(|event| self.add(&Stream::License(key.clone()), event));
        Ok(())
    }

    /// The license that commands made, as the domain has it.
    pub(super) fn license(&self, key: &LicenseKey) -> Option<&license::License> {
        self.standings.get(key)?.license()
    }

    /// Makes a token, if there is none of its name.
    pub(super) fn create_token(&mut self, grant: Grant) {
        self.add_access(self.access.create(grant).unwrap_or_default());
    }

    /// Takes a token back, if there is one.
    pub(super) fn revoke_token(&mut self, name: &str) {
        self.add_access(self.access.revoke(name).unwrap_or_default());
    }

    fn add_access(&mut self, events: Vec<access::Event>) {
        for event in events {
            self.access.evolve(&event);
            self.add(&Stream::Access, &event);
        }
    }

    pub(super) fn all(&self) -> Page {
        self.page(0..self.records.len())
    }

    pub(super) fn add_raw(&mut self, stream: &str, kind: &str, data: &[u8]) {
        let next = self.revisions.entry(stream.into()).or_default();
        let number = self.records.len() as u64 + 1;
        self.records.push(Record {
            id: Uuid::from_u128(number.into()),
            stream: StreamName::new(stream).unwrap(),
            revision: Revision(*next),
            // Positions of some engines have gaps.
            position: Position(number * 10),
            kind: kind.into(),
            data: data.to_vec(),
            metadata: b"{}".to_vec(),
            recorded_at: at(number.try_into().unwrap()),
        });
        *next += 1;
    }

    pub(super) fn page(&self, range: std::ops::Range<usize>) -> Page {
        let records = self.records[range].to_vec();
        let reached = records.last().map_or(Position::START, |record| record.position);
        Page { at_head: reached == self.reached(), records, reached }
    }

    pub(super) fn reached(&self) -> Position {
        self.records.last().map_or(Position::START, |record| record.position)
    }

    pub(super) fn index(&self) -> LicenseIndex {
        let index = LicenseIndex::new();
        index.apply(&self.all()).unwrap();
        index
    }
}

pub(super) fn dumped(index: &LicenseIndex) -> String {
    let mut text = vec![];
    dump(index, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

pub(super) fn seller(name: &str) -> SellerId {
    SellerId::parse(name).unwrap()
}

pub(super) fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

pub(super) fn instance_key(of: &str, id: &str) -> LicenseKey {
    LicenseKey { seller: seller(of), id: LicenseId::Instance(InstanceId::parse(id).unwrap()) }
}

pub(super) fn code_key(of: &str, code: &str) -> LicenseKey {
    LicenseKey { seller: seller(of), id: LicenseId::Code(LicenseCode::parse(code).unwrap()) }
}

pub(super) fn deployment_key(of: &str, ecs: &str) -> LicenseKey {
    LicenseKey { seller: seller(of), id: LicenseId::Deployment(EcsId::parse(ecs).unwrap()) }
}

pub(super) fn instance(of: &str, id: &str) -> Stream {
    Stream::License(instance_key(of, id))
}

pub(super) fn code(of: &str, code: &str) -> Stream {
    Stream::License(code_key(of, code))
}

pub(super) fn deployment(of: &str, ecs: &str) -> Stream {
    Stream::License(deployment_key(of, ecs))
}

pub(super) fn order(name: &str) -> OrderRef {
    OrderRef {
        order_id: OrderId::parse(name).unwrap(),
        order_line_id: OrderLineId::parse(&format!("{name}-000001")).unwrap(),
    }
}

pub(super) fn created(name: &str) -> license::Event {
    InstanceCreated { order: order(name) }.into()
}

pub(super) fn terms(product: Option<&str>, expires_at: Option<DateTime<Utc>>) -> Terms {
    Terms {
        sku: product.map(sku),
        product_id: None,
        quantity: Some(20),
        expires_at,
        expiry_approximate: expires_at.is_some(),
    }
}

pub(super) fn order_facts(product: &str) -> OrderFacts {
    OrderFacts {
        order_line_id: order("CS1").order_line_id,
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: Some(sku(product)),
        product_id: None,
        quantity: Some(20),
        expires_at: Some(at(1000)),
        ordered_at: None,
        amount: None,
        deal_amount: None,
    }
}

pub(super) fn facts(product: &str) -> license::Event {
    let facts = order_facts(product);
    OrderFactsApplied { order_id: order("CS1").order_id, facts, terms: terms(Some(product), Some(at(1000))) }.into()
}

pub(super) fn refreshed(expires_at: DateTime<Utc>) -> license::Event {
    Refreshed { scene: Scene::Renewal, order: order("CS2"), expires_at, product_id: None }.into()
}

pub(super) fn frozen() -> license::Event {
    Frozen {}.into()
}

pub(super) fn unfrozen(second: i64) -> license::Event {
    Unfrozen { at: at(second) }.into()
}

pub(super) fn secret(byte: u8) -> catalog::Event {
    SecretCreated { secret: SellerSecret::new([byte; 32]) }.into()
}

pub(super) fn defined(catalog_version: u32, product: &str, effective_second: i64) -> catalog::Event {
    defined_as(ProductKind::Saas, catalog_version, product, effective_second)
}

pub(super) fn defined_as(
    kind: ProductKind,
    catalog_version: u32,
    product: &str,
    effective_second: i64,
) -> catalog::Event {
    let terms = product_terms(kind, &format!("{product} by version {catalog_version}"));
    ProductDefined { catalog_version, sku: sku(product), effective_at: at(effective_second), terms }.into()
}

fn product_terms(kind: ProductKind, name: &str) -> ProductTerms {
    ProductTerms {
        kind,
        name: name.into(),
        entitlements: BTreeMap::from([("reports".into(), catalog::Entitlement::Flag(true))]),
        seats: Some(Seats::Fixed(2)),
        grace_days: 15,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 3_600,
        fee_ratio: None,
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement: SettlementTerms::default(),
    }
}

/// A machine asks for one of two seats.
pub(super) fn activate(machine: &str) -> Command {
    Command::ActivateMachine(SeatRequest {
        fingerprint: Fingerprint::parse(machine).unwrap(),
        name: Some(format!("{machine}'s name")),
        terms: Some(Arc::new(product_terms(ProductKind::Saas, "two seats"))),
        a_day: 100,
    })
}

pub(super) fn free(machine: &str, taken_until: DateTime<Utc>) -> Command {
    Command::FreeMachine { fingerprint: Fingerprint::parse(machine).unwrap(), by: FreedBy::Customer, taken_until }
}

/// An ECS that runs a product and has, or has not, a secret asks for another.
pub(super) fn enrol(product: &str, presented: Option<&str>, secret: &str) -> Command {
    Command::Enrol(Box::new(Enrolment {
        product: sku(product),
        facts: EcsFacts {
            project_id: ProjectId::parse("0605767a").unwrap(),
            region_id: RegionId::parse("cn-east-3").unwrap(),
            image_id: None,
            charging_mode: Some("1".into()),
        },
        presented: presented.map(EnrolmentHash::of),
        secret: EnrolmentHash::of(secret),
        policy: ClonePolicy::Report,
        at_most: 50,
    }))
}

pub(super) fn answered(state: CodeState) -> Command {
    let (expires_at, quantity) = (Some(at(5000)), Some(7));
    Command::ConfirmCode(CodeAnswer { state, expires_at, product_id: None, quantity, order: Some(order("CS1")) })
}

pub(super) fn application(serial: &str) -> Application {
    Application { event_id: EventId::parse(serial).unwrap(), fingerprint: Some("device".into()) }
}

pub(super) fn requested(serial: &str) -> Command {
    let application = application(serial);
    Command::RequestLicense(LicenseRequested { application, effective_at: at(0), expires_at: None })
}

pub(super) fn issued(serial: &str) -> Command {
    Command::IssueLicense { application: application(serial), document: "signed".into() }
}

/// A token that reads as its name, for whose end it may be asked.
pub(super) fn grant(name: &str, expires_at: Option<DateTime<Utc>>) -> Grant {
    let (hash, sellers) = (TokenHash::of(name), vec![seller("acme")]);
    Grant { id: name.into(), hash, role: Role::Support, sellers, expires_at }
}

pub(super) fn token(name: &str) -> access::Event {
    access::Event::TokenCreated(grant(name, None))
}
