//! `/v1/settlement`: what was sold, what will be paid and when, and why the bill says something else.
//!
//! Reports come from [`chopmark_billing::report`]; here they meet HTTP: who asks, of which seller, how up to date, and as
//! JSON or as a table. What changes something is a command, and is answered once the reports have it.

pub(crate) mod adjustments;
pub(crate) mod bills;
pub(crate) mod closing;
pub(crate) mod desk;
pub(crate) mod events;
pub(crate) mod forecast;
pub(crate) mod lines;
pub(crate) mod mappings;
pub(crate) mod periods;
pub(crate) mod progress;
pub(crate) mod quotes;
pub(crate) mod reconciliation;
pub(crate) mod statements;
pub(crate) mod table;
pub(crate) mod transactions;
pub(crate) mod upload;

use actix_web::web;
use chopmark_billing::report::Billing;
use tokio::sync::Semaphore;

use crate::problem;
use crate::view;

/// Uploads and reconciliations that are worked on at once: each may take some hundred megabytes. Others wait.
const HEAVY_AT_ONCE: usize = 2;

/// What the routes of settlement work with.
pub(crate) struct Settlement {
    billing: Billing,
    heavy: Semaphore,
}

impl Settlement {
    pub(crate) fn new(billing: Billing) -> Self {
        Self { billing, heavy: Semaphore::new(HEAVY_AT_ONCE) }
    }
}

/// The routes.
pub(crate) fn add_settlement(config: &mut web::ServiceConfig) {
    config
        .service(view("/v1/settlement/periods", web::get().to(periods::list)))
        .service(view("/v1/settlement/periods/{period}", web::get().to(periods::show)))
        .service(view("/v1/settlement/periods/{period}/lines", web::get().to(lines::of_period)))
        .service(
            web::resource("/v1/settlement/periods/{period}/close")
                .route(web::get().to(closing::preview))
                .route(web::post().to(closing::close))
                .default_service(problem::wrong_method("GET, POST")),
        )
        .service(view("/v1/settlement/lines", web::get().to(lines::list)))
        .service(view("/v1/settlement/lines/{line_id:.+}", web::get().to(lines::show)))
        .service(view("/v1/settlement/forecast", web::get().to(forecast::show)))
        .service(
            web::resource("/v1/settlement/bills")
                .route(web::get().to(bills::list))
                .route(web::post().to(bills::import))
                .default_service(problem::wrong_method("GET, POST")),
        )
        .service(post("/v1/settlement/bills/{category}/{period}/progress", web::post().to(progress::record)))
        .service(post("/v1/settlement/transactions", web::post().to(transactions::import)))
        .service(
            web::resource("/v1/settlement/mappings")
                .route(web::get().to(mappings::list))
                .route(web::put().to(mappings::save))
                .default_service(problem::wrong_method("GET, PUT")),
        )
        .service(view("/v1/settlement/reconciliation/{period}", web::get().to(reconciliation::show)))
        .service(post("/v1/settlement/reconciliation/{period}/judgements", web::post().to(reconciliation::judge)))
        .service(post("/v1/settlement/quotes", web::post().to(quotes::quote)))
        .service(post("/v1/settlement/statements", web::post().to(statements::state)))
        .service(
            web::resource("/v1/settlement/adjustments")
                .route(web::get().to(adjustments::list))
                .route(web::post().to(adjustments::record))
                .default_service(problem::wrong_method("GET, POST")),
        );
}

fn post(path: &str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(problem::wrong_method("POST"))
}
