//! PostgreSQL, for several processes that share what they have seen.
//!
//! Sightings are merged by the server, a few thousand in a statement, in the order of their keys: two processes that write
//! the same rows wait for each other, never crosswise. Nothing is asked of the server before something is to be written or
//! read, so that one which is away delays no start; and each time it is asked again, so that its return needs none.

mod rows;
mod tables;
#[cfg(test)]
mod tests;
mod watchers;
mod worker;

use std::time::Duration;

use chopmark_postgres::{Address, Lent, Pool, PostgresError, Session, check_schema, timely};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use self::worker::Worker;
use crate::error::ViewsError;
use crate::store::{Batch, Charged, Deployment, Holding, Hours, Notes, Store, Used, Watcher};

/// Where the tables are. Not where the views of settlement are: whoever may read those need not see machines.
pub(crate) const SCHEMA: &str = "chopmark_seen";

/// One writes, the others read.
const CONNECTIONS: usize = 4;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a statement may take: those are small.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the network is gone, nobody tells that a statement took too long.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) struct Postgres {
    pool: Pool,
    schema: String,
    /// Whether the tables are there, and of this version; not for certain any more when one is missed.
    begun: Mutex<bool>,
    worker: Worker,
}

impl Postgres {
    /// Connects when something is asked or written, and again until that succeeds.
    pub(crate) fn connect_later(url: &SecretString, schema: &str) -> Result<Self, ViewsError> {
        let misled = |error: PostgresError| ViewsError::Url { reason: error.to_string() };
        check_schema(schema).map_err(misled)?;
        let settings =
            [("search_path", schema.into()), ("statement_timeout", STATEMENT_TIMEOUT.as_millis().to_string())];
        let session = Session { connect_timeout: CONNECT_TIMEOUT, settings: settings.into() };
        let pool = Address::of(url, &session).and_then(|address| address.pool(CONNECTIONS, CONNECT_TIMEOUT));
        let worker = Worker::start()?;
        Ok(Self { pool: pool.map_err(misled)?, schema: schema.into(), begun: Mutex::new(false), worker })
    }

    /// A connection to tables that are there.
    async fn client(&self) -> Result<Lent, ViewsError> {
        let lending = async { self.pool.lend().await.map_err(|error| refusal("open", &error)) };
        let mut client = within(CONNECT_TIMEOUT, "open", lending).await?;
        let mut begun = self.begun.lock().await;
        if !*begun {
            within(STATEMENT_TIMEOUT, "open", tables::begin(&mut client, &self.schema)).await?;
            *begun = true;
        }
        Ok(client)
    }

    /// Runs one statement with a new connection.
    fn run<T: Send>(
        &self,
        doing: &'static str,
        work: impl AsyncFnOnce(&mut Lent) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, ViewsError> {
        self.worker.wait(async {
            let mut client = self.client().await?;
            let working = async { Ok(work(&mut client).await) };
            let done = within(STATEMENT_TIMEOUT, doing, working).await?;
            if let Err(error) = &done
                && error.code() == Some(&SqlState::UNDEFINED_TABLE)
            {
                // The database was lost and made anew: so are the tables, the next time.
                *self.begun.lock().await = false;
            }
            done.map_err(|error| refusal(doing, &error.into()))
        })
    }
}

/// Gives up on a server that does not give up itself.
async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, ViewsError>>,
) -> Result<T, ViewsError> {
    let working = async { Ok::<_, PostgresError>(work.await) };
    timely(limit + GRACE, working).await.unwrap_or_else(|error| Err(refusal(doing, &error)))
}

/// What an error of PostgreSQL means to whoever must mend it.
fn refusal(doing: &'static str, error: &PostgresError) -> ViewsError {
    ViewsError::Postgres { doing, reason: error.to_string() }
}

async fn query(
    client: &Lent,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query(&statement, parameters).await
}

impl Store for Postgres {
    fn is_shared(&self) -> bool {
        true
    }

    fn write(&self, batch: &Batch, watcher: Option<&Watcher>) -> Result<(), ViewsError> {
        // Each statement has its time: a batch that has gathered for long is many of them.
        for chunk in rows::chunks(batch) {
            self.run("write", async |client| chunk.merge(client).await)?;
        }
        watcher.map_or(Ok(()), |watcher| self.run("write", async |client| watchers::note(client, watcher).await))
    }

    fn notes(&self, watcher: Option<Uuid>) -> Result<Notes, ViewsError> {
        self.run("read", async |client| watchers::told(client, watcher).await)
    }

    fn holders(&self, seller: &str, license: &str) -> Result<Vec<(String, Holding)>, ViewsError> {
        self.run("read", async |client| {
            let sql = "SELECT holder, at, lease_until FROM holders WHERE seller = $1 AND license = $2";
            let found = query(client, sql, &[&rows::storable(seller), &rows::storable(license)]).await?;
            let told = |row: &tokio_postgres::Row| {
                Ok((row.try_get(0)?, Holding { at: row.try_get(1)?, lease_until: row.try_get(2)? }))
            };
            found.iter().map(told).collect()
        })
    }

    fn tokens(&self) -> Result<Vec<(String, Used)>, ViewsError> {
        self.run("read", async |client| {
            let found = query(client, "SELECT id, at FROM tokens", &[]).await?;
            found.iter().map(|row| Ok((row.try_get(0)?, Used(row.try_get(1)?)))).collect()
        })
    }

    fn hour(&self, seller: &str, hour: Hours) -> Result<Vec<(Deployment, Charged)>, ViewsError> {
        self.run("read", async |client| {
            let sql = "SELECT product, ecs, charging_mode, at FROM deployment_hours WHERE seller = $1 AND hour = $2";
            let found = query(client, sql, &[&rows::storable(seller), &hour]).await?;
            let told = |row: &tokio_postgres::Row| {
                let mode = row.try_get::<_, Option<String>>(2)?.map(String::into_boxed_str);
                Ok(((row.try_get(0)?, row.try_get(1)?), Charged { at: row.try_get(3)?, mode }))
            };
            found.iter().map(told).collect()
        })
    }

    fn forget(&self, seller: &str, license: &str, holder: &str) -> Result<(), ViewsError> {
        let names = [seller, license, holder].map(rows::storable);
        self.run("write", async |client| {
            let sql = "DELETE FROM holders WHERE seller = $1 AND license = $2 AND holder = $3";
            let statement = client.prepare_cached(sql).await?;
            client.execute(&statement, &[&names[0], &names[1], &names[2]]).await.map(drop)
        })
    }

    fn forget_hours_before(&self, hour: Hours) -> Result<(), ViewsError> {
        self.run("write", async |client| {
            let statement = client.prepare_cached("DELETE FROM deployment_hours WHERE hour < $1").await?;
            client.execute(&statement, &[&hour]).await.map(drop)
        })
    }

    fn close(&self, leaving: Option<Uuid>) {
        let left = leaving.map(|id| self.run("write", async |client| watchers::leave(client, id).await));
        if let Some(Err(error)) = left {
            tracing::debug!(%error, "nobody was told that this process has written all it saw");
        }
    }
}
