//! What will be paid and when.

use chopmark_domain::settlement::balance::{Account, Adjustment};
use chopmark_domain::settlement::forecast::{Awaited, Forecast, Outlook, forecast};
use chopmark_domain::settlement::line::SettlementLine;
use chopmark_domain::settlement::line::bill_state::BillState;
use chopmark_domain::settlement::marked::{Happening, Mark, Marked};
use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::policy::{BillTotal, Carry, Policy};
use chopmark_domain::settlement::product::{Category, LineType, Site};
use chopmark_domain::settlement::readiness::{AgeBucket, Blocked, Conditions, OnBill, Readiness, Supervision, assess};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::support::*;

const NOW: &str = "2024-05-20 12:00:00";

/// A line with its readiness, open since the first of March.
struct Open(SettlementLine, Readiness, DateTime<Utc>);

fn open(id: &str, settle: Option<&str>, conditions: &Conditions) -> Open {
    let line = SettlementLine {
        settle_amount: settle.map(|amount| Marked::stated(dec(amount))),
        ..line(id, LineType::New, "0")
    };
    let readiness = assess(conditions, OnBill::Unknown, &Policy::default(), &schedule(Site::Cn), beijing(NOW));
    Open(line, readiness, beijing("2024-03-01"))
}

fn make(lines: &[Open], adjustments: &[Adjustment], deposit: &str, carry: Carry) -> Forecast {
    rounded(lines, adjustments, deposit, carry, BillTotal::default())
}

fn rounded(lines: &[Open], adjustments: &[Adjustment], deposit: &str, carry: Carry, bill_total: BillTotal) -> Forecast {
    let lines: Vec<_> = lines
        .iter()
        .map(|Open(line, readiness, open_since)| Awaited { line, readiness, open_since: *open_since })
        .collect();
    let schedule = schedule(Site::Cn);
    let accounts = [Account::with_deposit(rmb(deposit))];
    let outlook = Outlook {
        lines: &lines,
        adjustments,
        accounts: &accounts,
        schedule: &schedule,
        carry,
        bill_total,
        now: beijing(NOW),
    };
    forecast(&outlook).unwrap()
}

#[test]
fn each_tab_is_paid_as_its_own_bill_rounds_it() {
    let of_tab = |id, category| {
        let Open(line, readiness, since) = open(id, Some("0.335"), &opened("2024-05-05"));
        Open(SettlementLine { product_category: category, ..line }, readiness, since)
    };
    let lines = [
        of_tab("a", None),
        of_tab("b", Some(Category::Generic)),
        of_tab("c", Some(Category::Generic)),
        of_tab("d", Some(Category::JointOperation)),
    ];
    for (bill_total, expected) in [(BillTotal::RoundTheSum, "1.35"), (BillTotal::SumTheRounded, "1.36")] {
        let forecast = rounded(&lines, &[], "0", Carry::default(), bill_total);
        let [may] = forecast.periods.as_slice() else { panic!("{forecast:?}") };
        assert_eq!(may.closing.payable, rmb(expected), "{bill_total:?}");
        assert_eq!(may.sum.total().unwrap(), rmb("1.340"), "exactly");
    }
}

