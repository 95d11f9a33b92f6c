//! The embedded engine: one SQLite file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::error::ViewsError;
use crate::store::{Batch, Charged, Deployment, Holding, Hours, Micros, Notes, Store, Used, Watcher};

mod file;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use self::file::put_aside;

/// `max` of SQLite is null if one of its arguments is, `coalesce` takes the other then.
const SAW_HOLDER: &str = "
INSERT INTO holders (seller, license, holder, at, lease_until) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO UPDATE SET
    at = max(at, excluded.at),
    lease_until = coalesce(max(lease_until, excluded.lease_until), lease_until, excluded.lease_until)";

const SAW_TOKEN: &str = "
INSERT INTO tokens (id, at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)";

/// As [`Charged`] merges.
const SAW_DEPLOYMENT: &str = "
INSERT INTO deployment_hours (seller, hour, product, ecs, charging_mode, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO UPDATE SET charging_mode = excluded.charging_mode, at = excluded.at
WHERE (excluded.charging_mode IS NOT NULL, excluded.at, coalesce(excluded.charging_mode, ''))
    > (charging_mode IS NOT NULL, at, coalesce(charging_mode, ''))";

pub(crate) struct Sqlite {
    path: PathBuf,
    reader: Mutex<Connection>,
    /// Closed last: whoever only reads cannot tidy up the write-ahead log.
    writer: Mutex<Connection>,
}

impl Sqlite {
    /// Opens the file, or begins it now.
    pub(crate) fn open(path: &Path, now: DateTime<Utc>) -> Result<Self, ViewsError> {
        let writer = Mutex::new(file::open(path, now)?);
        let reader = Mutex::new(file::reader(path)?);
        Ok(Self { path: path.to_owned(), writer, reader })
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_with<T>(&self, write: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T, ViewsError> {
        write(&mut self.writer()).map_err(|error| file::refusal(&self.path, "write", error))
    }

    fn read_with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, ViewsError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(&reader).map_err(|error| file::refusal(&self.path, "read", error))
    }
}

impl Store for Sqlite {
    fn is_shared(&self) -> bool {
        false
    }

    fn notes(&self, _: Option<Uuid>) -> Result<Notes, ViewsError> {
        let begun = self.read_with(|connection| connection.query_row("SELECT at FROM begun", [], |row| row.get(0)))?;
        Ok(Notes { begun, told: None })
    }

    fn write(&self, batch: &Batch, _: Option<&Watcher>) -> Result<(), ViewsError> {
        self.write_with(|connection| {
            let transaction = connection.transaction()?;
            write_batch(&transaction, batch)?;
            transaction.commit()
        })
    }

    fn holders(&self, seller: &str, license: &str) -> Result<Vec<(String, Holding)>, ViewsError> {
        self.read_with(|connection| {
            let query = "SELECT holder, at, lease_until FROM holders WHERE seller = ?1 AND license = ?2";
            let mut statement = connection.prepare_cached(query)?;
            let rows = statement.query_map([seller, license], |row| {
                Ok((row.get(0)?, Holding { at: row.get(1)?, lease_until: row.get(2)? }))
            })?;
            rows.collect()
        })
    }

    fn tokens(&self) -> Result<Vec<(String, Used)>, ViewsError> {
        self.read_with(|connection| {
            let mut statement = connection.prepare_cached("SELECT id, at FROM tokens")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, Used(row.get(1)?))))?;
            rows.collect()
        })
    }

    fn hour(&self, seller: &str, hour: Hours) -> Result<Vec<(Deployment, Charged)>, ViewsError> {
        self.read_with(|connection| {
            let query = "SELECT product, ecs, charging_mode, at FROM deployment_hours WHERE seller = ?1 AND hour = ?2";
            let mut statement = connection.prepare_cached(query)?;
            let rows = statement.query_map(params![seller, hour], |row| {
                let (mode, at): (Option<Box<str>>, Micros) = (row.get(2)?, row.get(3)?);
                Ok(((row.get(0)?, row.get(1)?), Charged { at, mode }))
            })?;
            rows.collect()
        })
    }

    fn forget(&self, seller: &str, license: &str, holder: &str) -> Result<(), ViewsError> {
        let deletion = "DELETE FROM holders WHERE seller = ?1 AND license = ?2 AND holder = ?3";
        self.write_with(|connection| connection.prepare_cached(deletion)?.execute([seller, license, holder]).map(drop))
    }

    fn forget_hours_before(&self, hour: Hours) -> Result<(), ViewsError> {
        let deletion = "DELETE FROM deployment_hours WHERE hour < ?1";
        self.write_with(|connection| connection.prepare_cached(deletion)?.execute([hour]).map(drop))
    }

    fn close(&self, _: Option<Uuid>) {
        // So that the file is whole without its companions. If somebody reads just now, they stay, and nothing is lost.
        if let Err(error) = self.writer().pragma_update(None, "wal_checkpoint", "TRUNCATE") {
            tracing::debug!(%error, "the views keep their write-ahead log");
        }
    }
}

fn write_batch(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    let mut holder = connection.prepare_cached(SAW_HOLDER)?;
    for (called, seen) in batch.holders.iter() {
        let [seller, license, name] = called.names;
        holder.execute(params![seller, license, name, seen.at, seen.lease_until])?;
    }
    let mut token = connection.prepare_cached(SAW_TOKEN)?;
    for (called, used) in batch.tokens.iter() {
        let [id] = called.names;
        token.execute(params![id, used.0])?;
    }
    let mut deployment = connection.prepare_cached(SAW_DEPLOYMENT)?;
    for (called, charged) in batch.hours.iter() {
        let [seller, ecs, product] = called.names;
        deployment.execute(params![seller, called.hour, product, ecs, charged.mode, charged.at])?;
    }
    Ok(())
}
