//! `GET /v1/licenses`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::license::Shown;
use chopmark_projector::{Cursor, Filter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Entry;
use crate::caller::Caller;
use crate::json::{self, PositionText, Written};
use crate::problem::{Kind, Problem};
use crate::{Query, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only of this seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// Only with this status.
    #[param(schema_with = crate::openapi::statuses, required = false)]
    status: Option<String>,
    /// Only of this SKU.
    #[param(
        max_length = 128,
        pattern = r"^([^,\x00-\x1f\x7f-\x9f]*[^,\s\x00-\x1f\x7f-\x9f][^,\x00-\x1f\x7f-\x9f]*)?$"
    )]
    product: Option<String>,
    /// Only ids that begin so.
    id: Option<String>,
    /// `true`: only those that an operator stopped; `false`: only others.
    #[param(value_type = Option<bool>)]
    blocked: Option<String>,
    /// `true`: only deployments whose ECS id two systems used in turn within the last 24 hours.
    #[param(value_type = Option<bool>)]
    clone_suspected: Option<String>,
    /// Entries of a page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^l(0|[1-9a-f][0-9a-f]{0,7})$")]
    cursor: Option<String>,
}

/// A page of licenses.
#[derive(Serialize, ToSchema)]
#[schema(as = LicenseList)]
pub(crate) struct List<'a> {
    /// In the order in which they began.
    licenses: Vec<Entry<'a>>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    position: PositionText,
}

/// Licenses, page by page.
#[utoipa::path(
    get, path = "/v1/licenses", operation_id = "listLicenses", tag = "licenses", params(ListParams),
    responses((status = 200, description = "A page of licenses.", body = List<'_>)), security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("licenses", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let (body, position) = written(query, &caller, request.query_string()).await?;
    Ok(json::written_at(body, position))
}

/// A page of licenses as the parameters of a query string ask for it.
pub(crate) async fn written(query: &Query, caller: &Caller, asked: &str) -> Result<Written, Problem> {
    let asked: ListParams = params::read(asked)?;
    let seller = params::given("seller", asked.seller.as_deref(), SellerId::parse)?;
    caller.must_cover(seller.as_ref())?;
    let filter = Filter {
        sellers: caller.sellers().map(<[SellerId]>::to_vec),
        seller,
        statuses: params::given("status", asked.status.as_deref(), status)?.map(|status| vec![status]),
        product: params::given("product", asked.product.as_deref(), Sku::parse)?,
        id_prefix: asked.id.filter(|id| !id.is_empty()),
        blocked: params::flag("blocked", asked.blocked.as_deref())?,
        clone_suspected: params::flag("clone_suspected", asked.clone_suspected.as_deref())?.unwrap_or_default(),
    };
    let cursor = params::given("cursor", asked.cursor.as_deref(), Cursor::parse)?;
    let limit = params::limit(asked.limit.as_deref())?;
    let now = query.commands.now();
    // A search for something rare looks at every license; checks on this worker must not wait for it.
    let index = query.index.clone();
    let listing = web::block(move || index.list(&filter, cursor.as_ref(), limit, now)).await.map_err(|error| {
        tracing::error!(%error, "a listing was not finished");
        Problem::new(Kind::Unavailable, "the listing was not finished; try again")
    })?;
    let list = List {
        licenses: listing.licenses.iter().map(|found| Entry::new(found, now)).collect(),
        next_cursor: listing.next.map(|cursor| cursor.to_string()),
        position: PositionText(listing.position),
    };
    Ok((json::to_bytes(&list), listing.position))
}

fn status(text: &str) -> Result<Shown, &'static str> {
    match text {
        "pending" => Ok(Shown::Pending),
        "active" => Ok(Shown::Active),
        "frozen" => Ok(Shown::Frozen),
        "released" => Ok(Shown::Released),
        _ => Err("say pending, active, frozen or released"),
    }
}
