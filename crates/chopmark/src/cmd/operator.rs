//! What an operator changes from the shell, beside a running server or without one.

use std::sync::Arc;

use chopmark_domain::cause::Cause;
use chopmark_domain::ids::SellerId;
use chopmark_log::LogMetrics;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};

use crate::config::Config;
use crate::failure::{Failure, Reason};
use crate::server::data_dir::DataDir;
use crate::server::open_log;

/// Who is put on record.
#[must_use]
pub(crate) fn cause() -> Cause {
    Cause::Operator { actor: "cli".into() }
}

/// A server may be at work on the same file; checking every record is its business.
#[must_use]
pub(crate) fn beside_a_server() -> SqliteOptions {
    SqliteOptions { verify: false, ..SqliteOptions::default() }
}

/// The log, begun where there never was one.
///
/// # Errors
/// The data folder cannot be made, or the log cannot be used.
pub(crate) async fn log(config: &Config) -> Result<Arc<SqliteLog>, Failure> {
    DataDir::at(&config.data_dir).create()?;
    open_log(config, beside_a_server(), LogMetrics::unregistered()).await
}

/// Refuses sellers that the configuration does not name.
///
/// # Errors
/// It is none of them.
pub(crate) fn must_be_configured(seller: &SellerId, config: &Config) -> Result<(), Failure> {
    if config.sellers.iter().any(|configured| configured.id == *seller) {
        return Ok(());
    }
    let what = format!("seller {seller} is not configured");
    Err(Failure::new(Reason::Usage, what, "name one of the [[seller]] of the configuration"))
}
