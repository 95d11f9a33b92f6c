//! The listeners: callbacks, API and metrics, each on an address of its own; and one for those with a token, if wanted. A
//! process has those of its role.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::{Server as ActixServer, ServerHandle};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use chopmark_ingest::Ingest;
use chopmark_log::progress::Progress;
use chopmark_query::Query;
use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::exposition::{self, Exposition};
use super::{tls, unread};
use crate::cli::serve::Role;
use crate::config::Config;
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
    callbacks: Option<TcpListener>,
    api: Option<TcpListener>,
    admin: Option<TcpListener>,
    metrics: TcpListener,
}

/// Where a server listens: where its role has something to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    /// Where the marketplace calls.
    pub(crate) callbacks: Option<SocketAddr>,
    /// Where checks are answered, and views too unless `admin` is set.
    pub(crate) api: Option<SocketAddr>,
    /// Where everything is that needs a token, if not on `api`.
    pub(crate) admin: Option<SocketAddr>,
    /// Where metrics are read.
    pub(crate) metrics: SocketAddr,
}

/// What the listeners work with. Those that are bound have what they need.
pub(super) struct Doors {
    /// Of `callbacks`.
    pub(super) ingest: Option<Data<Ingest>>,
    /// Of `api` and `admin`.
    pub(super) query: Option<Data<Query>>,
    /// Of `metrics`.
    pub(super) exposition: Exposition,
    /// When it is ready; `None`: as soon as it is bound.
    pub(super) readiness: Option<Progress>,
}

/// Listeners that serve.
pub(super) struct Serving {
    handles: Vec<ServerHandle>,
    tasks: Vec<JoinHandle<std::io::Result<()>>>,
}

impl Listeners {
    /// Binds every address of a role, so that a taken one is said before anything else happens.
    pub(super) fn bind(config: &Config, role: Role) -> Result<Self, Failure> {
        let listen = &config.listen;
        let bound = |is_wanted: bool, key, address| is_wanted.then(|| bind(key, address)).transpose();
        Ok(Self {
            callbacks: bound(role.takes_callbacks(), "callbacks", listen.callbacks)?,
            api: bound(role.answers_questions(), "api", listen.api)?,
            admin: match listen.admin {
                Some(admin) => bound(role.answers_questions(), "admin", admin)?,
                None => None,
            },
            metrics: bind("metrics", listen.metrics)?,
        })
    }

    /// Where they are: where port 0 was asked for, only the bound listener knows.
    pub(super) fn addresses(&self) -> Result<Addresses, Failure> {
        let of = |listener: &TcpListener| listener.local_addr().or_fail(Reason::Storage, "a listener", ASK);
        Ok(Addresses {
            callbacks: self.callbacks.as_ref().map(of).transpose()?,
            api: self.api.as_ref().map(of).transpose()?,
            admin: self.admin.as_ref().map(of).transpose()?,
            metrics: of(&self.metrics)?,
        })
    }

    /// Serves on all of them.
    pub(super) fn serve(self, config: &Config, doors: Doors) -> Result<Serving, Failure> {
        let Doors { ingest, query, exposition, readiness } = doors;
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let mut servers = vec![serve_metrics(self.metrics, config, exposition, readiness.clone())?];
        if let Some((listener, ingest)) = self.callbacks.zip(ingest) {
            servers.push(serve_callbacks(listener, config, workers, ingest, readiness)?);
        }
        if let Some((api, query)) = self.api.zip(query) {
            let all: fn(&mut ServiceConfig, Data<Query>) = match self.admin {
                Some(_) => chopmark_query::configure_checks,
                None => chopmark_query::configure,
            };
            if let Some(admin) = self.admin {
                servers.push(serve_api(admin, config, 1, query.clone(), chopmark_query::configure_views)?);
            }
            servers.push(serve_api(api, config, workers, query, all)?);
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

fn serve_metrics(
    listener: TcpListener,
    config: &Config,
    exposition: Exposition,
    readiness: Option<Progress>,
) -> Result<ActixServer, Failure> {
    let server = HttpServer::new(move || {
        let (exposition, readiness) = (exposition.clone(), readiness.clone());
        App::new()
            .wrap(unread::HangUp)
            .configure(chopmark_query::health(readiness))
            .configure(|app| exposition::configure(app, exposition))
    });
    Ok(bounded!(server, config, 1).listen(listener).or_fail(Reason::Storage, "metrics", ASK)?.run())
}

fn serve_callbacks(
    listener: TcpListener,
    config: &Config,
    workers: usize,
    ingest: Data<Ingest>,
    readiness: Option<Progress>,
) -> Result<ActixServer, Failure> {
    let tls = config.tls.as_ref().map(tls::server_config).transpose()?;
    let server = HttpServer::new(move || {
        let (ingest, readiness) = (ingest.clone(), readiness.clone());
        App::new()
            .wrap(unread::HangUp)
            .configure(chopmark_query::health(readiness))
            .configure(|app| chopmark_ingest::configure(app, ingest))
    });
    let server = bounded!(server, config, workers);
    let listening = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls),
        None => server.listen(listener),
    };
    Ok(listening.or_fail(Reason::Storage, "the callback listener", ASK)?.run())
}

/// Serves some or all routes of the API.
fn serve_api(
    listener: TcpListener,
    config: &Config,
    workers: usize,
    query: Data<Query>,
    routes: fn(&mut ServiceConfig, Data<Query>),
) -> Result<ActixServer, Failure> {
    let server = HttpServer::new(move || {
        let query = query.clone();
        App::new().wrap(unread::HangUp).wrap(query.staleness()).configure(|app| routes(app, query))
    });
    Ok(bounded!(server, config, workers).listen(listener).or_fail(Reason::Storage, "the API listener", ASK)?.run())
}

const ASK: &str = "look at the machine's limits of sockets and threads";

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
