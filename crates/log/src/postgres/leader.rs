//! Who leads, of the processes on one log: whoever's session holds the advisory lock.
//!
//! The server gives the lock back when the session ends, and ends a session that says nothing for [`SILENCE_MAX`]. The
//! holder says something every [`BEAT_EVERY`], and counts the right as lost when it was not answered in time, which is
//! before the server may give it to another. Only a process that stood still, and goes on, may for the moment until its
//! tasks run again believe to lead while another does.

use std::time::{Duration, Instant};

use chopmark_postgres::{Address, Connection, PostgresError, Session, timely};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::tables::Tables;
use crate::leadership::Leadership;

/// Between two attempts.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// Between two signs of life of the holder.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// How long an answer to one may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The server ends the session after so long a silence. More than a beat and its answer take together.
const SILENCE_MAX: Duration = Duration::from_secs(10);

const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('chopmark leads in ' || {name}, 0))";

/// What a session that may hold the lock asks of the server, beside what all do.
pub(super) fn session(mut session: Session) -> Session {
    session.settings.push(("idle_session_timeout", SILENCE_MAX.as_millis().to_string()));
    session
}

/// Waits for the lock.
pub(super) async fn lead(address: &Address, tables: &Tables) -> Leadership {
    let mut has_complained = false;
    loop {
        match held(address, tables).await {
            Ok((connection, since)) => return leadership(connection, since),
            Err(error) if !has_complained => {
                tracing::warn!(%error, "whether this process leads cannot be found out now");
                has_complained = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

/// A session that holds the lock, and when it was last known to live. Asks again and again on one connection.
async fn held(address: &Address, tables: &Tables) -> Result<(Connection, Instant), PostgresError> {
    let connection = address.connect().await?;
    let try_lock = tables.sql(TRY_LOCK);
    loop {
        let asked_at = Instant::now();
        let answer =
            timely(ANSWER_TIMEOUT, async { Ok::<_, PostgresError>(connection.query_one(&try_lock, &[]).await?) });
        if answer.await?.try_get(0)? {
            return Ok((connection, asked_at));
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

fn leadership(connection: Connection, since: Instant) -> Leadership {
    let (tell, lost) = watch::channel(false);
    let keeping = tokio::spawn(async move {
        keep(&connection, since).await;
        tell.send_replace(true);
    });
    Leadership::new(Keeping(keeping), lost)
}

/// Shows signs of life until one is not answered.
async fn keep(connection: &Connection, mut known_at: Instant) {
    loop {
        tokio::time::sleep(BEAT_EVERY).await;
        let asked_at = Instant::now();
        let beat = timely(ANSWER_TIMEOUT, async { Ok::<_, PostgresError>(connection.batch_execute("").await?) });
        // A process that stood still for longer need not ask.
        if asked_at.duration_since(known_at) >= SILENCE_MAX || beat.await.is_err() {
            return tracing::warn!("this process leads no longer: the event log's PostgreSQL ended the session");
        }
        known_at = asked_at;
    }
}

/// Keeps the session while it is held. Dropped, it ends the session, and so gives the lock back.
struct Keeping(JoinHandle<()>);

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}
