//! What a month would be closed with, and corrections of closed months.

use chopmark_billing::rows::AdjustmentRow;
use chopmark_domain::settlement::marked::Marked;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::month::AdjustmentRecorded;
use chopmark_domain::settlement::product::Category;

use crate::shelf::{Shelf, month, number, sale, seller, source};

const NOW: &str = "2024-07-20T00:00:00Z";

#[tokio::test]
async fn a_month_is_closed_with_its_lines_as_of_one_position() {
    let lines = vec![
        sale("CS1", "2024-05-05T02:00:00Z", "100.00", "95.0025"),
        sale("CS2", "2024-05-06T02:00:00Z", "100.00", "95.00"),
        sale("CS3", "2024-06-06T02:00:00Z", "100.00", "95.00"),
    ];
    let (view, closable) = Shelf::new(lines)
        .ask(NOW, async |billing, asking| {
            let period = month("202405");
            (billing.closing(asking, period).await.unwrap().value, billing.closable(asking, period).await.unwrap())
        })
        .await;
    assert!(view.can_be_closed);
    assert_eq!((view.lines, view.waiting, view.totals[0].exact), (2, 0, number("190.0025")));
    assert_eq!(closable.closed.totals, [(Currency::CNY, number("190.0025"))]);
    assert_eq!((closable.closed.computed_at, closable.lines.len()), (42, 2));
}

/// May was closed with 95, and would be 90 now.
fn recomputed() -> Shelf {
    let mut row = sale("CS1", "2024-05-05T02:00:00Z", "100.00", "95.00");
    let mut now = row.drawn.line.clone();
    now.settle_amount = Some(Marked::stated(number("90.00")));
    row.closed_in = Some(month("202405"));
    row.recomputed = Some(Box::new(now));
    Shelf::new(vec![row]).with_closed("202405", "2024-06-10T00:00:00Z")
}

#[tokio::test]
async fn a_recomputation_of_a_closed_month_is_proposed_on_the_next_open_bill() {
    let shelf = recomputed().with_closed("202407", "2024-07-19T00:00:00Z");
    let proposals = shelf.ask(NOW, async |billing, asking| billing.proposals(asking, None).await).await.unwrap().value;
    let [proposal] = proposals.as_slice() else { panic!("{proposals:?}") };
    assert_eq!((proposal.corrects, proposal.period), (month("202405"), month("202408")));
    assert_eq!(proposal.amount, Some(number("-5.00")));
}

#[tokio::test]
async fn what_is_recorded_is_not_proposed_again() {
    for (recorded, left) in [("-5.00", None), ("-2.00", Some(number("-3.00")))] {
        let mut shelf = recomputed();
        let adjustment = AdjustmentRecorded {
            id: "ticket".into(),
            corrects: month("202405"),
            category: Category::Generic,
            line_id: Some("CS1-000001".into()),
            amount: number(recorded),
            currency: Currency::CNY,
            note: "fee".into(),
        };
        let period = month("202407");
        shelf.adjustments.push(AdjustmentRow { seller: seller(), period, adjustment, source: source("month") });
        let proposals = shelf.ask(NOW, async |billing, asking| billing.proposals(asking, None).await).await.unwrap();
        assert_eq!(proposals.value.first().and_then(|proposal| proposal.amount), left, "{recorded}");
    }
}

#[tokio::test]
async fn a_line_in_another_currency_by_now_is_taken_back_in_the_one_and_given_in_the_other() {
    let mut shelf = recomputed();
    shelf.lines[0].recomputed.as_mut().unwrap().currency = Currency::USD;
    let proposals = shelf.ask(NOW, async |billing, asking| billing.proposals(asking, None).await).await.unwrap().value;
    let seen: Vec<_> = proposals.iter().map(|proposal| (proposal.currency, proposal.amount)).collect();
    assert_eq!(seen, [(Currency::CNY, Some(number("-95.00"))), (Currency::USD, Some(number("90.00")))]);
}
