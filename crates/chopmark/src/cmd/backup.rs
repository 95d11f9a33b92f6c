//! `chopmark backup` and `chopmark restore`.

mod manifest;
mod restore;
mod sqlite;

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chopmark_log::{LogMetrics, Position};
use chrono::{SubsecRound, Utc};
use tempfile::TempDir;

use self::manifest::{Log, Manifest};
use super::kept::existing_log;
use super::log::export;
use crate::cli::backup::{BackupArgs, RestoreArgs};
use crate::config::{Config, ViewsAt};
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::log::{Care, open_sqlite};

/// The log as a SQLite file.
const LOG_FILE: &str = "log.db";
/// The log as JSON lines, where it is elsewhere.
const LOG_EXPORT: &str = "log.jsonl";
/// What was last seen.
const VIEWS_FILE: &str = "views.db";
/// The keys that Chopmark made itself.
const KEYS_FILE: &str = "signing-keys.pem";

const NOT_SAVED: &str = "the backup is not made";
const HELP: &str = "name a folder that can be written and has room; nothing was left behind";

/// Saves what cannot be made anew, beside a running server too: the log, the keys, and who was last seen.
///
/// # Errors
/// The folder holds something, or something cannot be read or written.
pub(crate) async fn backup(args: &BackupArgs, config: &Config) -> Result<(), Failure> {
    let unfinished = beside(&args.folder)?;
    let folder = unfinished.path();
    let log = save_log(config, folder).await?;
    let mut files = vec![log.file.clone()];
    // Who was last seen by PostgreSQL is in the backup of that.
    if let ViewsAt::Sqlite { views_file, .. } = &config.views
        && views_file.exists()
    {
        sqlite::copy(views_file, &folder.join(VIEWS_FILE)).await?;
        files.push(VIEWS_FILE.into());
    }
    let keys = DataDir::at(&config.data_dir).signing_keys();
    if config.keys.signing.is_empty() && keys.exists() {
        manifest::copy(&keys, &folder.join(KEYS_FILE)).or_fail(Reason::Storage, NOT_SAVED, HELP)?;
        files.push(KEYS_FILE.into());
    }
    let made_at = Utc::now().trunc_subsecs(3);
    let manifest = Manifest::of(folder, log, &files, made_at).or_fail(Reason::Storage, NOT_SAVED, HELP)?;
    manifest.write(folder).and_then(|()| finish(unfinished, &args.folder)).or_fail(Reason::Storage, NOT_SAVED, HELP)?;
    crate::print(&if args.json { format!("{}\n", manifest.to_json()) } else { manifest.text(&args.folder) })
}

/// Puts a backup where nothing is.
///
/// # Errors
/// It is not whole, not what was sealed, something is there, or something cannot be written.
pub(crate) async fn restore(args: &RestoreArgs, config: &Config) -> Result<(), Failure> {
    restore::run(args, config).await
}

/// The log as it is now.
async fn save_log(config: &Config, folder: &Path) -> Result<Log, Failure> {
    let log = existing_log(config, Care::BesideAServer).await?;
    let Some(file) = config.log.file() else {
        let saved = export::to_file(&*log, &folder.join(LOG_EXPORT)).await;
        log.close().await;
        let (_, position) = saved?;
        return Ok(Log { file: LOG_EXPORT.into(), position: position.to_string() });
    };
    // It was opened to see that it is one.
    log.close().await;
    let copy = folder.join(LOG_FILE);
    sqlite::copy(file, &copy).await?;
    Ok(Log { file: LOG_FILE.into(), position: head_of(copy).await?.to_string() })
}

/// Where a copy ends. It is read once: one that cannot be is no backup.
async fn head_of(copy: PathBuf) -> Result<Position, Failure> {
    let log = open_sqlite(copy, Care::Whole, LogMetrics::unregistered()).await?;
    let head = log.head().await.or_fail(Reason::Storage, NOT_SAVED, HELP);
    log.close().await;
    head
}

/// A folder beside the one that is wanted, for its owner alone, which goes if it is not finished.
fn beside(folder: &Path) -> Result<TempDir, Failure> {
    let name = folder.display();
    let is_free = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_free {
        let what = format!("{name} is no empty folder");
        return Err(Failure::new(Reason::Usage, what, "name a folder that is not there yet, or an empty one"));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let for_its_owner = Permissions::from_mode(0o700);
    let made = tempfile::Builder::new()
        .prefix(".chopmark-")
        .suffix(".unfinished")
        .permissions(for_its_owner)
        .tempdir_in(parent);
    made.or_fail(Reason::Storage, format!("{name} cannot be made"), HELP)
}

/// Gives the folder its name: it is there whole, or not at all.
fn finish(unfinished: TempDir, folder: &Path) -> io::Result<()> {
    std::fs::File::open(unfinished.path())?.sync_all()?;
    std::fs::rename(unfinished.path(), folder)?;
    // It has another name now: there is nothing to clean up.
    let _ = unfinished.keep();
    export::sync_folder_of(folder)
}
