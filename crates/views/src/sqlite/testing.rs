//! A file that goes with the test.

use std::sync::Arc;

use chrono::Utc;
use tempfile::TempDir;

use super::Sqlite;
use crate::contract::{Place, store_contract};
use crate::store::Store;

pub(crate) struct SqlitePlace(TempDir);

impl SqlitePlace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for SqlitePlace {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(Sqlite::open(&self.0.path().join("views.db"), Utc::now()).unwrap())
    }
}

store_contract!(SqlitePlace::new);
