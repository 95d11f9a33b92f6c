//! The international and European sites: prices without VAT, less the customer's withholding tax, the platform fee
//! and the seller's own taxes (S6, S1).

use serde::{Deserialize, Serialize};

use crate::settlement::explanation::{Explained, Worksheet, one, ratio};
use crate::settlement::money::{Money, MoneyError, Ratio};

/// One product's sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternationalSale {
    /// What the customer is invoiced. The bill's own sales amount is without VAT: then `vat` is zero.
    pub gross: Money,
    /// The VAT in it.
    pub vat: Money,
    /// Withholding tax that the customer keeps back.
    pub customer_wht: Money,
    /// The platform fee of the product.
    pub fee_ratio: Ratio,
}

/// Taxes of the seller that are taken off once for all products together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerTaxes {
    /// Withholding tax.
    pub wht: Money,
    /// Digital service tax.
    pub dst: Money,
}

/// The settlement amount `Σ((gross - VAT - customer WHT) × (1 - f)) - (WHT + DST)`.
///
/// # Errors
/// Two currencies, or out of range.
pub fn settle(sales: &[InternationalSale], taxes: &SellerTaxes) -> Result<Explained, MoneyError> {
    let mut sheet = Worksheet::new(taxes.wht.currency());
    let mut shares = vec![];
    for sale in sales {
        let gross = sheet.money("gross_amount", sale.gross)?;
        let sales = sheet.difference("sales_amount", &[&gross, &sheet.money("vat", sale.vat)?])?;
        let wht = sheet.money("customer_wht", sale.customer_wht)?;
        let received = sheet.difference("received_amount", &[&sales, &wht])?;
        let share = sheet.difference("seller_share", &[&one(), &ratio("fee_ratio", sale.fee_ratio)])?;
        shares.push(sheet.product("share_of_product", &[&received, &share])?);
    }
    let mut amounts: Vec<_> = shares.iter().collect();
    let nothing = sheet.money("no_sales", Money::zero(taxes.wht.currency()))?;
    if amounts.is_empty() {
        amounts.push(&nothing);
    }
    let before = sheet.sum("share_of_all_products", &amounts)?;
    let (wht, dst) = (sheet.money("seller_wht", taxes.wht)?, sheet.money("digital_service_tax", taxes.dst)?);
    let seller_tax = sheet.sum("seller_tax", &[&wht, &dst])?;
    let settled = sheet.difference("settle_amount", &[&before, &seller_tax])?;
    sheet.finish(&settled)
}
