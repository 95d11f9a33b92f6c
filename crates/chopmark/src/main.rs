//! Chopmark: the licensing backend for software sellers on a cloud marketplace.
//!
//! The command line is in [`cli`], the configuration in [`config`], and what each command does in [`cmd`]. This crate
//! wires the others together; nothing else knows them all.

mod at_risk;
mod cli;
mod cmd;
mod config;
mod failure;
mod logging;
mod server;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::serve::ServeArgs;
use cli::{Cli, Command, ConfigArgs};
use config::{Config, Environment};
use failure::{Complaint, Failure, OrFail, Reason};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse(), &Environment::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut output = io::stderr().lock();
            for complaint in &failure.complaints {
                // Where standard error is closed, the exit code has to do.
                let _ = writeln!(output, "error: {complaint}");
            }
            failure.exit_code()
        }
    }
}

fn run(cli: Cli, environment: &Environment) -> Result<(), Failure> {
    logging::start(environment, cli.command.usual_log())?;
    let load = |config: &ConfigArgs| Config::load(config.file.as_deref(), environment);
    match cli.command {
        Command::Serve(ServeArgs { print_config: true, .. }) => print(config::DEFAULT),
        Command::Serve(ServeArgs { check_config: true, config, .. }) => {
            print(&cmd::check_config::check(config.file.as_deref(), environment)?)
        }
        Command::Serve(ServeArgs { config, role, .. }) => block_on(cmd::serve::run(&load(&config)?, role)),
        Command::Demo(args) => block_on(cmd::demo::run(&args)),
        Command::Apply(args) => block_on(cmd::apply::run(&args, &load(&args.config)?)),
        Command::Simulate(args) => block_on(cmd::simulate::run(&args, environment)),
        Command::License(command) => block_on(cmd::license::run(&command, &load(command.config())?)),
        Command::Settlement(command) => block_on(cmd::settlement::run(&command, environment)),
        Command::Token(command) => block_on(cmd::token::run(&command, &load(command.config())?)),
        Command::Keys(command) => cmd::keys::run(&command, &load(command.config())?),
        Command::Rebuild(args) => block_on(cmd::rebuild::run(&args, &load(&args.config)?)),
        Command::Log(command) => block_on(cmd::log::run(&command, &load(command.config())?)),
        Command::Backup(args) => block_on(cmd::backup::backup(&args, &load(&args.config)?)),
        Command::Restore(args) => block_on(cmd::backup::restore(&args, &load(&args.config)?)),
        Command::Doctor(args) => block_on(cmd::doctor::run(&args, &load(&args.config)?)),
        Command::Bench(args) => block_on(cmd::bench::run(&args, environment)),
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.or_fail(Reason::Storage, "starting threads", "raise the limit of threads")?;
    let done = runtime.block_on(work);
    // What the work did not wait for, nobody waits for.
    runtime.shutdown_background();
    done
}

/// Says on standard error what is not as it should be and stops nothing.
fn warn(complaint: &Complaint) {
    // Where standard error is closed, nobody wants to know.
    let _ = writeln!(io::stderr(), "warning: {complaint}");
}

/// Says on standard error what explains the output and is no part of it.
fn explain(text: &str) {
    // Where standard error is closed, nobody wants to know.
    let _ = write!(io::stderr(), "{text}");
}

/// Prints to standard output. One who closes it early has seen enough.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let what = format!("standard output cannot be written: {error}");
            Err(Failure::new(Reason::CheckFailed, what, "give it somewhere to go"))
        }
        _ => Ok(()),
    }
}
