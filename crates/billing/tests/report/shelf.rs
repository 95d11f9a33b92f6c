//! A store in memory, and rows to lay into it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chopmark_billing::report::{Asking, Billing};
use chopmark_billing::rows::{AdjustmentRow, AgeRow, BillHead, BilledRow, ClosedRow, LineRow, PeriodRow, tab_of};
use chopmark_billing::store::{
    BillingStore, Changes, Checkpoint, DocumentKey, LineQuery, PeriodFilter, Read, StoreError,
};
use chopmark_domain::catalog::{Catalog, ClonePolicy, LicenseForm, ProductKind, ProductTerms};
use chopmark_domain::ids::{OrderId, OrderLineId, SellerId, Sku};
use chopmark_domain::settlement::bill::event::{BillImported, BillProgressed};
use chopmark_domain::settlement::bill::mapping::Mapping;
use chopmark_domain::settlement::bill::{BillIdentity, BillRow};
use chopmark_domain::settlement::books::{Drawn, Source};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::marked::{Happening, Marked};
use chopmark_domain::settlement::money::{Currency, Money, Ratio};
use chopmark_domain::settlement::month::PeriodClosed;
use chopmark_domain::settlement::product::{Category, LineType, Site};
use chopmark_domain::settlement::readiness::{Conditions, OnBill, Supervision};
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};
use chopmark_log::Position;
use chopmark_log::progress::progress;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

pub(crate) fn seller() -> SellerId {
    SellerId::parse("acme").unwrap()
}

