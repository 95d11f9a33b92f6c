//! The marketplace's bill against the lines that we expected: what matches, what does not, and probably why.
//!
//! ```text
//! lines ─┐  key (what belongs together?)    outcome (alike?)        cause (why not?)         judgement
//!        ├─▶ order line, original, product ─▶ matched, differs, ... ─▶ amounts, elsewhere ─▶ accepted or disputed
//! rows ──┘
//! ```
//!
//! Every line and every row is in exactly one pair. What Huawei finds wrong is corrected on the next bill (S2, S4), so
//! a dispute names the pair and its difference. Causes are found by rules (CONSTRUCTED): they say what would explain
//! the numbers, and prove nothing.

pub mod amounts;
pub mod cause;
pub mod elsewhere;
pub mod judgement;
pub mod key;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use self::cause::Cause;
use self::elsewhere::{Elsewhere, Surroundings};
use self::judgement::Judged;
use self::key::{Key, Keys};
use super::bill::{Bill, BillIdentity, BillRow};
use super::formula::tier::Tiers;
use super::line::SettlementLine;
use super::money::{Currency, Money, MoneyError};

/// How much a row may differ from its line and still match. Lines are exact and rows are rounded to cents, so half a
/// cent for each is the default (S33); bills before June 2021 cut the rest off, which takes a whole cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerance {
    /// For each line or row of a pair, whichever are more; not negative.
    pub per_line: Decimal,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { per_line: Decimal::new(5, 3) }
    }
}

/// What a reconciliation takes.
#[derive(Debug, Clone, Copy)]
pub struct Reconciling<'a> {
    /// The bill.
    pub bill: &'a Bill,
    /// The lines expected on it: of its seller, its category and its period, each once.
    pub lines: &'a [SettlementLine],
    /// What is known besides, to tell why something is missing or unknown. May be empty.
    pub elsewhere: Elsewhere<'a>,
    /// What counts as rounding.
    pub tolerance: Tolerance,
    /// The tiers, to tell which one a bill went by.
    pub tiers: &'a Tiers,
}

/// How lines and rows that belong together compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Alike, within the tolerance.
    Matched {
        /// What was expected, exactly.
        expected: Money,
        /// What the bill says.
        billed: Money,
        /// Billed less expected; the rounding, if anything.
        difference: Money,
    },
    /// Another amount.
    AmountDiffers {
        /// What was expected, exactly.
        expected: Money,
        /// What the bill says.
        billed: Money,
        /// Billed less expected: negative if the seller gets less.
        difference: Money,
    },
    /// Expected, and on no row.
    MissingOnBill {
        /// What was expected; `None` where facts for it are missing.
        expected: Option<Money>,
    },
    /// Billed, and not among the lines.
    UnknownToUs {
        /// What the bill says.
        billed: Money,
    },
    /// Both have it, but facts are missing to say what it should come to. Nothing is guessed.
    NotComputed {
        /// What the bill says.
        billed: Money,
    },
}

impl Outcome {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Matched { .. } => "MATCHED",
            Self::AmountDiffers { .. } => "AMOUNT_DIFFERS",
            Self::MissingOnBill { .. } => "MISSING_ON_BILL",
            Self::UnknownToUs { .. } => "UNKNOWN_TO_US",
            Self::NotComputed { .. } => "NOT_COMPUTED",
        }
    }

    /// Whether it is as it should be.
    #[must_use]
    pub fn is_matched(&self) -> bool {
        matches!(self, Self::Matched { .. })
    }

    /// How much money is at stake, either sign.
    #[must_use]
    pub fn at_stake(&self) -> Decimal {
        match self {
            Self::Matched { difference, .. } | Self::AmountDiffers { difference, .. } => difference.amount(),
            Self::MissingOnBill { expected } => expected.map_or(Decimal::ZERO, |expected| -expected.amount()),
            Self::UnknownToUs { billed } | Self::NotComputed { billed } => billed.amount(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matched { billed, .. } => write!(f, "{billed} was expected and billed"),
            Self::AmountDiffers { expected, billed, difference } => {
                write!(f, "{expected} was expected, {billed} was billed: a difference of {difference}")
            }
            Self::MissingOnBill { expected: Some(expected) } => write!(f, "{expected} was expected and is not billed"),
            Self::MissingOnBill { expected: None } => write!(f, "a line was expected and is not billed"),
            Self::UnknownToUs { billed } => write!(f, "{billed} was billed and not expected"),
            Self::NotComputed { billed } => write!(f, "{billed} was billed; what it should be cannot be said"),
        }
    }
}

