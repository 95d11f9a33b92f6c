//! Who leads, of the processes on one file: whoever holds the lock on the file beside it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

use crate::files;
use crate::leadership::Leadership;

/// Between two attempts. The system gives the lock back when its holder ends, however it ends.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Waits for the lock. It is never lost: it is this process's until it is dropped.
pub(super) async fn lead(log: &Path) -> Leadership {
    let path = files::beside(log, ".leader");
    let mut has_complained = false;
    loop {
        match held(path.clone()).await {
            Ok(Some(lock)) => {
                let (never, lost) = watch::channel(false);
                return Leadership::new((lock, never), lost);
            }
            Ok(None) => {}
            Err(error) if !has_complained => {
                tracing::warn!(%error, path = %path.display(), "whether this process leads cannot be found out");
                has_complained = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

async fn held(path: PathBuf) -> io::Result<Option<File>> {
    tokio::task::spawn_blocking(move || try_lock(&path)).await.map_err(io::Error::other)?
}

fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = files::create_private(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
