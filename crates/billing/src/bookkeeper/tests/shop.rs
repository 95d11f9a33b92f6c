//! Hand-made logs of a seller's shop.

use std::collections::BTreeMap;

use chopmark_domain::catalog::{self, ClonePolicy, LicenseForm, ProductDefined, ProductKind, ProductTerms};
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::hours::{self, Day, Hour, HoursClosed, SeenDeployment};
use chopmark_domain::ids::{EcsId, InstanceId, OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::license::{self, InstanceCreated, Refreshed, Released, Scene};
use chopmark_domain::order::{self, ChargingMode, FactsRecorded, OrderFacts, OrderRef, OrderType, Stated};
use chopmark_domain::settlement::bill::event::{self as bill, BillImported, BillProgressed, BillRowsListed};
use chopmark_domain::settlement::bill::mapping::Mapping;
use chopmark_domain::settlement::bill::{BillIdentity, BillRow};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::month::{self, AdjustmentRecorded, LinesClosed, PeriodClosed};
use chopmark_domain::settlement::product::{Category, Site};
use chopmark_domain::settlement::statement::{StatedFacts, Statement, Subject, When};
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_domain::settlement::transactions::{self, StatedRow, TransactionsListed};
use chopmark_domain::stream::{LicenseId, LicenseKey, Stream};
use chopmark_log::{Position, Record, Revision, StreamName};
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

/// The seller of most tests.
pub(super) fn acme() -> SellerId {
    SellerId::parse("acme").unwrap()
}

pub(super) fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn order_line(order: &str) -> OrderRef {
    OrderRef {
        order_id: OrderId::parse(order).unwrap(),
        order_line_id: OrderLineId::parse(&format!("{order}-1")).unwrap(),
    }
}

pub(super) fn subject(order: &str) -> Subject {
    let OrderRef { order_id, order_line_id } = order_line(order);
    Subject::OrderLine { order_id, order_line_id }
}

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

/// A log in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Shop {
    pub(super) records: Vec<Record>,
    revisions: BTreeMap<String, u64>,
    now: DateTime<Utc>,
}

impl Shop {
    /// A shop on the China site with one product, `gold`, at a fee of 5 %.
    pub(super) fn new(opens: &str) -> Self {
        let mut shop = Self { now: at(opens), ..Self::default() };
        let (catalog_version, effective_at) = (1, shop.now);
        let terms = SellerTerms::of(Site::Cn);
        shop.catalog(catalog::SellerTermsDefined { catalog_version, effective_at, terms });
        shop.product("gold", 2, Decimal::new(5, 2));
        shop
    }

    /// Until then nothing happens.
    pub(super) fn wait_until(&mut self, text: &str) {
        self.now = at(text);
    }

    pub(super) fn add(&mut self, stream: &Stream, event: &impl StoredEvent) {
        self.add_raw(&stream.to_string(), event.kind(), event.encode());
    }

    pub(super) fn add_raw(&mut self, stream: &str, kind: &str, data: Vec<u8>) {
        self.now += TimeDelta::seconds(1);
        let revision = self.revisions.entry(stream.into()).or_default();
        let place = self.records.len() as u64 + 1;
        self.records.push(Record {
            id: Uuid::from_u128(place.into()),
            stream: StreamName::new(stream).unwrap(),
            revision: Revision(*revision),
            position: Position(place),
            kind: kind.into(),
            data,
            metadata: vec![],
            recorded_at: self.now,
        });
        *revision += 1;
    }

    fn catalog(&mut self, event: impl Into<catalog::Event>) {
        self.add(&Stream::Seller(acme()), &event.into());
    }

    /// Terms of a product from now on.
    pub(super) fn product(&mut self, name: &str, catalog_version: u32, fee: Decimal) {
        let terms = ProductTerms {
            kind: ProductKind::Saas,
            name: name.into(),
            entitlements: BTreeMap::new(),
            seats: None,
            grace_days: 0,
            lease_seconds: 86_400,
            offline_grace_seconds: 604_800,
            check_interval_seconds: 3_600,
            fee_ratio: Some(fee),
            clones: ClonePolicy::default(),
            license_form: LicenseForm::default(),
            settlement: SettlementTerms { hourly_price: Some(Decimal::new(50, 2)), ..SettlementTerms::default() },
        };
        self.catalog(ProductDefined { catalog_version, sku: sku(name), effective_at: self.now, terms });
    }

    fn license(&mut self, instance: &str, event: impl Into<license::Event>) {
        let id = LicenseId::Instance(InstanceId::parse(instance).unwrap());
        self.add(&Stream::License(LicenseKey { seller: acme(), id }), &event.into());
    }

    /// A callback creates an instance.
    pub(super) fn create(&mut self, instance: &str, order: &str) {
        self.license(instance, InstanceCreated { order: order_line(order) });
    }

    /// A callback renews it.
    pub(super) fn renew(&mut self, instance: &str, order: &str, until: &str) {
        let (scene, order, expires_at) = (Scene::Renewal, order_line(order), at(until));
        self.license(instance, Refreshed { scene, order, expires_at, product_id: None });
    }

    /// A callback releases it.
    pub(super) fn release(&mut self, instance: &str, order: &str) {
        let OrderRef { order_id, order_line_id } = order_line(order);
        self.license(instance, Released { order_id: Some(order_id), order_line_id: Some(order_line_id) });
    }

