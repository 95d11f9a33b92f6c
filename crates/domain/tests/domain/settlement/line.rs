//! The settlement line, its columns, and the states of its bill.

use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::line::columns::Columns;
use chopmark_domain::settlement::marked::Marked;
use chopmark_domain::settlement::product::{Billed, LineType, billed_as};
use rust_decimal::Decimal;

use super::support::*;

/// A line of a sale of 1000 with a voucher of 100, at a fee of 5 % and a tier of 2 %.
fn line(line_type: LineType, settle_amount: &str) -> SettlementLine {
    let known = |text: &str| Some(Marked::stated(dec(text)));
    SettlementLine {
        sales_amount: known("1000"),
        voucher_amount: known("100"),
        fee_ratio: Some(ratio("0.05")),
        tier_ratio: Some(Marked::stated(ratio("0.02"))),
        ..super::support::line("1", line_type, settle_amount)
    }
}

fn sum(columns: &Columns) -> Decimal {
    columns.sales - columns.voucher - columns.fee + columns.tier_bonus - columns.tax
        + columns.refund
        + columns.adjustment
}

#[test]
fn columns_lead_from_gross_to_net_for_every_kind_of_line() {
    let sold = line(LineType::New, "873").columns().unwrap();
    assert_eq!((sold.fee, sold.tier_bonus, sold.net), (dec("45"), dec("18"), dec("873")));
    let taxed = SettlementLine {
        customer_wht: Some(Marked::stated(dec("50"))),
        seller_tax: Some(Marked::stated(dec("120"))),
        sales_amount: Some(Marked::stated(dec("850"))),
        voucher_amount: None,
        tier_ratio: None,
        ..line(LineType::New, "560")
    };
    let international = taxed.columns().unwrap();
    assert_eq!((international.tax, international.fee), (dec("170"), dec("120")), "15 % of 800");
    let refund = line(LineType::Refund, "-873").columns().unwrap();
    assert_eq!((refund.sales, refund.refund), (Decimal::ZERO, dec("-873")));
    let correction = line(LineType::Adjustment, "3").columns().unwrap();
    assert_eq!(correction.adjustment, dec("3"));
    for columns in [sold, international, refund, correction] {
        assert_eq!(sum(&columns), columns.net);
    }
}

#[test]
fn a_line_whose_amount_is_not_known_has_no_columns() {
    let unknown = SettlementLine { settle_amount: None, ..line(LineType::New, "0") };
    assert_eq!((unknown.columns(), unknown.settled().unwrap()), (None, None));
    let unsold = SettlementLine { sales_amount: None, ..line(LineType::New, "0") };
    assert_eq!(unsold.columns(), None);
}

#[test]
fn one_estimate_marks_the_line() {
    let line = line(LineType::New, "873");
    assert!(!line.is_estimate());
    assert_eq!(line.settled().unwrap(), Some(rmb("873")));
    let provisional = Some(Marked::estimate(ratio("0.02")));
    assert!(SettlementLine { tier_ratio: provisional, ..line.clone() }.is_estimate());
    let acknowledged = Some(Marked::estimate(beijing("2024-05-05")));
    assert!(SettlementLine { effective_at: acknowledged, ..line.clone() }.is_estimate());
    let json = serde_json::to_string(&line).unwrap();
    assert_eq!(serde_json::from_str::<SettlementLine>(&json).unwrap(), line);
}

#[test]
fn orders_become_lines_of_their_kind() {
    use ChargingMode::{OnDemand, OnDemandPkg, OneTime, Period};
    for (order_type, mode, amount, expected) in [
        (OrderType::New, Period, None, Billed::As(LineType::New)),
        (OrderType::New, OneTime, None, Billed::As(LineType::New)),
        (OrderType::New, OnDemand, None, Billed::As(LineType::Usage)),
        (OrderType::New, OnDemandPkg, None, Billed::As(LineType::Package)),
        (OrderType::New, ChargingMode::Other, None, Billed::Unknown),
        (OrderType::Trial, Period, None, Billed::Never),
        (OrderType::TrialToFormal, Period, None, Billed::As(LineType::TrialConvert)),
        (OrderType::Renew, Period, Some("-1"), Billed::As(LineType::Renew)),
        (OrderType::Change, Period, Some("1"), Billed::As(LineType::Change)),
        (OrderType::Change, Period, Some("-1"), Billed::As(LineType::Downgrade)),
        (OrderType::Unsubscribe, Period, Some("-1"), Billed::As(LineType::Refund)),
        (OrderType::Other, Period, None, Billed::Unknown),
    ] {
        assert_eq!(billed_as(order_type, mode, amount.map(dec)), expected, "{order_type:?} {mode:?} {amount:?}");
    }
}

#[test]
fn the_consoles_words_for_a_bills_state_are_understood() {
    for (label, code) in [
        ("待会签", "PENDING_APPROVAL"),
        ("会签驳回", "APPROVAL_REJECTED"),
        ("待申付", "PENDING_PAYMENT_REQUEST"),
        ("申付单创建失败", "PAYMENT_REQUEST_FAILED"),
        ("待开票", "PENDING_INVOICE"),
        ("发票待审核", "INVOICE_REVIEW"),
        ("申付处理中", "PAYMENT_PROCESSING"),
        ("支付信息错误", "PAYMENT_INFO_ERROR"),
        ("申付被驳回", "PAYMENT_REJECTED"),
        (" 申请被驳回 ", "PAYMENT_REJECTED"),
        ("已支付", "PAID"),
    ] {
        assert_eq!(serde_json::to_value(BillState::from_label(label).unwrap()).unwrap(), code);
    }
    assert_eq!(BillState::from_label("paid?"), None);
    assert!(BillState::PendingInvoice.needs_action() && !BillState::Paid.needs_action());
}
