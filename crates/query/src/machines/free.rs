//! `DELETE /v1/licenses/{id}/machines/{fingerprint}`: a machine gives its seat up.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_commands::CommandError;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{Fingerprint, SellerId};
use chopmark_domain::license::{Command, FreedBy, HEARD_WITHIN, KnownLeases, Refusal, seat_taken_until};
use chopmark_log::Position;
use chopmark_projector::Found;
use chopmark_views::Sighting;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::proof::{Named, Proof, proof};
use super::{fingerprint, no_such_license, no_such_machine, not_done, send};
use crate::asker::Asker;
use crate::find::find;
use crate::json::POSITION_HEADER;
use crate::problem::{Kind, Problem};
use crate::{Query, body, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FreeParams {
    /// Whose license, where two sellers have one of this id.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
    /// `true`, with a token: the seat is free at once.
    #[param(value_type = Option<bool>)]
    now: Option<String>,
    /// The machine's lease, where the program can send no header. Addresses are written into logs: prefer the header.
    lease: Option<String>,
}

/// What is to be freed, and by whom.
struct Freeing {
    found: Found,
    fingerprint: Fingerprint,
    by: FreedBy,
    cause: Cause,
    /// The end of the lease shown, UTC.
    shown: Option<DateTime<Utc>>,
    /// The seat is to be free at once.
    at_once: bool,
}

/// Frees a machine: 204. Its seat becomes free when the last of its leases has ended.
#[utoipa::path(
    delete, path = "/v1/licenses/{id}/machines/{fingerprint}", operation_id = "freeMachine", tag = "checks",
    params(
        ("id" = String, Path, description = "The instance id or license code.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"),
        ("fingerprint" = inline(crate::openapi::Fingerprint), Path, description = "The machine."),
        ("Chopmark-Lease" = Option<String>, Header, description = "The machine's lease, where no token is sent. It is \
         taken from `Authorization` too, as `Lease <lease>` or `Bearer <lease>`, and from the body, as text or as \
         `{\"lease\": \"…\"}`."),
        FreeParams,
    ),
    responses((status = 204, description = "It is freed.")), security((), ("token" = [])),
)]
pub(crate) async fn free(
    query: web::Data<Query>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let asker = Asker::of(&request, &query);
    let (id, fingerprint) = path.into_inner();
    let answer = freed(&query, &id, &fingerprint, &request, payload, &asker).await;
    send(&query, &asker, answer)
}

async fn freed(
    query: &Query,
    id: &str,
    machine: &str,
    request: &HttpRequest,
    payload: web::Payload,
    asker: &Asker<'_>,
) -> Result<HttpResponse, Problem> {
    let body = body::read(payload, query.body_bytes).await?;
    let machine = fingerprint(machine)?;
    let asked: FreeParams = params::read(request.query_string())?;
    let seller = params::given("seller", asked.seller.as_deref(), SellerId::parse)?;
    let at_once = params::flag("now", asked.now.as_deref())?.unwrap_or(false);
    query.must_be_ready()?;
    let now = query.now();
    let named = Named { seller: seller.as_ref(), license: id, machine: &machine };
    let in_parameter = asked.lease.as_deref().map(str::trim).filter(|lease| !lease.is_empty());
    let freeing = match proof(request, in_parameter, &body, query, named, now)? {
        Proof::Lease(_) if at_once => {
            let detail = "only a token frees a seat at once: the machine may go on offline until its lease has ended";
            return Err(Problem::new(Kind::LeaseRefused, detail));
        }
        Proof::Lease(lease) => {
            let seller = SellerId::parse(&lease.seller).map_err(|_| no_such_license())?;
            let found = query.index.look_up(Some(&seller), id, None, now).found.ok_or_else(no_such_license)?;
            let (by, cause, shown) = (FreedBy::Customer, asker.cause(), Some(lease.expires_at));
            Freeing { found, fingerprint: machine, by, cause, shown, at_once }
        }
        Proof::Token(caller) => {
            let (_, found) = find(query, &caller, seller.as_ref(), id, now)?;
            let (by, cause) = (FreedBy::Operator, caller.cause());
            Freeing { found, fingerprint: machine, by, cause, shown: None, at_once }
        }
    };
    freeing.run(query, now).await
}

impl Freeing {
    async fn run(self, query: &Query, now: DateTime<Utc>) -> Result<HttpResponse, Problem> {
        let taken_until = if self.at_once { now } else { self.taken_until(query, now).await? };
        let Self { found, fingerprint, by, cause, .. } = self;
        let command = Command::FreeMachine { fingerprint, by, taken_until };
        let done = query.commands.license(&found.key, command, &cause).await.map_err(|error| match error {
            CommandError::Refused(Refusal::UnknownMachine) => no_such_machine(),
            CommandError::Refused(_) => no_such_license(),
            error => not_done(&error),
        })?;
        let position = done.position.unwrap_or(Position::START);
        query.wait_for(position).await;
        Ok(HttpResponse::NoContent().insert_header((POSITION_HEADER, position.0)).finish())
    }

    /// Until when the seat stays taken, by what the index and the views know.
    async fn taken_until(&self, query: &Query, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
        let Self { found, fingerprint, shown, .. } = self;
        let machine = found.license.machines.as_ref().and_then(|machines| machines.get(fingerprint.as_str()));
        let machine = machine.ok_or_else(no_such_machine)?;
        let (seller, license) = (found.key.seller.as_str(), found.key.id.as_str());
        // Whoever settles the seat later must know of it too.
        if shown.is_some() {
            let holder = fingerprint.as_str();
            query.seen.saw(Sighting { seller, license, holder, at: now, lease_until: *shown });
        }
        let heard_within = if query.may_others_give_leases() { HEARD_WITHIN } else { TimeDelta::zero() };
        let known = match query.seen.last_seen(seller, license).await {
            Ok(holders) => {
                let noted = holders.get(fingerprint.as_str()).and_then(|seen| seen.lease_until);
                KnownLeases { latest_end: noted.max(*shown), noted_since: query.noted_since(), heard_within }
            }
            Err(error) => {
                tracing::warn!(%error, "when machines were last seen cannot be read; the longest lease is assumed");
                KnownLeases { latest_end: *shown, noted_since: None, heard_within }
            }
        };
        let terms = found.terms.as_deref().map(|dated| &dated.terms);
        Ok(seat_taken_until(&found.license, terms, machine, known, now))
    }
}
