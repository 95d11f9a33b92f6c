//! Log lines: to standard error, for people or, with `CHOPMARK_LOG_FORMAT=json`, for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{Environment, LOG_FORMAT};
use crate::failure::{Failure, Reason};

/// What is left out where `RUST_LOG` does not ask for it. EventStoreDB ends a session of appends, with all in it, at the
/// first one that it refuses, which is every day's conflict. The client calls each append that goes down with it an error;
/// the log sends them again, and says itself what it could not do in the end.
const LEFT_OUT: &str = "eventstore::batch=off";

/// Starts logging. `RUST_LOG` says what is logged; `usual` holds where it is not set, without what the client of
/// EventStoreDB takes for errors and the log mends.
///
/// # Errors
/// A format or filter that is not known.
pub(crate) fn start(environment: &Environment, usual: &str) -> Result<(), Failure> {
    let filter = match environment.text("RUST_LOG") {
        Ok(Some(directives)) if !directives.is_empty() => EnvFilter::try_new(directives).map_err(|error| {
            Failure::new(
                Reason::Usage,
                format!("environment variable RUST_LOG: {error}"),
                "write it like info or info,chopmark_ingest=debug",
            )
        })?,
        _ => without_noise(usual),
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match environment.text(LOG_FORMAT) {
        Ok(None | Some("" | "text")) => lines.with_ansi(io::stderr().is_terminal()).init(),
        Ok(Some("json")) => lines.json().flatten_event(true).init(),
        _ => {
            let what = format!("environment variable {LOG_FORMAT} is not a format that is known");
            return Err(Failure::new(Reason::Usage, what, "set it to `text` or `json`"));
        }
    }
    Ok(())
}

fn without_noise(usual: &str) -> EnvFilter {
    EnvFilter::new(format!("{usual},{LEFT_OUT}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tracing::Level;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn what_the_log_mends_by_itself_is_no_error_in_the_usual_lines() {
        for words in ["demo", "serve", "bench", "simulate --target http://127.0.0.1:1 --seller acme --key k", "doctor"]
        {
            let cli = Cli::try_parse_from(std::iter::once("chopmark").chain(words.split(' '))).unwrap();
            let usual = tracing_subscriber::fmt().with_env_filter(without_noise(cli.command.usual_log())).finish();
            tracing::subscriber::with_default(usual, || {
                assert!(!tracing::enabled!(target: "eventstore::batch", Level::ERROR), "{words}: a session that ended");
                assert!(tracing::enabled!(target: "eventstore::grpc", Level::ERROR), "{words}: a server that is gone");
                assert!(tracing::enabled!(target: "chopmark_log", Level::ERROR), "{words}: our own");
            });
        }
    }
}
