//! `POST /v1/settlement/transactions`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::file::{TransactionsFile, TransactionsPreview};
use chopmark_domain::access::Role;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::desk::{Desk, answer};
use super::upload::{self, cause, of_upload, refused};
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::Problem;
use crate::{Query, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
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

/// A file of transaction details as it was read, and whether it was taken up.
#[derive(Serialize, ToSchema)]
#[schema(as = TransactionsImport)]
pub(crate) struct Imported {
    #[serde(flatten)]
    preview: TransactionsPreview,
    /// Whether these very bytes were taken up before.
    taken_up_before: bool,
    /// Whether it is taken up: now, or before.
    committed: bool,
    position: PositionText,
}

/// Looks at a file of transaction details (交易明细), CSV or XLSX, and with `commit=true` takes up what it states. The
/// same file again changes nothing.
#[utoipa::path(
    post, path = "/v1/settlement/transactions", operation_id = "importTransactions", tag = "settlement", params(Params),
    request_body(content((String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "The file."),
    responses((status = 200, description = "What it says.", body = Imported)), security(("token" = [])),
)]
pub(crate) async fn import(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    query.count("transactions", imported(&query, &request, payload).await)
}

async fn imported(query: &Query, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: Params = params::read(request.query_string())?;
    let commit = params::flag("commit", asked.commit.as_deref())?.unwrap_or_default();
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), None).await?;
    let _place = desk.place().await?;
    let upload = upload::read(payload, asked.file_name.as_deref(), asked.mapping.as_deref()).await?;
    let looked = desk.billing().look_at_transactions(&desk.asking(), upload).await;
    let TransactionsFile { preview, import } = looked.map_err(|error| of_upload(&error))?;
    let before = query.commands.has_transactions(&desk.seller, &preview.file.sha256).await;
    let taken_up_before = before.map_err(Problem::of_command)?;
    if !commit {
        let position = desk.billing().progress().position();
        let imported = Imported { preview, taken_up_before, committed: false, position: PositionText(position) };
        return Ok(answer(&imported, position));
    }
    let (file, rows) = import.ok_or_else(|| refused(&preview.problems, preview.more_problems))?;
    let cause = cause(&desk, &file.file_name, &file.sha256);
    let done = query.commands.import_transactions(&desk.seller, file, &rows, &cause).await;
    let position = desk.written(done.map_err(Problem::of_command)?.position).await;
    Ok(answer(&Imported { preview, taken_up_before, committed: true, position: PositionText(position) }, position))
}
