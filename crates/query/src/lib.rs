//! HTTP for software, finance and operators: checks, licenses, deliveries.
//!
//! Answers come from the license index in memory; what only the log knows, such as the orders of one license, is read
//! from its stream. What changes the log is a command: a seat, a deployment first seen, what an operator decides. A check
//! of what is known changes nothing.
//!
//! | path | is |
//! | --- | --- |
//! | `POST /v1/checks` | may this software run? No token |
//! | `PUT`, `DELETE /v1/licenses/{id}/machines/{fingerprint}` | a machine takes a seat or gives it up; no token |
//! | `GET /.well-known/jwks.json` | the keys that leases are signed with; no token |
//! | `GET /v1/licenses` | licenses, page by page |
//! | `GET /v1/licenses/{id}` | one license with its orders, now or as it was |
//! | `GET /v1/licenses/{id}/history` | its events, and what is behind each |
//! | `POST /v1/licenses/{id}/explain` | why a check was answered as it was |
//! | `PUT`, `DELETE /v1/licenses/{id}/block` | an operator stops it, or lets it go on |
//! | `GET /v1/licenses/{id}/machines` | its machines, and when they were last seen |
//! | `GET /v1/deliveries` | what the marketplace delivered to this node, and what is at risk |
//! | `/v1/settlement/…` | what was sold, what will be paid and when, and why the bill says something else |
//! | `GET`, `POST /v1/tokens`, `DELETE /v1/tokens/{id}` | who may look things up |
//! | `GET /console` | the same for people, as pages; they log in with a token |
//! | `GET /openapi.json` | all of this, as OpenAPI 3.1; no token |
//! | `GET /livez`, `GET /readyz` | see [`health()`] |
//!
//! Every answer carries the position of the log that it was computed at, as the member `position` and as the header
//! [`POSITION_HEADER`]. Every error is a [`Problem`].

mod asker;
mod at_risk;
mod blocking;
mod body;
mod caller;
mod checks;
mod code_lookup;
mod console;
mod deliveries;
mod explain;
mod find;
mod health;
mod history;
mod json;
mod jwks;
mod license_view;
mod licenses;
mod limits;
mod looking_back;
mod machines;
mod metrics;
mod openapi;
mod order_view;
mod params;
mod problem;
mod question;
mod settlement;
mod staleness;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, ResponseError, web};
use chopmark_billing::report::Billing;
use chopmark_commands::Commands;
use chopmark_journal::Journal;
use chopmark_log::Position;
use chopmark_log::progress::Progress;
use chopmark_projector::LicenseIndex;
use chopmark_signing::LeaseIssuer;
use chopmark_views::Seen;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

pub use at_risk::{ErrandsAtRisk, OrdersAtRisk};
pub use blocking::{BlockReasonError, block_reason};
use checks::steady::SteadyAnswers;
pub use code_lookup::{CodeLookedUp, CodeLookup};
use console::Console;
pub use explain::explain_license;
pub use health::health;
pub use history::describe_history;
pub use json::POSITION_HEADER;
pub use licenses::{describe, describe_at};
pub use limits::LimitSettings;
use limits::Limits;
pub use metrics::QueryMetrics;
pub use openapi::openapi;
pub use problem::{Kind, Problem};
pub use staleness::{STALE_HEADER, Staleness};
pub use tokens::{NewToken, TokenWanted, TokenWantedError, new_token, token_text};

/// How long an answer waits for a position, the one that a check names for example, before it is answered with what there is.
const MIN_POSITION_PATIENCE: Duration = Duration::from_secs(2);

/// Activations of one license's machines within a day, where nothing else is said.
const ACTIVATIONS_A_DAY: u32 = 50;

/// Memory for answers to checks that are given again, bytes, where nothing else is said.
const STEADY_ANSWERS_BYTES: u64 = 64 * 1024 * 1024;

/// What the API listener works with. One for all its workers.
pub struct Query {
    index: LicenseIndex,
    progress: Progress,
    /// Once ready is for ever ready, so that nobody needs to ask `progress` again.
    was_ready: AtomicBool,
    commands: Commands,
    /// Where callbacks are taken.
    journal: Option<Journal>,
    orders_at_risk: OrdersAtRisk,
    errands_at_risk: ErrandsAtRisk,
    leases: Arc<LeaseIssuer>,
    steady_answers: SteadyAnswers,
    seen: Seen,
    codes: Option<Arc<dyn CodeLookup>>,
    settlement: Option<settlement::Settlement>,
    limits: Limits,
    /// What the console remembers.
    console: Console,
    /// Enrolments of one deployment within a day that are recorded.
    enrolments_a_day: u32,
    /// Activations of one license's machines within a day.
    activations_a_day: u32,
    metrics: QueryMetrics,
    body_bytes: usize,
    /// When this process began to give out leases, UTC. What an earlier one gave out last may not be on record.
    began: DateTime<Utc>,
    /// Other processes give out leases too.
    is_among_others: bool,
}

