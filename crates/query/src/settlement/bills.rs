//! `GET` and `POST /v1/settlement/bills`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::file::{BillFile, BillPreview};
use chopmark_billing::rows::BillHead;
use chopmark_domain::access::Role;
use chopmark_domain::settlement::bill::event::BillImported;
use chopmark_domain::settlement::bill::{BillIdentity, BillRow};
use chopmark_domain::settlement::calendar::Period;
use chopmark_log::Position;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::desk::{Desk, answer, of_report, tab};
use super::upload::{self, cause, of_upload, refused};
use crate::caller::Caller;
use crate::json::{ExactTime, PositionText};
use crate::problem::Problem;
use crate::{Query, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// Only of this period.
    #[param(pattern = "^([0-9]{6})?$")]
    period: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[param(pattern = "^([0-9]{1,19})?$")]
    min_position: Option<String>,
}

/// A bill that was imported.
#[derive(Serialize, ToSchema)]
#[schema(as = Bill)]
struct Shown {
    /// The period.
    #[schema(pattern = "^[0-9]{6}$", example = "202405")]
    period: String,
    /// The tab.
    #[schema(example = "generic")]
    category: &'static str,
    /// Counts its imports, from 1.
    revision: u32,
    /// The name of the last file.
    file_name: String,
    /// SHA-256 of that file, hexadecimal.
    sha256: String,
    /// The mapping by which it was read.
    mapping: String,
    /// When it was imported.
    imported_at: ExactTime,
    /// Its rows.
    rows: u32,
    /// What they come to, by currency.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    totals: serde_json::Value,
    /// How many of its differences were judged.
    judgements: usize,
    /// How far it is: `state`, `payment_request_no` and `invoice_no`, as far as an operator said.
    #[schema(value_type = Object)]
    progress: serde_json::Value,
}

impl From<BillHead> for Shown {
    fn from(head: BillHead) -> Self {
        let totals = head.totals.iter().map(|(currency, total)| (currency.to_string(), total.to_string().into()));
        Self {
            period: head.identity.period.to_string(),
            category: head.identity.category.code(),
            revision: head.imported.revision,
            file_name: head.imported.file_name,
            sha256: head.imported.sha256,
            mapping: head.imported.mapping.name,
            imported_at: ExactTime(head.imported_at),
            rows: head.imported.rows,
            totals: serde_json::Value::Object(totals.collect()),
            judgements: head.judgements.len(),
            progress: serde_json::to_value(&head.progress).unwrap_or_default(),
        }
    }
}

/// Bills that were imported.
#[derive(Serialize, ToSchema)]
#[schema(as = Bills)]
pub(crate) struct List {
    /// By period and tab.
    bills: Vec<Shown>,
    position: PositionText,
}

/// Bills that were imported.
#[utoipa::path(
    get, path = "/v1/settlement/bills", operation_id = "listBills", tag = "settlement", params(ListParams),
    responses((status = 200, description = "The bills.", body = List)), security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("bills", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: ListParams = params::read(request.query_string())?;
    let period = params::given("period", asked.period.as_deref(), Period::parse)?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let read = desk.billing().store().bills(&desk.seller, period).await.map_err(|error| of_report(&error.into()))?;
    let bills = read.value.into_iter().map(Shown::from).collect();
    Ok(answer(&List { bills, position: PositionText(read.position) }, read.position))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParams {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// The tab of the console: `generic`, `selected`, `joint_operation` or `huawei_self_service`.
    #[param(value_type = String, pattern = "^(generic|selected|joint_operation|huawei_self_service)$")]
    category: Option<String>,
    /// The period, which is also the bill's id on the console.
    #[param(value_type = String, pattern = "^[0-9]{6}$", example = "202405")]
    period: Option<String>,
    /// The file's name, for people.
    #[param(max_length = 200)]
    file_name: Option<String>,
    /// The name of the mapping to read it by; without it the one that fits best.
    #[param(max_length = 64)]
    mapping: Option<String>,
    /// `true`: take it up. Without it nothing changes.
    #[param(value_type = Option<bool>)]
    commit: Option<String>,
}

/// A bill's file as it was read, what it changes, and whether it was taken up.
#[derive(Serialize, ToSchema)]
#[schema(as = BillImport)]
pub(crate) struct Imported {
    #[serde(flatten)]
    preview: BillPreview,
    /// Whether it is taken up: now, or before with the same rows.
    committed: bool,
    position: PositionText,
}

/// Looks at a bill's file, CSV or XLSX, as the bill of a tab and a period, and with `commit=true` takes it up. The same
/// file again changes nothing; another one is a new revision.
#[utoipa::path(
    post, path = "/v1/settlement/bills", operation_id = "importBill", tag = "settlement", params(ImportParams),
    request_body(content((String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "The file."),
    responses((status = 200, description = "What it says and changes.", body = Imported)), security(("token" = [])),
)]
pub(crate) async fn import(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    query.count("bills", imported(&query, &request, payload).await)
}

/// Takes a bill's file up, and gives the position from which on reports have it.
pub(crate) async fn take_up(
    query: &Query,
    desk: &Desk<'_>,
    preview: &BillPreview,
    import: Option<(BillImported, Vec<BillRow>)>,
) -> Result<Position, Problem> {
    let (bill, rows) = import.ok_or_else(|| refused(&preview.problems, preview.more_problems))?;
    let identity = BillIdentity { seller: desk.seller.clone(), category: preview.category, period: preview.period };
    let cause = cause(desk, &bill.file_name, &bill.sha256);
    let done = query.commands.import_bill(&identity, bill, &rows, &cause).await.map_err(Problem::of_command)?;
    Ok(desk.written(done.position).await)
}

async fn imported(query: &Query, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: ImportParams = params::read(request.query_string())?;
    let category = params::given("category", asked.category.as_deref(), tab)?;
    let category = category.ok_or_else(|| Problem::malformed("parameter `category`: name the tab, e.g. generic"))?;
    let period = params::given("period", asked.period.as_deref(), Period::parse)?;
    let period = period.ok_or_else(|| Problem::malformed("parameter `period`: name the period, e.g. 202405"))?;
    let commit = params::flag("commit", asked.commit.as_deref())?.unwrap_or_default();
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), None).await?;
    let _place = desk.place().await?;
    let upload = upload::read(payload, asked.file_name.as_deref(), asked.mapping.as_deref()).await?;
    let looked = desk.billing().look_at_bill(&desk.asking(), category, period, upload).await;
    let BillFile { preview, import } = looked.map_err(|error| of_upload(&error))?;
    if !commit {
        let position = desk.billing().progress().position();
        return Ok(answer(&Imported { preview, committed: false, position: PositionText(position) }, position));
    }
    let position = take_up(query, &desk, &preview, import).await?;
    Ok(answer(&Imported { preview, committed: true, position: PositionText(position) }, position))
}
