//! The scenarios of the marketplace's pages, from news to lines.

use chopmark_domain::catalog::ProductKind;
use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_domain::settlement::books::{Part, Said};
use chopmark_domain::settlement::marked::{Mark, Marked};
use chopmark_domain::settlement::money::Ratio;
use chopmark_domain::settlement::policy::{Pairing, Policy, SetOff};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::readiness::{Blocked, Missing};
use chopmark_domain::settlement::refund::rules::{Answer, Grounds, Refusal};
use chopmark_domain::settlement::statement::{StatedFacts, When};
use chopmark_domain::settlement::terms::SellerTerms;

use super::books_support::*;
use super::support::*;

#[test]
fn s01_the_tier_reached_holds_for_the_whole_month() {
    for (amount, fee, printed) in [
        ("1500000", "0.05", "1455000.00"),
        ("499999.99", "0.05", "474999.99"),
        ("500000", "0.05", "480000.00"),
        ("999999.99", "0.05", "959999.99"),
        ("1000000", "0.05", "970000.00"),
        ("1500000", "0.1", "1350000.00"),
    ] {
        let mut shop = tiered("202405", amount);
        shop.product.fee_ratio = Some(dec(fee));
        shop.buys("N", amount, "2024-05-05");
        assert_eq!(shop.lines(), [format!("N NEW 202405 {printed}")], "{amount} at {fee}");
        let counted = shop.line("N").counted.unwrap();
        assert_eq!((counted.period, counted.paid), (period("202405"), rmb(amount)));
    }
}

#[test]
fn s02_international_taxes_leave_560_dollars_and_come_back_with_a_refund() {
    let mut shop = shop();
    shop.seller = SellerTerms::of(Site::Intl);
    shop.product.fee_ratio = Some(dec("0.15"));
    shop.product.settlement.supervised = true;
    shop.buys("N", "850", "2024-05-05");
    shop.states(
        "N",
        StatedFacts {
            customer_wht: Some(dec("50")),
            seller_tax: Some(dec("120")),
            supervision: stated("2024-05-06"),
            ..said()
        },
    );
    assert_eq!(shop.lines(), ["N NEW 202405 560.00"]);
    assert_eq!(shop.line("N").line.currency, usd("0").currency());
    assert_eq!(shop.waits("N", "2024-05-20").run.unwrap().date, date("2024-06-07"));
    shop.gives_back("U", Some("-850"), "2024-05-10");
    assert_eq!(shop.lines(), ["N NEW 202405 560.00", "U REFUND 202405 -560.00"]);
}

#[test]
fn s03_a_renewal_belongs_to_the_month_it_takes_effect_in() {
    let mut shop = shop();
    shop.renews("R", "100", "2024-01-31 12:00:00", "2024-02-01");
    assert_eq!(shop.lines(), ["R RENEW 202402 95.00"]);
    let before = shop.waits("R", "2024-01-31 13:00:00");
    assert_eq!(before.blocked, [Blocked::NotEffective]);
    assert_eq!(before.run.unwrap().date, date("2024-03-04"), "3 March 2024 is a Sunday");
}

