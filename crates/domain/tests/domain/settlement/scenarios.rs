//! The reference scenarios: a shop's stories with their exact numbers. By their numbers: 1 to 26.

use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_domain::settlement::balance::{self, Account};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::change::{Remaining, upgrade};
use chopmark_domain::settlement::formula::generic::GenericSale;
use chopmark_domain::settlement::formula::international::{self, InternationalSale, SellerTaxes};
use chopmark_domain::settlement::marked::Happening;
use chopmark_domain::settlement::money::{Currency, Money, Ratio};
use chopmark_domain::settlement::policy::{BillTotal, Carry, Pairing, Policy, PoweredOff};
use chopmark_domain::settlement::product::{Billed, LineType, Site, billed_as};
use chopmark_domain::settlement::readiness::{Blocked, Conditions, OnBill, Supervision, assess, ready_at};
use chopmark_domain::settlement::refund::amount::{Returned, settle as settle_refund};
use chopmark_domain::settlement::refund::pairing::{Placement, place};
use chopmark_domain::settlement::refund::rules::{self, Answer, Grounds, Refusal, Request, Rule};
use chopmark_domain::settlement::term::{TermLength, renewed_term};
use chopmark_domain::settlement::usage::image::{self, EcsState, PartialHour, Span};
use chopmark_domain::settlement::usage::pricing::{self, Bracket, Brackets, Pricing};
use rust_decimal::Decimal;

use super::support::*;

fn period_of(conditions: &Conditions) -> Period {
    Period::of(ready_at(conditions, &Policy::default()).unwrap().value)
}

/// Lines of a bill as they are shown, and its total.
fn bill(lines: &[Money]) -> (Vec<String>, String) {
    let total = balance::total(Currency::CNY, lines.iter().copied(), BillTotal::RoundTheSum).unwrap();
    (lines.iter().copied().map(shown).collect(), shown(total.shown))
}

fn full_refund(sale: &GenericSale) -> Money {
    let original = original(sale);
    settle_refund(&original, &Returned::nothing_of(&original), &original.whole()).unwrap().amount
}

#[test]
fn s01_the_tier_reached_holds_for_the_whole_month() {
    for (month, fee, exact, printed) in [
        ("1500000", "0.05", "1455000", "1455000.00"),
        ("499999.99", "0.05", "474999.9905", "474999.99"),
        ("500000", "0.05", "480000", "480000.00"),
        ("999999.99", "0.05", "959999.9904", "959999.99"),
        ("1000000", "0.05", "970000", "970000.00"),
        ("1500000", "0.1", "1350000", "1350000.00"),
    ] {
        let tier_ratio = Policy::default().tiers.share(ratio(fee), rmb(month));
        let amount = settled(&GenericSale { fee_ratio: ratio(fee), tier_ratio, ..sale(month) }).amount;
        assert_eq!(amount, rmb(exact), "{month} at {fee}");
        assert_eq!(shown(amount), printed, "{month} at {fee}");
    }
}

#[test]
fn s02_international_taxes_leave_560_dollars() {
    let sale =
        InternationalSale { gross: usd("1000"), vat: usd("150"), customer_wht: usd("50"), fee_ratio: ratio("0.15") };
    let taxes = SellerTaxes { wht: usd("100"), dst: usd("20") };
    let settled = international::settle(&[sale], &taxes).unwrap();
    assert_eq!(settled.amount, usd("560"));
    assert_followed(&settled);
    assert_eq!(
        told(&settled),
        [
            "sales_amount = gross_amount 1000 - vat 150 = 850",
            "received_amount = sales_amount 850 - customer_wht 50 = 800",
            "seller_share = whole 1 - fee_ratio 0.15 = 0.85",
            "share_of_product = received_amount 800 × seller_share 0.85 = 680",
            "share_of_all_products = share_of_product 680 = 680",
            "seller_tax = seller_wht 100 + digital_service_tax 20 = 120",
            "settle_amount = share_of_all_products 680 - seller_tax 120 = 560",
        ]
    );
}

