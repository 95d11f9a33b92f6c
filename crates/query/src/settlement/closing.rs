//! `GET` and `POST /v1/settlement/periods/{period}/close`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::closing::{Closable, ClosingView};
use chopmark_domain::access::Role;
use chopmark_domain::settlement::calendar::Period;
use serde::Serialize;
use utoipa::ToSchema;

use super::desk::{Desk, SellerParams, answer, of_report, period};
use super::periods::ShowParams;
use crate::caller::Caller;
use crate::find::unreadable;
use crate::json::PositionText;
use crate::problem::{Kind, Problem};
use crate::{Query, params};

/// What a month would be closed with.
#[derive(Serialize, ToSchema)]
#[schema(as = ClosingPreview)]
pub(crate) struct Shown {
    #[serde(flatten)]
    closing: ClosingView,
    position: PositionText,
}

/// What a month would be closed with, or was; and what of it would be corrected later.
#[utoipa::path(
    get, path = "/v1/settlement/periods/{period}/close", operation_id = "previewClose", tag = "settlement",
    params(("period" = String, Path, description = "Year and month.", example = "202405", pattern = "^[0-9]{6}$"),
        ShowParams),
    responses((status = 200, description = "What it comes to.", body = Shown)), security(("token" = [])),
)]
pub(crate) async fn preview(query: web::Data<Query>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("closing", previewed(&query, &path, &request).await)
}

async fn previewed(query: &Query, path: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: ShowParams = params::read(request.query_string())?;
    let period = period(path)?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let read = desk.billing().closing(&desk.asking(), period).await.map_err(|error| of_report(&error))?;
    Ok(answer(&Shown { closing: read.value, position: PositionText(read.position) }, read.position))
}

/// A month that is closed.
#[derive(Serialize, ToSchema)]
#[schema(as = Closed)]
pub(crate) struct ClosedShown {
    /// The month.
    #[schema(pattern = "^[0-9]{6}$", example = "202405")]
    period: String,
    /// Whether it was closed before; then nothing changed.
    closed_before: bool,
    /// How many lines it was closed with, if that was now.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<usize>,
    position: PositionText,
}

/// Closes a month: its lines are shown as they stand, from now on. What becomes known later is proposed as a correction.
/// It is final; a month that is closed stays as it is.
#[utoipa::path(
    post, path = "/v1/settlement/periods/{period}/close", operation_id = "closePeriod", tag = "settlement",
    params(("period" = String, Path, description = "Year and month.", example = "202405", pattern = "^[0-9]{6}$"),
        SellerParams),
    responses((status = 200, description = "It is closed.", body = ClosedShown)), security(("token" = [])),
)]
pub(crate) async fn close(query: web::Data<Query>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("closing", closed(&query, &path, &request).await)
}

async fn closed(query: &Query, path: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: SellerParams = params::read(request.query_string())?;
    let period = period(path)?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), None).await?;
    let shown = close_month(query, &desk, period).await?;
    let position = shown.position.0;
    Ok(answer(&shown, position))
}

/// Closes a month with its lines as they stand.
pub(crate) async fn close_month(query: &Query, desk: &Desk<'_>, period: Period) -> Result<ClosedShown, Problem> {
    if desk.now < period.bounds().end {
        let detail = format!("the month {period} is not over in Beijing; close it when it is");
        return Err(Problem::new(Kind::PeriodNotOver, detail));
    }
    let _place = desk.place().await?;
    // What the log has by now belongs to the month as it stands.
    let head = query.commands.log().head().await.map_err(|error| unreadable(&error.into()))?;
    desk.written(Some(head)).await;
    if desk.billing().progress().position() < head {
        let detail = "the billing views have not caught up with the log; close the month when they have";
        return Err(Problem::new(Kind::Unavailable, detail));
    }
    let closable = desk.billing().closable(&desk.asking(), period).await.map_err(|error| of_report(&error))?;
    let Closable { closed, lines } = closable;
    let done = query.commands.close_period(&desk.seller, period, closed, &lines, &desk.caller.cause()).await;
    let done = done.map_err(Problem::of_command)?;
    let closed_before = done.appended == 0;
    let position = desk.written(done.position).await;
    let lines = (!closed_before).then_some(lines.len());
    Ok(ClosedShown { period: period.to_string(), closed_before, lines, position: PositionText(position) })
}
