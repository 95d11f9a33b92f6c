//! `chopmark settlement`: what finance asks, from the shell, over the API of a running server.

mod changes;
mod export;
mod figures;
mod import;
mod reconcile;
mod server;
mod views;

use crate::cli::settlement::{ImportCommand, ServerArgs, SettlementCommand};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use server::Server;

/// Asks, imports, judges, closes or exports.
///
/// # Errors
/// The server does not answer or refuses it, a file cannot be read or written, or a difference is open.
pub(crate) async fn run(command: &SettlementCommand, environment: &Environment) -> Result<(), Failure> {
    let args = server_args(command);
    let config = Config::load(args.config.file.as_deref(), environment)?;
    let server = Server::reach(args, &config, environment)?;
    match command {
        SettlementCommand::Periods(args) => views::periods(args, &server).await,
        SettlementCommand::Lines(args) => views::lines(args, &server).await,
        SettlementCommand::Forecast(args) => views::forecast(args, &server).await,
        SettlementCommand::Import(ImportCommand::Transactions(args)) => import::transactions(args, &server).await,
        SettlementCommand::Import(ImportCommand::Bill(args)) => import::bill(args, &server).await,
        SettlementCommand::Reconcile(args) => reconcile::reconcile(args, &server).await,
        SettlementCommand::Judge(args) => reconcile::judge(args, &server).await,
        SettlementCommand::State(args) => changes::state(args, &server).await,
        SettlementCommand::Adjust(args) => changes::adjust(args, &server).await,
        SettlementCommand::Close(args) => changes::close(args, &server).await,
        SettlementCommand::Export(args) => export::export(args, &server).await,
    }
}

fn server_args(command: &SettlementCommand) -> &ServerArgs {
    match command {
        SettlementCommand::Periods(args) => &args.server,
        SettlementCommand::Lines(args) => &args.server,
        SettlementCommand::Forecast(args) => &args.server,
        SettlementCommand::Import(ImportCommand::Transactions(args)) => &args.server,
        SettlementCommand::Import(ImportCommand::Bill(args)) => &args.import.server,
        SettlementCommand::Reconcile(args) => &args.server,
        SettlementCommand::Judge(args) => &args.server,
        SettlementCommand::State(args) => &args.server,
        SettlementCommand::Adjust(args) => &args.server,
        SettlementCommand::Close(args) => &args.server,
        SettlementCommand::Export(args) => &args.server,
    }
}
