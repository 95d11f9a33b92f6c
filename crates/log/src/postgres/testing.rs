//! Logs in a schema that goes with the test.

use std::sync::Arc;

use async_trait::async_trait;
use chopmark_postgres::testing::TestSchema;
use chrono::{DateTime, Utc};

use super::{PostgresLog, PostgresOptions};
use crate::contract::{EnginePlace, Place};
use crate::engine::Engine;
use crate::event_log::EventLog;
use crate::metrics::LogMetrics;

/// A schema for one log, on a server that all tests share.
pub(crate) struct PostgresPlace(TestSchema);

impl PostgresPlace {
    pub(crate) fn new() -> Self {
        Self(TestSchema::new())
    }

    /// On another server.
    pub(super) fn at(url: String) -> Self {
        Self(TestSchema::at(url))
    }

    pub(super) fn options(&self) -> PostgresOptions {
        PostgresOptions { schema: self.0.name().into(), ..PostgresOptions::default() }
    }

    pub(super) fn url(&self) -> &str {
        self.0.url()
    }

    pub(super) fn schema(&self) -> &str {
        self.0.name()
    }

    pub(super) async fn log(&self) -> Arc<PostgresLog> {
        self.log_at(self.0.url()).await
    }

    /// With another clock.
    pub(super) async fn log_by(&self, clock: fn() -> DateTime<Utc>) -> Arc<PostgresLog> {
        let options = PostgresOptions { clock, ..self.options() };
        Arc::new(PostgresLog::connect(&self.url().into(), &options, LogMetrics::unregistered()).await.unwrap())
    }

    /// The same log, by another way to its server.
    pub(super) async fn log_at(&self, url: &str) -> Arc<PostgresLog> {
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}application_name={}", self.schema());
        Arc::new(PostgresLog::connect(&url.into(), &self.options(), LogMetrics::unregistered()).await.unwrap())
    }

    /// Ends the session of everybody who uses this place, by the name that connections carry.
    pub(super) async fn end_all_sessions(&self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        self.client().await.query(end, &[&self.schema()]).await.unwrap();
    }

    /// A connection past the log, to its schema.
    pub(super) async fn client(&self) -> tokio_postgres::Client {
        self.0.client().await.unwrap()
    }
}

#[async_trait]
impl Place for PostgresPlace {
    async fn open(&self) -> Arc<dyn EventLog> {
        self.log().await
    }
}

#[async_trait]
impl EnginePlace for PostgresPlace {
    async fn open_engine(&self) -> Arc<dyn Engine> {
        self.log().await
    }
}
