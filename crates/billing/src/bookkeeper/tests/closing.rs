//! Closed months stand as they were closed; what comes later moves on, or is proposed as a correction.

use chopmark_domain::order::OrderType;
use chopmark_domain::settlement::bill::event::BillProgressed;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::statement::StatedFacts;
use rust_decimal::Decimal;

use super::desk::Desk;
use super::shop::{Shop, acme, gives_back, period, settled_at};

fn amount(yuan: i64) -> Decimal {
    Decimal::new(yuan, 0)
}

/// Two sales in May, the month closed in June.
async fn closed_may() -> (Shop, Desk) {
    let mut shop = Shop::new("2024-05-02T00:00:00Z");
    shop.sell("i-1", "a", amount(100));
    shop.sell("i-2", "b", amount(200));
    shop.sell("i-3", "c", amount(300));
    let desk = Desk::of(&shop.records).await;
    let lines: Vec<_> = desk.lines_in("202405").await.iter().map(|row| row.line().clone()).collect();
    shop.wait_until("2024-06-05T00:00:00Z");
    shop.close("202405", &lines);
    desk.fold(&shop.records, 1_024, 500).await;
    (shop, desk)
}

#[tokio::test]
async fn closed_lines_stay_as_they_are_and_what_they_would_be_is_shown_beside_them() {
    let (mut shop, desk) = closed_may().await;
    let before = desk.line("a-1").await;
    assert_eq!((before.closed_in, before.recomputed.clone()), (Some(period("202405")), None));
    let stated = StatedFacts { voucher_amount: Some(amount(20)), ..StatedFacts::default() };
    shop.state("a", stated);
    desk.fold(&shop.records, 1_024, 500).await;
    let after = desk.line("a-1").await;
    assert_eq!(after.line(), before.line());
    let recomputed = after.recomputed.expect("another amount");
    assert_eq!(recomputed.settle_amount.unwrap().value, amount(76));
    assert_eq!(desk.line("b-1").await.recomputed, None);
    desk.adds_up().await;
}

#[tokio::test]
async fn a_line_that_becomes_known_after_its_month_was_closed_is_on_the_next() {
    let (mut shop, desk) = closed_may().await;
    shop.sell("i-4", "late", amount(400));
    shop.state("late", settled_at("2024-05-20T00:00:00Z"));
    desk.fold(&shop.records, 1_024, 500).await;
    let late = desk.line("late-1").await;
    assert_eq!((late.line().period, late.closed_in), (Some(period("202406")), None));
    assert_eq!(desk.lines_in("202405").await.len(), 3);
    desk.adds_up().await;
}

#[tokio::test]
async fn a_line_that_the_close_does_not_list_moves_on() {
    let mut shop = Shop::new("2024-05-02T00:00:00Z");
    shop.sell("i-1", "a", amount(100));
    let desk = Desk::of(&shop.records).await;
    let lines: Vec<_> = desk.lines_in("202405").await.iter().map(|row| row.line().clone()).collect();
    // Between looking and closing.
    shop.sell("i-2", "between", amount(200));
    shop.adjust("202405", "T-7", amount(-10));
    shop.close("202405", &lines);
    desk.fold(&shop.records, 1_024, 500).await;
    assert_eq!(desk.line("a-1").await.closed_in, Some(period("202405")));
    for line in ["between-1", "adjustment/202405/T-7"] {
        let line = desk.line(line).await;
        assert_eq!((line.line().period, line.closed_in), (Some(period("202406")), None));
    }
    desk.adds_up().await;
}

#[tokio::test]
async fn a_refund_of_a_closed_line_is_a_line_of_its_own_month() {
    let (mut shop, desk) = closed_may().await;
    shop.release("i-1", "back");
    shop.answer("back", OrderType::Unsubscribe, amount(-100));
    shop.state("back", gives_back("a", "2024-06-06T00:00:00Z"));
    desk.fold(&shop.records, 1_024, 500).await;
    assert_eq!(desk.settled("back").await, amount(-95));
    assert_eq!(desk.line("back-1").await.line().period, Some(period("202406")));
    let original = desk.line("a-1").await;
    assert_eq!((original.closed_in, original.recomputed), (Some(period("202405")), None));
    desk.adds_up().await;
}

