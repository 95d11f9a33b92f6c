//! What a data folder keeps, for commands that only look: looking makes nothing.

use std::sync::Arc;

use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics};
use chopmark_projector::{FoldError, LicenseIndex};

use crate::config::Config;
use crate::failure::{Complaint, Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::open_log;

/// What to do when the log cannot be used.
pub(crate) const HELP: &str = "look at the log: chopmark doctor";
/// Records folded at a time.
const PAGE: usize = 2_048;

/// Opens the log that is there.
///
/// # Errors
/// There is none, or it cannot be used.
pub(crate) async fn existing_log(config: &Config, options: SqliteOptions) -> Result<Arc<SqliteLog>, Failure> {
    let data = DataDir::at(&config.data_dir);
    data.must_exist()?;
    data.must_not_miss(&config.log_file)?;
    if !config.log_file.exists() {
        let what = format!("there is no event log {}", config.log_file.display());
        return Err(Failure::new(
            Reason::Storage,
            what,
            "name the configuration with --config, or start the server once",
        ));
    }
    open_log(config, options, LogMetrics::unregistered()).await
}

/// The license index as far as this version can make it.
pub(crate) struct Folded {
    /// The index.
    pub(crate) index: LicenseIndex,
    /// What stands in the way of the rest.
    pub(crate) stopped: Option<FoldError>,
}

impl Folded {
    /// What to say of an index that is not whole.
    pub(crate) fn complaint(&self) -> Option<Complaint> {
        let stopped = self.stopped.as_ref()?;
        let what = format!("this version cannot apply an event, and shows licenses as they were before it; {stopped}");
        Some(Complaint::new(what, "use the version of chopmark that wrote it, or a newer one"))
    }
}

/// The index as the log has it now: the kept one, brought up to date.
///
/// # Errors
/// The log or the kept index cannot be read.
pub(crate) async fn fold(data: &DataDir, log: &Arc<SqliteLog>) -> Result<Folded, Failure> {
    let kept = LicenseIndex::load(&data.index_snapshot()).or_fail(Reason::Storage, "the license index", HELP)?;
    let index = match kept {
        Some(kept) if kept.is_of(log.as_ref()).await.or_fail(Reason::Storage, "the event log", HELP)? => kept,
        _ => LicenseIndex::new(),
    };
    loop {
        let page = log.read_all(index.position(), PAGE).await.or_fail(Reason::Storage, "the event log", HELP)?;
        let stopped = index.apply(&page).err();
        if stopped.is_some() || page.at_head {
            return Ok(Folded { index, stopped });
        }
    }
}
