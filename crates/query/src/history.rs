//! `GET /v1/licenses/{id}/history`: every event of a license, and what is behind it.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_commands::{CommandError, Commands, Cut, Told};
use chopmark_domain::access::Role;
use chopmark_domain::cause::{Cause, Metadata};
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_domain::license::{Event, OrderFactsApplied};
use chopmark_domain::order;
use chopmark_domain::stream::{LicenseKey, Stream};
use chopmark_log::{Position, Record, Revision, StreamName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::find::{find, unreadable};
use crate::json::{self, ExactTime, PositionText, Written};
use crate::problem::Problem;
use crate::{Query, params};

/// Records of an order's stream that are looked through for an answer.
const ORDER_RECORDS: usize = 1_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Whose license, where two sellers have one of this id.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// Events of a page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// A page of a license's events.
#[derive(Serialize, ToSchema)]
#[schema(as = History)]
pub(crate) struct Answer<'a> {
    /// In the order in which they were recorded.
    events: Vec<EventView<'a>>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    position: PositionText,
}

/// An event as it was recorded.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView<'a> {
    /// Its place among the events of this license, from 0.
    revision: u64,
    /// Its place in the log.
    position: PositionText,
    /// What happened, with a version.
    #[schema(example = "license_frozen.v1")]
    kind: &'a str,
    /// When the log took it.
    recorded_at: ExactTime,
    /// The event as stored.
    #[schema(value_type = Object)]
    data: Stored<'a>,
    /// What is behind it: by `source` the signed request of a callback (`body`, `signature`, `timestamp`, `nonce`,
    /// `key_id`, `signed_form`, `received_at`), the answer of the open API (`api`, `answer`), an operator (`actor`),
    /// a customer's software (`address`), or the system.
    #[schema(value_type = Object)]
    cause: CauseView<'a>,
}

/// JSON exactly as it was stored.
struct Stored<'a>(&'a [u8]);

impl Serialize for Stored<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What was read back as an event is JSON.
        let raw: &RawValue = serde_json::from_slice(self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[derive(Serialize)]
struct CauseView<'a> {
    #[serde(flatten)]
    cause: &'a Cause,
    /// The order's event that an answer stands with.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<ExactTime>,
}

