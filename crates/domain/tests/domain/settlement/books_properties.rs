//! What holds for the books whatever is sold, for how much, and in whichever order it becomes known.

use chopmark_domain::order::OrderType;
use chopmark_domain::settlement::balance;
use chopmark_domain::settlement::books::{Case, News, Part, Said};
use chopmark_domain::settlement::money::{Currency, Money, Ratio};
use chopmark_domain::settlement::policy::{BillTotal, Guarantee, Pairing, Policy, SetOff};
use chopmark_domain::settlement::product::{Category, Site};
use chopmark_domain::settlement::statement::{StatedFacts, When};
use chopmark_domain::settlement::terms::SellerTerms;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::sample::Index;
use rust_decimal::Decimal;

use super::books_support::*;
use super::support::*;

/// Up to ten million, with up to eight decimals.
fn any_amount() -> impl Strategy<Value = Decimal> {
    (1..=1_000_000_000_000_000_i64, 0..=8_u32)
        .prop_map(|(digits, scale)| Decimal::new((digits / 10_i64.pow(8 - scale)).max(1), scale))
}

fn any_ratio() -> impl Strategy<Value = Ratio> {
    (0..=10_000_i64).prop_map(|n| Ratio::new(Decimal::new(n, 4)).unwrap())
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let pairing = prop_oneof![Just(Pairing::Together), Just(Pairing::StrictMonths)];
    let set_off = prop_oneof![Just(SetOff::CurrentMonth), Just(SetOff::NextMonth)];
    let guarantee = prop_oneof![Just(Guarantee::NotHeld), Just(Guarantee::Held)];
    (pairing, set_off, guarantee).prop_map(|(pairing, set_off, guarantee)| Policy {
        pairing,
        set_off,
        guarantee,
        ..Policy::default()
    })
}

/// A shop by any formula, whose month reaches any tier.
fn any_shop() -> impl Strategy<Value = Shop> {
    let formula = prop_oneof![
        3 => Just((Site::Cn, Category::Generic)),
        1 => Just((Site::Cn, Category::JointOperation)),
        1 => Just((Site::Intl, Category::Generic)),
    ];
    let fee = prop_oneof![Just(Ratio::percent(5)), any_ratio()];
    (formula, fee, prop::option::of(any_ratio()), any_ratio(), any_amount(), any_policy()).prop_map(
        |((site, category), fee, bear, partner, month, policy)| {
            let mut shop = shop();
            shop.seller = SellerTerms { policy, ..SellerTerms::of(site) };
            shop.product.fee_ratio = Some(fee.value());
            shop.product.settlement.category = category;
            shop.product.settlement.tiers = true;
            shop.product.settlement.voucher_bear_ratio = bear;
            shop.product.settlement.partner_ratio = Some(partner);
            shop.product.settlement.tax_rate = Some(Ratio::percent(6));
            shop.months = ["202404", "202405", "202406", "202407"]
                .map(|name| (period(name), Money::new(month, Currency::CNY).unwrap()))
                .into();
            shop
        },
    )
}

fn stamp(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(8)).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A purchase with a voucher, perhaps some changes, and a refund of all within the five days.
fn given_back_in_full(
    shop: &mut Shop,
    amount: Decimal,
    voucher: Option<Decimal>,
    changes: &[Decimal],
    refunded: How,
    times: (i64, i64),
) {
    let bought = beijing("2024-05-01") + TimeDelta::seconds(times.0);
    let given_back = bought + TimeDelta::seconds(10 + times.1);
    shop.buys("N", &amount.to_string(), &stamp(bought));
    if let Some(voucher) = voucher {
        shop.states("N", StatedFacts { voucher_amount: Some(voucher), ..StatedFacts::default() });
    }
    for (n, change) in changes.iter().enumerate() {
        let at = stamp(bought + TimeDelta::seconds(1));
        shop.sells(&format!("C{n}"), Part::Change, OrderType::Change, Some(&change.to_string()), &at);
    }
    let all = amount + changes.iter().sum::<Decimal>();
    let told = match refunded {
        How::Untold => None,
        How::OfTheGoods => Some(-all),
        How::Paid => Some(voucher.unwrap_or_default() - all),
    };
    shop.gives_back("U", told.map(|told| told.to_string()).as_deref(), &stamp(given_back));
}

