//! How pages write amounts: to the cent, in groups of three, with a real minus sign.

use std::borrow::Borrow;

use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::round_to_cents;
use rust_decimal::Decimal;

use super::show::DASH;

/// The sign of what is taken, as wide as a digit.
const MINUS: char = '\u{2212}';

/// An amount: `1,234.50`, `−95.00`.
pub(super) fn amount(amount: impl Borrow<Decimal>) -> String {
    let rounded = round_to_cents(*amount.borrow());
    grouped(&format!("{:.2}", rounded.abs()), rounded.is_sign_negative() && !rounded.is_zero())
}

/// An amount, or a dash.
pub(super) fn or_dash(value: &Option<Decimal>) -> String {
    value.map_or_else(|| DASH.into(), amount)
}

/// What a column takes away, with the sign that it has in the sum: a fee of 5 is `−5.00`.
pub(super) fn taken(amount_taken: impl Borrow<Decimal>) -> String {
    amount(-*amount_taken.borrow())
}

/// An amount without cents, for the axis of a chart.
pub(super) fn whole(amount: Decimal) -> String {
    let rounded = amount.round();
    grouped(&rounded.abs().normalize().to_string(), rounded.is_sign_negative() && !rounded.is_zero())
}

/// A count.
pub(super) fn count(value: &impl ToString) -> String {
    grouped(&value.to_string(), false)
}

/// A ratio as a percentage: `5%`.
pub(super) fn percent(ratio: impl Borrow<Decimal>) -> String {
    format!("{}%", (*ratio.borrow() * Decimal::ONE_HUNDRED).normalize())
}

/// A period: `2026-11`.
pub(super) fn month(period: impl Borrow<Period>) -> String {
    period.borrow().first_day().format("%Y-%m").to_string()
}

fn grouped(digits: &str, is_negative: bool) -> String {
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = String::with_capacity(digits.len() + 4);
    text.extend(is_negative.then_some(MINUS));
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !cents.is_empty() {
        text.push('.');
        text.push_str(cents);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_to_the_cent_and_signed() {
        for (value, expected) in [
            ("0", "0.00"),
            ("-0.001", "0.00"),
            ("999.995", "1,000.00"),
            ("1234567.8", "1,234,567.80"),
            ("-95", "−95.00"),
            ("-123456", "−123,456.00"),
        ] {
            assert_eq!(amount(value.parse::<Decimal>().unwrap()), expected, "{value}");
        }
        assert_eq!(taken(Decimal::from(5)), "−5.00");
        assert_eq!(taken(Decimal::ZERO), "0.00");
        assert_eq!(or_dash(&None), "–");
    }

    #[test]
    fn counts_ratios_and_months_are_short() {
        assert_eq!(count(&1_234_567), "1,234,567");
        assert_eq!(whole(Decimal::from(-25_000)), "−25,000");
        assert_eq!(percent("0.05".parse::<Decimal>().unwrap()), "5%");
        assert_eq!(month(Period::parse("202611").unwrap()), "2026-11");
    }
}
