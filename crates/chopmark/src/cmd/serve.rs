//! `chopmark serve`: runs until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::{Addresses, Server};

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
    let Addresses { callbacks, api, metrics, admin } = server.addresses;
    let mut lines = vec![
        format!("chopmark {} is up", env!("CARGO_PKG_VERSION")),
        format!("  callbacks    {scheme}://{callbacks}/callbacks/{{seller}}"),
        format!("  api          http://{api}"),
    ];
    lines.extend(admin.map(|admin| format!("  admin        http://{admin}")));
    lines.push(format!("  metrics      http://{metrics}/metrics"));
    lines.push(format!("  admin token  {}", server.admin_token.display()));
    lines.join("\n") + "\n"
}