/// How the refund's amount is told.
#[derive(Debug, Clone, Copy)]
enum How {
    Untold,
    OfTheGoods,
    Paid,
}

/// News of a license with every kind of order, some of them stated, some given back in parts.
fn eventful(shop: &mut Shop) {
    shop.buys("N", "1000", "2024-05-05");
    shop.sells("C", Part::Change, OrderType::Change, Some("300"), "2024-05-06");
    shop.sells("D", Part::Change, OrderType::Change, Some("-70"), "2024-05-07");
    shop.renews("R1", "900", "2024-05-20", "2024-06-05");
    shop.renews("R2", "900", "2024-05-21", "2024-07-05");
    shop.sells("V", Part::RenewalCancelled, OrderType::Unsubscribe, None, "2024-05-22");
    shop.sells("W", Part::RenewalCancelled, OrderType::Unsubscribe, Some("-450"), "2024-05-23");
    shop.gives_back("U", Some("-600"), "2024-06-20");
    shop.hears(usage("202405"), Said::SeenHours(7), "2024-05-25");
    shop.hears(usage("202405"), Said::SeenHours(5), "2024-05-26");
    let said = StatedFacts::default();
    shop.states(
        "N",
        StatedFacts { paid_in_full: Some(When::NotYet), voucher_amount: Some(dec("100")), ..said.clone() },
    );
    shop.states("C", StatedFacts { fee_ratio: Some(ratio("0.1")), ..said.clone() });
    shop.states("U", StatedFacts { original_order_line_id: Some(line_id("R1")), ..said });
}