/// What a [`Query`] cannot do without.
pub struct Parts {
    /// The license index.
    pub index: LicenseIndex,
    /// What changes the log.
    pub commands: Commands,
    /// The delivery journal of this node, if it takes callbacks.
    pub journal: Option<Journal>,
    /// Tells which orders are at risk.
    pub orders_at_risk: OrdersAtRisk,
    /// Tells which errands for licenses are at risk.
    pub errands_at_risk: ErrandsAtRisk,
    /// Gives out leases.
    pub leases: Arc<LeaseIssuer>,
    /// Remembers when machines, deployments and tokens were last seen.
    pub seen: Seen,
    /// What is counted.
    pub metrics: QueryMetrics,
}

impl Query {
    /// Puts the parts together, with the limits of [`LimitSettings::default`] and nobody to ask for license codes.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { index, commands, journal, orders_at_risk, errands_at_risk, leases, seen, metrics } = parts;
        let limits = LimitSettings::default();
        Self {
            progress: index.progress(),
            was_ready: AtomicBool::new(false),
            began: commands.now(),
            is_among_others: false,
            index,
            commands,
            journal,
            orders_at_risk,
            errands_at_risk,
            leases,
            steady_answers: SteadyAnswers::new(STEADY_ANSWERS_BYTES),
            seen,
            codes: None,
            settlement: None,
            console: Console::default(),
            enrolments_a_day: limits.enrolments_per_deployment_and_day,
            activations_a_day: ACTIVATIONS_A_DAY,
            limits: Limits::new(limits, Instant::now()),
            metrics,
            body_bytes: body::BODY_BYTES,
        }
    }

    /// The same, taking bodies of at most so many bytes; without this 64 KiB.
    #[must_use]
    pub fn with_body_bytes(self, body_bytes: usize) -> Self {
        Self { body_bytes, ..self }
    }

    /// The same with these limits.
    #[must_use]
    pub fn with_limits(self, settings: LimitSettings) -> Self {
        let enrolments_a_day = settings.enrolments_per_deployment_and_day;
        Self { limits: Limits::new(settings, Instant::now()), enrolments_a_day, ..self }
    }

    /// The same, with memory of so many bytes for answers to checks that are given again; without this 64 MiB.
    #[must_use]
    pub fn with_steady_answers(self, bytes: u64) -> Self {
        Self { steady_answers: SteadyAnswers::new(bytes), ..self }
    }

    /// The same, letting so many machines of one license be activated within a day; twice its seats are at least.
    /// Without this 50.
    #[must_use]
    pub fn with_activations_a_day(self, activations_a_day: u32) -> Self {
        Self { activations_a_day, ..self }
    }

    /// The same beside other processes that give out leases too: what they gave out last may not be on record.
    #[must_use]
    pub fn among_others(self) -> Self {
        Self { is_among_others: true, ..self }
    }

    /// The same, asking the marketplace for license codes that the log does not know.
    #[must_use]
    pub fn with_codes(self, codes: Arc<dyn CodeLookup>) -> Self {
        Self { codes: Some(codes), ..self }
    }

    /// The same, answering what finance asks from these billing views.
    #[must_use]
    pub fn with_billing(self, billing: Billing) -> Self {
        Self { settlement: Some(settlement::Settlement::new(billing)), ..self }
    }

    /// The time by which verdicts are judged, UTC: no finer than answers show it, so that a verdict can be explained from
    /// its answer.
    fn now(&self) -> DateTime<Utc> {
        self.commands.now().trunc_subsecs(3)
    }

    /// Whether leases are given out of which this process may not know yet.
    fn may_others_give_leases(&self) -> bool {
        self.is_among_others || self.seen.is_shared()
    }

    /// Since when every lease of a machine is noted, UTC; `None` where others may be giving one out just now.
    fn noted_since(&self) -> Option<DateTime<Utc>> {
        (!self.may_others_give_leases())
            .then(|| self.seen.dropped_at().map_or(self.began, |dropped| dropped.max(self.began)))
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

    /// Says with each answer if the index may be behind the log: middleware for whoever serves the routes.
    #[must_use]
    pub fn staleness(&self) -> Staleness {
        Staleness::of(self.index.contact())
    }

    /// Counts what a token route answers.
    fn count(&self, route: &str, answer: Result<HttpResponse, Problem>) -> HttpResponse {
        let response = answer.unwrap_or_else(|problem| problem.error_response());
        self.metrics.answered(route, response.status().as_u16());
        response
    }

    /// Waits until the index has what the log has now, but not for long.
    async fn wait_for_head(&self) {
        if let Ok(head) = self.commands.log().head().await {
            self.wait_for(head).await;
        }
    }

    /// Waits until the index has come to a position, but not for long.
    async fn wait_for(&self, position: Position) {
        if tokio::time::timeout(MIN_POSITION_PATIENCE, self.progress.reached(position)).await.is_err() {
            tracing::debug!(%position, reached = %self.progress.position(), "the index has not come to a position in time");
        }
    }
}

