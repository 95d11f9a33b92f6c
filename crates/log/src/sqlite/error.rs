//! What can go wrong with the file, in the words of the log.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::event_log::ReadError;
use crate::record::Position;

/// A log file that cannot be opened. It was not deleted or replaced.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused.
    #[error("cannot {doing} the event log {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What happened.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not an event log of Chopmark: {reason}. It was left as it is; name another file, or move it away", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// How it shows.
        reason: String,
    },
    /// A newer version of Chopmark wrote it.
    #[error(
        "the event log {} has format {found}, this version knows format {known}; run the version that wrote it, or a newer one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this version knows.
        known: u32,
    },
    /// What is in it is not what was written.
    #[error("the event log {} is damaged: {reason}. Restore the last backup, or save what can be read", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// SQLite refused.
    #[error("the event log {} cannot be used: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl OpenError {
    /// Tells a damaged file from one that cannot be used now.
    pub(super) fn from_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if is_damage(&error) {
            Self::Damaged { path, reason: error.to_string() }
        } else {
            Self::Sqlite { path, source: error }
        }
    }

    pub(super) fn from_read(path: &Path, error: ReadError) -> Self {
        let path = path.to_owned();
        match error {
            ReadError::Damaged { position, reason } => {
                Self::Damaged { path, reason: format!("at position {position}: {reason}") }
            }
            ReadError::Unavailable { reason } => Self::Io { path, doing: "read", source: io::Error::other(reason) },
        }
    }
}

/// A read that SQLite refused, after the record at a position.
pub(super) fn not_read(error: &rusqlite::Error, after: Position) -> ReadError {
    if is_damage(error) {
        ReadError::Damaged { position: after, reason: format!("{error}, after this position") }
    } else {
        ReadError::Unavailable { reason: error.to_string() }
    }
}

/// A table or index that is not there any more shows as an error without a code of its own.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown))
}
