//! HTTP for software, finance and operators: checks, licenses, deliveries.
//!
//! Answers come from the license index in memory; what only the log knows, such as the orders of one license, is read
//! from its stream. Nothing here changes anything.
//!
//! | path | is |
//! | --- | --- |
//! | `POST /v1/checks` | may this software run? No token |
//! | `GET /v1/licenses` | licenses, page by page |
//! | `GET /v1/licenses/{id}` | one license with its orders |
//! | `GET /v1/deliveries` | what the marketplace delivered to this node, and orders at risk |
//! | `GET /livez`, `GET /readyz` | see [`health()`] |
//!
//! Every answer carries the position of the log that it was computed at, as the member `position` and as the header
//! [`POSITION_HEADER`]. Every error is a [`Problem`].

mod body;
mod caller;
mod checks;
mod deliveries;
mod health;
mod json;
mod license_view;
mod licenses;
mod metrics;
mod order_view;
mod params;
mod problem;
mod question;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::{HttpResponse, ResponseError, web};
use chopmark_commands::Commands;
use chopmark_domain::ids::{OrderId, SellerId};
use chopmark_journal::Journal;
use chopmark_log::Position;
use chopmark_log::progress::Progress;
use chopmark_projector::LicenseIndex;
use chrono::{DateTime, Utc};

pub use health::health;
pub use json::POSITION_HEADER;
pub use licenses::describe;
pub use metrics::QueryMetrics;
pub use problem::{Kind, Problem};

/// How long an answer waits for a position, the one that a check names for example, before it is answered with what there is.
const MIN_POSITION_PATIENCE: Duration = Duration::from_secs(2);

/// What the API listener works with. One for all its workers.
pub struct Query {
    index: LicenseIndex,
    progress: Progress,
    /// Once ready is for ever ready, so that nobody needs to ask `progress` again.
    was_ready: AtomicBool,
    commands: Commands,
    journal: Journal,
    orders_at_risk: OrdersAtRisk,
    metrics: QueryMetrics,
    body_bytes: usize,
}

/// Tells which orders' facts are still asked for, or were given up. The reactor knows; a process without one tells none.
pub type OrdersAtRisk = Arc<dyn Fn() -> Vec<OrderAtRisk> + Send + Sync>;

/// An order whose facts are not known although a callback named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAtRisk {
    /// Whose order.
    pub seller: SellerId,
    /// Which.
    pub order_id: OrderId,
    /// Since when its facts are wanted, UTC.
    pub since: DateTime<Utc>,
    /// How often was asked.
    pub attempts: u32,
    /// What went wrong the last time.
    pub reason: Option<String>,
    /// Asking was given up.
    pub abandoned: bool,
}

impl Query {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        index: LicenseIndex,
        commands: Commands,
        journal: Journal,
        orders_at_risk: OrdersAtRisk,
        metrics: QueryMetrics,
    ) -> Self {
        Self {
            progress: index.progress(),
            was_ready: AtomicBool::new(false),
            index,
            commands,
            journal,
            orders_at_risk,
            metrics,
            body_bytes: body::BODY_BYTES,
        }
    }

    /// The same, taking bodies of at most so many bytes; without this 64 KiB.
    #[must_use]
    pub fn with_body_bytes(self, body_bytes: usize) -> Self {
        Self { body_bytes, ..self }
    }

    /// Turns everything away until the index has caught up with the log for the first time.
    fn must_be_ready(&self) -> Result<(), Problem> {
        if self.was_ready.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !self.progress.is_caught_up() {
            return Err(health::not_ready());
        }
        self.was_ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Counts what a token route answers.
    fn count(&self, route: &str, answer: Result<HttpResponse, Problem>) -> HttpResponse {
        let response = answer.unwrap_or_else(|problem| problem.error_response());
        self.metrics.answered(route, response.status().as_u16());
        response
    }

    /// Waits until the index has come to a position, but not for long.
    async fn wait_for(&self, position: Position) {
        if tokio::time::timeout(MIN_POSITION_PATIENCE, self.progress.reached(position)).await.is_err() {
            tracing::debug!(%position, reached = %self.progress.position(), "the index has not come to a position in time");
        }
    }
}

/// All routes of the API on one listener.
pub fn configure(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    add_checks(config);
    add_views(config);
    add_rest(config, query);
}

/// The routes that everybody may use: checks and health.
pub fn configure_checks(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    add_checks(config);
    add_rest(config, query);
}

/// The routes that need a token, and health.
pub fn configure_views(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    add_views(config);
    add_rest(config, query);
}

fn add_checks(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/v1/checks").route(web::post().to(checks::check)).default_service(problem::wrong_method("POST")),
    );
}

fn add_views(config: &mut web::ServiceConfig) {
    config
        .service(view("/v1/licenses", web::get().to(licenses::list)))
        .service(view("/v1/licenses/{id}", web::get().to(licenses::show)))
        .service(view("/v1/deliveries", web::get().to(deliveries::list)));
}

/// What every listener of the API has.
fn add_rest(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    let progress = query.progress.clone();
    config.app_data(query).configure(health(progress)).default_service(problem::no_such_path());
}

fn view(path: &str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(problem::wrong_method("GET"))
}
