//! Closing a month: first the corrections that are proposed, then what it would be closed with, then the button.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_billing::report::closing::ClosingView;
use chopmark_domain::access::Role;

use super::{desk, page_of, period, period_page};
use crate::Query;
use crate::console::forms::{self, Form};
use crate::console::frame::{Frame, Section};
use crate::console::visitor::{Turned, Visitor};
use crate::console::{answered, money, response};
use crate::params::Whose;
use crate::settlement::closing::close_month;
use crate::settlement::desk::{of_report, period as period_named};

#[derive(Template)]
#[template(path = "settlement/close.html")]
struct Page {
    frame: Frame,
    name: String,
    seller: String,
    here: String,
    overview: String,
    period: String,
    view: ClosingView,
    position: String,
}

/// What a month would be closed with.
pub(crate) async fn show(query: web::Data<Query>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    answered(&query, &request, shown(&query, &request, &path).await)
}

async fn shown(query: &Query, request: &HttpRequest, path: &str) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Finance)?;
    let asked = Whose::read(request.query_string())?;
    let desk = desk(query, &visitor, asked.as_ref().map(|seller| seller.as_str()).unwrap_or_default()).await?;
    let period = period_named(path)?;
    let closing = desk.billing().closing(&desk.asking(), period).await.map_err(|error| of_report(&error))?;
    let page = Page {
        frame: Frame::new(request, &visitor, Section::Settlement),
        name: money::month(period),
        seller: desk.seller.to_string(),
        here: format!("/console/settlement/{period}/close"),
        overview: page_of(&desk.seller, "/settlement").to_string(),
        period: period_page(&desk.seller, period).to_string(),
        position: closing.position.to_string(),
        view: closing.value,
    };
    Ok(response::page(StatusCode::OK, &page)?)
}

/// Closes it.
pub(crate) async fn close(
    query: web::Data<Query>,
    request: HttpRequest,
    path: web::Path<String>,
    payload: Payload,
) -> HttpResponse {
    let closed = closed(&query, &request, &path, payload).await;
    answered(&query, &request, closed)
}

async fn closed(query: &Query, request: &HttpRequest, path: &str, payload: Payload) -> Result<HttpResponse, Turned> {
    let form = Form::read(payload).await?;
    let visitor = Visitor::sending(request, query, Role::Finance, form.field(forms::SECRET))?;
    let desk = desk(query, &visitor, form.field("seller").unwrap_or_default()).await?;
    let month = period_named(path)?;
    close_month(query, &desk, month).await?;
    Ok(response::see_other(&period::after(&desk, month, "closed"), &[]))
}
