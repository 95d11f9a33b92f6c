//! Prices of metered quantities: one price, steps or tiers (S28).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::settlement::explanation::{Explained, Term, Worksheet, number};
use crate::settlement::money::{Currency, Money, MoneyError};

/// A price for quantities up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bracket {
    /// The largest quantity at this price, which belongs to it ("up to 3"); `None` for the last one, which has no end.
    pub up_to: Option<Decimal>,
    /// The price of one.
    pub unit_price: Money,
}

/// Brackets that are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("price brackets must rise, all in one currency, and only the last one has no upper bound")]
pub struct BracketsError;

/// Brackets in rising order, in one currency, the last one without end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Bracket>", into = "Vec<Bracket>")]
pub struct Brackets {
    bounded: Vec<(Decimal, Money)>,
    last: Money,
}

impl Brackets {
    /// Takes brackets.
    ///
    /// # Errors
    /// Not rising, several currencies, or an end at the wrong place.
    pub fn new(brackets: &[Bracket]) -> Result<Self, BracketsError> {
        let Some((Bracket { up_to: None, unit_price: last }, bounded)) = brackets.split_last() else {
            return Err(BracketsError);
        };
        let mut before = Decimal::ZERO;
        let mut taken = vec![];
        for Bracket { up_to, unit_price } in bounded {
            let up_to = up_to.filter(|bound| *bound > before).ok_or(BracketsError)?;
            if unit_price.currency() != last.currency() {
                return Err(BracketsError);
            }
            before = up_to;
            taken.push((up_to, *unit_price));
        }
        Ok(Self { bounded: taken, last: *last })
    }

    /// The price of the bracket that a quantity falls in.
    #[must_use]
    pub fn price_of(&self, quantity: Decimal) -> Money {
        self.bounded.iter().find(|(up_to, _)| quantity <= *up_to).map_or(self.last, |(_, price)| *price)
    }

    fn currency(&self) -> Currency {
        self.last.currency()
    }

    /// Each bracket as its lower bound, its upper bound and its price.
    fn slices(&self) -> impl Iterator<Item = (Decimal, Option<Decimal>, Money)> {
        let lower = std::iter::once(Decimal::ZERO).chain(self.bounded.iter().map(|(up_to, _)| *up_to));
        let upper = self.bounded.iter().map(|(up_to, price)| (Some(*up_to), *price));
        lower.zip(upper.chain(std::iter::once((None, self.last)))).map(|(from, (to, price))| (from, to, price))
    }
}

impl TryFrom<Vec<Bracket>> for Brackets {
    type Error = BracketsError;
    fn try_from(brackets: Vec<Bracket>) -> Result<Self, BracketsError> {
        Self::new(&brackets)
    }
}

impl From<Brackets> for Vec<Bracket> {
    fn from(brackets: Brackets) -> Self {
        let bounded = brackets.bounded.iter().map(|(up_to, price)| Bracket { up_to: Some(*up_to), unit_price: *price });
        bounded.chain(std::iter::once(Bracket { up_to: None, unit_price: brackets.last })).collect()
    }
}

/// How a metered quantity is priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pricing {
    /// Every unit at one price.
    Fixed(Money),
    /// Each slice at its own price, counted over an accumulation period (阶梯).
    Step(Brackets),
    /// All of a usage record at the price of the bracket it falls in.
    Tier(Brackets),
}

/// What a quantity costs. `used_before` is what was used before in the same accumulation period; only steps look at
/// it.
///
/// # Errors
/// A negative quantity, or out of range.
pub fn charge(pricing: &Pricing, used_before: Decimal, quantity: Decimal) -> Result<Explained, MoneyError> {
    for (name, value) in [("used_before", used_before), ("quantity", quantity)] {
        if value < Decimal::ZERO {
            return Err(MoneyError::NotPositive { name: name.into(), value });
        }
    }
    match pricing {
        Pricing::Fixed(price) => at_one_price(*price, quantity),
        Pricing::Tier(brackets) => at_one_price(brackets.price_of(quantity), quantity),
        Pricing::Step(brackets) => by_steps(brackets, used_before, quantity),
    }
}

fn at_one_price(price: Money, quantity: Decimal) -> Result<Explained, MoneyError> {
    let mut sheet = Worksheet::new(price.currency());
    let price = sheet.money("unit_price", price)?;
    let charge = sheet.product("sales_amount", &[&number("quantity", quantity), &price])?;
    sheet.finish(&charge)
}

fn by_steps(brackets: &Brackets, used_before: Decimal, quantity: Decimal) -> Result<Explained, MoneyError> {
    let mut sheet = Worksheet::new(brackets.currency());
    let too_large = || MoneyError::TooLarge { name: "quantity".into() };
    let until = used_before.checked_add(quantity).ok_or_else(too_large)?;
    let mut slices: Vec<Term> = vec![];
    for (from, to, price) in brackets.slices() {
        let [begin, end] = [used_before, until].map(|used| to.map_or(used, |to| used.min(to)).max(from));
        if end > begin || (slices.is_empty() && to.is_none()) {
            let units = number("quantity_in_step", end - begin);
            slices.push(sheet.product("step_amount", &[&units, &sheet.money("unit_price", price)?])?);
        }
    }
    let charge = sheet.sum("sales_amount", &slices.iter().collect::<Vec<_>>())?;
    sheet.finish(&charge)
}
