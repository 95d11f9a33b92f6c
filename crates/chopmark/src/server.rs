//! A running Chopmark: every part started, wired and, at the end, stopped in order.
//!
//! ```text
//! start   listeners bound ─▶ log opened ─▶ secrets, catalog, admin token ─▶ projector, bookkeeper, reactor ─▶ listeners serve
//! stop    listeners drain ─▶ projector and reactor save their snapshots, the bookkeeper stops ─▶ log and journal close
//! ```

pub(crate) mod billing;
pub(crate) mod data_dir;
mod exposition;
pub(crate) mod keys;
mod listeners;
mod marketplaces;
pub(crate) mod tls;
mod token;
pub(crate) mod unread;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use chopmark_billing::report::Billing;
use chopmark_billing::{BillingMetrics, Bookkeeper};
use chopmark_commands::{AppliedCatalog, CommandError, Commands, SystemClock};
use chopmark_domain::catalog::ProductTerms;
use chopmark_domain::cause::Cause;
use chopmark_domain::ids::{SellerId, Sku};
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::progress::Progress;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics};
use chopmark_projector::{LicenseIndex, Projector, ProjectorMetrics};
use chopmark_reactor::{CodeDesk, CodeMetrics, OpenErrands, OpenOrders, Reactor, ReactorMetrics};
use chopmark_signing::{IssuerSettings, LeaseIssuer, SigningMetrics};
use chopmark_upkeep::{Upkeep, UpkeepMetrics};
use chopmark_views::{Seen, ViewsMetrics};
use prometheus::Registry;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use data_dir::DataDir;
pub(crate) use listeners::Addresses;
use listeners::{Listeners, Serving};
use marketplaces::{Desk, SignedLicenses};

/// A running server.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) addresses: Addresses,
    /// The file with the first admin token.
    pub(crate) admin_token: PathBuf,
    index: Progress,
    serving: Serving,
    background: Background,
    log: Arc<SqliteLog>,
    seen: Seen,
    journal: Journal,
    _lock: File,
}

/// What is still to be done at the marketplace.
#[derive(Clone)]
pub(crate) struct Open {
    /// Orders whose facts are wanted.
    pub(crate) orders: OpenOrders,
    /// Errands for licenses.
    pub(crate) errands: OpenErrands,
}

/// What follows the log.
struct Background {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Server {
    /// Starts everything.
    ///
    /// # Errors
    /// An address is taken, the data folder is held by another server or cannot be written, the log is missing
    /// or damaged.
    pub(crate) async fn start(config: &Config) -> Result<Self, Failure> {
        let data = DataDir::at(&config.data_dir);
        data.create()?;
        let lock = data.lock()?;
        let listeners = Listeners::bind(config)?;
        let addresses = listeners.addresses()?;
        let registry = Registry::new();

        let log = open_log(config, SqliteOptions::default(), registered(LogMetrics::register(&registry))?).await?;
        let journal = open_journal(config, &data)?;
        let commands = Commands::new(log.clone(), Arc::new(SystemClock));
        apply_catalogs(config, &commands).await?;
        token::ensure_admin_token(&data.admin_token(), &commands).await?;

        let leases = lease_issuer(config, &data, &registry)?;
        let seen = open_seen(config, &registry).await?;
        let index = LicenseIndex::new();
        let marketplaces = marketplaces::of(config)?;
        let desk = CodeDesk::new(commands.clone(), marketplaces.clone(), registered(CodeMetrics::register(&registry))?);
        let mut background = Background::new();
        background.project(&log, &index, &data, &registry)?;
        let billing = background.keep_books(&log, config, &registry).await?;
        let reactor = Reactor::new(
            log.clone(),
            commands.clone(),
            marketplaces,
            Arc::new(SignedLicenses(leases.clone())),
            data.reactor_snapshot(),
            registered(ReactorMetrics::register(&registry))?,
        );
        let open = Open { orders: reactor.open_orders(), errands: reactor.open_errands() };
        background.run(|stop| reactor.run(stop));
        let upkeep_metrics = registered(UpkeepMetrics::register(&registry))?;
        let upkeep = Upkeep::new(commands.clone(), index.clone(), seen.clone(), seen.kept_since(), upkeep_metrics);
        background.run(|stop| upkeep.run(stop));
        if config.keys.signing.is_empty() {
            background.run(|stop| keys::follow(data.signing_keys(), leases.clone(), stop));
        }
        let progress = index.progress();
        let codes = Arc::new(Desk(desk));
        let parts = listeners::Parts {
            commands,
            journal: journal.clone(),
            index,
            leases,
            seen: seen.clone(),
            codes,
            open,
            billing,
            registry,
        };
        let serving = listeners.serve(config, parts)?;
        let admin_token = data.admin_token();
        Ok(Self { addresses, admin_token, index: progress, serving, background, log, seen, journal, _lock: lock })
    }

    /// Whether its index has caught up with the log: from then on checks are answered.
    pub(crate) fn is_ready(&self) -> bool {
        self.index.is_caught_up()
    }

    /// Waits until something that follows the log crashes: from then on nothing is projected or asked for, and only a
    /// new process can be trusted.
    pub(crate) async fn crashed(&mut self) -> Failure {
        let crash = self.background.crashed().await;
        let help = "nothing that was acknowledged is lost: start it again, and report this with the lines before";
        Failure::new(Reason::Storage, format!("what follows the event log has crashed: {crash}"), help)
    }

