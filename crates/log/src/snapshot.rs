//! A fold's state at a position, in one file. A snapshot only saves time: whoever finds none folds the log from its start.
//!
//! ```text
//! "CHOPSNAP"  format: u32  fold: u32 length + name  version: u32  position: u64  state: postcard  crc32 of all before: u32
//! ```
//! Integers are little endian.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files;
use crate::record::Position;

const MAGIC: &[u8; 8] = b"CHOPSNAP";
const FORMAT: u32 = 1;
const CRC_BYTES: u64 = 4;
const BUFFER_BYTES: usize = 256 * 1024;

/// A snapshot that could not be written, read or used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is none.
    #[error("there is no snapshot {}", path.display())]
    Absent {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// It is torn, its checksum is wrong, or it says what cannot be.
    #[error("the snapshot {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It is whole, and of another fold, or of another version of this one.
    #[error("the snapshot {} is of another fold or version than {fold} {version}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Which fold was wanted.
        fold: String,
        /// And in which version.
        version: u32,
    },
    /// The file or its folder refused.
    #[error("snapshot {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The state cannot be encoded.
    #[error("snapshot {}: the state of {fold} cannot be encoded: {source}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Which fold.
        fold: String,
        /// What is wrong with its state.
        source: postcard::Error,
    },
}

