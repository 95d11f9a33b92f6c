//! `GET` and `POST /v1/settlement/adjustments`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::closing::Proposal;
use chopmark_billing::report::lines::Behind;
use chopmark_billing::rows::AdjustmentRow;
use chopmark_domain::access::Role;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::month::AdjustmentRecorded;
use chopmark_domain::settlement::product::Category;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::desk::{Desk, SellerParams, answer, of_report, received, tab};
use super::statements::amount;
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::Problem;
use crate::{Query, params};

/// The longest id of an adjustment, in characters.
const ID_MAX: usize = 128;
/// The longest id of the line it corrects: longer than that of any order line or product.
const LINE_ID_MAX: usize = 300;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[param(pattern = "^([0-9]{1,19})?$")]
    min_position: Option<String>,
}

/// A correction that was recorded.
#[derive(Serialize, ToSchema)]
#[schema(as = Adjustment)]
struct Shown {
    /// Names it within its period.
    id: String,
    /// The period on whose bill it is.
    #[schema(pattern = "^[0-9]{6}$", example = "202406")]
    period: String,
    /// The period that is corrected.
    #[schema(pattern = "^[0-9]{6}$", example = "202405")]
    corrects: String,
    /// The tab of the bill.
    #[schema(example = "generic")]
    category: &'static str,
    /// The line that is corrected, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_id: Option<String>,
    /// By how much; either sign.
    #[schema(value_type = String, example = "-5.00")]
    amount: Decimal,
    /// The currency.
    #[schema(value_type = String, example = "CNY")]
    currency: Currency,
    /// Why.
    note: String,
    /// The event.
    source: Behind,
}

impl From<AdjustmentRow> for Shown {
    fn from(row: AdjustmentRow) -> Self {
        let AdjustmentRecorded { id, corrects, category, line_id, amount, currency, note } = row.adjustment;
        let (period, corrects) = (row.period.to_string(), corrects.to_string());
        let (category, source) = (category.code(), Behind::from(&row.source));
        Self { id, period, corrects, category, line_id, amount, currency, note, source }
    }
}

/// Corrections of earlier bills.
#[derive(Serialize, ToSchema)]
#[schema(as = Adjustments)]
pub(crate) struct List {
    /// Those that were recorded, by period and id.
    adjustments: Vec<Shown>,
    /// Those that recomputations of closed months ask for and that are not recorded.
    proposed: Vec<Proposal>,
    position: PositionText,
}

/// Corrections that were recorded, and those that closed months ask for.
#[utoipa::path(
    get, path = "/v1/settlement/adjustments", operation_id = "listAdjustments", tag = "settlement", params(ListParams),
    responses((status = 200, description = "The corrections.", body = List)), security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("adjustments", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: ListParams = params::read(request.query_string())?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let read = desk.billing().store().adjustments(&desk.seller).await.map_err(|error| of_report(&error.into()))?;
    let proposed = desk.billing().proposals(&desk.asking(), None).await.map_err(|error| of_report(&error))?.value;
    let adjustments = read.value.into_iter().map(Shown::from).collect();
    Ok(answer(&List { adjustments, proposed, position: PositionText(read.position) }, read.position))
}

/// A correction of an earlier bill, on the bill of a period.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentRequest {
    /// The period on whose bill it is.
    #[schema(pattern = "^[0-9]{6}$", example = "202406")]
    period: String,
    /// Names it within the period: the ticket's number, for example.
    #[schema(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._:-]+$", example = "ticket-4711")]
    id: String,
    /// The period that is corrected.
    #[schema(pattern = "^[0-9]{6}$", example = "202405")]
    corrects: String,
    /// The tab of the bill; `generic` where it is absent.
    #[schema(pattern = "^(generic|selected|joint_operation|huawei_self_service)$", example = "generic")]
    category: Option<String>,
    /// The line that is corrected, where it is about one.
    #[schema(min_length = 1, max_length = 300)]
    line_id: Option<String>,
    /// By how much; either sign.
    #[schema(pattern = r"^-?[0-9]{1,16}(\.[0-9]{1,10})?$", example = "-5.00")]
    amount: String,
    /// The currency; the site's where it is absent.
    #[schema(pattern = "^[A-Z]{3}$", example = "CNY")]
    currency: Option<String>,
    /// Why.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*\S[^\x00-\x1f\x7f-\x9f]*$",
        example = "fee ratio corrected"
    )]
    note: String,
}

