//! What the scenarios of the pages leave out, from news to lines: switches, missing facts, odd orders, closed months.

use chopmark_domain::catalog::ProductKind;
use chopmark_domain::order::{ChargingMode, OrderType};
use chopmark_domain::settlement::books::{Part, Said, draw_adjustment};
use chopmark_domain::settlement::calendar::working_days::WorkingDays;
use chopmark_domain::settlement::marked::{Mark, Marked};
use chopmark_domain::settlement::money::Ratio;
use chopmark_domain::settlement::month::AdjustmentRecorded;
use chopmark_domain::settlement::policy::{
    Guarantee, Policy, TierLateLines, TierMonth, TierRefunds, UnstatedPayment, UpgradedRefund,
};
use chopmark_domain::settlement::product::{Category, LineType, Site};
use chopmark_domain::settlement::readiness::{Blocked, Missing};
use chopmark_domain::settlement::refund::rules::Answer;
use chopmark_domain::settlement::statement::{Billed, StatedFacts, When};
use chopmark_domain::settlement::terms::{SellerTerms, SettlementTerms};

use super::books_support::*;
use super::support::*;

#[test]
fn a_tier_is_an_estimate_until_its_month_is_closed() {
    let mut shop = tiered("202405", "600000");
    shop.buys("N", "600000", "2024-05-05");
    let open = shop.line("N");
    assert_eq!(open.line.tier_ratio, Some(Marked::estimate(ratio("0.01"))));
    assert_eq!(open.line.settle_amount.unwrap().mark, Mark::Estimate);
    assert_eq!(open.tier_of.unwrap().1, period("202405"));
    shop.closed.insert(period("202405"));
    shop.closed_in.insert(line_id("N").to_string(), period("202405"));
    assert_eq!(shop.line("N").line.tier_ratio, Some(Marked::stated(ratio("0.01"))));
    assert_eq!(shop.lines(), ["N NEW 202405 576000.00"]);
}

