//! Why an amount differs: what the row says otherwise than the line, and where it says nothing, which one assumption
//! would make the bill's amount exactly.

use rust_decimal::Decimal;

use super::Group;
use super::cause::Cause;
use crate::settlement::bill::BillRow;
use crate::settlement::formula::tier::Tiers;
use crate::settlement::line::SettlementLine;
use crate::settlement::marked::Marked;
use crate::settlement::money::Ratio;
use crate::settlement::product::LineType;

/// The amounts that differ.
pub(super) struct Amounts {
    pub(super) expected: Decimal,
    pub(super) billed: Decimal,
    pub(super) tolerance: Decimal,
}

impl Amounts {
    /// Whether an assumption gives what is billed.
    fn are_made_by(&self, assumed: Option<Decimal>) -> bool {
        assumed.and_then(|assumed| assumed.checked_sub(self.billed)).is_some_and(|off| off.abs() <= self.tolerance)
    }
}

/// The probable causes, most probable first; never none.
pub(super) fn causes(group: &Group<'_>, amounts: &Amounts, tiers: &Tiers) -> Vec<Cause> {
    let count = Decimal::from(group.lines.len().max(group.rows.len()));
    let cents = Decimal::new(1, 2) * count;
    if (amounts.billed - amounts.expected).abs() <= cents {
        return vec![Cause::Rounding];
    }
    if !amounts.expected.is_zero() && amounts.are_made_by(Some(-amounts.expected)) {
        return vec![Cause::SignTurned];
    }
    if is_billed_again(group, amounts) {
        return vec![Cause::Duplicate { also_in: vec![] }];
    }
    let mut causes = vec![];
    if let ([line], [row]) = (group.lines.as_slice(), group.rows.as_slice()) {
        causes = said_otherwise(line, row);
        if causes.is_empty() {
            causes.extend(Terms::of(line).and_then(|terms| terms.assume(amounts, tiers)));
        }
    }
    if causes.is_empty() {
        causes.push(Cause::Unexplained);
    }
    causes
}

/// More rows than lines, and as many of them as there are lines would be right.
fn is_billed_again(group: &Group<'_>, amounts: &Amounts) -> bool {
    let (lines, rows) = (group.lines.len(), group.rows.len());
    if rows <= lines || lines == 0 {
        return false;
    }
    let is_alike =
        group.rows.iter().all(|row| Some(row.settle_amount) == group.rows.first().map(|row| row.settle_amount));
    let share = amounts.expected.checked_mul(Decimal::from(rows)).and_then(|all| all.checked_div(Decimal::from(lines)));
    is_alike && amounts.are_made_by(share)
}

/// What the row states otherwise than we do. A column that it has not, or that we do not know, says nothing.
fn said_otherwise(line: &SettlementLine, row: &BillRow) -> Vec<Cause> {
    let ours = |amount: Option<Marked<Decimal>>| amount.map(|amount| amount.value);
    let cent = Decimal::new(1, 2);
    // Exports may show refunds without their sign.
    let differ = |ours: Decimal, theirs: Decimal| (ours.abs() - theirs.abs()).abs() >= cent;
    let mut causes = vec![];
    if let (Some(ours), Some(theirs)) = (ours(line.sales_amount), row.sales_amount)
        && differ(ours, theirs)
    {
        causes.push(Cause::OtherSalesAmount { ours, theirs });
    }
    if let (Some(ours), Some(theirs)) = (line.fee_ratio, row.fee_ratio)
        && ours != theirs
    {
        causes.push(Cause::OtherFeeRatio { ours, theirs });
    }
    if let (Some(ours), Some(theirs)) = (line.tier_ratio.map(|tier| tier.value), row.tier_ratio)
        && ours != theirs
    {
        causes.push(other_tier(ours, theirs));
    }
    if let Some(theirs) = row.voucher_amount {
        let ours = ours(line.voucher_amount).unwrap_or_default();
        if differ(ours, theirs) {
            causes.push(Cause::OtherVoucher { ours, theirs });
        }
    }
    if row.customer_wht.is_some() || row.seller_tax.is_some() {
        let theirs = row.customer_wht.unwrap_or_default().saturating_add(row.seller_tax.unwrap_or_default());
        let ours = taxes(line);
        if differ(ours, theirs) {
            causes.push(Cause::Tax { ours, theirs: Some(theirs) });
        }
    }
    causes
}

fn other_tier(ours: Ratio, theirs: Ratio) -> Cause {
    if theirs == Ratio::ZERO { Cause::TierNotApplied { ours } } else { Cause::OtherTier { ours, theirs } }
}

fn taxes(line: &SettlementLine) -> Decimal {
    let value = |amount: Option<Marked<Decimal>>| amount.map_or(Decimal::ZERO, |amount| amount.value);
    value(line.customer_wht).saturating_add(value(line.seller_tax))
}

