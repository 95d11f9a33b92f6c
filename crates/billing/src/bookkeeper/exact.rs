//! Sums that forget nothing: whatever was added can be taken away again, in any order, to the last digit.

use chopmark_domain::settlement::money::written;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// The digits behind the point that a [`Decimal`] may have.
const DIGITS: u32 = 28;

/// One, in units of the last digit.
const ONE: i128 = 10_i128.pow(DIGITS);

/// An exact sum of decimals. A [`Decimal`] has 28 digits in all, so a large sum of amounts that were divided would drop
/// the last ones, and no longer be what it was once they are taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(String, String)", try_from = "(String, String)")]
pub(crate) struct Exact {
    /// The whole part, rounded down.
    whole: i128,
    /// What is behind the point, in units of the last digit; less than one.
    fraction: i128,
}

impl Exact {
    pub(crate) fn add(self, amount: Decimal) -> Self {
        self.plus(amount.into())
    }

    pub(crate) fn take_away(self, amount: Decimal) -> Self {
        let Self { whole, fraction } = amount.into();
        self.plus(Self { whole: -whole, fraction: -fraction })
    }

    fn plus(self, other: Self) -> Self {
        let fraction = self.fraction + other.fraction;
        let whole = self.whole + other.whole + fraction.div_euclid(ONE);
        Self { whole, fraction: fraction.rem_euclid(ONE) }
    }

    /// The nearest decimal, as amounts are written.
    pub(crate) fn value(self) -> Decimal {
        let whole = Decimal::try_from_i128_with_scale(self.whole, 0).ok();
        let fraction = Decimal::try_from_i128_with_scale(self.fraction, DIGITS).ok();
        let sum = whole.zip(fraction).and_then(|(whole, fraction)| whole.checked_add(fraction));
        let beyond = if self.whole < 0 { Decimal::MIN } else { Decimal::MAX };
        sum.map_or(beyond, written)
    }
}

impl From<Decimal> for Exact {
    fn from(amount: Decimal) -> Self {
        let behind = amount.fract();
        let fraction = behind.mantissa() * 10_i128.pow(DIGITS - behind.scale().min(DIGITS));
        let whole = amount.trunc().to_i128().unwrap_or_default() + fraction.div_euclid(ONE);
        Self { whole, fraction: fraction.rem_euclid(ONE) }
    }
}

impl From<Exact> for (String, String) {
    fn from(exact: Exact) -> Self {
        (exact.whole.to_string(), exact.fraction.to_string())
    }
}

impl TryFrom<(String, String)> for Exact {
    type Error = std::num::ParseIntError;
    fn try_from((whole, fraction): (String, String)) -> Result<Self, Self::Error> {
        Ok(Self { whole: whole.parse()?, fraction: fraction.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amounts() -> impl Strategy<Value = Vec<Decimal>> {
        let amount = (-1_000_000_000_000_000_000_000_i128..1_000_000_000_000_000_000_000, 0_u32..=28)
            .prop_map(|(mantissa, scale)| Decimal::from_i128_with_scale(mantissa, scale));
        prop::collection::vec(amount, 0..20)
    }

    proptest! {
        #[test]
        fn what_is_added_in_any_order_and_taken_away_in_another_leaves_nothing(
            amounts in amounts(), more in amounts(), at in 0_usize..20
        ) {
            let add = |sum: Exact, amounts: &[Decimal]| amounts.iter().fold(sum, |sum, amount| sum.add(*amount));
            let (first, second) = amounts.split_at(at.min(amounts.len()));
            let sum = add(Exact::default(), &amounts);
            prop_assert_eq!(add(add(Exact::default(), second), first), sum);
            let back = more.iter().fold(add(sum, &more), |sum, amount| sum.take_away(*amount));
            prop_assert_eq!(back, sum);
            let none = amounts.iter().fold(sum, |sum, amount| sum.take_away(*amount));
            prop_assert_eq!(none, Exact::default());
        }

        #[test]
        fn one_amount_is_itself_and_is_written_as_it_is_read(mantissa: i64, scale in 0_u32..=28) {
            let amount = Decimal::from_i128_with_scale(mantissa.into(), scale);
            let exact = Exact::from(amount);
            prop_assert_eq!(exact.value(), amount);
            let written = serde_json::to_string(&exact).unwrap();
            prop_assert_eq!(serde_json::from_str::<Exact>(&written).unwrap(), exact);
        }
    }
}
