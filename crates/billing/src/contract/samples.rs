//! Rows that say everything there is to say, and rows that say as little as they can.

use chopmark_domain::ids::{OrderId, OrderLineId, ProductId, SellerId, Sku};
use chopmark_domain::order::ChargingMode;
use chopmark_domain::settlement::bill::event::{BillImported, BillProgressed};
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_domain::settlement::bill::{BillIdentity, BillRow, PaymentStatus, SupervisionStatus};
use chopmark_domain::settlement::books::{Counted, Drawn, Source};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::explanation::{Explanation, Operation, Step, Term};
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::marked::{Happening, Marked};
use chopmark_domain::settlement::money::{Currency, Money, Ratio};
use chopmark_domain::settlement::month::{AdjustmentRecorded, PeriodClosed};
use chopmark_domain::settlement::product::{Category, LineType};
use chopmark_domain::settlement::readiness::{Conditions, Missing, OnBill, Supervision};
use chopmark_domain::settlement::reconciliation::Outcome;
use chopmark_domain::settlement::reconciliation::judgement::{Judged, Judgement};
use chopmark_domain::settlement::reconciliation::key::Key;
use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use crate::rows::{AdjustmentRow, AgeRow, BillHead, BilledRow, ClosedRow, LineRow, PeriodRow};
use crate::store::DocumentKey;

/// Text that a careless store would spoil: Chinese, quotes, a line break, a NUL, characters beyond the first plane.
pub const AWKWARD: &str = "运营管理费 'é\" \\ \n\u{0}\u{1F9FE} ％";

/// The seller of all samples.
#[must_use]
pub fn seller() -> SellerId {
    SellerId::parse("acme").unwrap()
}

/// Another seller.
#[must_use]
pub fn other_seller() -> SellerId {
    SellerId::parse("Zeta.7").unwrap()
}

/// A period by its six digits.
#[must_use]
pub fn month(text: &str) -> Period {
    Period::parse(text).unwrap()
}

/// A moment of the year 2024, so many microseconds after it began.
#[must_use]
pub fn moment(micros: i64) -> DateTime<Utc> {
    "2024-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::microseconds(micros)
}

/// A number by its digits.
#[must_use]
pub fn number(digits: &str) -> Decimal {
    digits.parse().unwrap()
}

/// An event.
#[must_use]
pub fn source(position: u64) -> Source {
    Source {
        position,
        event_id: format!("event {position}"),
        kind: "order_facts_recorded.v1".into(),
        stream: "order-acme/O-1".into(),
        row: Some(7),
    }
}

/// The key of a document.
#[must_use]
pub fn document(kind: &'static str, name: &str) -> DocumentKey {
    DocumentKey { seller: seller(), kind, name: name.into() }
}

/// A line of which nobody said more than that it is there.
#[must_use]
pub fn bare_line(line_id: &str) -> LineRow {
    let line = SettlementLine {
        line_id: line_id.into(),
        period: None,
        bill_id: None,
        product_category: None,
        order_id: None,
        order_line_id: None,
        original_order_line_id: None,
        line_type: LineType::Usage,
        sku_code: None,
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
    };
    let conditions = Conditions {
        effective: Happening::Unknown,
        paid_in_full: Happening::NotYet,
        supervision: Supervision::NotApplicable,
        seller_certified: None,
        five_day_refund: false,
    };
    let drawn = Drawn {
        line,
        conditions,
        on_bill: OnBill::Unknown,
        columns: None,
        explanation: None,
        missing: vec![Missing::EffectiveAt, Missing::PaidAt],
        counted: None,
        tier_of: None,
        open_since: moment(1),
        sources: vec![source(1)],
        with_refund: false,
        refund_rule: None,
    };
    LineRow { seller: seller(), case: String::new(), drawn, closed_in: None, recomputed: None }
}

