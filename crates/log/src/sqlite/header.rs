//! The first 100 bytes of a SQLite file, read before SQLite touches it: so a file that is not ours stays as it is.
//!
//! Source: "Database File Format", section 1.3, sqlite.org/fileformat.html.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::OpenError;
use super::schema::{APPLICATION_ID, FORMAT};
use crate::files;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Checks that a file is a log of ours and has not been cut off.
pub(super) fn check(path: &Path) -> Result<(), OpenError> {
    let io_error = |source| OpenError::Io { path: path.to_owned(), doing: "read", source };
    let not_a_log = |reason: String| OpenError::NotALog { path: path.to_owned(), reason };
    let mut header = [0; 100];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let length = std::fs::metadata(path).map_err(io_error)?.len();
            return Err(not_a_log(format!("it has {length} bytes, less than the header of a log")));
        }
        read => read.map_err(io_error)?,
    }
    if !header.starts_with(MAGIC) {
        return Err(not_a_log("it is not a SQLite file".into()));
    }
    let application = u32_at(&header, 68);
    if application != APPLICATION_ID {
        return Err(not_a_log(format!("it is a SQLite file of another application (id {application:#x})")));
    }
    let format = u32_at(&header, 60);
    if format > FORMAT {
        return Err(OpenError::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    check_length(path, page_bytes(&header) * u64::from(u32_at(&header, 28)))
        .map_err(io_error)?
        .map_or(Ok(()), |reason| Err(OpenError::Damaged { path: path.to_owned(), reason }))
}

/// While there is a write-ahead log, the pages that are missing may be in it; SQLite sees to that. The order matters: a
/// checkpoint of another process that was under way when the header was read has ended when its log is empty.
fn check_length(path: &Path, expected: u64) -> io::Result<Option<String>> {
    let wal = match std::fs::metadata(files::beside(path, "-wal")) {
        Ok(wal) => wal.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let length = std::fs::metadata(path)?.len();
    let is_cut_off = wal == 0 && length < expected;
    Ok(is_cut_off.then(|| format!("it has been cut off: it has {length} of {expected} bytes")))
}

fn page_bytes(header: &[u8; 100]) -> u64 {
    match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => bytes.into(),
    }
}

fn u32_at(header: &[u8; 100], at: usize) -> u32 {
    u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}