/// Every event of a license, and what is behind each.
#[utoipa::path(
    get, path = "/v1/licenses/{id}/history", operation_id = "licenseHistory", tag = "licenses",
    params(("id" = String, Path, description = "The id of an instance, a license code or a deployment.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), Params),
    responses((status = 200, description = "A page of events.", body = Answer<'_>)), security(("token" = [])),
)]
pub(crate) async fn history(query: web::Data<Query>, id: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("history", told(&query, &id, &request).await)
}

async fn told(query: &Query, id: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let (body, position) = written(query, &caller, id, request.query_string()).await?;
    Ok(json::written_at(body, position))
}

/// A page of a license's events as the parameters of a query string ask for it.
pub(crate) async fn written(query: &Query, caller: &Caller, id: &str, asked: &str) -> Result<Written, Problem> {
    let asked: Params = params::read(asked)?;
    let seller = params::given("seller", asked.seller.as_deref(), SellerId::parse)?;
    let limit = params::limit(asked.limit.as_deref())?;
    let from = params::given("cursor", asked.cursor.as_deref(), cursor)?.unwrap_or_default();
    let (_, found) = find(query, caller, seller.as_ref(), id, query.commands.now())?;

    let head = query.commands.log().head().await.map_err(|error| unreadable(&error.into()))?;
    let page = page(&query.commands, &found.key, Cut::Position(head), from, limit);
    let (mut events, next) = page.await.map_err(|error| unreadable(&error))?;
    with_answers(&query.commands, &found.key.seller, &mut events).await.map_err(|error| unreadable(&error))?;
    let answer = Answer {
        events: events.iter().map(EventView::from).collect(),
        next_cursor: next.map(|revision| revision.to_string()),
        position: PositionText(head),
    };
    Ok((json::to_bytes(&answer), head))
}

fn cursor(text: &str) -> Result<u64, &'static str> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let revision = digits.then(|| text.parse().ok()).flatten();
    revision.ok_or("not a cursor of a history; begin again without one")
}

/// Every event of a license as `GET /v1/licenses/{id}/history` shows it, for those who look at the log without a
/// server.
///
/// # Errors
/// [`CommandError`]: the log cannot be read.
pub async fn describe_history(commands: &Commands, key: &LicenseKey) -> Result<Vec<Value>, CommandError> {
    let (mut events, _) = page(commands, key, Cut::Now, 0, usize::MAX).await?;
    with_answers(commands, &key.seller, &mut events).await?;
    // Texts, numbers and times always serialise.
    Ok(events.iter().map(|event| serde_json::to_value(EventView::from(event)).unwrap_or_default()).collect())
}

/// An event with the answer behind it, where that stands elsewhere.
struct Explained {
    told: Told,
    answered_at: Option<ExactTime>,
}

async fn page(
    commands: &Commands,
    key: &LicenseKey,
    until: Cut,
    from: u64,
    limit: usize,
) -> Result<(Vec<Explained>, Option<u64>), CommandError> {
    let told = commands.history(key, until).await?;
    let mut rest = told.into_iter().skip_while(|told| told.record.revision < Revision(from));
    let events = rest.by_ref().take(limit).map(|told| Explained { told, answered_at: None }).collect();
    Ok((events, rest.next().map(|told| told.record.revision.0)))
}

/// Facts of an order have their answer with the order's event: it stands once.
async fn with_answers(commands: &Commands, seller: &SellerId, events: &mut [Explained]) -> Result<(), CommandError> {
    let mut orders: HashMap<OrderId, Vec<Record>> = HashMap::new();
    for Explained { told, answered_at } in events {
        let Event::OrderFactsApplied(applied) = &told.event else { continue };
        let Cause::OpenApi { answer: answer @ None, .. } = &mut told.metadata.cause else { continue };
        let order = &applied.order_id;
        if !orders.contains_key(order) {
            let name = StreamName::new(&Stream::Order(seller.clone(), order.clone()).to_string())?;
            let records = commands.log().read_stream(&name, Revision(0), ORDER_RECORDS).await?;
            orders.insert(order.clone(), records);
        }
        let records = orders.get(order).map(Vec::as_slice).unwrap_or_default();
        if let Some((text, record)) = answer_behind(records, applied, told.record.position) {
            (*answer, *answered_at) = (Some(text), Some(ExactTime(record.recorded_at)));
        }
    }
    Ok(())
}

/// The latest answer before an event that told the very facts the event applied.
fn answer_behind<'a>(
    records: &'a [Record],
    applied: &OrderFactsApplied,
    before: Position,
) -> Option<(String, &'a Record)> {
    records.iter().rev().filter(|record| record.position < before).find_map(|record| {
        let Ok(order::Event::FactsRecorded(recorded)) = order::Event::decode(&record.kind, &record.data) else {
            return None;
        };
        let metadata: Metadata = serde_json::from_slice(&record.metadata).ok()?;
        match metadata.cause {
            Cause::OpenApi { answer: Some(answer), .. } if recorded.lines.contains(&applied.facts) => {
                Some((answer, record))
            }
            _ => None,
        }
    })
}

impl<'a> From<&'a Explained> for EventView<'a> {
    fn from(Explained { told, answered_at }: &'a Explained) -> Self {
        let Told { record, metadata, .. } = told;
        Self {
            revision: record.revision.0,
            position: PositionText(record.position),
            kind: &record.kind,
            recorded_at: ExactTime(record.recorded_at),
            data: Stored(&record.data),
            cause: CauseView { cause: &metadata.cause, answered_at: *answered_at },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_revisions() {
        assert_eq!(cursor("0"), Ok(0));
        assert_eq!(cursor("100"), Ok(100));
        for text in ["", "-1", "+1", "l1", "99999999999999999999"] {
            assert!(cursor(text).is_err(), "{text}");
        }
    }

    #[test]
    fn data_are_shown_as_they_were_stored() {
        let stored = br#"{"z":1.50,"a":null}"#;
        assert_eq!(serde_json::to_string(&Stored(stored)).unwrap().as_bytes(), stored);
    }
}
