//! What a refund takes back from the seller: the refund at the share that is frozen on its original line, so that the
//! marketplace hands its fee back too and an original with its full refund comes to exactly nothing.
//!
//! Confirmed for full refunds within the guarantee period (S3); CONSTRUCTED for the rest.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::settlement::explanation::{Explained, Operation, Term, Worksheet, ratio};
use crate::settlement::formula::generic::GenericSale;
use crate::settlement::money::{Money, MoneyError, Ratio};
use crate::settlement::policy::UpgradedRefund;

/// How a part of a sale is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrozenShare {
    /// Generic goods: at the seller's share, the voucher at what the seller bears of it.
    Generic {
        /// The seller's share.
        share: Ratio,
        /// The part of the voucher that the seller bears; `None` for the same share.
        bear: Option<Ratio>,
    },
    /// Joint operation and the international sites, whose taxes belong to no part of a sale: as much of the
    /// settlement as of the sales amount.
    Proportional,
}

/// A line that is given back, as it was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// Its sales amount.
    pub sales: Money,
    /// The voucher used.
    pub voucher: Money,
    /// Its settlement amount, exact.
    pub settled: Money,
    /// Its share.
    pub share: FrozenShare,
}

impl Original {
    /// A sale of generic goods with its settlement amount.
    ///
    /// # Errors
    /// A share that is none.
    pub fn generic(sale: &GenericSale, settled: Money) -> Result<Self, MoneyError> {
        let share = FrozenShare::Generic { share: sale.share()?, bear: sale.seller_bear_ratio };
        Ok(Self { sales: sale.sales, voucher: sale.voucher, settled, share })
    }

    /// All of it.
    #[must_use]
    pub fn whole(&self) -> Returned {
        Returned { gross: self.sales, voucher: self.voucher }
    }
}

/// What is given back of a line: of its sales amount, and of the voucher in it. Both positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Of the sales amount.
    pub gross: Money,
    /// Of the voucher.
    pub voucher: Money,
}

impl Returned {
    /// Nothing, of a line.
    #[must_use]
    pub fn nothing_of(original: &Original) -> Self {
        let nothing = Money::zero(original.sales.currency());
        Self { gross: nothing, voucher: nothing }
    }

    /// Both together.
    ///
    /// # Errors
    /// Two currencies, or out of range.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self { gross: self.gross.plus(other.gross)?, voucher: self.voucher.plus(other.voucher)? })
    }
}

/// The settlement amount of a refund line, negative: what the refunds of a line take back with this one, less what
/// they took back `before` it. So the parts of a line that is given back bit by bit add up to all of it.
///
/// # Errors
/// A negative refund, two currencies, or out of range.
pub fn settle(original: &Original, before: &Returned, refund: &Returned) -> Result<Explained, MoneyError> {
    for (name, amount) in [("refund_gross", refund.gross), ("refund_voucher", refund.voucher)] {
        if amount.amount() < Decimal::ZERO {
            return Err(MoneyError::NotPositive { name: name.into(), value: amount.amount() });
        }
    }
    let mut sheet = Worksheet::new(original.sales.currency());
    let after = taken_back(&mut sheet, "taken_back_so_far", original, &before.plus(*refund)?)?;
    let taken = if *before == Returned::nothing_of(original) {
        after
    } else {
        let before = taken_back(&mut sheet, "taken_back_before", original, before)?;
        sheet.difference("taken_back", &[&after, &before])?
    };
    let settled = sheet.step("settle_amount", Operation::Negation, &[&taken])?;
    sheet.finish(&settled)
}

/// What all refunds of a line so far take back.
fn taken_back(
    sheet: &mut Worksheet,
    name: &'static str,
    original: &Original,
    returned: &Returned,
) -> Result<Term, MoneyError> {
    let settled = sheet.money("original_settle_amount", original.settled)?;
    if *returned == original.whole() {
        return Ok(settled);
    }
    let (gross, voucher) =
        (sheet.money("refund_gross", returned.gross)?, sheet.money("refund_voucher", returned.voucher)?);
    match original.share {
        FrozenShare::Generic { share, bear: None } => {
            let charged = sheet.difference("refund_amount", &[&gross, &voucher])?;
            sheet.product(name, &[&charged, &ratio("frozen_share", share)])
        }
        FrozenShare::Generic { share, bear: Some(bear) } => {
            let gross = sheet.product("share_of_refund", &[&gross, &ratio("frozen_share", share)])?;
            let borne = sheet.product("voucher_borne", &[&voucher, &ratio("seller_bear_ratio", bear)])?;
            sheet.difference(name, &[&gross, &borne])
        }
        FrozenShare::Proportional if original.sales.amount().is_zero() => {
            Err(MoneyError::NotPositive { name: "original_sales_amount".into(), value: Decimal::ZERO })
        }
        FrozenShare::Proportional => {
            let product = sheet.product("settlement_by_refund", &[&settled, &gross])?;
            sheet.quotient(name, &[&product, &sheet.money("original_sales_amount", original.sales)?])
        }
    }
}

/// A negotiated amount that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// Nothing, or less.
    #[error("a negotiated refund must be more than nothing, not {0}")]
    NotPositive(Money),
    /// More than was paid.
    #[error("a negotiated refund of {agreed} is more than the {paid} that is left of what was paid")]
    MoreThanPaid {
        /// What was agreed.
        agreed: Money,
        /// What was paid and not given back yet.
        paid: Money,
    },
    /// Two currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Takes an amount that buyer and seller agreed on: more than nothing, at most what was paid (S13).
///
/// # Errors
/// Any other amount.
pub fn negotiated(agreed: Money, paid: Money) -> Result<Money, NegotiationError> {
    if agreed.amount() <= Decimal::ZERO {
        return Err(NegotiationError::NotPositive(agreed));
    }
    if paid.minus(agreed)?.amount() < Decimal::ZERO {
        return Err(NegotiationError::MoreThanPaid { agreed, paid });
    }
    Ok(agreed)
}

/// The refund lines of an instance that is given back in full: one for each order it is made of, purchase and changes,
/// each with its original; or only for the one that was named (CONSTRUCTED: no page speaks of upgraded orders).
///
/// # Errors
/// Out of range.
pub fn whole_instance<L: PartialEq>(
    named: &L,
    orders: Vec<(L, Original)>,
    policy: UpgradedRefund,
) -> Result<Vec<(L, Explained)>, MoneyError> {
    let returned = orders.into_iter().filter(|(line, _)| policy == UpgradedRefund::EveryOrder || line == named);
    returned
        .map(|(line, original)| Ok((line, settle(&original, &Returned::nothing_of(&original), &original.whole())?)))
        .collect()
}
