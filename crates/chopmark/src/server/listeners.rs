//! The listeners: callbacks, API and metrics, each on an address of its own.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::{Server as ActixServer, ServerHandle};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use chopmark_commands::Commands;
use chopmark_huawei::keys::KeyRing;
use chopmark_ingest::{AppInfos, Ingest, IngestMetrics, SellerDoor, Sellers};
use chopmark_journal::Journal;
use chopmark_projector::LicenseIndex;
use chopmark_query::{OrdersAtRisk, Query, QueryMetrics};
use chopmark_reactor::OpenOrders;
use prometheus::{Registry, TextEncoder};
use tokio::task::JoinHandle;

use super::tls;
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

/// Bound listeners that do not serve yet.
pub(super) struct Listeners {
    callbacks: TcpListener,
    api: TcpListener,
    metrics: TcpListener,
}

/// What the listeners work with.
pub(super) struct Parts {
    pub(super) commands: Commands,
    pub(super) journal: Journal,
    pub(super) index: LicenseIndex,
    pub(super) open_orders: OpenOrders,
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
        let bind = |key: &str, address: SocketAddr| {
            let doing = format!("listen.{key} = \"{address}\" cannot be bound");
            TcpListener::bind(address).or_fail(Reason::Usage, doing, "set another address, or stop what holds it")
        };
        Ok(Self {
            callbacks: bind("callbacks", config.listen.callbacks)?,
            api: bind("api", config.listen.api)?,
            metrics: bind("metrics", config.listen.metrics)?,
        })
    }

    /// Where callbacks, API and metrics are.
    pub(super) fn addresses(&self) -> Result<(SocketAddr, SocketAddr, SocketAddr), Failure> {
        let of = |listener: &TcpListener| listener.local_addr().or_fail(Reason::Storage, "a listener", ASK);
        Ok((of(&self.callbacks)?, of(&self.api)?, of(&self.metrics)?))
    }

    /// Serves on all of them.
    pub(super) fn serve(self, config: &Config, parts: Parts) -> Result<Serving, Failure> {
        let progress = parts.index.progress();
        let (ingest, query) = (ingest(config, &parts)?, query(&parts)?);
        let tls = config.tls.as_ref().map(tls::server_config).transpose()?;
        let registry = parts.registry;
        let health = progress.clone();
        let callbacks = HttpServer::new(move || {
            let (ingest, health) = (ingest.clone(), health.clone());
            App::new().configure(chopmark_query::health(health)).configure(|app| chopmark_ingest::configure(app, ingest))
        });
        let api = HttpServer::new(move || {
            let query = query.clone();
            App::new().configure(|app| chopmark_query::configure(app, query))
        });
        let metrics = HttpServer::new(move || {
            let (registry, health) = (registry.clone(), progress.clone());
            App::new().configure(chopmark_query::health(health)).configure(|app| expose(app, registry))
        });
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let callbacks = bounded!(callbacks, config, workers);
        let callbacks = match tls {
            Some(tls) => callbacks.listen_rustls_0_23(self.callbacks, tls),
            None => callbacks.listen(self.callbacks),
        };
        let servers = [
            callbacks.or_fail(Reason::Storage, "the callback listener", ASK)?.run(),
            bounded!(api, config, workers).listen(self.api).or_fail(Reason::Storage, "the API listener", ASK)?.run(),
            bounded!(metrics, config, 1).listen(self.metrics).or_fail(Reason::Storage, "metrics", ASK)?.run(),
        ];
        Ok(Serving::of(servers))
    }
}

const ASK: &str = "look at the machine's limits of sockets and threads";

fn ingest(config: &Config, parts: &Parts) -> Result<Data<Ingest>, Failure> {
    let limits = chopmark_ingest::Limits {
        body_bytes: config.limits.callback_body_bytes,
        ..chopmark_ingest::Limits::default()
    };
    let metrics = super::registered(IngestMetrics::register(&parts.registry))?;
    let (commands, journal) = (parts.commands.clone(), parts.journal.clone());
    Ok(Data::new(Ingest::new(sellers(config), commands, journal, Some(parts.index.progress()), metrics, limits)))
}

fn query(parts: &Parts) -> Result<Data<Query>, Failure> {
    let metrics = super::registered(QueryMetrics::register(&parts.registry))?;
    let orders = parts.open_orders.clone();
    let at_risk: OrdersAtRisk = Arc::new(move || orders.list().into_iter().map(order_at_risk).collect());
    let (index, commands, journal) = (parts.index.clone(), parts.commands.clone(), parts.journal.clone());
    Ok(Data::new(Query::new(index, commands, journal, at_risk, metrics)))
}

/// What the reactor knows of an order, as the API shows it: neither crate knows the other.
fn order_at_risk(order: chopmark_reactor::OrderAtRisk) -> chopmark_query::OrderAtRisk {
    let chopmark_reactor::OrderAtRisk { seller, order_id, since, attempts, reason, abandoned } = order;
    chopmark_query::OrderAtRisk { seller, order_id, since, attempts, reason, abandoned }
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

fn expose(config: &mut ServiceConfig, registry: Registry) {
    config.app_data(Data::new(registry)).route("/metrics", web::get().to(exposition));
}

async fn exposition(registry: Data<Registry>) -> HttpResponse {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4")).body(text),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

impl Serving {
    fn of(servers: [ActixServer; 3]) -> Self {
        let handles = servers.iter().map(ActixServer::handle).collect();
        Self { handles, tasks: servers.into_iter().map(tokio::spawn).collect() }
    }

    /// Stops taking connections and lets running requests end.
    pub(super) async fn stop(self) {
        for handle in &self.handles {
            handle.stop(true).await;
        }
        for task in self.tasks {
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a listener ended badly"),
                Err(error) => tracing::error!(%error, "a listener ended badly"),
            }
        }
    }
}
