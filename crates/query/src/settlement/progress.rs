//! `POST /v1/settlement/bills/{category}/{period}/progress`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::bill::event::BillProgressed;
use chopmark_domain::settlement::line::bill_state::BillState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::desk::{Desk, SellerParams, answer, period, tab};
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::Problem;
use crate::{Query, body, params};

/// How far a bill is, as the console shows it. What is left out stays as it was.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgressRequest {
    /// Its state: a code, or as the Chinese console calls it.
    #[schema(example = "PAID")]
    state: Option<String>,
    /// The payment request, which also stands on the bank's statement; several bills may share one.
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "SF20240601")]
    payment_request_no: Option<String>,
    /// The invoice.
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    invoice_no: Option<String>,
}

/// How far a bill is.
#[derive(Serialize, ToSchema)]
#[schema(as = BillProgress)]
pub(crate) struct Shown {
    /// Its state; absent while nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "PAID")]
    state: Option<BillState>,
    /// The payment request.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_request_no: Option<String>,
    /// The invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_no: Option<String>,
    position: PositionText,
}

/// Records how far a bill is, as an operator read it on the console.
#[utoipa::path(
    post, path = "/v1/settlement/bills/{category}/{period}/progress", operation_id = "progressBill", tag = "settlement",
    params(
        ("category" = String, Path, description = "The tab.", example = "generic",
            pattern = "^(generic|selected|joint_operation|huawei_self_service)$"),
        ("period" = String, Path, description = "Year and month.", example = "202405", pattern = "^[0-9]{6}$"),
        SellerParams),
    request_body = ProgressRequest,
    responses((status = 200, description = "How far it is.", body = Shown)), security(("token" = [])),
)]
pub(crate) async fn record(
    query: web::Data<Query>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    query.count("bills", recorded(&query, &path, &request, payload).await)
}

async fn recorded(
    query: &Query,
    (code, month): &(String, String),
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: SellerParams = params::read(request.query_string())?;
    let category = tab(code).map_err(|error| Problem::malformed(format!("the path: {error}")))?;
    let period = period(month)?;
    let sent = body::read(payload, query.body_bytes).await?;
    let ProgressRequest { state, payment_request_no, invoice_no } = params::object(&sent)?;
    let progress = BillProgressed {
        state: state.map(|text| bill_state(&text)).transpose()?,
        payment_request_no: number("payment_request_no", payment_request_no)?,
        invoice_no: number("invoice_no", invoice_no)?,
    };
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), None).await?;
    let identity = BillIdentity { seller: desk.seller.clone(), category, period };
    let done = query.commands.progress_bill(&identity, progress, &caller.cause()).await.map_err(Problem::of_command)?;
    let position = desk.written(done.position).await;
    let BillProgressed { state, payment_request_no, invoice_no } = done.state.progress;
    Ok(answer(&Shown { state, payment_request_no, invoice_no, position: PositionText(position) }, position))
}

fn bill_state(text: &str) -> Result<BillState, Problem> {
    let by_code = serde_json::from_value(serde_json::Value::from(text)).ok();
    by_code
        .or_else(|| BillState::from_label(text))
        .ok_or_else(|| Problem::malformed("`state`: say a state like PENDING_APPROVAL, PAYMENT_PROCESSING or PAID"))
}

/// A number of a document: at most 200 characters in one line; nothing says nothing.
fn number(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > 200 || text.contains(char::is_control) {
        return Err(Problem::malformed(format!("`{name}`: at most 200 characters in one line")));
    }
    Ok(Some(text))
}