/// Lines and rows that belong together, and what came of comparing them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// What they have in common.
    pub key: Key,
    /// Their currency.
    pub currency: Currency,
    /// The lines, by their ids; usually one.
    pub lines: Vec<String>,
    /// The rows, by their number in the file; usually one.
    pub rows: Vec<u32>,
    /// How they compare.
    pub outcome: Outcome,
    /// What probably made the difference, most probable first; none if there is none.
    pub causes: Vec<Cause>,
    /// What somebody made of it, if that still stands.
    pub judged: Option<Judged>,
}

impl Pair {
    /// A sentence for a person: what came of it, and probably why.
    #[must_use]
    pub fn explanation(&self) -> String {
        let causes = self.causes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if causes.is_empty() {
            format!("{}.", self.outcome)
        } else {
            format!("{}; probably because {causes}.", self.outcome)
        }
    }
}

/// What a bill comes to in one currency, and what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// The sum of the lines, exactly.
    pub expected: Money,
    /// The sum of the rows.
    pub billed: Money,
    /// Billed less expected.
    pub difference: Money,
    /// Lines that cannot be computed, and so are in no sum.
    pub lines_not_computed: usize,
    /// Pairs that match.
    pub matched: usize,
    /// Pairs that do not.
    pub different: usize,
}

/// A bill compared with what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Which bill.
    pub identity: BillIdentity,
    /// Every pair: differences first, the most money at stake first.
    pub pairs: Vec<Pair>,
    /// The totals, by currency.
    pub totals: BTreeMap<Currency, Totals>,
}

/// Lines and rows that go together.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub(super) lines: Vec<&'a SettlementLine>,
    pub(super) rows: Vec<&'a BillRow>,
}

/// The groups of a bill. Nothing of two currencies is in one group, since their amounts cannot be compared.
pub(super) type Groups<'a> = BTreeMap<(Key, Currency), Group<'a>>;

/// Compares a bill with the lines expected on it. The order of lines and rows does not matter.
///
/// # Errors
/// A sum out of range.
pub fn reconcile(reconciling: &Reconciling<'_>) -> Result<Reconciliation, MoneyError> {
    let Reconciling { bill, lines, elsewhere, .. } = *reconciling;
    let keys = Keys::of(lines, &bill.rows, elsewhere);
    let mut groups = Groups::new();
    for line in lines {
        groups.entry((keys.of_line(line), line.currency)).or_default().lines.push(line);
    }
    for row in &bill.rows {
        groups.entry((keys.of_row(row), row.currency)).or_default().rows.push(row);
    }
    for group in groups.values_mut() {
        group.lines.sort_by(|one, other| one.line_id.cmp(&other.line_id));
        group.rows.sort_by_key(|row| row.row);
    }
    let surroundings = Surroundings::new(&bill.identity, &groups, &keys, elsewhere);
    let pairs = groups.iter().map(|((key, currency), group)| pair(key, *currency, group, reconciling, &surroundings));
    let mut pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    pairs.sort_by_cached_key(|pair| {
        let at_stake = pair.outcome.at_stake().abs();
        (pair.outcome.is_matched(), Reverse(at_stake), pair.key.clone(), pair.currency)
    });
    let totals = totals(&groups, &pairs)?;
    Ok(Reconciliation { identity: bill.identity.clone(), pairs, totals })
}

