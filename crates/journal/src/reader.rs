//! Reading a journal that another process writes.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::at_risk::{self, AtRisk};
use crate::error::JournalError;
use crate::file;
use crate::list::{self, LastDelivery};

/// The delivery journal of a node, for those who only look: a file that is not right is reported and left as it is.
///
/// Its calls block; they read a few thousand rows at most.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    connection: Connection,
}

impl JournalReader {
    /// Opens a journal that is there. A server may be writing it.
    ///
    /// # Errors
    /// [`JournalError`]: there is none, it is damaged, foreign or of another version, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { path: path.to_owned(), connection: file::existing(path)? })
    }

    /// As [`Journal::at_risk`](crate::Journal::at_risk), of what is written.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn at_risk(&self, since: DateTime<Utc>) -> Result<Vec<AtRisk>, JournalError> {
        at_risk::at_risk(&self.connection, since).map_err(|source| self.unreadable(source))
    }

    /// As [`Journal::last`](crate::Journal::last), of what is written.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn last(&self) -> Result<Vec<LastDelivery>, JournalError> {
        list::last(&self.connection).map_err(|source| self.unreadable(source))
    }

    fn unreadable(&self, source: rusqlite::Error) -> JournalError {
        JournalError::Sqlite { path: self.path.clone(), doing: "read", source }
    }
}
