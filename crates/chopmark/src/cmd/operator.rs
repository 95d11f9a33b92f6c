//! What an operator changes from the shell, beside a running server or without one.

use std::sync::Arc;

use chopmark_domain::cause::Cause;
use chopmark_domain::ids::SellerId;
use chopmark_log::{Engine, LogMetrics};

use crate::config::Config;
use crate::failure::{Failure, Reason};
use crate::server::data_dir::DataDir;
use crate::server::log::{Care, open_log};

/// Who is put on record.
#[must_use]
pub(crate) fn cause() -> Cause {
    Cause::Operator { actor: "cli".into() }
}

/// The log, begun where there never was one.
///
/// # Errors
/// The data folder cannot be made, or the log cannot be used.
pub(crate) async fn log(config: &Config) -> Result<Arc<dyn Engine>, Failure> {
    if !config.log.is_remote() {
        DataDir::at(&config.data_dir).create()?;
    }
    open_log(config, Care::BesideAServer, LogMetrics::unregistered()).await
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
