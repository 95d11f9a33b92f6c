//! Who keeps the billing views, and who only reads them.
//!
//! In a file they are this process's own, and it keeps them. In PostgreSQL all processes share them: whoever leads keeps
//! them, and the others look how far it is.

use std::sync::Arc;

use chopmark_billing::report::Billing;
use chopmark_billing::store::BillingStore;
use chopmark_billing::{BillingMetrics, Bookkeeper, Onlooker};
use chopmark_log::EventLog;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use super::{billing, registered};
use crate::cli::serve::Role;
use crate::config::{Config, ViewsAt};
use crate::failure::Failure;

/// The billing views of a running server.
#[derive(Clone)]
pub(super) struct Books {
    log: Arc<dyn EventLog>,
    store: Arc<dyn BillingStore>,
    onlooker: Onlooker,
    metrics: BillingMetrics,
    are_shared: bool,
}

impl Books {
    /// Opens them where this role has to do with them. `None` also where they cannot be opened, which is said.
    ///
    /// # Errors
    /// A metric of the same name is registered.
    pub(super) async fn open(
        config: &Config,
        role: Role,
        log: &Arc<dyn EventLog>,
        registry: &Registry,
    ) -> Result<Option<Self>, Failure> {
        let are_shared = matches!(config.views, ViewsAt::Postgres { .. });
        if !role.answers_questions() && !are_shared {
            return Ok(None);
        }
        let metrics = registered(BillingMetrics::register(registry))?;
        let store = billing::open_or_go_without(&config.views).await;
        Ok(store.map(|store| {
            let onlooker = Onlooker::new(Arc::clone(&store), metrics.clone());
            Self { log: Arc::clone(log), store, onlooker, metrics, are_shared }
        }))
    }

    /// Whether other processes keep or read them too.
    pub(super) fn are_shared(&self) -> bool {
        self.are_shared
    }

    /// Keeps them, until told to stop. Of those that share them one may.
    pub(super) async fn keep(self, stop: CancellationToken) {
        let bookkeeper = Bookkeeper::new(self.log, self.store, self.metrics);
        bookkeeper.telling(&self.onlooker).run(stop).await;
    }

    /// Looks how far whoever keeps them is, until told to stop.
    pub(super) async fn look_on(self, stop: CancellationToken) {
        self.onlooker.run(stop).await;
    }

    /// What finance asks.
    pub(super) fn reports(&self) -> Billing {
        Billing::new(Arc::clone(&self.store), self.onlooker.progress())
    }
}
