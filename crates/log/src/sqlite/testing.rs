//! Logs in a folder that goes with the test.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;

use super::{SqliteLog, SqliteOptions};
use crate::contract::{EnginePlace, Place};
use crate::engine::Engine;
use crate::event_log::EventLog;
use crate::metrics::LogMetrics;

/// A folder for one log.
pub(crate) struct SqlitePlace(TempDir);

impl SqlitePlace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("chopmark.db")
    }

    pub(crate) fn log(&self) -> Arc<SqliteLog> {
        self.log_with(SqliteOptions::default())
    }

    pub(super) fn log_with(&self, options: SqliteOptions) -> Arc<SqliteLog> {
        Arc::new(SqliteLog::open(&self.path(), options, LogMetrics::unregistered()).unwrap())
    }
}

#[async_trait]
impl Place for SqlitePlace {
    async fn open(&self) -> Arc<dyn EventLog> {
        self.log()
    }
}

#[async_trait]
impl EnginePlace for SqlitePlace {
    async fn open_engine(&self) -> Arc<dyn Engine> {
        self.log()
    }
}
