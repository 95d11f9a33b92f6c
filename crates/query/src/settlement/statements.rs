//! `POST /v1/settlement/statements`: what an operator read on the console of one order line.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::ids::{OrderId, OrderLineId, ProductId, Sku};
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::{Currency, LARGEST, Ratio};
use chopmark_domain::settlement::statement::{Billed, StatedFacts, Statement, Subject, When};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::desk::{Desk, SellerParams, answer, received, tab};
use crate::json::PositionText;
use crate::problem::Problem;
use crate::{Query, params};

/// Facts of an order line. What is left out stays as it is known. Amounts have the sign that the marketplace gives them:
/// refunds are negative.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementRequest {
    /// The order.
    #[schema(min_length = 1, max_length = 64, example = "CS1906666666ABCDE")]
    order_id: String,
    /// Its line.
    #[schema(min_length = 1, max_length = 64, example = "CS1906666666ABCDE-000001")]
    order_line_id: String,
    /// For a refund: the line that is given back.
    original_order_line_id: Option<String>,
    /// What it is, e.g. `NEW` or `REFUND`.
    line_type: Option<String>,
    /// The tab of the bill.
    category: Option<String>,
    /// The specification.
    sku: Option<String>,
    /// The marketplace's product id.
    product_id: Option<String>,
    /// How it is charged: `PERIOD`, `ONE_TIME`, `ON_DEMAND` or `ON_DEMAND_PKG`.
    charging_mode: Option<String>,
    /// The customer, by the marketplace's id; never a name.
    #[schema(max_length = 128)]
    customer_id: Option<String>,
    /// When it takes effect: a time as RFC 3339 writes it, or `not_yet`.
    #[schema(example = "2024-05-05T02:00:00Z")]
    effective_at: Option<String>,
    /// When it is paid in full: a time, or `not_yet`. On credit: when the whole bill of that month is repaid.
    paid_at: Option<String>,
    /// When it was accepted: a time, `not_yet`, or `not_applicable`.
    supervision_done_at: Option<String>,
    /// The period of the bill it is on, or `not_yet`.
    #[schema(example = "202405")]
    billed: Option<String>,
    /// `true`: it never took effect and never will.
    withdrawn: Option<bool>,
    /// The currency of the amounts; the site's where it is absent.
    #[schema(example = "CNY")]
    currency: Option<String>,
    /// What the goods cost; on the international sites without VAT.
    #[schema(example = "100.00")]
    sales_amount: Option<String>,
    /// The voucher used.
    voucher_amount: Option<String>,
    /// In joint operation: what the list asks.
    list_price: Option<String>,
    /// The platform fee, where the marketplace shows another one than the product's.
    #[schema(example = "0.05")]
    fee_ratio: Option<String>,
    /// Withholding tax that the customer keeps back.
    customer_wht: Option<String>,
    /// The seller's own taxes.
    seller_tax: Option<String>,
}

/// What came of a statement.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementTaken)]
pub(crate) struct Taken {
    /// Whether it said anything new.
    recorded: bool,
    position: PositionText,
}

/// States facts of an order line that the marketplace's API does not give. They replace what was estimated.
#[utoipa::path(
    post, path = "/v1/settlement/statements", operation_id = "stateOrderLine", tag = "settlement", params(SellerParams),
    request_body = StatementRequest,
    responses((status = 200, description = "It is taken up.", body = Taken)), security(("token" = [])),
)]
pub(crate) async fn state(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    query.count("statements", stated(&query, &request, payload).await)
}

async fn stated(query: &Query, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (caller, seller, sent) = received::<StatementRequest>(query, request, payload).await?;
    let statement = sent.statement()?;
    if statement.facts == StatedFacts::default() {
        return Err(Problem::malformed("the statement says nothing: name at least one fact"));
    }
    let desk = Desk::open(query, &caller, seller.as_deref(), None).await?;
    let done = query.commands.state_order(&desk.seller, statement, &caller.cause()).await;
    let done = done.map_err(Problem::of_command)?;
    let recorded = done.appended > 0;
    let position = desk.written(done.position).await;
    Ok(answer(&Taken { recorded, position: PositionText(position) }, position))
}

