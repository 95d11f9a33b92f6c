//! An actix-web server on a free port, for the length of a measurement.

use actix_web::dev::ServerHandle;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use chopmark_simulator::Url;
use tokio::task::JoinHandle;

use crate::server::unread;

/// A server that runs.
pub(crate) struct Served {
    /// Where.
    pub(crate) url: Url,
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
}

/// Serves an application on loopback. A macro, since an `HttpServer`'s type names the whole application.
macro_rules! serve {
    ($app:expr) => {{
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?).parse()?;
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let server = HttpServer::new($app).workers(workers).disable_signals().listen(listener)?.run();
        Ok(Self { url, handle: server.handle(), task: tokio::spawn(server) })
    }};
}

impl Served {
    /// Serves these routes as `chopmark serve` does.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) fn start(routes: impl Fn(&mut ServiceConfig) + Send + Clone + 'static) -> anyhow::Result<Self> {
        serve!(move || App::new().wrap(unread::HangUp).configure(routes.clone()))
    }

    /// Serves these routes and nothing around them.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) fn bare(routes: impl Fn(&mut ServiceConfig) + Send + Clone + 'static) -> anyhow::Result<Self> {
        serve!(move || App::new().configure(routes.clone()))
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
        // A server that was told to stop has nothing more to report.
        let _ = self.task.await;
    }
}
