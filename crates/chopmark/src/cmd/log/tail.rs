//! `chopmark log tail`.

use std::io::{self, Write};
use std::sync::Arc;

use chopmark_log::{EventLog, Follower, Page, Position};

use super::shown;
use crate::cli::log::{From, TailArgs};
use crate::cmd::kept::{HELP, existing_log};
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::log::Care;
use crate::signals::StopSignals;

/// Records read at a time.
const PAGE: usize = 500;

/// Shows the events of the log, and those to come if that is wanted, until there are no more, nobody reads them, or it is
/// told to end.
///
/// # Errors
/// The log cannot be read, or standard output not written.
pub(super) async fn run(args: &TailArgs, config: &Config) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let log = existing_log(config, Care::BesideAServer).await?;
    let shown = tokio::select! {
        shown = show(args, log.clone()) => shown,
        () = signals.next() => Ok(()),
    };
    log.close().await;
    shown
}

async fn show(args: &TailArgs, log: Arc<dyn EventLog>) -> Result<(), Failure> {
    let unreadable = "the log cannot be read";
    let usual = if args.follow { From::Now } else { From::Position(Position::START) };
    let from = match args.from.unwrap_or(usual) {
        From::Position(position) => position,
        From::Now => log.head().await.or_fail(Reason::Storage, unreadable, HELP)?,
    };
    let mut follower = Follower::new(log, from);
    loop {
        let page = follower.next(PAGE).await.or_fail(Reason::Storage, unreadable, HELP)?;
        let is_read = print(args, &page).or_fail(Reason::CheckFailed, "standard output", "give it somewhere to go")?;
        if !is_read || (page.at_head && !args.follow) {
            return Ok(());
        }
    }
}

/// Prints a page. False where nobody reads it any more.
fn print(args: &TailArgs, page: &Page) -> io::Result<bool> {
    let line = if args.json { shown::json } else { shown::text };
    let text: String = page.records.iter().map(line).collect();
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}
