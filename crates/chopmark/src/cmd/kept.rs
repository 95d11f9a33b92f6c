//! What a data folder keeps, for commands that only look: looking makes nothing.

use std::sync::Arc;

use chopmark_log::{Engine, EventLog, LogMetrics};
use chopmark_projector::{Latest, latest};

use crate::config::Config;
use crate::failure::{Complaint, Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::log::{Care, open_log};

/// What to do when the log cannot be used.
pub(crate) const HELP: &str = "look at the log: chopmark doctor";

/// Opens the log that is there.
///
/// # Errors
/// There is none, or it cannot be used.
pub(crate) async fn existing_log(config: &Config, care: Care) -> Result<Arc<dyn Engine>, Failure> {
    if let Some(file) = config.log.file() {
        let data = DataDir::at(&config.data_dir);
        data.must_exist()?;
        data.must_not_miss(file)?;
        if !file.exists() {
            let what = format!("there is no event log {}", file.display());
            let help = "name the configuration with --config, or start the server once";
            return Err(Failure::new(Reason::Storage, what, help));
        }
    }
    open_log(config, care, LogMetrics::unregistered()).await
}

/// The license index as the log has it now, as far as this version can make it.
///
/// # Errors
/// The log or the kept index cannot be read.
pub(crate) async fn index(data: &DataDir, log: &dyn EventLog) -> Result<Latest, Failure> {
    latest(log, &data.index_snapshot()).await.or_fail(Reason::Storage, "the license index", HELP)
}

/// What to say of an index that is not whole.
pub(crate) fn complaint(index: &Latest) -> Option<Complaint> {
    let stopped = index.stopped.as_ref()?;
    let what = format!("this version cannot apply an event, and shows licenses as they were before it; {stopped}");
    Some(Complaint::new(what, "use the version of chopmark that wrote it, or a newer one"))
}
