//! Reading, on connections of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chopmark_postgres::{PostgresError, timely};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::batch::unsigned;
use super::error::ConnectError;
use super::link::{Link, Statements};
use super::row::{damaged, record, whole};
use crate::event_log::ReadError;
use crate::record::{Page, Position, Record, Revision, StreamName};

pub(super) const READ_STREAM: &str = "SELECT position, stream, revision, id, kind, recorded_at, checksum, metadata, data \
                                      FROM {schema}.events WHERE stream = $1 AND revision >= $2 \
                                      ORDER BY revision LIMIT $3";

/// A page ends after 32 MiB of data, however many records were asked for. The end of the log is of the same snapshot.
pub(super) const READ_ALL: &str = "SELECT position, stream, revision, id, kind, recorded_at, checksum, metadata, data, \
            (SELECT max(position) FROM {schema}.events) \
     FROM (SELECT e.*, sum(octet_length(e.metadata) + octet_length(e.data)) OVER (ORDER BY e.position \
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before \
           FROM (SELECT * FROM {schema}.events WHERE position > $1 ORDER BY position LIMIT $2) e) page \
     WHERE coalesce(bytes_before, 0) < 33554432 ORDER BY position";

pub(super) const HEAD: &str = "SELECT max(position) FROM {schema}.events";

/// A few connections. Who asks takes the one that fewest use, the first of these, so that a quiet log has one.
#[derive(Debug)]
pub(super) struct Readers {
    desks: Vec<Desk>,
    timeout: Duration,
}

/// A connection, and how many use it now.
#[derive(Debug)]
struct Desk {
    link: Link,
    users: AtomicUsize,
}

/// One who uses a connection, until dropped.
struct User<'d>(&'d Desk);

impl Desk {
    fn taken(&self) -> User<'_> {
        self.users.fetch_add(1, Ordering::Relaxed);
        User(self)
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Readers {
    pub(super) fn new(links: Vec<Link>, timeout: Duration) -> Self {
        let desk = |link| Desk { link, users: AtomicUsize::new(0) };
        Self { desks: links.into_iter().map(desk).collect(), timeout }
    }

    /// The records of a stream from a revision on.
    pub(super) async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Record>, ReadError> {
        let (name, first, most) = (stream.as_str(), whole(from.0), whole(limit as u64));
        let question = Question { statement: |known| &known.read_stream, parameters: &[&name, &first, &most] };
        let mut records: Vec<Record> = Vec::new();
        for row in self.read(Position::START, &question).await? {
            let before = records.last().map_or(Position::START, |record| record.position);
            let record = record(&row, before)?;
            let expected = from.0 + records.len() as u64;
            if record.revision.0 != expected || record.stream != *stream {
                let reason = format!("revision {expected} of stream {stream} is missing");
                return Err(damaged(record.position, reason));
            }
            records.push(record);
        }
        Ok(records)
    }

    /// The log's records after a position.
    pub(super) async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let (first, most) = (whole(after.0), whole(limit as u64));
        let question = Question { statement: |known| &known.read_all, parameters: &[&first, &most] };
        let rows = self.read(after, &question).await?;
        let mut page = Page { records: Vec::with_capacity(rows.len()), reached: after, at_head: false };
        for row in &rows {
            let record = record(row, page.reached)?;
            let expected = page.reached.0 + 1;
            if record.position.0 != expected {
                return Err(damaged(Position(expected), "the record is missing".into()));
            }
            page.reached = record.position;
            page.records.push(record);
        }
        page.at_head = match rows.last() {
            None if limit > 0 => true,
            None => self.head().await? <= after,
            Some(row) => end(row, 9, after)? == page.reached,
        };
        Ok(page)
    }

    /// The position of the last event.
    pub(super) async fn head(&self) -> Result<Position, ReadError> {
        let question = Question { statement: |known| &known.head, parameters: &[] };
        let rows = self.read(Position::START, &question).await?;
        rows.first().map_or(Ok(Position::START), |row| end(row, 0, Position::START))
    }

    /// Asks on a connection; once more on a new one, if the connection turned out to be lost.
    async fn read(&self, after: Position, question: &Question<'_>) -> Result<Vec<Row>, ReadError> {
        let Some(desk) = self.desks.iter().min_by_key(|desk| desk.users.load(Ordering::Relaxed)) else {
            return Err(ReadError::Unavailable { reason: "there is no connection to read on".into() });
        };
        let (_user, link) = (desk.taken(), &desk.link);
        let asking = async {
            match question.ask(link).await {
                Err(ConnectError::Postgres(error)) if !error.is_refusal() => question.ask(link).await,
                answer => answer,
            }
        };
        let answer = timely(self.timeout, asking).await;
        if let Err(ConnectError::Postgres(PostgresError::TimedOut)) = answer {
            link.is_silent();
        }
        answer.map_err(|error| error.to_read_error(after))
    }

    pub(super) async fn close(&self) {
        for desk in &self.desks {
            desk.link.close().await;
        }
    }
}

/// A statement that a connection knows, and its parameters.
struct Question<'q> {
    statement: fn(&Statements) -> &Statement,
    parameters: &'q [&'q (dyn ToSql + Sync)],
}

impl Question<'_> {
    async fn ask(&self, link: &Link) -> Result<Vec<Row>, ConnectError> {
        let linked = link.get().await?;
        let answer = linked.connection.query((self.statement)(&linked.statements), self.parameters).await;
        if answer.is_err() {
            link.lost(&linked).await;
        }
        Ok(answer?)
    }
}

/// The end of the log, in a row.
pub(super) fn end(row: &Row, column: usize, after: Position) -> Result<Position, ReadError> {
    let end = row.try_get::<_, Option<i64>>(column).map_err(|error| damaged(after, error.to_string()))?;
    Ok(end.map_or(Position::START, |end| Position(unsigned(end))))
}
