//! Logging in and out, and the language.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_domain::access::Role;

use super::cookies::{self, Cookie};
use super::forms::{self, Form};
use super::frame::{Frame, Section};
use super::links::own_page;
use super::visitor::{self, Turned, Visitor, must_be_own_page};
use super::{answered, language, response};
use crate::problem::Problem;
use crate::{Query, params};

/// How long a browser remembers the language.
const LANGUAGE_SECONDS: u32 = 365 * 86_400;

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    frame: Frame,
    /// The page to go to afterwards.
    next: &'a str,
    error: Option<&'static str>,
}

#[derive(serde::Deserialize)]
struct Params {
    next: Option<String>,
}

/// The login page; who is logged in needs none.
pub(super) async fn show(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    answered(&query, &request, shown(&query, &request))
}

fn shown(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Turned> {
    query.must_be_ready()?;
    let Params { next } = params::read(request.query_string())?;
    let next = own_page(next.as_deref().unwrap_or_default());
    if visitor::logged_in(request, query).is_some() {
        return Ok(response::see_other(next, &[]));
    }
    Ok(response::page(StatusCode::OK, &Login { frame: here(request), next, error: None })?)
}

/// The login page is where the language switch comes back to, also after a token that was refused.
fn here(request: &HttpRequest) -> Frame {
    Frame { section: Section::None, ..Frame::bare(request) }
}

/// Takes a token and opens a session.
pub(super) async fn log_in(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let done = logged_in(&query, &request, payload).await;
    answered(&query, &request, done)
}

async fn logged_in(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    query.must_be_ready()?;
    must_be_own_page(request)?;
    let form = Form::read(payload).await?;
    let next = own_page(form.field("next").unwrap_or_default());
    let token = form.field("token").unwrap_or_default().trim();
    let Some(grant) = query.index.grant(token, query.commands.now()) else {
        // Who tries tokens out is slowed down, here as at the API.
        let address = query.limits.client_address(request);
        query.limits.failed(address, Instant::now()).map_err(Problem::from)?;
        let frame = here(request);
        let error = Some(frame.t.token_unknown);
        return Ok(response::page(StatusCode::UNAUTHORIZED, &Login { frame, next, error })?);
    };
    // Whoever was logged in here before no longer is.
    if let Some(before) = cookies::read(request, visitor::COOKIE) {
        query.console.sessions.end(before);
    }
    let name = query.console.sessions.open(&grant, query.commands.now());
    tracing::info!(token = %grant.id, "somebody logged in at the console");
    let session = Cookie::new(visitor::COOKIE, name.expose(), query.limits.came_by_tls(request));
    Ok(response::see_other(next, &[session]))
}

/// Ends the session.
pub(super) async fn log_out(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let done = logged_out(&query, &request, payload).await;
    answered(&query, &request, done)
}

async fn logged_out(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    Visitor::sending(request, query, Role::Support, form.field(forms::SECRET))?;
    if let Some(named) = cookies::read(request, visitor::COOKIE) {
        query.console.sessions.end(named);
    }
    let gone = Cookie::new(visitor::COOKIE, "", query.limits.came_by_tls(request)).lasting(0);
    Ok(response::see_other("/console/login", &[gone]))
}

/// Keeps the language that was chosen, and goes back to the page.
pub(super) async fn speak(query: web::Data<Query>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let done = spoken(&query, &request, payload).await;
    answered(&query, &request, done)
}

async fn spoken(query: &Query, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Turned> {
    must_be_own_page(request)?;
    let form = Form::read(payload).await?;
    let chosen = form.field("to").and_then(language::Language::parse).unwrap_or(language::Language::English);
    let kept = Cookie::new(language::COOKIE, chosen.code(), query.limits.came_by_tls(request));
    Ok(response::see_other(own_page(form.field("back").unwrap_or_default()), &[kept.lasting(LANGUAGE_SECONDS)]))
}
