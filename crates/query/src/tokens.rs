//! `/v1/tokens`: who may look things up.

mod new_token;

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chopmark_domain::access::{Access, Grant, Role, TokenStatus};
use chopmark_domain::ids::SellerId;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::new_token::new_token_of_some;
pub use self::new_token::{NewToken, TokenWanted, TokenWantedError, new_token, token_text};
use crate::caller::Caller;
use crate::json::{self, PositionText, Time};
use crate::problem::{Kind, Problem};
use crate::{Query, body, params};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Only tokens that reach this seller.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
}

/// Every token within reach.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenList)]
pub(crate) struct List<'a> {
    /// In the order in which they were made.
    tokens: Vec<TokenView<'a>>,
    position: PositionText,
}

/// A token. Its text is shown once, when it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenView<'a> {
    /// Its name; not secret.
    #[schema(example = "helpdesk")]
    id: &'a str,
    /// What it may do.
    #[schema(schema_with = crate::openapi::roles)]
    role: Role,
    /// For which sellers; none named means all.
    #[schema(value_type = Vec<String>)]
    sellers: &'a [SellerId],
    /// When it ends by itself; absent means never.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// Whether it can be used.
    #[schema(schema_with = crate::openapi::token_statuses)]
    status: TokenStatus,
    /// When it was last used, as far as is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<Time>,
}

impl<'a> TokenView<'a> {
    fn new(grant: &'a Grant, access: &Access, now: DateTime<Utc>, last_used: Option<DateTime<Utc>>) -> Self {
        Self {
            id: &grant.id,
            role: grant.role,
            sellers: &grant.sellers,
            expires_at: grant.expires_at.map(Time),
            status: access.status(grant, now),
            last_used: last_used.map(Time),
        }
    }
}

/// Lists the tokens whose sellers are all within the reach of the token presented.
#[utoipa::path(
    get, path = "/v1/tokens", operation_id = "listTokens", tag = "tokens", params(Params),
    responses((status = 200, description = "The tokens.", body = List<'_>)), security(("token" = [])),
)]
pub(crate) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    query.count("tokens", listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Admin)?;
    let params: Params = params::read(request.query_string())?;
    let seller = params::given("seller", params.seller.as_deref(), SellerId::parse)?;
    caller.must_cover(seller.as_ref())?;
    let last_used = last_used(query).await;
    let (now, position, access) = (query.commands.now(), query.progress.position(), query.index.access());
    let within = |grant: &&Grant| {
        caller.reaches_all(&grant.sellers) && seller.as_ref().is_none_or(|seller| grant.covers(seller))
    };
    let view = |grant| TokenView::new(grant, &access, now, last_used.get(&grant.id).copied());
    let tokens = access.grants().iter().filter(within).map(view).collect();
    Ok(json::response_at(&List { tokens, position: PositionText(position) }, position))
}

/// When tokens were last used. A list without that is better than none.
async fn last_used(query: &Query) -> HashMap<String, DateTime<Utc>> {
    query.seen.token_last_used().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "when tokens were last used is not known");
        HashMap::new()
    })
}

/// A token that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// Its name in lists and in the history of licenses: 1 to 64 characters of `A-Za-z0-9._-`, and for ever. Made with a
    /// token of some sellers, it gets `-` and 8 random characters at its end, and has at most 55 before.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$", example = "helpdesk")]
    id: String,
    /// What it may do.
    #[schema(schema_with = crate::openapi::roles)]
    role: Role,
    /// For which sellers, at least one; absent means all.
    #[schema(schema_with = crate::openapi::seller_ids, required = false)]
    sellers: Option<Vec<SellerId>>,
    /// After how many seconds it ends by itself; absent means never.
    #[schema(minimum = 1, maximum = 315_360_000_u32)]
    expires_in_seconds: Option<u32>,
}

/// A token just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedToken<'a> {
    #[serde(flatten)]
    view: TokenView<'a>,
    /// The token itself. It is shown this once.
    #[schema(pattern = "^cmk_[0-9a-f]{64}$")]
    token: &'a str,
    position: PositionText,
}

