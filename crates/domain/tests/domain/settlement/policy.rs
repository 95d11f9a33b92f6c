//! The switches and their defaults.

use chopmark_domain::order::OrderType;
use chopmark_domain::settlement::books::Part;
use chopmark_domain::settlement::policy::{
    BillTotal, Carry, Guarantee, InternationalRefunds, Pairing, Policy, SetOff, TierLateLines, TierMonth, TierRefunds,
    UnstatedPayment, UpgradedRefund,
};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::statement::StatedFacts;
use chopmark_domain::settlement::terms::SellerTerms;
use serde_json::json;

use super::books_support::*;
use super::support::*;

#[test]
fn every_switch_has_its_documented_default() {
    assert_eq!(
        serde_json::to_value(Policy::default()).unwrap(),
        json!({
            "run_days": {"cn": 3, "intl": 7, "eu": 7},
            "tiers": {
                "since": "2024-02-29T16:00:00Z",
                "fee_ratio": "0.05",
                "brackets": [{"at_least": "500000", "share": "0.01"}, {"at_least": "1000000", "share": "0.02"}],
            },
            "tier_month": "SETTLEMENT",
            "tier_refunds": "SUBTRACTED",
            "tier_late_lines": "INCLUDED",
            "guarantee": "NOT_HELD",
            "pairing": "TOGETHER",
            "set_off": "CURRENT_MONTH",
            "upgraded_refund": "EVERY_ORDER",
            "international_refunds": "NEGOTIATED",
            "carry": "DEPOSIT_AFTER_NEXT_MONTH",
            "bill_total": "ROUND_THE_SUM",
            "partial_hour": "PRORATE",
            "powered_off": "BILLED",
            "term_days": "EXACT",
            "volume_discount": "APPLIES",
            "unstated_payment": "AS_PROVISIONED",
        })
    );
}

#[test]
fn a_policy_names_only_what_differs() {
    let policy: Policy = serde_json::from_value(json!({"partial_hour": "CEIL", "run_days": {"cn": 7}})).unwrap();
    let mut expected = serde_json::to_value(Policy::default()).unwrap();
    expected["partial_hour"] = json!("CEIL");
    expected["run_days"]["cn"] = json!(7);
    assert_eq!(serde_json::to_value(policy).unwrap(), expected);
    assert!(serde_json::from_value::<Policy>(json!({"run_days": {"cn": 31}})).is_err());
    assert!(serde_json::from_value::<Policy>(json!({"carry": "NEVER"})).is_err());
}

/// A purchase of May, made on credit in April and given back in June, with the change it got: everything that the
/// switches of lines decide about.
fn eventful(policy: Policy, site: Site) -> Shop {
    let mut shop = shop();
    shop.seller = SellerTerms { policy, ..SellerTerms::of(site) };
    shop.product.settlement.tiers = true;
    shop.months.insert(period("202404"), rmb("1000000"));
    shop.months.insert(period("202405"), rmb("500000"));
    shop.buys("N", "1000", "2024-05-30");
    shop.states("N", StatedFacts { paid_in_full: stated("2024-04-30"), ..StatedFacts::default() });
    shop.sells("C", Part::Change, OrderType::Change, Some("300"), "2024-05-31");
    shop.gives_back("U", None, "2024-06-02");
    shop
}

/// Everything that is told of a shop: its lines as they are drawn, what they wait for, and when their bills are run.
fn told(policy: Policy, site: Site, supervised: bool) -> String {
    let mut shop = eventful(policy, site);
    shop.product.settlement.supervised = supervised;
    let waits = ["N", "C", "U"].map(|order| shop.waits(order, "2024-06-02 12:00:00"));
    format!("{:?} {waits:?}", shop.draws())
}

#[test]
fn every_switch_of_lines_decides_something_and_alone() {
    let by = |change: fn(&mut Policy)| {
        let mut policy = Policy::default();
        change(&mut policy);
        policy
    };
    let by_payment = by(|policy| policy.tier_month = TierMonth::Payment);
    let late = Policy { tier_late_lines: TierLateLines::Excluded, ..by_payment.clone() };
    let changes: [(&str, Policy, Policy, Site, bool); 11] = [
        ("run_days", Policy::default(), by(|policy| policy.run_days.cn = 7.try_into().unwrap()), Site::Cn, false),
        ("tiers", Policy::default(), by(|policy| policy.tiers.brackets = vec![]), Site::Cn, false),
        ("tier_month", Policy::default(), by_payment.clone(), Site::Cn, false),
        ("tier_late_lines", by_payment, late, Site::Cn, false),
        ("tier_refunds", Policy::default(), by(|policy| policy.tier_refunds = TierRefunds::Ignored), Site::Cn, false),
        ("guarantee", Policy::default(), by(|policy| policy.guarantee = Guarantee::Held), Site::Cn, false),
        ("pairing", Policy::default(), by(|policy| policy.pairing = Pairing::StrictMonths), Site::Cn, false),
        (
            "upgraded_refund",
            Policy::default(),
            by(|policy| policy.upgraded_refund = UpgradedRefund::NamedOrder),
            Site::Cn,
            false,
        ),
        (
            "international_refunds",
            Policy::default(),
            by(|policy| policy.international_refunds = InternationalRefunds::Never),
            Site::Intl,
            true,
        ),
        (
            "unstated_payment",
            Policy::default(),
            by(|policy| policy.unstated_payment = UnstatedPayment::Unknown),
            Site::Cn,
            false,
        ),
        ("set_off", Policy::default(), by(|policy| policy.set_off = SetOff::NextMonth), Site::Cn, false),
    ];
    for (switch, usual, switched, site, supervised) in changes {
        let same = switch == "set_off";
        assert_eq!(told(usual, site, supervised) == told(switched, site, supervised), same, "{switch}");
    }
    let [current, next] = [SetOff::CurrentMonth, SetOff::NextMonth].map(|set_off| {
        let mut shop = eventful(Policy { set_off, ..Policy::default() }, Site::Cn);
        shop.bills("N", "202405");
        shop.line("U").line.period
    });
    assert_eq!((current, next), (Some(period("202406")), Some(period("202407"))), "set_off is about what was billed");
    // The others decide about what lines come to, or about prices: balances and quotes have tests of their own.
    let Policy {
        run_days: _,
        tiers: _,
        tier_month: _,
        tier_refunds: _,
        tier_late_lines: _,
        guarantee: _,
        pairing: _,
        set_off: _,
        upgraded_refund: _,
        international_refunds: _,
        unstated_payment: _,
        carry: Carry::DepositAfterNextMonth,
        bill_total: BillTotal::RoundTheSum,
        partial_hour: _,
        powered_off: _,
        term_days: _,
        volume_discount: _,
    } = Policy::default()
    else {
        panic!("another switch, or another default: it needs a test here")
    };
}
