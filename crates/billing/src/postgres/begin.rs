//! Schema and tables: made where there are none, refused where they are of another version.

use chopmark_postgres::Lent;
use deadpool_postgres::Transaction;

use super::{Failed, writer};
use crate::schema::{self, Layout, VERSION};
use crate::sql::Dialect;
use crate::store::StoreError;

/// What becomes of views that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Kept,
    TakenAway,
}

/// Makes what is missing, in one transaction. Of two processes that begin at once, one waits for the other.
pub(super) async fn begin(client: &mut Lent, schema: &str, found: Found) -> Result<(), Failed> {
    let transaction = client.transaction().await?;
    let lock = format!("SELECT pg_advisory_xact_lock(hashtext('chopmark billing views in {schema}'))");
    transaction.batch_execute(&lock).await?;
    let mut version = version(&transaction, schema).await?;
    if found == Found::TakenAway && version.is_some() {
        version = take_away(&transaction, version).await?;
    }
    match version {
        None => create(&transaction, schema).await?,
        Some(version) => check_version(version)?,
    }
    Ok(transaction.commit().await?)
}

/// Whether there are views; makes none.
pub(super) async fn are_there(client: &mut Lent, schema: &str) -> Result<bool, Failed> {
    let transaction = client.transaction().await?;
    let version = version(&transaction, schema).await?;
    version.map(check_version).transpose()?;
    Ok(version.is_some())
}

fn check_version(version: i64) -> Result<(), Failed> {
    if version == i64::from(VERSION) {
        return Ok(());
    }
    let found = u32::try_from(version).unwrap_or(u32::MAX);
    Err(Failed::Told(StoreError::Version { found, wanted: VERSION }))
}

/// The version of the tables that are there.
async fn version(transaction: &Transaction<'_>, schema: &str) -> Result<Option<i64>, Failed> {
    let table = format!("{schema}.views_version");
    let is_there = transaction.query_one("SELECT to_regclass($1::TEXT) IS NOT NULL", &[&table]).await?;
    if !is_there.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = transaction.query_opt("SELECT version FROM views_version", &[]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.or(Some(0)))
}

/// Tables of this version are emptied: rights on them, and views of others, stay. Those of another version go.
async fn take_away(transaction: &Transaction<'_>, version: Option<i64>) -> Result<Option<i64>, Failed> {
    if version == Some(VERSION.into()) {
        writer::empty_in(transaction).await?;
        return Ok(version);
    }
    let drop: String = schema::tables().iter().map(|table| format!("DROP TABLE IF EXISTS {};", table.name)).collect();
    transaction.batch_execute(&drop).await?;
    Ok(None)
}

async fn create(transaction: &Transaction<'_>, schema: &str) -> Result<(), Failed> {
    // Who may not create schemas may still use one that was made for them.
    let is_there = transaction.query_one("SELECT to_regnamespace($1::TEXT) IS NOT NULL", &[&schema]).await?;
    if !is_there.try_get::<_, bool>(0)? {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    }
    let tables: String =
        schema::tables().iter().map(|table| Dialect::Postgres.create(table) + &comments(table)).collect();
    transaction.batch_execute(&tables).await?;
    writer::put_version(transaction).await?;
    writer::empty_in(transaction).await
}

/// What tables and columns mean, where tools show it.
fn comments(table: &Layout) -> String {
    let quoted = |text: &str| text.replace('\'', "''");
    let mut comments = format!("COMMENT ON TABLE {} IS '{}';\n", table.name, quoted(table.says));
    for column in &table.columns {
        comments.push_str(&format!("COMMENT ON COLUMN {}.{} IS '{}';\n", table.name, column.name, quoted(column.says)));
    }
    comments
}
