//! Bills from text cells: headers, words, numbers, bad rows, revisions.

use chopmark_domain::ids::SellerId;
use chopmark_domain::settlement::bill::cells::{self, CellError};
use chopmark_domain::settlement::bill::import::{ImportError, read};
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_domain::settlement::bill::revision::BillRevision;
use chopmark_domain::settlement::bill::{Bill, BillIdentity, BillRow, Duplicate, PaymentStatus, SupervisionStatus};
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::product::{Category, LineType};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::support::*;

fn identity(month: &str) -> BillIdentity {
    let seller = SellerId::parse("acme").unwrap();
    BillIdentity { seller, category: Category::Generic, period: period(month) }
}

fn import(headers: &[&str], rows: &[&[&str]]) -> Result<Bill, ImportError> {
    let mapping = Mapping::propose(headers).mapping;
    let rows = (2_u32..).zip(rows.iter().copied());
    read(identity("202405"), Currency::CNY, &mapping, headers, rows)
}

const HEADERS: [&str; 3] = ["订单行ID", "原订单行ID", "结算金额（元）"];

#[test]
fn a_chinese_export_is_read_field_by_field() {
    let headers = [
        "账期",
        "商品类别",
        "币种",
        "订单号",
        "订单行ID",
        "订单类型",
        "SKU编码",
        "商品名称",
        "计费模式",
        "客户账号",
        "生效时间",
        "付费状态",
        "服务监管状态",
        "出账状态",
        "商品销售金额",
        "代金券金额",
        "运营管理费比例",
        "本期结算金额",
        "账单状态",
        "备注",
    ];
    let cells = [
        "2024-05",
        "通用商品",
        "CNY",
        "CS1",
        "CS1-000001",
        "新购",
        "sku-1",
        "印章",
        "包月",
        "c***@example.com",
        "2024/5/5 14:30:30",
        "已付费",
        "不涉及",
        "已出账",
        "1,000.00",
        "100.00",
        "5.00%",
        "￥855.00",
        "已支付",
        "-",
    ];
    let bill = import(&headers, &[&cells]).unwrap();
    let [row] = bill.rows.as_slice() else { panic!("{bill:?}") };
    assert_eq!((row.row, row.settle_amount, row.currency), (2, dec("855.00"), Currency::CNY));
    assert_eq!(row.order_line_id.as_ref().unwrap().as_str(), "CS1-000001");
    assert_eq!((row.line_type, row.effective_at), (Some(LineType::New), Some(beijing("2024-05-05 14:30:30"))));
    assert_eq!((row.sales_amount, row.voucher_amount), (Some(dec("1000")), Some(dec("100"))));
    assert_eq!((row.fee_ratio, row.bill_state), (Some(ratio("0.05")), Some(BillState::Paid)));
    assert_eq!(row.payment_status, Some(PaymentStatus::Completed));
    assert_eq!(row.supervision_status, Some(SupervisionStatus::NotApplicable));
    assert_eq!(serde_json::from_str::<Bill>(&serde_json::to_string(&bill).unwrap()).unwrap(), bill);
}

#[test]
fn the_best_mapping_is_proposed_and_helped_out_by_the_others() {
    let proposal =
        Mapping::propose(&["Order No.", "settlement amount (USD)", "Payment Status", "币种", "Remarks", "Order ID"]);
    assert_eq!(proposal.mapping.name, "console-en");
    assert_eq!(proposal.mapping.field("SETTLEMENT AMOUNT"), Some(Field::SettleAmount));
    assert_eq!(proposal.mapping.field("币种"), Some(Field::Currency));
    assert_eq!(proposal.unmapped, ["Remarks", "Order ID"], "one unknown, one said already");
    assert!(proposal.is_sufficient && proposal.unsaid.contains(&Field::VoucherAmount));
    assert!(!Mapping::propose(&["订单号"]).is_sufficient, "no amount");
    assert!(!Mapping::propose(&["结算金额"]).is_sufficient, "nothing to match by");
    assert_eq!(Mapping::propose(&["订单号"]).mapping.name, "console-zh");
}

