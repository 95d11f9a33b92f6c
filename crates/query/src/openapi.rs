//! `GET /openapi.json`: the API described by its own code, as OpenAPI 3.1.
//!
//! Paths and members come from the handlers and structs that answer. Here are the parts that these cannot tell: what
//! the types of other crates look like, and the problems that every path may answer.

mod finish;
mod question;
mod schemas;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::Value;
use utoipa::OpenApi;

pub(crate) use self::question::{CheckQuestion, Fingerprint, KeySet, MachineName};
pub(crate) use self::schemas::{
    charging_modes, codes, entitlements, explain_body, fact_states, kinds, order_roles, order_types, roles, scenes,
    seat_use, seller_ids, statuses, token_statuses,
};

/// The paths, in the order in which they are told.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Chopmark",
        description = "License checks for software, and what stands behind them for the people who support it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "checks", description = "For the software that customers run. No token."),
        (name = "licenses", description = "For support: what there is, what was, and why."),
        (name = "settlement", description = "For finance: what was sold, what will be paid and when, and why the bill says something else."),
        (name = "tokens", description = "For administrators: who may look things up."),
        (name = "deliveries", description = "What the marketplace delivered to this node."),
        (name = "health", description = "For load balancers."),
    ),
    paths(
        crate::checks::check,
        crate::machines::activate::activate,
        crate::machines::free::free,
        crate::jwks::show,
        crate::licenses::list::list,
        crate::licenses::show::show,
        crate::machines::list::list,
        crate::history::history,
        crate::explain::explain,
        crate::blocking::block,
        crate::blocking::unblock,
        crate::settlement::periods::list,
        crate::settlement::periods::show,
        crate::settlement::lines::of_period,
        crate::settlement::closing::preview,
        crate::settlement::closing::close,
        crate::settlement::lines::list,
        crate::settlement::lines::show,
        crate::settlement::forecast::show,
        crate::settlement::bills::list,
        crate::settlement::bills::import,
        crate::settlement::progress::record,
        crate::settlement::transactions::import,
        crate::settlement::mappings::list,
        crate::settlement::mappings::save,
        crate::settlement::reconciliation::show,
        crate::settlement::reconciliation::judge,
        crate::settlement::statements::state,
        crate::settlement::quotes::quote,
        crate::settlement::adjustments::list,
        crate::settlement::adjustments::record,
        crate::tokens::list,
        crate::tokens::create,
        crate::tokens::revoke,
        crate::deliveries::list,
        crate::health::live,
        crate::health::ready,
        describe,
    ),
)]
struct Api;

/// The document. It is the same for all of a version.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| finish::finish(Api::openapi()));

/// The description of this API, as OpenAPI 3.1.
#[must_use]
pub fn openapi() -> &'static Value {
    &DOCUMENT
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "describeApi", tag = "health",
    responses((status = 200, description = "The description of this API, as OpenAPI 3.1.", body = Object)),
)]
pub(crate) async fn describe() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(DOCUMENT.to_string())
}
