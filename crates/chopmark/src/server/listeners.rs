//! The listeners: callbacks, API and metrics, each on an address of its own; and one for those with a token, if wanted.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::{Server as ActixServer, ServerHandle};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use chopmark_billing::report::Billing;
use chopmark_commands::Commands;
use chopmark_huawei::keys::KeyRing;
use chopmark_ingest::{AppInfos, Ingest, IngestMetrics, SellerDoor, Sellers};
use chopmark_journal::Journal;
use chopmark_projector::LicenseIndex;
use chopmark_query::{ErrandsAtRisk, LimitSettings, OrdersAtRisk, Query, QueryMetrics};
use chopmark_signing::LeaseIssuer;
use chopmark_views::Seen;
use futures_util::future::join_all;
use prometheus::Registry;
use tokio::task::JoinHandle;

use super::exposition::{self, Exposition};
use super::marketplaces::Desk;
use super::{Open, tls, unread};
use crate::at_risk;
use crate::config::{Config, SellerConfig};
use crate::failure::{Failure, OrFail, Reason};

/// Gives a listener the bounds that every one has. A macro, since an `HttpServer`'s type names the whole application.
macro_rules! bounded {
    ($server:expr, $config:expr, $workers:expr) => {
        $server
            .workers($workers)
            .max_connections($config.limits.connections.div_ceil($workers))
            .client_request_timeout($config.limits.request)
            .keep_alive($config.limits.keep_alive)
            .shutdown_timeout($config.limits.shutdown.as_secs())
            .disable_signals()
    };
}

/// Connections that may wait to be accepted: the marketplace's rush, while workers are busy. The system may allow fewer.
const BACKLOG: i32 = 2_048;

/// Bound listeners that do not serve yet.
pub(super) struct Listeners {
    callbacks: TcpListener,
    api: TcpListener,
    metrics: TcpListener,
    admin: Option<TcpListener>,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    /// Where the marketplace calls.
    pub(crate) callbacks: SocketAddr,
    /// Where checks are answered, and views too unless `admin` is set.
    pub(crate) api: SocketAddr,
    /// Where metrics are read.
    pub(crate) metrics: SocketAddr,
    /// Where everything is that needs a token, if not on `api`.
    pub(crate) admin: Option<SocketAddr>,
}

/// What the listeners work with.
pub(super) struct Parts {
    pub(super) commands: Commands,
    pub(super) journal: Journal,
    pub(super) index: LicenseIndex,
    pub(super) leases: Arc<LeaseIssuer>,
    pub(super) seen: Seen,
    pub(super) codes: Arc<Desk>,
    pub(super) open: Open,
    pub(super) billing: Option<Billing>,
    pub(super) registry: Registry,
}

/// Listeners that serve.
pub(super) struct Serving {
    handles: Vec<ServerHandle>,
    tasks: Vec<JoinHandle<std::io::Result<()>>>,
}

impl Listeners {
    /// Binds every address, so that a taken one is said before anything else happens.
    pub(super) fn bind(config: &Config) -> Result<Self, Failure> {
        Ok(Self {
            callbacks: bind("callbacks", config.listen.callbacks)?,
            api: bind("api", config.listen.api)?,
            metrics: bind("metrics", config.listen.metrics)?,
            admin: config.listen.admin.map(|admin| bind("admin", admin)).transpose()?,
        })
    }

    /// Where they are: where port 0 was asked for, only the bound listener knows.
    pub(super) fn addresses(&self) -> Result<Addresses, Failure> {
        let of = |listener: &TcpListener| listener.local_addr().or_fail(Reason::Storage, "a listener", ASK);
        Ok(Addresses {
            callbacks: of(&self.callbacks)?,
            api: of(&self.api)?,
            metrics: of(&self.metrics)?,
            admin: self.admin.as_ref().map(of).transpose()?,
        })
    }

    /// Serves on all of them.
    pub(super) fn serve(self, config: &Config, parts: Parts) -> Result<Serving, Failure> {
        let (ingest, query) = (ingest(config, &parts)?, query(config, &parts)?);
        let tls = config.tls.as_ref().map(tls::server_config).transpose()?;
        let health = parts.index.progress();
        let callbacks = HttpServer::new({
            let health = health.clone();
            move || {
                let (ingest, health) = (ingest.clone(), health.clone());
                App::new()
                    .wrap(unread::HangUp)
                    .configure(chopmark_query::health(health))
                    .configure(|app| chopmark_ingest::configure(app, ingest))
            }
        });
        let exposition = exposition(config, parts);
        let metrics = HttpServer::new(move || {
            let (exposition, health) = (exposition.clone(), health.clone());
            App::new()
                .wrap(unread::HangUp)
                .configure(chopmark_query::health(health))
                .configure(|app| exposition::configure(app, exposition))
        });
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let callbacks = bounded!(callbacks, config, workers);
        let callbacks = match tls {
            Some(tls) => callbacks.listen_rustls_0_23(self.callbacks, tls),
            None => callbacks.listen(self.callbacks),
        };
        let mut servers = vec![
            callbacks.or_fail(Reason::Storage, "the callback listener", ASK)?.run(),
            bounded!(metrics, config, 1).listen(self.metrics).or_fail(Reason::Storage, "metrics", ASK)?.run(),
        ];
        if let Some(admin) = self.admin {
            servers.push(serve_api(admin, config, 1, query.clone(), chopmark_query::configure_views)?);
            servers.push(serve_api(self.api, config, workers, query, chopmark_query::configure_checks)?);
        } else {
            servers.push(serve_api(self.api, config, workers, query, chopmark_query::configure)?);
        }
        Ok(Serving::of(servers))
    }
}

fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let (doing, help) =
        (format!("listen.{key} = \"{address}\" cannot be bound"), "set another address, or stop what holds it");
    let listener = TcpListener::bind(address).or_fail(Reason::Usage, &doing, help)?;
    // The standard library asks for a short queue; asking again makes it longer.
    rustix::net::listen(&listener, BACKLOG).or_fail(Reason::Usage, &doing, help)?;
    Ok(listener)
}

/// Serves some or all routes of the API.
fn serve_api(
    listener: TcpListener,
    config: &Config,
    workers: usize,
    query: Data<Query>,
    routes: fn(&mut ServiceConfig, Data<Query>),
) -> Result<ActixServer, Failure> {
    let server = HttpServer::new(move || App::new().wrap(unread::HangUp).configure(|app| routes(app, query.clone())));
    Ok(bounded!(server, config, workers).listen(listener).or_fail(Reason::Storage, "the API listener", ASK)?.run())
}

const ASK: &str = "look at the machine's limits of sockets and threads";

fn ingest(config: &Config, parts: &Parts) -> Result<Data<Ingest>, Failure> {
    let limits =
        chopmark_ingest::Limits { body_bytes: config.limits.callback_body_bytes, ..chopmark_ingest::Limits::default() };
    let metrics = super::registered(IngestMetrics::register(&parts.registry))?;
    let (commands, journal) = (parts.commands.clone(), parts.journal.clone());
    Ok(Data::new(Ingest::new(sellers(config), commands, journal, Some(parts.index.progress()), metrics, limits)))
}

fn query(config: &Config, parts: &Parts) -> Result<Data<Query>, Failure> {
    let (orders, asking) = (parts.open.orders.clone(), config.sellers_that_ask());
    let orders_at_risk: OrdersAtRisk =
        Arc::new(move || at_risk::asked_for(orders.list(), &asking).into_iter().map(order_at_risk).collect());
    let (errands, asking) = (parts.open.errands.clone(), config.sellers_that_ask());
    let errands_at_risk: ErrandsAtRisk =
        Arc::new(move || at_risk::errands_asked_for(errands.list(), &asking).into_iter().map(errand_at_risk).collect());
    let query = Query::new(chopmark_query::Parts {
        index: parts.index.clone(),
        commands: parts.commands.clone(),
        journal: parts.journal.clone(),
        orders_at_risk,
        errands_at_risk,
        leases: parts.leases.clone(),
        seen: parts.seen.clone(),
        metrics: super::registered(QueryMetrics::register(&parts.registry))?,
    });
    let query = query
        .with_body_bytes(config.limits.api_body_bytes)
        .with_limits(limit_settings(config))
        .with_activations_a_day(config.limits.activations_a_day)
        .with_codes(parts.codes.clone());
    Ok(Data::new(match &parts.billing {
        Some(billing) => query.with_billing(billing.clone()),
        None => query,
    }))
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

/// What the reactor knows of an order, as the API shows it: neither crate knows the other.
fn order_at_risk(order: chopmark_reactor::OrderAtRisk) -> chopmark_query::OrderAtRisk {
    let chopmark_reactor::OrderAtRisk { seller, order_id, since, attempts, reason, abandoned } = order;
    chopmark_query::OrderAtRisk { seller, order_id, since, attempts, reason, abandoned }
}

/// The same of an errand.
fn errand_at_risk(errand: chopmark_reactor::ErrandAtRisk) -> chopmark_query::ErrandAtRisk {
    let chopmark_reactor::ErrandAtRisk { seller, license, errand, since, attempts, reason, abandoned } = errand;
    chopmark_query::ErrandAtRisk { seller, license, errand, since, attempts, reason, abandoned }
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

fn exposition(config: &Config, parts: Parts) -> Exposition {
    let Parts { journal, open, registry, .. } = parts;
    let sellers = config.sellers.iter().map(|seller| seller.id.clone()).collect();
    Exposition { registry, journal, open, sellers, asking: config.sellers_that_ask() }
}

impl Serving {
    fn of(servers: Vec<ActixServer>) -> Self {
        let handles = servers.iter().map(ActixServer::handle).collect();
        Self { handles, tasks: servers.into_iter().map(tokio::spawn).collect() }
    }

    /// Stops taking connections and lets running requests end.
    pub(super) async fn stop(self) {
        // All at once, so that the time a stop may take is that of one.
        join_all(self.handles.iter().map(|handle| handle.stop(true))).await;
        for task in self.tasks {
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a listener ended badly"),
                Err(error) => tracing::error!(%error, "a listener ended badly"),
            }
        }
    }
}
