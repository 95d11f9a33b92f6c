//! The baseline: the same rows by the bare driver.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use futures_util::TryStreamExt;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::{Client, NoTls, Statement};

/// A connection of a driver.
pub(super) enum Bare {
    Sqlite(Connection),
    Postgres { client: Client, prepared: RefCell<HashMap<String, Statement>> },
}

impl Bare {
    pub(super) fn sqlite(path: &Path) -> anyhow::Result<Self> {
        Ok(Self::Sqlite(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?))
    }

    pub(super) async fn postgres(url: &SecretString, schema: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url.expose_secret(), NoTls).await?;
        // It ends with the client.
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = {schema}")).await?;
        Ok(Self::Postgres { client, prepared: RefCell::default() })
    }

    /// Reads the documents of a query, row by row; gives their bytes.
    pub(super) async fn read(&self, sql: &str, texts: &[&str]) -> anyhow::Result<usize> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(params_from_iter(texts))?;
                let mut bytes = 0;
                while let Some(row) = rows.next()? {
                    bytes += row.get_ref(0)?.as_str()?.len();
                }
                Ok(bytes)
            }
            Self::Postgres { client, prepared } => {
                let known = prepared.borrow().get(sql).cloned();
                let statement = match known {
                    Some(statement) => statement,
                    None => client.prepare(sql).await?,
                };
                prepared.borrow_mut().entry(sql.to_owned()).or_insert_with(|| statement.clone());
                let rows = client.query_raw(&statement, texts).await?;
                let bytes = rows.try_fold(0, async |bytes, row| Ok(bytes + row.try_get::<_, &str>(0)?.len())).await?;
                Ok(bytes)
            }
        }
    }

    /// Runs a statement.
    pub(super) async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres { client, .. } => Ok(client.batch_execute(sql).await?),
        }
    }
}
