//! `/livez` and `/readyz`, the same on every listener.

use actix_web::http::Method;
use actix_web::{HttpResponse, Route, guard, web};
use chopmark_log::progress::Progress;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::{self, PositionText};
use crate::problem::{Kind, Problem, wrong_method};

/// `/livez` and `/readyz` of a listener, without token: give it to an application's `configure`.
///
/// A bound listener is alive: 200 with `{"status":"live"}`. It is ready from when the index has caught up with the log
/// for the first time: 200 with `{"status":"ready","position":"…"}`, before that 503 as a problem. Being behind later
/// is no reason to be unready. Without an index, whose `progress` it is, a bound listener is ready.
pub fn health(progress: Option<Progress>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .service(resource("/livez", look().to(live)))
            .service(resource("/readyz", look().to(move || std::future::ready(ready(progress.as_ref())))));
    }
}

/// The listener serves.
#[derive(Serialize, ToSchema)]
pub(crate) struct Live {
    /// `live`.
    status: &'static str,
}

/// The index has been at the head of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`.
    status: &'static str,
    /// Of the license index; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<PositionText>,
}

/// Whether the listener serves.
#[utoipa::path(
    get, path = "/livez", operation_id = "isLive", tag = "health",
    responses((status = 200, description = "It does.", body = Live)),
)]
pub(crate) async fn live() -> HttpResponse {
    json::response(&Live { status: "live" })
}

/// Whether the license index has caught up with the log once.
#[utoipa::path(
    get, path = "/readyz", operation_id = "isReady", tag = "health",
    responses((status = 200, description = "It has.", body = Ready)),
)]
pub(crate) fn ready(progress: Option<&Progress>) -> Result<HttpResponse, Problem> {
    let Some(progress) = progress else { return Ok(json::response(&Ready { status: "ready", position: None })) };
    if !progress.is_caught_up() {
        return Err(not_ready());
    }
    let position = progress.position();
    let ready = Ready { status: "ready", position: Some(PositionText(position)) };
    Ok(json::response_at(&ready, position))
}

/// The answer while the index has never been at the head of the log.
pub(crate) fn not_ready() -> Problem {
    Problem::new(Kind::NotReady, "the license index is still catching up with the event log; try again")
}

/// A path that is looked at, with or without its body.
pub(crate) fn resource(path: &str, route: Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(wrong_method("GET, HEAD"))
}

/// Load balancers ask with either, and so do people who want to know whether something is there.
pub(crate) fn look() -> Route {
    web::route().guard(guard::Any(guard::Method(Method::GET)).or(guard::Method(Method::HEAD)))
}
