//! `GET /.well-known/jwks.json`: the public keys by which leases are verified.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};

use crate::Query;

/// A key is published long before it signs, so an answer may be a little old.
const CACHED: &str = "public, max-age=300";

/// The public keys that leases are signed with.
///
/// Needs no index: software may look for them while the server starts.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", operation_id = "showKeys", tag = "checks",
    responses((status = 200, description = "The keys (RFC 7517), each with what others say for it.", body = crate::openapi::KeySet)),
)]
pub(crate) async fn show(query: web::Data<Query>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, CACHED))
        .body(query.leases.jwks_json().to_vec())
}
