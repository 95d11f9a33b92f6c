//! Pairs as people see them.

use chopmark_domain::settlement::money::{Currency, Money};
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::reconciliation::judgement::Judgement;
use chopmark_domain::settlement::reconciliation::key::Key;
use chopmark_domain::settlement::reconciliation::{Outcome, Pair};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::compare::Compared;
use crate::report::lines::Behind;
use crate::report::schema;

/// What a bill comes to in one currency, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReconciliationTotals)]
pub struct ShownTotals {
    /// The currency of all amounts.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// The sum of the lines, exactly.
    #[schema(value_type = String, example = "285.00")]
    pub expected: Decimal,
    /// The sum of the rows.
    #[schema(value_type = String, example = "280.00")]
    pub billed: Decimal,
    /// Billed less expected.
    #[schema(value_type = String, example = "-5.00")]
    pub difference: Decimal,
    /// Lines that cannot be computed, and so are in no sum.
    pub not_computed: usize,
    /// Pairs that match.
    pub matched: usize,
    /// Pairs that do not.
    pub different: usize,
    /// Pairs that do not and that nobody judged yet.
    pub open: usize,
}

/// A bill that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillCompared {
    /// The tab.
    #[schema(schema_with = schema::categories)]
    pub category: Category,
    /// Which import of it.
    pub revision: u32,
    /// The name of the file.
    pub file_name: String,
    /// When it was imported.
    #[schema(value_type = String, format = DateTime)]
    pub imported_at: DateTime<Utc>,
    /// What it comes to.
    pub totals: Vec<ShownTotals>,
}

impl BillCompared {
    pub(super) fn of(compared: &Compared) -> Self {
        let open = |currency| {
            let pairs = compared.pairs.iter().filter(|pair| pair.currency == currency);
            pairs.filter(|pair| !pair.outcome.is_matched() && pair.judged.is_none()).count()
        };
        let totals = compared.totals.iter().map(|(currency, totals)| ShownTotals {
            currency: *currency,
            expected: totals.expected.amount(),
            billed: totals.billed.amount(),
            difference: totals.difference.amount(),
            not_computed: totals.lines_not_computed,
            matched: totals.matched,
            different: totals.different,
            open: open(*currency),
        });
        Self {
            category: compared.bill.identity.category,
            revision: compared.head.imported.revision,
            file_name: compared.head.imported.file_name.clone(),
            imported_at: compared.head.imported_at,
            totals: totals.collect(),
        }
    }
}

/// A line of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairLine {
    /// Which.
    pub line_id: String,
    /// What was expected, exactly; absent while it cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "95.00")]
    pub settle_amount: Option<Decimal>,
    /// The events that it is known from.
    pub sources: Vec<Behind>,
}

/// A row of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairRow {
    /// Its row in the file, as a spreadsheet counts.
    pub row: u32,
    /// What was billed.
    #[schema(value_type = String, example = "90.00")]
    pub settle_amount: Decimal,
    /// The order that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The order line that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_line_id: Option<String>,
    /// The product's name on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// The event that it stands in.
    pub source: Behind,
}

/// What probably made a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProbableCause)]
pub struct ShownCause {
    /// The stable code.
    #[schema(example = "OTHER_FEE_RATIO")]
    pub code: String,
    /// The part of a sentence after "because".
    pub text: String,
}

/// What a person made of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = JudgementMade)]
pub struct ShownJudgement {
    /// Accepted, or disputed.
    #[schema(schema_with = judgements)]
    pub judgement: Judgement,
    /// Why, and the ticket's number.
    pub note: String,
}

fn judgements() -> utoipa::openapi::schema::Object {
    schema::one_of(&[Judgement::Accepted, Judgement::Disputed])
}

/// Lines and rows that belong together, and how they compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReconciledPair)]
pub struct ShownPair {
    /// The tab of the bill.
    #[schema(schema_with = schema::categories)]
    pub category: Category,
    /// What they have in common.
    #[schema(inline, value_type = KeyFields)]
    pub key: Key,
    /// Their currency.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// `MATCHED`, `AMOUNT_DIFFERS`, `MISSING_ON_BILL`, `UNKNOWN_TO_US` or `NOT_COMPUTED`.
    #[schema(example = "AMOUNT_DIFFERS")]
    pub outcome: &'static str,
    /// What was expected, exactly; absent where nothing was or it cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "95.00")]
    pub expected: Option<Decimal>,
    /// What was billed; absent where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "90.00")]
    pub billed: Option<Decimal>,
    /// The money at stake: billed less expected, negative if the seller gets less.
    #[schema(value_type = String, example = "-5.00")]
    pub difference: Decimal,
    /// The lines; usually one.
    pub lines: Vec<PairLine>,
    /// The rows; usually one.
    pub rows: Vec<PairRow>,
    /// What probably made the difference, most probable first.
    pub causes: Vec<ShownCause>,
    /// All of it in a sentence.
    pub explanation: String,
    /// What somebody made of it, if that still stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<ShownJudgement>,
}

/// What lines and rows have in common.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used")]
struct KeyFields {
    /// `line`, `refund_of`, `usage`, `adjustment`, `order` or `unnamed`.
    #[schema(example = "line")]
    by: String,
    /// Of which order line, order or product.
    #[schema(example = "CS1-000001")]
    id: String,
}

impl ShownPair {
    pub(super) fn of(compared: &Compared, pair: &Pair) -> Self {
        let (expected, billed) = amounts(&pair.outcome);
        let lines = pair.lines.iter().filter_map(|id| compared.lines.get(id)).map(|row| PairLine {
            line_id: row.line().line_id.clone(),
            settle_amount: row.line().settle_amount.map(|amount| amount.value),
            sources: row.drawn.sources.iter().map(Behind::from).collect(),
        });
        let rows = pair.rows.iter().filter_map(|number| compared.rows.get(number)).map(|billed| PairRow {
            row: billed.row.row,
            settle_amount: billed.row.settle_amount,
            order_id: billed.row.order_id.as_ref().map(ToString::to_string),
            order_line_id: billed.row.order_line_id.as_ref().map(ToString::to_string),
            product_name: billed.row.product_name.clone(),
            source: Behind::from(&billed.source),
        });
        let causes = pair.causes.iter();
        let causes = causes.map(|cause| ShownCause { code: cause.code().into(), text: cause.to_string() });
        let judged = pair.judged.as_ref();
        Self {
            category: compared.bill.identity.category,
            key: pair.key.clone(),
            currency: pair.currency,
            outcome: pair.outcome.code(),
            expected: expected.map(Money::amount),
            billed: billed.map(Money::amount),
            difference: pair.outcome.at_stake(),
            lines: lines.collect(),
            rows: rows.collect(),
            causes: causes.collect(),
            explanation: pair.explanation(),
            judged: judged.map(|judged| ShownJudgement { judgement: judged.judgement, note: judged.note.clone() }),
        }
    }
}

fn amounts(outcome: &Outcome) -> (Option<Money>, Option<Money>) {
    match outcome {
        Outcome::Matched { expected, billed, .. } | Outcome::AmountDiffers { expected, billed, .. } => {
            (Some(*expected), Some(*billed))
        }
        Outcome::MissingOnBill { expected } => (*expected, None),
        Outcome::UnknownToUs { billed } | Outcome::NotComputed { billed } => (None, Some(*billed)),
    }
}