#[tokio::test]
async fn a_closed_line_that_was_withdrawn_would_come_to_nothing() {
    let (mut shop, desk) = closed_may().await;
    shop.state("c", StatedFacts { withdrawn: Some(true), ..StatedFacts::default() });
    desk.fold(&shop.records, 1_024, 500).await;
    let line = desk.line("c-1").await;
    assert_eq!(line.line().settle_amount.unwrap().value, amount(285));
    assert_eq!(line.recomputed.unwrap().settle_amount.unwrap().value, amount(0));
    desk.adds_up().await;
}

#[tokio::test]
async fn an_empty_month_is_closed_too() {
    let mut shop = Shop::new("2024-05-02T00:00:00Z");
    shop.close("202404", &[]);
    shop.sell("i-1", "a", amount(100));
    shop.state("a", settled_at("2024-04-20T00:00:00Z"));
    let desk = Desk::of(&shop.records).await;
    assert_eq!(desk.line("a-1").await.line().period, Some(period("202405")));
    let closed = desk.store_closed().await;
    assert_eq!(closed, [period("202404")]);
}

#[tokio::test]
async fn an_import_of_a_bill_takes_the_place_of_the_one_before_and_keeps_its_progress() {
    let mut shop = Shop::new("2024-06-05T00:00:00Z");
    // Read on the console before the file was exported.
    let state = Some(BillState::PendingApproval);
    shop.progress("202405", BillProgressed { state, ..BillProgressed::default() });
    shop.bill("202405", 1, &[9_500, 19_000]);
    let desk = Desk::of(&shop.records).await;
    shop.bill("202405", 2, &[9_501]);
    let request = Some("R-1".to_owned());
    shop.progress("202405", BillProgressed { payment_request_no: request.clone(), ..BillProgressed::default() });
    desk.fold(&shop.records, 1, 500).await;
    let [head] = &desk.store_bills().await[..] else { panic!("one bill") };
    assert_eq!(head.imported.revision, 2);
    assert_eq!((head.progress.state, &head.progress.payment_request_no), (state, &request));
    assert_eq!(head.totals.iter().map(|(_, total)| *total).collect::<Vec<_>>(), [Decimal::new(9_501, 2)]);
    let rows = desk.store_bill_rows(&head.identity).await;
    assert_eq!(rows.iter().map(|row| row.row.settle_amount).collect::<Vec<_>>(), [Decimal::new(9_501, 2)]);
    assert_eq!(desk.text().await, Desk::of(&shop.records).await.text().await);
    assert_eq!(head.identity.seller, acme());
}

#[tokio::test]
async fn rows_of_a_bill_that_say_how_far_it_is_are_believed_until_somebody_says_otherwise() {
    let mut shop = Shop::new("2024-06-05T00:00:00Z");
    let of = |state| BillProgressed { state: Some(state), ..BillProgressed::default() };
    shop.progress("202405", BillProgressed { invoice_no: Some("I-1".into()), ..of(BillState::Generated) });
    shop.bill_in("202405", 1, &[9_500, 19_000], Some(BillState::PendingInvoice));
    let state = async |shop: &Shop| {
        let [head] = &Desk::of(&shop.records).await.store_bills().await[..] else { panic!("one bill") };
        (head.progress.state, head.progress.invoice_no.clone())
    };
    assert_eq!(state(&shop).await, (Some(BillState::PendingInvoice), Some("I-1".into())));
    shop.progress("202405", of(BillState::Paid));
    assert_eq!(state(&shop).await, (Some(BillState::Paid), Some("I-1".into())));
}
