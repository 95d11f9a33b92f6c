//! `PUT` and `DELETE /v1/licenses/{id}/block`: an operator stops a license, or lets it go on.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chopmark_domain::ids::SellerId;
use chopmark_domain::license::Command;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::find::find;
use crate::licenses::show::{Shown, answer_shown};
use crate::problem::Problem;
use crate::{Query, body, params};

/// The longest reason, in characters.
const REASON_MAX: usize = 500;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Whose license, where two sellers have one of this id.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
}

/// Why a license is stopped.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockRequest {
    /// For those who ask later; customers do not see it.
    #[schema(min_length = 1, max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*\S[^\x00-\x1f\x7f-\x9f]*$")]
    #[schema(example = "chargeback, ticket 4711")]
    reason: String,
}

/// Stops a license. One that is stopped stays so, with the reason it has.
#[utoipa::path(
    put, path = "/v1/licenses/{id}/block", operation_id = "blockLicense", tag = "licenses",
    params(("id" = String, Path, description = "The id of an instance, a license code or a deployment.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), Params),
    request_body = BlockRequest,
    responses((status = 200, description = "The license, stopped.", body = Shown<'_>)), security(("token" = [])),
)]
pub(crate) async fn block(
    query: web::Data<Query>,
    id: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    query.count("block", blocked(&query, &id, &request, payload).await)
}

async fn blocked(
    query: &Query,
    id: &str,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    let sent = body::read(payload, query.body_bytes).await?;
    let reason = reason(params::object(&sent)?)?;
    run(query, &caller, request, id, Command::Block(reason)).await
}

fn reason(BlockRequest { reason }: BlockRequest) -> Result<String, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX || reason.contains(char::is_control) {
        return Err(Problem::malformed(format!("`reason` takes 1 to {REASON_MAX} characters in one line")));
    }
    Ok(reason.to_owned())
}

/// Lets a license go on. One that is not stopped stays as it is.
#[utoipa::path(
    delete, path = "/v1/licenses/{id}/block", operation_id = "unblockLicense", tag = "licenses",
    params(("id" = String, Path, description = "The id of an instance, a license code or a deployment.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), Params),
    responses((status = 200, description = "The license, not stopped.", body = Shown<'_>)), security(("token" = [])),
)]
pub(crate) async fn unblock(query: web::Data<Query>, id: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("block", unblocked(&query, &id, &request).await)
}

async fn unblocked(query: &Query, id: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Support)?;
    run(query, &caller, request, id, Command::Unblock).await
}

/// Runs the command and shows what became of it, once checks know it too.
async fn run(
    query: &Query,
    caller: &Caller,
    request: &HttpRequest,
    id: &str,
    command: Command,
) -> Result<HttpResponse, Problem> {
    let params: Params = params::read(request.query_string())?;
    let seller = params::given("seller", params.seller.as_deref(), SellerId::parse)?;
    let (_, found) = find(query, caller, seller.as_ref(), id, query.commands.now())?;
    let done = query.commands.license(&found.key, command, &caller.cause()).await.map_err(Problem::of_command)?;
    if let Some(position) = done.position {
        query.wait_for(position).await;
    }
    answer_shown(query, &found.key, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_says_something() {
        let read = |text: &str| reason(BlockRequest { reason: text.into() });
        assert_eq!(read(" chargeback ").unwrap(), "chargeback");
        assert!(read(&"界".repeat(500)).is_ok());
        for text in ["", "  ", "a\nb", "\u{0}", &"r".repeat(501)] {
            assert!(read(text).unwrap_err().to_string().contains("`reason`"), "{text:?}");
        }
    }
}
