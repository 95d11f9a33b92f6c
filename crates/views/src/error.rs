//! What can go wrong with the store.

use std::io;
use std::path::PathBuf;

/// The store cannot be used. Checks are answered all the same.
#[derive(Debug, thiserror::Error)]
pub enum ViewsError {
    /// The file or its folder refuses.
    #[error("cannot {doing} the views {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What happened.
        source: io::Error,
    },
    /// SQLite refuses.
    #[error("cannot {doing} the views {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What happened.
        source: rusqlite::Error,
    },
    /// The file is damaged.
    #[error(
        "the views {} are damaged ({reason}): at its next start the server moves the file aside and begins a new one; only \
         the memory of when machines, deployments and tokens were last seen is lost",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is something else.
    #[error("{} is a database of something else: name another file, or move it away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this program wrote the file.
    #[error(
        "the views {} are of version {found}, and this program knows versions up to {known}: run the newer program, or \
         stop the server and delete the file with its -wal and -shm; only the memory of when machines, deployments and \
         tokens were last seen is lost",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
        /// The newest version that is understood.
        known: i32,
    },
    /// PostgreSQL cannot be reached, or refuses.
    #[error("cannot {doing} what was seen: {reason}")]
    Postgres {
        /// What was tried.
        doing: &'static str,
        /// What happened.
        reason: String,
    },
    /// The URL of the PostgreSQL cannot be right.
    #[error("{reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// A newer version of this program made the tables.
    #[error(
        "the tables in schema {schema} are of version {found}, and this program knows version {known}: run the newer \
         program, or drop the schema; only the memory of when machines, deployments and tokens were last seen is lost"
    )]
    NewerTables {
        /// Their schema.
        schema: String,
        /// Their version.
        found: i32,
        /// The version that is understood.
        known: i32,
    },
    /// The system has no thread to spare.
    #[error("cannot start a thread for the views: {source}")]
    Thread {
        /// What happened.
        source: io::Error,
    },
    /// What was seen could not be written first.
    #[error("what was seen lately cannot be written ({reason}); try again")]
    NotWritten {
        /// Why.
        reason: String,
    },
    /// The store could not be asked.
    #[error("what was seen cannot be read ({reason}); try again")]
    NotRead {
        /// Why.
        reason: String,
    },
}