/// What a line is settled by, with its signs.
struct Terms {
    is_refund: bool,
    sales: Decimal,
    voucher: Decimal,
    charged: Decimal,
    fee: Ratio,
    tier: Ratio,
    customer_wht: Decimal,
    seller_tax: Decimal,
}

impl Terms {
    fn of(line: &SettlementLine) -> Option<Self> {
        let value = |amount: Option<Marked<Decimal>>| amount.map(|amount| amount.value);
        let sales = value(line.sales_amount)?;
        let voucher = value(line.voucher_amount).unwrap_or_default();
        Some(Self {
            is_refund: line.line_type == LineType::Refund,
            sales,
            voucher,
            charged: sales.checked_sub(voucher)?,
            fee: line.fee_ratio?,
            tier: line.tier_ratio.map_or(Ratio::ZERO, |tier| tier.value),
            customer_wht: value(line.customer_wht).unwrap_or_default(),
            seller_tax: value(line.seller_tax).unwrap_or_default(),
        })
    }

    fn share(&self, tier: Ratio) -> Decimal {
        Decimal::ONE - self.fee.value() + tier.value()
    }

    /// The first assumption that makes what is billed, from the narrowest to the widest.
    fn assume(&self, amounts: &Amounts, tiers: &Tiers) -> Option<Cause> {
        self.without_fee(amounts)
            .or_else(|| self.with_tier(amounts, tiers))
            .or_else(|| self.with_voucher(amounts))
            .or_else(|| self.with_taxes(amounts))
            .or_else(|| self.with_fee(amounts))
    }

    fn without_fee(&self, amounts: &Amounts) -> Option<Cause> {
        let is_gross = [self.charged, self.sales].iter().any(|gross| amounts.are_made_by(Some(*gross)));
        (self.is_refund && is_gross).then_some(Cause::RefundWithoutFee)
    }

    fn with_tier(&self, amounts: &Amounts, tiers: &Tiers) -> Option<Cause> {
        let others = tiers.brackets.iter().map(|bracket| bracket.share);
        let mut others = std::iter::once(Ratio::ZERO).chain(others).filter(|tier| *tier != self.tier);
        let theirs = others.find(|tier| {
            let step = tier.value() - self.tier.value();
            let off = self.charged.checked_mul(step);
            amounts.are_made_by(off.and_then(|off| amounts.expected.checked_add(off)))
        })?;
        Some(other_tier(self.tier, theirs))
    }

    /// Not taken off at all, taken off in full, or shared.
    fn with_voucher(&self, amounts: &Amounts) -> Option<Cause> {
        if self.voucher.is_zero() {
            return None;
        }
        let share = self.share(self.tier);
        let of_sales = self.sales.checked_mul(share);
        let in_full = of_sales.and_then(|of_sales| of_sales.checked_sub(self.voucher));
        let shared = self.charged.checked_mul(share);
        let is_so = [of_sales, in_full, shared].into_iter().any(|assumed| amounts.are_made_by(assumed));
        is_so.then_some(Cause::VoucherBorneOtherwise { voucher: self.voucher })
    }

    /// The seller's taxes or the customer's left out, or both; or ours taken off twice.
    fn with_taxes(&self, amounts: &Amounts) -> Option<Cause> {
        let customer = self.customer_wht.checked_mul(self.share(self.tier))?;
        let both = customer.checked_add(self.seller_tax)?;
        if both.is_zero() {
            return None;
        }
        let steps = [self.seller_tax, customer, both, -self.seller_tax, -customer, -both];
        let is_so =
            steps.iter().any(|step| !step.is_zero() && amounts.are_made_by(amounts.expected.checked_add(*step)));
        is_so.then(|| Cause::Tax { ours: self.customer_wht.saturating_add(self.seller_tax), theirs: None })
    }

    /// Another fee, if it would be one that anybody agrees on: whole half percents, less than half.
    fn with_fee(&self, amounts: &Amounts) -> Option<Cause> {
        if self.charged.is_zero() {
            return None;
        }
        let step = amounts.billed.checked_sub(amounts.expected)?.checked_div(self.charged)?;
        let half_percents = self.fee.value().checked_sub(step)?.checked_mul(Decimal::from(200))?.round();
        let theirs = Ratio::new(half_percents / Decimal::from(200)).ok()?;
        let off = self.charged.checked_mul(self.fee.value() - theirs.value())?;
        let is_so = theirs != self.fee && theirs < Ratio::percent(50);
        (is_so && amounts.are_made_by(amounts.expected.checked_add(off)))
            .then_some(Cause::OtherFeeRatio { ours: self.fee, theirs })
    }
}
