//! A connection that is made when it is needed, and made anew when it was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chopmark_postgres::{Address, Connection, PostgresError, timely};
use tokio::sync::Mutex;
use tokio_postgres::Statement;

use super::error::ConnectError;
use super::tables::Tables;
use super::{batch, import, reader};

/// How long a connection may take to be made, to find its tables and to learn its statements. An append waits for it, and
/// must be answered.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_millis(2_500);

/// The statements that a connection knows.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) append: Statement,
    pub(super) import: Statement,
    pub(super) read_stream: Statement,
    pub(super) read_all: Statement,
    pub(super) head: Statement,
}

/// A connection that has found the tables of the log.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) connection: Connection,
    pub(super) statements: Statements,
}

/// A place for one connection. Those who use it at the same time share it: what they ask goes out one after another
/// without waiting for answers.
#[derive(Debug)]
pub(super) struct Link {
    address: Address,
    tables: Tables,
    linked: Mutex<Option<Arc<Linked>>>,
    is_closed: AtomicBool,
}

impl Link {
    pub(super) fn new(address: Address, tables: Tables) -> Self {
        Self { address, tables, linked: Mutex::default(), is_closed: AtomicBool::new(false) }
    }

    /// The connection; a new one where there is none, or none any more.
    pub(super) async fn get(&self) -> Result<Arc<Linked>, ConnectError> {
        let mut linked = self.linked.lock().await;
        if let Some(linked) = linked.as_ref().filter(|linked| !linked.connection.is_closed()) {
            return Ok(Arc::clone(linked));
        }
        *linked = None;
        if self.is_closed.load(Ordering::Acquire) {
            return Err(PostgresError::NoConnection { reason: "the log is closed".into() }.into());
        }
        let new = Arc::new(timely(CONNECT_TIMEOUT, self.connect()).await?);
        *linked = Some(Arc::clone(&new));
        Ok(new)
    }

    /// Lets go of a connection that failed. Whoever else uses it fails too; the next to ask makes a new one.
    pub(super) async fn lost(&self, failed: &Arc<Linked>) {
        let mut linked = self.linked.lock().await;
        if linked.as_ref().is_some_and(|linked| Arc::ptr_eq(linked, failed)) {
            *linked = None;
        }
    }

    /// Lets go of a connection that does not answer. If one is being made just now, there is none to let go of.
    pub(super) fn is_silent(&self) {
        if let Ok(mut linked) = self.linked.try_lock() {
            *linked = None;
        }
    }

    /// Lets go of the connection and makes none any more.
    pub(super) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        *self.linked.lock().await = None;
    }

    async fn connect(&self) -> Result<Linked, ConnectError> {
        let connection = self.address.connect().await?;
        set_up(&connection).await?;
        self.tables.begin(&connection).await?;
        let prepare = async |statement: &str| connection.prepare(&self.tables.sql(statement)).await;
        let (append, import, read_stream, read_all, head) = tokio::try_join!(
            prepare(batch::APPEND),
            prepare(import::IMPORT),
            prepare(reader::READ_STREAM),
            prepare(reader::READ_ALL),
            prepare(reader::HEAD),
        )?;
        Ok(Linked { connection, statements: Statements { append, import, read_stream, read_all, head } })
    }
}

/// What is acknowledged is on stable storage, and whoever has waited for the lock sees what was committed meanwhile, even where
/// the server's defaults are others.
async fn set_up(connection: &Connection) -> Result<(), tokio_postgres::Error> {
    let settings = "SELECT set_config('default_transaction_isolation', 'read committed', false); \
                    SELECT set_config('synchronous_commit', 'on', false) \
                    WHERE current_setting('synchronous_commit') = 'off'";
    connection.batch_execute(settings).await
}
