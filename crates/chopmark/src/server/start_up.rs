//! What is done to the log when a server starts: its catalog and its admin token are put there, or compared with it.
//!
//! A log in a file is there, or the server does not start. One that is elsewhere may be away: then the server is up and
//! answers what it can, and this is done as soon as the log is back.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chopmark_commands::{AppliedCatalog, CommandError, Commands};
use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_domain::settlement::terms::SellerTerms;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::token::AdminToken;
use crate::cli::serve::Role;
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};

/// A log that is elsewhere is waited for so long, so that a server that starts beside a healthy one has done all of this
/// when it says that it is up.
const PATIENCE: Duration = Duration::from_secs(5);

/// What failed is tried again after so long, and then after twice that and so on, up to the maximum.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Clone)]
pub(super) struct StartUp {
    commands: Commands,
    catalogs: Arc<[Catalog]>,
    /// For who makes it.
    admin_token: Option<AdminToken>,
    role: Role,
}

/// A seller's catalog, as the file has it.
struct Catalog {
    seller: SellerId,
    terms: SellerTerms,
    products: Vec<(Sku, ProductTerms)>,
}

impl StartUp {
    /// The start of a server. The file of the admin token, which role `all` alone makes, is written now.
    ///
    /// # Errors
    /// That file cannot be read or written.
    pub(super) fn of(config: &Config, role: Role, commands: &Commands, token_file: &Path) -> Result<Self, Failure> {
        let catalog = |seller: &crate::config::SellerConfig| Catalog {
            seller: seller.id.clone(),
            terms: seller.terms.clone(),
            products: wanted_terms(config, &seller.id),
        };
        let admin_token = if role == Role::All { Some(AdminToken::ensure(token_file)?) } else { None };
        let catalogs = config.sellers.iter().map(catalog).collect();
        Ok(Self { commands: commands.clone(), catalogs, admin_token, role })
    }

    /// Does it now.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub(super) async fn run(&self) -> Result<(), Failure> {
        for catalog in self.catalogs.iter() {
            match self.role {
                Role::All => catalog.apply(&self.commands).await?,
                Role::Ingest | Role::Query | Role::Worker => catalog.compare(&self.commands).await?,
            }
        }
        match &self.admin_token {
            Some(token) => unless_newer(token.make_known(&self.commands).await, "the admin token").map(drop),
            None => Ok(()),
        }
    }

    /// Does it now if the log answers soon. Where it does not, says so and gives back what is still to be done.
    pub(super) async fn run_if_there(self) -> Option<Self> {
        let failure = match tokio::time::timeout(PATIENCE, self.run()).await {
            Ok(Ok(())) => return None,
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "the event log does not answer".to_owned(),
        };
        tracing::warn!(failure, "the event log is away: callbacks are answered 000005 until it is back");
        Some(self)
    }

    /// Does it as soon as it can be done.
    pub(super) async fn run_when_there(self, stop: CancellationToken) {
        let mut retry = RETRY_FIRST;
        while stop.run_until_cancelled(sleep(retry)).await.is_some() {
            match stop.run_until_cancelled(self.run()).await {
                None => return,
                Some(Ok(())) => return tracing::info!("the event log is there"),
                Some(Err(failure)) => tracing::debug!(%failure, "the event log is still away"),
            }
            retry = (retry * 2).min(RETRY_MAX);
        }
    }
}

impl Catalog {
    /// Brings the log's catalog to the one in the file; nothing is appended where they are equal.
    async fn apply(&self, commands: &Commands) -> Result<(), Failure> {
        let Self { seller, terms, products } = self;
        let applied = commands.apply_catalog(seller, terms, products, commands.now(), &Cause::System).await;
        let applied = unless_newer(applied, format_args!("the catalog of seller {seller}"))?;
        if let Some(AppliedCatalog { events, .. }) = applied.filter(|applied| !applied.events.is_empty()) {
            tracing::info!(%seller, changes = events.len(), "catalog changes appended to the log");
        }
        Ok(())
    }

    /// Says where the file differs from the log, whose catalog counts.
    async fn compare(&self, commands: &Commands) -> Result<(), Failure> {
        let Self { seller, terms, products } = self;
        let kept = unless_newer(commands.catalog(seller).await, format_args!("the catalog of seller {seller}"))?;
        let differs = kept.is_some_and(|kept| !kept.apply(terms, products, commands.now()).is_empty());
        if differs {
            tracing::warn!(%seller, "the catalog in the file differs from the one in the log, which counts; bring it there \
                                     with `chopmark apply`, and give every process the same file");
        }
        Ok(())
    }
}

/// What was done at the start; `None` where the log holds what only a newer version can read. That is said, and is no
/// reason not to answer the rest.
fn unless_newer<T>(done: Result<T, CommandError>, what: impl fmt::Display) -> Result<Option<T>, Failure> {
    match done {
        Err(error @ CommandError::Decode { .. }) => {
            tracing::error!(%error, "{what} stays as it is");
            Ok(None)
        }
        done => done.or_fail(Reason::Storage, what, "look at the log: chopmark doctor").map(Some),
    }
}

/// The terms that the file gives to a seller's products.
#[must_use]
pub(crate) fn wanted_terms(config: &Config, seller: &SellerId) -> Vec<(Sku, ProductTerms)> {
    let products = config.products.iter().filter(|product| product.seller == *seller);
    products.map(|product| (product.sku.clone(), product.terms.clone())).collect()
}