/// Writes the state that `fold`, in its `version`, has after `position`. A power cut leaves the old snapshot or the new
/// one, never a mixture. One writer at a time.
///
/// # Errors
/// [`SnapshotError`]; the old snapshot is still there.
pub fn save<T: Serialize>(
    path: &Path,
    fold: &str,
    version: u32,
    position: Position,
    state: &T,
) -> Result<(), SnapshotError> {
    let unfinished = files::beside(path, ".new");
    let written = write(path, &unfinished, fold, version, position, state);
    if written.is_err() {
        // Half a snapshot is of no use, and on a full disk it takes the room of something that is.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn write<T: Serialize>(
    path: &Path,
    unfinished: &Path,
    fold: &str,
    version: u32,
    position: Position,
    state: &T,
) -> Result<(), SnapshotError> {
    let io_error = |source| SnapshotError::Io { path: path.to_owned(), source };
    let file = files::create_private(unfinished).map_err(io_error)?;
    let mut writer = BufWriter::with_capacity(BUFFER_BYTES, Checked::new(file));
    write_header(&mut writer, fold, version, position).map_err(io_error)?;
    let writer = postcard::to_io(state, writer).map_err(|source| SnapshotError::Encode {
        path: path.to_owned(),
        fold: fold.to_owned(),
        source,
    })?;
    let checked = writer.into_inner().map_err(|error| io_error(error.into_error()))?;
    let (mut file, crc) = (checked.inner, checked.crc.finalize());
    file.write_all(&crc.to_le_bytes()).map_err(io_error)?;
    file.sync_all().map_err(io_error)?;
    std::fs::rename(unfinished, path).map_err(io_error)?;
    files::sync_folder_of(path).map_err(io_error)
}

/// Reads the state that `fold`, in its `version`, has saved, and the position after which it stood there.
///
/// `None` if there is no snapshot, or one that cannot be [used](usable()).
///
/// # Errors
/// [`SnapshotError::Io`]: the file is there and cannot be read.
pub fn load<T: DeserializeOwned>(
    path: &Path,
    fold: &str,
    version: u32,
) -> Result<Option<(Position, T)>, SnapshotError> {
    usable(read(path, fold, version))
}

/// What was read of a snapshot, for those who can do without it: `None` if there is none, one of another fold or
/// version, or a damaged one. The latter two are logged.
///
/// # Errors
/// [`SnapshotError::Io`]: the file is there and cannot be read.
pub fn usable<T>(read: Result<T, SnapshotError>) -> Result<Option<T>, SnapshotError> {
    match read {
        Ok(state) => Ok(Some(state)),
        Err(SnapshotError::Absent { .. }) => Ok(None),
        Err(why @ SnapshotError::Foreign { .. }) => {
            tracing::info!("{why}, and not used");
            Ok(None)
        }
        Err(why @ SnapshotError::Damaged { .. }) => {
            tracing::warn!("{why}, and not used");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The same as [`load`], for those who want to know why there is none that can be used.
///
/// # Errors
/// Any [`SnapshotError`] but [`SnapshotError::Encode`].
pub fn read<T: DeserializeOwned>(path: &Path, fold: &str, version: u32) -> Result<(Position, T), SnapshotError> {
    let io_error = |source| SnapshotError::Io { path: path.to_owned(), source };
    let damaged = || SnapshotError::Damaged { path: path.to_owned() };
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SnapshotError::Absent { path: path.to_owned() },
        _ => io_error(error),
    })?;
    let length = checked_length(&mut file).map_err(io_error)?.ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(io_error)?;
    let mut content = BufReader::with_capacity(BUFFER_BYTES, file.take(length));
    let position = read_header(&mut content, fold, version).ok_or_else(|| SnapshotError::Foreign {
        path: path.to_owned(),
        fold: fold.to_owned(),
        version,
    })?;
    let state = decode(content, length).map_err(|_| damaged())?;
    Ok((position, state))
}

fn write_header(to: &mut impl Write, fold: &str, version: u32, position: Position) -> io::Result<()> {
    let length = u32::try_from(fold.len()).map_err(io::Error::other)?;
    to.write_all(MAGIC)?;
    to.write_all(&FORMAT.to_le_bytes())?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(fold.as_bytes())?;
    to.write_all(&version.to_le_bytes())?;
    to.write_all(&position.0.to_le_bytes())
}

/// The position, if this is the header that `fold` writes in `version`.
fn read_header(from: &mut impl Read, fold: &str, version: u32) -> Option<Position> {
    let mut expected = Vec::new();
    write_header(&mut expected, fold, version, Position::START).ok()?;
    let mut found = vec![0; expected.len()];
    from.read_exact(&mut found).ok()?;
    let (expected, _) = expected.split_last_chunk::<8>()?;
    let (found, position) = found.split_last_chunk::<8>()?;
    (found == expected).then_some(Position(u64::from_le_bytes(*position)))
}

/// How long the content is, if the checksum after it is right. Nothing is decoded before that is known.
fn checked_length(file: &mut File) -> io::Result<Option<u64>> {
    let Some(length) = file.metadata()?.len().checked_sub(CRC_BYTES) else {
        return Ok(None);
    };
    let mut sum = Checked::new(io::sink());
    io::copy(&mut BufReader::with_capacity(BUFFER_BYTES, Read::by_ref(file).take(length)), &mut sum)?;
    let mut crc = [0; 4];
    file.read_exact(&mut crc)?;
    Ok((sum.crc.finalize() == u32::from_le_bytes(crc)).then_some(length))
}

fn decode<T: DeserializeOwned>(content: BufReader<io::Take<File>>, length: u64) -> Result<T, postcard::Error> {
    // Room for borrowed strings, as the decoder wants it. The system gives memory only for what is touched, which for
    // owned data is the longest single string.
    let room = usize::try_from(length).map_err(|_| postcard::Error::DeserializeUnexpectedEnd)?;
    let (state, (mut rest, _)) = postcard::from_io((content, vec![0; room].as_mut_slice()))?;
    let is_at_end = matches!(rest.read(&mut [0]), Ok(0));
    if is_at_end { Ok(state) } else { Err(postcard::Error::DeserializeBadEncoding) }
}

/// Sums what is written through it.
struct Checked<W> {
    inner: W,
    crc: crc32fast::Hasher,
}

impl<W> Checked<W> {
    fn new(inner: W) -> Self {
        Self { inner, crc: crc32fast::Hasher::new() }
    }
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type State = BTreeMap<String, Vec<u64>>;

    fn state(entries: u64) -> State {
        (0..entries).map(|n| (format!("license {n} 授权码"), (0..n % 7).collect())).collect()
    }

    #[test]
    fn a_state_is_read_back_with_its_position() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.snapshot");
        assert_eq!(load::<State>(&path, "index", 1).unwrap(), None);
        for entries in [0, 1, 20_000] {
            save(&path, "index", 1, Position(entries), &state(entries)).unwrap();
            assert_eq!(load(&path, "index", 1).unwrap(), Some((Position(entries), state(entries))));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left in the folder");
    }

    #[test]
    fn another_fold_version_or_type_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.snapshot");
        save(&path, "index", 1, Position(9), &state(3)).unwrap();
        assert_eq!(load::<State>(&path, "index", 2).unwrap(), None);
        assert_eq!(load::<State>(&path, "indices", 1).unwrap(), None);
        assert_eq!(load::<State>(&path, "inde", 1).unwrap(), None);
        assert_eq!(load::<u8>(&path, "index", 1).unwrap(), None, "bytes left over");
        assert_eq!(load::<(State, u64)>(&path, "index", 1).unwrap(), None, "bytes missing");
    }

    #[test]
    fn no_torn_or_flipped_snapshot_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.snapshot");
        save(&path, "index", 1, Position(9), &state(5)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(load::<State>(&path, "index", 1).unwrap(), None, "cut to {length} bytes");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(load::<State>(&path, "index", 1).unwrap(), None, "byte {at} flipped");
        }
    }

    #[test]
    fn a_failed_save_leaves_the_old_snapshot() {
        struct Unwritable;
        impl Serialize for Unwritable {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("cannot be written"))
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.snapshot");
        save(&path, "index", 1, Position(9), &state(5)).unwrap();
        assert!(matches!(save(&path, "index", 1, Position(10), &Unwritable), Err(SnapshotError::Encode { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "and nothing half done beside it");
        std::fs::write(files::beside(&path, ".new"), b"torn").unwrap();
        assert_eq!(load(&path, "index", 1).unwrap(), Some((Position(9), state(5))));
    }

    #[test]
    fn who_asks_is_told_why_a_snapshot_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.snapshot");
        let why = |version| read::<State>(&path, "index", version).unwrap_err();
        assert!(matches!(why(1), SnapshotError::Absent { .. }));
        save(&path, "index", 1, Position(9), &state(5)).unwrap();
        assert!(matches!(why(2), SnapshotError::Foreign { version: 2, .. }));
        std::fs::write(&path, b"torn").unwrap();
        assert!(matches!(why(1), SnapshotError::Damaged { .. }));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_not_an_absent_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(load::<State>(folder.path(), "index", 1), Err(SnapshotError::Io { .. })));
    }
}
