//! `chopmark serve`: runs until it is told to stop.

use crate::cli::serve::Role;
use crate::config::Config;
use crate::failure::{Failure, Reason};
use crate::server::{Addresses, Server};
use crate::signals::StopSignals;

/// Runs the server until SIGTERM or SIGINT, then lets it finish what it has begun, unless a second one comes.
///
/// # Errors
/// It cannot start, what follows the log has crashed, or it was told twice to stop.
pub(crate) async fn run(config: &Config, role: Role) -> Result<(), Failure> {
    for warning in config.warnings() {
        tracing::warn!("{}; {}", warning.what, warning.help);
    }
    // Asked for before anything starts, so that no signal falls between.
    let mut signals = StopSignals::listen()?;
    let mut server = Server::start(config, role).await?;
    crate::print(&announcement(&server, config, role))?;
    let outcome = tokio::select! {
        () = signals.next() => Ok(()),
        crash = server.crashed() => Err(crash),
    };
    tracing::info!("stopping: running requests are answered, then the log is closed");
    tokio::select! {
        () = server.stop() => tracing::info!("stopped"),
        () = signals.next() => return Err(Failure::new(
            Reason::CheckFailed,
            "told twice to stop: running requests were cut off and no snapshot was saved",
            "nothing that was acknowledged is lost; the next start reads more of the log",
        )),
    }
    outcome
}

fn announcement(server: &Server, config: &Config, role: Role) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let Addresses { callbacks, api, metrics, admin } = server.addresses;
    let mut lines = vec![match role {
        Role::All => format!("chopmark {} is up", env!("CARGO_PKG_VERSION")),
        role => format!("chopmark {} is up, as {}", env!("CARGO_PKG_VERSION"), role.name()),
    }];
    lines.extend(callbacks.map(|callbacks| format!("  callbacks    {scheme}://{callbacks}/callbacks/{{seller}}")));
    lines.extend(api.map(|api| format!("  api          http://{api}")));
    lines.extend(admin.map(|admin| format!("  admin        http://{admin}")));
    lines.push(format!("  metrics      http://{metrics}/metrics"));
    lines.extend(server.admin_token.as_ref().map(|token| format!("  admin token  {}", token.display())));
    lines.join("\n") + "\n"
}
