//! `GET /v1/settlement/lines`, `…/periods/{period}/lines` and `…/lines/{line_id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::lines::{ExplainedLine, LinesAsked, ShownLine};
use chopmark_billing::store::{LineQuery, PeriodFilter};
use chopmark_domain::access::Role;
use chopmark_domain::ids::{OrderId, Sku};
use chopmark_domain::settlement::product::LineType;
use chopmark_domain::settlement::readiness::Blocked;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::desk::{Desk, answer, of_report, period, tab};
use super::events::{EventBehind, behind};
use super::table;
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::{Kind, Problem};
use crate::{Query, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodLinesParams {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// Only of this tab: `generic`, `selected`, `joint_operation` or `huawei_self_service`.
    #[param(pattern = "^(generic|selected|joint_operation|huawei_self_service)?$")]
    category: Option<String>,
    /// Only of this kind, e.g. `NEW` or `REFUND`.
    #[param(pattern = "^(NEW|RENEW|CHANGE|TRIAL_CONVERT|USAGE|PACKAGE|REFUND|DOWNGRADE|ADJUSTMENT|UNKNOWN)?$")]
    line_type: Option<String>,
    /// Only of this SKU.
    #[param(
        max_length = 128,
        pattern = r"^([^,\x00-\x1f\x7f-\x9f]*[^,\s\x00-\x1f\x7f-\x9f][^,\x00-\x1f\x7f-\x9f]*)?$"
    )]
    sku: Option<String>,
    /// Only of this order.
    #[param(max_length = 64, pattern = r"^([^,\x00-\x1f\x7f-\x9f]*[^,\s\x00-\x1f\x7f-\x9f][^,\x00-\x1f\x7f-\x9f]*)?$")]
    order: Option<String>,
    /// Only those that wait for this, among other things.
    #[param(
        pattern = "^(NOT_EFFECTIVE|UNPAID_CREDIT|SUPERVISION_OPEN|SELLER_NOT_CERTIFIED|GUARANTEE_OPEN|FACTS_MISSING|RUN_NOT_REACHED)?$"
    )]
    blocked: Option<String>,
    /// `true`: only lines of closed months that would be others now.
    #[param(value_type = Option<bool>)]
    recomputed: Option<String>,
    /// `true`: only those whose amount cannot be said.
    #[param(value_type = Option<bool>)]
    not_computed: Option<String>,
    /// `true`: only those that rest on an estimate; `false`: only others.
    #[param(value_type = Option<bool>)]
    estimated: Option<String>,
    /// Entries of a page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^([0-9a-f]{2})*$")]
    cursor: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[param(pattern = "^([0-9]{1,19})?$")]
    min_position: Option<String>,
    /// `json`, `csv` or `xlsx`; without it what `Accept` asks for. A table has all lines, whatever the limit. It comes as
    /// it is read: lines of `Chopmark-Position` at least, and some newer ones; none comes twice.
    #[param(pattern = "^(json|csv|xlsx)?$")]
    format: Option<String>,
}

/// Read apart from the others, see [`period_filter`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct LinesParams {
    /// Only of this period; `none`: only those of which it cannot be said when they are settled.
    #[param(pattern = "^([0-9]{6}|none)?$")]
    period: Option<String>,
}

/// A page of lines.
#[derive(Serialize, ToSchema)]
#[schema(as = SettlementLines)]
pub(crate) struct List {
    /// In the order of their ids.
    lines: Vec<ShownLine>,
    /// Where the next page begins; absent on the last. A page that searches may be short, or empty, and not the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    position: PositionText,
}

/// Lines of any period, page by page, or all of them as a table.
#[utoipa::path(
    get, path = "/v1/settlement/lines", operation_id = "listLines", tag = "settlement",
    params(LinesParams, PeriodLinesParams),
    responses((status = 200, description = "A page of lines.", content(
        (List = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ))),
    security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("lines", listed(&query, None, &request).await)
}

/// Lines of a period, page by page, or all of them as a table.
#[utoipa::path(
    get, path = "/v1/settlement/periods/{period}/lines", operation_id = "listPeriodLines", tag = "settlement",
    params(("period" = String, Path, description = "Year and month.", example = "202405", pattern = "^[0-9]{6}$"),
        PeriodLinesParams),
    responses((status = 200, description = "A page of lines.", content(
        (List = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ))),
    security(("token" = [])),
)]
pub(crate) async fn of_period(query: web::Data<Query>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("lines", listed(&query, Some(&path), &request).await)
}

async fn listed(query: &Query, path: Option<&str>, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let (filter, rest) = match path {
        Some(path) => (PeriodFilter::In(period(path)?), request.query_string().to_owned()),
        None => period_filter(request.query_string())?,
    };
    let asked: PeriodLinesParams = params::read(&rest)?;
    let format = table::format(request, asked.format.as_deref())?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let asked = lines_asked(&desk, filter, &asked)?;
    let asking = desk.asking();
    if let Some(format) = format {
        let of = match filter {
            PeriodFilter::In(period) => format!("-{period}"),
            _ => String::new(),
        };
        let name = format!("lines-{}{of}", desk.seller);
        let export = desk.billing().export_lines(&asking, asked, format).await.map_err(|error| of_report(&error))?;
        return Ok(table::stream_lines(export, format, &name));
    }
    let read = desk.billing().lines(&asking, &asked).await.map_err(|error| of_report(&error))?;
    let next_cursor = read.value.next.map(hex::encode);
    Ok(answer(&List { lines: read.value.lines, next_cursor, position: PositionText(read.position) }, read.position))
}

