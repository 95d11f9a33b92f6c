//! `GET /v1/licenses` and `GET /v1/licenses/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_commands::CommandError;
use chopmark_domain::access::Role;
use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::license::{self, Status, judge};
use chopmark_log::Position;
use chopmark_projector::{Cursor, Filter, Found, LookUp};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Query;
use crate::caller::Caller;
use crate::json::{self, PositionText};
use crate::license_view::{LicenseView, VerdictView};
use crate::order_view::{OrderView, orders};
use crate::params;
use crate::problem::{Kind, Problem};

/// A license with the verdict that a check would get now.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    license: LicenseView<'a>,
    seller: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_name: Option<&'a str>,
    verdict: VerdictView,
}

impl<'a> Entry<'a> {
    fn new(found: &'a Found, now: DateTime<Utc>) -> Self {
        let terms = terms(found);
        let verdict = judge(&found.license, terms, license::Question::default(), now);
        Self {
            license: LicenseView::new(&found.key.id, &found.license, terms, &verdict),
            seller: found.key.seller.as_str(),
            product_name: terms.map(|terms| terms.name.as_str()),
            verdict: VerdictView::from(&verdict),
        }
    }
}

fn terms(found: &Found) -> Option<&ProductTerms> {
    found.terms.as_deref().map(|dated| &dated.terms)
}

/// A license as `GET /v1/licenses` lists it, for those who look at the index without a server.
#[must_use]
pub fn describe(found: &Found, now: DateTime<Utc>) -> serde_json::Value {
    // Texts, numbers and times always serialise.
    serde_json::to_value(Entry::new(found, now)).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListParams {
    seller: Option<String>,
    status: Option<String>,
    product: Option<String>,
    id: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct List<'a> {
    licenses: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    position: PositionText,
}

/// Lists licenses, page by page.
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("licenses", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let asked: ListParams = params::read(request.query_string())?;
    let seller = params::given("seller", asked.seller.as_deref(), SellerId::parse)?;
    caller.must_cover(seller.as_ref())?;
    let filter = Filter {
        sellers: caller.sellers().map(<[SellerId]>::to_vec),
        seller,
        statuses: params::given("status", asked.status.as_deref(), statuses)?,
        product: params::given("product", asked.product.as_deref(), Sku::parse)?,
        id_prefix: asked.id.filter(|id| !id.is_empty()),
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
    Ok(json::response_at(&list, listing.position))
}

/// The statuses that a word means. A license begins with its purchase, so none is `pending` yet.
fn statuses(text: &str) -> Result<Vec<Status>, &'static str> {
    match text {
        "pending" => Ok(vec![]),
        "active" => Ok(vec![Status::Active]),
        "frozen" => Ok(vec![Status::Frozen]),
        "released" => Ok(vec![Status::Released]),
        _ => Err("say pending, active, frozen or released"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShowParams {
    seller: Option<String>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    orders: Vec<OrderView<'a>>,
    position: PositionText,
}

/// Shows one license with its orders.
pub(crate) async fn show(query: web::Data<Query>, id: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("license", shown(&query, &id, &request).await)
}

async fn shown(query: &Query, id: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let asked: ShowParams = params::read(request.query_string())?;
    let seller = params::given("seller", asked.seller.as_deref(), SellerId::parse)?;
    let now = query.commands.now();
    let LookUp { found, ambiguous, .. } = find(query, &caller, seller.as_ref(), id, now);
    if ambiguous {
        let detail = "several sellers have a license with this id; name one with `seller`";
        return Err(Problem::new(Kind::LicenseAmbiguous, detail));
    }
    let Some(found) = found else {
        return Err(Problem::new(Kind::NoSuchLicense, "no license of this token's sellers has this id; check it"));
    };
    let standing = query.commands.read_license(&found.key).await.map_err(|error| unreadable(&found, &error))?;
    let (position, found) = as_new_as_its_stream(query, found, now).await;
    let shown = Shown { entry: Entry::new(&found, now), orders: orders(&standing), position: PositionText(position) };
    Ok(json::response_at(&shown, position))
}

/// Finds a license among the sellers of a token. One of another seller does not exist.
fn find(query: &Query, caller: &Caller, seller: Option<&SellerId>, id: &str, now: DateTime<Utc>) -> LookUp {
    let look_up = |seller| query.index.look_up(seller, id, None, now);
    let nothing = LookUp { position: query.progress.position(), found: None, ambiguous: false };
    match (seller, caller.sellers()) {
        (Some(seller), _) if caller.covers(seller) => look_up(Some(seller)),
        (Some(_), _) => nothing,
        (None, None) => look_up(None),
        (None, Some(sellers)) => {
            let mut found = sellers.iter().map(|seller| look_up(Some(seller))).filter(|looked| looked.found.is_some());
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => LookUp { ambiguous: true, ..nothing },
                (Some(one), None) => one,
                (None, _) => nothing,
            }
        }
    }
}

/// The license again, now that its stream was read. The stream may have been ahead of the index, and what is shown of
/// both belongs together.
async fn as_new_as_its_stream(query: &Query, found: Found, now: DateTime<Utc>) -> (Position, Found) {
    if let Ok(head) = query.commands.log().head().await {
        query.wait_for(head).await;
    }
    let LookUp { position, found: again, .. } =
        query.index.look_up(Some(&found.key.seller), found.key.id.as_str(), None, now);
    (position, again.unwrap_or(found))
}

fn unreadable(found: &Found, error: &CommandError) -> Problem {
    tracing::error!(license = %found.key.id, seller = %found.key.seller, %error, "a license's stream cannot be read");
    Problem::new(Kind::Unavailable, "the event log cannot be read now; try again, and see the server's log")
}