#[test]
fn s03_a_renewal_belongs_to_the_month_it_takes_effect_in() {
    let renewal = Conditions { paid_in_full: at("2019-01-31 12:00:00"), ..opened("2019-02-01") };
    assert_eq!(period_of(&renewal), period("201902"));
    assert_eq!(schedule(Site::Intl).run(period("201902")).date, date("2019-03-07"));
    assert_eq!(shown(settled(&sale("100")).amount), "95.00");
}

#[test]
fn s04_a_supervised_order_belongs_to_the_month_it_is_accepted_in() {
    let accepted = |text| Supervision::Until(at(text));
    let china = Conditions { supervision: accepted("2020-03-15"), ..opened("2020-02-03") };
    assert_eq!(period_of(&china), period("202003"));
    let europe = Conditions { supervision: accepted("2022-11-15"), ..opened("2022-10-03") };
    assert_eq!(period_of(&europe), period("202211"));
    assert_eq!(period_of(&Conditions { paid_in_full: at("2020-04-10"), ..china }), period("202004"));
}

#[test]
fn s05_a_credit_customer_is_settled_when_all_is_repaid() {
    let repaid = Conditions { paid_in_full: at("2020-05-20"), ..opened("2020-03-02") };
    assert_eq!(period_of(&repaid), period("202005"));
    assert_eq!(schedule(Site::Cn).run(period("202005")).date, date("2020-06-03"));
}

#[test]
fn s06_a_monthly_purchase() {
    let readiness =
        assess(&opened("2024-05-05"), OnBill::Unknown, &Policy::default(), &schedule(Site::Cn), beijing("2024-05-20"));
    assert_eq!(readiness.expected, Some(period("202405")));
    assert_eq!(readiness.run.unwrap().date, date("2024-06-03"));
    assert_eq!(readiness.blocked, [Blocked::RunNotReached]);
    let (sale, amount) = (sale("100"), settled(&sale("100")).amount);
    assert_eq!(bill(&[amount]), (vec!["95.00".into()], "95.00".into()));
    assert_eq!(shown(sale.fee(amount).unwrap()), "5.00");
}

#[test]
fn s08_a_refund_within_five_days_of_the_same_month_comes_to_nothing() {
    let placed =
        place(OnBill::Unknown, Some(period("202405")), beijing("2024-05-08"), &schedule(Site::Cn), &Policy::default());
    assert_eq!(placed, Placement { original: period("202405"), refund: period("202405") });
    let lines = [settled(&sale("100")).amount, full_refund(&sale("100"))];
    assert_eq!(bill(&lines), (vec!["95.00".into(), "-95.00".into()], "0.00".into()));
    let quota = rules::yearly_quota(&[("resource", beijing("2024-05-08"))], 2024);
    assert_eq!((quota.used, quota.allowed), (1, 10));
}

#[test]
fn s09_a_refund_across_the_end_of_the_month_by_both_readings() {
    let placed = |pairing| {
        let policy = Policy { pairing, ..Policy::default() };
        place(OnBill::Unknown, Some(period("202405")), beijing("2024-06-02 09:00:00"), &schedule(Site::Cn), &policy)
    };
    let (may, june) = (period("202405"), period("202406"));
    assert_eq!(Policy::default().pairing, Pairing::Together);
    assert_eq!(placed(Pairing::Together), Placement { original: may, refund: may });
    assert_eq!(placed(Pairing::StrictMonths), Placement { original: may, refund: june });

    let window = rules::five_day_window(beijing("2024-05-30 14:00:00"));
    assert!(window.contains(&beijing("2024-06-04 13:59:59")));
    assert!(!window.contains(&beijing("2024-06-04 14:00:00")));
}

#[test]
fn s10_a_refund_of_what_was_settled_is_set_off_in_its_month() {
    let placed = place(
        OnBill::Billed(period("202405")),
        Some(period("202405")),
        beijing("2024-06-10"),
        &schedule(Site::Cn),
        &Policy::default(),
    );
    assert_eq!(placed, Placement { original: period("202405"), refund: period("202406") });
    let june = [settled(&sale("200")).amount, full_refund(&sale("100"))];
    assert_eq!(bill(&june), (vec!["190.00".into(), "-95.00".into()], "95.00".into()));
}

