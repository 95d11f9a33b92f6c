//! `/metrics`: what the parts count, and what is looked up when somebody asks.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data, ServiceConfig};
use chopmark_domain::ids::SellerId;
use chopmark_journal::{AtRisk, Journal};
use chopmark_reactor::Board;
use chrono::Utc;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::at_risk::{self, RETRY_WINDOW};

/// What `/metrics` shows.
///
/// | name | is |
/// | --- | --- |
/// | everything in the registry | see the crates that count it |
/// | `chopmark_orders_at_risk{seller}` | gauge: orders that a customer may have paid for and not got, as far as is known here |
/// | `chopmark_journal_dropped_total` | counter: deliveries that the delivery journal had no room for, where callbacks are taken |
#[derive(Clone)]
pub(super) struct Exposition {
    /// What the parts count.
    pub(super) registry: Registry,
    /// Where failed deliveries are, if callbacks are taken here.
    pub(super) journal: Option<Journal>,
    /// What is still to be done at the marketplace, if that is known here.
    pub(super) board: Option<Board>,
    /// The sellers of the configuration: each has its line, at 0 too.
    pub(super) sellers: Vec<SellerId>,
    /// Those of them that ask for the facts of orders.
    pub(super) asking: BTreeSet<SellerId>,
}

/// The route.
pub(super) fn configure(config: &mut ServiceConfig, exposition: Exposition) {
    config.app_data(Data::new(exposition)).route("/metrics", web::get().to(expose));
}

async fn expose(exposition: Data<Exposition>) -> HttpResponse {
    match exposition.text().await {
        Ok(text) => HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4")).body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

impl Exposition {
    async fn text(&self) -> prometheus::Result<String> {
        let mut families = self.registry.gather();
        families.extend(self.orders_at_risk().await?);
        if let Some(journal) = &self.journal {
            families.extend(dropped(journal)?);
        }
        TextEncoder::new().encode_to_string(&families)
    }

    async fn orders_at_risk(&self) -> prometheus::Result<Vec<MetricFamily>> {
        let help =
            "Orders whose delivery failed the last time, whose facts are not known, or whose license is not delivered.";
        let gauge = IntGaugeVec::new(Opts::new("chopmark_orders_at_risk", help), &["seller"])?;
        self.sellers.iter().for_each(|seller| gauge.with_label_values(&[seller.as_str()]).set(0));
        let orders = self.board.as_ref().map(|board| board.orders().list()).unwrap_or_default();
        let errands = self.board.as_ref().map(|board| board.errands().list()).unwrap_or_default();
        let orders = at_risk::asked_for(orders, &self.asking);
        let errands = at_risk::errands_asked_for(errands, &self.asking);
        for (seller, orders) in at_risk::count(&self.failed().await, &orders, &errands) {
            gauge.with_label_values(&[&seller]).set(i64::try_from(orders).unwrap_or(i64::MAX));
        }
        Ok(gauge.collect())
    }

    /// Deliveries to this node that failed the last time.
    async fn failed(&self) -> Vec<AtRisk> {
        let Some(journal) = &self.journal else { return vec![] };
        journal.at_risk(Utc::now() - RETRY_WINDOW).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "chopmark_orders_at_risk shows only orders without facts");
            vec![]
        })
    }
}

fn dropped(journal: &Journal) -> prometheus::Result<Vec<MetricFamily>> {
    let help = "Deliveries that the delivery journal had no room for.";
    let counter = IntCounter::new("chopmark_journal_dropped_total", help)?;
    counter.inc_by(journal.dropped());
    Ok(counter.collect())
}
