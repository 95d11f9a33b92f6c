//! A running Chopmark, or the part of it that its role names: every piece started, wired and, at the end, stopped in order.
//!
//! ```text
//! start   listeners bound ─▶ log opened ─▶ secrets, catalog, admin token ─▶ index, billing views ─▶ duties ─▶ listeners serve
//! stop    listeners drain ─▶ snapshots saved, duties and their right given back ─▶ log and journal close
//! ```
//!
//! | | all | ingest | query | worker |
//! | --- | --- | --- | --- | --- |
//! | takes callbacks, with a journal of them | yes | yes | | |
//! | knows licenses: index, who was seen, what is open | yes | | yes | yes |
//! | answers checks, the API, the console | yes | | yes | |
//! | its duties, while it leads | yes | | | yes |

mod background;
pub(crate) mod billing;
mod books;
pub(crate) mod data_dir;
mod doors;
mod duties;
mod exposition;
pub(crate) mod keys;
mod knowledge;
mod listeners;
pub(crate) mod log;
mod marketplaces;
pub(crate) mod seals;
pub(crate) mod seen;
mod start_up;
pub(crate) mod tls;
mod token;
pub(crate) mod unread;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use chopmark_commands::{Commands, SystemClock};
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::progress::Progress;
use chopmark_log::{Engine, EventLog, LogMetrics};
use chopmark_reactor::{CodeDesk, CodeMetrics, Lookout};
use chopmark_views::Seen;
use prometheus::Registry;

use crate::cli::serve::Role;
use crate::config::{Config, LogAt, ViewsAt};
use crate::failure::{Failure, OrFail, Reason};
use background::Background;
use books::Books;
use data_dir::DataDir;
use doors::Asked;
use duties::{Duties, Outside, Sightings};
use knowledge::Knowledge;
pub(crate) use listeners::Addresses;
use listeners::{Doors, Listeners, Serving};
use log::{Care, open_log};
use marketplaces::Desk;
use start_up::StartUp;
pub(crate) use start_up::wanted_terms;

/// A running server.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) addresses: Addresses,
    /// The file with the first admin token, where this process makes it.
    pub(crate) admin_token: Option<PathBuf>,
    readiness: Option<Progress>,
    serving: Serving,
    background: Background,
    log: Arc<dyn Engine>,
    seen: Option<Seen>,
    journal: Option<Journal>,
    _lock: File,
}

impl Server {
    /// Starts everything that belongs to a role.
    ///
    /// # Errors
    /// An address is taken, the data folder is held by another server or cannot be written, a key is missing, or the log
    /// is missing or damaged. One that is elsewhere may be away.
    pub(crate) async fn start(config: &Config, role: Role) -> Result<Self, Failure> {
        let data = DataDir::at(&config.data_dir);
        data.create()?;
        let lock = data.lock()?;
        let listeners = Listeners::bind(config, role)?;
        let addresses = listeners.addresses()?;
        let registry = Registry::new();
        let log = open_log(config, Care::Whole, registered(LogMetrics::register(&registry))?).await?;
        let commands = commands(config, role, &log);
        let mut house = House { config, role, data, log, commands, registry, background: Background::new() };

        house.start_up().await?;
        let journal = house.journal()?;
        let knowledge = house.knowledge().await?;
        let books = house.books().await?;
        if let Some(knowledge) = &knowledge {
            house.take_up_duties(knowledge, books.as_ref())?;
        }
        let readiness = knowledge.as_ref().map(|knowledge| knowledge.index.progress());
        let doors = house.doors(journal.as_ref(), knowledge.as_ref(), books.as_ref())?;
        let serving = listeners.serve(config, doors)?;
        let admin_token = (role == Role::All).then(|| house.data.admin_token());
        let seen = knowledge.map(|knowledge| knowledge.seen);
        let House { log, background, .. } = house;
        Ok(Self { addresses, admin_token, readiness, serving, background, log, seen, journal, _lock: lock })
    }

    /// Whether its index, if it has one, has caught up with the log: from then on checks are answered.
    pub(crate) fn is_ready(&self) -> bool {
        self.readiness.as_ref().is_none_or(Progress::is_caught_up)
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
        if let Some(seen) = self.seen {
            seen.close().await;
        }
        self.log.close().await;
        if let Some(journal) = self.journal {
            journal.flush().await;
        }
    }
}

/// A server that is being built.
struct House<'c> {
    config: &'c Config,
    role: Role,
    data: DataDir,
    log: Arc<dyn Engine>,
    commands: Commands,
    registry: Registry,
    background: Background,
}