pub(crate) fn month(text: &str) -> Period {
    Period::parse(text).unwrap()
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Terms of the China site, changed.
pub(crate) fn terms(change: impl FnOnce(&mut SellerTerms)) -> SellerTerms {
    let mut terms = SellerTerms::of(Site::Cn);
    change(&mut terms);
    terms
}

pub(crate) fn product(settlement: SettlementTerms) -> ProductTerms {
    ProductTerms {
        kind: ProductKind::Saas,
        name: "Example".into(),
        entitlements: BTreeMap::new(),
        seats: None,
        grace_days: 15,
        lease_seconds: 86_400,
        offline_grace_seconds: 604_800,
        check_interval_seconds: 3_600,
        fee_ratio: Some(number("0.05")),
        clones: ClonePolicy::Report,
        license_form: LicenseForm::Text,
        settlement,
    }
}

/// A line of an order `{id}` that took effect and was paid at a moment, and brings so much of its sales amount.
pub(crate) fn sale(order: &str, effective: &str, sales: &str, net: &str) -> LineRow {
    let effective = Marked::stated(at(effective));
    let period = Period::of(effective.value);
    let line_id = format!("{order}-000001");
    let mut line = blank(&line_id);
    line.period = Some(period);
    line.order_id = Some(OrderId::parse(order).unwrap());
    line.order_line_id = Some(OrderLineId::parse(&line_id).unwrap());
    line.effective_at = Some(effective);
    line.paid_at = Some(effective);
    line.settle_ready_at = Some(effective);
    line.sales_amount = Some(Marked::stated(number(sales)));
    line.fee_ratio = Some(Ratio::percent(5));
    line.settle_amount = Some(Marked::stated(number(net)));
    let conditions = Conditions {
        effective: Happening::At(effective),
        paid_in_full: Happening::At(effective),
        supervision: Supervision::NotApplicable,
        seller_certified: Some(true),
        five_day_refund: false,
    };
    row(line, conditions, effective.value)
}

/// The refund of an order's line.
pub(crate) fn refund(order: &str, original: &str, effective: &str, net: &str) -> LineRow {
    let mut row = sale(order, effective, net, net);
    row.drawn.line.line_type = LineType::Refund;
    row.drawn.line.original_order_line_id = Some(OrderLineId::parse(&format!("{original}-000001")).unwrap());
    row.drawn.columns = row.drawn.line.columns();
    row
}

fn blank(line_id: &str) -> SettlementLine {
    SettlementLine {
        line_id: line_id.into(),
        period: None,
        bill_id: None,
        product_category: Some(Category::Generic),
        order_id: None,
        order_line_id: None,
        original_order_line_id: None,
        line_type: LineType::New,
        sku_code: Some(Sku::parse("plan").unwrap()),
        product_id: None,
        charging_mode: None,
        customer_id: None,
        effective_at: None,
        paid_at: None,
        supervision_done_at: None,
        settle_ready_at: None,
        currency: Currency::CNY,
        sales_amount: None,
        voucher_amount: None,
        fee_ratio: None,
        tier_ratio: None,
        customer_wht: None,
        seller_tax: None,
        settle_amount: None,
        blocked_reason: None,
        bill_state: None,
        payment_request_no: None,
        invoice_no: None,
    }
}

fn row(line: SettlementLine, conditions: Conditions, open_since: DateTime<Utc>) -> LineRow {
    let source = source(&format!("order-acme/{}", line.line_id));
    let drawn = Drawn {
        columns: line.columns(),
        line,
        conditions,
        on_bill: OnBill::Unknown,
        explanation: None,
        missing: vec![],
        counted: None,
        tier_of: None,
        open_since,
        sources: vec![source],
        with_refund: false,
        refund_rule: None,
    };
    LineRow { seller: seller(), case: "case".into(), drawn, closed_in: None, recomputed: None }
}

pub(crate) fn source(stream: &str) -> Source {
    Source {
        position: 7,
        event_id: "event".into(),
        kind: "order_facts_recorded.v1".into(),
        stream: stream.into(),
        row: None,
    }
}

/// A row of a bill that names an order's line.
pub(crate) fn billed(number_in_file: u32, order: &str, settled: &str) -> BillRow {
    let mut row = BillRow::new(number_in_file, Money::new(number(settled), Currency::CNY).unwrap());
    row.order_id = Some(OrderId::parse(order).unwrap());
    row.order_line_id = Some(OrderLineId::parse(&format!("{order}-000001")).unwrap());
    row
}

/// Everything that a store holds.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) lines: Vec<LineRow>,
    pub(crate) closed: Vec<ClosedRow>,
    pub(crate) adjustments: Vec<AdjustmentRow>,
    pub(crate) bills: Vec<BillHead>,
    pub(crate) bill_rows: Vec<BilledRow>,
    pub(crate) documents: BTreeMap<DocumentKey, String>,
    pub(crate) catalog: Catalog,
    /// It keeps no sums, and says of every line that it may wait.
    pub(crate) is_line_by_line: bool,
    /// How many lines were handed out.
    pub(crate) lines_read: Arc<AtomicUsize>,
}

impl Shelf {
    pub(crate) fn new(lines: Vec<LineRow>) -> Self {
        Self { lines, ..Self::default() }.under(&terms(|_| {}), &[])
    }

    /// The same under terms of the seller and of products, since 2020.
    pub(crate) fn under(mut self, seller: &SellerTerms, products: &[(Sku, ProductTerms)]) -> Self {
        self.catalog = Catalog::default();
        for event in self.catalog.apply(seller, products, at("2020-01-01T00:00:00Z")) {
            self.catalog.evolve(&event);
        }
        self
    }

    /// The same with an imported bill of generic goods.
    pub(crate) fn with_bill(mut self, period: &str, rows: Vec<BillRow>) -> Self {
        let identity = BillIdentity { seller: seller(), category: Category::Generic, period: month(period) };
        let total = rows.iter().map(|row| row.settle_amount).sum();
        let mapping = Mapping { name: "codes".into(), columns: BTreeMap::new() };
        let rows_listed = u32::try_from(rows.len()).unwrap();
        let file_name = "bill.xlsx".into();
        self.bills.push(BillHead {
            identity: identity.clone(),
            imported: BillImported { revision: 1, file_name, sha256: "0".repeat(64), mapping, rows: rows_listed },
            imported_at: at("2024-06-05T00:00:00Z"),
            progress: BillProgressed::default(),
            judgements: vec![],
            totals: vec![(Currency::CNY, total)],
            source: source("bill"),
        });
        self.bill_rows.extend(rows.into_iter().map(|row| BilledRow {
            identity: identity.clone(),
            row,
            source: source("bill"),
        }));
        self
    }