#[test]
fn s04_a_supervised_order_belongs_to_the_month_it_is_accepted_in() {
    let mut shop = supervised();
    shop.buys("N", "100", "2020-02-03");
    assert_eq!(shop.lines(), ["N NEW ? 95.00"]);
    assert_eq!(shop.line("N").missing, [Missing::SupervisionDoneAt]);
    shop.states("N", StatedFacts { supervision: Some(When::NotYet), ..said() });
    assert_eq!(shop.line("N").missing, []);
    assert_eq!(shop.waits("N", "2020-02-20").blocked, [Blocked::SupervisionOpen]);
    shop.states("N", StatedFacts { supervision: stated("2020-03-15"), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202003 95.00"]);
    shop.states("N", StatedFacts { paid_in_full: stated("2020-04-10"), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202004 95.00"]);
    // Renewals create no new supervision.
    shop.renews("R", "100", "2020-05-02", "2020-05-03");
    assert_eq!(shop.lines(), ["N NEW 202004 95.00", "R RENEW 202005 95.00"]);
}

#[test]
fn s05_a_credit_customer_is_settled_when_all_is_repaid() {
    let mut shop = shop();
    shop.buys("N", "100", "2020-03-02");
    assert_eq!(shop.lines(), ["N NEW 202003 95.00"], "an estimate, until the console says that it is on credit");
    assert_eq!(shop.line("N").line.paid_at, Some(Marked::estimate(beijing("2020-03-02"))));
    shop.states("N", StatedFacts { paid_in_full: Some(When::NotYet), ..said() });
    assert_eq!(shop.lines(), ["N NEW ? 95.00"]);
    assert_eq!(shop.waits("N", "2020-04-01").blocked, [Blocked::UnpaidCredit]);
    shop.states("N", StatedFacts { paid_in_full: stated("2020-05-20"), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202005 95.00"]);
    assert_eq!(shop.waits("N", "2020-05-21").run.unwrap().date, date("2020-06-03"));
}

#[test]
fn s06_a_monthly_purchase() {
    let mut shop = shop();
    shop.buys("N", "100.00", "2024-05-05");
    let drawn = shop.line("N");
    assert_eq!(shop.lines(), ["N NEW 202405 95.00"]);
    let columns = drawn.columns.unwrap();
    assert_eq!((columns.sales, columns.fee, columns.net), (dec("100"), dec("5"), dec("95")));
    assert_eq!(drawn.line.effective_at, Some(Marked::estimate(beijing("2024-05-05"))));
    assert_eq!(drawn.line.fee_ratio, Some(Ratio::percent(5)));
    assert_eq!(drawn.explanation.unwrap().steps.last().unwrap().result.value, dec("95"));
    assert_eq!((drawn.missing.len(), drawn.sources.len()), (0, 2));
    assert!(drawn.conditions.five_day_refund);
    let waits = shop.waits("N", "2024-05-20");
    assert_eq!(waits.run.unwrap().date, date("2024-06-03"));
    assert_eq!((waits.expected, waits.blocked), (Some(period("202405")), vec![Blocked::RunNotReached]));
    assert_eq!(shop.waits("N", "2024-06-04").blocked, []);
}

#[test]
fn s08_a_refund_within_five_days_of_the_same_month_comes_to_nothing() {
    for refunded in [Some("-100"), None] {
        let mut shop = shop();
        shop.buys("N", "100", "2024-05-05");
        shop.gives_back("U", refunded, "2024-05-08");
        assert_eq!(shop.lines(), ["N NEW 202405 95.00", "U REFUND 202405 -95.00"]);
        assert_eq!(total(&shop.draws()), rmb("0"));
        let refund = shop.line("U");
        assert_eq!(refund.line.original_order_line_id, Some(line_id("N")));
        assert_eq!(refund.refund_rule, Some(Answer::Full(Grounds::WithinFiveDays)));
        let mark = if refunded.is_some() { Mark::Stated } else { Mark::Estimate };
        assert_eq!(refund.line.sales_amount, Some(Marked { value: dec("-100"), mark }));
        assert!(shop.line("N").with_refund);
    }
}

#[test]
fn s09_a_refund_across_the_end_of_the_month_by_both_readings() {
    for (pairing, refund) in [(Pairing::Together, "202405"), (Pairing::StrictMonths, "202406")] {
        let mut shop = shop().with_policy(Policy { pairing, ..Policy::default() });
        shop.buys("N", "100", "2024-05-30 14:00:00");
        shop.gives_back("U", Some("-100"), "2024-06-02 09:00:00");
        assert_eq!(shop.lines(), ["N NEW 202405 95.00".into(), format!("U REFUND {refund} -95.00")]);
        assert_eq!(shop.waits("U", "2024-06-02 10:00:00").expected, Some(period(refund)));
    }
    for (at, rule) in [
        ("2024-06-04 13:59:59", Answer::Full(Grounds::WithinFiveDays)),
        ("2024-06-04 14:00:00", Answer::Refused(Refusal::WindowOver)),
    ] {
        let mut shop = shop();
        shop.buys("N", "100", "2024-05-30 14:00:00");
        shop.gives_back("U", Some("-100"), at);
        assert_eq!(shop.line("U").refund_rule, Some(rule));
        assert_eq!(shop.lines()[1], "U REFUND 202406 -95.00", "reported, so taken as it is");
    }
}

#[test]
fn s10_a_refund_of_what_was_settled_is_set_off() {
    for (set_off, month) in [(SetOff::CurrentMonth, "202406"), (SetOff::NextMonth, "202407")] {
        let mut shop = shop().with_policy(Policy { set_off, ..Policy::default() });
        shop.buys("N", "100", "2024-05-05");
        shop.bills("N", "202405");
        shop.gives_back("U", Some("-100"), "2024-06-10");
        assert_eq!(shop.lines(), ["N NEW 202405 95.00".into(), format!("U REFUND {month} -95.00")]);
        assert_eq!(shop.line("N").line.bill_id.as_deref(), Some("202405"));
        assert!(!shop.line("N").with_refund);
    }
}

#[test]
fn s11_a_renewal_that_has_not_begun_comes_back_in_full() {
    for refunded in [Some("-1200"), None] {
        let mut shop = shop();
        shop.buys("N", "100", "2023-07-01");
        shop.renews("R", "1200", "2024-05-10", "2024-07-01");
        shop.sells("U", Part::RenewalCancelled, OrderType::Unsubscribe, refunded, "2024-05-20");
        assert_eq!(shop.lines(), ["N NEW 202307 95.00", "R RENEW 202405 1140.00", "U REFUND 202405 -1140.00"]);
        assert_eq!(shop.line("U").line.original_order_line_id, Some(line_id("R")));
        assert_eq!(shop.waits("R", "2024-05-21").blocked, [Blocked::RunNotReached], "it waits for no beginning");
        assert_eq!(shop.waits("R", "2024-06-03").blocked, []);
    }
}

#[test]
fn s11_a_renewal_that_has_begun_is_refused_by_the_rules_and_refunded_if_reported() {
    let mut shop = shop();
    shop.renews("R", "1200", "2024-05-10", "2024-05-15");
    shop.sells("U", Part::RenewalCancelled, OrderType::Unsubscribe, None, "2024-05-20");
    assert_eq!(shop.line("U").refund_rule, Some(Answer::Refused(Refusal::RenewalEffective)));
    assert_eq!(shop.lines(), ["R RENEW 202405 1140.00", "U REFUND 202405 ?"]);
    assert_eq!(shop.line("U").missing, [Missing::SalesAmount]);
    shop.states("U", StatedFacts { sales_amount: Some(dec("-600")), ..said() });
    assert_eq!(shop.lines()[1], "U REFUND 202405 -570.00");
}

#[test]
fn s12_hours_of_an_image_that_were_seen_become_an_estimate_of_their_month() {
    let mut shop = shop();
    shop.product.kind = ProductKind::Image;
    shop.product.settlement.hourly_price = Some(dec("0.50"));
    shop.hears(usage("202405"), Said::SeenHours(2), "2024-05-05 11:00:00");
    shop.hears(usage("202405"), Said::SeenHours(1), "2024-05-06 11:00:00");
    let line = format!("usage/{SKU}/202405");
    assert_eq!(shop.lines(), [format!("{line} USAGE 202405 1.43")], "1.50 at 0.95 is 1.425");
    let [drawn] = shop.draws().try_into().unwrap();
    assert_eq!(drawn.line.sales_amount, Some(Marked::estimate(dec("1.5"))));
    assert_eq!(drawn.line.charging_mode, Some(ChargingMode::OnDemand));
    assert_eq!(drawn.explanation.unwrap().steps[0].to_string(), "sales_amount = seen_hours 3 × hourly_price 0.5 = 1.5");
    // The marketplace's sum replaces it, and belongs to the month of the consumption whenever it is booked.
    let booked = StatedFacts { sales_amount: Some(dec("0.75")), effective: stated("2024-06-01"), ..said() };
    shop.hears(usage("202405"), Said::Stated(booked), "2024-06-04");
    assert_eq!(shop.lines(), [format!("{line} USAGE 202405 0.71")]);
    assert!(!shop.draws()[0].line.is_estimate());
}

#[test]
fn s15_a_renewal_in_the_grace_period_begins_where_the_term_ended() {
    let mut shop = shop();
    shop.renews("R", "100", "2024-05-14", "2024-05-10");
    assert_eq!(shop.lines(), ["R RENEW 202405 95.00"]);
    assert_eq!(shop.line("R").line.effective_at, Some(Marked::estimate(beijing("2024-05-10"))));
    let mut shop = self::shop();
    shop.renews("R", "100", "2024-06-02", "2024-05-30");
    assert_eq!(shop.lines(), ["R RENEW 202406 95.00"], "effective in May, paid in June");
}

#[test]
fn s16_an_upgrade_is_a_line_of_its_own_and_a_downgrade_is_negative() {
    let mut shop = shop();
    shop.buys("N", "1000", "2024-05-05");
    shop.sells("C", Part::Change, OrderType::Change, Some("300"), "2024-05-20");
    shop.sells("D", Part::Change, OrderType::Change, Some("-100"), "2024-05-25");
    assert_eq!(shop.lines(), ["C CHANGE 202405 285.00", "D DOWNGRADE 202405 -95.00", "N NEW 202405 950.00"]);
}

#[test]
fn s21_a_month_whose_refunds_outweigh_its_sales_is_negative() {
    let mut shop = shop();
    shop.buys("N", "1000", "2024-05-02");
    shop.bills("N", "202405");
    shop.gives_back("U", Some("-1000"), "2024-06-10");
    let mut other = self::shop();
    other.buys("M", "200", "2024-06-05");
    let june = total(&shop.draws()[1..]).plus(total(&other.draws())).unwrap();
    assert_eq!(june, rmb("-760"));
}

#[test]
fn s25_a_trial_has_no_line_and_its_conversion_has_one() {
    let mut shop = shop();
    shop.sells("T", Part::Purchase, OrderType::Trial, Some("0"), "2024-05-01");
    assert_eq!(shop.lines(), [] as [String; 0]);
    shop.sells("F", Part::Conversion, OrderType::TrialToFormal, Some("100"), "2024-05-20");
    assert_eq!(shop.lines(), ["F TRIAL_CONVERT 202405 95.00"]);
    assert!(!shop.line("F").conditions.five_day_refund);
}

#[test]
fn s26_failed_provisioning_has_no_line_or_comes_to_nothing() {
    let mut shop = shop();
    shop.hears(order_line("N"), Said::Order(answered("N", OrderType::New, Some("100"))), "2024-05-05");
    assert_eq!(shop.lines(), ["N NEW ? 95.00"]);
    assert_eq!(shop.line("N").missing, [Missing::EffectiveAt, Missing::PaidAt]);
    shop.states("N", StatedFacts { effective: Some(When::NotYet), ..said() });
    shop.hears(order_line("U"), Said::Order(answered("U", OrderType::Unsubscribe, None)), "2024-05-05 03:00:00");
    let original_order_line_id = Some(line_id("N"));
    shop.states("U", StatedFacts { original_order_line_id, effective: stated("2024-05-05 03:00:00"), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202405 95.00", "U REFUND 202405 -95.00"]);
    assert_eq!(shop.waits("N", "2024-05-06").blocked, [Blocked::RunNotReached]);
    shop.states("N", StatedFacts { withdrawn: Some(true), ..said() });
    assert_eq!(shop.lines(), [] as [String; 0]);
}
