//! `GET /v1/licenses/{id}/machines`: who has a seat, and who was seen when.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chopmark_domain::license::{Machine, SeatUse};
use chopmark_views::LastSeen;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Query;
use crate::caller::Caller;
use crate::find::find;
use crate::json::{self, ClockTime, PositionText, Time};
use crate::params::Whose;
use crate::problem::{Kind, Problem};

/// The machines of a license.
#[derive(Serialize, ToSchema)]
#[schema(as = MachineList)]
pub(crate) struct List<'a> {
    machines: Vec<Listed<'a>>,
    /// Seats of the license.
    #[schema(schema_with = crate::openapi::seat_use)]
    seats: SeatUse,
    position: PositionText,
}

/// A machine that has a seat, or had one.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedMachine)]
struct Listed<'a> {
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    activated_at: Time,
    active: bool,
    /// It was freed, and its seat stays taken until then; absent once the seat is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_until: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<ClockTime>,
    /// The end of its longest lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_until: Option<Time>,
}

impl<'a> Listed<'a> {
    fn new(machine: &'a Machine, seen: Option<&LastSeen>, now: DateTime<Utc>) -> Self {
        Self {
            fingerprint: machine.fingerprint.as_str(),
            name: machine.name.as_deref(),
            activated_at: Time(machine.activated_at),
            active: machine.is_active(),
            taken_until: machine.taken_until.filter(|until| now < *until).map(Time),
            last_seen: seen.map(|seen| ClockTime(seen.at)),
            lease_until: seen.and_then(|seen| seen.lease_until).map(Time),
        }
    }
}

/// Lists the machines of a license.
#[utoipa::path(
    get, path = "/v1/licenses/{id}/machines", operation_id = "listMachines", tag = "licenses",
    params(("id" = String, Path, description = "The instance id or license code.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), Whose),
    responses((status = 200, description = "The machines.", body = List<'_>)), security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, id: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("machines", listed(&query, &id, &request).await)
}

async fn listed(query: &Query, id: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let seller = Whose::read(request.query_string())?;
    caller.must_cover(seller.as_ref())?;
    let now = query.now();
    let (position, found) = find(query, &caller, seller.as_ref(), id, now)?;
    let license = &found.license;
    let seen = match &license.machines {
        Some(_) => last_seen(query, found.key.seller.as_str(), found.key.id.as_str()).await?,
        None => HashMap::new(),
    };
    let machines = license.machines.iter().flat_map(|machines| machines.iter());
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    let list = List {
        machines: machines.map(|machine| Listed::new(machine, seen.get(machine.fingerprint.as_str()), now)).collect(),
        seats: SeatUse::of(license, terms, now),
        position: PositionText(position),
    };
    Ok(json::response_at(&list, position))
}

async fn last_seen(query: &Query, seller: &str, license: &str) -> Result<HashMap<String, LastSeen>, Problem> {
    query.seen.last_seen(seller, license).await.map_err(|error| {
        tracing::error!(%error, "when machines were last seen cannot be read");
        Problem::new(Kind::Unavailable, "when machines were last seen cannot be read now; see the server's log")
    })
}
