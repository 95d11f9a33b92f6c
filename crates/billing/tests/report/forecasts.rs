//! What will be paid, and what stands in its way.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use chopmark_billing::rows::LineRow;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::marked::{Happening, Marked};
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::policy::{BillTotal, Carry, Guarantee};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::readiness::{AgeBucket, Blocked, Missing, OnBill, Supervision};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use tokio::runtime::Runtime;

use crate::shelf::{Shelf, at, month, number, refund, sale, terms};

const NOW: &str = "2024-06-20T04:00:00Z";

fn waiting(order: &str, open_since: &str, change: impl FnOnce(&mut LineRow)) -> LineRow {
    let mut row = sale(order, "2024-06-05T02:00:00Z", "100.00", "95.00");
    row.drawn.open_since = at(open_since);
    row.drawn.line.period = None;
    change(&mut row);
    row
}

#[tokio::test]
async fn lines_wait_under_their_reason_and_their_age() {
    let supervised = Supervision::Until(Happening::NotYet);
    let lines = vec![
        sale("CS1", "2024-06-05T02:00:00Z", "100.00", "95.00"),
        waiting("CS2", "2024-05-01T02:00:00Z", |row| row.drawn.conditions.supervision = supervised),
        waiting("CS3", "2024-02-01T02:00:00Z", |row| row.drawn.conditions.paid_in_full = Happening::NotYet),
        waiting("CS4", "2024-06-19T02:00:00Z", |row| {
            row.drawn.conditions.effective = Happening::Unknown;
            row.drawn.missing = vec![Missing::EffectiveAt];
            row.drawn.line.settle_amount = None;
        }),
    ];
    let view = Shelf::new(lines).ask(NOW, async |billing, asking| billing.forecast(asking).await).await.unwrap().value;
    assert_eq!(view.open_period, month("202406"));
    let seen: Vec<_> =
        view.waiting.iter().map(|waiting| (waiting.reason, waiting.age, waiting.expected.total)).collect();
    assert_eq!(
        seen,
        [
            (Blocked::UnpaidCredit, AgeBucket::Over120, number("95.00")),
            (Blocked::SupervisionOpen, AgeBucket::UpTo60, number("95.00")),
            (Blocked::FactsMissing, AgeBucket::UpTo30, number("0")),
            (Blocked::RunNotReached, AgeBucket::UpTo30, number("95.00")),
        ]
    );
    let [period] = view.periods.as_slice() else { panic!("{view:?}") };
    assert_eq!((period.period, period.expected.lines, period.balance.payable), (month("202406"), 1, number("95.00")));
    let without = &view.without_period[0].expected;
    assert_eq!((without.lines, without.not_computed, without.total), (3, 1, number("190.00")));
}

#[tokio::test]
async fn what_an_earlier_bill_left_out_is_paid_once() {
    let mut left_out = sale("CS1", "2024-05-05T02:00:00Z", "100.00", "95.00");
    left_out.drawn.on_bill = OnBill::Unbilled;
    let lines = vec![left_out, refund("CS2", "CS0", "2024-05-10T02:00:00Z", "-50.00")];
    let terms = terms(|terms| terms.policy.carry = Carry::DepositAfterNextMonth);
    let shelf = Shelf::new(lines).under(&terms, &[]);
    let view = shelf.ask(NOW, async |billing, asking| billing.forecast(asking).await).await.unwrap().value;
    // May had nothing but the refund; its shortfall is taken from June, on whose bill the sale is.
    assert_eq!(view.accounts[0].shortfall, number("50.00"));
    let [june] = view.periods.as_slice() else { panic!("{view:?}") };
    assert_eq!(
        (june.period, june.expected.total, june.balance.payable),
        (month("202406"), number("95.00"), number("45.00"))
    );
}

