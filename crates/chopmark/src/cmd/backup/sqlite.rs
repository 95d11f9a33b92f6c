//! A consistent copy of a SQLite file that others are writing to.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{HELP, NOT_SAVED};
use crate::failure::{Failure, OrFail, Reason};

/// How long it waits for a lock before it gives up, and looks again in between.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(100);

/// Copies a SQLite file with SQLite's online backup: everything that was committed when it begins, and nothing else.
///
/// # Errors
/// The file cannot be read, or the copy not written.
pub(super) async fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    super::manifest::create_private(to).or_fail(Reason::Storage, NOT_SAVED, HELP)?;
    let doing = format!("{NOT_SAVED}: {}", from.display());
    let (from, to) = (from.to_owned(), to.to_owned());
    let copied = tokio::task::spawn_blocking(move || copy_now(&from, &to)).await;
    copied.or_fail(Reason::Storage, &doing, HELP)?.or_fail(Reason::Storage, &doing, HELP)
}

fn copy_now(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let source = connect(from)?;
    let mut target = connect(to)?;
    let backup = Backup::new(&source, &mut target)?;
    // All in one step, which is one read transaction: writers go on beside it. In several steps it would begin anew
    // whenever somebody writes, and never end under load.
    while backup.step(-1)? != StepResult::Done {
        std::thread::sleep(AGAIN);
    }
    drop(backup);
    // One file, without companions. Whoever opens it takes up the write-ahead log again.
    target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Whoever only reads leaves a write-ahead log behind.
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, access)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}
