//! `POST /v1/settlement/quotes`: what something would cost or give back, with the steps to it. Nothing is recorded.

mod asked;
mod worked_out;

use actix_web::{HttpRequest, HttpResponse, web};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::asked::QuoteRequest;
use super::desk::{Desk, SellerParams, answer, received};
use crate::Query;
use crate::json::PositionText;
use crate::problem::Problem;

/// An amount with the steps to it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Quote {
    /// The currency of all amounts.
    #[schema(example = "CNY")]
    currency: String,
    /// The exact amount: what the customer pays, or gets back.
    #[schema(value_type = String, example = "0.7125")]
    amount: Decimal,
    /// The same in whole cents.
    #[schema(value_type = String, example = "0.71")]
    shown: Decimal,
    /// The steps to it, each as a sentence.
    #[schema(example = json!(["sales_amount = quantity 8 × unit_price 0.2 = 1.6"]))]
    explanation: Vec<String>,
    /// Of hours of an image: what falls into each month.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    periods: Vec<OfPeriod>,
    /// Of a refund: what else the rules say.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<OfRefund>,
    position: PositionText,
}

/// Hours of an image in one month.
#[derive(Serialize, ToSchema)]
#[schema(as = QuoteOfPeriod)]
struct OfPeriod {
    /// The month, in Beijing.
    #[schema(pattern = "^[0-9]{6}$", example = "202405")]
    period: String,
    /// Seconds that are charged.
    seconds: u64,
    /// What they cost, exactly.
    #[schema(value_type = String, example = "0.75")]
    amount: Decimal,
}

/// What the rules say to a refund by the hours not used.
#[derive(Serialize, ToSchema)]
#[schema(as = QuoteOfRefund)]
struct OfRefund {
    /// Hours of the whole term.
    order_hours: i64,
    /// Hours of it that were used.
    used_hours: i64,
    /// Whether it is an estimate, since the handling fee was not told.
    estimated: bool,
    /// Until when all of it comes back without a reason, where a product has five days; that second is too late.
    #[schema(format = DateTime)]
    five_days_until: String,
    /// Whether the marketplace's account manager must approve it.
    needs_approval: bool,
}

/// Works out what an upgrade, more users, a metered quantity or hours of an image cost, or what a term that was not used
/// up gives back, by the policy of the seller at that moment. Nothing is recorded.
#[utoipa::path(
    post, path = "/v1/settlement/quotes", operation_id = "quote", tag = "settlement", params(SellerParams),
    request_body = QuoteRequest,
    responses((status = 200, description = "The amount and the steps to it.", body = Quote)), security(("token" = [])),
)]
pub(crate) async fn quote(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    query.count("quotes", quoted(&query, &request, payload).await)
}

async fn quoted(query: &Query, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (caller, seller, asked_for) = received::<QuoteRequest>(query, request, payload).await?;
    let desk = Desk::open(query, &caller, seller.as_deref(), None).await?;
    let worked_out = worked_out::work_out(asked_for, &desk.catalog, desk.now)?;
    let position = desk.billing().progress().position();
    Ok(answer(&worked_out.quote(position), position))
}
