//! Generic goods of the China site (通用商品): the sales amount without vouchers, less the platform fee (S5, S21, S22).

use serde::{Deserialize, Serialize};

use crate::settlement::explanation::{Explained, Worksheet, one, ratio};
use crate::settlement::money::{Money, MoneyError, Ratio};

/// What a sale of generic goods is settled by. The ratios are frozen on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenericSale {
    /// The goods at their prices (`S`); negative for a downgrade, whose voucher is then negative too.
    pub sales: Money,
    /// The voucher used (`V`); zero if none.
    pub voucher: Money,
    /// The platform fee of the product as it was listed (`f`).
    pub fee_ratio: Ratio,
    /// The share of the tier reached (`t`); zero before 2024-03-01 and for products that do not take part.
    pub tier_ratio: Ratio,
    /// The part of the voucher that the seller bears. `None` means the seller's share of the sale, so that the
    /// marketplace gives up its fee on that part (S22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller_bear_ratio: Option<Ratio>,
}

/// The settlement amount `(S - V) × (1 - f + t)`, or `S × share - V × bear` if the seller bears another part of the
/// voucher.
///
/// # Errors
/// Two currencies, or out of range.
pub fn settle(sale: &GenericSale) -> Result<Explained, MoneyError> {
    let mut sheet = Worksheet::new(sale.sales.currency());
    let sales = sheet.money("sales_amount", sale.sales)?;
    let voucher = sheet.money("voucher_amount", sale.voucher)?;
    let kept = sheet.difference("share_after_fee", &[&one(), &ratio("fee_ratio", sale.fee_ratio)])?;
    let share = sheet.sum("seller_share", &[&kept, &ratio("tier_ratio", sale.tier_ratio)])?;
    let settled = match sale.seller_bear_ratio {
        None => {
            let charged = sheet.difference("charged_amount", &[&sales, &voucher])?;
            sheet.product("settle_amount", &[&charged, &share])?
        }
        Some(bear) => {
            let gross = sheet.product("share_of_sales", &[&sales, &share])?;
            let borne = sheet.product("voucher_borne", &[&voucher, &ratio("seller_bear_ratio", bear)])?;
            sheet.difference("settle_amount", &[&gross, &borne])?
        }
    };
    sheet.finish(&settled)
}

impl GenericSale {
    /// The seller's share of the sale.
    ///
    /// # Errors
    /// The tier gives more than the fee takes.
    pub fn share(&self) -> Result<Ratio, MoneyError> {
        Ratio::new(Ratio::ONE.value() - self.fee_ratio.value() + self.tier_ratio.value())
    }

    /// What the marketplace keeps of a sale that settles at an amount: what was charged, less that.
    ///
    /// # Errors
    /// Two currencies, or out of range.
    pub fn fee(&self, settled: Money) -> Result<Money, MoneyError> {
        self.sales.minus(self.voucher)?.minus(settled)
    }
}
