//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::deadline::Deadline;

/// A file larger than this is none of ours, bytes.
const SIZE_MAX: u64 = 256 * 1024;

/// Between two tries to get the lock, which another process needs for the writing of one small file.
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
    /// `None` where the file system knows no locks.
    lock: Option<File>,
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

    /// Waits for the right to write, for a quarter of the time that is left at the most. It is tried for once even
    /// when no time is left.
    pub(crate) fn turn(&self, deadline: Deadline) -> io::Result<Turn<'_>> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let lock = private().create(true).truncate(false).write(true).open(self.beside("lock"))?;
        let patience = deadline.quarter();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Turn { file: self, lock: Some(lock) }),
                Err(TryLockError::WouldBlock) if patience.left().is_zero() => {
                    let why = "another process holds the lock of the state folder";
                    return Err(io::Error::new(io::ErrorKind::TimedOut, why));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE.min(patience.left())),
                // Some shared file systems know no locks. Going on without one risks that the older of two states
                // stays, which the next check mends; not writing would risk the lease.
                Err(TryLockError::Error(_)) => return Ok(Turn { file: self, lock: None }),
            }
        }
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
        if self.lock.is_some() {
            // One name for all: a process killed in between leaves one file at the most, and the next writes over it.
            return self.write_as(&self.file.beside("new"), private().create(true).truncate(true), content);
        }
        // Others may be writing at this very moment, so nobody else may have the name.
        let random = getrandom::u64().map_err(io::Error::other)?;
        let new = self.file.beside(&format!("{random:016x}.new"));
        let written = self.write_as(&new, private().create_new(true), content);
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }

    fn write_as(&self, new: &Path, options: &mut OpenOptions, content: &[u8]) -> io::Result<()> {
        let mut file = options.write(true).open(new)?;
        file.write_all(content)?;
        file.sync_all()?;
        drop(file);
        fs::rename(new, &self.file.path)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file_in(folder: &tempfile::TempDir) -> SmallFile {
        SmallFile::new(folder.path().join("state.json"))
    }

    #[test]
    fn a_lock_is_had_without_time_but_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file_in(&folder);
        let none = Deadline::after(Duration::ZERO);
        let turn = file.turn(none).expect("nobody has it");
        assert_eq!(file.turn(none).err().map(|error| error.kind()), Some(io::ErrorKind::TimedOut));
        drop(turn);
        assert!(file.turn(none).is_ok());
    }

    #[test]
    fn without_locks_many_may_write_at_once_and_what_is_there_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = file_in(&folder);
        let contents: Vec<Vec<u8>> =
            (0..4).map(|writer| vec![b'a' + writer; 1000 * (usize::from(writer) + 1)]).collect();
        thread::scope(|threads| {
            for content in &contents {
                threads.spawn(|| {
                    for _ in 0..50 {
                        Turn { file: &file, lock: None }.write(content).expect("written");
                        let read = file.read().expect("read").expect("there");
                        assert!(contents.contains(&read), "{} bytes of {:?}", read.len(), read.first());
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing is left beside it");
    }
}
