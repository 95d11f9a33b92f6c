//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// A file larger than this is none of ours, bytes.
const SIZE_MAX: u64 = 256 * 1024;

/// How long another process may hold the lock, which it needs for the writing of one small file.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A small file of a folder that several processes may share. Written by whoever holds its lock, to another name
/// first, so that a reader and a crash meet the old content or the new.
#[derive(Debug)]
pub(crate) struct SmallFile {
    path: PathBuf,
}

/// The right to write, until it is dropped.
pub(crate) struct Turn<'a> {
    file: &'a SmallFile,
    _lock: Option<File>,
}

impl SmallFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// What is in it; `None` if it is not there.
    pub(crate) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut content = vec![];
        file.take(SIZE_MAX).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    /// Waits for the right to write, two seconds at most.
    pub(crate) fn turn(&self) -> io::Result<Turn<'_>> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let lock = private().create(true).truncate(false).write(true).open(self.beside("lock"))?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => return Ok(Turn { file: self, _lock: Some(lock) }),
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                // Some shared file systems know no locks. Going on without one risks that the older of two states
                // stays, which the next check mends; not writing would risk the lease.
                Err(TryLockError::Error(_)) => return Ok(Turn { file: self, _lock: None }),
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the lock of the state folder"))
    }

    /// The file's name with another ending.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".");
        name.push(ending);
        name.into()
    }
}

impl Turn<'_> {
    /// Replaces the content; on stable storage when it returns. Only its owner may read it.
    pub(crate) fn write(&self, content: &[u8]) -> io::Result<()> {
        // One name for all: a process killed in between leaves one file at the most, and the next writes over it.
        let new = self.file.beside("new");
        let mut file = private().create(true).truncate(true).write(true).open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, &self.file.path)?;
        self.file.path.parent().map_or(Ok(()), sync_folder)
    }

    /// Puts a file that cannot be read aside, for whoever wants to know what happened to it.
    pub(crate) fn put_aside(&self) -> io::Result<()> {
        fs::rename(&self.file.path, self.file.beside("damaged"))
    }
}

/// Options for a file that only its owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// A renamed file is found after a power cut only if its folder was synced. Windows has no such thing.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
