//! Views in a schema that goes with the test.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::{PostgresBilling, PostgresOptions};
use crate::contract::{Place, postgres};
use crate::store::BillingStore;

/// A schema of its own, in a server that all tests share.
pub(crate) struct PostgresPlace {
    url: String,
    options: PostgresOptions,
}

impl PostgresPlace {
    pub(crate) async fn new() -> Self {
        let url = tokio::task::spawn_blocking(postgres::shared_url).await.unwrap();
        Self::at(url)
    }

    pub(crate) fn at(url: String) -> Self {
        let schema = format!("chopmark_test_{}", Uuid::now_v7().simple());
        Self { url, options: PostgresOptions { schema, connections: 4, ..PostgresOptions::default() } }
    }

    pub(crate) fn schema(&self) -> &str {
        &self.options.schema
    }

    pub(crate) fn url(&self) -> SecretString {
        self.url.as_str().into()
    }

    pub(crate) fn options(&self) -> &PostgresOptions {
        &self.options
    }

    pub(crate) async fn views(&self) -> PostgresBilling {
        PostgresBilling::connect(&self.url(), &self.options).await.unwrap()
    }

    /// A connection past the views, to the schema of the place.
    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = {}", self.schema())).await.unwrap();
        client
    }
}

impl Drop for PostgresPlace {
    /// A server that somebody named is left as it was.
    fn drop(&mut self) {
        if std::env::var_os(postgres::URL_VARIABLE).is_none() {
            return;
        }
        let (url, schema) = (self.url.clone(), self.options.schema.clone());
        let drop_schema = async move {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await
        };
        // A runtime does not wait within a runtime.
        let dropping = std::thread::spawn(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(drop_schema)
        });
        let _ = dropping.join();
    }
}

#[async_trait]
impl Place for PostgresPlace {
    async fn open(&self) -> Arc<dyn BillingStore> {
        Arc::new(self.views().await)
    }
}
