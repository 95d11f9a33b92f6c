//! What is paid for a sale, by each formula.

use chopmark_domain::settlement::formula::generic::GenericSale;
use chopmark_domain::settlement::formula::international::{self, InternationalSale, SellerTaxes};
use chopmark_domain::settlement::formula::joint::{self, JointSale, SharedPrice};
use chopmark_domain::settlement::formula::reseller::{self, DistributorSale};
use chopmark_domain::settlement::formula::tier::{Counting, Tiers};
use chopmark_domain::settlement::formula::{Goods, sales_amount};
use chopmark_domain::settlement::money::{MoneyError, Ratio};
use chopmark_domain::settlement::policy::{Policy, TierLateLines, TierMonth, TierRefunds};
use chopmark_domain::settlement::product::LineType;

use super::support::*;

#[test]
fn the_sales_amount_is_that_of_all_goods() {
    let goods = |price, duration, quantity| Goods { unit_price: rmb(price), duration: dec(duration), quantity };
    let sales = sales_amount(&[goods("10", "12", 3), goods("0.5", "1", 1)]).unwrap().unwrap();
    assert_eq!(sales.amount, rmb("360.5"));
    assert_followed(&sales);
    assert_eq!(sales_amount(&[]).unwrap(), None);
    assert!(sales_amount(&[goods("10", "-1", 1)]).is_err());
    let mixed = [goods("1", "1", 1), Goods { unit_price: usd("1"), ..goods("1", "1", 1) }];
    assert!(matches!(sales_amount(&mixed), Err(MoneyError::Currencies { .. })));
}

#[test]
fn a_voucher_is_shared_unless_the_seller_bears_another_part() {
    for (bear, amount) in
        [(None, "76"), (Some("0.95"), "76"), (Some("1"), "75"), (Some("0"), "95"), (Some("0.5"), "85")]
    {
        let sale = GenericSale { voucher: rmb("20"), seller_bear_ratio: bear.map(ratio), ..sale("100") };
        let settled = settled(&sale);
        assert_eq!(settled.amount, rmb(amount), "{bear:?}");
        assert_followed(&settled);
    }
}

#[test]
fn the_tier_is_part_of_the_share_that_a_voucher_is_shared_by() {
    let sale = GenericSale { voucher: rmb("100000"), tier_ratio: ratio("0.02"), ..sale("1500000") };
    assert_eq!(settled(&sale).amount, rmb("1358000"));
    assert_eq!(sale.share().unwrap(), ratio("0.97"));
}

#[test]
fn tiers_are_reached_exactly_at_their_amounts() {
    let tiers = Tiers::default();
    for (month, share) in [
        ("-5", "0"),
        ("0", "0"),
        ("499999.999999", "0"),
        ("500000", "0.01"),
        ("999999.999999", "0.01"),
        ("1000000", "0.02"),
        ("100000000", "0.02"),
    ] {
        assert_eq!(tiers.share(Ratio::percent(5), rmb(month)), ratio(share), "{month}");
        assert_eq!(tiers.share(ratio("0.0500001"), rmb(month)), Ratio::ZERO, "another fee takes no part");
    }
    assert_eq!(tiers.share(Ratio::percent(5), usd("1000000")), Ratio::ZERO, "tiers are the China site's");
    assert_eq!(tiers.next(rmb("499999")).unwrap().at_least, dec("500000"));
    assert_eq!(tiers.next(rmb("500000")).unwrap().at_least, dec("1000000"));
    assert_eq!(tiers.next(rmb("1000000")), None);
}

#[test]
fn what_took_effect_before_the_tiers_keeps_the_old_rule() {
    let tiers = Tiers::default();
    let hold = |line_type, bought: &str, effective: &str| {
        tiers.hold(line_type, Some(beijing(bought)), Some(beijing(effective))).unwrap()
    };
    assert!(!hold(LineType::New, "2024-02-29", "2024-02-29 23:59:59"));
    assert!(hold(LineType::New, "2024-02-29", "2024-03-01 00:00:00"));
    assert!(!hold(LineType::Renew, "2024-02-29 23:59:59", "2024-06-01"), "bought before, not yet effective");
    assert!(hold(LineType::Renew, "2024-03-01", "2024-03-05"));
    assert!(!hold(LineType::Usage, "2024-03-02", "2024-02-29 12:00:00"));
    assert_eq!(tiers.hold(LineType::Renew, None, Some(beijing("2024-06-01"))), None);
    assert_eq!(tiers.hold(LineType::New, Some(beijing("2024-06-01")), None), None);
}

