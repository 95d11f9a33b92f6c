//! The billing views of a running server: where they are kept. They follow from the log, so no license and no callback
//! waits for them: a server whose views cannot be opened answers everything else.

use std::sync::Arc;

use chopmark_billing::postgres::{PostgresBilling, PostgresOptions};
use chopmark_billing::sqlite::SqliteBilling;
use chopmark_billing::store::{BillingStore, StoreError};

use crate::config::ViewsAt;

/// Opens the billing views of a configuration. A PostgreSQL that is not reached now is tried again until it is. `None`
/// where they cannot be opened, which is said: they may be of another version, which only `chopmark rebuild` takes away,
/// since other programs may read them.
pub(crate) async fn open_or_go_without(views: &ViewsAt) -> Option<Arc<dyn BillingStore>> {
    let opened = match (open(views).await, views) {
        (Err(error @ StoreError::Unavailable { .. }), ViewsAt::Postgres { url, .. }) => {
            tracing::warn!(%error, "until they are, settlement answers 503 and everything else as ever");
            PostgresBilling::connect_later(url, &PostgresOptions::default()).map(shared)
        }
        (opened, _) => opened,
    };
    opened
        .inspect_err(|error| {
            tracing::error!(%error, "this server goes without billing views: mend what is wrong and start it again");
        })
        .ok()
}

/// Opens the billing views of a configuration; creates them where there are none.
///
/// # Errors
/// They cannot be used, or are of another version.
pub(crate) async fn open(views: &ViewsAt) -> Result<Arc<dyn BillingStore>, StoreError> {
    Ok(match views {
        ViewsAt::Sqlite { billing_file, .. } => {
            let path = billing_file.clone();
            Arc::new(blocking(move || SqliteBilling::open(&path)).await?)
        }
        ViewsAt::Postgres { url, .. } => Arc::new(PostgresBilling::connect(url, &PostgresOptions::default()).await?),
    })
}

/// The same, taking away what is there, of whatever version.
///
/// # Errors
/// They cannot be used.
pub(crate) async fn open_anew(views: &ViewsAt) -> Result<Arc<dyn BillingStore>, StoreError> {
    Ok(match views {
        ViewsAt::Sqlite { billing_file, .. } => {
            let path = billing_file.clone();
            Arc::new(blocking(move || SqliteBilling::open_anew(&path)).await?)
        }
        ViewsAt::Postgres { url, .. } => {
            Arc::new(PostgresBilling::connect_anew(url, &PostgresOptions::default()).await?)
        }
    })
}

/// Opens the billing views that are there, to look at; makes none. `None` where there are none.
///
/// # Errors
/// They cannot be used, or are of another version.
pub(crate) async fn open_kept(views: &ViewsAt) -> Result<Option<Arc<dyn BillingStore>>, StoreError> {
    match views {
        ViewsAt::Sqlite { billing_file, .. } if !billing_file.exists() => Ok(None),
        ViewsAt::Sqlite { .. } => open(views).await.map(Some),
        ViewsAt::Postgres { url, .. } => {
            Ok(PostgresBilling::connect_to_kept(url, &PostgresOptions::default()).await?.map(shared))
        }
    }
}

fn shared(views: PostgresBilling) -> Arc<dyn BillingStore> {
    Arc::new(views)
}

async fn blocking<T: Send + 'static>(
    open: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let opened = tokio::task::spawn_blocking(open).await;
    opened.map_err(|error| StoreError::Unavailable { reason: error.to_string() })?
}
