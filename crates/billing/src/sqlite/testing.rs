//! Views in a folder that goes with the test.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;

use super::SqliteBilling;
use crate::contract::Place;
use crate::store::BillingStore;

/// A folder for one file.
pub(crate) struct SqlitePlace(TempDir);

impl SqlitePlace {
    pub(crate) async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("billing.db")
    }
}

#[async_trait]
impl Place for SqlitePlace {
    async fn open(&self) -> Arc<dyn BillingStore> {
        Arc::new(SqliteBilling::open(&self.path()).unwrap())
    }
}