impl StatementRequest {
    /// Reads it; what is wrong with it is named by its member.
    pub(crate) fn statement(self) -> Result<Statement, Problem> {
        let required = |name, text: String| needed(name, Some(text).filter(|text| !text.is_empty()));
        let subject = Subject::OrderLine {
            order_id: parsed("order_id", required("order_id", self.order_id)?, OrderId::parse)?,
            order_line_id: parsed("order_line_id", required("order_line_id", self.order_line_id)?, OrderLineId::parse)?,
        };
        let facts = StatedFacts {
            original_order_line_id: optional(
                "original_order_line_id",
                self.original_order_line_id,
                OrderLineId::parse,
            )?,
            line_type: optional("line_type", self.line_type, by_code)?,
            category: optional("category", self.category, tab)?,
            sku: optional("sku", self.sku, Sku::parse)?,
            product_id: optional("product_id", self.product_id, ProductId::parse)?,
            charging_mode: optional("charging_mode", self.charging_mode, by_code)?,
            customer_id: optional("customer_id", self.customer_id, customer)?,
            effective: optional("effective_at", self.effective_at, when)?,
            paid_in_full: optional("paid_at", self.paid_at, when)?,
            supervision: optional("supervision_done_at", self.supervision_done_at, accepted)?,
            billed: optional("billed", self.billed, billed)?,
            withdrawn: self.withdrawn,
            currency: optional("currency", self.currency, Currency::parse)?,
            sales_amount: optional("sales_amount", self.sales_amount, amount)?,
            voucher_amount: optional("voucher_amount", self.voucher_amount, amount)?,
            list_price: optional("list_price", self.list_price, amount)?,
            fee_ratio: optional("fee_ratio", self.fee_ratio, ratio)?,
            customer_wht: optional("customer_wht", self.customer_wht, amount)?,
            seller_tax: optional("seller_tax", self.seller_tax, amount)?,
        };
        Ok(Statement { subject, facts })
    }
}

fn needed(name: &str, text: Option<String>) -> Result<String, Problem> {
    text.ok_or_else(|| Problem::malformed(format!("`{name}`: it is missing")))
}

fn parsed<T, E: std::fmt::Display>(
    name: &str,
    text: impl AsRef<str>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Problem> {
    parse(text.as_ref()).map_err(|error| Problem::malformed(format!("`{name}`: {error}")))
}

fn optional<T, E: std::fmt::Display>(
    name: &str,
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    text.map(|text| parsed(name, text, parse)).transpose()
}

/// A value by its code, as answers write it.
fn by_code<T: DeserializeOwned>(code: &str) -> Result<T, &'static str> {
    serde_json::from_value(code.into()).map_err(|_| "it is no such code; write it as the lines show it")
}

fn when(text: &str) -> Result<When, &'static str> {
    if text == "not_yet" { Ok(When::NotYet) } else { params::time(text).map(When::At) }
}

fn accepted(text: &str) -> Result<When, &'static str> {
    if text == "not_applicable" { Ok(When::NotApplicable) } else { when(text) }
}

fn billed(text: &str) -> Result<Billed, String> {
    if text == "not_yet" {
        return Ok(Billed::NotYet);
    }
    Period::parse(text).map(Billed::On).map_err(|error| error.to_string())
}

fn customer(text: &str) -> Result<String, &'static str> {
    let is_one_line = !text.trim().is_empty() && text.chars().count() <= 128 && !text.contains(char::is_control);
    if is_one_line { Ok(text.trim().to_owned()) } else { Err("1 to 128 characters in one line") }
}

pub(super) fn amount(text: &str) -> Result<Decimal, &'static str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, behind) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits =
        |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let amount = (are_digits(whole, 16) && are_digits(behind, 10)).then(|| text.parse::<Decimal>().ok()).flatten();
    let amount = amount.filter(|amount| amount.abs() <= LARGEST);
    amount.ok_or("write an amount as text, like \"-1234.56\": at most 16 digits before the point and 10 behind it")
}

pub(super) fn ratio(text: &str) -> Result<Ratio, &'static str> {
    let ratio = text.parse::<Decimal>().ok().and_then(|value| Ratio::new(value).ok());
    ratio.ok_or("write a ratio from 0 to 1 as text, like \"0.05\"")
}
