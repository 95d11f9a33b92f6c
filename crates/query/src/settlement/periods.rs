//! `GET /v1/settlement/periods` and `GET /v1/settlement/periods/{period}`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::export::periods_table;
use chopmark_billing::report::periods::{PeriodView, Tab};
use chopmark_billing::report::tiers::Tier;
use chopmark_domain::access::Role;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::desk::{Desk, answer, of_report, period};
use super::table;
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::{Kind, Problem};
use crate::{Query, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    pub(super) seller: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[param(pattern = "^([0-9]{1,19})?$")]
    pub(super) min_position: Option<String>,
    /// `json`, `csv` or `xlsx`; without it what `Accept` asks for.
    #[param(pattern = "^(json|csv|xlsx)?$")]
    pub(super) format: Option<String>,
}

/// Every period of a seller.
#[derive(Serialize, ToSchema)]
#[schema(as = SettlementPeriods)]
pub(crate) struct List {
    /// The earliest first.
    periods: Vec<PeriodView>,
    /// Lines of which it cannot be said when they are settled.
    without_period: Vec<Tab>,
    position: PositionText,
}

/// Every period from gross to net, with its bill and what is paid of it.
#[utoipa::path(
    get, path = "/v1/settlement/periods", operation_id = "listPeriods", tag = "settlement", params(Params),
    responses((status = 200, description = "The periods.", content(
        (List = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ))),
    security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("periods", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: Params = params::read(request.query_string())?;
    let format = table::format(request, asked.format.as_deref())?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let read = desk.billing().periods(&desk.asking()).await.map_err(|error| of_report(&error))?;
    if let Some(format) = format {
        let name = format!("periods-{}", desk.seller);
        return table::answer(periods_table(&read.value), format, &name, read.position, desk.now).await;
    }
    let (periods, without_period) = (read.value.periods, read.value.without_period);
    Ok(answer(&List { periods, without_period, position: PositionText(read.position) }, read.position))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowParams {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    pub(super) seller: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[param(pattern = "^([0-9]{1,19})?$")]
    pub(super) min_position: Option<String>,
}

/// One period.
#[derive(Serialize, ToSchema)]
#[schema(as = SettlementPeriodShown)]
pub(crate) struct Shown {
    #[serde(flatten)]
    period: PeriodView,
    /// Products on their way to the next tier of the platform fee.
    tiers: Vec<Tier>,
    position: PositionText,
}

/// One period, with how far each product is from its next tier.
#[utoipa::path(
    get, path = "/v1/settlement/periods/{period}", operation_id = "showPeriod", tag = "settlement",
    params(("period" = String, Path, description = "Year and month.", example = "202405", pattern = "^[0-9]{6}$"), ShowParams),
    responses((status = 200, description = "The period.", body = Shown)), security(("token" = [])),
)]
pub(crate) async fn show(query: web::Data<Query>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("period", shown(&query, &path, &request).await)
}

async fn shown(query: &Query, path: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: ShowParams = params::read(request.query_string())?;
    let period = period(path)?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let read = desk.billing().period(&desk.asking(), period).await.map_err(|error| of_report(&error))?;
    let view = read.value.ok_or_else(|| {
        let detail =
            format!("nothing is settled in {period} and no bill of it was imported; see GET /v1/settlement/periods");
        Problem::new(Kind::NoSuchPeriod, detail)
    })?;
    let tiers = desk.billing().tiers(&desk.asking(), period).await.map_err(|error| of_report(&error))?;
    Ok(answer(&Shown { period: view, tiers, position: PositionText(read.position) }, read.position))
}
