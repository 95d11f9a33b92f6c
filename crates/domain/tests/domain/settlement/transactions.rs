//! Transaction details from text cells: what is stated, what stays unsaid, consumption by product, bad rows.

use chopmark_domain::ids::{OrderId, OrderLineId, Sku};
use chopmark_domain::order::ChargingMode;
use chopmark_domain::settlement::bill::cells::CellError;
use chopmark_domain::settlement::bill::import::ImportError;
use chopmark_domain::settlement::bill::mapping::{Field, Mapping};
use chopmark_domain::settlement::money::{Currency, Ratio};
use chopmark_domain::settlement::product::{Category, LineType};
use chopmark_domain::settlement::statement::{Billed, StatedFacts, Subject, When};
use chopmark_domain::settlement::transactions::read::{KnownOrders, is_sufficient, read};
use chopmark_domain::settlement::transactions::{Event, ROWS_PER_EVENT, StatedRow, Transactions, TransactionsImported};
use rust_decimal::Decimal;

use super::support::*;

fn import(headers: &[&str], rows: &[&[&str]]) -> Result<Vec<StatedRow>, ImportError> {
    let mapping = Mapping::propose(headers).mapping;
    read(Currency::CNY, &mapping, headers, (2_u32..).zip(rows.iter().copied()), &())
}

/// The facts that one row of an order line states.
fn facts(headers: &[&str], cells: &[&str]) -> StatedFacts {
    let headers = [&["订单号", "订单行ID"], headers].concat();
    let cells = [&["CS1", "CS1-000001"], cells].concat();
    let mut rows = import(&headers, &[&cells]).unwrap();
    assert_eq!((rows.len(), &rows[0].statement.subject), (1, &line("CS1", "CS1-000001")));
    rows.remove(0).statement.facts
}

fn line(order: &str, line: &str) -> Subject {
    Subject::OrderLine { order_id: OrderId::parse(order).unwrap(), order_line_id: OrderLineId::parse(line).unwrap() }
}

fn usage(sku: &str, month: &str) -> Subject {
    Subject::Usage { sku: Sku::parse(sku).unwrap(), period: period(month) }
}

