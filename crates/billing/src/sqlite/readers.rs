//! Reading, on connections of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params_from_iter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::file;
use crate::engine::Answer;
use crate::sql::Question;
use crate::store::StoreError;

/// Reads at the same time. More would only wait for each other's disk.
const READERS: usize = 4;

/// Statements that a connection keeps prepared: filters make many.
const STATEMENTS: usize = 64;

/// A few read-only connections, opened when first needed.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::default(), permits: Arc::new(Semaphore::new(READERS)) }
    }

    /// Answers a question on a thread that may block.
    pub(super) async fn ask(self: &Arc<Self>, question: Question) -> Result<Vec<Answer>, StoreError> {
        let unavailable = |reason: String| StoreError::Unavailable { reason };
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|error| unavailable(error.to_string()))?;
        let readers = Arc::clone(self);
        let asking = tokio::task::spawn_blocking(move || {
            readers.ask_now(&permit, &question).map_err(|error| file::refusal(&readers.path, &error))
        });
        asking.await.map_err(|error| unavailable(error.to_string()))?
    }

    /// Asks with a connection, which is idle again before the permit is given back.
    fn ask_now(&self, _permit: &OwnedSemaphorePermit, question: &Question) -> rusqlite::Result<Vec<Answer>> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => file::reader(&self.path, STATEMENTS)?,
        };
        let answers = answers(&connection, question)?;
        self.idle().push(connection);
        Ok(answers)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One statement sees one state of the file.
fn answers(connection: &Connection, question: &Question) -> rusqlite::Result<Vec<Answer>> {
    let mut statement = connection.prepare_cached(&question.sql)?;
    let rows = statement.query_map(params_from_iter(&question.cells), |row| {
        Ok(Answer { position: row.get(0)?, name: row.get(1)?, document: row.get(2)? })
    })?;
    rows.collect()
}
