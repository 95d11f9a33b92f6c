//! How far each product is on its way to the next tier of the platform fee.

use chopmark_domain::ids::Sku;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::{Currency, Money, Ratio};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::terms_of;
use super::{Asking, Billing, ReportError, SLICE};
use crate::bookkeeper::kind;

/// The kind of the bookkeeper's documents that hold a product's amount of a month, as JSON of [`Money`]. Their names are
/// the period and the SKU with a `/` between.
pub const MONTH: &str = kind::MONTH;

/// A product in a month, on its way through the tiers (S21).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TierStanding)]
pub struct Tier {
    /// The product.
    #[schema(value_type = String, example = "a63ee5c9-0000")]
    pub sku: Sku,
    /// The currency of the amounts.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// What customers really paid in the month.
    #[schema(value_type = String, example = "480000.00")]
    pub amount: Decimal,
    /// The share that is reached, for the whole month.
    #[schema(value_type = String, example = "0")]
    pub share: Ratio,
    /// From which amount on the next tier holds; absent where the highest is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "500000")]
    pub next_at: Option<Decimal>,
    /// The share of the next tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0.01")]
    pub next_share: Option<Ratio>,
    /// What is still to be sold until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "20000.00")]
    pub to_go: Option<Decimal>,
}

impl Billing {
    /// The products that take part in the tiers of a month, by SKU; the first thousand of them.
    ///
    /// # Errors
    /// [`ReportError::Store`].
    pub async fn tiers(&self, asking: &Asking<'_>, period: Period) -> Result<Vec<Tier>, ReportError> {
        let prefix = format!("{period}/");
        let documents = self.store().documents_after(asking.seller, MONTH, Some(&prefix), SLICE).await?;
        let tiers = terms_of(asking.catalog, period).policy.tiers;
        if period.bounds().end <= tiers.since {
            return Ok(vec![]);
        }
        let of_month = documents.into_iter().map_while(|(key, text)| {
            let sku = key.name.strip_prefix(&prefix)?.to_owned();
            Some((sku, text))
        });
        let standing = of_month.filter_map(|(sku, text)| {
            let sku = Sku::parse(&sku).ok()?;
            let month: Money = serde_json::from_str(&text).ok()?;
            let end = period.bounds().end;
            let terms = &asking.catalog.terms_at(&sku, end).or_else(|| asking.catalog.latest(&sku))?.terms;
            let fee_ratio = terms.fee_ratio.and_then(|ratio| Ratio::new(ratio).ok())?;
            let takes_part = terms.settlement.tiers && fee_ratio == tiers.fee_ratio;
            if !takes_part || month.currency() != Currency::CNY {
                return None;
            }
            let next = tiers.next(month);
            Some(Tier {
                sku,
                currency: month.currency(),
                amount: month.amount(),
                share: tiers.share(fee_ratio, month),
                next_at: next.map(|bracket| bracket.at_least),
                next_share: next.map(|bracket| bracket.share),
                to_go: next.and_then(|bracket| bracket.at_least.checked_sub(month.amount())),
            })
        });
        Ok(standing.collect())
    }
}