/// Takes the period out of a query string.
fn period_filter(query: &str) -> Result<(PeriodFilter, String), Problem> {
    let is_period = |pair: &&str| pair.split('=').next() == Some("period");
    let (periods, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_period);
    let filter = match periods.as_slice() {
        [] => None,
        [pair] => pair.split_once('=').map(|(_, value)| value).filter(|value| !value.is_empty()),
        _ => return Err(Problem::malformed("parameter `period`: name it once")),
    };
    let filter = match filter {
        None => PeriodFilter::Any,
        Some("none") => PeriodFilter::None,
        Some(text) => PeriodFilter::In(period(text)?),
    };
    Ok((filter, rest.join("&")))
}

/// The lines that a query string asks for, as the path of lines takes it.
pub(crate) fn asked_by(desk: &Desk<'_>, query: &str) -> Result<LinesAsked, Problem> {
    let (filter, rest) = period_filter(query)?;
    lines_asked(desk, filter, &params::read(&rest)?)
}

fn lines_asked(desk: &Desk<'_>, period: PeriodFilter, asked: &PeriodLinesParams) -> Result<LinesAsked, Problem> {
    let line_type = |code: &str| {
        let text: StrDeserializer<'_, ValueError> = code.into_deserializer();
        LineType::deserialize(text).map_err(|_| "it is no kind of line; say NEW, RENEW or REFUND for example")
    };
    let reason = |code: &str| Blocked::from_code(code).ok_or("it is no reason that a line waits for");
    let query = LineQuery {
        period,
        category: params::given("category", asked.category.as_deref(), tab)?,
        line_type: params::given("line_type", asked.line_type.as_deref(), line_type)?,
        sku: params::given("sku", asked.sku.as_deref(), Sku::parse)?,
        order_id: params::given("order", asked.order.as_deref(), OrderId::parse)?,
        recomputed: params::flag("recomputed", asked.recomputed.as_deref())?.unwrap_or_default(),
        not_computed: params::flag("not_computed", asked.not_computed.as_deref())?.unwrap_or_default(),
        estimated: params::flag("estimated", asked.estimated.as_deref())?,
        after: params::given("cursor", asked.cursor.as_deref(), cursor)?,
        ..LineQuery::every(desk.seller.clone(), params::limit(asked.limit.as_deref())?)
    };
    Ok(LinesAsked { query, blocked: params::given("blocked", asked.blocked.as_deref(), reason)? })
}

/// A cursor is the id of the line before, in hexadecimal: no id needs escaping so.
fn cursor(text: &str) -> Result<String, &'static str> {
    let bytes = hex::decode(text).map_err(|_| "not a cursor of this list; begin again without one")?;
    let line_id = String::from_utf8(bytes).map_err(|_| "not a cursor of this list; begin again without one")?;
    if line_id.contains('\0') { Err("not a cursor of this list; begin again without one") } else { Ok(line_id) }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowParams {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[param(pattern = "^([0-9]{1,19})?$")]
    min_position: Option<String>,
}

/// One line with everything behind it.
#[derive(Serialize, ToSchema)]
#[schema(as = SettlementLineShown)]
pub(crate) struct Shown {
    #[serde(flatten)]
    line: ExplainedLine,
    /// The events that it is known from, with what is behind each: the signed bytes, the API's answer, the row.
    events: Vec<EventBehind>,
    position: PositionText,
}

/// One line: how its amount came to be, and the events behind it with their signed bytes.
#[utoipa::path(
    get, path = "/v1/settlement/lines/{line_id}", operation_id = "showLine", tag = "settlement",
    params(("line_id" = String, Path, description = "Its id; a `/` in it may stand as it is, or as `%2F`.",
        example = "CS1906666666ABCDE-000001"), ShowParams),
    responses((status = 200, description = "The line.", body = Shown)), security(("token" = [])),
)]
pub(crate) async fn show(query: web::Data<Query>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("line", shown(&query, &path, &request).await)
}

async fn shown(query: &Query, line_id: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: ShowParams = params::read(request.query_string())?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let none = || Problem::new(Kind::NoSuchLine, "no settlement line of this seller has this id; check it");
    if line_id.contains('\0') {
        return Err(none());
    }
    let read = desk.billing().line(&desk.asking(), line_id).await.map_err(|error| of_report(&error))?;
    let line = read.value.ok_or_else(none)?;
    let events = behind(query, &line.shown.sources).await?;
    Ok(answer(&Shown { line, events, position: PositionText(read.position) }, read.position))
}