#[test]
fn s11_a_renewal_can_be_given_back_until_it_takes_effect() {
    let request = |at_day| Request {
        rule: Some(Rule::FiveDays),
        is_renewal: true,
        effective: at("2024-07-01"),
        accepted_at: None,
        expires_at: Some(beijing("2025-07-01")),
        at: beijing(at_day),
    };
    for rule in [Rule::FiveDays, Rule::Negotiated] {
        let answer = |day| rules::answer(&Request { rule: Some(rule), ..request(day) });
        assert_eq!(answer("2024-05-20"), Answer::Full(Grounds::NotEffective));
        assert_eq!(answer("2024-07-01"), Answer::Refused(Refusal::RenewalEffective));
    }
    let placed =
        place(OnBill::Unknown, Some(period("202407")), beijing("2024-05-20"), &schedule(Site::Cn), &Policy::default());
    assert_eq!(placed, Placement { original: period("202405"), refund: period("202405") });
    let lines = [settled(&sale("1200")).amount, full_refund(&sale("1200"))];
    assert_eq!(bill(&lines), (vec!["1140.00".into(), "-1140.00".into()], "0.00".into()));
}

#[test]
fn s12_an_image_is_charged_across_hours() {
    let span =
        Span { from: beijing("2024-05-05 09:40:00"), to: beijing("2024-05-05 11:10:00"), state: EcsState::Normal };
    let hours = image::hours_used(&[span], PoweredOff::Billed).unwrap();
    let charges = image::hour_charges(&hours, rmb("0.50"), PartialHour::Prorate).unwrap();
    let told: Vec<_> = charges
        .iter()
        .map(|hour| (hour.booked_at, hour.used.seconds, hour.charge.amount.amount().round_dp(4).to_string()))
        .collect();
    assert_eq!(
        told,
        [
            (beijing("2024-05-05 10:00:00"), 1_200, "0.1667".into()),
            (beijing("2024-05-05 11:00:00"), 3_600, "0.50".into()),
            (beijing("2024-05-05 12:00:00"), 600, "0.0833".into()),
        ]
    );
    for (partial, charged, exact, printed) in
        [(PartialHour::Prorate, "0.75", "0.7125", "0.71"), (PartialHour::Ceil, "1.50", "1.425", "1.43")]
    {
        let charge = image::charge(&hours, rmb("0.50"), partial).unwrap();
        assert_eq!(charge.amount, rmb(charged), "{partial:?}");
        let settled = settled(&GenericSale { sales: charge.amount, ..sale("0") }).amount;
        assert_eq!((settled, shown(settled).as_str()), (rmb(exact), printed), "{partial:?}");
    }
}

#[test]
fn s15_a_renewal_in_the_grace_period_begins_where_the_term_ended() {
    let expiry = beijing("2024-05-10");
    let term = renewed_term(expiry, TermLength::Months(1)).unwrap();
    assert_eq!(term, expiry..beijing("2024-06-10"));
    let renewal = Conditions { paid_in_full: at("2024-05-14"), ..opened("2024-05-10") };
    assert_eq!(period_of(&renewal), period("202405"));
    let crossing = Conditions { paid_in_full: at("2024-06-02"), ..opened("2024-05-30") };
    assert_eq!(period_of(&crossing), period("202406"));
    assert_eq!(shown(settled(&sale("100")).amount), "95.00");
}

#[test]
fn s16_an_upgrade_in_the_middle_of_a_term() {
    let rest = Remaining { days: Decimal::from(15), term_days: Decimal::from(30), discount: Ratio::ONE };
    let fee = upgrade(rmb("1000"), rmb("1600"), &rest).unwrap();
    assert_eq!(fee.amount, rmb("300"));
    assert_followed(&fee);
    assert_eq!(billed_as(OrderType::Change, ChargingMode::Period, None), Billed::As(LineType::Change));
    assert_eq!(shown(settled(&GenericSale { sales: fee.amount, ..sale("0") }).amount), "285.00");
}

