//! Totals, shortfalls and corrections.

use chopmark_domain::settlement::balance::{Account, Adjustment, adjustment, close, total};
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::policy::{BillTotal, Carry};

use super::support::*;

#[test]
fn a_bill_is_rounded_once() {
    let lines = [rmb("0.005"), rmb("0.005"), rmb("0.005")];
    let of = |rounding| total(Currency::CNY, lines, rounding).unwrap();
    assert_eq!(of(BillTotal::RoundTheSum).exact, rmb("0.015"));
    assert_eq!(of(BillTotal::RoundTheSum).shown, rmb("0.02"));
    assert_eq!(of(BillTotal::SumTheRounded).shown, rmb("0.03"));
    assert!(total(Currency::USD, lines, BillTotal::RoundTheSum).is_err());
}

#[test]
fn adjustments_and_shortfalls_are_part_of_the_net() {
    let account = Account { deposit: rmb("500"), shortfall: rmb("100") };
    let closing = close(period("202406"), rmb("300.005"), rmb("-50"), &account, Carry::default()).unwrap();
    assert_eq!((closing.net, closing.payable), (rmb("150.01"), rmb("150.01")));
    assert_eq!(closing.account, Account::with_deposit(rmb("500")));
    assert_eq!(
        closing.explanation.to_string(),
        "lines_and_adjustments = lines_total 300.01 + adjustments -50 = 250.01\n\
         net_amount = lines_and_adjustments 250.01 - shortfall_brought_forward 100 = 150.01\n"
    );
}

#[test]
fn without_a_deposit_the_seller_owes_it_all() {
    let account = Account::with_deposit(rmb("0"));
    let closing = close(period("202406"), rmb("-10"), rmb("0"), &account, Carry::DepositAtOnce).unwrap();
    assert_eq!((closing.from_deposit, closing.receivable), (rmb("0"), rmb("10")));
}

#[test]
fn a_shortfall_is_carried_one_month_and_a_new_one_again() {
    let mut account = Account::with_deposit(rmb("15"));
    let mut told = vec![];
    for (month, lines) in [("202405", "-10"), ("202406", "-10"), ("202407", "-10"), ("202408", "30")] {
        let closing = close(period(month), rmb(lines), rmb("0"), &account, Carry::DepositAfterNextMonth).unwrap();
        told.push([closing.account.shortfall, closing.from_deposit, closing.receivable, closing.payable].map(shown));
        account = closing.account;
    }
    assert_eq!(
        told,
        [
            ["10.00", "0.00", "0.00", "0.00"],
            ["0.00", "15.00", "5.00", "0.00"],
            ["10.00", "0.00", "0.00", "0.00"],
            ["0.00", "0.00", "0.00", "20.00"],
        ]
    );
}

#[test]
fn a_difference_is_corrected_on_the_next_bill() {
    let (may, june, august) = (period("202405"), period("202406"), period("202408"));
    let proposed = |stated, recomputed, open| adjustment(may, rmb(stated), rmb(recomputed), open).unwrap();
    assert_eq!(
        proposed("95.00", "90.00", june),
        Some(Adjustment { corrects: may, period: june, amount: rmb("-5.00") })
    );
    assert_eq!(proposed("95.00", "95.01", august).unwrap().period, august);
    assert_eq!(proposed("95.00", "95.01", may).unwrap().period, june, "never on the bill it corrects");
    assert_eq!(proposed("95.00", "95.0049", june), None, "shown alike");
    assert!(adjustment(may, rmb("1"), usd("1"), june).is_err());
}
