//! Money: exact decimals with a currency. Amounts of two currencies never add up to one.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Neg;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// The largest amount taken, of either sign. It leaves 13 exact decimals in a [`Decimal`], and no sum of two such
/// amounts can overflow.
pub const LARGEST: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// Why an amount cannot be had. Says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three capital letters.
    #[error("{text:?} is not a currency; give its three letters, like CNY or USD")]
    Currency {
        /// What was given.
        text: String,
    },
    /// Two currencies in one sum.
    #[error("{left} and {right} cannot be added; keep a sum for each currency")]
    Currencies {
        /// The currency so far.
        left: Currency,
        /// The other one.
        right: Currency,
    },
    /// More than [`LARGEST`], or a number that does not fit on the way there.
    #[error("{name} is out of range; amounts go up to {LARGEST}, counts and durations accordingly")]
    TooLarge {
        /// Which number.
        name: String,
    },
    /// A share that is none.
    #[error("{value} is not a ratio; give a number from 0 to 1, like 0.05 for 5 %")]
    Ratio {
        /// What was given.
        value: Decimal,
    },
    /// A number that must be positive, or at least not negative.
    #[error("{name} is {value}, which makes no sense there; give a positive number")]
    NotPositive {
        /// Which number.
        name: String,
        /// What was given.
        value: Decimal,
    },
}

/// A currency by its three letters (ISO 4217).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The China site's.
    pub const CNY: Self = Self(*b"CNY");
    /// The international sites'.
    pub const USD: Self = Self(*b"USD");
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Takes three capital letters.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let letters = <[u8; 3]>::try_from(text.as_bytes()).ok();
        let letters = letters.filter(|letters| letters.iter().all(u8::is_ascii_uppercase));
        letters.map(Self).ok_or_else(|| MoneyError::Currency { text: text.into() })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

/// The one place where money is rounded: to cents, half away from zero, always with two decimals.
///
/// Lines keep their exact amount and are shown like this; a bill's total is the exact sum, rounded once (CONSTRUCTED
/// after (S33), whose half-up it is for what is paid, and its mirror image for what is taken back).
#[must_use]
pub fn round_to_cents(amount: Decimal) -> Decimal {
    let mut cents = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    if cents.is_zero() {
        return Decimal::new(0, 2);
    }
    cents.rescale(2);
    cents
}

/// An exact amount as it is written: no digit is lost, cents always stand, and zeros behind them do not.
#[must_use]
pub fn written(amount: Decimal) -> Decimal {
    let mut plain = amount.normalize();
    if plain.scale() < 2 {
        // Of an amount too large for cents, as many zeros as fit.
        plain.rescale(2);
    }
    plain
}

/// An exact amount of money; negative if it is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawMoney")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

#[derive(Deserialize)]
struct RawMoney {
    amount: Decimal,
    currency: Currency,
}

impl TryFrom<RawMoney> for Money {
    type Error = MoneyError;
    fn try_from(RawMoney { amount, currency }: RawMoney) -> Result<Self, MoneyError> {
        Self::new(amount, currency)
    }
}

impl Money {
    /// Takes an amount.
    ///
    /// # Errors
    /// Beyond [`LARGEST`].
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.abs() > LARGEST {
            return Err(MoneyError::TooLarge { name: "an amount".into() });
        }
        Ok(Self { amount, currency })
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::from_parts(0, 0, 0, false, 2), currency }
    }

    /// The exact amount.
    #[must_use]
    pub fn amount(self) -> Decimal {
        self.amount
    }

    /// Its currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// As it is shown and paid: [`round_to_cents`].
    #[must_use]
    pub fn shown(self) -> Self {
        Self { amount: round_to_cents(self.amount), ..self }
    }

    /// Both together.
    ///
    /// # Errors
    /// Two currencies, or beyond [`LARGEST`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies { left: self.currency, right: other.currency });
        }
        Self::new(self.amount + other.amount, self.currency)
    }

    /// This without the other.
    ///
    /// # Errors
    /// Two currencies, or beyond [`LARGEST`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(-other)
    }

    /// The sum of amounts in one currency; zero if there are none.
    ///
    /// # Errors
    /// Another currency among them, or beyond [`LARGEST`].
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self { amount: if self.amount.is_zero() { self.amount } else { -self.amount }, ..self }
    }
}

impl fmt::Display for Money {
    /// The exact amount and the currency, e.g. `0.7125 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.normalize(), self.currency)
    }
}

/// Sums side by side, one for each currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sums(BTreeMap<Currency, Decimal>);

impl Sums {
    /// Adds an amount to the sum of its currency.
    ///
    /// # Errors
    /// The sum would leave the range of [`LARGEST`]; it stays as it was.
    pub fn add(&mut self, money: Money) -> Result<(), MoneyError> {
        let sum = self.of(money.currency).plus(money)?;
        self.0.insert(money.currency, sum.amount);
        Ok(())
    }

    /// The sum of a currency.
    #[must_use]
    pub fn of(&self, currency: Currency) -> Money {
        Money { amount: self.0.get(&currency).copied().unwrap_or_default(), currency }
    }

    /// Every sum, by currency.
    pub fn iter(&self) -> impl Iterator<Item = Money> {
        self.0.iter().map(|(&currency, &amount)| Money { amount, currency })
    }
}

/// A share, a rate or a discount, from 0 to 1; 5 % is `0.05`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Ratio(Decimal);

impl Ratio {
    /// None of it.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// All of it.
    pub const ONE: Self = Self(Decimal::ONE);

    /// Takes a number from 0 to 1.
    ///
    /// # Errors
    /// Any other.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        if value < Decimal::ZERO || value > Decimal::ONE {
            return Err(MoneyError::Ratio { value });
        }
        Ok(Self(value))
    }

    /// So many hundredths, at most 100.
    #[must_use]
    pub const fn percent(hundredths: u8) -> Self {
        let hundredths = if hundredths > 100 { 100 } else { hundredths };
        Self(Decimal::from_parts(hundredths as u32, 0, 0, false, 2))
    }

    /// The number.
    #[must_use]
    pub fn value(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Ratio {
    type Error = MoneyError;
    fn try_from(value: Decimal) -> Result<Self, MoneyError> {
        Self::new(value)
    }
}

impl From<Ratio> for Decimal {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}