#[test]
fn s21_a_negative_month_by_both_policies() {
    let lines = [settled(&sale("200")).amount, full_refund(&sale("1000"))];
    let total = balance::total(Currency::CNY, lines, BillTotal::RoundTheSum).unwrap().shown;
    let account = Account::with_deposit(rmb("500"));
    let june = |carry| balance::close(period("202406"), total, rmb("0"), &account, carry).unwrap();

    let at_once = june(Carry::DepositAtOnce);
    assert_eq!((at_once.net, at_once.payable), (rmb("-760"), rmb("0")));
    assert_eq!((at_once.from_deposit, at_once.receivable), (rmb("500"), rmb("260")));
    assert_eq!(at_once.account, Account::with_deposit(rmb("0")));

    let carried = june(Carry::DepositAfterNextMonth);
    assert_eq!((carried.payable, carried.from_deposit, carried.receivable), (rmb("0"), rmb("0"), rmb("0")));
    assert_eq!(carried.account, Account { deposit: rmb("500"), shortfall: rmb("760") });
    for (sold, payable, drawn, owed, left) in [
        ("1000", "240", "0", "0", "500"),
        ("760", "0", "0", "0", "500"),
        ("300", "0", "460", "0", "40"),
        ("0", "0", "500", "260", "0"),
    ] {
        let july =
            balance::close(period("202407"), rmb(sold), rmb("0"), &carried.account, Carry::DepositAfterNextMonth)
                .unwrap();
        assert_eq!(july.payable, rmb(payable), "{sold}");
        assert_eq!((july.from_deposit, july.receivable), (rmb(drawn), rmb(owed)), "{sold}");
        assert_eq!(july.account, Account::with_deposit(rmb(left)), "{sold}");
    }
}

#[test]
fn s23_eight_minutes_by_steps_and_by_tiers() {
    let bracket = |up_to: Option<u32>, price| Bracket { up_to: up_to.map(Decimal::from), unit_price: rmb(price) };
    let brackets = Brackets::new(&[bracket(Some(3), "0.30"), bracket(None, "0.20")]).unwrap();
    let charge = |pricing| pricing::charge(&pricing, Decimal::ZERO, Decimal::from(8)).unwrap();
    let step = charge(Pricing::Step(brackets.clone()));
    assert_eq!(step.amount, rmb("1.90"));
    assert_eq!(
        told(&step),
        [
            "step_amount = quantity_in_step 3 × unit_price 0.3 = 0.9",
            "step_amount = quantity_in_step 5 × unit_price 0.2 = 1",
            "sales_amount = step_amount 0.9 + step_amount 1 = 1.9",
        ]
    );
    assert_eq!(charge(Pricing::Tier(brackets)).amount, rmb("1.60"));
}

#[test]
fn s25_a_trial_has_no_line_and_its_conversion_has_one() {
    assert_eq!(billed_as(OrderType::Trial, ChargingMode::Period, Some(Decimal::ZERO)), Billed::Never);
    let converted = billed_as(OrderType::TrialToFormal, ChargingMode::Period, None);
    assert_eq!(converted, Billed::As(LineType::TrialConvert));
    assert_eq!(period_of(&opened("2024-05-20")), period("202405"));
    assert_eq!(shown(settled(&sale("100")).amount), "95.00");
}

#[test]
fn s26_failed_provisioning_is_never_settled_and_its_refund_comes_to_nothing() {
    let failed = Conditions { effective: Happening::NotYet, ..opened("2024-05-05") };
    let readiness = assess(&failed, OnBill::Unknown, &Policy::default(), &schedule(Site::Cn), beijing("2024-07-01"));
    assert_eq!((readiness.period, readiness.blocked), (None, vec![Blocked::NotEffective]));
    let placed = place(OnBill::Unknown, None, beijing("2024-05-05 03:00:00"), &schedule(Site::Cn), &Policy::default());
    assert_eq!(placed, Placement { original: period("202405"), refund: period("202405") });
    assert_eq!(bill(&[settled(&sale("100")).amount, full_refund(&sale("100"))]).1, "0.00");
}
