//! Log lines: to standard error, for people or, with `CHOPMARK_LOG_FORMAT=json`, for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{Environment, LOG_FORMAT};
use crate::failure::{Failure, Reason};

/// Starts logging. `RUST_LOG` says what is logged; `usual` holds where it is not set.
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
        _ => EnvFilter::new(usual),
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