#[test]
fn what_took_effect_before_the_tiers_keeps_the_old_rule_however_late_it_is_settled() {
    let mut shop = tiered("202403", "1500000");
    shop.product.settlement.supervised = true;
    shop.buys("N", "1500000", "2024-02-29 23:59:59");
    shop.states("N", StatedFacts { supervision: stated("2024-03-10"), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202403 1425000.00"]);
    assert_eq!(shop.line("N").tier_of, None);
    assert!(shop.line("N").counted.is_some(), "its customer paid too");

    let mut shop = tiered("202403", "1500000");
    shop.renews("R", "1500000", "2024-02-20", "2024-03-05");
    assert_eq!(shop.lines(), ["R RENEW 202403 1425000.00"], "bought before");
    let mut shop = tiered("202403", "1500000");
    shop.renews("R", "1500000", "2024-03-01", "2024-03-05");
    assert_eq!(shop.lines(), ["R RENEW 202403 1455000.00"]);
}

#[test]
fn tiers_go_by_the_month_of_payment_if_the_policy_says_so() {
    let policy = Policy { tier_month: TierMonth::Payment, ..Policy::default() };
    let late = Policy { tier_late_lines: TierLateLines::Excluded, ..policy.clone() };
    for (policy, printed) in [(policy, "R RENEW 202407 1455000.00"), (late, "R RENEW 202407 1425000.00")] {
        let mut shop = tiered("202405", "1500000").with_policy(policy);
        shop.renews("R", "1500000", "2024-05-10", "2024-07-01");
        assert_eq!(shop.lines(), [printed]);
        assert_eq!(shop.line("R").counted.unwrap().period, period("202405"));
    }
}

#[test]
fn payment_is_unknown_if_the_policy_takes_nothing_for_paid() {
    let policy = Policy { unstated_payment: UnstatedPayment::Unknown, ..Policy::default() };
    let mut shop = shop().with_policy(policy);
    shop.buys("N", "100", "2024-05-05");
    assert_eq!(shop.lines(), ["N NEW ? 95.00"]);
    assert_eq!(shop.line("N").missing, [Missing::PaidAt]);
    assert_eq!(shop.waits("N", "2024-05-06").blocked, [Blocked::FactsMissing]);
}

#[test]
fn vouchers_are_borne_as_the_terms_say() {
    for (bear, amount) in [(None, "76.00"), (Some("1"), "75.00"), (Some("0.5"), "85.00")] {
        let mut shop = shop();
        shop.product.settlement.voucher_bear_ratio = bear.map(ratio);
        shop.buys("N", "100", "2024-05-05");
        shop.states("N", StatedFacts { voucher_amount: Some(dec("20")), ..said() });
        assert_eq!(shop.lines(), [format!("N NEW 202405 {amount}")], "{bear:?}");
        for refunded in ["-100", "-80"] {
            let mut shop = self::shop();
            shop.product.settlement.voucher_bear_ratio = bear.map(ratio);
            shop.buys("N", "100", "2024-05-05");
            shop.states("N", StatedFacts { voucher_amount: Some(dec("20")), ..said() });
            shop.gives_back("U", Some(refunded), "2024-05-06");
            assert_eq!(total(&shop.draws()), rmb("0"), "{bear:?} {refunded}");
        }
    }
}

#[test]
fn hours_without_a_price_are_shown_without_an_amount_once_the_marketplace_names_them() {
    let mut shop = shop();
    shop.product.kind = ProductKind::Image;
    shop.hears(usage("202405"), Said::SeenHours(2), "2024-05-05 11:00:00");
    assert_eq!(shop.lines(), [] as [String; 0], "a product that is not sold by the hour");
    shop.hears(usage("202405"), Said::Stated(StatedFacts { customer_id: Some("c".into()), ..said() }), "2024-06-04");
    assert_eq!(shop.lines(), [format!("usage/{SKU}/202405 USAGE 202405 ?")]);
    assert_eq!(shop.draws()[0].missing, [Missing::SalesAmount]);
}

#[test]
fn a_release_that_names_the_purchase_makes_a_refund_until_that_is_known_by_its_own_name() {
    let mut shop = shop();
    shop.buys("N", "100", "2024-05-05");
    shop.is_named("N", Part::Release, "2024-05-08", None);
    assert_eq!(shop.lines(), ["N NEW 202405 95.00", "N/refund REFUND 202405 -95.00"]);
    let original_order_line_id = Some(line_id("N"));
    shop.states(
        "U",
        StatedFacts {
            original_order_line_id,
            line_type: Some(LineType::Refund),
            sales_amount: Some(dec("-100")),
            effective: stated("2024-05-08"),
            ..said()
        },
    );
    assert_eq!(shop.lines(), ["N NEW 202405 95.00", "U REFUND 202405 -95.00"]);
}

#[test]
fn an_instance_that_was_taken_over_is_given_back_like_any_other() {
    let mut shop = shop();
    shop.hears(order_line("N"), Said::Order(answered("N", OrderType::New, Some("100"))), "2024-05-05");
    shop.states("N", StatedFacts { effective: stated("2024-05-05"), ..said() });
    shop.gives_back("U", None, "2024-05-08");
    assert_eq!(shop.lines(), ["N NEW 202405 95.00", "U REFUND 202405 -95.00"]);
}

#[test]
fn orders_of_what_is_charged_by_use_make_no_line_and_packages_do() {
    let mut shop = shop();
    let bought = |mode, amount| {
        let mut order = answered("N", OrderType::New, amount);
        order.charging_mode = mode;
        Said::Order(order)
    };
    shop.is_named("N", Part::Purchase, "2024-05-05", None);
    shop.hears(order_line("N"), bought(ChargingMode::OnDemand, Some("0")), "2024-05-05");
    shop.gives_back("U", None, "2024-05-07");
    assert_eq!(shop.lines(), [] as [String; 0]);
    let mut shop = self::shop();
    shop.is_named("N", Part::Purchase, "2024-05-05", None);
    shop.hears(order_line("N"), bought(ChargingMode::OnDemandPkg, Some("100")), "2024-05-05");
    assert_eq!(shop.lines(), ["N PACKAGE 202405 95.00"]);
    assert!(!shop.line("N").conditions.five_day_refund);
}

#[test]
fn an_upgraded_instance_comes_back_with_every_order_or_with_the_named_one() {
    let upgraded = |policy, refunded| {
        let mut shop = shop().with_policy(policy);
        shop.buys("N", "1000", "2024-05-05");
        shop.sells("C", Part::Change, OrderType::Change, Some("300"), "2024-05-06");
        shop.gives_back("U", refunded, "2024-05-08");
        shop
    };
    let every = upgraded(Policy::default(), None);
    assert_eq!(
        every.lines(),
        ["C CHANGE 202405 285.00", "N NEW 202405 950.00", "U REFUND 202405 -950.00", "U/C REFUND 202405 -285.00",]
    );
    assert_eq!(total(&every.draws()), rmb("0"));
    assert_eq!(total(&upgraded(Policy::default(), Some("-1300")).draws()), rmb("0"));
    let part = upgraded(Policy::default(), Some("-1000"));
    assert_eq!(part.lines()[2..], ["U REFUND 202405 -950.00"], "the amount says that the change stays");
    let named = upgraded(Policy { upgraded_refund: UpgradedRefund::NamedOrder, ..Policy::default() }, None);
    assert_eq!(named.lines()[2..], ["U REFUND 202405 -950.00"]);
}

#[test]
fn a_refund_after_a_downgrade_gives_back_what_is_left() {
    let mut shop = shop();
    shop.buys("N", "1000", "2024-05-05");
    shop.sells("D", Part::Change, OrderType::Change, Some("-100"), "2024-05-06");
    shop.gives_back("U", None, "2024-05-08");
    assert_eq!(shop.lines(), ["D DOWNGRADE 202405 -95.00", "N NEW 202405 950.00", "U REFUND 202405 -855.00"]);
    assert_eq!(total(&shop.draws()), rmb("0"));
}

#[test]
fn a_negotiated_refund_takes_back_its_share_when_its_order_is_accepted() {
    let mut shop = supervised();
    shop.buys("N", "10000", "2024-05-10");
    shop.states("N", StatedFacts { supervision: Some(When::NotYet), ..said() });
    shop.gives_back("U", Some("-4000"), "2024-05-20");
    assert_eq!(shop.lines(), ["N NEW ? 9500.00", "U REFUND ? -3800.00"]);
    assert_eq!(shop.line("U").refund_rule, Some(Answer::Negotiable));
    assert_eq!(shop.waits("U", "2024-05-21").blocked, [Blocked::SupervisionOpen], "it waits for its order");
    shop.states("N", StatedFacts { supervision: stated("2024-06-15"), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202406 9500.00", "U REFUND 202406 -3800.00"]);
}

#[test]
fn parts_of_a_line_that_come_back_one_by_one_add_up_to_all_of_it() {
    let mut shop = supervised();
    shop.buys("N", "99.99", "2024-05-10");
    shop.states("N", StatedFacts { supervision: stated("2024-05-11"), voucher_amount: Some(dec("9.99")), ..said() });
    for (order, amount, at) in
        [("U1", "-33.33", "2024-05-12"), ("U2", "-33.33", "2024-06-12"), ("U3", "-33.33", "2024-06-13")]
    {
        shop.hears(order_line(order), Said::Order(answered(order, OrderType::Unsubscribe, Some(amount))), at);
        let original = Some(line_id("N"));
        shop.states(order, StatedFacts { original_order_line_id: original, effective: stated(at), ..said() });
    }
    assert_eq!(total(&shop.draws()), rmb("0"));
    let periods: Vec<_> = shop.draws().iter().map(|drawn| drawn.line.period.unwrap().to_string()).collect();
    assert_eq!(periods, ["202405", "202405", "202406", "202406"], "the later ones are set off");
}

#[test]
fn images_abroad_come_back_by_the_hours_not_used() {
    let mut shop = shop();
    shop.seller = SellerTerms::of(Site::Intl);
    shop.product.kind = ProductKind::Image;
    let mut order = answered("N", OrderType::New, Some("758"));
    order.expires_at = Some(beijing("2024-02-01 23:59:59"));
    shop.is_named("N", Part::Purchase, "2024-01-01 10:30:00", None);
    shop.hears(order_line("N"), Said::Order(order), "2024-01-01 10:30:00");
    shop.gives_back("U", None, "2024-01-15 18:40:00");
    let refund = shop.line("U");
    assert_eq!(refund.refund_rule, Some(Answer::Prorated));
    assert_eq!(refund.line.sales_amount, Some(Marked::estimate(dec("-414"))), "758 hours, 344 of them used");
    assert_eq!(refund.line.settle_amount.unwrap().value, dec("-393.3"));
}

#[test]
fn a_refund_whose_original_is_not_known_is_shown_as_such() {
    let mut shop = shop();
    shop.hears(order_line("U"), Said::Order(answered("U", OrderType::Unsubscribe, Some("-100"))), "2024-05-08");
    let named = StatedFacts { original_order_line_id: Some(line_id("OLD")), effective: stated("2024-05-08"), ..said() };
    shop.states("U", named);
    assert_eq!(shop.lines(), ["U REFUND 202405 ?"]);
    assert_eq!(shop.line("U").missing, [Missing::OriginalLine]);
    assert_eq!(shop.line("U").line.original_order_line_id, Some(line_id("OLD")));
    shop.buys("OLD", "100", "2024-05-05");
    assert_eq!(shop.lines(), ["OLD NEW 202405 95.00", "U REFUND 202405 -95.00"]);
}

#[test]
fn a_trial_that_is_given_back_has_no_line_either() {
    let mut shop = shop();
    shop.sells("T", Part::Purchase, OrderType::Trial, Some("0"), "2024-05-01");
    shop.gives_back("U", None, "2024-05-03");
    assert_eq!(shop.lines(), [] as [String; 0]);
}

#[test]
fn joint_operation_shares_the_deal_price_or_the_floor_price() {
    let terms = SettlementTerms {
        category: Category::JointOperation,
        partner_ratio: Some(ratio("0.7")),
        tax_rate: Some(ratio("0.06")),
        ..SettlementTerms::default()
    };
    for (floor, settled) in [(None, "594.34"), (Some("0.8"), "528.30")] {
        let mut shop = shop();
        shop.product.settlement = SettlementTerms { floor_discount: floor.map(ratio), ..terms.clone() };
        shop.buys("N", "900", "2024-05-05");
        shop.states("N", StatedFacts { list_price: Some(dec("1000")), ..said() });
        assert_eq!(shop.lines(), [format!("N NEW 202405 {settled}")]);
        assert_eq!(shop.line("N").tier_of, None);
        shop.gives_back("U", Some("-900"), "2024-05-06");
        assert_eq!(total(&shop.draws()), rmb("0"));
    }
    for (terms, missing) in [
        (SettlementTerms { partner_ratio: None, ..terms.clone() }, Missing::PartnerRatio),
        (SettlementTerms { tax_rate: None, ..terms }, Missing::TaxRate),
    ] {
        let mut shop = shop();
        shop.product.settlement = terms;
        shop.buys("N", "900", "2024-05-05");
        assert_eq!(shop.lines(), ["N NEW 202405 ?"]);
        assert_eq!(shop.line("N").missing, [missing]);
    }
}

#[test]
fn what_is_missing_is_named_and_never_guessed() {
    let mut shop = shop();
    shop.is_named("N", Part::Purchase, "2024-05-05", None);
    let named = shop.line("N");
    assert_eq!(named.missing, [Missing::SupervisionDoneAt, Missing::ProductTerms, Missing::SalesAmount]);
    assert_eq!(shop.lines(), ["N NEW ? ?"]);
    shop.hears(order_line("N"), Said::Order(answered("N", OrderType::New, None)), "2024-05-05");
    assert_eq!(shop.line("N").missing, [Missing::SalesAmount]);
    assert_eq!(shop.lines(), ["N NEW 202405 ?"]);
    shop.product.fee_ratio = None;
    assert_eq!(shop.line("N").missing, [Missing::SalesAmount, Missing::FeeRatio]);
    shop.states("N", StatedFacts { fee_ratio: Some(ratio("0.1")), sales_amount: Some(dec("100")), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202405 90.00"]);
}

#[test]
fn an_order_of_an_unknown_kind_is_shown_without_an_amount() {
    let mut shop = shop();
    shop.hears(order_line("X"), Said::Order(answered("X", OrderType::Other, Some("100"))), "2024-05-05");
    assert_eq!(shop.lines(), ["X UNKNOWN ? ?"]);
    assert!(shop.line("X").missing.contains(&Missing::LineType));
    assert_eq!(shop.waits("X", "2024-05-06").blocked, [Blocked::FactsMissing]);
    shop.states("X", StatedFacts { line_type: Some(LineType::New), effective: stated("2024-05-05"), ..said() });
    assert_eq!(shop.lines(), ["X NEW 202405 95.00"]);
}

#[test]
fn statements_replace_estimates_field_by_field() {
    let mut shop = shop();
    shop.buys("N", "100", "2024-05-31 23:59:59");
    shop.states("N", StatedFacts { effective: stated("2024-06-01"), ..said() });
    let line = shop.line("N").line;
    assert_eq!(line.effective_at, Some(Marked::stated(beijing("2024-06-01"))));
    assert_eq!(line.paid_at, Some(Marked::estimate(beijing("2024-05-31 23:59:59"))));
    assert_eq!(shop.lines(), ["N NEW 202406 95.00"]);
    shop.states("N", StatedFacts { sales_amount: Some(dec("80")), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202406 76.00"]);
}

#[test]
fn what_becomes_known_after_a_month_is_closed_is_on_the_next_open_bill() {
    let mut shop = shop();
    shop.buys("N", "100", "2024-05-05");
    shop.closed.extend([period("202405"), period("202406")]);
    assert_eq!(shop.lines(), ["N NEW 202407 95.00"]);
    shop.closed_in.insert(line_id("N").to_string(), period("202405"));
    assert_eq!(shop.lines(), ["N NEW 202405 95.00"]);
    shop.gives_back("U", Some("-100"), "2024-05-06");
    assert_eq!(shop.lines(), ["N NEW 202405 95.00", "U REFUND 202407 -95.00"]);
    shop.bills("U", "202406");
    assert_eq!(shop.lines()[1], "U REFUND 202406 -95.00", "the marketplace knows");
}

#[test]
fn a_guarantee_that_is_held_delays_a_five_day_product_by_five_days() {
    let mut shop = shop().with_policy(Policy { guarantee: Guarantee::Held, ..Policy::default() });
    shop.buys("N", "100", "2024-05-29");
    assert_eq!(shop.lines(), ["N NEW 202406 95.00"]);
    assert_eq!(shop.waits("N", "2024-05-30").blocked, [Blocked::GuaranteeOpen]);
    shop.seller.policy.guarantee = Guarantee::NotHeld;
    assert_eq!(shop.lines(), ["N NEW 202405 95.00"]);
}

#[test]
fn nothing_is_billed_to_a_seller_who_is_not_certified() {
    let mut shop = shop();
    shop.seller.certified = false;
    shop.buys("N", "100", "2024-05-05");
    let waits = shop.waits("N", "2024-07-10");
    assert_eq!(waits.blocked, [Blocked::SellerNotCertified]);
    assert_eq!(waits.expected, Some(period("202407")), "by the next bill he must be");
}

#[test]
fn refunds_lower_the_amount_of_a_tier_unless_the_policy_says_otherwise() {
    for (tier_refunds, counted) in [(TierRefunds::Subtracted, Some(rmb("-100"))), (TierRefunds::Ignored, None)] {
        let mut shop = tiered("202405", "0").with_policy(Policy { tier_refunds, ..Policy::default() });
        shop.buys("N", "100", "2024-05-05");
        shop.gives_back("U", Some("-100"), "2024-05-06");
        assert_eq!(shop.line("U").counted.map(|counted| counted.paid), counted);
        assert_eq!(shop.line("U").tier_of, shop.line("N").tier_of);
    }
}

#[test]
fn renewals_that_are_given_back_one_after_another_are_each_given_back_once() {
    let mut shop = shop();
    shop.renews("R1", "100", "2024-05-01", "2024-06-01");
    shop.renews("R2", "200", "2024-05-02", "2024-07-01");
    shop.sells("U1", Part::RenewalCancelled, OrderType::Unsubscribe, None, "2024-05-10");
    shop.sells("U2", Part::RenewalCancelled, OrderType::Unsubscribe, Some("-100"), "2024-05-11");
    assert_eq!(
        shop.lines(),
        ["R1 RENEW 202405 95.00", "R2 RENEW 202405 190.00", "U1 REFUND 202405 -190.00", "U2 REFUND 202405 -95.00"]
    );
    assert_eq!(shop.line("U2").line.original_order_line_id, Some(line_id("R1")));
}

#[test]
fn an_instance_comes_back_with_its_renewals_that_have_not_begun() {
    let mut shop = shop();
    shop.buys("N", "100", "2024-05-01");
    shop.renews("R", "200", "2024-05-02", "2024-06-01");
    shop.gives_back("U", Some("-300"), "2024-05-03");
    assert_eq!(
        shop.lines(),
        ["N NEW 202405 95.00", "R RENEW 202405 190.00", "U REFUND 202405 -95.00", "U/R REFUND 202405 -190.00"]
    );
    // Once the renewed term runs, it is the renewal that is given back, and the term before it is used up.
    let mut shop = self::shop();
    shop.buys("N", "100", "2024-05-01");
    shop.renews("R", "200", "2024-05-02", "2024-06-01");
    shop.gives_back("U", Some("-50"), "2024-06-10");
    assert_eq!(shop.line("U").line.original_order_line_id, Some(line_id("R")));
    assert_eq!(shop.lines()[2], "U REFUND 202406 -47.50");
}

#[test]
fn what_the_marketplace_left_out_is_expected_on_the_next_bill() {
    let mut shop = shop();
    shop.buys("N", "100", "2024-05-05");
    shop.states("N", StatedFacts { billed: Some(Billed::NotYet), ..said() });
    let waits = shop.waits("N", "2024-06-20");
    assert_eq!((waits.period, waits.expected), (Some(period("202405")), Some(period("202406"))));
    assert_eq!(waits.blocked, [Blocked::RunNotReached]);
}

#[test]
fn without_terms_of_its_product_an_amount_is_an_estimate() {
    let mut shop = shop();
    let mut order = answered("N", OrderType::New, Some("100"));
    order.sku = None;
    shop.is_named("N", Part::Purchase, "2024-05-05", None);
    shop.hears(order_line("N"), Said::Order(order), "2024-05-05");
    let category = Some(Category::Generic);
    let supervision = Some(When::NotApplicable);
    shop.states("N", StatedFacts { category, supervision, fee_ratio: Some(Ratio::percent(5)), ..said() });
    assert_eq!(shop.lines(), ["N NEW 202405 95.00"]);
    assert_eq!(shop.line("N").line.settle_amount.unwrap().mark, Mark::Estimate);
    assert_eq!(shop.line("N").missing, [Missing::ProductTerms]);
}

#[test]
fn a_correction_is_a_line_of_its_month() {
    let adjustment = AdjustmentRecorded {
        id: "T-1".into(),
        corrects: period("202404"),
        category: Category::Generic,
        line_id: None,
        amount: dec("-12.34"),
        currency: rmb("0").currency(),
        note: "counted twice".into(),
    };
    let source = shop().buys("N", "1", "2024-06-05").news().remove(0).source;
    let drawn = draw_adjustment(period("202405"), &adjustment, beijing("2024-06-05"), source);
    assert_eq!((drawn.line.line_id.as_str(), drawn.line.period), ("adjustment/202405/T-1", Some(period("202405"))));
    assert_eq!(drawn.columns.unwrap().adjustment, dec("-12.34"));
    let seller = SellerTerms::of(Site::Cn);
    let waits = |now| drawn.waits(&seller, WorkingDays::china(), beijing(now));
    assert_eq!(waits("2024-06-01").blocked, [Blocked::RunNotReached]);
    assert_eq!((waits("2024-06-05").blocked, waits("2024-06-05").expected), (vec![], Some(period("202405"))));
}

#[test]
fn days_that_a_seller_adds_move_the_run_of_its_bills() {
    let mut seller = SellerTerms::of(Site::Cn);
    seller.working_days = "2031 off 06-03".into();
    let days = seller.all_working_days().unwrap();
    assert_eq!(seller.schedule(&days).run(period("203105")).date, date("2031-06-04"));
    seller.working_days = "2031 closed 06-03".into();
    assert_eq!(seller.all_working_days().unwrap_err().text, "closed");
}
