//! A line from gross to net, in the columns that finance people know from other marketplaces.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::SettlementLine;
use crate::settlement::marked::Marked;
use crate::settlement::money::written;
use crate::settlement::product::LineType;

/// From what was sold to what is paid: `net = sales - voucher - fee + tier_bonus - tax + refund + adjustment`, exactly
/// and for every line, so columns may be added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// What the goods cost.
    pub sales: Decimal,
    /// Vouchers used.
    pub voucher: Decimal,
    /// What the marketplace keeps, before the tier.
    pub fee: Decimal,
    /// What the tier gives back of the fee.
    pub tier_bonus: Decimal,
    /// Withholding tax of the customer, and the seller's taxes.
    pub tax: Decimal,
    /// What refunds and downgrades take back; negative.
    pub refund: Decimal,
    /// Corrections; either sign.
    pub adjustment: Decimal,
    /// What the seller gets.
    pub net: Decimal,
}

impl Columns {
    fn written(self) -> Self {
        Self {
            sales: written(self.sales),
            voucher: written(self.voucher),
            fee: written(self.fee),
            tier_bonus: written(self.tier_bonus),
            tax: written(self.tax),
            refund: written(self.refund),
            adjustment: written(self.adjustment),
            net: written(self.net),
        }
    }
}

impl SettlementLine {
    /// The columns of this line; `None` while its amounts cannot be said.
    #[must_use]
    pub fn columns(&self) -> Option<Columns> {
        let net = self.settle_amount?.value;
        let columns = match self.line_type {
            LineType::Refund | LineType::Downgrade => Columns { refund: net, net, ..Columns::default() },
            LineType::Adjustment => Columns { adjustment: net, net, ..Columns::default() },
            _ => self.sold(net)?,
        };
        Some(columns.written())
    }

    /// The fee is what is left over between the others: that holds for every formula.
    fn sold(&self, net: Decimal) -> Option<Columns> {
        let value = |amount: Option<Marked<Decimal>>| amount.map(|amount| amount.value);
        let sales = value(self.sales_amount)?;
        let voucher = value(self.voucher_amount).unwrap_or_default();
        let tier = self.tier_ratio.map(|tier| tier.value.value()).unwrap_or_default();
        let tax =
            value(self.customer_wht).unwrap_or_default().checked_add(value(self.seller_tax).unwrap_or_default())?;
        let charged = sales.checked_sub(voucher)?;
        let tier_bonus = charged.checked_mul(tier)?;
        let fee = charged.checked_add(tier_bonus)?.checked_sub(tax)?.checked_sub(net)?;
        Some(Columns { sales, voucher, fee, tier_bonus, tax, net, ..Columns::default() })
    }
}
