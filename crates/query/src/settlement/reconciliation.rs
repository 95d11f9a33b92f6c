//! `GET /v1/settlement/reconciliation/{period}` and its judgements.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_billing::report::export::pairs_table;
use chopmark_billing::report::reconciliation::{
    BillCompared, Reconciled, ReconciliationAsked, ShownPair, UsageHours, WithoutBill,
};
use chopmark_domain::access::Role;
use chopmark_domain::settlement::bill::BillIdentity;
use chopmark_domain::settlement::calendar::Period;
use chopmark_domain::settlement::money::Currency;
use chopmark_domain::settlement::product::Category;
use chopmark_domain::settlement::reconciliation::Tolerance;
use chopmark_domain::settlement::reconciliation::judgement::Judgement;
use chopmark_domain::settlement::reconciliation::key::Key;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::desk::{Desk, SellerParams, answer, of_report, period, tab};
use super::table;
use crate::caller::Caller;
use crate::json::PositionText;
use crate::problem::{Kind, Problem};
use crate::{Query, body, params};

/// The largest tolerance, for each line: whoever calls more than this rounding calls everything so.
const TOLERANCE_MAX: Decimal = Decimal::ONE;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Whose; may be left out where the token reaches one seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// Only the bill of this tab: `generic`, `selected`, `joint_operation` or `huawei_self_service`.
    #[param(pattern = "^(generic|selected|joint_operation|huawei_self_service)?$")]
    category: Option<String>,
    /// How much a row may differ from its line and still match, for each line; from 0 to 1, 0.005 where it is absent.
    #[param(pattern = r"^(0(\.[0-9]{1,6})?|1)?$")]
    tolerance: Option<String>,
    /// `true`: leave out what matches.
    #[param(value_type = Option<bool>)]
    differences: Option<String>,
    /// Entries of a page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^([0-9]{1,9})?$")]
    cursor: Option<String>,
    /// The position of an earlier answer that this one must not be older than.
    #[param(pattern = "^([0-9]{1,19})?$")]
    min_position: Option<String>,
    /// `json`, `csv` or `xlsx`; without it what `Accept` asks for. A table has all pairs, whatever the limit.
    #[param(pattern = "^(json|csv|xlsx)?$")]
    format: Option<String>,
}

/// The bills of a period against its lines.
#[derive(Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub(crate) struct Shown {
    /// The period.
    #[schema(pattern = "^[0-9]{6}$", example = "202405")]
    period: String,
    /// Each imported bill with its totals; empty while none is imported.
    bills: Vec<BillCompared>,
    /// Tabs with lines and without a bill: import it.
    without_bill: Vec<WithoutBill>,
    /// Image hours seen against hours billed.
    hours: Vec<UsageHours>,
    /// Lines and rows that belong together: differences first, the most money at stake first.
    pairs: Vec<ShownPair>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    position: PositionText,
}

/// The imported bills of a period against the lines expected on them: what differs, probably why, and the events behind.
#[utoipa::path(
    get, path = "/v1/settlement/reconciliation/{period}", operation_id = "showReconciliation", tag = "settlement",
    params(("period" = String, Path, description = "Year and month.", example = "202405", pattern = "^[0-9]{6}$"), Params),
    responses((status = 200, description = "The comparison.", content(
        (Shown = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ))),
    security(("token" = [])),
)]
pub(crate) async fn show(query: web::Data<Query>, path: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("reconciliation", shown(&query, &path, &request).await)
}

