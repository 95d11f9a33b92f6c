//! Money and how it is explained.

use chopmark_domain::settlement::money::{Currency, LARGEST, Money, MoneyError, Ratio, Sums, round_to_cents, written};
use rust_decimal::Decimal;

use super::support::*;

#[test]
fn half_a_cent_is_rounded_away_from_zero_and_two_decimals_are_always_shown() {
    for (exact, shown) in [
        ("0", "0.00"),
        ("95", "95.00"),
        ("0.7125", "0.71"),
        ("1.425", "1.43"),
        ("1.415", "1.42"),
        ("-1.425", "-1.43"),
        ("1.4249999999999999", "1.42"),
        ("-0.004", "0.00"),
        ("-0.005", "-0.01"),
        ("474999.9905", "474999.99"),
    ] {
        assert_eq!(round_to_cents(dec(exact)).to_string(), shown, "{exact}");
    }
}

#[test]
fn an_exact_amount_is_written_with_its_cents_and_without_zeros_behind_them() {
    let largest = Decimal::MAX.to_string();
    for (exact, text) in [
        ("0", "0.00"),
        ("95", "95.00"),
        ("97.0000", "97.00"),
        ("0.7125", "0.7125"),
        ("-1.4250", "-1.425"),
        ("1.0000000000000000000000000001", "1.0000000000000000000000000001"),
        (&largest, &largest),
    ] {
        assert_eq!(written(dec(exact)).to_string(), text);
    }
}

#[test]
fn amounts_of_two_currencies_are_never_added() {
    let error = MoneyError::Currencies { left: Currency::CNY, right: Currency::USD };
    assert_eq!(rmb("1").plus(usd("1")), Err(error.clone()));
    assert_eq!(Money::sum(Currency::CNY, [rmb("1"), usd("1")]), Err(error));

    let mut sums = Sums::default();
    for money in [rmb("1"), usd("2"), rmb("0.5")] {
        sums.add(money).unwrap();
    }
    assert_eq!(sums.iter().collect::<Vec<_>>(), [rmb("1.5"), usd("2")]);
    assert_eq!(serde_json::to_string(&sums).unwrap(), r#"{"CNY":"1.5","USD":"2"}"#);
}

#[test]
fn money_is_bounded() {
    assert_eq!(LARGEST, dec("1000000000000000"));
    let most = Money::new(LARGEST, Currency::CNY).unwrap();
    assert!(most.plus(rmb("0.01")).is_err());
    assert!((-most).minus(rmb("0.01")).is_err());
    assert!(Money::new(Decimal::MAX, Currency::CNY).is_err());
    let mut sums = Sums::default();
    sums.add(most).unwrap();
    assert!(sums.add(most).is_err());
    assert_eq!(sums.of(Currency::CNY), most, "a sum that fails stays as it was");
}

#[test]
fn money_is_written_as_text_and_checked_when_read() {
    let json = serde_json::to_string(&rmb("0.7125")).unwrap();
    assert_eq!(json, r#"{"amount":"0.7125","currency":"CNY"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), rmb("0.7125"));
    for wrong in [
        r#"{"amount":0.7125,"currency":"CNY"}"#,
        r#"{"amount":"0.7125","currency":"yuan"}"#,
        r#"{"amount":"10000000000000000","currency":"CNY"}"#,
        r#"{"amount":"1","currency":"C\u00a5"}"#,
    ] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_ratio_lies_between_nothing_and_all() {
    assert_eq!(Ratio::percent(15), ratio("0.15"));
    assert_eq!(Ratio::percent(200), Ratio::ONE);
    assert_eq!(serde_json::to_string(&ratio("0.05")).unwrap(), r#""0.05""#);
    for wrong in ["-0.01", "1.01", "5"] {
        assert_eq!(Ratio::new(dec(wrong)), Err(MoneyError::Ratio { value: dec(wrong) }));
        assert!(serde_json::from_str::<Ratio>(&format!("\"{wrong}\"")).is_err());
    }
}

#[test]
fn an_explanation_is_data_and_can_be_read_back() {
    let explained = settled(&sale("100"));
    assert_followed(&explained);
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["explanation"][0]["operation"], "difference");
    assert_eq!(json["explanation"][0]["operands"][1]["name"], "fee_ratio");
    assert_eq!(json["explanation"][0]["result"]["value"], "0.95");
    assert_eq!(serde_json::from_value::<chopmark_domain::settlement::explanation::Explained>(json).unwrap(), explained);
    assert_eq!(
        explained.explanation.to_string(),
        "share_after_fee = whole 1 - fee_ratio 0.05 = 0.95\n\
         seller_share = share_after_fee 0.95 + tier_ratio 0 = 0.95\n\
         charged_amount = sales_amount 100 - voucher_amount 0 = 100\n\
         settle_amount = charged_amount 100 × seller_share 0.95 = 95\n"
    );
}
