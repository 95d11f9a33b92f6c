//! `GET /v1/licenses/{id}`, now or as it was.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_commands::{CommandError, Commands};
use chopmark_domain::access::Role;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::{Event, License, Machine};
use chopmark_domain::stream::LicenseKey;
use chopmark_projector::Found;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Entry;
use crate::caller::Caller;
use crate::find::{find, unreadable};
use crate::json::{self, ExactTime, PositionText, Time, Written};
use crate::looking_back::{Moment, Recalled};
use crate::order_view::{OrderView, orders};
use crate::problem::Problem;
use crate::{Query, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShowParams {
    /// Whose license, where two sellers have one of this id.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// The license as it was then: all events recorded up to then, judged at that time.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-24T12:00:00Z")]
    as_of: Option<String>,
}

/// One license with its orders.
#[derive(Serialize, ToSchema)]
#[schema(as = License)]
pub(crate) struct Shown<'a> {
    #[serde(flatten)]
    entry: Entry<'a>,
    /// Why and by whom it is stopped, while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockView<'a>>,
    /// Its machines in numbers, once it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    machines: Option<MachineCount>,
    /// The orders that callbacks named, in the order of arrival.
    orders: Vec<OrderView<'a>>,
    /// The time that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<ExactTime>,
    position: PositionText,
}

/// What an operator did.
#[derive(Serialize, ToSchema)]
#[schema(as = Block)]
struct BlockView<'a> {
    /// The operator's words.
    reason: &'a str,
    /// Since when.
    since: Time,
    /// Whose token, where one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
}

/// How many machines there are.
#[derive(Serialize, ToSchema)]
struct MachineCount {
    /// Machines that may be used.
    active: usize,
    /// Machines that were freed and whose seats are still taken.
    leaving: usize,
}

impl<'a> Shown<'a> {
    fn new(recalled: &'a Recalled, found: &'a Found, as_of: Option<DateTime<Utc>>) -> Self {
        let Moment { position, at } = recalled.moment;
        Self {
            entry: Entry::new(found, at),
            block: found.license.blocked.then(|| block(recalled)).flatten(),
            machines: machines(&found.license, at),
            orders: orders(&recalled.standing),
            as_of: as_of.map(ExactTime),
            position: PositionText(position),
        }
    }
}

fn block(recalled: &Recalled) -> Option<BlockView<'_>> {
    recalled.told.iter().rev().find_map(|told| {
        let Event::Blocked(blocked) = &told.event else { return None };
        let by = match &told.metadata.cause {
            Cause::Operator { actor } => Some(actor.as_str()),
            _ => None,
        };
        Some(BlockView { reason: &blocked.reason, since: Time(told.record.recorded_at), by })
    })
}

fn machines(license: &License, now: DateTime<Utc>) -> Option<MachineCount> {
    let machines = license.machines.as_ref()?;
    let count = |is_meant: &dyn Fn(&Machine) -> bool| machines.iter().filter(|machine| is_meant(machine)).count();
    Some(MachineCount {
        active: count(&Machine::is_active),
        leaving: count(&|machine| !machine.is_active() && machine.takes_seat(now)),
    })
}

/// One license with its orders, now or as it was.
#[utoipa::path(
    get, path = "/v1/licenses/{id}", operation_id = "showLicense", tag = "licenses",
    params(("id" = String, Path, description = "The id of an instance, a license code or a deployment.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), ShowParams),
    responses((status = 200, description = "The license.", body = Shown<'_>)), security(("token" = [])),
)]
pub(crate) async fn show(query: web::Data<Query>, id: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("license", shown(&query, &id, &request).await)
}

async fn shown(query: &Query, id: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let (body, position) = written(query, &caller, id, request.query_string()).await?;
    Ok(json::written_at(body, position))
}

/// A license as the parameters of a query string ask for it.
pub(crate) async fn written(query: &Query, caller: &Caller, id: &str, asked: &str) -> Result<Written, Problem> {
    let asked: ShowParams = params::read(asked)?;
    let seller = params::given("seller", asked.seller.as_deref(), SellerId::parse)?;
    let as_of = params::given("as_of", asked.as_of.as_deref(), params::time)?;
    let (_, found) = find(query, caller, seller.as_ref(), id, query.commands.now())?;
    written_of(query, &found.key, as_of).await
}

/// Answers with a license, now or as it was.
pub(crate) async fn answer_shown(
    query: &Query,
    key: &LicenseKey,
    as_of: Option<DateTime<Utc>>,
) -> Result<HttpResponse, Problem> {
    let (body, position) = written_of(query, key, as_of).await?;
    Ok(json::written_at(body, position))
}

async fn written_of(query: &Query, key: &LicenseKey, as_of: Option<DateTime<Utc>>) -> Result<Written, Problem> {
    let recalled = recall(&query.commands, key, as_of).await.map_err(|error| unreadable(&error))?;
    let found = recalled.found().ok_or_else(Problem::no_such_license)?;
    Ok((json::to_bytes(&Shown::new(&recalled, &found, as_of)), recalled.moment.position))
}

async fn recall(commands: &Commands, key: &LicenseKey, as_of: Option<DateTime<Utc>>) -> Result<Recalled, CommandError> {
    let moment = match as_of {
        Some(at) => Moment::at(commands, at).await?,
        None => Moment::now(commands).await?,
    };
    Recalled::read(commands, key, moment).await
}

/// A license as `GET /v1/licenses/{id}` shows it, now or as it was, for those who look at the log without a server.
/// `None` where there was no license yet.
///
/// # Errors
/// [`CommandError`]: the log cannot be read.
pub async fn describe_at(
    commands: &Commands,
    key: &LicenseKey,
    as_of: Option<DateTime<Utc>>,
) -> Result<Option<Value>, CommandError> {
    let recalled = recall(commands, key, as_of).await?;
    // Texts, numbers and times always serialise.
    Ok(recalled.found().map(|found| serde_json::to_value(Shown::new(&recalled, &found, as_of)).unwrap_or_default()))
}
