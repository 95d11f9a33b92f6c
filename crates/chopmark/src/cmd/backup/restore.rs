//! Putting a backup back.

use std::fs::File;
use std::path::{Path, PathBuf};

use chopmark_log::LogMetrics;
use chopmark_signing::{PublicKeys, key_file};
use serde_json::{Value, json};

use super::manifest::{self, Manifest, NoBackup};
use super::{KEYS_FILE, LOG_EXPORT, LOG_FILE, VIEWS_FILE};
use crate::cli::backup::RestoreArgs;
use crate::cmd::log::export::sync_folder_of;
use crate::cmd::log::inspect::{self, Report, Trust};
use crate::cmd::log::{import, verify};
use crate::config::{Config, ViewsAt};
use crate::failure::{Failure, OrFail, Reason};
use crate::server::data_dir::DataDir;
use crate::server::keys::{HELP as KEYS_HELP, configured};
use crate::server::log::{Care, open_sqlite};

const HELP: &str = "nothing was put in its place; see docs/operations/backup.md";

/// Puts a backup where nothing is, after everything in it was looked at.
pub(super) async fn run(args: &RestoreArgs, config: &Config) -> Result<(), Failure> {
    let folder = args.folder.as_path();
    let no_backup = |error: NoBackup| Failure::new(Reason::CheckFailed, format!("{}: {error}", folder.display()), HELP);
    let manifest = Manifest::read(folder).map_err(no_backup)?;
    must_hold_nothing(config, &manifest)?;
    manifest.check(folder).map_err(no_backup)?;
    let trust = trust(config, &manifest, folder)?;
    let data = DataDir::at(&config.data_dir);
    data.create()?;
    let report = if manifest.log.file == LOG_EXPORT {
        take_over(folder, config, &trust).await?
    } else {
        let file = config.log.file().ok_or_else(|| elsewhere(config))?;
        let _lock = data.lock()?;
        let log = Unplaced::copy(&manifest, folder, LOG_FILE, file).map_err(no_backup)?;
        let report = look_at(&log.copy, &trust).await?;
        place_others(config, &manifest, folder)?;
        log.place()?;
        report
    };
    if manifest.log.file == LOG_EXPORT {
        place_others(config, &manifest, folder)?;
    }
    crate::print(&if args.json { format!("{}\n", as_json(&manifest, &report)) } else { text(config, &report) })
}

/// Refuses to put anything over what is there.
fn must_hold_nothing(config: &Config, manifest: &Manifest) -> Result<(), Failure> {
    let data = DataDir::at(&config.data_dir);
    let mut places = data.all();
    if let ViewsAt::Sqlite { views_file, billing_file } = &config.views {
        places.extend([views_file.clone(), billing_file.clone()]);
    }
    // Records are taken over into a log only where it holds their beginning or nothing, so one may be there.
    if let Some(file) = config.log.file().filter(|_| manifest.log.file != LOG_EXPORT) {
        places.extend(["", "-wal", "-shm"].map(|suffix| with(file, suffix)));
    }
    let found: Vec<String> =
        places.iter().filter(|place| place.exists()).map(|place| place.display().to_string()).collect();
    if found.is_empty() {
        return Ok(());
    }
    let what = format!("something is there already: {}", found.join(", "));
    Err(Failure::new(
        Reason::Usage,
        what,
        "restore into an empty data_dir; to replace what is there, move it away first",
    ))
}

fn elsewhere(config: &Config) -> Failure {
    let what = format!("the backup holds a SQLite file, and the log of the configuration is {}", config.log);
    let help = "restore it with log.url = \"sqlite:\", and move it: chopmark log export, chopmark log import";
    Failure::new(Reason::Usage, what, help)
}

/// The keys in the backup, and those of the configuration.
fn trust(config: &Config, manifest: &Manifest, folder: &Path) -> Result<Trust, Failure> {
    let mut keys = configured(config)?.map(|ring| PublicKeys::from(&ring)).unwrap_or_default();
    if manifest.part(KEYS_FILE).is_some() {
        let ring = key_file::load(&folder.join(KEYS_FILE)).or_fail(Reason::CheckFailed, "the backup", KEYS_HELP)?;
        keys = keys.and(PublicKeys::from(&ring));
    }
    Ok(if keys.is_empty() { Trust::Unsigned } else { Trust::Keys(keys) })
}

async fn take_over(folder: &Path, config: &Config, trust: &Trust) -> Result<Report, Failure> {
    let path = folder.join(LOG_EXPORT);
    inspect::file(&path, trust).map_err(|finding| verify::failure(&finding).of(path.display()))?;
    Ok(import::take_over(&path, config, trust).await?.0)
}

/// Reads every record of a log that is not in its place yet.
async fn look_at(log: &Path, trust: &Trust) -> Result<Report, Failure> {
    let log = open_sqlite(log.to_owned(), Care::Whole, LogMetrics::unregistered()).await?;
    let inspected = inspect::log(&*log, trust).await;
    log.close().await;
    inspected.map_err(|finding| verify::failure(&finding).of("the backup"))
}

/// Keys, and who was last seen. Where the configuration names keys, it needs none of ours.
fn place_others(config: &Config, manifest: &Manifest, folder: &Path) -> Result<(), Failure> {
    let mut others = vec![];
    if let ViewsAt::Sqlite { views_file, .. } = &config.views {
        others.push((VIEWS_FILE, views_file.clone()));
    }
    if config.keys.signing.is_empty() {
        others.push((KEYS_FILE, DataDir::at(&config.data_dir).signing_keys()));
    }
    for (name, place) in others.into_iter().filter(|(name, _)| manifest.part(name).is_some()) {
        Unplaced::copy(manifest, folder, name, &place).or_fail(Reason::Storage, "the backup", HELP)?.place()?;
    }
    Ok(())
}

/// A file of the backup under another name than the one that it will have. Goes if it is not placed.
struct Unplaced {
    copy: PathBuf,
    place: PathBuf,
}

impl Unplaced {
    fn copy(manifest: &Manifest, folder: &Path, name: &str, place: &Path) -> Result<Self, NoBackup> {
        let io_error = |source| NoBackup::Io { name: name.into(), source };
        let part = manifest.part(name).ok_or_else(|| NoBackup::Malformed(format!("it does not list {name}")))?;
        let unplaced = Self { copy: with(place, ".restoring"), place: place.to_owned() };
        let mut file = manifest::create_private(&unplaced.copy).map_err(io_error)?;
        part.copy(folder, &mut file)?;
        file.sync_all().map_err(io_error)?;
        Ok(unplaced)
    }

    fn place(self) -> Result<(), Failure> {
        let placed = File::open(&self.copy)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.copy, &self.place))
            .and_then(|()| sync_folder_of(&self.place));
        placed.or_fail(Reason::Storage, self.place.display(), "see that its folder can be written, and restore again")
    }
}

impl Drop for Unplaced {
    fn drop(&mut self) {
        // After it was placed, there is nothing of these names.
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(with(&self.copy, suffix));
        }
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn text(config: &Config, report: &Report) -> String {
    format!("restored     {}\n{}", config.log, verify::text(report))
}

fn as_json(manifest: &Manifest, report: &Report) -> Value {
    json!({ "restored": manifest.to_json(), "log": verify::as_json(report) })
}