/// What came of a correction.
#[derive(Serialize, ToSchema)]
#[schema(as = AdjustmentTaken)]
pub(crate) struct Taken {
    /// Whether it is new; the same again changes nothing.
    recorded: bool,
    /// The settlement line that it is.
    #[schema(example = "adjustment/202406/ticket-4711")]
    line_id: String,
    position: PositionText,
}

/// Records a correction of an earlier bill. The same again changes nothing.
#[utoipa::path(
    post, path = "/v1/settlement/adjustments", operation_id = "recordAdjustment", tag = "settlement",
    params(SellerParams), request_body = AdjustmentRequest,
    responses((status = 200, description = "It is recorded.", body = Taken)), security(("token" = [])),
)]
pub(crate) async fn record(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    query.count("adjustments", recorded(&query, &request, payload).await)
}

async fn recorded(query: &Query, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (caller, seller, asked_for) = received::<AdjustmentRequest>(query, request, payload).await?;
    let desk = Desk::open(query, &caller, seller.as_deref(), None).await?;
    let (period, adjustment) = asked_for.adjustment(&desk)?;
    let line_id = format!("adjustment/{period}/{}", adjustment.id);
    let done = query.commands.record_adjustment(&desk.seller, period, adjustment, &caller.cause()).await;
    let done = done.map_err(Problem::of_command)?;
    let recorded = done.appended > 0;
    let position = desk.written(done.position).await;
    Ok(answer(&Taken { recorded, line_id, position: PositionText(position) }, position))
}

impl AdjustmentRequest {
    /// Reads it, with the period on whose bill it is; what is wrong with it is named by its member.
    pub(crate) fn adjustment(self, desk: &Desk<'_>) -> Result<(Period, AdjustmentRecorded), Problem> {
        let named = |name: &str, problem: &dyn std::fmt::Display| Problem::malformed(format!("`{name}`: {problem}"));
        let period = Period::parse(&self.period).map_err(|error| named("period", &error))?;
        let corrects = Period::parse(&self.corrects).map_err(|error| named("corrects", &error))?;
        if corrects > period {
            return Err(named("corrects", &"a bill corrects its own period or an earlier one"));
        }
        let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        if self.id.is_empty() || self.id.len() > ID_MAX || !self.id.chars().all(is_id) {
            return Err(named("id", &"1 to 128 characters of A-Za-z0-9._:-"));
        }
        let category = self.category.as_deref().map_or(Ok(Category::Generic), tab);
        let category = category.map_err(|error| named("category", &error))?;
        let is_line =
            |id: &String| !id.is_empty() && id.chars().count() <= LINE_ID_MAX && !id.contains(char::is_control);
        if self.line_id.as_ref().is_some_and(|id| !is_line(id)) {
            return Err(named("line_id", &"it is no id of a settlement line"));
        }
        let amount = amount(&self.amount).map_err(|error| named("amount", &error))?;
        if amount.is_zero() {
            return Err(named("amount", &"it corrects nothing"));
        }
        let site = desk.catalog.seller_terms_at(desk.now).map(|dated| dated.terms.site.currency());
        let currency = match &self.currency {
            Some(text) => Currency::parse(text).map_err(|error| named("currency", &error))?,
            None => site.ok_or_else(|| named("currency", &"name it, since the seller's site is not known"))?,
        };
        let note = crate::block_reason(&self.note).map_err(|error| named("note", &error))?;
        let (id, line_id) = (self.id, self.line_id);
        Ok((period, AdjustmentRecorded { id, corrects, category, line_id, amount, currency, note }))
    }
}
