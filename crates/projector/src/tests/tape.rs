//! Hand-made logs.

use std::collections::BTreeMap;

use chopmark_domain::access::{self, Grant, Role, TokenHash};
use chopmark_domain::catalog::{self, ProductDefined, ProductKind, ProductTerms, SecretCreated};
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::{InstanceId, LicenseCode, OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::license::{self, Frozen, InstanceCreated, OrderFactsApplied, Refreshed, Scene, Terms, Unfrozen};
use chopmark_domain::order::{ChargingMode, OrderFacts, OrderRef, OrderType};
use chopmark_domain::purchase::SellerSecret;
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
}

impl Tape {
    pub(super) fn add(&mut self, stream: &Stream, event: &impl StoredEvent) {
        self.add_raw(&stream.to_string(), event.kind(), &event.encode());
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
        index.apply(&self.page(0..self.records.len())).unwrap();
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

pub(super) fn instance(of: &str, id: &str) -> Stream {
    Stream::instance(&seller(of), &InstanceId::parse(id).unwrap())
}

pub(super) fn code(of: &str, code: &str) -> Stream {
    let id = LicenseId::Code(LicenseCode::parse(code).unwrap());
    Stream::License(LicenseKey { seller: seller(of), id })
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

pub(super) fn facts(product: &str) -> license::Event {
    let facts = OrderFacts {
        order_line_id: order("CS1").order_line_id,
        order_type: OrderType::New,
        charging_mode: ChargingMode::Period,
        sku: Some(sku(product)),
        product_id: None,
        quantity: Some(20),
        expires_at: Some(at(1000)),
        ordered_at: None,
    };
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
    let terms = ProductTerms {
        kind: ProductKind::Saas,
        name: format!("{product} by version {catalog_version}"),
        entitlements: BTreeMap::from([("reports".into(), catalog::Entitlement::Flag(true))]),
        seats: None,
        grace_days: 15,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 3_600,
        fee_ratio: None,
    };
    ProductDefined { catalog_version, sku: sku(product), effective_at: at(effective_second), terms }.into()
}

pub(super) fn token(name: &str) -> access::Event {
    let grant =
        Grant { id: name.into(), hash: TokenHash::of(name), role: Role::Support, sellers: vec![seller("acme")] };
    access::Event::TokenCreated(grant)
}