async fn shown(query: &Query, path: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: Params = params::read(request.query_string())?;
    let period = period(path)?;
    let category = params::given("category", asked.category.as_deref(), tab)?;
    let tolerance = params::given("tolerance", asked.tolerance.as_deref(), tolerance)?.unwrap_or_default();
    let differences = params::flag("differences", asked.differences.as_deref())?.unwrap_or_default();
    let limit = params::limit(asked.limit.as_deref())?;
    let from = params::given("cursor", asked.cursor.as_deref(), cursor)?.unwrap_or_default();
    let format = table::format(request, asked.format.as_deref())?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), asked.min_position.as_deref()).await?;
    let _place = desk.place().await?;
    let asked = ReconciliationAsked { period, category, tolerance };
    let reconciled = desk.billing().reconciliation(&desk.asking(), asked).await.map_err(|error| of_report(&error))?;
    let position = reconciled.position;
    if let Some(format) = format {
        let pairs = reconciled.page(0, usize::MAX, differences).pairs;
        let name = format!("reconciliation-{}-{period}", desk.seller);
        return table::answer(pairs_table(&pairs), format, &name, position, desk.now).await;
    }
    let page = reconciled.page(from, limit, differences);
    let shown = Shown {
        period: period.to_string(),
        bills: reconciled.bills(),
        pairs: page.pairs,
        next_cursor: page.next.map(|next| next.to_string()),
        without_bill: reconciled.without_bill,
        hours: reconciled.hours,
        position: PositionText(position),
    };
    Ok(answer(&shown, position))
}

fn cursor(text: &str) -> Result<usize, &'static str> {
    let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    let place = digits.then(|| text.parse().ok()).flatten();
    place.ok_or("not a cursor of this list; begin again without one")
}

fn tolerance(text: &str) -> Result<Tolerance, &'static str> {
    let per_line: Option<Decimal> = text.parse().ok();
    let per_line = per_line.filter(|amount| (Decimal::ZERO..=TOLERANCE_MAX).contains(amount));
    per_line.map(|per_line| Tolerance { per_line }).ok_or("give an amount from 0 to 1, like 0.005")
}

/// What lines and rows have in common, as the reconciliation names it.
#[derive(Deserialize, ToSchema)]
#[schema(as = PairKey)]
#[serde(deny_unknown_fields)]
struct KeyRequest {
    /// `line`, `refund_of`, `usage`, `adjustment`, `order` or `unnamed`.
    #[schema(pattern = "^(line|refund_of|usage|adjustment|order|unnamed)$", example = "line")]
    by: String,
    /// Of which order line, order or product.
    #[schema(max_length = 200, example = "CS1-000001")]
    id: String,
}

impl KeyRequest {
    fn key(self) -> Result<Key, Problem> {
        let Self { by, id } = self;
        Ok(match by.as_str() {
            "line" => Key::Line(id),
            "refund_of" => Key::RefundOf(id),
            "usage" => Key::Usage(id),
            "adjustment" => Key::Adjustment(id),
            "order" => Key::Order(id),
            "unnamed" => Key::Unnamed(id),
            _ => return Err(Problem::malformed("`key`: copy it from the reconciliation")),
        })
    }
}

/// What somebody makes of a difference.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgementRequest {
    /// The tab of the bill.
    #[schema(pattern = "^(generic|selected|joint_operation|huawei_self_service)$", example = "generic")]
    category: String,
    /// Which pair.
    key: KeyRequest,
    /// Its currency.
    #[schema(pattern = "^[A-Z]{3}$", example = "CNY")]
    currency: String,
    /// `ACCEPTED`: the bill is right, or not worth a ticket. `DISPUTED`: it is wrong, and a ticket was opened.
    #[schema(pattern = "^(ACCEPTED|DISPUTED)$", example = "DISPUTED")]
    judgement: String,
    /// Why, and the ticket's number.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*\S[^\x00-\x1f\x7f-\x9f]*$",
        example = "ticket 4711"
    )]
    note: String,
    /// The money at stake as it was seen. If it is another by now, nothing is recorded.
    #[schema(pattern = r"^-?[0-9]{1,16}(\.[0-9]{1,28})?$", example = "-5.00")]
    difference: Option<String>,
}

/// A pair as it was judged.
#[derive(Serialize, ToSchema)]
#[schema(as = Judged)]
pub(crate) struct JudgedShown {
    /// `ACCEPTED` or `DISPUTED`.
    #[schema(value_type = String, example = "DISPUTED")]
    judgement: Judgement,
    /// The outcome that was judged; the judgement stands as long as it stays the same.
    #[schema(example = "AMOUNT_DIFFERS")]
    outcome: &'static str,
    /// The money at stake.
    #[schema(example = "-5.00")]
    difference: String,
    position: PositionText,
}

