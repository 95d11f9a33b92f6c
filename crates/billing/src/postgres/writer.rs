//! Writing, in one transaction each.

use chopmark_postgres::Lent;
use deadpool_postgres::Transaction;
use futures_util::future::try_join_all;

use super::Failed;
use super::cells::{array, borrowed, parameters};
use crate::cell::Cell;
use crate::schema::{self, CHECKPOINT, Kind, Layout};
use crate::sql::{Dialect, MOVE_CHECKPOINT};
use crate::store::{Checkpoint, StoreError};
use crate::writes::{Done, Write};

/// Rows that one statement writes.
const ROWS_AT_ONCE: usize = 1_000;

/// Moves the checkpoint on and writes everything, or nothing.
pub(super) async fn write(
    client: &mut Lent,
    expected: &Checkpoint,
    next: &Checkpoint,
    writes: &[Write],
) -> Result<(), Failed> {
    // Dropped before it is committed, it is rolled back.
    let transaction = client.transaction().await?;
    // Whoever moves the checkpoint at the same time waits here for the other's end, and then finds it moved.
    move_checkpoint(&transaction, expected, next).await?;
    for Write { table, done } in writes {
        match done {
            Done::Put(rows) => put(&transaction, table, rows).await?,
            Done::Take(keys) => take(&transaction, table, keys).await?,
        }
    }
    Ok(transaction.commit().await?)
}

async fn move_checkpoint(
    transaction: &Transaction<'_>,
    expected: &Checkpoint,
    next: &Checkpoint,
) -> Result<(), Failed> {
    let cells: [Cell; 6] = [
        next.position.0.into(),
        (&next.work).into(),
        (&next.log).into(),
        expected.position.0.into(),
        (&expected.work).into(),
        (&expected.log).into(),
    ];
    let statement = transaction.prepare_cached(MOVE_CHECKPOINT).await?;
    let moved = transaction.execute(&statement, &borrowed(&parameters(&cells))).await?;
    if moved == 1 { Ok(()) } else { Err(Failed::Told(StoreError::Moved)) }
}

async fn put(transaction: &Transaction<'_>, table: &Layout, rows: &[Vec<Cell>]) -> Result<(), Failed> {
    let kinds = table.columns.iter().map(|column| column.kind).collect::<Vec<_>>();
    run(transaction, &Dialect::Postgres.put(table), &kinds, rows).await
}

async fn take(transaction: &Transaction<'_>, table: &Layout, keys: &[Vec<Cell>]) -> Result<(), Failed> {
    let parts = keys.first().map_or(0, Vec::len);
    run(transaction, &Dialect::Postgres.take(table, parts), &vec![Kind::Text; parts], keys).await
}

/// Runs a statement for all rows. They have keys of their own, so parts of them may be on their way at once.
async fn run(transaction: &Transaction<'_>, sql: &str, kinds: &[Kind], rows: &[Vec<Cell>]) -> Result<(), Failed> {
    let statement = transaction.prepare_cached(sql).await?;
    let statement = &statement;
    let sent = rows.chunks(ROWS_AT_ONCE).map(|rows| {
        let column = |(at, kind): (usize, &Kind)| array(*kind, rows.iter().filter_map(|row| row.get(at)));
        let arrays: Vec<_> = kinds.iter().enumerate().map(column).collect();
        async move { transaction.execute(statement, &borrowed(&arrays)).await }
    });
    try_join_all(sent).await?;
    Ok(())
}

/// Takes all rows away and puts the first checkpoint in place. Not by `TRUNCATE`: readers beside it would find empty
/// tables at the old position.
pub(super) async fn empty(client: &mut Lent) -> Result<(), Failed> {
    let transaction = client.transaction().await?;
    empty_in(&transaction).await?;
    Ok(transaction.commit().await?)
}

/// The same, within a transaction.
pub(super) async fn empty_in(transaction: &Transaction<'_>) -> Result<(), Failed> {
    let mut delete = "SET LOCAL statement_timeout = 0;".to_owned();
    for table in schema::tables().iter().filter(|table| table.name != schema::VERSIONS.name) {
        delete.push_str(&format!(" DELETE FROM {};", table.name));
    }
    transaction.batch_execute(&delete).await?;
    put(transaction, &CHECKPOINT.layout(), &[CHECKPOINT.cells(&Checkpoint::default())]).await
}

/// Puts what is said once in place: the version.
pub(super) async fn put_version(transaction: &Transaction<'_>) -> Result<(), Failed> {
    let version = schema::VERSIONS.cells(&schema::VERSION);
    put(transaction, &schema::VERSIONS.layout(), &[version]).await
}
