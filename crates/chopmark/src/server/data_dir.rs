//! The data folder: made private, held by one server at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use chopmark_projector::SNAPSHOT_FILE;

use crate::failure::{Failure, OrFail, Reason};

/// Names of what Chopmark keeps in its data folder.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// A data folder at this path. Nothing is made yet.
    #[must_use]
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// The license index's snapshot.
    #[must_use]
    pub(crate) fn index_snapshot(&self) -> PathBuf {
        self.0.join(SNAPSHOT_FILE)
    }

    /// The snapshot of the reactor's open work.
    #[must_use]
    pub(crate) fn reactor_snapshot(&self) -> PathBuf {
        self.0.join("reactor.snapshot")
    }

    /// The delivery journal.
    #[must_use]
    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    /// The keys that leases are signed with, where the configuration names none.
    #[must_use]
    pub(crate) fn signing_keys(&self) -> PathBuf {
        self.0.join("signing-keys.pem")
    }

    /// The file with the first admin token.
    #[must_use]
    pub(crate) fn admin_token(&self) -> PathBuf {
        self.0.join("admin-token")
    }

    /// Every file of its own that the folder may have, but for the lock.
    #[must_use]
    pub(crate) fn all(&self) -> Vec<PathBuf> {
        vec![self.index_snapshot(), self.reactor_snapshot(), self.journal(), self.signing_keys(), self.admin_token()]
    }

    /// Makes the folder, readable by its owner alone, if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn create(&self) -> Result<(), Failure> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let doing = format!("the data folder {} cannot be made", self.0.display());
        builder.create(&self.0).or_fail(Reason::Storage, doing, "make it, or set another data_dir")
    }

    /// Refuses to go on where there is no data folder: looking must not make one.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn must_exist(&self) -> Result<(), Failure> {
        if self.0.is_dir() {
            return Ok(());
        }
        let what = format!("there is no data folder {}", self.0.display());
        Err(Failure::new(Reason::Storage, what, "name the configuration with --config, or set data_dir"))
    }

    /// Refuses to go on where the log is gone from a folder that had one: a new log has a new secret, and with it other
    /// ids for the instances that were bought.
    ///
    /// # Errors
    /// There is no log, and there is what only a log leaves behind.
    pub(crate) fn must_not_miss(&self, log: &Path) -> Result<(), Failure> {
        if log.exists() {
            return Ok(());
        }
        let mut write_ahead = log.as_os_str().to_owned();
        write_ahead.push("-wal");
        let traces = [self.admin_token(), self.index_snapshot(), self.reactor_snapshot(), write_ahead.into()];
        let left: Vec<String> =
            traces.iter().filter(|trace| trace.exists()).map(|trace| trace.display().to_string()).collect();
        if left.is_empty() {
            return Ok(());
        }
        let left = left.join(", ");
        Err(Failure::new(
            Reason::Storage,
            format!("the event log {} is missing, although there was one: it has left {left}", log.display()),
            "put the log back, or its last backup, see docs/operations/recovery.md; to really begin anew, without the \
             licenses and with other instance ids, remove those files or set another data_dir",
        ))
    }

    /// Takes the folder for one server, until the returned file is dropped.
    ///
    /// # Errors
    /// Another server holds it.
    pub(crate) fn lock(&self) -> Result<File, Failure> {
        let path = self.0.join("lock");
        let help = "give the data folder to the user that runs chopmark, or set another data_dir";
        let file = File::create(&path).or_fail(Reason::Storage, format!("writing {}", path.display()), help)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                Reason::Storage,
                format!("another chopmark server uses the data folder {}", self.0.display()),
                "stop it, or set another data_dir",
            )),
            Err(TryLockError::Error(error)) => {
                Err(error).or_fail(Reason::Storage, format!("locking {}", path.display()), help)
            }
        }
    }
}