#[tokio::test]
async fn estimates_are_told_apart() {
    let mut guessed = sale("CS1", "2024-06-05T02:00:00Z", "100.00", "95.00");
    guessed.drawn.line.paid_at = Some(Marked::estimate(at("2024-06-05T02:00:00Z")));
    guessed.drawn.conditions.paid_in_full = Happening::At(Marked::estimate(at("2024-06-05T02:00:00Z")));
    let lines = vec![guessed, sale("CS2", "2024-06-06T02:00:00Z", "200.00", "190.00")];
    let view = Shelf::new(lines).ask(NOW, async |billing, asking| billing.forecast(asking).await).await.unwrap().value;
    let expected = view.periods[0].expected;
    assert_eq!((expected.stated, expected.estimated), (number("190.00"), number("95.00")));
    assert!(view.periods[0].estimated);
}

#[tokio::test]
async fn settled_months_that_nobody_closed_are_not_read_again() {
    let settled = (0..2_500).map(|n| sale(&format!("CS{n:04}"), "2023-05-05T02:00:00Z", "1.00", "0.95"));
    let mut left_out = sale("CT1", "2023-06-05T02:00:00Z", "100.00", "95.00");
    left_out.drawn.on_bill = OnBill::Unbilled;
    let mut unpaid = sale("CT2", "2024-06-05T02:00:00Z", "10.00", "9.50");
    unpaid.drawn.conditions.paid_in_full = Happening::Unknown;
    let open = sale("CT3", "2024-06-05T02:00:00Z", "1.00", "0.95");
    let shelf = Shelf::new(settled.chain([left_out, unpaid, open]).collect());
    let lines_read = Arc::clone(&shelf.lines_read);
    let view = shelf.ask(NOW, async |billing, asking| billing.forecast(asking).await).await.unwrap().value;
    assert_eq!((view.periods[0].period, view.periods[0].expected.lines), (month("202406"), 3), "each of them once");
    assert_eq!(view.periods[0].expected.total, number("105.45"));
    // Those that may wait; the others are kept in a sum.
    assert_eq!(lines_read.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn everything_of_a_seller_who_is_not_certified_waits() {
    let terms = terms(|terms| terms.certified = false);
    let shelf = Shelf::new(vec![sale("CS1", "2023-05-05T02:00:00Z", "100.00", "95.00")]).under(&terms, &[]);
    let view = shelf.ask(NOW, async |billing, asking| billing.forecast(asking).await).await.unwrap().value;
    assert_eq!((view.waiting[0].reason, view.periods[0].period), (Blocked::SellerNotCertified, month("202406")));
}

#[tokio::test]
async fn a_shortfall_is_carried_for_one_month_also_where_nothing_happened_since() {
    let terms = terms(|terms| {
        terms.policy.carry = Carry::DepositAfterNextMonth;
        terms.deposit = Some(number("500.00"));
    });
    let lines = || vec![refund("CS2", "CS0", "2024-01-10T02:00:00Z", "-50.00")];
    let account = async |now| {
        let shelf = Shelf::new(lines()).under(&terms, &[]);
        let (forecast, overview) = shelf
            .ask(now, async |billing, asking| {
                (billing.forecast(asking).await.unwrap().value, billing.periods(asking).await.unwrap().value)
            })
            .await;
        let last = overview.periods.last().unwrap().balances[0].clone();
        assert_eq!(
            (forecast.accounts[0].deposit, forecast.accounts[0].shortfall),
            (last.deposit, last.carried_forward)
        );
        (last.deposit, last.carried_forward)
    };
    // January's bill is run, then February's.
    assert_eq!(account("2024-02-20T00:00:00Z").await, (number("500.00"), number("50.00")));
    assert_eq!(account("2024-03-20T00:00:00Z").await, (number("450.00"), number("0")));
    assert_eq!(account(NOW).await, (number("450.00"), number("0")));
}

/// What is drawn by lot for a line: moments by their days from now, amounts in tenths of a cent, and choices.
type Lot = (i64, i64, i64, i64, Option<i64>, [u8; 9]);

fn lot() -> impl Strategy<Value = Lot> {
    let days = || -70_i64..70;
    (days(), days(), days(), 0_i64..150, prop::option::weighted(0.9, -50_000_i64..90_000), any::<[u8; 9]>())
}

/// A line by lot. Most are certain; the others lack a fact, are on a bill or not, or stand in a closed month.
fn by_lot(n: usize, lot: &Lot) -> LineRow {
    let (effective, paid, accepted, open_since, tenths, choices) = lot;
    let [kind, bill, mark, supervised, guaranteed, currency, other, place, tab] = choices;
    let now = at(NOW);
    let moment = |days: &i64| now + TimeDelta::days(*days);
    let mark = |at: DateTime<Utc>| if mark % 3 == 0 { Marked::estimate(at) } else { Marked::stated(at) };
    let mut row = sale(&format!("CS{n:03}"), "2024-06-05T02:00:00Z", "1.00", "0.95");
    let (effective, paid, accepted) = (mark(moment(effective)), mark(moment(paid)), mark(moment(accepted)));
    let is_supervised = supervised % 3 == 0;
    let mut ready = effective.value.max(paid.value);
    let conditions = &mut row.drawn.conditions;
    conditions.effective = Happening::At(effective);
    conditions.paid_in_full = Happening::At(paid);
    if is_supervised {
        conditions.supervision = Supervision::Until(Happening::At(accepted));
        ready = ready.max(accepted.value);
    }
    if guaranteed % 2 == 0 {
        conditions.five_day_refund = true;
        ready = ready.max(effective.value + TimeDelta::days(5));
    }
    match kind % 12 {
        0 => conditions.effective = Happening::NotYet,
        1 => conditions.paid_in_full = Happening::Unknown,
        2 => conditions.seller_certified = None,
        3 => row.drawn.missing = vec![Missing::LineType],
        4 => row.drawn.with_refund = true,
        _ => {}
    }
    let period = Period::of(ready);
    let line = &mut row.drawn.line;
    line.effective_at = Some(effective);
    line.paid_at = Some(paid);
    line.supervision_done_at = is_supervised.then_some(accepted);
    line.currency = if currency % 4 == 0 { Currency::USD } else { Currency::CNY };
    line.settle_amount = tenths.map(|tenths| Marked::stated(Decimal::new(tenths, 3)));
    // A tab that is not known counts as the first.
    line.product_category =
        [Some(Category::JointOperation), None].get(usize::from(tab % 4)).copied().unwrap_or(Some(Category::Generic));
    line.settle_ready_at = (kind % 12 > 1 && other % 9 != 0).then(|| mark(ready));
    // Most are in the period in which they are ready; some are moved on.
    line.period =
        [Some(period.next()), None, Some(period.prev())].get(usize::from(place % 12)).copied().unwrap_or(Some(period));
    row.drawn.on_bill = match bill % 8 {
        0 => OnBill::Unbilled,
        1 => OnBill::Billed(period),
        _ => OnBill::Unknown,
    };
    row.closed_in = (bill % 8 == 2).then_some(period);
    row.drawn.open_since = moment(&-open_since) + TimeDelta::hours(i64::from(*other) % 24);
    row.drawn.columns = row.drawn.line.columns();
    row
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

proptest! {
    #[test]
    fn a_forecast_from_sums_is_that_of_all_lines_one_by_one(
        lots in prop::collection::vec(lot(), 0..60),
        guarantee in prop::sample::select(vec![Guarantee::Held, Guarantee::NotHeld]),
        is_certified in prop::bool::weighted(0.9),
        bill_total in prop::sample::select(vec![BillTotal::RoundTheSum, BillTotal::SumTheRounded]),
    ) {
        let terms = terms(|terms| {
            terms.policy.guarantee = guarantee;
            terms.policy.bill_total = bill_total;
            terms.certified = is_certified;
        });
        let forecast = |is_line_by_line| {
            let lines = lots.iter().enumerate().map(|(n, lot)| by_lot(n, lot)).collect();
            let shelf = Shelf { is_line_by_line, ..Shelf::new(lines) }.under(&terms, &[]);
            let read = Arc::clone(&shelf.lines_read);
            let ask = shelf.ask(NOW, async |billing, asking| billing.forecast(asking).await.unwrap().value);
            (RUNTIME.block_on(ask), read.load(Ordering::Relaxed))
        };
        let ((from_sums, few), (one_by_one, all)) = (forecast(false), forecast(true));
        prop_assert_eq!(from_sums, one_by_one);
        prop_assert!(few <= all && all == lots.len());
    }
}
