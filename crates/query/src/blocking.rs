//! `PUT` and `DELETE /v1/licenses/{id}/block`: an operator stops a license, or lets it go on.

use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::Role;
use chopmark_domain::license::Command;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::find::find;
use crate::licenses::show::{Shown, answer_shown};
use crate::params::Whose;
use crate::problem::Problem;
use crate::{Query, body, params};

/// The longest reason, in characters.
const REASON_MAX: usize = 500;

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
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), Whose),
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
    let BlockRequest { reason } = params::object(&sent)?;
    let reason = block_reason(&reason).map_err(|error| Problem::malformed(format!("`reason`: {error}")))?;
    run(query, &caller, request, id, Command::Block(reason)).await
}

/// Why a reason for stopping a license will not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a reason takes 1 to {REASON_MAX} characters in one line")]
pub struct BlockReasonError;

/// A reason for stopping a license, without the blanks around it: one line that says something.
///
/// # Errors
/// It is empty, longer than 500 characters, or has control characters.
pub fn block_reason(text: &str) -> Result<String, BlockReasonError> {
    let reason = text.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX || reason.contains(char::is_control) {
        return Err(BlockReasonError);
    }
    Ok(reason.to_owned())
}

/// Lets a license go on. One that is not stopped stays as it is.
#[utoipa::path(
    delete, path = "/v1/licenses/{id}/block", operation_id = "unblockLicense", tag = "licenses",
    params(("id" = String, Path, description = "The id of an instance, a license code or a deployment.",
         example = "10e758d0-31ad-4c4b-8f1b-81d03469a10e"), Whose),
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
    let seller = Whose::read(request.query_string())?;
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
        assert_eq!(block_reason(" chargeback, ticket 4711 "), Ok("chargeback, ticket 4711".into()));
        assert!(block_reason(&"界".repeat(500)).is_ok());
        for text in ["", "  ", "a\nb", "\u{0}", "\u{1b}[2J", &"r".repeat(501)] {
            assert_eq!(block_reason(text), Err(BlockReasonError), "{text:?}");
        }
    }
}
