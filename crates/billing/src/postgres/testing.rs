//! Views in a schema that goes with the test.

use std::sync::Arc;

use async_trait::async_trait;
use chopmark_postgres::testing::TestSchema;
use secrecy::SecretString;

use super::{PostgresBilling, PostgresOptions};
use crate::contract::Place;
use crate::store::BillingStore;

/// A schema of its own, in a server that all tests share.
pub(crate) struct PostgresPlace {
    schema: TestSchema,
    options: PostgresOptions,
}

impl PostgresPlace {
    pub(crate) async fn new() -> Self {
        Self::in_schema(tokio::task::spawn_blocking(TestSchema::new).await.unwrap())
    }

    pub(crate) fn at(url: String) -> Self {
        Self::in_schema(TestSchema::at(url))
    }

    fn in_schema(schema: TestSchema) -> Self {
        let options = PostgresOptions { schema: schema.name().into(), connections: 4, ..PostgresOptions::default() };
        Self { schema, options }
    }

    pub(crate) fn schema(&self) -> &str {
        self.schema.name()
    }

    pub(crate) fn url(&self) -> SecretString {
        self.schema.url().into()
    }

    pub(crate) fn options(&self) -> &PostgresOptions {
        &self.options
    }

    pub(crate) async fn views(&self) -> PostgresBilling {
        PostgresBilling::connect(&self.url(), &self.options).await.unwrap()
    }

    /// A connection past the views, to the schema of the place.
    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        self.schema.client().await.unwrap()
    }
}

#[async_trait]
impl Place for PostgresPlace {
    async fn open(&self) -> Arc<dyn BillingStore> {
        Arc::new(self.views().await)
    }
}
