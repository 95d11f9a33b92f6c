//! Writing, in one transaction each.

use rusqlite::{Connection, Transaction, TransactionBehavior, params_from_iter};

use super::Failed;
use crate::cell::Cell;
use crate::schema::{self, CHECKPOINT};
use crate::sql::{Dialect, MOVE_CHECKPOINT};
use crate::store::Checkpoint;
use crate::writes::{Done, Write};

/// Moves the checkpoint on and writes everything, or nothing.
pub(super) fn write(
    connection: &mut Connection,
    expected: &Checkpoint,
    next: &Checkpoint,
    writes: &[Write],
) -> Result<(), Failed> {
    // The lock is taken at once: who only read before could not be sure to get it.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    move_checkpoint(&transaction, expected, next)?;
    for Write { table, done } in writes {
        match done {
            Done::Put(rows) => run(&transaction, &Dialect::Sqlite.put(table), rows)?,
            Done::Take(keys) => {
                let parts = keys.first().map_or(0, Vec::len);
                run(&transaction, &Dialect::Sqlite.take(table, parts), keys)?;
            }
        }
    }
    Ok(transaction.commit()?)
}

fn move_checkpoint(transaction: &Transaction<'_>, expected: &Checkpoint, next: &Checkpoint) -> Result<(), Failed> {
    let cells: [Cell; 6] = [
        next.position.0.into(),
        (&next.work).into(),
        (&next.log).into(),
        expected.position.0.into(),
        (&expected.work).into(),
        (&expected.log).into(),
    ];
    let moved = transaction.prepare_cached(MOVE_CHECKPOINT)?.execute(params_from_iter(&cells))?;
    if moved == 1 { Ok(()) } else { Err(Failed::Moved) }
}

fn run(transaction: &Transaction<'_>, sql: &str, rows: &[Vec<Cell>]) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(sql)?;
    rows.iter().try_for_each(|row| statement.execute(params_from_iter(row)).map(drop))
}

/// Takes all rows away and puts the first checkpoint in place.
pub(super) fn empty(connection: &mut Connection) -> Result<(), Failed> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in schema::tables().iter().filter(|table| table.name != schema::VERSIONS.name) {
        transaction.execute(&format!("DELETE FROM {}", table.name), [])?;
    }
    begin(&transaction)?;
    Ok(transaction.commit()?)
}

/// Puts the first checkpoint in place.
pub(super) fn begin(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let first = CHECKPOINT.cells(&Checkpoint::default());
    run(transaction, &Dialect::Sqlite.put(&CHECKPOINT.layout()), &[first])
}
