//! Resellers of the China site (客户服务商, 经销商) (S34). They settle by the month or by the quarter.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::settlement::explanation::{Explained, Worksheet, one, ratio};
use crate::settlement::money::{Money, MoneyError, Ratio};

/// The share that no reseller's commission exceeds.
pub const HIGHEST_COMMISSION: Ratio = Ratio::percent(90);

/// A sale of a distributor without Huawei's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributorSale {
    /// The price the customer paid.
    pub deal: Money,
    /// The floor price.
    pub floor: Money,
    /// The tax in the price of the goods.
    pub goods_tax: Ratio,
    /// The tax on the distributor's service.
    pub service_tax: Ratio,
    /// The commission: 90 % alone, the negotiated ratio with Huawei's direct sales, never more than 90 %.
    pub commission: Ratio,
}

/// A joint sale: the reseller's ratio of the cash consumed by the order, or of its sharing base.
///
/// # Errors
/// Out of range.
pub fn joint_sale(consumed: Money, reseller_ratio: Ratio) -> Result<Explained, MoneyError> {
    let mut sheet = Worksheet::new(consumed.currency());
    let base = sheet.money("consumed_or_base", consumed)?;
    let settled = sheet.product("settle_amount", &[&base, &ratio("reseller_ratio", reseller_ratio)])?;
    sheet.finish(&settled)
}

/// A distributor's sale: `(deal - floor) ÷ (1 + goods tax) × (1 + service tax) × commission`.
///
/// # Errors
/// Two currencies, or a commission above [`HIGHEST_COMMISSION`].
pub fn distributor(sale: &DistributorSale) -> Result<Explained, MoneyError> {
    if sale.commission > HIGHEST_COMMISSION {
        return Err(MoneyError::Ratio { value: Decimal::from(sale.commission) });
    }
    let mut sheet = Worksheet::new(sale.deal.currency());
    let (deal, floor) = (sheet.money("deal_price", sale.deal)?, sheet.money("floor_price", sale.floor)?);
    let margin = sheet.difference("margin_with_tax", &[&deal, &floor])?;
    let goods = sheet.sum("one_plus_goods_tax", &[&one(), &ratio("goods_tax", sale.goods_tax)])?;
    let service = sheet.sum("one_plus_service_tax", &[&one(), &ratio("service_tax", sale.service_tax)])?;
    let taxed = sheet.product("margin_with_service_tax", &[&margin, &service])?;
    let commission = sheet.product("commission_with_tax", &[&taxed, &ratio("commission", sale.commission)])?;
    let settled = sheet.quotient("settle_amount", &[&commission, &goods])?;
    sheet.finish(&settled)
}
