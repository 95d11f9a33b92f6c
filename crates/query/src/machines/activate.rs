//! `PUT /v1/licenses/{id}/machines/{fingerprint}`: a machine takes a seat.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_commands::{CommandError, Done};
use chopmark_domain::ids::Fingerprint;
use chopmark_domain::license::{self, Code, License, Machine, Refusal, SeatUse, Standing, judge};
use chopmark_log::Position;
use chopmark_projector::{Found, LookUp};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ambiguous, fingerprint, no_such_license, not_done, send};
use crate::asker::Asker;
use crate::json::{self, PositionText, Time};
use crate::params::Whose;
use crate::problem::{Kind, Problem};
use crate::question::machine_name;
use crate::{Query, body};

/// Seconds after which a license whose activations of the day are used up can have another, most likely.
const LATER_SECONDS: u64 = 3_600;

/// A machine with its seat.
#[derive(Serialize, ToSchema)]
pub(crate) struct Seated<'a> {
    machine: MachineView<'a>,
    /// Seats of the license.
    #[schema(schema_with = crate::openapi::seat_use)]
    seats: SeatUse,
    position: PositionText,
}

/// A machine.
#[derive(Serialize, ToSchema)]
#[schema(as = Machine)]
struct MachineView<'a> {
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    activated_at: Time,
}

impl<'a> From<&'a Machine> for MachineView<'a> {
    fn from(machine: &'a Machine) -> Self {
        Self {
            fingerprint: machine.fingerprint.as_str(),
            name: machine.name.as_deref(),
            activated_at: Time(machine.activated_at),
        }
    }
}

/// Takes a seat for a machine: 201 if it is a new one, 200 if it had one.
#[utoipa::path(
    put, path = "/v1/licenses/{id}/machines/{fingerprint}", operation_id = "activateMachine", tag = "checks",
    params(
        ("id" = String, Path, description = "The instance id or license code.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"),
        ("fingerprint" = inline(crate::openapi::Fingerprint), Path, description = "The machine."),
        Whose,
    ),
    request_body(content = Option<crate::openapi::MachineName>, description = "What people call it. May be absent."),
    responses(
        (status = 200, description = "It had a seat.", body = Seated<'_>),
        (status = 201, description = "It has a seat now.", body = Seated<'_>),
    ),
)]
pub(crate) async fn activate(
    query: web::Data<Query>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let asker = Asker::of(&request, &query);
    let (id, fingerprint) = path.into_inner();
    let answer = activated(&query, &id, &fingerprint, &request, payload, &asker).await;
    send(&query, &asker, answer)
}

async fn activated(
    query: &Query,
    id: &str,
    machine: &str,
    request: &HttpRequest,
    payload: web::Payload,
    asker: &Asker<'_>,
) -> Result<HttpResponse, Problem> {
    let name = machine_name(&body::read(payload, query.body_bytes).await?)?;
    let fingerprint = fingerprint(machine)?;
    let seller = Whose::read(request.query_string())?;
    query.must_be_ready()?;
    let now = query.now();
    let LookUp { position, found, ambiguous: several } = query.index.look_up(seller.as_ref(), id, None, now);
    if several {
        return Err(ambiguous());
    }
    let found = found.ok_or_else(no_such_license)?;
    asker.may_ask_about(&found.key)?;
    if is_seated(&found, &fingerprint, now) {
        return seated(&found, &found.license, &fingerprint, StatusCode::OK, position, now);
    }
    let (key, a_day) = (&found.key, query.activations_a_day);
    let done = query.commands.activate_machine(key, fingerprint.clone(), name, a_day, &asker.cause()).await;
    let Done { state, position, appended } = done.map_err(|error| refused(&error))?;
    // What the command left is at least as new as the index will be, and the answer must not overtake it.
    let position = position.unwrap_or(Position::START);
    query.wait_for(position).await;
    let status = if appended > 0 { StatusCode::CREATED } else { StatusCode::OK };
    seated(&found, license(&state)?, &fingerprint, status, position, query.now())
}

fn license(state: &Standing) -> Result<&License, Problem> {
    state.license().ok_or_else(no_such_license)
}

/// Whether it has a seat that it can use, so that nothing is left to do: programs ask at each start.
fn is_seated(found: &Found, fingerprint: &Fingerprint, now: DateTime<Utc>) -> bool {
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    let asked = license::Question { machine: Some(fingerprint.as_str()), ..license::Question::default() };
    found.license.has_machine(fingerprint.as_str()) && judge(&found.license, terms, asked, now).code.is_valid()
}

fn seated(
    found: &Found,
    license: &License,
    fingerprint: &Fingerprint,
    status: StatusCode,
    position: Position,
    now: DateTime<Utc>,
) -> Result<HttpResponse, Problem> {
    let terms = found.terms.as_deref().map(|dated| &dated.terms);
    let machine = license.machines.as_ref().and_then(|machines| machines.get(fingerprint.as_str()));
    let answer = Seated {
        machine: machine.map(MachineView::from).ok_or_else(super::no_such_machine)?,
        seats: SeatUse::of(license, terms, now),
        position: PositionText(position),
    };
    let mut response = json::response_at(&answer, position);
    *response.status_mut() = status;
    Ok(response)
}

fn refused(error: &CommandError) -> Problem {
    let CommandError::Refused(refusal) = error else { return not_done(error) };
    match refusal {
        Refusal::MachineLimit { limit } => {
            let taken = match limit {
                0 => "the license has no seats".into(),
                1 => "the only seat of the license is taken".into(),
                limit => format!("all {limit} seats of the license are taken"),
            };
            let detail = format!("{taken}; free a machine first, or buy more seats");
            Problem::new(Kind::MachineLimit, detail).with_code(Code::MachineLimit)
        }
        Refusal::NotUsable(code) => {
            let detail = format!("the license cannot be used as it is ({}), so no machine is added", code.as_str());
            Problem::new(Kind::LicenseNotUsable, detail).with_code(*code)
        }
        Refusal::TooManyToday => {
            let detail = "too many machines of this license were activated within a day; try again later";
            Problem::new(Kind::TooManyRequests, detail).retry_after(LATER_SECONDS)
        }
        _ => no_such_license(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_a_check_would_say() {
        let refused = |refusal| refused(&CommandError::Refused(refusal));
        assert_eq!(refused(Refusal::MachineLimit { limit: 3 }).kind(), Kind::MachineLimit);
        assert!(refused(Refusal::MachineLimit { limit: 3 }).to_string().contains("all 3 seats"));
        assert!(refused(Refusal::MachineLimit { limit: 1 }).to_string().contains("the only seat"));
        assert_eq!(refused(Refusal::NotUsable(Code::Frozen)).kind(), Kind::LicenseNotUsable);
        assert_eq!(refused(Refusal::TooManyToday).kind(), Kind::TooManyRequests);
        assert_eq!(refused(Refusal::Unknown).kind(), Kind::NoSuchLicense);
        assert_eq!(refused(Refusal::OtherKind).kind(), Kind::NoSuchLicense, "a deployment has no machines");
    }
}
