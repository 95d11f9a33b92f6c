//! The file in which an installation keeps keys that it made itself. Only its owner can read it, and it is there whole
//! or not at all: a crash in the middle of a rotation leaves the former keys.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use tempfile::NamedTempFile;

use crate::key_ring::{KeyError, KeyRing};

/// Bytes a key file may have; a full ring takes 2 KiB.
const MAX_BYTES: u64 = 64 * 1024;

/// Why the key file is not used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("cannot {doing} the signing keys {}: {source}; see that the user who runs chopmark may", path.display())]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others on this machine can read it.
    #[error(
        "others can read the signing keys {path} (mode {mode:04o}); run: chmod 600 {path}, and rotate them if \
         somebody may have",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Another user than its owner would replace it, and the owner could not read it any more.
    #[error(
        "the signing keys {} belong to user {owner}, who could not read them if you replaced them: {source}; run this as \
         that user or as root",
        path.display()
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// What the system says to giving the new file to its owner.
        source: io::Error,
    },
    /// What is in it cannot be used.
    #[error("the signing keys {}: {source}", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
}

/// Reads the keys.
///
/// # Errors
/// There is no such file or it cannot be read; others can read it; it does not hold a ring.
pub fn load(path: &Path) -> Result<KeyRing, KeyFileError> {
    let mut file = File::open(path).map_err(io_error("read", path))?;
    refuse_if_exposed(&file, path)?;
    let text = read(&mut file).map_err(io_error("read", path))?;
    KeyRing::from_pem(text.expose_secret()).map_err(keys_error(path))
}

/// Reads the keys, or makes them from the random bytes where there are none. Of several processes that make them at
/// once, one wins and all get its keys.
///
/// # Errors
/// As [`load`], and the file cannot be written.
pub fn create_if_missing(path: &Path, random: [[u8; 32]; 2]) -> Result<KeyRing, KeyFileError> {
    match load(path) {
        Err(KeyFileError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    let ring = KeyRing::generate(random).map_err(keys_error(path))?;
    let written = beside(path, &ring).and_then(|file| {
        file.persist_noclobber(path)?;
        sync_folder_of(path)
    });
    match written {
        Ok(()) => Ok(ring),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => load(path),
        Err(error) => Err(io_error("write", path)(error)),
    }
}

/// Puts other keys in the place of those in the file. They are on stable storage when this returns; whatever happens
/// before, the file holds the former keys or these. Its owner stays who it was, whoever calls this: the server must be
/// able to read what an administrator has rotated.
///
/// # Errors
/// The file cannot be written, or cannot be left to its owner; it is as it was.
pub fn replace(path: &Path, ring: &KeyRing) -> Result<(), KeyFileError> {
    let file = beside(path, ring).map_err(io_error("write", path))?;
    leave_to_owner(file.as_file(), path)?;
    let written = file.persist(path).map_err(io::Error::from).and_then(|_| sync_folder_of(path));
    written.map_err(io_error("write", path))
}

/// The keys in a file beside `path`, complete and on stable storage, that only its owner can read.
fn beside(path: &Path, ring: &KeyRing) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".signing-keys-").tempfile_in(folder_of(path))?;
    file.write_all(ring.to_pem().expose_secret().as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn read(file: &mut File) -> io::Result<SecretString> {
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text.into())
}

#[cfg(unix)]
fn refuse_if_exposed(file: &File, path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(io_error("read", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileError::Exposed { path: path.into(), mode }) }
}

#[cfg(not(unix))]
fn refuse_if_exposed(_: &File, _: &Path) -> Result<(), KeyFileError> {
    Ok(())
}

/// Gives a file that will take the place of another to the owner of that one, if there is one.
#[cfg(unix)]
fn leave_to_owner(new: &File, path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let former = match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        former => former.map_err(io_error("read", path))?,
    };
    let (owner, mine) = (former.uid(), new.metadata().map_err(io_error("write", path))?.uid());
    if owner == mine {
        return Ok(());
    }
    let given = fchown(new, Some(owner), Some(former.gid())).and_then(|()| new.sync_all());
    given.map_err(|source| KeyFileError::Owner { path: path.into(), owner, source })
}