    /// The open API tells of an order of `gold`.
    pub(super) fn answer(&mut self, order: &str, order_type: OrderType, amount: Decimal) {
        let OrderRef { order_id, order_line_id } = order_line(order);
        let facts = OrderFacts {
            order_line_id,
            order_type,
            charging_mode: ChargingMode::Period,
            sku: Some(sku("gold")),
            product_id: None,
            quantity: Some(1),
            expires_at: None,
            ordered_at: Some(self.now),
            amount: (amount >= Decimal::ZERO).then_some(amount),
            deal_amount: Some(amount),
        };
        self.add(&Stream::Order(acme(), order_id), &order::Event::from(FactsRecorded { lines: vec![facts] }));
    }

    /// A purchase of `gold`: the callback and the answer.
    pub(super) fn sell(&mut self, instance: &str, order: &str, amount: Decimal) {
        self.create(instance, order);
        self.answer(order, OrderType::New, amount);
    }

    /// An operator states facts of an order's line.
    pub(super) fn state(&mut self, order: &str, facts: StatedFacts) {
        let stream = Stream::Order(acme(), order_line(order).order_id);
        let statement = Statement { subject: subject(order), facts };
        self.add(&stream, &order::Event::from(Stated { statement }));
    }

    /// A file of transaction details.
    pub(super) fn import(&mut self, rows: Vec<(&str, StatedFacts)>) {
        let stream = Stream::Transactions(acme(), format!("{:064x}", self.records.len()));
        let rows = (2..)
            .zip(rows)
            .map(|(row, (order, facts))| StatedRow { row, statement: Statement { subject: subject(order), facts } });
        self.add(&stream, &transactions::Event::from(TransactionsListed { rows: rows.collect() }));
    }

    /// Deployments of `gold` were seen in an hour.
    pub(super) fn see(&mut self, hour: &str, deployments: u32) {
        let seen = (0..deployments).map(|n| SeenDeployment {
            product: sku("gold"),
            ecs: EcsId::parse(&format!("ecs-{n}")).unwrap(),
            charging_mode: (n % 2 == 0).then(|| "0".into()),
        });
        let closed = HoursClosed { hour: Hour::of(at(hour)), seen: seen.collect() };
        self.add(&Stream::Hours(acme(), Day::of(at(hour))), &hours::Event::from(closed));
    }

    /// A correction on a month's bill.
    pub(super) fn adjust(&mut self, month: &str, id: &str, amount: Decimal) {
        let adjustment = AdjustmentRecorded {
            id: id.into(),
            corrects: period(month).prev(),
            category: Category::Generic,
            line_id: None,
            amount,
            currency: Currency::CNY,
            note: "as the ticket says".into(),
        };
        self.add(&Stream::Month(acme(), period(month)), &month::Event::from(adjustment));
    }

    /// Closes a month with lines.
    pub(super) fn close(&mut self, month: &str, lines: &[SettlementLine]) {
        let stream = Stream::Month(acme(), period(month));
        let computed_at = self.records.len() as u64;
        let closed =
            PeriodClosed { lines: u32::try_from(lines.len()).unwrap(), totals: vec![], computed_at, at: self.now };
        self.add(&stream, &month::Event::from(closed));
        // More than one event, as a large month has.
        for lines in lines.chunks(2) {
            self.add(&stream, &month::Event::from(LinesClosed { lines: lines.to_vec() }));
        }
    }

    /// A bill is imported, each row with an amount.
    pub(super) fn bill(&mut self, month: &str, revision: u32, amounts: &[i64]) {
        self.bill_in(month, revision, amounts, None);
    }

    /// The same, with how far it is on each row.
    pub(super) fn bill_in(&mut self, month: &str, revision: u32, amounts: &[i64], bill_state: Option<BillState>) {
        let stream = bill_stream(month);
        let mapping = Mapping { name: "console".into(), columns: BTreeMap::new() };
        let rows = u32::try_from(amounts.len()).unwrap();
        let imported = BillImported { revision, file_name: "bill.csv".into(), sha256: "00".into(), mapping, rows };
        self.add(&stream, &bill::Event::from(imported));
        let rows = (2..)
            .zip(amounts)
            .map(|(row, amount)| BillRow::new(row, Money::new(Decimal::new(*amount, 2), Currency::CNY).unwrap()))
            .map(|row| BillRow { bill_state, ..row });
        self.add(&stream, &bill::Event::from(BillRowsListed { revision, rows: rows.collect() }));
    }

    /// A bill goes on.
    pub(super) fn progress(&mut self, month: &str, progress: BillProgressed) {
        self.add(&bill_stream(month), &bill::Event::from(progress));
    }
}

fn bill_stream(month: &str) -> Stream {
    Stream::Bill(BillIdentity { seller: acme(), category: Category::Generic, period: period(month) })
}

/// It took effect, and was paid, then.
pub(super) fn settled_at(text: &str) -> StatedFacts {
    let then = Some(When::At(at(text)));
    StatedFacts { effective: then, paid_in_full: then, ..StatedFacts::default() }
}

/// It gives another order back.
pub(super) fn gives_back(order: &str, text: &str) -> StatedFacts {
    let original_order_line_id = Some(order_line(order).order_line_id);
    StatedFacts { original_order_line_id, ..settled_at(text) }
}
