//! How much comes back, and on which bill.

use chopmark_domain::settlement::formula::generic::GenericSale;
use chopmark_domain::settlement::marked::Mark;
use chopmark_domain::settlement::policy::{Pairing, Policy, SetOff, UpgradedRefund};
use chopmark_domain::settlement::product::Site;
use chopmark_domain::settlement::readiness::OnBill;
use chopmark_domain::settlement::refund::amount::{
    FrozenShare, NegotiationError, Original, Returned, negotiated, settle, whole_instance,
};
use chopmark_domain::settlement::refund::pairing::{Placement, place};
use chopmark_domain::settlement::refund::prorated::{Unused, order_hours, refund};

use super::support::*;

fn returned(gross: &str, voucher: &str) -> Returned {
    Returned { gross: rmb(gross), voucher: rmb(voucher) }
}

#[test]
fn a_refund_hands_the_fee_back_at_the_frozen_share() {
    let tiered = original(&GenericSale { tier_ratio: ratio("0.02"), ..sale("1000") });
    let nothing = Returned::nothing_of(&tiered);
    let partial = settle(&tiered, &nothing, &returned("400", "0")).unwrap();
    assert_eq!(partial.amount, rmb("-388"), "at 97 %, whatever the tier is now");
    assert_followed(&partial);
    let whole = settle(&tiered, &nothing, &tiered.whole()).unwrap();
    assert_eq!(told(&whole), ["settle_amount = minus original_settle_amount 970 = -970"]);
}

#[test]
fn a_voucher_goes_back_with_what_it_paid_for() {
    let shared = original(&GenericSale { voucher: rmb("20"), ..sale("100") });
    let amount = |original: &Original, part| settle(original, &Returned::nothing_of(original), &part).unwrap().amount;
    assert_eq!(amount(&shared, returned("50", "10")), rmb("-38"));
    assert_eq!(amount(&shared, returned("100", "20")), rmb("-76"));
    let borne = original(&GenericSale { voucher: rmb("20"), seller_bear_ratio: Some(ratio("0.5")), ..sale("100") });
    assert_eq!(amount(&borne, returned("50", "10")), rmb("-42.5"));
    assert_eq!(amount(&borne, returned("100", "20")), rmb("-85"));
}

#[test]
fn the_parts_of_a_refund_add_up_to_all_of_it() {
    let joint =
        Original { sales: usd("90"), voucher: usd("0"), settled: usd("55.555"), share: FrozenShare::Proportional };
    let third = Returned { gross: usd("30"), voucher: usd("0") };
    let mut before = Returned::nothing_of(&joint);
    let mut sum = usd("0");
    for _ in 0..3 {
        let part = settle(&joint, &before, &third).unwrap();
        assert_followed(&part);
        sum = sum.plus(part.amount).unwrap();
        before = before.plus(third).unwrap();
    }
    assert_eq!(sum, usd("-55.555"));
    assert!(settle(&joint, &before, &Returned { gross: usd("-1"), ..third }).is_err());
    assert!(settle(&joint, &before, &returned("1", "0")).is_err(), "another currency");
}

#[test]
fn a_negotiated_amount_lies_between_nothing_and_what_was_paid() {
    assert_eq!(negotiated(rmb("100"), rmb("100")), Ok(rmb("100")));
    assert_eq!(negotiated(rmb("0.01"), rmb("100")), Ok(rmb("0.01")));
    assert_eq!(negotiated(rmb("0"), rmb("100")), Err(NegotiationError::NotPositive(rmb("0"))));
    let (agreed, paid) = (rmb("100.01"), rmb("100"));
    assert_eq!(negotiated(agreed, paid), Err(NegotiationError::MoreThanPaid { agreed, paid }));
    assert!(matches!(negotiated(usd("1"), rmb("100")), Err(NegotiationError::Money(_))));
}

#[test]
fn an_upgraded_instance_is_given_back_order_by_order() {
    let orders = || vec![("purchase", original(&sale("100"))), ("upgrade", original(&sale("50")))];
    let lines = |policy| {
        let refunds = whole_instance(&"purchase", orders(), policy).unwrap();
        refunds.into_iter().map(|(line, explained)| (line, explained.amount)).collect::<Vec<_>>()
    };
    assert_eq!(lines(UpgradedRefund::EveryOrder), [("purchase", rmb("-95")), ("upgrade", rmb("-47.5"))]);
    assert_eq!(lines(UpgradedRefund::NamedOrder), [("purchase", rmb("-95"))]);
}

