//! Licenses: the search, and one with its time line, now or as it was.

pub(super) mod history;
mod shown;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chopmark_domain::access::Role;
use serde::Deserialize;

use self::history::History;
use self::shown::{Entry, List, Shown};
use super::frame::{Frame, Section, SellerChoice};
use super::links::Link;
use super::visitor::{Turned, Visitor};
use super::{answered, response, show};
use crate::problem::Problem;
use crate::{Query, history as api_history, licenses, params};

/// Licenses of a page.
const PAGE: &str = "50";
/// Events of a page.
const EVENTS: &str = "100";
/// The statuses that a license can be looked for by, as the API names them.
const STATUSES: [&str; 4] = ["pending", "active", "frozen", "released"];

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    id: String,
    seller: String,
    status: String,
    product: String,
    cursor: String,
}

impl Asked {
    fn link(&self, path: &str) -> Link {
        let Self { id, seller, status, product, .. } = self;
        Link::to(path)
            .with("id", id.trim())
            .with("seller", seller)
            .with("status", status)
            .with("product", product.trim())
    }

    fn is_narrowed(&self) -> bool {
        !self.link("").query().is_empty()
    }
}

#[derive(Template)]
#[template(path = "licenses.html")]
struct Search {
    frame: Frame,
    choice: SellerChoice,
    asked: Asked,
    list: List,
    more: Option<String>,
}

/// Reads an answer of the API.
pub(super) fn read<'a, T: Deserialize<'a>>(answer: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(answer).map_err(|error| {
        tracing::error!(%error, "the console does not understand an answer of the API");
        Problem::new(crate::Kind::Internal, "an answer of the API was not understood; see the server's log")
    })
}

/// The search.
pub(super) async fn list(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    answered(&query, &request, listed(&query, &request).await)
}

async fn listed(query: &Query, request: &HttpRequest) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Support)?;
    let asked: Asked = params::read(request.query_string())?;
    let link = asked.link("/console/licenses");
    let question = link.clone().with("cursor", &asked.cursor).with("limit", PAGE);
    let (answer, _) = licenses::list::written(query, &visitor.caller, question.query()).await?;
    let list: List = read(&answer)?;
    let page = Search {
        frame: Frame::new(request, &visitor, Section::Licenses),
        choice: SellerChoice::new(query, &visitor, &asked.seller),
        more: list.next_cursor.as_deref().map(|cursor| link.with("cursor", cursor).to_string()),
        asked,
        list,
    };
    Ok(response::page(StatusCode::OK, &page)?)
}

/// Which license, and as of when.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AskedOne {
    seller: String,
    /// RFC 3339, as links have it.
    as_of: String,
    /// A date-and-time field, as the form has it.
    then: String,
    cursor: String,
}

#[derive(Template)]
#[template(path = "license.html")]
struct One<'a> {
    frame: Frame,
    license: &'a Entry,
    shown: &'a Shown,
    history: History,
    /// What the form begins with.
    then: String,
    more: Option<String>,
}

/// One license.
pub(super) async fn show(query: web::Data<Query>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    answered(&query, &request, one(&query, &request, &id).await)
}

async fn one(query: &Query, request: &HttpRequest, id: &str) -> Result<HttpResponse, Turned> {
    let visitor = Visitor::of(request, query, Role::Support)?;
    let asked: AskedOne = params::read(request.query_string())?;
    if !asked.then.is_empty() {
        let then = show::read_field(&asked.then).ok_or_else(|| Problem::malformed("say a date and a time"))?;
        let as_of = then.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let link = Link::to("/console/licenses").into_one(id).with("seller", &asked.seller).with("as_of", &as_of);
        return Ok(response::see_other(&link.to_string(), &[]));
    }
    let whose = Link::to("").with("seller", &asked.seller);
    let question = whose.clone().with("as_of", &asked.as_of);
    let (answer, _) = licenses::show::written(query, &visitor.caller, id, question.query()).await?;
    let shown: Shown = read(&answer)?;
    let question = whose.with("cursor", &asked.cursor).with("limit", EVENTS);
    let (told, _) = api_history::written(query, &visitor.caller, id, question.query()).await?;
    let mut history: History = read(&told)?;
    if let Some(as_of) = shown.as_of {
        history.forget_after(as_of);
    }
    let here = Link::to("/console/licenses").into_one(id).with("seller", &asked.seller).with("as_of", &asked.as_of);
    let page = One {
        frame: Frame::new(request, &visitor, Section::Licenses),
        license: &shown.license,
        then: show::field(shown.as_of.unwrap_or_else(|| query.commands.now())),
        more: history.next_cursor.as_deref().map(|cursor| here.with("cursor", cursor).to_string()),
        shown: &shown,
        history,
    };
    Ok(response::page(StatusCode::OK, &page)?)
}
