//! The console: what the API tells programs, told to people, as pages under `/console`.
//!
//! ```text
//! cookie ─▶ Sessions ─▶ token still good? ─▶ Visitor ─▶ page: the API's own answer ─▶ template ─▶ HTML
//! ```
//!
//! Pages are written on the server and work without scripts; one small script makes some of them handier. Everything a
//! page uses is in the binary. A page shows what the API answers to the same question: licenses, history and deliveries
//! are read from those answers, settlement from the reports behind them.

mod assets;
mod cookies;
mod deliveries;
mod failure;
mod forms;
mod frame;
mod language;
mod licenses;
mod links;
mod login;
mod money;
mod response;
mod sessions;
mod settlement;
mod show;
mod texts;
mod visitor;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, guard, web};

use self::sessions::Sessions;
use self::settlement::Uploads;
use self::visitor::Turned;
use crate::{Query, problem};

/// What the console remembers, in memory alone.
#[derive(Debug, Default)]
pub(crate) struct Console {
    /// Who is logged in.
    sessions: Sessions,
    /// Files that were looked at and not taken up yet.
    uploads: Uploads,
}

/// The pages, and what they are dressed with.
pub(crate) fn add_console(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/")
            .guard(guard::fn_guard(|context| context.head().headers().get(header::ACCEPT).is_some_and(wants_html)))
            .route(web::get().to(async || response::see_other("/console", &[]))),
    );
    config.service(
        web::scope("/console")
            .service(page("", web::get().to(start)))
            .service(page("/login", web::get().to(login::show)).route(web::post().to(login::log_in)))
            .service(form("/logout", web::post().to(login::log_out)))
            .service(form("/language", web::post().to(login::speak)))
            .service(page("/settlement", web::get().to(settlement::overview::show)))
            .service(
                page("/settlement/line", web::get().to(settlement::line::show))
                    .route(web::post().to(settlement::facts::state)),
            )
            .service(
                page("/settlement/{period}", web::get().to(settlement::period::show))
                    .route(web::post().to(settlement::adjustment::record)),
            )
            .service(
                page("/settlement/{period}/reconciliation", web::get().to(settlement::reconciliation::show))
                    .route(web::post().to(settlement::reconciliation::judge)),
            )
            .service(
                page("/settlement/{period}/close", web::get().to(settlement::close::show))
                    .route(web::post().to(settlement::close::close)),
            )
            .service(page("/bills", web::get().to(settlement::bills::show)))
            .service(form("/bills/preview", web::post().to(settlement::preview::look)))
            .service(form("/bills/read", web::post().to(settlement::preview::look_again)))
            .service(form("/bills/import", web::post().to(settlement::preview::import)))
            .service(page("/download/{report}", web::get().to(settlement::downloads::send)))
            .service(page("/licenses", web::get().to(licenses::list)))
            .service(page("/licenses/{id}", web::get().to(licenses::show)))
            .service(page("/deliveries", web::get().to(deliveries::list)))
            .service(page("/assets/{name}", web::get().to(assets::show)))
            .default_service(web::to(failure::no_such_page)),
    );
}

fn page(path: &str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(problem::wrong_method("GET"))
}

fn form(path: &str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(problem::wrong_method("POST"))
}

fn wants_html(accepted: &header::HeaderValue) -> bool {
    accepted.to_str().is_ok_and(|accepted| accepted.contains("text/html"))
}

/// The first page is the one that the visitor's role is for.
async fn start(query: web::Data<Query>, request: HttpRequest) -> HttpResponse {
    let first = visitor::Visitor::of(&request, &query, chopmark_domain::access::Role::Support)
        .map(|visitor| if visitor.sees_money() { "/console/settlement" } else { "/console/licenses" });
    answered(&query, &request, first.map(|page| response::see_other(page, &[])))
}

/// What a page answers: itself, the way to the login, or what is wrong, in words.
fn answered(query: &Query, request: &HttpRequest, page: Result<HttpResponse, Turned>) -> HttpResponse {
    let response = page.unwrap_or_else(|turned| failure::answer(request, turned));
    query.metrics.answered("console", response.status().as_u16());
    response
}