#[test]
fn every_shipped_header_finds_its_field_and_no_header_means_two() {
    let shipped = Mapping::shipped();
    let mut met = std::collections::BTreeMap::new();
    for mapping in &shipped {
        for (header, field) in &mapping.columns {
            let proposal = Mapping::propose(&[header.as_str()]);
            assert_eq!(proposal.mapping.field(header), Some(*field), "{header}");
            assert_eq!(met.insert(header.to_lowercase(), *field).unwrap_or(*field), *field, "{header}");
        }
        let fields: std::collections::BTreeSet<_> = mapping.columns.values().copied().collect();
        assert!(Field::all().all(|field| fields.contains(&field)), "{} knows every field", mapping.name);
    }
    for field in Field::all() {
        assert_eq!(serde_json::to_value(field).unwrap(), field.code());
    }
}

#[test]
fn amounts_are_read_as_finance_writes_them_and_never_guessed() {
    for (cell, expected) in [
        ("95", "95"),
        (" -95.00 ", "-95.00"),
        ("−1,234,567.891", "-1234567.891"),
        ("¥1,234.50", "1234.50"),
        ("-¥95", "-95"),
        ("￥ 95", "95"),
        ("95.00元", "95.00"),
        ("CNY 95", "95"),
        ("95 RMB", "95"),
        ("(95.00)", "-95.00"),
        ("+5", "5"),
        ("-0.00", "0.00"),
    ] {
        assert_eq!(cells::amount(cell, Currency::CNY), Ok(dec(expected)), "{cell}");
    }
    for cell in [
        "", "1,23", "1.234,56", "1E5", "12 34", "--5", "(-5)", "1,2345", ",5", ".5", "5.", "1.2.3", "1,2,3", "five",
        "=1+1", "0x10", "元",
    ] {
        assert_eq!(cells::amount(cell, Currency::CNY), Err(CellError::Amount(cell.into())), "{cell}");
    }
    assert!(matches!(cells::amount("$5", Currency::CNY), Err(CellError::Currency { .. })));
    assert_eq!(cells::amount("$5", Currency::USD), Ok(dec("5")));
    assert!(matches!(cells::amount("9999999999999999", Currency::CNY), Err(CellError::Money(_))));
}

#[test]
fn ratios_need_a_percent_sign_in_the_cell_or_its_header() {
    for (cell, in_percent, expected) in [
        ("5%", false, "0.05"),
        ("5.50 ％", false, "0.055"),
        ("0.05", false, "0.05"),
        ("5", true, "0.05"),
        ("5%", true, "0.05"),
        ("0", false, "0"),
        ("100", true, "1"),
    ] {
        assert_eq!(cells::ratio(cell, in_percent), Ok(ratio(expected)), "{cell}");
    }
    for cell in ["5", "-5%", "101%", "five", "", "%"] {
        assert!(cells::ratio(cell, false).is_err(), "{cell}");
    }
    let bill = import(&["订单号", "平台费比例(%)", "结算金额"], &[&["CS1", "5", "95"]]).unwrap();
    assert_eq!(bill.rows[0].fee_ratio, Some(ratio("0.05")));
}

#[test]
fn periods_and_moments_are_those_of_beijing() {
    for cell in ["202405", "2024-05", "2024/5", "2024年5月", " 2024年05月 "] {
        assert_eq!(cells::period(cell), Ok(period("202405")), "{cell}");
    }
    for cell in ["24-05", "2024-13", "2024", "2024-05-01", "May 2024", ""] {
        assert!(cells::period(cell).is_err(), "{cell}");
    }
    for cell in [
        "2024-05-30 14:00:00",
        "2024/05/30 14:00",
        "2024-5-30 14:00:00",
        "20240530140000",
        "2024年5月30日 14:00:00",
        "2024年5月30日14时00分00秒",
        "2024-05-30T14:00:00",
        "2024-05-30T06:00:00Z",
        "2024-05-30T14:00:00+08:00",
        "2024-05-30 14:00:00 GMT+08:00",
    ] {
        assert_eq!(cells::time(cell), Ok(beijing("2024-05-30 14:00:00")), "{cell}");
    }
    assert_eq!(cells::time("2024-05-30"), Ok(beijing("2024-05-30")));
    for cell in ["", "30.05.2024", "05/30/2024", "2024-02-30", "2024-05-30 25:00:00", "45442.5"] {
        assert_eq!(cells::time(cell), Err(CellError::Time(cell.into())), "{cell}");
    }
}