    /// The same with a month that was closed.
    pub(crate) fn with_closed(mut self, period: &str, now: &str) -> Self {
        let closed = PeriodClosed { lines: 0, totals: vec![], computed_at: 1, at: at(now) };
        self.closed.push(ClosedRow { seller: seller(), period: month(period), closed, source: source("month") });
        self
    }

    /// Asks it.
    pub(crate) async fn ask<T>(self, now: &str, question: impl AsyncFnOnce(&Billing, &Asking<'_>) -> T) -> T {
        let catalog = self.catalog.clone();
        let mut lines = self.lines;
        lines.sort_by(|one, other| one.line().line_id.cmp(&other.line().line_id));
        let billing = Billing::new(Arc::new(Shelf { lines, ..self }), progress().1);
        let seller = seller();
        question(&billing, &Asking { seller: &seller, catalog: &catalog, now: at(now) }).await
    }

    fn may_wait(&self, row: &LineRow) -> bool {
        self.is_line_by_line || row.may_wait()
    }

    /// What the lines come to by age, from a period on.
    pub(crate) fn ages_from(&self, from: Option<Period>) -> Vec<AgeRow> {
        let mut rows: BTreeMap<_, AgeRow> = BTreeMap::new();
        let lines = self.lines.iter().filter(|row| !self.may_wait(row));
        for age in lines.filter_map(AgeRow::of).filter(|age| from.is_none_or(|from| age.period >= from)) {
            let place = (age.period, age.category, age.currency, age.open_since);
            rows.entry(place).and_modify(|row| row.add(&age)).or_insert(age);
        }
        rows.into_values().collect()
    }

    fn sums(&self) -> Vec<PeriodRow> {
        let mut rows: BTreeMap<_, PeriodRow> = BTreeMap::new();
        for found in &self.lines {
            let line = found.line();
            let category = tab_of(line);
            let row = rows.entry((line.period, category, line.currency)).or_insert_with(|| PeriodRow {
                seller: seller(),
                period: line.period,
                category,
                currency: line.currency,
                lines: 0,
                not_computed: 0,
                estimated: 0,
                sums: Columns::default(),
            });
            row.lines += 1;
            row.estimated += u64::from(line.is_estimate());
            match line.columns() {
                None => row.not_computed += 1,
                Some(columns) => {
                    row.sums.sales += columns.sales;
                    row.sums.voucher += columns.voucher;
                    row.sums.fee += columns.fee;
                    row.sums.tier_bonus += columns.tier_bonus;
                    row.sums.tax += columns.tax;
                    row.sums.refund += columns.refund;
                    row.sums.adjustment += columns.adjustment;
                    row.sums.net += columns.net;
                }
            }
        }
        rows.into_values().collect()
    }
}

const POSITION: Position = Position(42);

fn read<T>(value: T) -> Result<Read<T>, StoreError> {
    Ok(Read { position: POSITION, value })
}

fn is_asked(query: &LineQuery, row: &LineRow) -> bool {
    let line = row.line();
    let in_period = match query.period {
        PeriodFilter::Any => true,
        PeriodFilter::In(period) => line.period == Some(period),
        PeriodFilter::None => line.period.is_none(),
    };
    in_period
        && row.seller == query.seller
        && query.category.is_none_or(|category| tab_of(line) == category)
        && query.line_type.is_none_or(|line_type| line.line_type == line_type)
        && (!query.recomputed || row.recomputed.is_some())
        && query.after.as_ref().is_none_or(|after| line.line_id > *after)
}

#[async_trait]
impl BillingStore for Shelf {
    async fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(Checkpoint { position: POSITION, ..Checkpoint::default() })
    }

