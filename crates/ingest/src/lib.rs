//! HTTP for the marketplace: bytes in, a verified callback, a command, a signed answer out.
//!
//! This crate knows HTTP and the marketplace's manners, no rules. The order of things in one request:
//!
//! ```text
//! body (bounded, timed) ─▶ huawei::callback::verify ─▶ dial test? echo : commands ─▶ index has it ─▶ answer, Body-Sign
//!                                                                                └─▶ delivery journal
//! ```
//!
//! Every answer is HTTP 200 with JSON and, where the seller is known, `Body-Sign` in exactly
//! that case. An answer of success leaves only after its events are on stable storage.

mod body;
mod handler;
mod metrics;
mod note;
mod sellers;
mod take_up;

use std::time::Duration;

use actix_web::web;
use chopmark_commands::Commands;
use chopmark_journal::Journal;
use chopmark_log::progress::Progress;
pub use metrics::IngestMetrics;
pub use sellers::{AppInfos, SellerDoor, Sellers};

/// Bounds on what one request may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body; no real one is nearly as large, and what is larger is refused.
    pub body_bytes: usize,
    /// From the request's head to the answer. The marketplace gives up after five seconds (接口说明,
    /// zh-cn_topic_0070649414); past this we answer `000005` and it calls again.
    pub answer_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 64 << 10, answer_within: Duration::from_secs(4) }
    }
}

/// What the callback listener works with.
pub struct Ingest {
    sellers: Sellers,
    commands: Commands,
    journal: Journal,
    index: Option<Progress>,
    metrics: IngestMetrics,
    limits: Limits,
}

impl Ingest {
    /// Puts the parts together. `index` is this process's license index, if it has one: answers then wait for it, so
    /// that a check that follows sees what was answered.
    #[must_use]
    pub fn new(
        sellers: Sellers,
        commands: Commands,
        journal: Journal,
        index: Option<Progress>,
        metrics: IngestMetrics,
        limits: Limits,
    ) -> Self {
        metrics.begin(&sellers);
        Self { sellers, commands, journal, index, metrics, limits }
    }
}

/// The routes of the callback listener. Whatever else comes there, paths of other services aside, is answered as the
/// marketplace understands.
pub fn configure(config: &mut web::ServiceConfig, ingest: web::Data<Ingest>) {
    config.app_data(ingest).service(
        web::resource(["/callbacks/{seller}", "/callbacks/{seller}/"])
            .route(web::post().to(handler::callback))
            .default_service(web::to(handler::wrong_method)),
    );
    config.default_service(web::to(handler::wrong_path));
}
