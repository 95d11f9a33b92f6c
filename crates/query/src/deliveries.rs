//! `GET /v1/deliveries`: what the marketplace delivered to this node, what it was answered, and what is at risk.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chopmark_domain::at_risk::{ErrandAtRisk, OrderAtRisk};
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::Errand;
use chopmark_journal::{AtRisk, Delivery, Filter, Journal, JournalError, RETRY_WINDOW};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::json::{self, PositionText, Time, Written};
use crate::problem::{Kind, Problem};
use crate::{Query, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Only of this seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// Only answered with this result code.
    #[param(example = "000005")]
    result: Option<String>,
    /// Only this activity.
    #[param(example = "newInstance")]
    activity: Option<String>,
    /// Only about this instance or license code.
    subject: Option<String>,
    /// Only of this order.
    order: Option<String>,
    /// `true`: only test traffic; `false`: only other.
    #[param(value_type = Option<bool>)]
    test: Option<String>,
    /// `true`: only with a good signature; `false`: only without.
    #[param(value_type = Option<bool>)]
    authenticated: Option<String>,
    /// Entries of a page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// A page of deliveries, and what is at risk.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryList)]
pub(crate) struct Answer<'a> {
    /// Newest first.
    deliveries: Vec<DeliveryView<'a>>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// What a customer may have paid for and not got.
    at_risk: Vec<Risk<'a>>,
    /// Whether callbacks are taken here, and so are remembered. Where they are not, `deliveries` is empty whatever was
    /// delivered elsewhere, and so is what they would put at risk.
    journal: bool,
    counters: Counters,
    position: PositionText,
}

/// Since the start of the process.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryCounters)]
struct Counters {
    /// Deliveries that the journal had no room for. They were answered all the same.
    dropped: u64,
}

/// What the marketplace delivered to this node, newest first, and what is at risk.
#[utoipa::path(
    get, path = "/v1/deliveries", operation_id = "listDeliveries", tag = "deliveries", params(Params),
    responses((status = 200, description = "A page of deliveries.", body = Answer<'_>)), security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("deliveries", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let (body, position) = written(query, &caller, request.query_string()).await?;
    Ok(json::written_at(body, position))
}

/// A page of deliveries as the parameters of a query string ask for it.
pub(crate) async fn written(query: &Query, caller: &Caller, asked: &str) -> Result<Written, Problem> {
    let asked: Params = params::read(asked)?;
    let seller = params::given("seller", asked.seller.as_deref(), SellerId::parse)?;
    caller.must_cover(seller.as_ref())?;
    let filter = Filter {
        sellers: caller.sellers().map(|sellers| sellers.iter().map(SellerId::to_string).collect()),
        seller: seller.as_ref().map(SellerId::to_string),
        activity: asked.activity.filter(|activity| !activity.is_empty()),
        subject: asked.subject.filter(|subject| !subject.is_empty()),
        order: asked.order.filter(|order| !order.is_empty()),
        result_code: asked.result.filter(|code| !code.is_empty()),
        test: params::flag("test", asked.test.as_deref())?,
        authenticated: params::flag("authenticated", asked.authenticated.as_deref())?,
        ..Filter::default()
    };
    let before = params::given("cursor", asked.cursor.as_deref(), cursor)?;
    let limit = params::limit(asked.limit.as_deref())?;

    let since = query.commands.now() - RETRY_WINDOW;
    let failed = match &query.journal {
        Some(journal) => journal.at_risk(since).await.map_err(|error| unreadable(&error))?,
        None => vec![],
    };
    let (unknown, undone) = ((query.orders_at_risk)(), (query.errands_at_risk)());
    // One more than asked for tells whether there is a next page.
    let mut found = match &query.journal {
        Some(journal) => journal.list(filter, before, limit + 1).await.map_err(|error| unreadable(&error))?,
        None => vec![],
    };
    let has_more = found.len() > limit;
    found.truncate(limit);

    let sees = |id: &str| {
        SellerId::parse(id).is_ok_and(|id| caller.covers(&id) && seller.as_ref().is_none_or(|only| *only == id))
    };
    let position = query.progress.position();
    let answer = Answer {
        deliveries: found.iter().map(DeliveryView::from).collect(),
        next_cursor: found.last().filter(|_| has_more).map(|(id, _)| id.to_string()),
        at_risk: (failed.iter().filter(|risk| sees(&risk.seller)).map(Risk::from))
            .chain(unknown.iter().filter(|risk| sees(risk.seller.as_str())).map(Risk::from))
            .chain(undone.iter().filter(|risk| sees(risk.seller.as_str())).map(Risk::from))
            .collect(),
        journal: query.journal.is_some(),
        counters: Counters { dropped: query.journal.as_ref().map_or(0, Journal::dropped) },
        position: PositionText(position),
    };
    Ok((json::to_bytes(&answer), position))
}

fn cursor(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "not a cursor of a listing; begin again without one")
}