fn amount(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn at(text: &str) -> Option<When> {
    Some(When::At(text.parse().unwrap()))
}

/// The problems of a file, each as its row, its column and itself.
fn problems(headers: &[&str], rows: &[&[&str]]) -> Vec<(u32, String, CellError)> {
    match import(headers, rows) {
        Err(ImportError::Cells { bad, more: 0 }) => {
            bad.into_iter().map(|bad| (bad.row, bad.column, bad.problem)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_states_everything_that_its_columns_say() {
    let headers = [
        "商品类别",
        "币种",
        "订单类型",
        "SKU编码",
        "商品ID",
        "商品名称",
        "计费模式",
        "客户账号",
        "生效时间",
        "付费时间",
        "服务监管完成时间",
        "出账状态",
        "账期",
        "目录价",
        "商品销售金额（元）",
        "代金券金额",
        "运营管理费比例(%)",
        "客户预提税",
        "商家税费",
        "本期结算金额",
        "备注",
    ];
    let cells = [
        "通用商品",
        "usd",
        "新购",
        "sku",
        "OFFI1",
        "Example",
        "包年/包月",
        "someone@example.com",
        "2024-05-30 14:00:00",
        "2024-05-30 14:01:00",
        "2024-06-03 09:00:00",
        "已出账",
        "2024-06",
        "1,500",
        "1,200.00",
        "100",
        "5",
        "1.5",
        "0",
        "not an amount",
        "whatever",
    ];
    let expected = StatedFacts {
        category: Some(Category::Generic),
        currency: Some(Currency::USD),
        line_type: Some(LineType::New),
        sku: Some(Sku::parse("sku").unwrap()),
        product_id: Some(chopmark_domain::ids::ProductId::parse("OFFI1").unwrap()),
        charging_mode: Some(ChargingMode::Period),
        effective: at("2024-05-30T06:00:00Z"),
        paid_in_full: at("2024-05-30T06:01:00Z"),
        supervision: at("2024-06-03T01:00:00Z"),
        billed: Some(Billed::On(period("202406"))),
        list_price: amount("1500"),
        sales_amount: amount("1200"),
        voucher_amount: amount("100"),
        fee_ratio: Some(Ratio::percent(5)),
        customer_wht: amount("1.5"),
        seller_tax: amount("0"),
        ..StatedFacts::default()
    };
    assert_eq!(facts(&headers, &cells), expected, "the customer's account is not taken, nor what belongs to bills");
}

#[test]
fn a_state_without_its_moment_says_only_that_something_has_not_happened() {
    let paid = |cells: &[&str]| facts(&["付费状态", "付费时间", "代金券金额"], cells).paid_in_full;
    assert_eq!(paid(&["未完成", "", "0"]), Some(When::NotYet));
    assert_eq!(paid(&["部分还款", "2024-05-30", "0"]), Some(When::NotYet), "paid in part");
    assert_eq!(paid(&["已完成", "", "0"]), None, "nobody says when");
    assert_eq!(paid(&["已完成", "2024-05-30", "0"]), at("2024-05-29T16:00:00Z"));
    assert_eq!(paid(&["", "2024-05-30", "0"]), at("2024-05-29T16:00:00Z"));
    let accepted = |cells: &[&str]| facts(&["服务监管状态", "服务监管完成时间", "代金券金额"], cells).supervision;
    assert_eq!(accepted(&["不涉及", "", "0"]), Some(When::NotApplicable));
    assert_eq!(accepted(&["进行中", "", "0"]), Some(When::NotYet));
    assert_eq!(accepted(&["已完成", "", "0"]), None);
    assert_eq!(accepted(&["已完成", "2024-06-03", "0"]), at("2024-06-02T16:00:00Z"));
    let billed = |cells: &[&str]| facts(&["出账状态", "账期", "代金券金额"], cells).billed;
    assert_eq!(billed(&["待出账", "2024-06", "0"]), Some(Billed::NotYet), "the period is the expected one");
    assert_eq!(billed(&["已出账", "", "0"]), None);
    assert_eq!(billed(&["", "2024-06", "0"]), None);
}

#[test]
fn a_refund_names_the_line_it_gives_back_and_takes_something_from_the_seller() {
    let headers = ["订单号", "订单行ID", "原订单行ID", "订单类型", "销售金额"];
    let rows = import(
        &headers,
        &[&["CS2", "CS2-000001", "CS1-000001", "退订", "-120"], &["CS2", "CS2-000001", "CS1-000002", "退订", "-30"]],
    );
    let rows = rows.unwrap();
    let [StatedRow { row: 2, statement }] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(statement.subject, line("CS2", "CS2-000001"), "one refund may give several lines back");
    assert_eq!(statement.facts.original_order_line_id, Some(OrderLineId::parse("CS1-000001").unwrap()));
    assert_eq!(statement.facts.sales_amount, amount("-150"));
    let (first, other): (&[&str], &[&str]) =
        (&["CS2", "CS2-000001", "CS1-000001", "退订", "-120"], &["CS2", "CS2-000001", "CS1-000002", "退订", "-30"]);
    let contradicts = |row| [(row, String::new(), CellError::Contradicts { first: 2 })];
    assert_eq!(problems(&headers, &[first, other, first]), contradicts(4), "given back twice");
    assert_eq!(problems(&headers, &[first, &["CS2", "CS2-000001", "", "退订", "-30"]]), contradicts(3));
    assert_eq!(
        problems(&headers, &[&["CS2", "CS2-000001", "CS1-000001", "退订", "120"]]),
        [(2, "销售金额".into(), CellError::RefundSign(Decimal::from(120)))]
    );
}

#[test]
fn consumption_of_a_product_is_added_up_by_its_month() {
    let headers = ["订单类型", "SKU", "账期", "出账状态", "付费状态", "付费时间", "销售金额", "代金券"];
    let rows = import(
        &headers,
        &[
            &["按需", "a", "202405", "已出账", "已完成", "2024-06-01", "10.10", "0"],
            &["按需", "b", "202405", "已出账", "已完成", "2024-06-01", "1", "0"],
            &["", "a", "202406", "待出账", "未完成", "", "7", "0"],
            &["按需", "a", "202405", "已出账", "已完成", "2024-06-02", "10.10", "0.10"],
            &["合计", "", "", "", "", "", "28.20", "0.10"],
        ],
    )
    .unwrap();
    let stated: Vec<_> = rows
        .iter()
        .map(|StatedRow { row, statement }| {
            let facts = &statement.facts;
            (*row, &statement.subject, facts.sales_amount, facts.voucher_amount, facts.paid_in_full, facts.billed)
        })
        .collect();
    let (may, june) = (Some(Billed::On(period("202405"))), Some(Billed::NotYet));
    assert_eq!(
        stated,
        [
            (2, &usage("a", "202405"), amount("20.20"), amount("0.10"), at("2024-06-01T16:00:00Z"), may),
            (3, &usage("b", "202405"), amount("1"), amount("0"), at("2024-05-31T16:00:00Z"), may),
            (4, &usage("a", "202406"), amount("7"), amount("0"), Some(When::NotYet), june),
        ]
    );
}

#[test]
fn rows_of_one_consumption_that_do_not_go_together_are_refused() {
    let headers = ["SKU", "账期", "计费模式", "销售金额", "代金券"];
    let first: &[&str] = &["a", "202405", "按需", "10", "0"];
    assert_eq!(
        problems(&headers, &[first, &["a", "202405", "按需", "10", ""], &["a", "202405", "套餐包", "10", "0"]]),
        [(3, "代金券".into(), CellError::Uneven { first: 2 }), (4, String::new(), CellError::Contradicts { first: 2 })]
    );
}

#[test]
fn a_line_that_is_stated_twice_must_be_stated_alike() {
    let headers = ["订单号", "订单行ID", "销售金额"];
    let row: &[&str] = &["CS1", "CS1-000001", "10"];
    assert_eq!(import(&headers, &[row, row]).unwrap().len(), 1);
    assert_eq!(
        problems(&headers, &[row, row, &["CS1", "CS1-000001", "11"]]),
        [(4, String::new(), CellError::Contradicts { first: 2 })]
    );
}

#[test]
fn what_a_row_is_about_is_never_guessed() {
    let headers = ["订单号", "订单行ID", "SKU", "账期", "销售金额"];
    let rows: [&[&str]; 4] = [
        &["CS1", "", "a", "202405", "1"],
        &["", "CS1-000001", "a", "202405", "1"],
        &["", "", "a", "", "1"],
        &["", "", "", "202405", "1"],
    ];
    let found: Vec<_> = problems(&headers, &rows).into_iter().map(|(row, _, problem)| (row, problem)).collect();
    let expected =
        [(2, CellError::NoOrderLine), (3, CellError::NoOrderLine), (4, CellError::NoUsage), (5, CellError::NoUsage)];
    assert_eq!(found, expected);
}

#[test]
fn an_order_with_one_line_that_is_known_needs_only_one_of_its_names() {
    struct One;
    impl KnownOrders for One {
        fn only_line(&self, order: &OrderId) -> Option<OrderLineId> {
            (order.as_str() == "CS1").then(|| OrderLineId::parse("CS1-000001").unwrap())
        }
        fn order_of(&self, line: &OrderLineId) -> Option<OrderId> {
            (line.as_str() == "CS1-000001").then(|| OrderId::parse("CS1").unwrap())
        }
    }
    let headers = ["订单号", "订单行ID", "销售金额"];
    let mapping = Mapping::propose(&headers).mapping;
    for (cells, expected) in [
        (["CS1", "", "1"], Some(line("CS1", "CS1-000001"))),
        (["", "CS1-000001", "1"], Some(line("CS1", "CS1-000001"))),
        (["CS2", "", "1"], None),
    ] {
        let read = read(Currency::CNY, &mapping, &headers, [(2, cells)], &One);
        assert_eq!(read.ok().map(|rows| rows[0].statement.subject.clone()), expected, "{cells:?}");
    }
}

#[test]
fn a_file_is_taken_as_a_whole_or_not_at_all() {
    let headers = ["订单号", "订单行ID", "销售金额"];
    let bad = problems(&headers, &[&["CS1", "CS1-000001", "1"], &["CS1", "a,b", "much"]]);
    let places: Vec<_> = bad.iter().map(|(row, column, _)| (*row, column.as_str())).collect();
    assert_eq!(places, [(3, "订单行ID"), (3, "销售金额")]);
    assert_eq!(import(&headers, &[&["CS1", "CS1-000001", ""], &["", "", ""]]), Err(ImportError::NoRows));
    assert!(matches!(import(&["账期", "销售金额"], &[]), Err(ImportError::Columns { .. })));
    assert!(
        matches!(import(&["订单号", "订单编号"], &[]), Err(ImportError::NoRows)),
        "the second column is not mapped"
    );
    let many: Vec<&[&str]> = vec![&["CS1", "CS1-000001", "?"]; 130];
    let Err(ImportError::Cells { bad, more }) = import(&headers, &many) else { panic!() };
    assert_eq!((bad.len(), more), (100, 30));
}

#[test]
fn a_proposal_suffices_when_something_names_the_rows() {
    assert!(is_sufficient(&Mapping::propose(&["订单号", "付费状态"])));
    assert!(!is_sufficient(&Mapping::propose(&["付费状态", "销售金额"])));
    assert!(Mapping::propose(&["付费状态"]).unsaid.contains(&Field::OrderId));
}

#[test]
fn a_file_is_taken_up_once_and_its_rows_are_split_into_events() {
    let rows = import(&["订单号", "订单行ID", "销售金额"], &[&["CS1", "CS1-000001", "1"]]).unwrap();
    let rows: Vec<_> = rows.into_iter().cycle().take(ROWS_PER_EVENT + 1).collect();
    let mapping = Mapping::propose(&["订单号"]).mapping;
    let imported = TransactionsImported { file_name: "a.csv".into(), sha256: "0".repeat(64), mapping, rows: 501 };
    let mut known = Transactions::default();
    let events = known.import(imported.clone(), &rows);
    let listed = events.iter().filter_map(|event| match event {
        Event::Listed(listed) => Some(listed.rows.len()),
        Event::Imported(_) => None,
    });
    assert_eq!(listed.collect::<Vec<_>>(), [ROWS_PER_EVENT, 1]);
    events.iter().for_each(|event| known.evolve(event));
    assert_eq!(known.import(imported, &rows), []);
}
