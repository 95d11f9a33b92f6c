//! Pages that say what is wrong and what to do.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::frame::{Frame, Section};
use super::links::Link;
use super::response;
use super::visitor::Turned;
use crate::problem::{Kind, Problem};

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure {
    frame: Frame,
    status: u16,
    title: String,
    mend: String,
    /// The API's own words, where they say more: what is wrong with a parameter.
    detail: Option<String>,
}

/// What somebody gets who does not get a page.
pub(super) fn answer(request: &HttpRequest, turned: Turned) -> HttpResponse {
    match turned {
        Turned::ToLogin { next } => {
            let login = Link::to("/console/login").with("next", if next == "/console" { "" } else { &next });
            response::see_other(&login.to_string(), &[])
        }
        Turned::NothingYet => {
            let frame = Frame::bare(request);
            let (title, mend) = (frame.t.no_seller.into(), frame.t.no_seller_mend.into());
            shown(&Failure { frame, status: 404, title, mend, detail: None }, StatusCode::NOT_FOUND)
        }
        Turned::StaleForm => stale(request),
        Turned::Away(problem) => explained(request, &problem),
    }
}

/// A problem as a page.
pub(super) fn explained(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let frame = Frame::bare(request);
    let (name, status) = (problem.kind().name(), problem.status_code());
    let (title, mend) = (frame.word("problem", name), frame.word("mend", name));
    let detail = matches!(problem.kind(), Kind::MalformedRequest | Kind::TooMuch | Kind::FileRefused)
        .then(|| problem.detail().to_owned());
    shown(&Failure { frame, status: status.as_u16(), title, mend, detail }, status)
}

fn stale(request: &HttpRequest) -> HttpResponse {
    let frame = Frame::bare(request);
    let (title, mend) = (frame.t.stale_form.into(), frame.t.stale_form_mend.into());
    shown(&Failure { frame, status: 403, title, mend, detail: None }, StatusCode::FORBIDDEN)
}

/// For addresses under `/console` that lead nowhere.
pub(super) async fn no_such_page(request: HttpRequest) -> HttpResponse {
    explained(&request, &Problem::new(Kind::NoSuchPath, "no such page"))
}

fn shown(failure: &Failure, status: StatusCode) -> HttpResponse {
    response::page(status, failure).unwrap_or_else(|problem| problem.error_response())
}