#[test]
fn a_line_counts_to_one_month_and_gets_its_tier_by_the_switches() {
    let (may, june) = (period("202405"), period("202406"));
    let late = Counting { line_type: LineType::New, paid_in: may, settled_in: june, paid: rmb("100") };
    let settlement = Policy::default();
    let payment = Policy { tier_month: TierMonth::Payment, ..Policy::default() };
    let strict = Policy { tier_late_lines: TierLateLines::Excluded, ..payment.clone() };
    assert_eq!((late.adds(&settlement), late.gets(&settlement)), (Some((june, rmb("100"))), Some(june)));
    assert_eq!((late.adds(&payment), late.gets(&payment)), (Some((may, rmb("100"))), Some(may)));
    assert_eq!((late.adds(&strict), late.gets(&strict)), (Some((may, rmb("100"))), None));
    let in_time = Counting { settled_in: may, ..late };
    assert_eq!(in_time.gets(&strict), Some(may));

    let refund = Counting { line_type: LineType::Refund, paid: rmb("-100"), ..late };
    assert_eq!(refund.adds(&settlement), Some((june, rmb("-100"))));
    assert_eq!(refund.adds(&Policy { tier_refunds: TierRefunds::Ignored, ..settlement.clone() }), None);
    assert_eq!(Counting { line_type: LineType::Adjustment, ..late }.adds(&settlement), None);
}

#[test]
fn a_joint_sale_is_shared_without_tax_in_both_modes() {
    let sale = |shared| JointSale {
        list_price: rmb("100"),
        shared,
        partner_ratio: ratio("0.7"),
        quantity: 2,
        duration: dec("12"),
        tax_rate: ratio("0.06"),
    };
    let deal = joint::settle(&sale(SharedPrice::Deal { sales_discount: ratio("0.9") })).unwrap();
    assert_followed(&deal);
    assert_eq!(shown(deal.amount), "1426.42", "100 × 0.9 × 0.7 × 24 ÷ 1.06 = 1426.4150…");
    let floor = joint::settle(&sale(SharedPrice::Floor { floor_discount: ratio("0.6") })).unwrap();
    assert_followed(&floor);
    assert_eq!(shown(floor.amount), "950.94", "100 × 0.6 × 0.7 × 24 ÷ 1.06 = 950.9433…");
    let untaxed = JointSale { tax_rate: Ratio::ZERO, ..sale(SharedPrice::Deal { sales_discount: Ratio::ONE }) };
    assert_eq!(joint::settle(&untaxed).unwrap().amount, rmb("1680"));
}

#[test]
fn sellers_taxes_come_off_once_for_all_products() {
    let product = |gross, fee| InternationalSale {
        gross: usd(gross),
        vat: usd("0"),
        customer_wht: usd("0"),
        fee_ratio: ratio(fee),
    };
    let taxes = SellerTaxes { wht: usd("5"), dst: usd("1") };
    let settled = international::settle(&[product("100", "0.15"), product("200", "0.1")], &taxes).unwrap();
    assert_eq!(settled.amount, usd("259"));
    assert_followed(&settled);
    assert_eq!(international::settle(&[], &taxes).unwrap().amount, usd("-6"));
    let euro = SellerTaxes { wht: rmb("5"), dst: rmb("1") };
    assert!(matches!(international::settle(&[product("1", "0")], &euro), Err(MoneyError::Currencies { .. })));
}

#[test]
fn resellers_get_their_ratio_or_what_lies_above_the_floor() {
    assert_eq!(reseller::joint_sale(rmb("1000"), ratio("0.3")).unwrap().amount, rmb("300"));
    let sale = DistributorSale {
        deal: rmb("1130"),
        floor: rmb("565"),
        goods_tax: ratio("0.13"),
        service_tax: ratio("0.06"),
        commission: Ratio::percent(90),
    };
    let settled = reseller::distributor(&sale).unwrap();
    assert_followed(&settled);
    assert_eq!(settled.amount, rmb("477"), "(1130 - 565) ÷ 1.13 × 1.06 × 90 %");
    assert!(reseller::distributor(&DistributorSale { commission: ratio("0.91"), ..sale }).is_err());
}

#[test]
fn absurd_numbers_are_an_error_and_no_panic() {
    let most = rmb("1000000000000000");
    let goods = Goods { unit_price: most, duration: dec("1000000000000000"), quantity: u32::MAX };
    assert!(matches!(sales_amount(&[goods]), Err(MoneyError::TooLarge { .. })));
    let goods = Goods { duration: dec("1"), quantity: 2, ..goods };
    assert!(matches!(sales_amount(&[goods]), Err(MoneyError::TooLarge { .. })));
}
