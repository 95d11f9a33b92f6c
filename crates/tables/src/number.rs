//! Numbers from text, exact.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::cell::DecimalMark;

/// Digits that a spreadsheet counts with and shows. It writes two more, which are noise of binary fractions.
const SPREADSHEET_DIGITS: u32 = 15;

/// The number that a plain text writes: `-12.50`, `1.5E-3`; `None` if no decimal holds it exactly.
pub(crate) fn exact(text: &str) -> Option<Decimal> {
    let (number, exponent) = parse(text)?;
    shifted(number, exponent, false)
}

/// The number that a spreadsheet means by a text in its XML. It writes `4.1` as `4.0999999999999996`: what has a fraction
/// or an exponent is rounded to the 15 digits that the spreadsheet itself shows; integers are taken as they are.
pub(crate) fn of_spreadsheet(text: &str) -> Option<Decimal> {
    let (number, exponent) = parse(text)?;
    if number.scale() == 0 && exponent == 0 {
        return Some(number);
    }
    let strategy = RoundingStrategy::MidpointAwayFromZero;
    let rounded = number.round_sf_with_strategy(SPREADSHEET_DIGITS, strategy)?;
    shifted(rounded.normalize(), exponent, true).map(|number| number.normalize())
}

/// The number that a person writes, with all that goes with it.
pub(crate) fn written(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = text.trim_start().trim_start_matches(['¥', '￥', '$', '€']).trim_start();
    let (percent, text) = match text.strip_suffix(['%', '％']) {
        Some(rest) => (true, rest.trim_end()),
        None => (false, text),
    };
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let number = exact(&plain(text, mark)?)?;
    let number = if percent { shifted(number, -2, false)? } else { number };
    Some(if negative { -number } else { number })
}

/// A text without its thousands marks, if these stand before groups of three, and with a point.
fn plain(text: &str, mark: DecimalMark) -> Option<String> {
    let (point, thousands) = match mark {
        DecimalMark::Point => ('.', ','),
        DecimalMark::Comma => (',', '.'),
    };
    let (whole, fraction) = match text.split_once(point) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    if fraction.is_some_and(|fraction| fraction.contains([',', '.'])) {
        return None;
    }
    let mut groups = whole.split(thousands);
    let mut plain = groups.next()?.to_owned();
    let first = plain.len();
    for group in groups {
        if !(1..=3).contains(&first) || group.len() != 3 {
            return None;
        }
        plain.push_str(group);
    }
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(fraction);
    }
    Some(plain)
}

/// Sign, digits and exponent; nothing else may be there.
fn parse(text: &str) -> Option<(Decimal, i32)> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse().ok()?),
        None => (text, 0),
    };
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let plain = unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = (plain && unsigned.bytes().any(|byte| byte.is_ascii_digit())).then_some(digits)?;
    Some((Decimal::from_str_exact(number).ok()?, exponent))
}

/// The number times a power of ten. What is beyond the 28th decimal is cut off only if it may be.
fn shifted(number: Decimal, exponent: i32, lossy: bool) -> Option<Decimal> {
    if exponent >= 0 {
        let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
        return number.checked_mul(Decimal::try_from_i128_with_scale(power, 0).ok()?);
    }
    let scale = number.scale().checked_add(exponent.unsigned_abs())?;
    match Decimal::try_from_i128_with_scale(number.mantissa(), scale) {
        Ok(shifted) => Some(shifted),
        Err(_) if lossy => {
            let gone = 10_i128.checked_pow(scale.saturating_sub(Decimal::MAX_SCALE));
            let left = gone.map_or(0, |gone| number.mantissa() / gone);
            Decimal::try_from_i128_with_scale(left, Decimal::MAX_SCALE).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_of_binary_fractions_is_not_read() {
        for (text, expected) in [
            ("4.0999999999999996", Some("4.1")),
            ("0.30000000000000004", Some("0.3")),
            ("1234.5599999999999", Some("1234.56")),
            ("5.5511151231257827E-17", Some("0.0000000000000000555111512312")),
            ("1E-300", Some("0")),
            ("1.5E+3", Some("1500")),
            ("12345678901234567", Some("12345678901234567")),
            ("-0", Some("0")),
            ("1E+300", None),
            ("1E99999999999", None),
            ("NaN", None),
            ("", None),
            (".", None),
            ("1.2e", None),
        ] {
            let expected = expected.map(|number| number.parse::<Decimal>().unwrap());
            assert_eq!(of_spreadsheet(text), expected, "{text}");
        }
    }
}