    /// Stops everything: requests under way are answered, snapshots saved, the log closed.
    pub(crate) async fn stop(self) {
        self.serving.stop().await;
        self.background.stop().await;
        self.seen.close().await;
        self.log.close().await;
        self.journal.flush().await;
    }
}

impl Background {
    fn new() -> Self {
        Self { stop: CancellationToken::new(), tasks: JoinSet::new() }
    }

    fn run<F: Future<Output = ()> + Send + 'static>(&mut self, task: impl FnOnce(CancellationToken) -> F) {
        self.tasks.spawn(task(self.stop.clone()));
    }

    /// Folds the log into the index.
    fn project(
        &mut self,
        log: &Arc<SqliteLog>,
        index: &LicenseIndex,
        data: &DataDir,
        registry: &Registry,
    ) -> Result<(), Failure> {
        let log: Arc<dyn EventLog> = log.clone();
        let metrics = registered(ProjectorMetrics::register(registry))?;
        let projector = Projector::new(log, index.clone(), data.index_snapshot(), metrics);
        self.run(|stop| projector.run(stop));
        Ok(())
    }

    /// Folds the log into the billing views, if there is a place for them.
    async fn keep_books(
        &mut self,
        log: &Arc<SqliteLog>,
        config: &Config,
        registry: &Registry,
    ) -> Result<Option<Billing>, Failure> {
        let log: Arc<dyn EventLog> = log.clone();
        let metrics = registered(BillingMetrics::register(registry))?;
        let Some(store) = billing::open_or_go_without(&config.views).await else {
            return Ok(None);
        };
        let bookkeeper = Bookkeeper::new(log, Arc::clone(&store), metrics);
        let billing = Billing::new(store, bookkeeper.progress());
        self.run(|stop| bookkeeper.run(stop));
        Ok(Some(billing))
    }

    async fn crashed(&mut self) -> JoinError {
        loop {
            match self.tasks.join_next().await {
                Some(Err(crash)) => return crash,
                // It has come as far as this version can, and has said so.
                Some(Ok(())) => {}
                None => std::future::pending().await,
            }
        }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a follower ended badly");
            }
        }
    }
}

/// Opens the log of a configuration; begins one where there never was any.
///
/// # Errors
/// It is missing, damaged, foreign, newer than this version, or cannot be read.
pub(crate) async fn open_log(
    config: &Config,
    options: SqliteOptions,
    metrics: LogMetrics,
) -> Result<Arc<SqliteLog>, Failure> {
    DataDir::at(&config.data_dir).must_not_miss(&config.log_file)?;
    let path = config.log_file.clone();
    let opened = tokio::task::spawn_blocking(move || SqliteLog::open(&path, options, metrics)).await;
    let help = "nothing was changed; see docs/operations/recovery.md";
    let log =
        opened.or_fail(Reason::Storage, "the event log", help)?.or_fail(Reason::Storage, "the event log", help)?;
    Ok(Arc::new(log))
}

/// Brings each seller's catalog in the log to the one in the file; nothing is appended where they are equal.
async fn apply_catalogs(config: &Config, commands: &Commands) -> Result<(), Failure> {
    for seller in &config.sellers {
        let wanted = wanted_terms(config, &seller.id);
        let applied = commands.apply_catalog(&seller.id, &seller.terms, &wanted, commands.now(), &Cause::System).await;
        let applied = unless_newer(applied, format_args!("the catalog of seller {}", seller.id))?;
        if let Some(AppliedCatalog { events, .. }) = applied.filter(|applied| !applied.events.is_empty()) {
            tracing::info!(seller = %seller.id, changes = events.len(), "catalog changes appended to the log");
        }
    }
    Ok(())
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

/// The issuer of leases, with the keys of the configuration or of the data folder.
fn lease_issuer(config: &Config, data: &DataDir, registry: &Registry) -> Result<Arc<LeaseIssuer>, Failure> {
    let keys = keys::ensure(config, data)?;
    let settings = IssuerSettings { name: config.keys.issuer.clone(), cached_leases: config.limits.leases_cached };
    let metrics = registered(SigningMetrics::register(registry))?;
    Ok(Arc::new(LeaseIssuer::new(keys, settings, rand::random(), metrics)))
}

async fn open_seen(config: &Config, registry: &Registry) -> Result<Seen, Failure> {
    let (path, metrics) = (config.views.views_file().to_owned(), registered(ViewsMetrics::register(registry))?);
    let help = "it holds only when machines were last seen: it may be moved away, and begins anew";
    let opened = tokio::task::spawn_blocking(move || Seen::open_or_begin_anew(&path, metrics)).await;
    opened.or_fail(Reason::Storage, "the views", help)?.or_fail(Reason::Storage, "the views", help)
}

fn open_journal(config: &Config, data: &DataDir) -> Result<Journal, Failure> {
    let max_deliveries = u32::try_from(config.limits.journal_deliveries).unwrap_or(u32::MAX);
    let options = JournalOptions { max_deliveries, ..JournalOptions::default() };
    let help = "give the data folder to the user that runs chopmark";
    Journal::open(&data.journal(), options).or_fail(Reason::Storage, "the delivery journal", help)
}

/// Metrics of this process. Registering fails only where a name is taken twice.
fn registered<T>(metrics: prometheus::Result<T>) -> Result<T, Failure> {
    metrics.or_fail(Reason::Storage, "the metrics", "this is a mistake in chopmark; report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_follower_that_crashes_is_noticed_and_one_that_ends_is_not() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(async {
            tokio::task::yield_now().await;
            std::panic::resume_unwind(Box::new("a mistake of ours"));
        });
        let mut background = Background { stop: CancellationToken::new(), tasks };
        assert!(background.crashed().await.is_panic());
        background.stop().await;
    }
}
