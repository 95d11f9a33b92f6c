//! PostgreSQL, for those who run one: several programs may read the views there, whatever they are written in.
//!
//! Rows are written in arrays, a thousand at once, in one transaction with the checkpoint. A connection that was lost is
//! replaced before the next use; what was asked meanwhile fails, and whoever asked tries again.

mod begin;
mod cells;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod writer;

use std::time::Duration;

use async_trait::async_trait;
use chopmark_postgres::{Address, Lent, Pool, PostgresError, Session, check_schema, timely};
use secrecy::SecretString;
use tokio::sync::OnceCell;

use self::begin::Found;
use self::cells::{borrowed, parameters};
use crate::engine::{Answer, Engine};
use crate::sql::{Dialect, Question};
use crate::store::{Checkpoint, StoreError};
use crate::writes::Write;

/// How the views are kept in a PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The schema of the tables: small letters, digits and `_`. Default: `chopmark`.
    pub schema: String,
    /// The most connections at once. Default: 8.
    pub connections: usize,
    /// How long a connection may take to be made. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long a statement may take. Default: 60 s.
    pub statement_timeout: Duration,
}

impl PostgresOptions {
    /// Filters make plans that do not fit each other, so each question is planned for itself. Rows are read in the order of
    /// an index up to a limit: where the server has no statistics yet, as after a rebuild, it would rather gather all of
    /// them as a bitmap and sort them for every page.
    fn session(&self) -> Session {
        let settings = vec![
            ("search_path", self.schema.clone()),
            ("statement_timeout", self.statement_timeout.as_millis().to_string()),
            ("plan_cache_mode", "force_custom_plan".into()),
            ("enable_bitmapscan", "off".into()),
            ("jit", "off".into()),
        ];
        Session { connect_timeout: self.connect_timeout, settings }
    }
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            schema: "chopmark".into(),
            connections: 8,
            connect_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_mins(1),
        }
    }
}

/// How long emptying the tables may take: every row is taken away.
const EMPTY_TIMEOUT: Duration = Duration::from_mins(30);

/// How much longer than the server we wait for it to give up by itself.
const GRACE: Duration = Duration::from_secs(5);

/// Billing views in a PostgreSQL.
#[derive(Debug)]
pub struct PostgresBilling {
    pool: Pool,
    statement_timeout: Duration,
    schema: String,
    /// Whether schema and tables are there, and of this version.
    begun: OnceCell<()>,
}

impl PostgresBilling {
    /// Connects, and creates schema and tables where there are none. The URL is like
    /// `postgres://user:password@host/database?sslmode=require`; with `sslrootcert=` it names a file of authorities to
    /// trust instead of the public ones.
    ///
    /// # Errors
    /// [`StoreError::Version`] for views of another version; [`StoreError::Unavailable`] for a URL that is not
    /// understood, a server that is not reached, or rights that are missing.
    pub async fn connect(url: &SecretString, options: &PostgresOptions) -> Result<Self, StoreError> {
        let views = Self::connect_later(url, options)?;
        drop(views.client().await?);
        Ok(views)
    }

    /// Like [`connect`](Self::connect), but when something is asked or written, and again until that succeeds: for a
    /// server that is not reached now. Until then everything fails as `connect` would.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] for a URL that is not understood.
    pub fn connect_later(url: &SecretString, options: &PostgresOptions) -> Result<Self, StoreError> {
        check_schema(&options.schema)?;
        let pool = Address::of(url, &options.session())?.pool(options.connections, options.statement_timeout)?;
        let (statement_timeout, schema) = (options.statement_timeout, options.schema.clone());
        Ok(Self { pool, statement_timeout, schema, begun: OnceCell::new() })
    }

    /// Connects to views that are there, and makes nothing; `None` where there are none.
    ///
    /// # Errors
    /// As of [`connect`](Self::connect).
    pub async fn connect_to_kept(url: &SecretString, options: &PostgresOptions) -> Result<Option<Self>, StoreError> {
        let views = Self::connect_later(url, options)?;
        let mut client = views.connection().await?;
        let are_there = Self::within(views.statement_timeout, begin::are_there(&mut client, &views.schema)).await?;
        Ok(are_there.then_some(views))
    }

    /// Like [`connect`](Self::connect), but takes away what is there, of whatever version. Views of others over our tables must be gone before
    /// tables of another version can go.
    ///
    /// # Errors
    /// As of [`connect`](Self::connect), but for views of another version.
    pub async fn connect_anew(url: &SecretString, options: &PostgresOptions) -> Result<Self, StoreError> {
        let views = Self::connect_later(url, options)?;
        views.begin(&mut views.connection().await?, Found::TakenAway).await?;
        Ok(views)
    }

    async fn begin(&self, client: &mut Lent, found: Found) -> Result<(), StoreError> {
        self.begun
            .get_or_try_init(|| Self::within(EMPTY_TIMEOUT, begin::begin(client, &self.schema, found)))
            .await
            .copied()
    }

    /// A connection to tables that are there.
    async fn client(&self) -> Result<Lent, StoreError> {
        let mut client = self.connection().await?;
        self.begin(&mut client, Found::Kept).await?;
        Ok(client)
    }

    async fn connection(&self) -> Result<Lent, StoreError> {
        Ok(self.pool.lend().await?)
    }

    /// Does something that the server gives up after `limit` by itself.
    async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Failed>>) -> Result<T, StoreError> {
        timely(limit + GRACE, work).await.map_err(Failed::told)
    }
}

/// Why something was not done.
#[derive(Debug)]
enum Failed {
    Told(StoreError),
    Refused(PostgresError),
}

impl<E: Into<PostgresError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Failed {
    fn told(self) -> StoreError {
        match self {
            Self::Told(error) => error,
            Self::Refused(error) => error.into(),
        }
    }
}

impl From<PostgresError> for StoreError {
    fn from(error: PostgresError) -> Self {
        let reason = error.to_string();
        if error.is_damage() { Self::Damaged { reason } } else { Self::Unavailable { reason } }
    }
}

#[async_trait]
impl Engine for PostgresBilling {
    const DIALECT: Dialect = Dialect::Postgres;

    async fn ask(&self, question: Question) -> Result<Vec<Answer>, StoreError> {
        let client = self.client().await?;
        let parameters = parameters(&question.cells);
        let asking = async {
            let statement = client.prepare_cached(&question.sql).await?;
            Ok(client.query(&statement, &borrowed(&parameters)).await?)
        };
        let rows = Self::within(self.statement_timeout, asking).await?;
        let answer = |row: &tokio_postgres::Row| {
            Ok(Answer { position: row.try_get(0)?, name: row.try_get(1)?, document: row.try_get(2)? })
        };
        rows.iter()
            .map(answer)
            .collect::<Result<_, _>>()
            .map_err(|error: tokio_postgres::Error| PostgresError::from(error).into())
    }

    async fn write(&self, expected: &Checkpoint, next: &Checkpoint, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        Self::within(self.statement_timeout, writer::write(&mut client, expected, next, &writes)).await
    }

    async fn empty(&self) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        Self::within(EMPTY_TIMEOUT, writer::empty(&mut client)).await
    }
}
