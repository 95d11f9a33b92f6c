//! Who gives out leases, and how far each has written what it saw.
//!
//! Every change begins with the one row of `watch`, so that of two processes one waits for the other. Times are the
//! server's: the clocks of the processes may differ.

use std::time::Duration;

use chopmark_postgres::Lent;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::noted::{BREAK, GONE_AFTER};
use crate::store::{Notes, Told, Watcher};

const WATCHED: &str = "
UPDATE watch SET
    up_since = CASE WHEN now() - up_until > make_interval(secs => $1) THEN now() ELSE up_since END,
    up_until = greatest(up_until, now()),
    lost_at = CASE WHEN $2 THEN now() ELSE lost_at END";

const NOTED: &str = "
INSERT INTO watchers AS known (id, complete_to) VALUES ($1, now() - make_interval(secs => $2))
ON CONFLICT (id) DO UPDATE SET complete_to = greatest(known.complete_to, excluded.complete_to)";

/// Who was silent for so long is taken for dead, with all that it had not written.
const BURIED: &str = "
WITH gone AS (
    DELETE FROM watchers WHERE complete_to < now() - make_interval(secs => $1) RETURNING complete_to
)
UPDATE watch SET lost_at = greatest(lost_at, buried.at)
FROM (SELECT max(complete_to) + make_interval(secs => $1) AS at FROM gone) AS buried
WHERE buried.at IS NOT NULL";

const LEFT: &str = "DELETE FROM watchers WHERE id = $1";

const TOLD: &str = "
SELECT
    begun_at,
    extract(epoch FROM now() - up_until)::FLOAT8,
    extract(epoch FROM now() - up_since)::FLOAT8,
    extract(epoch FROM now() - greatest(lost_at, (
        SELECT max(complete_to) + make_interval(secs => $2) FROM watchers
        WHERE complete_to < now() - make_interval(secs => $2) AND id IS DISTINCT FROM $1
    )))::FLOAT8,
    extract(epoch FROM now() - (
        SELECT min(complete_to) FROM watchers
        WHERE complete_to >= now() - make_interval(secs => $2) AND id IS DISTINCT FROM $1
    ))::FLOAT8
FROM watch";

/// Notes how far a process has written.
pub(super) async fn note(client: &mut Lent, watcher: &Watcher) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    let watched = transaction.prepare_cached(WATCHED).await?;
    transaction.execute(&watched, &[&BREAK.as_secs_f64(), &watcher.has_dropped]).await?;
    let noted = transaction.prepare_cached(NOTED).await?;
    transaction.execute(&noted, &[&watcher.id, &watcher.complete_to.elapsed().as_secs_f64()]).await?;
    let buried = transaction.prepare_cached(BURIED).await?;
    transaction.execute(&buried, &[&GONE_AFTER.as_secs_f64()]).await?;
    transaction.commit().await
}

/// Notes that a process sees nobody any more, and has written all it saw.
pub(super) async fn leave(client: &mut Lent, id: Uuid) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    let watched = transaction.prepare_cached(WATCHED).await?;
    transaction.execute(&watched, &[&BREAK.as_secs_f64(), &false]).await?;
    let left = transaction.prepare_cached(LEFT).await?;
    transaction.execute(&left, &[&id]).await?;
    transaction.commit().await
}

/// How far everybody has written; what `but` has not, it knows by itself.
pub(super) async fn told(client: &Lent, but: Option<Uuid>) -> Result<Notes, tokio_postgres::Error> {
    let statement = client.prepare_cached(TOLD).await?;
    let row = client.query_one(&statement, &[&but, &GONE_AFTER.as_secs_f64()]).await?;
    let begun: DateTime<Utc> = row.try_get(0)?;
    let ago = |column| Ok::<_, tokio_postgres::Error>(row.try_get::<_, Option<f64>>(column)?.map(age));
    let told = Told {
        watched_ago: ago(1)?.unwrap_or_default(),
        watched_for: ago(2)?.unwrap_or_default(),
        lost_ago: ago(3)?,
        others_behind: ago(4)?,
    };
    Ok(Notes { begun: begun.timestamp_micros(), told: Some(told) })
}

fn age(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
