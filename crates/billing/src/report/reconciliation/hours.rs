//! Hours of images that were seen, against those that were billed.

use chopmark_domain::ids::Sku;
use chopmark_domain::settlement::product::{Category, LineType};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::compare::Compared;
use crate::report::{Asking, schema};
use crate::rows::LineRow;

/// Names under which the steps to an amount count hours.
const HOURS: [&str; 3] = ["seen_hours", "used_hours", "hours"];

/// Hours of an image in the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsageHours {
    /// The tab of the bill.
    #[schema(schema_with = schema::categories)]
    pub category: Category,
    /// The line.
    pub line_id: String,
    /// The product.
    #[schema(value_type = String, example = "a63ee5c9-0001")]
    pub sku: Sku,
    /// The price of an hour, in the currency of the line.
    #[schema(value_type = String, example = "0.50")]
    pub hourly_price: Decimal,
    /// Hours in which deployments were seen.
    #[schema(value_type = String, example = "720")]
    pub seen: Decimal,
    /// Hours that the bill's sales amount comes to; absent where its rows show none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "718")]
    pub billed: Option<Decimal>,
    /// Billed less seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "-2")]
    pub difference: Option<Decimal>,
}

/// The consumption of images on a bill.
pub(super) fn of(asking: &Asking<'_>, compared: &Compared) -> Vec<UsageHours> {
    let pairs = compared.pairs.iter().flat_map(|pair| pair.lines.iter().map(move |line| (pair, line)));
    let usage = pairs.filter_map(|(pair, line_id)| {
        let row = compared.lines.get(line_id).filter(|row| row.line().line_type == LineType::Usage)?;
        let sku = row.line().sku_code.clone()?;
        let end = compared.bill.identity.period.bounds().end;
        let terms = asking.catalog.terms_at(&sku, end).or_else(|| asking.catalog.latest(&sku))?;
        let hourly_price = terms.terms.settlement.hourly_price.filter(|price| !price.is_zero())?;
        let seen = seen(row, hourly_price)?;
        let rows = pair.rows.iter().filter_map(|number| compared.rows.get(number));
        let sales = rows.map(|billed| billed.row.sales_amount);
        let sales = sales.reduce(|sum, next| sum?.checked_add(next?)).flatten();
        let billed = sales.and_then(|sales| sales.checked_div(hourly_price)).map(|hours| hours.round_dp(4));
        Some(UsageHours {
            category: compared.bill.identity.category,
            line_id: line_id.clone(),
            sku,
            hourly_price,
            seen,
            billed,
            difference: billed.and_then(|billed| billed.checked_sub(seen)),
        })
    });
    usage.collect()
}

/// Hours by the steps to the line's amount; else those that its sales amount comes to, where that is our estimate.
fn seen(row: &LineRow, hourly_price: Decimal) -> Option<Decimal> {
    let steps = row.drawn.explanation.iter().flat_map(|explanation| &explanation.steps);
    let mut terms = steps.flat_map(|step| &step.operands);
    let counted = terms.find(|term| HOURS.contains(&term.name.as_ref())).map(|term| term.value);
    counted.or_else(|| row.line().sales_amount?.value.checked_div(hourly_price).map(|hours| hours.round_dp(4)))
}
