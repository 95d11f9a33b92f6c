//! How an amount came to be: named steps with their operands and results, so that a person can follow every number.

use std::borrow::Cow;
use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::money::{Currency, Money, MoneyError, Ratio};

/// A number with its name. Names are stable and say what is counted: `sales_amount`, `fee_ratio`, `used_hours`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// What it is.
    pub name: Cow<'static, str>,
    /// How much of it.
    pub value: Decimal,
}

/// Decimals that a quotient is rounded to, half away from zero. Many more than any amount is shown with, and few enough
/// that sums of lines are exact, in whichever order they are added up.
pub const DECIMALS_OF_A_QUOTIENT: u32 = 12;

fn to_decimals(quotient: Decimal) -> Decimal {
    quotient.round_dp_with_strategy(DECIMALS_OF_A_QUOTIENT, RoundingStrategy::MidpointAwayFromZero)
}

/// What a step does with its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// All together.
    Sum,
    /// The first without the others.
    Difference,
    /// All multiplied.
    Product,
    /// The first divided by the second, to [`DECIMALS_OF_A_QUOTIENT`] where it does not come out even.
    Quotient,
    /// The largest of them.
    Largest,
    /// The first with its sign turned.
    Negation,
}

impl Operation {
    /// The result for these operands; `None` if it does not fit into a [`Decimal`], or nothing is to be divided by.
    #[must_use]
    pub fn apply(self, operands: &[Decimal]) -> Option<Decimal> {
        let (&first, rest) = operands.split_first()?;
        rest.iter()
            .try_fold(first, |result, &operand| match self {
                Self::Sum => result.checked_add(operand),
                Self::Difference => result.checked_sub(operand),
                Self::Product => result.checked_mul(operand),
                Self::Quotient => result.checked_div(operand).map(to_decimals),
                Self::Largest => Some(result.max(operand)),
                Self::Negation => Some(result),
            })
            .map(|result| if self == Self::Negation && !result.is_zero() { -result } else { result })
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Sum => " + ",
            Self::Difference => " - ",
            Self::Product => " × ",
            Self::Quotient => " ÷ ",
            Self::Largest => " or at least ",
            Self::Negation => "",
        }
    }
}

/// One step: its result has the step's name, and later steps use it by that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub operation: Operation,
    /// To what, in this order.
    pub operands: Vec<Term>,
    /// What comes out.
    pub result: Term,
}

impl fmt::Display for Step {
    /// E.g. `settle_amount = charged_amount 100 × seller_share 0.95 = 95`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = ", self.result.name)?;
        if self.operation == Operation::Negation {
            f.write_str("minus ")?;
        }
        for (n, Term { name, value }) in self.operands.iter().enumerate() {
            let sign = if n == 0 { "" } else { self.operation.sign() };
            write!(f, "{sign}{name} {}", value.normalize())?;
        }
        write!(f, " = {}", self.result.value.normalize())
    }
}

/// The steps to an amount, in order. The last one's result is the amount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Explanation {
    /// The steps.
    pub steps: Vec<Step>,
}

impl fmt::Display for Explanation {
    /// One step a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// An exact amount with the steps to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The exact amount; [`Money::shown`] is what a bill shows of it.
    pub amount: Money,
    /// How it came to be.
    pub explanation: Explanation,
}

/// Where amounts are worked out: does what it is told and writes it down.
pub(super) struct Worksheet {
    currency: Currency,
    steps: Vec<Step>,
}

impl Worksheet {
    pub(super) fn new(currency: Currency) -> Self {
        Self { currency, steps: vec![] }
    }

    /// Takes money as an operand; it must be in the worksheet's currency.
    pub(super) fn money(&self, name: &'static str, money: Money) -> Result<Term, MoneyError> {
        if money.currency() != self.currency {
            return Err(MoneyError::Currencies { left: self.currency, right: money.currency() });
        }
        Ok(number(name, money.amount()))
    }

    pub(super) fn step(
        &mut self,
        name: &'static str,
        operation: Operation,
        operands: &[&Term],
    ) -> Result<Term, MoneyError> {
        let values: Vec<_> = operands.iter().map(|term| term.value).collect();
        let value = operation.apply(&values).ok_or_else(|| MoneyError::TooLarge { name: name.into() })?;
        let result = number(name, value);
        let operands = operands.iter().map(|&term| term.clone()).collect();
        self.steps.push(Step { operation, operands, result: result.clone() });
        Ok(result)
    }

    pub(super) fn sum(&mut self, name: &'static str, operands: &[&Term]) -> Result<Term, MoneyError> {
        self.step(name, Operation::Sum, operands)
    }

    pub(super) fn difference(&mut self, name: &'static str, operands: &[&Term]) -> Result<Term, MoneyError> {
        self.step(name, Operation::Difference, operands)
    }

    pub(super) fn product(&mut self, name: &'static str, operands: &[&Term]) -> Result<Term, MoneyError> {
        self.step(name, Operation::Product, operands)
    }

    pub(super) fn quotient(&mut self, name: &'static str, operands: &[&Term]) -> Result<Term, MoneyError> {
        self.step(name, Operation::Quotient, operands)
    }

    /// Ends with the result of the last step.
    pub(super) fn finish(self, amount: &Term) -> Result<Explained, MoneyError> {
        let amount = Money::new(amount.value, self.currency)?;
        Ok(Explained { amount, explanation: Explanation { steps: self.steps } })
    }
}

/// A number as an operand.
pub(super) fn number(name: &'static str, value: impl Into<Decimal>) -> Term {
    Term { name: Cow::Borrowed(name), value: value.into() }
}

/// A ratio as an operand.
pub(super) fn ratio(name: &'static str, ratio: Ratio) -> Term {
    number(name, ratio.value())
}

/// The whole, from which ratios are taken.
pub(super) fn one() -> Term {
    number("whole", 1)
}
