//! The listeners: callbacks, API and metrics, each on an address of its own.

use std::net::{SocketAddr, TcpListener};

use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server as ActixServer, ServerHandle, ServiceFactory};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use chopmark_commands::Commands;
use chopmark_huawei::keys::KeyRing;
use chopmark_ingest::{AppInfos, Ingest, IngestMetrics, SellerDoor, Sellers};
use chopmark_journal::Journal;
use chopmark_projector::LicenseIndex;
use chopmark_query::{Query, QueryMetrics};
use chopmark_reactor::OpenOrders;
use prometheus::{Registry, TextEncoder};
use tokio::task::JoinHandle;

use super::tls;
use crate::config::{Config, SellerConfig};
use crate::failure::{Failure, OrFail, Reason};

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

    pub(super) fn callbacks(&self) -> std::io::Result<SocketAddr> {
        self.callbacks.local_addr()
    }

    pub(super) fn api(&self) -> std::io::Result<SocketAddr> {
        self.api.local_addr()
    }

    pub(super) fn metrics(&self) -> std::io::Result<SocketAddr> {
        self.metrics.local_addr()
    }

    /// Serves on all of them.
    pub(super) fn serve(self, config: &Config, parts: Parts) -> Result<Serving, Failure> {
        let progress = parts.index.progress();
        let ingest = Data::new(ingest(config, &parts)?);
        let query = Data::new(query(config, &parts)?);
        let registry = parts.registry;

        let health = progress.clone();
        let callbacks = HttpServer::new(move || {
            let (ingest, health) = (ingest.clone(), health.clone());
            App::new().configure(chopmark_query::health(health)).configure(|config| chopmark_ingest::configure(config, ingest))
        });
        let callbacks = bounded(callbacks, config);
        let callbacks = match &config.tls {
            Some(tls) => callbacks.listen_rustls_0_23(self.callbacks, tls::server_config(tls)?)?,
            None => callbacks.listen(self.callbacks)?,
        };
        let health = progress.clone();
        let api = HttpServer::new(move || {
            let (query, health) = (query.clone(), health.clone());
            App::new().configure(chopmark_query::health(health)).configure(|config| chopmark_query::configure(config, query))
        });
        let api = bounded(api, config).listen(self.api)?;
        let metrics = HttpServer::new(move || {
            let (registry, health) = (registry.clone(), progress.clone());
            App::new().configure(chopmark_query::health(health)).configure(|config| expose(config, registry))
        });
        let metrics = bounded(metrics, config).workers(1).listen(self.metrics)?;
        Ok(Serving::of([callbacks.run(), api.run(), metrics.run()]))
    }
}

fn ingest(config: &Config, parts: &Parts) -> prometheus::Result<Ingest> {
    let limits = chopmark_ingest::Limits {
        body_bytes: config.limits.callback_body_bytes,
        ..chopmark_ingest::Limits::default()
    };
    Ok(Ingest::new(
        sellers(config),
        parts.commands.clone(),
        parts.journal.clone(),
        Some(parts.index.progress()),
        IngestMetrics::register(&parts.registry)?,
        limits,
    ))
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

/// The bounds that every listener has.
fn bounded<F, I, S, B>(server: HttpServer<F, I, S, B>, config: &Config) -> HttpServer<F, I, S, B>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<actix_web::HttpResponse<B>> + 'static,
    B: MessageBody + 'static,
{
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    server
        .workers(workers)
        .max_connections(config.limits.connections.div_ceil(workers))
        .client_request_timeout(config.limits.request)
        .keep_alive(config.limits.keep_alive)
        .shutdown_timeout(config.limits.shutdown.as_secs())
        .disable_signals()
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
