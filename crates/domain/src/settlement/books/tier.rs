//! The tier of a line, and what it adds to its product's month.

use super::gross::Gross;
use super::known::Known;
use super::{Books, Counted};
use crate::ids::Sku;
use crate::settlement::calendar::Period;
use crate::settlement::formula::tier::Counting;
use crate::settlement::marked::{Mark, Marked};
use crate::settlement::money::{Money, Ratio};
use crate::settlement::policy::{Policy, TierMonth};
use crate::settlement::product::{Category, LineType, Site};
use crate::settlement::readiness::Conditions;

/// What the tiers have to do with a line.
#[derive(Default)]
pub(super) struct Tier {
    /// Its share: an estimate until the month is closed. `None` if there are no tiers for such a sale, or it cannot be
    /// said whether its product takes part.
    pub(super) ratio: Option<Marked<Ratio>>,
    /// What it adds.
    pub(super) counted: Option<Counted>,
    /// By which month's amount its share goes.
    pub(super) of: Option<(Sku, Period)>,
}

const NONE: Marked<Ratio> = Marked { value: Ratio::ZERO, mark: Mark::Stated };

/// The tier of something sold, settled in a period.
pub(super) fn of_sale(
    known: &Known<'_>,
    gross: &Gross,
    conditions: &Conditions,
    period: Option<Period>,
    fee: Option<Ratio>,
    books: &Books<'_>,
) -> Tier {
    let (Some(product), true) = (known.product, is_generic(known)) else { return Tier::default() };
    if !product.settlement.tiers {
        return Tier { ratio: Some(NONE), ..Tier::default() };
    }
    let policy = known.policy();
    let moment = conditions.effective.at().map(|at| at.value);
    let bought_at = known.bought_at().or(conditions.paid_in_full.at().map(|at| at.value));
    let held = policy.tiers.hold(known.line_type, bought_at, moment);
    let counting = counting(known.line_type, policy, conditions, period, gross.paid());
    let counted = counting.and_then(|counting| counted(known.sku()?, &counting, policy));
    if held == Some(false) || fee.is_some_and(|fee| fee != policy.tiers.fee_ratio) {
        return Tier { ratio: Some(NONE), counted, of: None };
    }
    let unsaid = Tier { ratio: Some(Marked::estimate(Ratio::ZERO)), counted: counted.clone(), of: None };
    let (Some(counting), Some(sku), Some(fee)) = (counting, known.sku(), fee) else { return unsaid };
    let Some(month) = counting.gets(policy) else { return Tier { ratio: Some(NONE), counted, of: None } };
    if held.is_none() {
        return unsaid;
    }
    let share = (books.month_of)(sku, month).map_or(Ratio::ZERO, |amount| policy.tiers.share(fee, amount));
    let mark = if books.closed.contains(&month) { Mark::Stated } else { Mark::Estimate };
    Tier { ratio: Some(Marked { value: share, mark }), counted, of: Some((sku.clone(), month)) }
}

/// What a refund takes from its product's month. Its share is that of its original.
pub(super) fn of_refund(
    original: &Known<'_>,
    conditions: &Conditions,
    period: Option<Period>,
    paid: Option<Money>,
) -> Option<Counted> {
    let takes_part = is_generic(original) && original.product.is_some_and(|terms| terms.settlement.tiers);
    let policy = original.policy();
    let counting = counting(LineType::Refund, policy, conditions, period, paid.map(|paid| -paid))?;
    if takes_part { counted(original.sku()?, &counting, policy) } else { None }
}

fn is_generic(known: &Known<'_>) -> bool {
    known.seller.site == Site::Cn
        && known.category() == Some(Category::Generic)
        && !matches!(known.line_type, LineType::Adjustment | LineType::Unknown)
}

/// `None` while the period, or what was paid, is not known.
fn counting(
    line_type: LineType,
    policy: &Policy,
    conditions: &Conditions,
    period: Option<Period>,
    paid: Option<Money>,
) -> Option<Counting> {
    let paid_in = conditions.paid_in_full.at().map(|at| Period::of(at.value));
    let by_payment = paid_in.filter(|_| policy.tier_month == TierMonth::Payment);
    let settled_in = period.or(by_payment)?;
    Some(Counting { line_type, paid_in: paid_in.unwrap_or(settled_in), settled_in, paid: paid? })
}

fn counted(sku: &Sku, counting: &Counting, policy: &Policy) -> Option<Counted> {
    let (period, paid) = counting.adds(policy)?;
    Some(Counted { sku: sku.clone(), period, paid })
}
