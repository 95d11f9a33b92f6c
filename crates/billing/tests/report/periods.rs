//! Periods from gross to net, and what is paid of them.

use chopmark_billing::report::periods::{Balance, PeriodState};
use chopmark_billing::store::DocumentKey;
use chopmark_domain::ids::Sku;
use chopmark_domain::settlement::policy::{BillTotal, Carry};
use chopmark_domain::settlement::terms::SettlementTerms;

use crate::shelf::{Shelf, billed, month, number, product, refund, sale, seller, terms};

fn purchase() -> Shelf {
    Shelf::new(vec![sale("CS6", "2024-05-05T02:00:00Z", "100.00", "95.00")])
}

#[tokio::test]
async fn a_monthly_purchase_is_run_on_the_monday_after_and_paid_without_its_fee() {
    let view = purchase().ask("2024-06-01T04:00:00Z", async |billing, asking| billing.periods(asking).await).await;
    let read = view.unwrap();
    assert_eq!(read.position.0, 42);
    let [view] = read.value.periods.as_slice() else { panic!("{:?}", read.value) };
    assert_eq!((view.period, view.state), (month("202405"), PeriodState::RunDue));
    assert_eq!((view.run.date.to_string(), view.run.certain), ("2024-06-03".into(), true));
    let [tab] = view.tabs.as_slice() else { panic!("{view:?}") };
    assert_eq!((tab.columns.sales, tab.columns.fee, tab.shown), (number("100"), number("5"), number("95.00")));
    assert_eq!(view.balances[0].payable, number("95.00"));
}

#[tokio::test]
async fn a_period_goes_from_running_to_closed() {
    let state = async |shelf: Shelf, now| {
        let view = shelf.ask(now, async |billing, asking| billing.period(asking, month("202405")).await).await;
        view.unwrap().value.unwrap().state
    };
    assert_eq!(state(purchase(), "2024-05-31T15:59:59Z").await, PeriodState::Running);
    assert_eq!(state(purchase(), "2024-05-31T16:00:00Z").await, PeriodState::RunDue);
    assert_eq!(state(purchase(), "2024-06-02T16:00:00Z").await, PeriodState::Run);
    let imported = purchase().with_bill("202405", vec![billed(2, "CS6", "95.00")]);
    assert_eq!(state(imported, "2024-06-02T16:00:00Z").await, PeriodState::Billed);
    let closed = purchase().with_closed("202405", "2024-06-10T00:00:00Z");
    assert_eq!(state(closed, "2024-06-10T00:00:00Z").await, PeriodState::Closed);
}

#[tokio::test]
async fn a_bill_is_shown_beside_what_was_expected_even_where_nothing_was() {
    let shelf = purchase().with_bill("202405", vec![billed(2, "CS6", "90.00")]);
    let shelf = shelf.with_bill("202404", vec![billed(2, "CS7", "10.00")]);
    let view = shelf.ask("2024-06-10T00:00:00Z", async |billing, asking| billing.periods(asking).await).await.unwrap();
    let bills: Vec<_> = view.value.periods.iter().map(|view| view.tabs[0].bill.as_ref().unwrap()).collect();
    assert_eq!((bills[0].total, bills[0].difference), (number("10.00"), number("10.00")));
    assert_eq!((bills[1].total, bills[1].difference), (number("90.00"), number("-5.00")));
}

async fn balances(carry: Carry) -> Vec<(String, Balance)> {
    let lines = vec![
        sale("CS1", "2024-06-05T02:00:00Z", "200.00", "190.00"),
        refund("CS2", "CS0", "2024-06-10T02:00:00Z", "-950.00"),
        sale("CS3", "2024-08-05T02:00:00Z", "100.00", "95.00"),
    ];
    let terms = terms(|terms| {
        terms.deposit = Some(number("500.00"));
        terms.policy.carry = carry;
    });
    let shelf = Shelf::new(lines).under(&terms, &[]);
    let view = shelf.ask("2024-09-10T00:00:00Z", async |billing, asking| billing.periods(asking).await).await.unwrap();
    let of = |view: chopmark_billing::report::periods::PeriodView| {
        (view.period.to_string(), view.balances.into_iter().next().unwrap())
    };
    view.value.periods.into_iter().map(of).collect()
}

#[tokio::test]
async fn a_negative_month_draws_the_deposit_at_once_or_after_a_month() {
    let at_once = balances(Carry::DepositAtOnce).await;
    let (period, first) = &at_once[0];
    assert_eq!(period, "202406");
    assert_eq!((first.net, first.payable), (number("-760.00"), number("0")));
    assert_eq!(
        (first.from_deposit, first.receivable, first.deposit),
        (number("500.00"), number("260.00"), number("0"))
    );
    assert_eq!((at_once[1].1.payable, at_once[1].1.deposit), (number("95.00"), number("0")));

    let later = balances(Carry::DepositAfterNextMonth).await;
    assert_eq!(later.iter().map(|(period, _)| period.as_str()).collect::<Vec<_>>(), ["202406", "202407", "202408"]);
    assert_eq!((later[0].1.carried_forward, later[0].1.from_deposit), (number("760.00"), number("0")));
    assert_eq!((later[1].1.from_deposit, later[1].1.receivable), (number("500.00"), number("260.00")));
    assert_eq!(later[2].1.payable, number("95.00"));
    assert!(later[1].1.explanation.iter().any(|step| step.contains("shortfall_brought_forward 760")));
}

#[tokio::test]
async fn a_total_is_rounded_as_the_policy_says() {
    let thirds = || (1..=3).map(|n| sale(&format!("CS{n}"), "2024-05-05T02:00:00Z", "0.335", "0.335")).collect();
    for (rounding, expected) in [(BillTotal::RoundTheSum, "1.01"), (BillTotal::SumTheRounded, "1.02")] {
        let shelf = Shelf::new(thirds()).under(&terms(|terms| terms.policy.bill_total = rounding), &[]);
        let view = shelf.ask("2024-06-01T00:00:00Z", async |billing, asking| billing.periods(asking).await).await;
        let tab = view.unwrap().value.periods.remove(0).tabs.remove(0);
        assert_eq!((tab.exact, tab.shown), (number("1.005"), number(expected)), "{rounding:?}");
    }
}

#[tokio::test]
async fn the_way_to_the_next_tier_is_told_for_products_that_take_part() {
    let sku = |id: &str| Sku::parse(id).unwrap();
    let apart = SettlementTerms { tiers: false, ..SettlementTerms::default() };
    let products = [(sku("plan"), product(SettlementTerms::default())), (sku("apart"), product(apart))];
    let mut shelf = Shelf::new(vec![]).under(&terms(|_| {}), &products);
    for (name, amount) in [("202405/apart", "900000"), ("202405/plan", "480000.50"), ("202406/plan", "2000000")] {
        let key = DocumentKey { seller: seller(), kind: "month", name: name.into() };
        shelf.documents.insert(key, format!(r#"{{"amount":"{amount}","currency":"CNY"}}"#));
    }
    let tiers = shelf.ask("2024-06-01T00:00:00Z", async |billing, asking| billing.tiers(asking, month("202405")).await);
    let tiers = tiers.await.unwrap();
    let [tier] = tiers.as_slice() else { panic!("{tiers:?}") };
    assert_eq!((tier.sku.as_str(), tier.share.value()), ("plan", number("0")));
    assert_eq!((tier.next_at, tier.to_go), (Some(number("500000")), Some(number("19999.50"))));
}