fn pair(
    key: &Key,
    currency: Currency,
    group: &Group<'_>,
    reconciling: &Reconciling<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Pair, MoneyError> {
    let count = Decimal::from(group.lines.len().max(group.rows.len()));
    let tolerance = reconciling.tolerance.per_line.saturating_mul(count);
    let outcome = outcome(currency, group, tolerance)?;
    let causes = match &outcome {
        Outcome::Matched { difference, .. } if difference.amount().is_zero() => vec![],
        Outcome::Matched { .. } => vec![Cause::Rounding],
        Outcome::NotComputed { .. } => vec![Cause::FactsMissing],
        Outcome::AmountDiffers { expected, billed, .. } => {
            let amounts = amounts::Amounts { expected: expected.amount(), billed: billed.amount(), tolerance };
            amounts::causes(group, &amounts, reconciling.tiers)
        }
        Outcome::MissingOnBill { .. } => surroundings.why_missing(key, currency, &group.lines),
        Outcome::UnknownToUs { .. } => surroundings.why_unknown(key, currency, &group.rows),
    };
    let lines = group.lines.iter().map(|line| line.line_id.clone()).collect();
    let rows = group.rows.iter().map(|row| row.row).collect();
    Ok(Pair { key: key.clone(), currency, lines, rows, outcome, causes, judged: None })
}

fn outcome(currency: Currency, group: &Group<'_>, tolerance: Decimal) -> Result<Outcome, MoneyError> {
    let billed = group.rows.iter().try_fold(Money::zero(currency), |sum, row| sum.plus(row.settled()?))?;
    let expected =
        group.lines.iter().try_fold(Some(Money::zero(currency)), |sum, line| match (sum, line.settled()?) {
            (Some(sum), Some(settled)) => sum.plus(settled).map(Some),
            _ => Ok(None),
        })?;
    Ok(match expected {
        _ if group.lines.is_empty() => Outcome::UnknownToUs { billed },
        expected if group.rows.is_empty() => Outcome::MissingOnBill { expected },
        None => Outcome::NotComputed { billed },
        Some(expected) => {
            let difference = billed.minus(expected)?;
            if difference.amount().abs() <= tolerance {
                Outcome::Matched { expected, billed, difference }
            } else {
                Outcome::AmountDiffers { expected, billed, difference }
            }
        }
    })
}

fn totals(groups: &Groups<'_>, pairs: &[Pair]) -> Result<BTreeMap<Currency, Totals>, MoneyError> {
    let mut totals = BTreeMap::new();
    let nothing = |currency| {
        let zero = Money::zero(currency);
        Totals { expected: zero, billed: zero, difference: zero, lines_not_computed: 0, matched: 0, different: 0 }
    };
    for ((_, currency), group) in groups {
        let total = totals.entry(*currency).or_insert_with(|| nothing(*currency));
        for line in &group.lines {
            match line.settled()? {
                Some(settled) => total.expected = total.expected.plus(settled)?,
                None => total.lines_not_computed += 1,
            }
        }
        for row in &group.rows {
            total.billed = total.billed.plus(row.settled()?)?;
        }
        total.difference = total.billed.minus(total.expected)?;
    }
    for pair in pairs {
        let total = totals.entry(pair.currency).or_insert_with(|| nothing(pair.currency));
        if pair.outcome.is_matched() { total.matched += 1 } else { total.different += 1 }
    }
    Ok(totals)
}

impl Reconciliation {
    /// Puts down what people made of the pairs; of several judgements on a pair the last one holds. One on a
    /// difference that has changed since does not stand any more, and is passed over.
    #[must_use]
    pub fn judged_by(mut self, judgements: &[Judged]) -> Self {
        let on: BTreeMap<_, _> = judgements.iter().map(|judged| ((&judged.key, judged.currency), judged)).collect();
        for pair in &mut self.pairs {
            let judged = on.get(&(&pair.key, pair.currency)).filter(|judged| judged.outcome == pair.outcome);
            pair.judged = judged.map(|judged| (*judged).clone());
        }
        self
    }

    /// Differences that nobody has judged yet.
    pub fn open(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| !pair.outcome.is_matched() && pair.judged.is_none())
    }
}
