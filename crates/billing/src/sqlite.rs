//! The embedded engine: one SQLite file.
//!
//! The file is in WAL mode: readers see whole transactions and never wait for the writer. A power cut may take the last
//! transactions back, together with their checkpoint, and never damages the file; the bookkeeper goes on from there.

mod file;
mod readers;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::types::{Null, ToSqlOutput, Value};
use rusqlite::{Connection, ToSql};

use self::readers::Readers;
use crate::cell::Cell;
use crate::engine::{Answer, Engine};
use crate::sql::{Dialect, Question};
use crate::store::{Checkpoint, StoreError};
use crate::writes::Write;

/// Billing views in one SQLite file.
#[derive(Debug)]
pub struct SqliteBilling {
    path: PathBuf,
    readers: Arc<Readers>,
    /// Closed last: whoever only reads cannot tidy up the write-ahead log.
    writer: Arc<Mutex<Connection>>,
}

impl SqliteBilling {
    /// Opens the file; creates it, readable by its owner only, if there is none.
    ///
    /// # Errors
    /// [`StoreError::Version`] for views of another version, [`StoreError::Damaged`] for a damaged file,
    /// [`StoreError::Unavailable`] for a file of something else or one that cannot be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::over(path, file::open(path, file::Found::Kept)?)
    }

    /// Opens the file as new: what was in it is taken away, of whatever version it was. A damaged file must be deleted
    /// first.
    ///
    /// # Errors
    /// As of [`open`](Self::open), but for views of another version.
    pub fn open_anew(path: &Path) -> Result<Self, StoreError> {
        Self::over(path, file::open(path, file::Found::TakenAway)?)
    }

    fn over(path: &Path, writer: Connection) -> Result<Self, StoreError> {
        let readers = Arc::new(Readers::new(path));
        Ok(Self { path: path.to_owned(), readers, writer: Arc::new(Mutex::new(writer)) })
    }

    async fn write_with(
        &self,
        write: impl FnOnce(&mut Connection) -> Result<(), Failed> + Send + 'static,
    ) -> Result<(), StoreError> {
        let writer = Arc::clone(&self.writer);
        let writing = tokio::task::spawn_blocking(move || {
            let mut connection = writer.lock().unwrap_or_else(PoisonError::into_inner);
            write(&mut connection)
        });
        let written = writing.await.map_err(|error| StoreError::Unavailable { reason: error.to_string() })?;
        written.map_err(|failed| failed.told(&self.path))
    }
}

/// Why nothing was written.
#[derive(Debug)]
enum Failed {
    Moved,
    Refused(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Refused(error)
    }
}

impl Failed {
    fn told(self, path: &Path) -> StoreError {
        match self {
            Self::Moved => StoreError::Moved,
            Self::Refused(error) => file::refusal(path, &error),
        }
    }
}

#[async_trait]
impl Engine for SqliteBilling {
    const DIALECT: Dialect = Dialect::Sqlite;

    async fn ask(&self, question: Question) -> Result<Vec<Answer>, StoreError> {
        self.readers.ask(question).await
    }

    async fn write(&self, expected: &Checkpoint, next: &Checkpoint, writes: Vec<Write>) -> Result<(), StoreError> {
        let (expected, next) = (expected.clone(), next.clone());
        self.write_with(move |connection| writer::write(connection, &expected, &next, &writes)).await
    }

    async fn empty(&self) -> Result<(), StoreError> {
        self.write_with(writer::empty).await
    }
}

impl ToSql for Cell {
    /// Amounts and moments are text, so that they are exact and any tool can read them.
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => Null.into(),
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Amount(_) | Self::Moment(_) => {
                ToSqlOutput::Owned(self.clone().into_text().map_or(Value::Null, Value::Text))
            }
            Self::AnyOf(texts) => {
                ToSqlOutput::Owned(Value::Text(serde_json::Value::from(texts.as_slice()).to_string()))
            }
        })
    }
}
