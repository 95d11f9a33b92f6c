//! The tables: made where there are none, refused where they are of another version.

use chopmark_postgres::{Lent, PostgresError};

use crate::error::ViewsError;

/// Grows with every change of the tables.
const VERSION: i32 = 1;

/// Names come in any language.
const ENCODING: &str = "UTF8";

/// Rows of `holders` are written again and again, and mostly find room beside themselves.
const TABLES: &str = r#"
CREATE TABLE holders (
    seller TEXT COLLATE "C" NOT NULL,
    license TEXT COLLATE "C" NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    lease_until BIGINT,
    PRIMARY KEY (seller, license, holder)
) WITH (fillfactor = 80);
COMMENT ON TABLE holders IS 'When machines and deployments were last seen. Times are microseconds since 1970, UTC';
COMMENT ON COLUMN holders.holder IS 'A machine''s fingerprint; empty for a deployment itself';
COMMENT ON COLUMN holders.lease_until IS 'The latest end of all the leases that it was given';
CREATE TABLE tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE tokens IS 'When tokens were last used';
CREATE TABLE deployment_hours (
    hour BIGINT NOT NULL,
    seller TEXT COLLATE "C" NOT NULL,
    product TEXT COLLATE "C" NOT NULL,
    ecs TEXT COLLATE "C" NOT NULL,
    charging_mode TEXT COLLATE "C",
    at BIGINT NOT NULL,
    PRIMARY KEY (hour, seller, product, ecs)
) WITH (fillfactor = 80);
COMMENT ON TABLE deployment_hours IS 'Which deployments were seen in which hour, in hours since 1970';
CREATE TABLE watch (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    begun_at TIMESTAMPTZ NOT NULL,
    up_since TIMESTAMPTZ NOT NULL,
    up_until TIMESTAMPTZ NOT NULL,
    lost_at TIMESTAMPTZ
);
COMMENT ON TABLE watch IS 'Since when this is kept, and since when, without a break, somebody has been there to see';
COMMENT ON COLUMN watch.lost_at IS 'The last time at which something may have been seen that was never written';
CREATE TABLE watchers (
    id UUID PRIMARY KEY,
    complete_to TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE watchers IS 'Each process that gives out leases: all that it saw before then is written';
"#;

/// Makes what is missing, in one transaction. Of two processes that begin at once, one waits for the other.
pub(super) async fn begin(client: &mut Lent, schema: &str) -> Result<(), ViewsError> {
    let failed = |error: tokio_postgres::Error| super::refusal("open", &error.into());
    let transaction = client.transaction().await.map_err(failed)?;
    let lock = format!("SELECT pg_advisory_xact_lock(hashtext('chopmark what was seen in {schema}'))");
    transaction.batch_execute(&lock).await.map_err(failed)?;
    let table = format!("{schema}.watch");
    let looked = transaction
        .query_one(
            "SELECT to_regclass($1::TEXT) IS NOT NULL, to_regnamespace($2::TEXT) IS NOT NULL, \
             current_setting('server_encoding')",
            &[&table, &schema],
        )
        .await
        .map_err(failed)?;
    let (has_tables, has_schema, encoding): (bool, bool, String) = (looked.get(0), looked.get(1), looked.get(2));
    if has_tables {
        let found = transaction.query_one("SELECT version FROM watch", &[]).await.map_err(failed)?.get(0);
        if found != VERSION {
            return Err(ViewsError::NewerTables { schema: schema.into(), found, known: VERSION });
        }
        return Ok(());
    }
    if encoding != ENCODING {
        let reason = format!("the database is kept in {encoding}; make one with ENCODING 'UTF8'");
        return Err(super::refusal("open", &PostgresError::NoConnection { reason }));
    }
    // Who may not create schemas may still use one that was made for them.
    if !has_schema {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await.map_err(failed)?;
    }
    let first = format!("INSERT INTO watch VALUES (1, {VERSION}, now(), now(), now(), NULL);");
    transaction.batch_execute(&format!("{TABLES}{first}")).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}
