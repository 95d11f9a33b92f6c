//! Lines as they stand.

use chopmark_billing::report::lines::{LinesAsked, ShownLine};
use chopmark_billing::report::quota::RefundQuota;
use chopmark_billing::store::{DocumentKey, LineQuery, PeriodFilter};
use chopmark_domain::settlement::bill::event::BillProgressed;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::marked::Happening;
use chopmark_domain::settlement::readiness::{Blocked, OnBill};
use chopmark_domain::settlement::refund::rules::{Answer, Grounds, Refusal};

use crate::shelf::{Shelf, billed, month, refund, sale, seller};

pub(crate) fn asked(limit: usize) -> LinesAsked {
    let query = LineQuery::every(seller(), limit);
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

fn paid() -> BillProgressed {
    let payment_request_no = Some("SF20240601".into());
    BillProgressed { state: Some(BillState::Paid), payment_request_no, invoice_no: None }
}

type BillOfLine = (Option<String>, Option<BillState>, Option<String>);

fn bill_of(shown: &ShownLine) -> BillOfLine {
    let line = &shown.line;
    (line.bill_id.clone(), line.bill_state, line.payment_request_no.clone())
}

#[tokio::test]
async fn a_line_says_how_far_its_bill_is_wherever_it_is_shown() {
    let shelf = || {
        let mut unpaid = sale("CS2", "2024-05-05T02:00:00Z", "1.00", "0.95");
        unpaid.drawn.conditions.paid_in_full = Happening::NotYet;
        // Nobody said under which tab it is; so it is under the first.
        let mut untold = sale("CS1", "2024-05-05T02:00:00Z", "1.00", "0.95");
        untold.drawn.line.product_category = None;
        let other_month = sale("CS3", "2024-04-05T02:00:00Z", "1.00", "0.95");
        Shelf::new(vec![untold, unpaid, other_month])
    };
    let mut imported = shelf().with_bill("202405", vec![billed(2, "CS1", "0.95")]);
    imported.bills[0].progress = paid();
    let mut only_told = shelf();
    let key = |seller, name: &str| DocumentKey { seller, kind: "bill", name: name.into() };
    let text = serde_json::to_string(&paid()).unwrap();
    only_told.documents.insert(key(seller(), "202405/generic"), text.clone());
    only_told.documents.insert(key(chopmark_domain::ids::SellerId::parse("other").unwrap(), "202404/generic"), text);
    let on_bill = (Some("202405".to_owned()), Some(BillState::Paid), Some("SF20240601".to_owned()));
    let on_none = (None, None, None);
    for shelf in [imported, only_told] {
        shelf
            .ask("2024-06-10T00:00:00Z", async |billing, asking| {
                let page = billing.lines(asking, &asked(10)).await.unwrap().value;
                let seen: Vec<_> = page.lines.iter().map(bill_of).collect();
                assert_eq!(seen, [on_bill.clone(), on_none.clone(), on_none.clone()], "the unpaid one is on no bill");
                let mut of_month = asked(10);
                of_month.query.period = PeriodFilter::In(month("202405"));
                let page = billing.lines(asking, &of_month).await.unwrap().value;
                assert_eq!(bill_of(&page.lines[0]), on_bill);
                let one = billing.line(asking, "CS1-000001").await.unwrap().value.unwrap();
                assert_eq!(bill_of(&one.shown), on_bill);
            })
            .await;
    }
}

#[tokio::test]
async fn a_refund_says_what_the_rules_say_to_it() {
    let mut late = refund("CS2", "CS1", "2024-05-10T02:00:00Z", "-50.00");
    late.drawn.refund_rule = Some(Answer::Refused(Refusal::WindowOver));
    let lines = vec![sale("CS1", "2024-05-01T02:00:00Z", "50.00", "47.50"), late];
    let page = Shelf::new(lines)
        .ask("2024-06-10T00:00:00Z", async |billing, asking| billing.lines(asking, &asked(10)).await)
        .await;
    let lines = page.unwrap().value.lines;
    let told = lines[1].refund_rule.unwrap();
    assert_eq!((told.answer, told.because), ("refused", Some("window_over")));
    assert_eq!(lines[0].refund_rule, None);
}

#[tokio::test]
async fn a_refund_within_five_days_shows_what_is_known_of_its_customers_yearly_quota() {
    let given_back = |order: &str, at: &str, customer: &str| {
        let mut row = refund(order, "CS1", at, "-50.00");
        row.drawn.refund_rule = Some(Answer::Full(Grounds::WithinFiveDays));
        row.drawn.line.customer_id = Some(customer.into());
        row
    };
    let mut bound = given_back("CS2", "2024-05-10T02:00:00Z", "ann");
    bound.drawn.line.line_id = "CS2-000001/CS1-000001".into();
    let mut late = given_back("CS6", "2024-05-10T02:00:00Z", "ann");
    late.drawn.refund_rule = Some(Answer::Refused(Refusal::WindowOver));
    let shelf = Shelf::new(vec![
        given_back("CS2", "2024-05-10T02:00:00Z", "ann"),
        bound,
        given_back("CS3", "2024-06-10T02:00:00Z", "ann"),
        given_back("CS4", "2024-12-31T16:00:00Z", "ann"),
        given_back("CS5", "2024-05-10T02:00:00Z", "bob"),
        late,
    ]);
    shelf
        .ask("2025-01-10T00:00:00Z", async |billing, asking| {
            let quota = async |line: &str| billing.line(asking, line).await.unwrap().value.unwrap().refund_quota;
            let of = |year, used, left| Some(RefundQuota { year, used, allowed: 10, left });
            assert_eq!(quota("CS2-000001").await, of(2024, 2, 8), "what was bought together counts once");
            assert_eq!(quota("CS4-000001").await, of(2025, 1, 9), "the year begins in Beijing");
            assert_eq!(quota("CS5-000001").await, of(2024, 1, 9));
            assert_eq!(quota("CS6-000001").await, None, "it was not one of these");
        })
        .await;
}