#[cfg(not(unix))]
fn leave_to_owner(_: &File, _: &Path) -> Result<(), KeyFileError> {
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the file's name durable.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyFileError {
    move |source| KeyFileError::Io { doing, path: path.into(), source }
}

fn keys_error(path: &Path) -> impl FnOnce(KeyError) -> KeyFileError {
    move |source| KeyFileError::Keys { path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kids(ring: &KeyRing) -> Vec<&str> {
        ring.keys().map(|key| key.kid().as_str()).collect()
    }

    #[test]
    fn keys_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-keys.pem");
        let made = create_if_missing(&path, [[1; 32], [2; 32]]).unwrap();
        let found = create_if_missing(&path, [[3; 32], [4; 32]]).unwrap();
        assert_eq!(kids(&found), kids(&made));
        assert_eq!(kids(&load(&path).unwrap()), kids(&made));
    }

    #[test]
    fn of_many_who_make_them_at_once_one_wins_and_all_have_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-keys.pem");
        let make = |random: u8| create_if_missing(&path, [[random; 32], [random + 100; 32]]).unwrap();
        let rings: Vec<KeyRing> = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..=8).map(|random| scope.spawn(move || make(random))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winner = load(&path).unwrap();
        assert!(rings.iter().all(|ring| kids(ring) == kids(&winner)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the others leave nothing behind");
    }

    #[test]
    fn a_rotation_replaces_the_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-keys.pem");
        let rotated = create_if_missing(&path, [[1; 32], [2; 32]]).unwrap().rotate([3; 32]).unwrap();
        replace(&path, &rotated).unwrap();
        assert_eq!(kids(&load(&path).unwrap()), kids(&rotated));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it_and_else_it_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-keys.pem");
        let ring = create_if_missing(&path, [[1; 32], [2; 32]]).unwrap();
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        replace(&path, &ring).unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let complaint = load(&path).unwrap_err().to_string();
        assert!(complaint.contains("mode 0640") && complaint.contains("chmod 600"), "{complaint}");
        assert!(create_if_missing(&path, [[1; 32], [2; 32]]).is_err(), "and they are not made anew");
    }

    /// Root can give files away, so as root this is what happens; anybody else meets the refusal, or their own file.
    #[cfg(unix)]
    #[test]
    fn whoever_rotates_the_file_stays_its_owner_s() {
        use std::os::unix::fs::{MetadataExt, chown};
        const NOBODY: u32 = 65_534;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-keys.pem");
        let ring = create_if_missing(&path, [[1; 32], [2; 32]]).unwrap();
        let me = path.metadata().unwrap().uid();
        let owner = if chown(&path, Some(NOBODY), Some(NOBODY)).is_ok() { NOBODY } else { me };
        let rotated = ring.rotate([3; 32]).unwrap();
        replace(&path, &rotated).unwrap();
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o777), (owner, 0o600));
        assert_eq!(kids(&load(&path).unwrap()), kids(&rotated));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// A file of somebody else that everybody may look at but nobody else replace: `/etc/passwd` of root.
    #[cfg(unix)]
    #[test]
    fn whoever_is_neither_its_owner_nor_root_is_refused_and_told_what_to_do() {
        use std::os::unix::fs::MetadataExt;
        let others = Path::new("/etc/passwd");
        let new = tempfile::tempfile().unwrap();
        let me = new.metadata().unwrap().uid();
        let refused = leave_to_owner(&new, others).map_err(|error| error.to_string());
        if me == others.metadata().unwrap().uid() {
            assert!(refused.is_ok());
        } else {
            let complaint = refused.unwrap_err();
            assert!(complaint.contains("user 0") && complaint.contains("or as root"), "{complaint}");
        }
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing-keys.pem");
        assert!(load(&path).unwrap_err().to_string().contains("signing-keys.pem"));
        replace(&path, &KeyRing::generate([[1; 32], [2; 32]]).unwrap()).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"-----BEGIN PRIVATE KEY-----\n").unwrap();
        let complaint = load(&path).unwrap_err().to_string();
        assert!(complaint.contains("signing-keys.pem") && complaint.contains("block 3"), "{complaint}");
        let nowhere = folder.path().join("missing").join("signing-keys.pem");
        assert!(create_if_missing(&nowhere, [[1; 32], [2; 32]]).unwrap_err().to_string().contains("missing"));
    }
}
