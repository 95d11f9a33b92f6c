//! The command line: what can be asked of Chopmark.

pub(crate) mod backup;
pub(crate) mod bench;
mod duration;
pub(crate) mod keys;
pub(crate) mod license;
pub(crate) mod log;
pub(crate) mod serve;
pub(crate) mod settlement;
pub(crate) mod simulate;
pub(crate) mod token;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};

use backup::{BackupArgs, RestoreArgs};
use bench::BenchArgs;
use keys::KeysCommand;
use license::LicenseCommand;
use log::LogCommand;
use serve::{Role, ServeArgs};
use settlement::SettlementCommand;
use simulate::SimulateArgs;
use token::TokenCommand;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and everything as it must be
  1  a check failed, a difference was found, or the rules refuse it; `serve` was told twice to stop
  2  the command line or the configuration is wrong; standard error says what to mend
  3  the data directory or the event log cannot be used, or what follows the log has crashed

Environment:
  CHOPMARK_CONFIG      the configuration file, where --config does not name one
  CHOPMARK_<PATH>      a value of the configuration, e.g. CHOPMARK_LISTEN__API=0.0.0.0:8081
  CHOPMARK_LOG_FORMAT  `text` or `json`: the form of log lines on standard error
  RUST_LOG             what is logged; where it is not set, `error` for demo, `warn` for simulate and bench, else
                       `info,actix_server=warn`; and always `eventstore::batch=off`";

/// The command line. Its first words are those of the manifest.
#[derive(Debug, Parser)]
#[command(name = "chopmark", version, about, long_about = LONG_ABOUT, after_long_help = EXIT_CODES)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const LONG_ABOUT: &str = concat!(
    env!("CARGO_PKG_DESCRIPTION"),
    "\n\nChopmark answers the marketplace's callbacks, keeps what they say in one immutable event log, and tells the \
     software that customers run whether it is licensed. `chopmark demo` shows it in seconds and needs nothing; \
     `chopmark serve` runs it."
);

/// Everything that can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows Chopmark at work: a purchase, checks, an outage, a freeze, seats, an image, a month in money; needs no configuration
    #[command(after_long_help = EXIT_CODES)]
    Demo(DemoArgs),
    /// Runs the server
    #[command(after_long_help = EXIT_CODES)]
    Serve(ServeArgs),
    /// Writes the products of the configuration to the event log, where they differ from what it says
    #[command(after_long_help = EXIT_CODES)]
    Apply(ApplyArgs),
    /// Plays the marketplace against a server and checks every answer as its console does
    #[command(after_long_help = EXIT_CODES)]
    Simulate(Box<SimulateArgs>),
    /// Looks at licenses from the shell, stops and frees what must be, and takes existing ones over
    #[command(subcommand, after_long_help = EXIT_CODES)]
    License(LicenseCommand),
    /// Shows what was sold, what will be paid and when, reads the console's files and compares its bills
    #[command(subcommand, after_long_help = EXIT_CODES)]
    Settlement(SettlementCommand),
    /// Makes the tokens that people and programs look things up with, lists them and takes them back
    #[command(subcommand, after_long_help = EXIT_CODES)]
    Token(TokenCommand),
    /// Shows and rotates the keys that leases are signed with
    #[command(subcommand, after_long_help = EXIT_CODES)]
    Keys(KeysCommand),
    /// Makes the views anew from the event log
    #[command(after_long_help = EXIT_CODES)]
    Rebuild(RebuildArgs),
    /// Says whether the event log is what was written and sealed, writes it to a file and reads it back, shows what happens
    #[command(subcommand, after_long_help = EXIT_CODES)]
    Log(LogCommand),
    /// Saves what cannot be made anew into a folder, beside a running server too: the log, the keys, who was last seen
    #[command(after_long_help = EXIT_CODES)]
    Backup(BackupArgs),
    /// Puts a backup where nothing is, after everything in it was looked at
    #[command(after_long_help = EXIT_CODES)]
    Restore(RestoreArgs),
    /// Looks for what is wrong or will be: keys, clock, disk, listeners, callbacks, what is at risk, the log
    #[command(after_long_help = EXIT_CODES)]
    Doctor(DoctorArgs),
    /// Measures this machine: each figure beside its baseline, in the same run
    #[command(after_long_help = EXIT_CODES)]
    Bench(BenchArgs),
}

impl Command {
    /// What is logged where nobody says otherwise. Who plays on a terminal wants to see the play.
    #[must_use]
    pub(crate) fn usual_log(&self) -> &'static str {
        match self {
            // The demo shows itself what a server warns of.
            Self::Demo(_) => "error",
            Self::Simulate(_) | Self::Bench(_) => "warn",
            _ => "info,actix_server=warn",
        }
    }
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration file [default: $CHOPMARK_CONFIG, else ./chopmark.toml if it exists, else built-in defaults]
    #[arg(long = "config", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// `chopmark demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Stays up afterwards and prints what to try
    #[arg(long)]
    pub(crate) keep: bool,
    /// Prints the steps and their results as JSON
    #[arg(long, conflicts_with = "keep")]
    pub(crate) json: bool,
}

/// `chopmark apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// From when the new terms hold, e.g. 2026-12-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = utc)]
    pub(crate) effective: Option<DateTime<Utc>>,
    /// Shows the differences and writes nothing; exit code 1 if there are any
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints the differences as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark rebuild`.
#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Keeps the views as they are and compares them with fresh ones; exit code 1 on a difference
    #[arg(long)]
    pub(crate) verify: bool,
    /// Prints the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Which part of Chopmark runs here: only its listeners are looked at
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub(crate) role: Role,
    /// Prints the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A time of RFC 3339, in UTC.
fn utc(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    time.map_err(|_| "this is no time of RFC 3339; write it like 2026-12-01T00:00:00Z".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself_and_its_exit_codes() {
        fn look_at(command: &mut clap::Command) {
            let name = command.get_name().to_owned();
            assert!(command.get_about().is_some(), "{name} says what it does");
            let help = command.render_long_help().to_string();
            if !command.has_subcommands() {
                assert!(help.contains("Exit codes:"), "{name} documents its exit codes");
            }
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} {} is explained", argument.get_id());
            }
            command.get_subcommands_mut().filter(|command| command.get_name() != "help").for_each(look_at);
        }
        let mut command = Cli::command();
        command.build();
        look_at(&mut command);
    }

    #[test]
    fn keys_given_on_the_command_line_are_not_shown() {
        let words = "chopmark simulate --target http://127.0.0.1:8080 --seller acme --key hush --secret-key hush";
        let words = format!("{words} --open-api 127.0.0.1:0 --access-key ak");
        let cli = Cli::try_parse_from(words.split(' ')).unwrap();
        assert!(!format!("{cli:?}").contains("hush"), "{cli:?}");
    }
}
