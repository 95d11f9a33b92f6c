//! Lines as they stand.

use chopmark_billing::report::lines::LinesAsked;
use chopmark_billing::store::{LineQuery, PeriodFilter};
use chopmark_domain::settlement::marked::Happening;
use chopmark_domain::settlement::readiness::{Blocked, OnBill};

use crate::shelf::{Shelf, month, sale, seller};

pub(crate) fn asked(limit: usize) -> LinesAsked {
    let query = LineQuery {
        seller: seller(),
        period: PeriodFilter::Any,
        category: None,
        line_type: None,
        sku: None,
        order_id: None,
        recomputed: false,
        not_computed: false,
        estimated: None,
        after: None,
        limit,
    };
    LinesAsked { query, blocked: None }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap_also_in_a_search() {
    let lines = (0..2_500).map(|n| {
        let mut row = sale(&format!("CS{n:04}"), "2024-05-05T02:00:00Z", "1.00", "0.95");
        if n % 1_000 == 999 {
            row.drawn.conditions.paid_in_full = Happening::NotYet;
        }
        row
    });
    let shelf = Shelf::new(lines.collect());
    let (all, unpaid) = shelf
        .ask("2024-06-10T00:00:00Z", async |billing, asking| {
            let mut counts = vec![];
            for blocked in [None, Some(Blocked::UnpaidCredit)] {
                let (mut ids, mut next) = (vec![], LinesAsked { blocked, ..asked(400) });
                loop {
                    let page = billing.lines(asking, &next).await.unwrap().value;
                    ids.extend(page.lines.into_iter().map(|shown| shown.line.line_id));
                    let Some(after) = page.next else { break };
                    next.query.after = Some(after);
                }
                counts.push(ids);
            }
            (counts.remove(0), counts.remove(0))
        })
        .await;
    assert_eq!(all.len(), 2_500);
    assert!(all.is_sorted());
    assert_eq!(unpaid, ["CS0999-000001", "CS1999-000001"]);
}

#[tokio::test]
async fn a_line_waits_for_its_run_and_then_for_nothing() {
    let shown = async |on_bill, now: &str| {
        let mut row = sale("CS1", "2024-05-05T02:00:00Z", "1.00", "0.95");
        row.drawn.on_bill = on_bill;
        let line = Shelf::new(vec![row]).ask(now, async |billing, asking| billing.line(asking, "CS1-000001").await);
        line.await.unwrap().value.unwrap().shown
    };
    let before = shown(OnBill::Unknown, "2024-06-02T15:59:59Z").await;
    assert_eq!(
        (before.blocked.as_slice(), before.line.blocked_reason),
        ([Blocked::RunNotReached].as_slice(), Some(Blocked::RunNotReached))
    );
    let after = shown(OnBill::Unknown, "2024-06-02T16:00:00Z").await;
    assert_eq!((after.blocked.len(), after.age, after.expected_period), (0, None, Some(month("202405"))));
    // The marketplace says that it left it out: it is on the next bill.
    let left_out = shown(OnBill::Unbilled, "2024-06-10T00:00:00Z").await;
    assert_eq!(
        (left_out.expected_period, left_out.blocked.as_slice()),
        (Some(month("202406")), [Blocked::RunNotReached].as_slice())
    );
}
