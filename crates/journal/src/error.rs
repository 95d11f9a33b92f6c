//! What can go wrong with the journal's file.

use std::io;
use std::path::PathBuf;

/// The journal cannot be used. Deliveries are answered all the same.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file or its folder refuses.
    #[error("cannot {doing} the delivery journal {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What happened.
        source: io::Error,
    },
    /// SQLite refuses.
    #[error("cannot {doing} the delivery journal {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What happened.
        source: rusqlite::Error,
    },
}