/// Accepts or disputes a difference, with a note. The last judgement on a pair holds as long as its outcome is the same.
#[utoipa::path(
    post, path = "/v1/settlement/reconciliation/{period}/judgements", operation_id = "judgeDifference",
    tag = "settlement",
    params(("period" = String, Path, description = "Year and month.", example = "202405", pattern = "^[0-9]{6}$"),
        SellerParams),
    request_body = JudgementRequest,
    responses((status = 200, description = "What was recorded.", body = JudgedShown)), security(("token" = [])),
)]
pub(crate) async fn judge(
    query: web::Data<Query>,
    path: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    query.count("reconciliation", judged(&query, &path, &request, payload).await)
}

async fn judged(
    query: &Query,
    path: &str,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Finance)?;
    let asked: SellerParams = params::read(request.query_string())?;
    let period = period(path)?;
    let sent = body::read(payload, query.body_bytes).await?;
    let desk = Desk::open(query, &caller, asked.seller.as_deref(), None).await?;
    let shown = record_judgement(query, &desk, period, params::object(&sent)?).await?;
    let position = shown.position.0;
    Ok(answer(&shown, position))
}

/// Records what somebody makes of a difference of a period's bill.
pub(crate) async fn record_judgement(
    query: &Query,
    desk: &Desk<'_>,
    period: Period,
    wanted: JudgementRequest,
) -> Result<JudgedShown, Problem> {
    let JudgementRequest { category, key, currency, judgement, note, difference } = wanted;
    let named = |name: &str, problem: &dyn std::fmt::Display| Problem::malformed(format!("`{name}`: {problem}"));
    let category = tab(&category).map_err(|error| named("category", &error))?;
    let key = key.key()?;
    let currency = Currency::parse(&currency).map_err(|error| named("currency", &error))?;
    let judgement = match judgement.as_str() {
        "ACCEPTED" => Judgement::Accepted,
        "DISPUTED" => Judgement::Disputed,
        _ => return Err(named("judgement", &"say ACCEPTED or DISPUTED")),
    };
    let note = crate::block_reason(&note).map_err(|error| named("note", &error))?;
    let seen = difference.map(|text| text.parse::<Decimal>().map_err(|_| named("difference", &"it is no amount")));
    let seen = seen.transpose()?;
    let place = desk.place().await?;
    let asked = ReconciliationAsked { period, category: Some(category), tolerance: Tolerance::default() };
    let reconciled = desk.billing().reconciliation(&desk.asking(), asked).await.map_err(|error| of_report(&error))?;
    let pair = pair(&reconciled, category, &key, currency)?;
    if seen.is_some_and(|seen| seen != pair.outcome.at_stake()) {
        let detail = "the difference is another by now: look at the reconciliation again, then judge what it shows";
        return Err(Problem::new(Kind::DifferenceChanged, detail));
    }
    let judged = pair.judge(judgement, &note);
    let (outcome, difference) = (pair.outcome.code(), pair.outcome.at_stake().to_string());
    drop((reconciled, place));
    let identity = BillIdentity { seller: desk.seller.clone(), category, period };
    let done = query.commands.judge_difference(&identity, judged, &desk.caller.cause()).await;
    let position = desk.written(done.map_err(Problem::of_command)?.position).await;
    Ok(JudgedShown { judgement, outcome, difference, position: PositionText(position) })
}

fn pair<'r>(
    reconciled: &'r Reconciled,
    category: Category,
    key: &Key,
    currency: Currency,
) -> Result<&'r chopmark_domain::settlement::reconciliation::Pair, Problem> {
    reconciled.pair(category, key, currency).ok_or_else(|| {
        let detail = "no pair of that tab's bill has this key and currency; copy them from the reconciliation";
        Problem::new(Kind::NoSuchDifference, detail)
    })
}
