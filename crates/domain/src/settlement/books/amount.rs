//! What a line is settled at, by the formula of its site and category, with everything that is missing for it.

use rust_decimal::Decimal;

use super::gross::Gross;
use super::known::Known;
use crate::catalog::ProductTerms;
use crate::settlement::explanation::{Explained, Explanation};
use crate::settlement::formula::generic::{self, GenericSale};
use crate::settlement::formula::international::{self, InternationalSale, SellerTaxes};
use crate::settlement::formula::joint::{self, SharedTotal};
use crate::settlement::marked::{Mark, Marked};
use crate::settlement::money::{Money, MoneyError, Ratio};
use crate::settlement::product::{Category, LineType, Site};
use crate::settlement::readiness::Missing;
use crate::settlement::refund::amount::{FrozenShare, Original};

/// How a line is settled.
#[derive(Debug, Clone, Copy)]
pub(super) enum Formula {
    /// Generic goods, and selected ones without a partner's ratio.
    Generic { fee: Ratio, bear: Option<Ratio> },
    /// Joint operation and Huawei goods; a share of the floor price if there is a floor.
    Joint { partner: Ratio, tax: Ratio, floor: Option<Ratio> },
    /// The international sites.
    International { fee: Ratio },
    /// Corrections: the amount is what is paid.
    AsItIs,
}

impl Formula {
    /// The formula of a line.
    pub(super) fn of(known: &Known<'_>) -> Result<Self, Missing> {
        let terms = known.product.map(|terms| &terms.settlement);
        let partner = terms.and_then(|terms| terms.partner_ratio);
        match (known.seller.site, known.category()) {
            _ if known.line_type == LineType::Adjustment => Ok(Self::AsItIs),
            _ if known.line_type == LineType::Unknown => Err(Missing::LineType),
            (Site::Intl | Site::Eu, _) => Ok(Self::International { fee: fee(known)? }),
            (Site::Cn, None) => Err(Missing::ProductTerms),
            (Site::Cn, Some(category)) if is_by_fee(category, partner) => {
                Ok(Self::Generic { fee: fee(known)?, bear: terms.and_then(|terms| terms.voucher_bear_ratio) })
            }
            (Site::Cn, Some(_)) => {
                let terms = terms.ok_or(Missing::ProductTerms)?;
                let partner = terms.partner_ratio.ok_or(Missing::PartnerRatio)?;
                let tax = terms.tax_rate.ok_or(Missing::TaxRate)?;
                Ok(Self::Joint { partner, tax, floor: terms.floor_discount })
            }
        }
    }

    /// The platform fee in it.
    pub(super) fn fee(self) -> Option<Ratio> {
        match self {
            Self::Generic { fee, .. } | Self::International { fee } => Some(fee),
            Self::Joint { .. } | Self::AsItIs => None,
        }
    }
}

/// Selected goods go by their contract: a partner's ratio where the terms have one, else the fee.
fn is_by_fee(category: Category, partner: Option<Ratio>) -> bool {
    match category {
        Category::Generic => true,
        Category::Selected => partner.is_none(),
        Category::JointOperation | Category::HuaweiSelfService => false,
    }
}

/// The fee that the marketplace shows for the line, else the product's.
fn fee(known: &Known<'_>) -> Result<Ratio, Missing> {
    let of_product = |terms: &ProductTerms| Ratio::new(terms.fee_ratio?).ok();
    match (known.facts.stated.fee_ratio, known.product) {
        (Some(stated), _) => Ok(stated),
        (None, Some(terms)) => of_product(terms).ok_or(Missing::FeeRatio),
        (None, None) => Err(Missing::ProductTerms),
    }
}

/// What a line is settled at, and how its parts would be.
pub(super) struct Settled {
    pub(super) original: Original,
    pub(super) mark: Mark,
    pub(super) explanation: Explanation,
}

/// Settles a line.
pub(super) fn settle(
    known: &Known<'_>,
    gross: &Gross,
    formula: Formula,
    tier: Option<Marked<Ratio>>,
) -> Result<Settled, Missing> {
    let Marked { value: sales, mark } = gross.sales.ok_or(Missing::SalesAmount)?;
    let money = |amount: Decimal| Money::new(amount, gross.currency);
    let not_usable = |_: MoneyError| Missing::UsableAmounts;
    let (sales, voucher) = (money(sales).map_err(not_usable)?, money(gross.voucher()).map_err(not_usable)?);
    let proportional = |settled: Money| Original { sales, voucher, settled, share: FrozenShare::Proportional };
    let (original, explained) = match formula {
        Formula::Generic { fee, bear } => {
            let tier_ratio = tier.map_or(Ratio::ZERO, |tier| tier.value);
            let sale = GenericSale { sales, voucher, fee_ratio: fee, tier_ratio, seller_bear_ratio: bear };
            let explained = generic::settle(&sale).map_err(not_usable)?;
            (Original::generic(&sale, explained.amount).map_err(not_usable)?, explained)
        }
        Formula::Joint { partner, tax, floor } => {
            let total = match floor {
                None => SharedTotal::Deal(sales),
                Some(floor) => {
                    let list = list_price(known).ok_or(Missing::ListPrice)?;
                    SharedTotal::Floor(money(list).map_err(not_usable)?, floor)
                }
            };
            let explained = joint::settle_total(total, partner, tax).map_err(not_usable)?;
            (proportional(explained.amount), explained)
        }
        Formula::International { fee } => {
            let explained = abroad(known, sales, fee).map_err(not_usable)?;
            (proportional(explained.amount), explained)
        }
        Formula::AsItIs => {
            let explained = Explained { amount: sales, explanation: Explanation::default() };
            (proportional(sales), explained)
        }
    };
    let steps = gross.explanation.steps.iter().cloned().chain(explained.explanation.steps).collect();
    // Without terms it cannot be said whether the product takes part in the tiers.
    let of_tier = if known.product.is_none() { Mark::Estimate } else { tier.map_or(mark, |tier| tier.mark) };
    let mark = of_tier.min(mark);
    Ok(Settled { original, mark, explanation: Explanation { steps } })
}

/// What the list asks: as stated, else the order's amount before discounts.
fn list_price(known: &Known<'_>) -> Option<Decimal> {
    let listed = known.facts.stated.list_price.or(known.facts.order.as_ref().and_then(|order| order.amount))?;
    Some(if known.line_type.takes_back() { -listed.abs() } else { listed })
}

/// Sales amounts of the international sites are without VAT. Taxes that nobody stated are none.
fn abroad(known: &Known<'_>, sales: Money, fee_ratio: Ratio) -> Result<Explained, MoneyError> {
    let stated = &known.facts.stated;
    let money = |amount: Option<Decimal>| Money::new(amount.unwrap_or_default(), sales.currency());
    let nothing = Money::zero(sales.currency());
    let sale = InternationalSale { gross: sales, vat: nothing, customer_wht: money(stated.customer_wht)?, fee_ratio };
    international::settle(&[sale], &SellerTaxes { wht: money(stated.seller_tax)?, dst: nothing })
}