/// A line of which everything is known, with amounts of 28 digits.
#[must_use]
pub fn full_line(line_id: &str) -> LineRow {
    let mut row = bare_line(line_id);
    row.drawn.line = full_settlement_line(row.drawn.line);
    let line = &row.drawn.line;
    row.recomputed = Some(Box::new(SettlementLine { invoice_no: None, ..line.clone() }));
    row.case = format!("license {AWKWARD}");
    row.closed_in = line.period;
    row.drawn.conditions = Conditions {
        effective: line.effective_at.map(Happening::At).unwrap(),
        paid_in_full: line.paid_at.map(Happening::At).unwrap(),
        supervision: Supervision::Until(line.supervision_done_at.map(Happening::At).unwrap()),
        seller_certified: Some(true),
        five_day_refund: true,
    };
    row.drawn.on_bill = OnBill::Billed(month("202405"));
    row.drawn.columns = Some(Columns {
        sales: number("1.000000000000000000000000001"),
        voucher: number("-0.00"),
        fee: number("-79228162514264337593543950335"),
        tier_bonus: number("79228162514264337593543950335"),
        tax: number("0.0000000000000000000000000001"),
        refund: number("-1.10"),
        adjustment: number("0"),
        net: number("-7922816251426433759354395.0335"),
    });
    let operands = vec![Term { name: "sales_amount".into(), value: number("1.10") }];
    let result = Term { name: "settle_amount".into(), value: number("-0.5") };
    row.drawn.explanation = Some(Explanation { steps: vec![Step { operation: Operation::Product, operands, result }] });
    row.drawn.missing = vec![];
    let sku = row.drawn.line.sku_code.clone().unwrap();
    let paid = Money::new(number("12.340"), Currency::USD).unwrap();
    row.drawn.counted = Some(Counted { sku: sku.clone(), period: month("202405"), paid });
    row.drawn.tier_of = Some((sku, month("202404")));
    row.drawn.with_refund = true;
    row.drawn.sources = vec![source(1), Source { row: None, ..source(u64::from(u32::MAX)) }];
    row
}

fn full_settlement_line(line: SettlementLine) -> SettlementLine {
    SettlementLine {
        period: Some(month("202405")),
        bill_id: Some("202405".into()),
        product_category: Some(Category::JointOperation),
        order_id: Some(order("CS-订单 1")),
        order_line_id: Some(OrderLineId::parse("CS-1-000001").unwrap()),
        original_order_line_id: Some(OrderLineId::parse("CS-0-000001").unwrap()),
        line_type: LineType::Refund,
        sku_code: Some(Sku::parse("sku-金").unwrap()),
        product_id: Some(ProductId::parse("product-1").unwrap()),
        charging_mode: Some(ChargingMode::OnDemandPkg),
        customer_id: Some(AWKWARD.into()),
        effective_at: Some(Marked::stated(moment(1))),
        paid_at: Some(Marked::estimate(moment(-1))),
        supervision_done_at: Some(Marked::stated(moment(999_999))),
        settle_ready_at: Some(Marked::estimate(moment(1_000_000))),
        currency: Currency::USD,
        sales_amount: Some(Marked::stated(number("7922816251426433759354395.0335"))),
        voucher_amount: Some(Marked::stated(number("0.0000000000000000000000000001"))),
        fee_ratio: Some(Ratio::new(number("0.1234567890123456789012345678")).unwrap()),
        tier_ratio: Some(Marked::estimate(Ratio::ONE)),
        customer_wht: Some(Marked::stated(number("10.100"))),
        seller_tax: Some(Marked::estimate(number("0"))),
        settle_amount: Some(Marked::estimate(number("-3.333333333333333333333333333"))),
        bill_state: Some(BillState::PendingInvoice),
        payment_request_no: Some(String::new()),
        invoice_no: Some("INV ".into()),
        ..line
    }
}

/// An order by its number.
#[must_use]
pub fn order(id: &str) -> OrderId {
    OrderId::parse(id).unwrap()
}

/// What a period comes to.
#[must_use]
pub fn period(period: Option<&str>, lines: u64) -> PeriodRow {
    let sums = Columns { net: number("-0.3333333333333333333333333333"), ..Columns::default() };
    PeriodRow {
        seller: seller(),
        period: period.map(month),
        category: Category::Generic,
        currency: Currency::EUR,
        lines,
        not_computed: 3,
        estimated: 2,
        sums,
    }
}

/// What lines of an age come to.
#[must_use]
pub fn age(period: &str, open_since: Option<&str>, lines: u64) -> AgeRow {
    AgeRow {
        seller: seller(),
        period: month(period),
        category: Category::JointOperation,
        currency: Currency::EUR,
        open_since: open_since.map(|day| day.parse().unwrap()),
        lines,
        not_computed: 3,
        estimated: 2,
        stated_sum: number("-0.3333333333333333333333333333"),
        estimated_sum: number("79228162514264337593543950335"),
        rounded_sum: number("-0.33"),
    }
}

