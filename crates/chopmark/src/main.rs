//! Chopmark: the licensing backend for software sellers on a cloud marketplace.
//!
//! The command line is in [`cli`], the configuration in [`config`], and what each command does in [`cmd`]. This crate
//! wires the others together; nothing else knows them all.

mod cli;
mod cmd;
mod config;
mod failure;
mod logging;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::serve::ServeArgs;
use cli::{Cli, Command};
use config::Environment;
use failure::{Failure, Reason};

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
    logging::start(environment)?;
    match cli.command {
        Command::Serve(ServeArgs { print_config: true, .. }) => print(config::DEFAULT),
        Command::Serve(ServeArgs { check_config: true, config, .. }) => {
            print(&cmd::check_config::check(config.file.as_deref(), environment)?)
        }
        command => {
            let what = format!("this build cannot do that yet: {command:?}");
            Err(Failure::new(Reason::Usage, what, "use a later one"))
        }
    }
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