fn unreadable(error: &JournalError) -> Problem {
    tracing::error!(%error, "the delivery journal cannot be read");
    Problem::new(Kind::Unavailable, "the delivery journal cannot be read now; try again, and see the server's log")
}

/// A delivery and its answer. What the delivery did not say is absent.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryView<'a> {
    id: String,
    at: Time,
    seller: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<&'a str>,
    test: bool,
    authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_line: Option<&'a str>,
    result: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    millis: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<&'a str>,
    body: &'a str,
    answer: &'a str,
}

impl<'a> From<&'a (i64, Delivery)> for DeliveryView<'a> {
    fn from((id, delivery): &'a (i64, Delivery)) -> Self {
        Self {
            id: id.to_string(),
            at: Time(delivery.at),
            seller: &delivery.seller,
            activity: delivery.activity.as_deref(),
            test: delivery.test,
            authenticated: delivery.authenticated,
            subject: delivery.subject.as_deref(),
            order: delivery.order.as_deref(),
            order_line: delivery.order_line.as_deref(),
            result: &delivery.result_code,
            reason: delivery.reason.as_deref(),
            millis: delivery.millis,
            remote: delivery.remote.as_deref(),
            body: &delivery.body,
            answer: &delivery.answer,
        }
    }
}

/// Something that a customer may have paid for and not got.
#[derive(Serialize, ToSchema)]
#[serde(tag = "source", rename_all = "snake_case")]
enum Risk<'a> {
    /// The latest delivery to this effect was not answered with success.
    Delivery {
        seller: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        activity: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        order: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        order_line: Option<&'a str>,
        result: &'a str,
        since: Time,
        latest: Time,
        attempts: u32,
    },
    /// The facts of an order are wanted and not known.
    OrderFacts {
        seller: &'a str,
        order: &'a str,
        since: Time,
        attempts: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        abandoned: bool,
    },
    /// A code is to be activated at the marketplace and is not.
    Activation {
        seller: &'a str,
        license: &'a str,
        since: Time,
        attempts: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        abandoned: bool,
    },
    /// A license that was applied for is to be uploaded and is not.
    Upload {
        seller: &'a str,
        license: &'a str,
        /// The `eventId` of the application.
        application: &'a str,
        since: Time,
        attempts: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        abandoned: bool,
    },
}

impl<'a> From<&'a AtRisk> for Risk<'a> {
    fn from(risk: &'a AtRisk) -> Self {
        Self::Delivery {
            seller: &risk.seller,
            activity: risk.activity.as_deref(),
            subject: risk.subject.as_deref(),
            order: risk.order.as_deref(),
            order_line: risk.order_line.as_deref(),
            result: &risk.result_code,
            since: Time(risk.since),
            latest: Time(risk.latest),
            attempts: risk.attempts,
        }
    }
}

impl<'a> From<&'a OrderAtRisk> for Risk<'a> {
    fn from(risk: &'a OrderAtRisk) -> Self {
        Self::OrderFacts {
            seller: risk.seller.as_str(),
            order: risk.order_id.as_str(),
            since: Time(risk.since),
            attempts: risk.attempts,
            reason: risk.reason.as_deref(),
            abandoned: risk.abandoned,
        }
    }
}

impl<'a> From<&'a ErrandAtRisk> for Risk<'a> {
    fn from(risk: &'a ErrandAtRisk) -> Self {
        let &ErrandAtRisk { ref seller, ref license, ref errand, since, attempts, ref reason, abandoned } = risk;
        let (seller, license, since) = (seller.as_str(), license.as_str(), Time(since));
        let reason = reason.as_deref();
        match errand {
            Errand::Activate => Self::Activation { seller, license, since, attempts, reason, abandoned },
            Errand::Upload(application) => {
                let application = application.event_id.as_str();
                Self::Upload { seller, license, application, since, attempts, reason, abandoned }
            }
        }
    }
}
