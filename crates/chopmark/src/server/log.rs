//! The event log of a configuration: the one place that knows every engine.

use std::path::PathBuf;
use std::sync::Arc;

use chopmark_log::eventstore::{EventstoreLog, LeaseTimes};
use chopmark_log::postgres::{PostgresLog, PostgresOptions};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{Engine, LogMetrics};

use super::data_dir::DataDir;
use crate::config::{Config, LogAt};
use crate::failure::{Failure, OrFail, Reason};

const HELP: &str = "nothing was changed; see docs/operations/recovery.md";

const REMOTE_HELP: &str = "mend log.url; nothing was changed";

/// How closely a file is looked at when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// Every record is read once, to know that it is whole.
    Whole,
    /// A server may be at work on the same file; checking every record is its business.
    BesideAServer,
}

/// Opens the log of a configuration; begins one where there never was any. One that is elsewhere need not be there yet:
/// until it is, every call says so.
///
/// # Errors
/// It is missing, damaged, foreign, newer than this version, or cannot be read; or its URL cannot be right.
pub(crate) async fn open_log(config: &Config, care: Care, metrics: LogMetrics) -> Result<Arc<dyn Engine>, Failure> {
    match &config.log {
        LogAt::Sqlite(file) => {
            DataDir::at(&config.data_dir).must_not_miss(file)?;
            open_sqlite(file.clone(), care, metrics).await
        }
        LogAt::Postgres(url) => {
            let log = PostgresLog::connect(url, &PostgresOptions::default(), metrics).await;
            Ok(Arc::new(log.or_fail(Reason::Storage, format!("the event log at {}", config.log), REMOTE_HELP)?))
        }
        LogAt::Eventstore(url) => {
            let log = EventstoreLog::connect(url, LeaseTimes::default(), metrics);
            Ok(Arc::new(log.or_fail(Reason::Storage, format!("the event log at {}", config.log), REMOTE_HELP)?))
        }
    }
}

/// Opens the log in a file, wherever that is; begins one where there is none.
///
/// # Errors
/// It is damaged, foreign, newer than this version, or cannot be read.
pub(crate) async fn open_sqlite(path: PathBuf, care: Care, metrics: LogMetrics) -> Result<Arc<dyn Engine>, Failure> {
    let options = SqliteOptions { verify: care == Care::Whole, ..SqliteOptions::default() };
    let opened = tokio::task::spawn_blocking(move || SqliteLog::open(&path, options, metrics)).await;
    let log =
        opened.or_fail(Reason::Storage, "the event log", HELP)?.or_fail(Reason::Storage, "the event log", HELP)?;
    Ok(Arc::new(log))
}
