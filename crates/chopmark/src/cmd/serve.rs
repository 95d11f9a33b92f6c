//! `chopmark serve`: runs until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::Server;

/// Runs the server until SIGTERM or SIGINT, then lets it finish what it has begun.
///
/// # Errors
/// It cannot start.
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    for warning in config.warnings() {
        tracing::warn!("{}; {}", warning.what, warning.help);
    }
    // Asked for before anything starts, so that no signal falls between.
    let stop = stop_signal()?;
    let server = Server::start(config).await?;
    crate::print(&announcement(&server, config))?;
    stop.await;
    tracing::info!("stopping: running requests are answered, then the log is closed");
    server.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves when the process is asked to end.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind).or_fail(Reason::Storage, "listening for signals", "run chopmark on a Unix");
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn announcement(server: &Server, config: &Config) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    format!(
        "chopmark {version} is up\n  callbacks    {scheme}://{callbacks}/callbacks/{{seller}}\n  api          http://{api}\n  \
         metrics      http://{metrics}/metrics\n  admin token  {token}\n",
        version = env!("CARGO_PKG_VERSION"),
        callbacks = server.callbacks,
        api = server.api,
        metrics = server.metrics,
        token = server.admin_token.display(),
    )
}
