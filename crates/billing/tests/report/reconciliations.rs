//! Bills against lines.

use chopmark_billing::report::reconciliation::{Reconciled, ReconciliationAsked, ShownPair};
use chopmark_domain::settlement::money::{Currency, Ratio};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::reconciliation::Tolerance;
use chopmark_domain::settlement::reconciliation::judgement::Judgement;
use chopmark_domain::settlement::reconciliation::key::Key;

use crate::shelf::{Shelf, billed, month, number, sale};

const NOW: &str = "2024-07-10T00:00:00Z";

async fn reconciled(shelf: Shelf) -> Reconciled {
    let asked = ReconciliationAsked { period: month("202405"), category: None, tolerance: Tolerance::default() };
    shelf.ask(NOW, async |billing, asking| billing.reconciliation(asking, asked).await).await.unwrap()
}

/// Four sales of May; a bill with one right, one with another fee, one missing since it is on June's, and one unknown.
fn planted() -> Shelf {
    let may = "2024-05-05T02:00:00Z";
    let lines = vec![
        sale("CS1", may, "100.00", "95.00"),
        sale("CS2", may, "1000.00", "950.00"),
        sale("CS3", may, "300.00", "285.00"),
    ];
    let mut dear = billed(3, "CS2", "900.00");
    dear.fee_ratio = Some(Ratio::percent(10));
    let mut late = billed(2, "CS3", "285.00");
    late.paid_at = Some("2024-06-02T02:00:00Z".parse().unwrap());
    let rows = vec![billed(2, "CS1", "95.00"), dear, billed(4, "CS9", "20.00")];
    Shelf::new(lines).with_bill("202405", rows).with_bill("202406", vec![late])
}

fn told(pair: &ShownPair) -> (String, &'static str, String) {
    let Key::Line(id) = &pair.key else { panic!("{pair:?}") };
    (id.clone(), pair.outcome, pair.causes.first().map(|cause| cause.code.clone()).unwrap_or_default())
}

#[tokio::test]
async fn differences_come_first_by_what_is_at_stake_with_their_probable_causes() {
    let reconciled = reconciled(planted()).await;
    let page = reconciled.page(0, 10, false);
    let told: Vec<_> = page.pairs.iter().map(told).collect();
    let expected = [
        ("CS3-000001", "MISSING_ON_BILL", "OTHER_PERIOD_PAID"),
        ("CS2-000001", "AMOUNT_DIFFERS", "OTHER_FEE_RATIO"),
        ("CS9-000001", "UNKNOWN_TO_US", "NOT_HEARD_OF"),
        ("CS1-000001", "MATCHED", ""),
    ];
    assert_eq!(told, expected.map(|(id, outcome, cause)| (id.to_owned(), outcome, cause.to_owned())));
    let differing = &page.pairs[1];
    assert_eq!(differing.difference, number("-50.00"));
    assert_eq!((differing.lines[0].sources[0].position.as_str(), differing.rows[0].row), ("7", 3));
    let bills = reconciled.bills();
    let totals = &bills[0].totals[0];
    assert_eq!((totals.expected, totals.billed, totals.open), (number("1330.00"), number("1015.00"), 3));
}

#[tokio::test]
async fn pages_of_pairs_follow_each_other() {
    let reconciled = reconciled(planted()).await;
    let (first, second) = (reconciled.page(0, 2, true), reconciled.page(2, 2, true));
    assert_eq!((first.pairs.len(), first.next), (2, Some(2)));
    assert_eq!((second.pairs.len(), second.next), (1, None));
}

#[tokio::test]
async fn a_judgement_stands_until_the_difference_is_another() {
    let key = Key::Line("CS2-000001".into());
    let before = reconciled(planted()).await;
    let pair = before.pair(Category::Generic, &key, Currency::CNY).unwrap();
    let judged = pair.judge(Judgement::Disputed, "ticket 4711");
    let mut shelf = planted();
    shelf.bills[0].judgements = vec![judged.clone()];
    let after = reconciled(shelf).await;
    let shown = after.page(0, 10, true).pairs.into_iter().find(|pair| pair.key == key).unwrap();
    assert_eq!(shown.judged.map(|judged| judged.note), Some("ticket 4711".into()));
    assert_eq!(after.bills()[0].totals[0].open, 2);

    let mut shelf = planted();
    shelf.bills[0].judgements = vec![judged];
    shelf.bill_rows[1].row.settle_amount = number("899.00");
    let changed = reconciled(shelf).await.page(0, 10, true).pairs.into_iter().find(|pair| pair.key == key).unwrap();
    assert_eq!(changed.judged, None);
}

#[tokio::test]
async fn a_period_without_a_bill_says_so() {
    let shelf = Shelf::new(vec![sale("CS1", "2024-05-05T02:00:00Z", "100.00", "95.00")]);
    let reconciled = reconciled(shelf).await;
    assert!(reconciled.bills().is_empty() && reconciled.page(0, 10, false).pairs.is_empty());
    assert_eq!((reconciled.without_bill[0].category, reconciled.without_bill[0].lines), (Category::Generic, 1));
}
