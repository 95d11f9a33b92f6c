//! `chopmark license`: licenses from the shell, straight from the log; no server needs to run.

mod adopt;
mod block;
mod explain;
mod history;
mod list;
mod machines;
mod show;
mod story;

use std::sync::Arc;

use chopmark_commands::{Commands, SystemClock};
use chopmark_log::Engine;
use chopmark_projector::{Found, LicenseIndex};
use chrono::Utc;

use super::kept::{self, existing_log};
use super::{operator, seen};
use crate::cli::license::{LicenseCommand, Which};
use crate::config::{Config, ViewsAt};
use crate::failure::{Failure, Reason};
use crate::server::data_dir::DataDir;
use crate::server::log::Care;

/// Does what is asked of licenses.
///
/// # Errors
/// The log cannot be used, there is no such license, or the rules refuse it.
pub(crate) async fn run(command: &LicenseCommand, config: &Config) -> Result<(), Failure> {
    let log = match command {
        LicenseCommand::Adopt(args) => {
            // Looked at before anything is made.
            operator::must_be_configured(&args.seller, config)?;
            operator::log(config).await?
        }
        _ => existing_log(config, Care::BesideAServer).await?,
    };
    let desk = Desk::at(config, &log);
    let done = match command {
        LicenseCommand::Adopt(args) => adopt::adopt(args, &desk).await,
        LicenseCommand::List(args) => list::list(args, &desk).await,
        LicenseCommand::Show(args) => show::show(args, &desk).await,
        LicenseCommand::History(args) => history::history(args, &desk).await,
        LicenseCommand::Explain(args) => explain::explain(args, &desk).await,
        LicenseCommand::Block(args) => block::block(args, &desk).await,
        LicenseCommand::Unblock(args) => block::unblock(args, &desk).await,
        LicenseCommand::Machines(args) => machines::machines(args, &desk).await,
        LicenseCommand::Free(args) => machines::free(args, &desk).await,
    };
    log.close().await;
    done
}

/// What all of them work with.
struct Desk {
    data: DataDir,
    views: ViewsAt,
    log: Arc<dyn Engine>,
    commands: Commands,
}

impl Desk {
    fn at(config: &Config, log: &Arc<dyn Engine>) -> Self {
        let commands = Commands::new(log.clone(), Arc::new(SystemClock));
        Self { data: DataDir::at(&config.data_dir), views: config.views.clone(), log: log.clone(), commands }
    }

    /// The index as the log has it now. Where it is not whole, standard error says so.
    async fn index(&self) -> Result<LicenseIndex, Failure> {
        let latest = kept::index(&self.data, self.log.as_ref()).await?;
        kept::complaint(&latest).iter().for_each(crate::warn);
        Ok(latest.index)
    }

    /// The license that is meant.
    async fn find(&self, which: &Which) -> Result<Found, Failure> {
        find(&self.index().await?, which)
    }

    /// When the machines of a license were last seen, as far as that is known.
    async fn last_seen(&self, found: &Found) -> machines::Seen {
        seen::read(&self.views, async |seen| seen.last_seen(found.key.seller.as_str(), found.key.id.as_str()).await)
            .await
    }
}

/// The license that is meant, of whatever kind.
fn find(index: &LicenseIndex, which: &Which) -> Result<Found, Failure> {
    let found = index.look_up_any(which.seller.as_ref(), &which.license, None, Utc::now());
    if found.ambiguous {
        let what = format!("several sellers have a license {}", which.license);
        return Err(Failure::new(Reason::Usage, what, "name one with --seller"));
    }
    found.found.ok_or_else(|| {
        let of = which.seller.as_ref().map(|seller| format!(" of seller {seller}")).unwrap_or_default();
        let what = format!("there is no license {}{of}", which.license);
        Failure::new(Reason::CheckFailed, what, "list them: chopmark license list")
    })
}
