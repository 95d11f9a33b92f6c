//! Where the billing views are kept while they are measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chopmark_billing::postgres::{PostgresBilling, PostgresOptions};
use chopmark_billing::sqlite::SqliteBilling;
use chopmark_billing::store::BillingStore;
use secrecy::SecretString;
use uuid::Uuid;

use super::bare::Bare;

/// A store, and the same rows without Chopmark.
pub(super) struct Place {
    /// The engine's name, as in the names of figures.
    pub(super) engine: &'static str,
    pub(super) store: Arc<dyn BillingStore>,
    pub(super) bare: Bare,
    kept: Kept,
}

enum Kept {
    File(PathBuf),
    Schema(String),
}

impl Place {
    /// A file in a folder.
    pub(super) fn sqlite(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("billing.db");
        let store = Arc::new(SqliteBilling::open(&path)?);
        Ok(Self { engine: "sqlite", store, bare: Bare::sqlite(&path)?, kept: Kept::File(path) })
    }

    /// A schema of its own, so that nothing is touched that is there.
    pub(super) async fn postgres(url: &SecretString) -> anyhow::Result<Self> {
        let schema = format!("chopmark_bench_{}", Uuid::now_v7().simple());
        let options = PostgresOptions { schema: schema.clone(), ..PostgresOptions::default() };
        let store = Arc::new(PostgresBilling::connect(url, &options).await?);
        let bare = Bare::postgres(url, &schema).await?;
        Ok(Self { engine: "postgres", store, bare, kept: Kept::Schema(schema) })
    }

    /// Takes it away with everything in it.
    pub(super) async fn take_away(self) -> anyhow::Result<()> {
        let Self { store, bare, kept, .. } = self;
        match kept {
            Kept::Schema(schema) => bare.execute(&format!("DROP SCHEMA {schema} CASCADE")).await,
            Kept::File(path) => {
                // Who writes tidies up, once nobody reads.
                drop(bare);
                drop(store);
                Ok(std::fs::remove_file(path)?)
            }
        }
    }
}