#[test]
fn a_bad_cell_is_named_with_row_and_column_and_nothing_is_taken() {
    let rows: [&[&str]; 4] =
        [&["CS1-000001", "", "95.00"], &["", "", "5"], &["CS3-000001", "", "lots"], &["CS,4", "", ""]];
    let Err(ImportError::Cells { bad, more: 0 }) = import(&HEADERS, &rows) else { panic!() };
    let told: Vec<_> = bad.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "row 3: the row names no order and no product; fill in one of them, or remove the row",
            "row 4, column \"结算金额（元）\": \"lots\" is not an amount; write it like -1234.56 or 1,234.56",
            "row 5, column \"订单行ID\": order line id contains ',', which is not allowed there",
            "row 5, column \"结算金额（元）\": the cell is empty; every row needs it",
        ]
    );
}

#[test]
fn rows_of_other_bills_and_unbilled_rows_are_refused() {
    let headers = ["账期", "商品类别", "出账状态", "订单类型", "订单号", "结算金额"];
    let refused = |cells: [&str; 6]| match import(&headers, &[&cells]) {
        Err(ImportError::Cells { bad, .. }) => bad.iter().map(|bad| bad.column.clone()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(["202406", "通用商品", "已出账", "新购", "CS1", "95"]), ["账期"]);
    assert_eq!(refused(["202405", "联营", "已出账", "新购", "CS1", "95"]), ["商品类别"]);
    assert_eq!(refused(["202405", "通用商品", "未出账", "新购", "CS1", "95"]), ["出账状态"]);
    assert_eq!(refused(["202405", "通用商品", "已出账", "gift", "CS1", "95"]), ["订单类型"]);
}

#[test]
fn a_file_that_cannot_be_a_bill_is_refused_as_a_whole() {
    let unsaid = |headers: &[&str]| match import(headers, &[&["1", "2"]]) {
        Err(ImportError::Columns { unsaid }) => unsaid,
        other => panic!("{other:?}"),
    };
    assert_eq!(unsaid(&["订单号"]), [Field::SettleAmount]);
    assert!(unsaid(&["结算金额"]).contains(&Field::OrderLineId));
    assert_eq!(import(&HEADERS, &[&["", " ", "-"]]), Err(ImportError::NoRows));
    let twice = Mapping {
        name: "mine".into(),
        columns: [("a".into(), Field::OrderId), ("b".into(), Field::SettleAmount), ("c".into(), Field::SettleAmount)]
            .into(),
    };
    let rows: [(u32, &[&str]); 1] = [(2, &["CS1", "1", "2"])];
    let error = read(identity("202405"), Currency::CNY, &twice, &["a", "b", "c"], rows).unwrap_err();
    assert_eq!(error.to_string(), "the columns \"b\" and \"c\" are both mapped to settle_amount; map one of them");
    let many: Vec<&[&str]> = vec![&["CS1-000001", "", "x"]; 130];
    let Err(ImportError::Cells { bad, more }) = import(&HEADERS, &many) else { panic!() };
    assert_eq!((bad.len(), more), (100, 30));
}

#[test]
fn a_total_that_is_not_the_sum_means_a_file_cut_short() {
    let rows =
        |total| import(&HEADERS, &[&["CS1-000001", "", "95.00"], &["CS2-000001", "", "5.00"], &["合计", "", total]]);
    assert_eq!(rows("100.01").unwrap().rows.len(), 2);
    let error = rows("195.00").unwrap_err().to_string();
    assert!(error.contains("row 4, column \"结算金额（元）\": the rows above come to 100.00, but 195.00"), "{error}");
}

#[test]
fn duplicates_are_named_and_kept() {
    let rows: [&[&str]; 4] = [
        &["CS1-000001", "", "95"],
        &["CS2-000001", "CS1-000001", "-95"],
        &["CS1-000001", "", "94"],
        &["CS1-000001", "", "95"],
    ];
    let bill = import(&HEADERS, &rows).unwrap();
    assert_eq!(bill.rows.len(), 4);
    assert_eq!(bill.duplicates(), [Duplicate { first: 2, again: 4 }, Duplicate { first: 2, again: 5 }]);
    let usage = import(&["SKU", "结算金额"], &[&["s", "1"], &["s", "2"], &["s", "1.0"]]).unwrap();
    assert_eq!(usage.duplicates(), [Duplicate { first: 2, again: 4 }], "charges of one product are many");
}

#[test]
fn a_revision_shows_what_a_new_import_changes() {
    let before = import(&HEADERS, &[&["A", "", "95.00"], &["B", "", "10"], &["C", "", "7"]]).unwrap();
    let after = import(&HEADERS, &[&["D", "", "1"], &["C", "", "7.00"], &["A", "", "90"]]).unwrap();
    let revision = BillRevision::compare(Some(&before), &after).unwrap();
    let names =
        |rows: &[BillRow]| rows.iter().map(|row| row.order_line_id.clone().unwrap().to_string()).collect::<Vec<_>>();
    assert_eq!(
        (names(&revision.added), names(&revision.removed), revision.unchanged),
        (vec!["D".to_owned()], vec!["B".to_owned()], 1)
    );
    let [changed] = revision.changed.as_slice() else { panic!("{revision:?}") };
    let [change] = changed.changes.as_slice() else { panic!("{changed:?}") };
    assert_eq!(
        (change.field, change.old.as_deref(), change.new.as_deref()),
        (Field::SettleAmount, Some("95"), Some("90"))
    );
    assert!(!revision.is_empty());
    assert_eq!(BillRevision::compare(None, &after).unwrap().added, after.rows);
    let other = Bill { identity: identity("202406"), ..after };
    assert!(BillRevision::compare(Some(&before), &other).is_err());
}

/// Few names and amounts, so that many rows share them.
fn any_bill() -> impl Strategy<Value = Bill> {
    prop::collection::vec((0..4_u8, 0..3_i64), 0..12).prop_map(|rows| {
        let row = |(n, (name, amount)): (u32, (u8, i64))| BillRow {
            order_line_id: Some(format!("CS{name}").parse_id()),
            ..BillRow::new(
                n,
                chopmark_domain::settlement::money::Money::new(Decimal::from(amount), Currency::CNY).unwrap(),
            )
        };
        Bill { identity: identity("202405"), rows: (2..).zip(rows).map(row).collect() }
    })
}

trait ParseId {
    fn parse_id(&self) -> chopmark_domain::ids::OrderLineId;
}

impl ParseId for String {
    fn parse_id(&self) -> chopmark_domain::ids::OrderLineId {
        chopmark_domain::ids::OrderLineId::parse(self).unwrap()
    }
}

proptest! {
    #[test]
    fn every_row_is_added_removed_changed_or_the_same(before in any_bill(), after in any_bill()) {
        let revision = BillRevision::compare(Some(&before), &after).unwrap();
        let both = revision.changed.len() + revision.unchanged;
        prop_assert_eq!(revision.added.len() + both, after.rows.len());
        prop_assert_eq!(revision.removed.len() + both, before.rows.len());
        let naive = |bill: &Bill| {
            let mut values: Vec<_> = bill.rows.iter().map(BillRow::values).collect();
            values.sort();
            values
        };
        prop_assert_eq!(revision.is_empty(), naive(&before) == naive(&after));
        let mut turned = before.clone();
        turned.rows.reverse();
        prop_assert!(BillRevision::compare(Some(&before), &turned).unwrap().is_empty());
    }

    #[test]
    fn an_amount_is_read_back_however_it_is_written(cents in -100_000_000_i64..100_000_000, thousands in any::<bool>(), sign in prop::sample::select(vec!["", "¥", "元"])) {
        let amount = Decimal::new(cents, 2);
        let mut digits = amount.abs().to_string();
        if thousands && amount.abs() >= Decimal::from(1_000) {
            digits.insert(digits.len() - 6, ',');
            if amount.abs() >= Decimal::from(1_000_000) {
                digits.insert(digits.len() - 10, ',');
            }
        }
        let minus = if cents < 0 { "-" } else { "" };
        let cell = if sign == "元" { format!("{minus}{digits}元") } else { format!("{minus}{sign}{digits}") };
        prop_assert_eq!(cells::amount(&cell, Currency::CNY), Ok(amount), "{}", cell);
    }

    #[test]
    fn no_text_upsets_the_cells(text in any::<String>()) {
        let _ = (cells::amount(&text, Currency::CNY), cells::ratio(&text, true), cells::period(&text), cells::time(&text), cells::line_type(&text));
        let _ = import(&HEADERS, &[&[&text, &text, &text]]);
        let _ = Mapping::propose(&[&text]);
    }
}
