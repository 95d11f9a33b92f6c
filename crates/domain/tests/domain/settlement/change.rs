//! Upgrades, scale-outs and terms.

use chopmark_domain::settlement::change::{Remaining, ScaleOut, UserPricing, scale_out, upgrade};
use chopmark_domain::settlement::money::MoneyError;
use chopmark_domain::settlement::policy::{TermDays, VolumeDiscount};
use chopmark_domain::settlement::term::{TermLength, days_between, end_of_term, term_days};
use chopmark_domain::settlement::usage::pricing::{Bracket, Brackets};
use rust_decimal::Decimal;

use super::support::*;

fn rest(days: u32, term: u32, discount: &str) -> Remaining {
    Remaining { days: Decimal::from(days), term_days: Decimal::from(term), discount: ratio(discount) }
}

/// 10 for each of up to 10 users, 8 above.
fn prices() -> Brackets {
    let bracket = |up_to: Option<u32>, price| Bracket { up_to: up_to.map(Decimal::from), unit_price: rmb(price) };
    Brackets::new(&[bracket(Some(10), "10"), bracket(None, "8")]).unwrap()
}

fn order(pricing: UserPricing, ordered: &str) -> ScaleOut {
    ScaleOut { pricing, users_before: 10, users_after: 20, price_before: rmb("100"), ordered_at: beijing(ordered) }
}

#[test]
fn an_upgrade_costs_the_difference_for_the_time_left() {
    let fee = |rest: &Remaining| upgrade(rmb("1000"), rmb("1600"), rest).unwrap().amount;
    assert_eq!(fee(&rest(15, 30, "1")), rmb("300"));
    assert_eq!(fee(&rest(15, 30, "0.9")), rmb("270"));
    assert_eq!(fee(&rest(0, 30, "1")), rmb("0"));
    assert_eq!(fee(&rest(30, 30, "1")), rmb("600"));
    let thirds = upgrade(rmb("0"), rmb("100"), &rest(1, 3, "1")).unwrap().amount;
    assert!(thirds.amount().scale() >= 8, "at least eight decimals are kept");
    for wrong in [rest(1, 0, "1"), Remaining { days: dec("-1"), ..rest(1, 30, "1") }] {
        assert!(matches!(upgrade(rmb("1"), rmb("2"), &wrong), Err(MoneyError::NotPositive { .. })));
    }
}

#[test]
fn more_users_are_priced_by_the_bracket_of_all_of_them() {
    for (pricing, ordered, fee, why) in [
        (UserPricing::Volume, "2023-06-11 23:59:59", "30", "(8 × 20 - 100) × 15 ÷ 30"),
        (UserPricing::Volume, "2023-06-12 00:00:00", "40", "8 × 10 × 15 ÷ 30"),
        (UserPricing::Tiered, "2024-05-05", "30", "all users anew"),
        (UserPricing::Linear, "2024-05-05", "30", "all users anew"),
    ] {
        let price =
            scale_out(&order(pricing, ordered), &prices(), &rest(15, 30, "1"), VolumeDiscount::Applies).unwrap();
        assert_eq!(price.amount, rmb(fee), "{pricing:?} on {ordered}: {why}");
        assert_followed(&price);
    }
}

#[test]
fn the_discount_under_volume_prices_is_a_switch() {
    let volume = order(UserPricing::Volume, "2024-05-05");
    let fee = |policy| scale_out(&volume, &prices(), &rest(15, 30, "0.5"), policy).unwrap().amount;
    assert_eq!(fee(VolumeDiscount::Applies), rmb("20"));
    assert_eq!(fee(VolumeDiscount::None), rmb("40"));
    let tiered = order(UserPricing::Tiered, "2024-05-05");
    let fee = scale_out(&tiered, &prices(), &rest(15, 30, "0.5"), VolumeDiscount::None).unwrap();
    assert_eq!(fee.amount, rmb("15"), "other prices always have it");
}

#[test]
fn fewer_users_are_no_scale_out() {
    let fewer = ScaleOut { users_after: 5, ..order(UserPricing::Linear, "2024-05-05") };
    assert!(scale_out(&fewer, &prices(), &rest(15, 30, "1"), VolumeDiscount::Applies).is_err());
}

#[test]
fn a_term_ends_at_the_same_time_of_day_in_beijing() {
    for (from, length, until) in [
        ("2024-05-10 00:00:00", TermLength::Months(1), "2024-06-10 00:00:00"),
        ("2024-01-31 07:30:00", TermLength::Months(1), "2024-02-29 07:30:00"),
        ("2024-02-29 00:00:00", TermLength::Years(1), "2025-02-28 00:00:00"),
    ] {
        assert_eq!(end_of_term(beijing(from), length), Some(beijing(until)), "{from}");
    }
    assert_eq!(end_of_term(beijing("2024-05-10"), TermLength::Years(u32::MAX)), None);
    assert_eq!(TermLength::Months(8).renewed_automatically(), TermLength::Months(1));
    assert_eq!(TermLength::Years(2).renewed_automatically(), TermLength::Years(1));
}

#[test]
fn the_days_of_a_term_are_exact_or_thirty() {
    let (from, to) = (beijing("2024-05-10"), beijing("2024-06-10"));
    let days = |length, policy| term_days(length, from, to, policy);
    assert_eq!(days(TermLength::Months(1), TermDays::Exact), Decimal::from(31));
    assert_eq!(days(TermLength::Months(1), TermDays::Thirty365), Decimal::from(30));
    assert_eq!(days(TermLength::Years(2), TermDays::Thirty365), Decimal::from(730));
    assert_eq!(days_between(from, beijing("2024-05-10 12:00:00")), dec("0.5"));
}
