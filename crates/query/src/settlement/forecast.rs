//! `GET /v1/settlement/forecast`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::export::forecast_table;
use chopmark_billing::report::forecast::{AccountNow, PeriodForecast, WaitingLines, WithoutPeriod};
use chopmark_domain::access::Role;
use serde::Serialize;
use utoipa::ToSchema;

use super::desk::{Desk, answer, of_report};
use super::periods::Params;
use super::table;
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::Problem;
use crate::{Query, params};

/// What will be paid and when.
#[derive(Serialize, ToSchema)]
#[schema(as = Forecast)]
pub(crate) struct Shown {
    /// The first period whose bill is not run yet.
    #[schema(pattern = "^[0-9]{6}$", example = "202405")]
    open_period: String,
    /// Every period with lines, corrections or a shortfall brought into it: by currency, then by period.
    periods: Vec<PeriodForecast>,
    /// Lines that wait, by currency, reason and age.
    waiting: Vec<WaitingLines>,
    /// Lines whose period cannot be said.
    without_period: Vec<WithoutPeriod>,
    /// The accounts as they are now.
    accounts: Vec<AccountNow>,
    position: PositionText,
}

/// What is on no bill yet: by period, by what it waits for and since when, and what is paid of it.
#[utoipa::path(
    get, path = "/v1/settlement/forecast", operation_id = "showForecast", tag = "settlement", params(Params),
    responses((status = 200, description = "The forecast.", content(
        (Shown = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ))),
    security(("token" = [])),
)]
pub(crate) async fn show(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("forecast", shown(&query, &request).await)
}

async fn shown(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: Params = params::read(request.query_string())?;
    let format = table::format(request, asked.format.as_deref())?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let read = desk.billing().forecast(&desk.asking()).await.map_err(|error| of_report(&error))?;
    if let Some(format) = format {
        let name = format!("forecast-{}", desk.seller);
        return table::answer(forecast_table(&read.value), format, &name, read.position, desk.now).await;
    }
    let forecast = read.value;
    let shown = Shown {
        open_period: forecast.open_period.to_string(),
        periods: forecast.periods,
        waiting: forecast.waiting,
        without_period: forecast.without_period,
        accounts: forecast.accounts,
        position: PositionText(read.position),
    };
    Ok(answer(&shown, read.position))
}