#[test]
fn every_line_shows_its_period_its_reasons_and_its_age() {
    let unpaid = Conditions { paid_in_full: Happening::NotYet, ..opened("2024-03-02") };
    let unaccepted = Conditions { supervision: Supervision::Until(Happening::NotYet), ..unpaid };
    let lines = [
        open("d", Some("95"), &unaccepted),
        open("c", Some("95"), &unpaid),
        open("b", Some("95"), &Conditions { effective: at("2024-07-01"), ..opened("2024-05-05") }),
        open("a", Some("95"), &opened("2024-05-05")),
    ];
    let forecast = make(&lines, &[], "0", Carry::default());
    let told: Vec<_> = forecast
        .lines
        .iter()
        .map(|line| (line.line_id.as_str(), line.period.map(|period| period.to_string()), line.reasons.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("a", Some("202405".into()), vec![Blocked::RunNotReached]),
            ("b", Some("202407".into()), vec![Blocked::NotEffective]),
            ("c", None, vec![Blocked::UnpaidCredit]),
            ("d", None, vec![Blocked::UnpaidCredit, Blocked::SupervisionOpen]),
        ]
    );
    assert!(forecast.lines.iter().all(|line| line.age == AgeBucket::UpTo90), "80 days");
    let without = forecast.without_period[&Currency::CNY];
    assert_eq!((without.stated, without.lines), (rmb("190"), 2));
    let waiting: Vec<_> = forecast.waiting.iter().map(|waiting| (waiting.reason, waiting.sum.lines)).collect();
    assert_eq!(waiting, [(Blocked::NotEffective, 1), (Blocked::UnpaidCredit, 2), (Blocked::RunNotReached, 1)]);
    assert_eq!(forecast.payable.of(Currency::CNY), rmb("190"));
    let [may, july] = forecast.periods.as_slice() else { panic!("{:?}", forecast.periods) };
    assert_eq!((may.run.date, july.run.date), (date("2024-06-03"), date("2024-08-05")));
}

#[test]
fn estimates_and_missing_amounts_are_kept_apart_from_what_was_stated() {
    let acknowledged = Happening::At(Marked::estimate(beijing("2024-05-05")));
    let lines = [
        open("stated", Some("95"), &opened("2024-05-05")),
        open("estimated", Some("10"), &Conditions { effective: acknowledged, ..opened("2024-05-05") }),
        open("unknown", None, &opened("2024-05-05")),
    ];
    let forecast = make(&lines, &[], "0", Carry::default());
    let [may] = forecast.periods.as_slice() else { panic!("{:?}", forecast.periods) };
    assert_eq!((may.sum.stated, may.sum.estimated), (rmb("95"), rmb("10")));
    assert_eq!((may.sum.lines, may.sum.lines_not_computed, may.is_estimate), (3, 1, true));
    assert_eq!(may.closing.payable, rmb("105.00"));
    let marks: Vec<_> = forecast.lines.iter().map(|line| line.amount.map(|amount| amount.mark)).collect();
    assert_eq!(marks, [Some(Mark::Estimate), Some(Mark::Stated), None]);
    let certain = make(&lines[..1], &[], "0", Carry::default());
    assert!(!certain.periods[0].is_estimate);
}

#[test]
fn a_billed_line_is_expected_with_its_bill_and_waits_for_nothing() {
    let estimated =
        Conditions { effective: Happening::At(Marked::estimate(beijing("2024-06-05"))), ..opened("2024-05-05") };
    let Open(line, readiness, since) = open("a", Some("95"), &estimated);
    let line =
        SettlementLine { period: Some(period("202404")), bill_state: Some(BillState::PendingPaymentRequest), ..line };
    let forecast = make(&[Open(line, readiness, since)], &[], "0", Carry::default());
    assert_eq!(
        (forecast.lines[0].period, forecast.lines[0].reasons.as_slice()),
        (Some(period("202404")), [].as_slice())
    );
    assert_eq!(forecast.lines[0].amount, Some(Marked::stated(rmb("95"))), "the bill stated it");
    assert!(forecast.waiting.is_empty() && !forecast.periods[0].is_estimate);
}

