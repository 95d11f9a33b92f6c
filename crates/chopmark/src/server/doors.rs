//! What each listener works with, put together from the parts.

use std::sync::Arc;

use actix_web::web::Data;
use chopmark_billing::report::Billing;
use chopmark_commands::Commands;
use chopmark_huawei::keys::KeyRing;
use chopmark_ingest::{AppInfos, Ingest, IngestMetrics, SellerDoor, Sellers};
use chopmark_journal::Journal;
use chopmark_log::progress::Progress;
use chopmark_query::{ErrandsAtRisk, LimitSettings, OrdersAtRisk, Query, QueryMetrics};
use chopmark_reactor::Board;
use prometheus::Registry;

use super::exposition::Exposition;
use super::knowledge::Knowledge;
use super::marketplaces::Desk;
use crate::at_risk;
use crate::config::{Config, SellerConfig};
use crate::failure::Failure;

/// What takes callbacks. `index` is this process's license index, if it has one.
pub(super) fn ingest(
    config: &Config,
    commands: &Commands,
    journal: &Journal,
    index: Option<Progress>,
    registry: &Registry,
) -> Result<Data<Ingest>, Failure> {
    let limits =
        chopmark_ingest::Limits { body_bytes: config.limits.callback_body_bytes, ..chopmark_ingest::Limits::default() };
    let metrics = super::registered(IngestMetrics::register(registry))?;
    let (commands, journal) = (commands.clone(), journal.clone());
    Ok(Data::new(Ingest::new(sellers(config), commands, journal, index, metrics, limits)))
}

fn sellers(config: &Config) -> Sellers {
    let door = |seller: &SellerConfig| {
        let products = config.products.iter().filter(|product| product.seller == seller.id);
        let own = products.filter_map(|product| Some((product.sku.clone(), product.app_info.clone()?)));
        SellerDoor {
            keys: KeyRing::new(seller.keys.clone()),
            app_infos: AppInfos { default: seller.app_info.clone(), by_sku: own.collect() },
        }
    };
    config.sellers.iter().map(|seller| (seller.id.clone(), door(seller))).collect()
}

/// What answers questions with.
pub(super) struct Asked {
    /// What changes the log.
    pub(super) commands: Commands,
    /// What was delivered here, where callbacks are taken.
    pub(super) journal: Option<Journal>,
    /// Where codes are asked for.
    pub(super) codes: Arc<Desk>,
    /// The views of settlement.
    pub(super) billing: Option<Billing>,
    /// No other process gives out leases.
    pub(super) is_alone: bool,
}

/// What answers questions.
pub(super) fn query(
    config: &Config,
    asked: Asked,
    knowledge: &Knowledge,
    registry: &Registry,
) -> Result<Data<Query>, Failure> {
    let Asked { commands, journal, codes, billing, is_alone } = asked;
    let (orders_at_risk, errands_at_risk) = tellers(config, &knowledge.board);
    let query = Query::new(chopmark_query::Parts {
        index: knowledge.index.clone(),
        commands,
        journal,
        orders_at_risk,
        errands_at_risk,
        leases: knowledge.leases.clone(),
        seen: knowledge.seen.clone(),
        metrics: super::registered(QueryMetrics::register(registry))?,
    });
    let query = query
        .with_body_bytes(config.limits.api_body_bytes)
        .with_limits(limit_settings(config))
        .with_activations_a_day(config.limits.activations_a_day)
        .with_steady_answers(u64::from(config.limits.answers_mib) * 1024 * 1024)
        .with_codes(codes);
    let query = if is_alone { query } else { query.among_others() };
    Ok(Data::new(match billing {
        Some(billing) => query.with_billing(billing),
        None => query,
    }))
}

fn tellers(config: &Config, board: &Board) -> (OrdersAtRisk, ErrandsAtRisk) {
    let (orders, asking) = (board.orders(), config.sellers_that_ask());
    let orders_at_risk: OrdersAtRisk = Arc::new(move || at_risk::asked_for(orders.list(), &asking));
    let (errands, asking) = (board.errands(), config.sellers_that_ask());
    let errands_at_risk: ErrandsAtRisk = Arc::new(move || at_risk::errands_asked_for(errands.list(), &asking));
    (orders_at_risk, errands_at_risk)
}

fn limit_settings(config: &Config) -> LimitSettings {
    LimitSettings {
        failures_per_minute: config.limits.failures_per_minute,
        license_burst: config.limits.license_burst,
        enrolments_per_deployment_and_day: config.limits.enrolments_a_day,
        enrolments_per_address_and_hour: config.limits.enrolments_per_address,
        enrolments_per_product_and_hour: config.limits.enrolments_per_product,
        code_lookups_per_address_and_minute: config.limits.code_lookups_per_address,
        code_lookups_per_seller_and_minute: config.limits.code_lookups_per_seller,
        trusted_proxies: config.listen.trusted_proxies.clone(),
    }
}

/// What `/metrics` shows.
pub(super) fn exposition(
    config: &Config,
    journal: Option<Journal>,
    board: Option<Board>,
    registry: Registry,
) -> Exposition {
    let sellers = config.sellers.iter().map(|seller| seller.id.clone()).collect();
    Exposition { registry, journal, board, sellers, asking: config.sellers_that_ask() }
}