/// Makes a token. It is shown in this answer and never again; its name may be longer than the one asked for.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "createToken", tag = "tokens", request_body = TokenRequest,
    responses((status = 201, description = "The token.", body = CreatedToken<'_>)), security(("token" = [])),
)]
pub(crate) async fn create(query: web::Data<Query>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    query.count("tokens", created(&query, &request, payload).await)
}

async fn created(query: &Query, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Admin)?;
    let sent = body::read(payload, query.body_bytes).await?;
    let TokenRequest { id, role, sellers, expires_in_seconds } = params::object(&sent)?;
    let sellers = sellers_of(sellers)?;
    if !caller.reaches_all(&sellers) {
        let detail = "a token made with this one reaches no further: name `sellers`, all of them this token's own";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    must_be_known(query, &caller, &sellers)?;
    let now = query.commands.now();
    let wanted = TokenWanted { id, role, sellers, expires_in_seconds };
    let made = if caller.sellers().is_some() { new_token_of_some(wanted, now) } else { new_token(wanted, now) };
    let NewToken { text, grant } = made.map_err(|error| Problem::malformed(error.to_string()))?;
    let done = query.commands.create_token(grant.clone(), &caller.cause()).await.map_err(Problem::of_command)?;
    let position = done.unwrap_or_else(|| query.progress.position());
    // Who uses the token at once must not be told that it is unknown.
    query.wait_for(position).await;
    let view = TokenView::new(&grant, &Access::default(), now, None);
    let created = CreatedToken { view, token: text.expose_secret(), position: PositionText(position) };
    Ok(HttpResponse::Created()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((json::POSITION_HEADER, position.0))
        .body(json::to_bytes(&created)))
}

/// The sellers named; none means all. A list that came out empty by mistake must not open everything.
fn sellers_of(named: Option<Vec<SellerId>>) -> Result<Vec<SellerId>, Problem> {
    match named {
        Some(named) if named.is_empty() => {
            Err(Problem::malformed("`sellers` is empty: name the token's sellers, or leave `sellers` out for all"))
        }
        named => Ok(named.unwrap_or_default()),
    }
}

/// A token for a seller that nobody has heard of would reach whoever gets that name later.
fn must_be_known(query: &Query, caller: &Caller, sellers: &[SellerId]) -> Result<(), Problem> {
    let known = query.index.sellers();
    let is_known =
        |seller: &SellerId| known.contains(seller) || caller.sellers().is_some_and(|own| own.contains(seller));
    match sellers.iter().find(|seller| !is_known(seller)) {
        None => Ok(()),
        Some(unknown) => Err(Problem::malformed(format!("`sellers`: there is no seller {unknown} here; check the id"))),
    }
}

/// Takes a token back, for good. One that was taken back stays so; the token presented is not taken back.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", operation_id = "revokeToken", tag = "tokens",
    params(("id" = String, Path, description = "The token's name.")),
    responses((status = 204, description = "It is taken back.")), security(("token" = [])),
)]
pub(crate) async fn revoke(query: web::Data<Query>, id: web::Path<String>, request: HttpRequest) -> HttpResponse {
    query.count("tokens", revoked(&query, &id, &request).await)
}

async fn revoked(query: &Query, id: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, query, Role::Admin)?;
    let access = query.index.access();
    let within = |grant: &&Grant| grant.id == id && caller.reaches_all(&grant.sellers);
    if access.grants().iter().rfind(within).is_none() {
        return Err(Problem::no_such_token());
    }
    if caller.id() == id {
        let detail = "a token does not take itself back, lest nobody is left who can: use another, or `chopmark token`";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    let position = query.commands.revoke_token(id, &caller.cause()).await.map_err(Problem::of_command)?;
    if let Some(position) = position {
        query.wait_for(position).await;
    }
    Ok(HttpResponse::NoContent().finish())
}