#[test]
fn a_shortfall_runs_on_into_the_next_period_and_the_deposit() {
    // Scenario 21: +190.00 and -950.00 in a month, a deposit of 500.00.
    let month = opened("2024-05-05");
    let lines = || [open("sale", Some("190"), &month), open("refund", Some("-950"), &month)];
    let told = |forecast: &Forecast| {
        let closing = |period: &chopmark_domain::settlement::forecast::ExpectedPeriod| {
            let closing = &period.closing;
            let parts = [closing.payable, closing.from_deposit, closing.receivable, closing.account.shortfall];
            (period.period.to_string(), parts.map(shown).join(" "))
        };
        forecast.periods.iter().map(closing).collect::<Vec<_>>()
    };
    let at_once = make(&lines(), &[], "500", Carry::DepositAtOnce);
    assert_eq!(told(&at_once), [("202405".into(), "0.00 500.00 260.00 0.00".into())]);
    let carried = make(&lines(), &[], "500", Carry::DepositAfterNextMonth);
    assert_eq!(
        told(&carried),
        [
            ("202405".to_owned(), "0.00 0.00 0.00 760.00".to_owned()),
            ("202406".into(), "0.00 500.00 260.00 0.00".into())
        ]
    );
    let correction = Adjustment { corrects: period("202404"), period: period("202406"), amount: rmb("800") };
    let corrected = make(&lines(), &[correction], "500", Carry::DepositAfterNextMonth);
    assert_eq!(told(&corrected)[1], ("202406".into(), "40.00 0.00 0.00 0.00".into()));
}

/// Cents, the month it is ready in after April, and whether its amount is known.
type Made = (i64, Option<u32>, bool);

proptest! {
    #[test]
    fn every_line_is_in_one_period_or_in_none_and_the_sums_add_up(
        lines in prop::collection::vec((-20_000_i64..40_000, prop::option::of(0..6_u32), any::<bool>()), 0..20),
        turn in any::<prop::sample::Index>(),
    ) {
        let made = |lines: &[(usize, Made)]| {
            let open = |(n, (cents, month, known)): &(usize, Made)| {
                let conditions = match month {
                    Some(month) => opened(&format!("2024-{:02}-09", month + 4)),
                    None => Conditions { paid_in_full: Happening::NotYet, ..opened("2024-05-05") },
                };
                let amount = Decimal::new(*cents, 2).to_string();
                open(&format!("{n:03}"), known.then_some(amount.as_str()), &conditions)
            };
            make(&lines.iter().map(open).collect::<Vec<_>>(), &[], "50", Carry::default())
        };
        let mut numbered: Vec<_> = lines.iter().copied().enumerate().collect();
        let forecast = made(&numbered);
        let mut ids: Vec<_> = forecast.lines.iter().map(|line| line.line_id.clone()).collect();
        ids.sort();
        prop_assert_eq!(ids, (0..lines.len()).map(|n| format!("{n:03}")).collect::<Vec<_>>());
        let naive = |placed: bool| -> Decimal {
            lines.iter().filter(|(_, month, known)| *known && month.is_some() == placed).map(|(cents, ..)| Decimal::new(*cents, 2)).sum()
        };
        let planned: Decimal = forecast.periods.iter().map(|period| period.sum.total().unwrap().amount()).sum();
        prop_assert_eq!(planned, naive(true));
        let unplaced = forecast.without_period.get(&Currency::CNY).map_or(Decimal::ZERO, |sum| sum.stated.amount());
        prop_assert_eq!(unplaced, naive(false));
        let moved: Decimal = forecast.periods.iter().map(|period| {
            let closing = &period.closing;
            closing.payable.amount() - closing.from_deposit.amount() - closing.receivable.amount()
        }).sum();
        prop_assert_eq!(moved, planned, "no shortfall is left open at the end");
        prop_assert!(forecast.periods.windows(2).all(|pair| pair[0].period < pair[1].period));
        if !numbered.is_empty() {
            let by = turn.index(numbered.len());
            numbered.rotate_left(by);
            prop_assert_eq!(made(&numbered), forecast);
        }
    }
}

#[test]
fn currencies_have_their_own_balance() {
    let Open(line, readiness, since) = open("usd", Some("560"), &opened("2024-05-05"));
    let line = SettlementLine { currency: Currency::USD, ..line };
    let lines = [Open(line, readiness, since), open("cny", Some("-10"), &opened("2024-05-05"))];
    let forecast = make(&lines, &[], "0", Carry::DepositAtOnce);
    assert_eq!(forecast.payable.of(Currency::USD), Money::new(dec("560"), Currency::USD).unwrap());
    let owed: Vec<_> = forecast.periods.iter().map(|period| shown(period.closing.receivable)).collect();
    assert_eq!(owed, ["10.00", "0.00"]);
}
