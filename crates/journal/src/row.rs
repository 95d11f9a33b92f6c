//! A delivery as a row.

use chrono::DateTime;
use rusqlite::{CachedStatement, Connection, Row, params};

use crate::delivery::Delivery;

/// What [`read`] expects to be selected.
pub(crate) const COLUMNS: &str = "id, at, seller, activity, test, authenticated, subject, order_id, order_line, \
                                  result_code, reason, millis, remote, body, answer";

pub(crate) fn prepare_insert(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(
        "INSERT INTO deliveries (at, seller, activity, test, authenticated, subject, order_id, order_line, \
         result_code, reason, millis, remote, body, answer) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )
}

pub(crate) fn insert(statement: &mut CachedStatement<'_>, delivery: &Delivery) -> rusqlite::Result<()> {
    statement.execute(params![
        delivery.at.timestamp_micros(),
        delivery.seller,
        delivery.activity,
        delivery.test,
        delivery.authenticated,
        delivery.subject,
        delivery.order,
        delivery.order_line,
        delivery.result_code,
        delivery.reason,
        delivery.millis,
        delivery.remote,
        delivery.body,
        delivery.answer,
    ])?;
    Ok(())
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Delivery)> {
    let delivery = Delivery {
        at: DateTime::from_timestamp_micros(row.get(1)?).unwrap_or_default(),
        seller: row.get(2)?,
        activity: row.get(3)?,
        test: row.get(4)?,
        authenticated: row.get(5)?,
        subject: row.get(6)?,
        order: row.get(7)?,
        order_line: row.get(8)?,
        result_code: row.get(9)?,
        reason: row.get(10)?,
        millis: row.get(11)?,
        remote: row.get(12)?,
        body: row.get(13)?,
        answer: row.get(14)?,
    };
    Ok((row.get(0)?, delivery))
}