impl House<'_> {
    /// What is to be done to the log is done: at once to a file, in the background to one that is away.
    async fn start_up(&mut self) -> Result<(), Failure> {
        let start_up = StartUp::of(self.config, self.role, &self.commands, &self.data.admin_token())?;
        if !self.config.log.is_remote() {
            return start_up.run().await;
        }
        if let Some(left) = start_up.run_if_there().await {
            self.background.run(|stop| left.run_when_there(stop));
        }
        Ok(())
    }

    /// Where callbacks are taken, they are remembered.
    fn journal(&self) -> Result<Option<Journal>, Failure> {
        if !self.role.takes_callbacks() {
            return Ok(None);
        }
        let max_deliveries = u32::try_from(self.config.limits.journal_deliveries).unwrap_or(u32::MAX);
        let options = JournalOptions { max_deliveries, ..JournalOptions::default() };
        let help = "give the data folder to the user that runs chopmark";
        let journal = Journal::open(&self.data.journal(), options);
        journal.or_fail(Reason::Storage, "the delivery journal", help).map(Some)
    }

    async fn knowledge(&mut self) -> Result<Option<Knowledge>, Failure> {
        let Self { config, role, data, registry, background, .. } = self;
        if !role.signs() {
            return Ok(None);
        }
        let log: Arc<dyn EventLog> = self.log.clone();
        Knowledge::gather(config, *role, data, &log, registry, background).await.map(Some)
    }

    /// The billing views. Those that are this process's own it keeps; of those that are shared it knows how far they are.
    async fn books(&mut self) -> Result<Option<Books>, Failure> {
        if !self.role.signs() {
            return Ok(None);
        }
        let log: Arc<dyn EventLog> = self.log.clone();
        let books = Books::open(self.config, self.role, &log, &self.registry).await?;
        if let Some(books) = books.clone().filter(|_| self.role.answers_questions()) {
            if books.are_shared() {
                self.background.run(|stop| books.look_on(stop));
            } else {
                self.background.run(|stop| books.keep(stop));
            }
        }
        Ok(books)
    }

    /// Whoever may lead waits for its turn; whoever may not watches what is open.
    fn take_up_duties(&mut self, knowledge: &Knowledge, books: Option<&Books>) -> Result<(), Failure> {
        let snapshot = self.data.reactor_snapshot();
        let board = knowledge.board.clone();
        if !self.role.may_lead() {
            let lookout = Lookout::new(self.log.clone(), board, snapshot);
            self.background.run(|stop| lookout.run(stop));
            return Ok(());
        }
        let (leases, metrics) = (knowledge.leases.clone(), knowledge.reactor_metrics.clone());
        let marketplaces = marketplaces::of(self.config)?;
        let outside = Outside { marketplaces, leases, board, snapshot, metrics };
        let sightings = self.sightings(knowledge);
        let (log, commands, books) = (self.log.clone(), self.commands.clone(), books.cloned());
        let duties = Duties::new(log, commands, outside, sightings, books, self.config.seal_every, &self.registry)?;
        self.background.run(|stop| duties.run(stop));
        Ok(())
    }

    /// Who was seen, if this process knows of all who were: where others answer checks too, only a store that is shared
    /// does.
    fn sightings(&self, knowledge: &Knowledge) -> Option<Sightings> {
        if is_alone(self.config, self.role) || matches!(self.config.views, ViewsAt::Postgres { .. }) {
            return Some(Sightings { index: knowledge.index.clone(), seen: knowledge.seen.clone() });
        }
        tracing::warn!(
            "views.url is a file of this process, which does not know whom others see: no seat lapses and no hour is \
             closed; set views.url to one PostgreSQL for all"
        );
        None
    }

    fn doors(
        &self,
        journal: Option<&Journal>,
        knowledge: Option<&Knowledge>,
        books: Option<&Books>,
    ) -> Result<Doors, Failure> {
        let Self { config, role, commands, registry, .. } = self;
        let readiness = knowledge.map(|knowledge| knowledge.index.progress());
        let ingest = match journal {
            Some(journal) => Some(doors::ingest(config, commands, journal, readiness.clone(), registry)?),
            None => None,
        };
        let query = match knowledge.filter(|_| role.answers_questions()) {
            Some(knowledge) => {
                let codes = registered(CodeMetrics::register(registry))?;
                let codes = Arc::new(Desk(CodeDesk::new(commands.clone(), marketplaces::of(config)?, codes)));
                let (commands, journal, billing) = (commands.clone(), journal.cloned(), books.map(Books::reports));
                let asked = Asked { commands, journal, codes, billing, is_alone: is_alone(config, *role) };
                Some(doors::query(config, asked, knowledge, registry)?)
            }
            None => None,
        };
        let board = knowledge.map(|knowledge| knowledge.board.clone());
        let exposition = doors::exposition(config, journal.cloned(), board, registry.clone());
        Ok(Doors { ingest, query, exposition, readiness })
    }
}

/// Whether no other process takes part: one of role `all` with a log in a file of its own. Others cannot be counted, so
/// where they may be they are.
fn is_alone(config: &Config, role: Role) -> bool {
    role == Role::All && matches!(config.log, LogAt::Sqlite(_))
}

fn commands(config: &Config, role: Role, log: &Arc<dyn Engine>) -> Commands {
    let commands = Commands::new(log.clone(), Arc::new(SystemClock));
    if is_alone(config, role) { commands } else { commands.among_others() }
}

/// Metrics of this process. Registering fails only where a name is taken twice.
fn registered<T>(metrics: prometheus::Result<T>) -> Result<T, Failure> {
    metrics.or_fail(Reason::Storage, "the metrics", "this is a mistake in chopmark; report it")
}