proptest! {
    #[test]
    fn a_full_refund_nets_to_nothing_whatever_the_amounts_ratios_and_policies(
        mut shop in any_shop(),
        amount in any_amount(),
        part in prop::option::of(any_ratio()),
        changes in prop::collection::vec(any_amount(), 0..3),
        refunded in prop_oneof![Just(How::Untold), Just(How::OfTheGoods), Just(How::Paid)],
        times in (0..5_000_000_i64, 0..431_000_i64),
    ) {
        // Abroad nothing comes back of services by itself: there it is told what does.
        let refunded = if shop.seller.site == Site::Cn { refunded } else { How::OfTheGoods };
        let voucher = part.map(|part| (amount * part.value()).round_dp(4));
        given_back_in_full(&mut shop, amount, voucher, &changes, refunded, times);
        let drawn = shop.draws();
        let currency = shop.seller.site.currency();
        let sum = Money::sum(currency, drawn.iter().map(|drawn| drawn.line.settled().unwrap().unwrap())).unwrap();
        prop_assert_eq!(sum, Money::zero(currency), "{:?}", shop.lines());
        for refund in drawn.iter().filter(|drawn| drawn.refund_rule.is_some()) {
            let original = refund.line.original_order_line_id.as_ref().unwrap();
            let original = drawn.iter().find(|drawn| drawn.line.line_id == original.as_str()).unwrap();
            prop_assert!(original.line.period <= refund.line.period, "no refund comes before what it is of");
        }
        let counted: Decimal = drawn.iter().filter_map(|drawn| Some(drawn.counted.as_ref()?.paid.amount())).sum();
        prop_assert_eq!(counted, Decimal::ZERO, "and leaves nothing in the amount of its tier");
    }

    #[test]
    fn the_same_news_in_any_order_make_the_same_lines(mut shop in any_shop(), order in prop::collection::vec(any::<Index>(), 60)) {
        shop.product.settlement.hourly_price = Some(dec("0.5"));
        eventful(&mut shop);
        let expected = shop.draws();
        prop_assert!(expected.len() >= 9);
        let shuffled = shuffle(shop.news(), &order);
        prop_assert_eq!(&case_of(shuffled.clone()), &shop.case());
        prop_assert_eq!(shop.draws_up(&case_of(shuffled.clone())), expected);

        let (one, other): (Vec<_>, Vec<_>) = shuffled.into_iter().partition(|news| news.source.position % 3 == 0);
        let (one, other) = (case_of(one), case_of(other));
        for (mut into, from) in [(one.clone(), other.clone()), (other, one)] {
            into.merge(from);
            prop_assert_eq!(&into, &shop.case(), "cases that come together");
        }
    }

    #[test]
    fn lines_as_they_are_shown_differ_from_their_bill_by_half_a_cent_each_at_most(
        mut shop in any_shop(),
        amounts in prop::collection::vec(any_amount(), 1..12),
    ) {
        for (n, amount) in amounts.iter().enumerate() {
            shop.buys(&format!("N{n}"), &amount.to_string(), "2024-05-05");
        }
        let drawn = shop.draws();
        let lines: Vec<_> = drawn.iter().map(|drawn| drawn.line.settled().unwrap().unwrap()).collect();
        let total = balance::total(shop.seller.site.currency(), lines.iter().copied(), BillTotal::RoundTheSum).unwrap();
        let shown: Decimal = lines.iter().map(|line| line.shown().amount()).sum();
        let bound = Decimal::new(5, 3) * Decimal::from(lines.len() + 1);
        prop_assert!((shown - total.shown.amount()).abs() <= bound);
        for columns in drawn.iter().filter_map(|drawn| drawn.columns) {
            let net = columns.sales - columns.voucher - columns.fee + columns.tier_bonus - columns.tax + columns.refund;
            prop_assert_eq!(net.round_dp(15), columns.net.round_dp(15));
        }
    }

    #[test]
    fn a_case_survives_being_stored(mut shop in any_shop()) {
        eventful(&mut shop);
        let stored = serde_json::to_string(&shop.case()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Case>(&stored).unwrap(), shop.case());
        for drawn in shop.draws() {
            let stored = serde_json::to_string(&drawn).unwrap();
            prop_assert_eq!(serde_json::from_str::<chopmark_domain::settlement::books::Drawn>(&stored).unwrap(), drawn);
        }
    }

    #[test]
    fn amounts_beyond_all_reason_are_refused_and_never_overflow(
        stated in prop::collection::vec((any::<i64>(), 0..28_u32, prop::bool::ANY), 6),
    ) {
        let amounts: Vec<_> = stated
            .iter()
            .map(|(digits, scale, largest)| if *largest { Decimal::MAX } else { Decimal::new(*digits, *scale) })
            .collect();
        let mut shop = shop();
        shop.product.settlement.hourly_price = Some(amounts[0]);
        shop.hears(usage("202405"), Said::SeenHours(u64::MAX), "2024-05-25");
        shop.buys("N", "1", "2024-05-05");
        shop.gives_back("U", None, "2024-05-06");
        let facts = |sales, voucher| StatedFacts {
            sales_amount: Some(sales),
            voucher_amount: Some(voucher),
            list_price: Some(voucher),
            customer_wht: Some(sales),
            ..StatedFacts::default()
        };
        shop.states("N", facts(amounts[1], amounts[2]));
        shop.states("U", facts(amounts[3], amounts[4]));
        for (site, category) in [(Site::Cn, Category::Generic), (Site::Cn, Category::JointOperation), (Site::Eu, Category::Generic)] {
            shop.seller.site = site;
            shop.product.settlement.category = category;
            shop.product.settlement.partner_ratio = Some(Ratio::ONE);
            shop.product.settlement.tax_rate = Some(Ratio::ZERO);
            prop_assert!(shop.draws().len() >= 2);
        }
    }
}

fn shuffle(mut news: Vec<News>, order: &[Index]) -> Vec<News> {
    for (n, index) in order.iter().enumerate().take(news.len()) {
        let other = index.index(news.len());
        news.swap(n, other);
    }
    news
}
