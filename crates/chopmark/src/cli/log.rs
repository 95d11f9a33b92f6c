//! `chopmark log`.

use std::path::PathBuf;

use chopmark_log::Position;
use clap::{Args, Subcommand};

use super::{ConfigArgs, EXIT_CODES};

/// `chopmark log`.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Reads every record, and says whether the log is what was written and sealed; exit code 1 if it is not
    #[command(after_long_help = EXIT_CODES)]
    Verify(VerifyArgs),
    /// Writes the whole log as JSON lines, beside a running server too. What it writes is as secret as the log
    #[command(after_long_help = EXIT_CODES)]
    Export(ExportArgs),
    /// Takes an exported log over into one that holds nothing else. Interrupted, it is begun again and goes on
    #[command(after_long_help = EXIT_CODES)]
    Import(ImportArgs),
    /// Shows events, one a line, without what is secret in them
    #[command(after_long_help = EXIT_CODES)]
    Tail(TailArgs),
    /// Seals the log now, and does not wait for the worker to do it
    #[command(after_long_help = EXIT_CODES)]
    Seal(SealArgs),
}

impl LogCommand {
    /// Where the configuration is.
    pub(crate) fn config(&self) -> &ConfigArgs {
        match self {
            Self::Verify(args) => &args.config,
            Self::Export(args) => &args.config,
            Self::Import(args) => &args.config,
            Self::Tail(args) => &args.config,
            Self::Seal(args) => &args.config,
        }
    }
}

/// `chopmark log verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Looks at this exported log in place of the log itself; needs neither server nor log
    #[arg(long = "file", value_name = "FILE")]
    pub(crate) exported: Option<PathBuf>,
    /// A JWKS with keys to believe, beside those of this installation; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Prints the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark log export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The file to write, which must not exist yet; - for standard output
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) to: PathBuf,
}

/// `chopmark log import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The exported log to take over; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) exported: PathBuf,
    /// A JWKS with keys that its seals must be signed by; may be repeated [default: signatures are not looked at]
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Prints the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark log tail`.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// After which event to begin: a position, start or now [default: start; with --follow, now]
    #[arg(long, value_name = "POSITION|start|now", value_parser = from)]
    pub(crate) from: Option<From>,
    /// Waits for more, until it is told to end
    #[arg(long)]
    pub(crate) follow: bool,
    /// Prints each event as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chopmark log seal`.
#[derive(Debug, Args)]
pub(crate) struct SealArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Prints the seal as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// After this event.
    Position(Position),
    /// With what comes from now on.
    Now,
}

fn from(text: &str) -> Result<From, String> {
    match text {
        "start" => Ok(From::Position(Position::START)),
        "now" => Ok(From::Now),
        number => {
            let position = number.parse().map(|number| From::Position(Position(number)));
            position.map_err(|_| "this is no position; write the number of one, start or now".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_position_the_start_or_now() {
        assert_eq!(from("start"), Ok(From::Position(Position::START)));
        assert_eq!(from("now"), Ok(From::Now));
        assert_eq!(from("17"), Ok(From::Position(Position(17))));
        assert!(from("-1").unwrap_err().contains("start or now"));
    }
}
