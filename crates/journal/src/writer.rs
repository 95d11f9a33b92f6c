//! The thread that writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, params};
use tokio::sync::watch;

use crate::delivery::Delivery;
use crate::queue::Queue;
use crate::row;

/// A disk that is full is not complained about at every delivery.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) queue: Arc<Queue>,
    pub(crate) bounds: Bounds,
    /// How many of the queued deliveries are done with.
    pub(crate) done: watch::Sender<u64>,
    complained: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        queue: Arc<Queue>,
        deliveries_max: u64,
        strangers_max: u64,
        done: watch::Sender<u64>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            bounds: Bounds {
                deliveries: Bound::new(&connection, true, deliveries_max)?,
                strangers: Bound::new(&connection, false, strangers_max)?,
            },
            connection,
            queue,
            done,
            complained: None,
        })
    }

    pub(crate) fn run(mut self) {
        let mut emptied = vec![];
        while let Some((deliveries, queued)) = self.queue.take(emptied) {
            if let Err(error) = self.write(&deliveries) {
                self.queue.count_dropped(deliveries.len() as u64);
                self.complain(&error);
            }
            self.done.send_replace(queued);
            emptied = deliveries;
        }
        // So that the file is whole without its companions. If somebody reads just now, they stay, and nothing is lost.
        if let Err(error) = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
            tracing::debug!(%error, "the delivery journal keeps its write-ahead log");
        }
    }

    fn write(&mut self, deliveries: &[Delivery]) -> rusqlite::Result<()> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let mut bounds = self.bounds;
        let transaction = self.connection.transaction()?;
        {
            let mut insert = row::prepare_insert(&transaction)?;
            for delivery in deliveries {
                row::insert(&mut insert, delivery)?;
                bounds.of(delivery.authenticated).rows += 1;
            }
        }
        bounds.deliveries.trim(&transaction)?;
        bounds.strangers.trim(&transaction)?;
        transaction.commit()?;
        self.bounds = bounds;
        Ok(())
    }

    fn complain(&mut self, error: &rusqlite::Error) {
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            self.complained = Some(Instant::now());
            tracing::warn!(%error, "deliveries are not in the journal; they were answered all the same");
        }
    }
}

/// How many deliveries are kept: those whose signature was right, and strangers'.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    deliveries: Bound,
    strangers: Bound,
}

impl Bounds {
    fn of(&mut self, authenticated: bool) -> &mut Bound {
        if authenticated { &mut self.deliveries } else { &mut self.strangers }
    }
}

#[derive(Debug, Clone, Copy)]
struct Bound {
    authenticated: bool,
    rows: u64,
    max: u64,
}

impl Bound {
    fn new(connection: &Connection, authenticated: bool, max: u64) -> rusqlite::Result<Self> {
        let counting = "SELECT count(*) FROM deliveries WHERE authenticated = ?1";
        let rows: i64 = connection.query_row(counting, [authenticated], |row| row.get(0))?;
        Ok(Self { authenticated, rows: u64::try_from(rows).unwrap_or(0), max })
    }

    fn trim(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let excess = self.rows.saturating_sub(self.max);
        if excess > 0 {
            let oldest = if self.authenticated {
                "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE authenticated ORDER BY id LIMIT ?1)"
            } else {
                "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE NOT authenticated ORDER BY id LIMIT ?1)"
            };
            let limit = i64::try_from(excess).unwrap_or(i64::MAX);
            let deleted = transaction.prepare_cached(oldest)?.execute(params![limit])?;
            self.rows -= deleted as u64;
        }
        Ok(())
    }
}