/// The first whole millisecond that is not before a time.
fn up_to_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    let cut = at.trunc_subsecs(3);
    if cut < at { cut + TimeDelta::milliseconds(1) } else { at }
}

/// All routes of the API on one listener.
pub fn configure(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    add_checks(config);
    add_views(config);
    add_rest(config, query);
}

/// The routes that everybody may use: checks, seats, keys and health.
pub fn configure_checks(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    add_checks(config);
    add_rest(config, query);
}

/// The routes that need a token, seats, since operators free them too, and health.
pub fn configure_views(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    add_seats(config);
    add_views(config);
    add_rest(config, query);
}

fn add_checks(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/v1/checks")
                .route(web::post().to(checks::check))
                .default_service(problem::wrong_method("POST")),
        )
        .service(health::resource("/.well-known/jwks.json", health::look().to(jwks::show)));
    add_seats(config);
}

/// Machines prove themselves by their leases, and operators by their tokens.
fn add_seats(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/v1/licenses/{id}/machines/{fingerprint}")
            .route(web::put().to(machines::activate))
            .route(web::delete().to(machines::free))
            .default_service(problem::wrong_method("PUT, DELETE")),
    );
}

fn add_views(config: &mut web::ServiceConfig) {
    console::add_console(config);
    settlement::add_settlement(config);
    config
        .service(view("/v1/licenses", web::get().to(licenses::list::list)))
        .service(view("/v1/licenses/{id}", web::get().to(licenses::show::show)))
        .service(view("/v1/licenses/{id}/history", web::get().to(history::history)))
        .service(
            web::resource("/v1/licenses/{id}/explain")
                .route(web::post().to(explain::explain))
                .default_service(problem::wrong_method("POST")),
        )
        .service(
            web::resource("/v1/licenses/{id}/block")
                .route(web::put().to(blocking::block))
                .route(web::delete().to(blocking::unblock))
                .default_service(problem::wrong_method("PUT, DELETE")),
        )
        .service(view("/v1/licenses/{id}/machines", web::get().to(machines::list)))
        .service(view("/v1/deliveries", web::get().to(deliveries::list)))
        .service(
            web::resource("/v1/tokens")
                .route(web::get().to(tokens::list))
                .route(web::post().to(tokens::create))
                .default_service(problem::wrong_method("GET, POST")),
        )
        .service(
            web::resource("/v1/tokens/{id}")
                .route(web::delete().to(tokens::revoke))
                .default_service(problem::wrong_method("DELETE")),
        );
}

/// What every listener of the API has.
fn add_rest(config: &mut web::ServiceConfig, query: web::Data<Query>) {
    let progress = query.progress.clone();
    config
        .app_data(query)
        .configure(health(Some(progress)))
        .service(health::resource("/openapi.json", health::look().to(openapi::describe)))
        .default_service(problem::no_such_path());
}

fn view(path: &str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(problem::wrong_method("GET"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_rounded_up_is_not_before_it() {
        for (at, expected) in [
            ("2026-11-24T12:00:00.123Z", "2026-11-24T12:00:00.123Z"),
            ("2026-11-24T12:00:00.123000001Z", "2026-11-24T12:00:00.124Z"),
            ("2026-11-24T12:00:00.999999Z", "2026-11-24T12:00:01Z"),
        ] {
            let [at, expected] = [at, expected].map(|time| time.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(up_to_millis(at), expected, "{at}");
        }
    }
}