/// A month that was closed.
#[must_use]
pub fn closed(period: &str) -> ClosedRow {
    let totals = vec![(Currency::CNY, number("-1.00")), (Currency::USD, number("0.000000000000000000000000001"))];
    let closed = PeriodClosed { lines: 2, totals, computed_at: 77, at: moment(5) };
    ClosedRow { seller: seller(), period: month(period), closed, source: source(4) }
}

/// An adjustment.
#[must_use]
pub fn adjustment(period: &str, id: &str) -> AdjustmentRow {
    let adjustment = AdjustmentRecorded {
        id: id.into(),
        corrects: month("202401"),
        category: Category::Selected,
        line_id: Some("line 1".into()),
        amount: number("-12.3400"),
        currency: Currency::CNY,
        note: AWKWARD.into(),
    };
    AdjustmentRow { seller: seller(), period: month(period), adjustment, source: source(5) }
}

/// Which bill.
#[must_use]
pub fn identity(period: &str, category: Category) -> BillIdentity {
    BillIdentity { seller: seller(), category, period: month(period) }
}

/// A bill of generic goods.
#[must_use]
pub fn bill(period: &str) -> BillHead {
    let billed = Money::new(number("1.0"), Currency::CNY).unwrap();
    let outcome =
        Outcome::Matched { expected: billed, billed, difference: Money::new(number("0.0"), Currency::CNY).unwrap() };
    let judged = Judged {
        key: Key::Line("line 1".into()),
        currency: Currency::CNY,
        outcome,
        judgement: Judgement::Disputed,
        note: AWKWARD.into(),
    };
    BillHead {
        identity: identity(period, Category::Generic),
        imported: BillImported {
            revision: 2,
            file_name: format!("{AWKWARD}.xlsx"),
            sha256: "0".repeat(64),
            mapping: Mapping {
                name: AWKWARD.into(),
                columns: [("结算金额（元）".to_owned(), Field::SettleAmount)].into(),
            },
            rows: 2,
        },
        imported_at: moment(6),
        totals: vec![(Currency::CNY, number("-1.10")), (Currency::USD, number("0.0000000000000000000000000001"))],
        progress: BillProgressed {
            state: Some(BillState::Paid),
            payment_request_no: Some("PR-1".into()),
            invoice_no: None,
        },
        judgements: vec![judged],
        source: source(6),
    }
}

/// A row that says what is settled and nothing else.
#[must_use]
pub fn bare_row(period: &str, row: u32) -> BilledRow {
    let settled = Money::new(number("-0.0000000001"), Currency::CNY).unwrap();
    BilledRow { identity: identity(period, Category::Generic), row: BillRow::new(row, settled), source: source(6) }
}

/// A row that says everything.
#[must_use]
pub fn full_row(period: &str, row: u32) -> BilledRow {
    let bare = bare_row(period, row);
    let row = BillRow {
        order_id: Some(order("CS-订单 1")),
        order_line_id: Some(OrderLineId::parse("CS-1-000001").unwrap()),
        original_order_line_id: Some(OrderLineId::parse("CS-0-000001").unwrap()),
        line_type: Some(LineType::TrialConvert),
        sku_code: Some(Sku::parse("sku-金").unwrap()),
        product_id: Some(ProductId::parse("product-1").unwrap()),
        product_name: Some(AWKWARD.into()),
        charging_mode: Some(ChargingMode::Period),
        customer: Some(String::new()),
        effective_at: Some(moment(1)),
        paid_at: Some(moment(2)),
        supervision_done_at: Some(moment(3)),
        payment_status: Some(PaymentStatus::Open),
        supervision_status: Some(SupervisionStatus::NotApplicable),
        list_price: Some(number("7.9228162514264337593543950335")),
        deal_price: Some(number("1.50")),
        sharing_base: Some(number("-1.5")),
        sales_amount: Some(number("0")),
        voucher_amount: Some(number("0.00")),
        transaction_amount: Some(number("100")),
        fee_ratio: Some(Ratio::percent(7)),
        tier_ratio: Some(Ratio::ZERO),
        customer_wht: Some(number("3")),
        seller_tax: Some(number("4")),
        bill_state: Some(BillState::PaymentRejected),
        payment_request_no: Some("PR-1".into()),
        invoice_no: Some("INV-1".into()),
        ..bare.row
    };
    BilledRow { row, ..bare }
}