    async fn documents(&self, _: &[DocumentKey]) -> Result<BTreeMap<DocumentKey, String>, StoreError> {
        Ok(self.documents.clone())
    }

    async fn documents_after(
        &self,
        seller: &SellerId,
        kind: &'static str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(DocumentKey, String)>, StoreError> {
        let found = self.documents.iter().filter(|(key, _)| key.seller == *seller && key.kind == kind);
        let found = found.filter(|(key, _)| after.is_none_or(|after| key.name.as_str() > after));
        Ok(found.take(limit).map(|(key, text)| (key.clone(), text.clone())).collect())
    }

    async fn commit(&self, _: &Checkpoint, _: &Changes) -> Result<(), StoreError> {
        Err(StoreError::Moved)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        Err(StoreError::Moved)
    }

    async fn lines(&self, query: &LineQuery) -> Result<Read<Vec<LineRow>>, StoreError> {
        let stands = |row: &LineRow| {
            let may_wait = self.may_wait(row);
            let ready = row.line().settle_ready_at.map(|ready| ready.value);
            (!query.may_wait || may_wait) && query.ready_from.is_none_or(|from| !may_wait && ready >= Some(from))
        };
        let found = self.lines.iter().filter(|row| is_asked(query, row) && stands(row));
        let found: Vec<_> = found.take(query.limit).cloned().collect();
        self.lines_read.fetch_add(found.len(), Ordering::Relaxed);
        read(found)
    }

    async fn line(&self, _: &SellerId, line_id: &str) -> Result<Read<Option<LineRow>>, StoreError> {
        read(self.lines.iter().find(|row| row.line().line_id == line_id).cloned())
    }

    async fn lines_of_orders(&self, _: &SellerId, orders: &[OrderId]) -> Result<Vec<LineRow>, StoreError> {
        assert!(orders.len() <= 1_000);
        let named = |row: &&LineRow| row.line().order_id.as_ref().is_some_and(|order| orders.contains(order));
        Ok(self.lines.iter().filter(named).cloned().collect())
    }

    async fn periods(&self, _: &SellerId) -> Result<Read<Vec<PeriodRow>>, StoreError> {
        read(self.sums())
    }

    async fn ages(&self, _: &SellerId, from: Option<Period>) -> Result<Read<Vec<AgeRow>>, StoreError> {
        read(self.ages_from(from))
    }

    async fn closed(&self, _: &SellerId) -> Result<Read<Vec<ClosedRow>>, StoreError> {
        read(self.closed.clone())
    }

    async fn adjustments(&self, _: &SellerId) -> Result<Read<Vec<AdjustmentRow>>, StoreError> {
        read(self.adjustments.clone())
    }

    async fn bills(&self, _: &SellerId, period: Option<Period>) -> Result<Read<Vec<BillHead>>, StoreError> {
        let asked = |head: &&BillHead| period.is_none_or(|period| head.identity.period == period);
        read(self.bills.iter().filter(asked).cloned().collect())
    }

    async fn bill_rows(&self, identity: &BillIdentity, after: u32, limit: usize) -> Result<Vec<BilledRow>, StoreError> {
        let of_bill = self.bill_rows.iter().filter(|billed| billed.identity == *identity && billed.row.row > after);
        Ok(of_bill.take(limit).cloned().collect())
    }

    async fn rows_of_orders(&self, _: &SellerId, orders: &[OrderId]) -> Result<Vec<BilledRow>, StoreError> {
        let named = |billed: &&BilledRow| billed.row.order_id.as_ref().is_some_and(|order| orders.contains(order));
        Ok(self.bill_rows.iter().filter(named).cloned().collect())
    }
}
