//! A few connections that many share, one after another.

use std::time::Duration;

use deadpool_postgres::{Connect, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime};
use futures_util::future::{BoxFuture, FutureExt};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config};

use crate::address::Address;
use crate::error::PostgresError;

/// How long a connection may take to show that it still works, before another takes its place.
const SIGN_OF_LIFE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection from a [`Pool`], with its prepared statements. Dropped, it is back in the pool.
pub type Lent = Object;

/// Connections that are made when they are needed, and kept. One that was lost is replaced.
#[derive(Debug, Clone)]
pub struct Pool(deadpool_postgres::Pool);

impl Address {
    /// A pool of at most `connections`. Nobody waits for a free one longer than `wait`.
    ///
    /// # Errors
    /// [`PostgresError::NoConnection`], where there can never be one.
    pub fn pool(&self, connections: usize, wait: Duration) -> Result<Pool, PostgresError> {
        // A connection is asked for a sign of life before it is used: it may have been idle for days.
        let config = ManagerConfig { recycling_method: RecyclingMethod::Verified };
        let manager = Manager::from_connect(Config::new(), Joins(self.clone()), config);
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(self.connect_timeout))
            .recycle_timeout(Some(SIGN_OF_LIFE_TIMEOUT))
            .wait_timeout(Some(wait))
            .build();
        pool.map(Pool).map_err(|error| PostgresError::NoConnection { reason: error.to_string() })
    }
}

impl Pool {
    /// A connection that answers.
    ///
    /// # Errors
    /// As of [`Address::connect`], and [`PostgresError::NoConnection`] where none came free in time.
    pub async fn lend(&self) -> Result<Lent, PostgresError> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error.into(),
            other => PostgresError::NoConnection { reason: other.to_string() },
        })
    }

    /// Gives back all that are idle, and lends none any more.
    pub fn close(&self) {
        self.0.close();
    }
}

/// How a pool connects.
struct Joins(Address);

impl Connect for Joins {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        async { self.0.join(|| Box::new(|_| {})).await }.boxed()
    }
}