#[test]
fn a_refund_and_its_original_find_their_bills() {
    let (april, may, june, july) = (period("202404"), period("202405"), period("202406"), period("202407"));
    use OnBill::{Billed, Unbilled, Unknown};
    for (on_bill, ready_in, refunded, together, strict, why) in [
        (Unknown, Some(may), "2024-05-08", (may, may), (may, may), "in the same month"),
        (Unknown, Some(may), "2024-06-02 23:59:59", (may, may), (may, june), "before the run"),
        (Unknown, Some(may), "2024-06-03 00:00:00", (may, june), (may, june), "the run has begun"),
        (Unbilled, Some(may), "2024-06-03 00:00:00", (june, june), (june, june), "the bill left it out"),
        (Billed(may), Some(may), "2024-06-02", (may, june), (may, june), "the marketplace says it is billed"),
        (Billed(april), None, "2024-06-10", (april, june), (april, june), "billed long ago"),
        (Unknown, Some(july), "2024-05-20", (may, may), (may, may), "before it takes effect"),
        (Unknown, None, "2024-06-02", (june, june), (june, june), "never accepted"),
    ] {
        for (pairing, (original, refund)) in [(Pairing::Together, together), (Pairing::StrictMonths, strict)] {
            let policy = Policy { pairing, ..Policy::default() };
            let placed = place(on_bill, ready_in, beijing(refunded), &schedule(Site::Cn), &policy);
            assert_eq!(placed, Placement { original, refund }, "{why}, {pairing:?}");
        }
    }
}

#[test]
fn a_settled_refund_can_be_set_off_a_month_later() {
    let policy = Policy { set_off: SetOff::NextMonth, ..Policy::default() };
    let may = OnBill::Billed(period("202405"));
    let placed = place(may, None, beijing("2024-06-10"), &schedule(Site::Cn), &policy);
    assert_eq!(placed, Placement { original: period("202405"), refund: period("202407") });
}

fn unused(fee: Option<&str>) -> Unused {
    Unused {
        paid: usd("758"),
        handling_fee: fee.map(usd),
        bought_at: beijing("2024-01-01 10:30:00"),
        expires_at: beijing("2024-02-01 23:59:59"),
        refunded_at: beijing("2024-01-15 18:40:00"),
    }
}

#[test]
fn hours_not_used_are_given_back() {
    let given = refund(&unused(Some("0"))).unwrap();
    assert_eq!((given.order_hours, given.used_hours), (758, 344), "printed in the documents");
    assert_eq!((given.refund.value.amount, given.refund.mark), (usd("414"), Mark::Stated));
    assert_followed(&given.refund.value);
    assert_eq!(refund(&unused(Some("14"))).unwrap().refund.value.amount, usd("400"));
    assert_eq!(refund(&unused(Some("500"))).unwrap().refund.value.amount, usd("0"), "never below zero");
    assert_eq!(refund(&unused(None)).unwrap().refund.mark, Mark::Estimate, "the fee is not known");
}

#[test]
fn hours_are_floored_at_both_ends() {
    for (refunded, used) in [
        ("2024-01-01 10:30:00", 0),
        ("2024-01-01 10:59:59", 0),
        ("2024-01-01 11:00:00", 1),
        ("2024-01-01 09:00:00", 0),
        ("2024-02-01 23:59:59", 757),
        ("2024-02-02 00:00:00", 758),
        ("2024-03-01 00:00:00", 758),
    ] {
        let given = refund(&Unused { refunded_at: beijing(refunded), ..unused(Some("0")) }).unwrap();
        assert_eq!(given.used_hours, used, "{refunded}");
    }
    assert_eq!(order_hours(beijing("2024-01-01 10:30:00"), beijing("2024-02-01 10:30:00")), 744);
    assert_eq!(order_hours(beijing("2024-01-01 10:30:00"), beijing("2024-02-02 00:00:00")), 758);
    let empty = Unused { expires_at: beijing("2024-01-01 10:40:00"), ..unused(Some("0")) };
    assert_eq!(refund(&empty).unwrap().refund.value.amount, usd("0"), "a term of no hours is used");
}
