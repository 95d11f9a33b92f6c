//! A server that is away, stands still, or takes no writes.

use std::sync::Arc;

use chopmark_postgres::testing::{Proxy, Server};

use super::{finally, server, stream};
use crate::contract::event;
use crate::event_log::{AppendError, EventLog, ReadError};
use crate::postgres::testing::PostgresPlace;
use crate::postgres::{PostgresLog, WAITING_MAX};
use crate::record::{Expected, Position, Revision};

async fn append(log: &PostgresLog, name: &str) -> Result<Position, AppendError> {
    let appended = log.append(&stream(name), Expected::NoStream, vec![event("")]).await?;
    Ok(appended.position)
}

async fn command(server: &Arc<Server>, command: fn(&Server) -> Result<(), String>) {
    let server = Arc::clone(server);
    tokio::task::spawn_blocking(move || command(&server)).await.unwrap().unwrap();
}

fn is_unavailable<T: std::fmt::Debug>(answer: &Result<T, AppendError>) -> bool {
    matches!(answer, Err(AppendError::Unavailable { .. }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_stopped_is_used_again_when_it_is_back() {
    let server = Arc::new(server().await);
    let place = PostgresPlace::at(server.url());
    command(&server, Server::stop).await;
    let log = place.log().await;
    for _ in 0..2 {
        let refused = append(&log, "never stored").await;
        assert!(is_unavailable(&refused), "{refused:?}");
        assert!(matches!(log.head().await, Err(ReadError::Unavailable { .. })));
    }
    command(&server, Server::start_again).await;
    assert_eq!(finally(async || append(&log, "first").await).await, Position(1));

    let waiting = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.changed(Position(1)).await }
    });
    command(&server, Server::stop).await;
    let told = waiting.await.unwrap();
    assert!(matches!(told, Err(ReadError::Unavailable { .. })), "who waits is told: {told:?}");
    let refused = append(&log, "never stored either").await;
    assert!(refused.is_err());
    command(&server, Server::start_again).await;
    // An answer that was lost is no append, but may have been one: each attempt has a stream of its own.
    let mut attempt = 0;
    finally(async || {
        attempt += 1;
        append(&log, &format!("second, {attempt}")).await
    })
    .await;
    let page = log.read_all(Position::START, 100).await.unwrap();
    assert!(page.records.iter().any(|record| record.stream.as_str().starts_with("second")));
    finally(async || log.changed(Position(1)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_stands_still_every_append_is_answered_and_nothing_piles_up() {
    let server = Arc::new(server().await);
    let place = PostgresPlace::at(server.url());
    let log = place.log().await;
    append(&log, "before").await.unwrap();
    command(&server, Server::pause).await;
    let events = vec![event("")];
    let appends: Vec<_> = (0..WAITING_MAX + 200)
        .map(|n| {
            let (log, events) = (Arc::clone(&log), events.clone());
            tokio::spawn(async move { log.append(&stream(&format!("stream {n}")), Expected::NoStream, events).await })
        })
        .collect();
    let reading = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.read_stream(&stream("before"), Revision(0), 1).await }
    });
    let (mut unavailable, mut unknown) = (0, 0);
    for append in appends {
        match append.await.unwrap() {
            Err(AppendError::Unavailable { .. }) => unavailable += 1,
            Err(AppendError::Unknown { .. }) => unknown += 1,
            other => unreachable!("{other:?}"),
        }
    }
    assert!(unknown > 0 && unavailable > 0, "{unknown} may be stored, {unavailable} are not");
    assert!(reading.await.unwrap().is_err());
    command(&server, Server::resume).await;
    finally(async || {
        append(&log, "after").await.or_else(|error| match error {
            AppendError::Conflict { .. } => Ok(Position::START),
            error => Err(error),
        })
    })
    .await;
    let stored = finally(async || log.read_all(Position::START, 10_000).await).await.records;
    // What was refused was never stored, whatever the server found in its buffers when it went on.
    assert!(stored.len() <= unknown + 2, "{} are stored, {unknown} may be", stored.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_somebody_keeps_is_waited_for_no_longer_than_an_append_may_take() {
    let place = PostgresPlace::new();
    let log = place.log().await;
    let somebody = place.client().await;
    let lock =
        format!("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('chopmark appends in {}', 0))", place.schema());
    somebody.batch_execute(&lock).await.unwrap();
    let refused = append(&log, "refused").await;
    assert!(is_unavailable(&refused), "nothing was stored: {refused:?}");
    assert_eq!(log.head().await.unwrap(), Position::START, "reads do not wait");
    somebody.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(append(&log, "stored").await.unwrap(), Position(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_any_more_is_let_go() {
    let server = Arc::new(server().await);
    let place = PostgresPlace::at(server.url());
    let log = place.log().await;
    append(&log, "before").await.unwrap();
    let operator = place.client().await;
    let set = async |to: &str| {
        operator.batch_execute("SET default_transaction_read_only = off").await.unwrap();
        operator.batch_execute(&format!("ALTER SYSTEM SET default_transaction_read_only = {to}")).await.unwrap();
        operator.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    set("on").await;
    let mut refusals = Vec::new();
    // The server takes the setting up a moment later.
    while !refusals.iter().any(|reason: &String| reason.contains("does not allow writes")) {
        match append(&log, &format!("refused {}", refusals.len())).await {
            Ok(_) => refusals.push(String::new()),
            Err(error @ AppendError::Unavailable { .. }) => refusals.push(error.to_string()),
            Err(error) => unreachable!("nothing was stored: {error}"),
        }
    }
    set("off").await;
    finally(async || append(&log, "after").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_the_one_that_answers_is_used() {
    let place = PostgresPlace::new();
    let (silent, open) = (Proxy::to(place.url()).await.unwrap(), Proxy::to(place.url()).await.unwrap());
    silent.stall();
    let host = |proxy: &Proxy| proxy.url().rsplit_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
    let url = open.url().replace(&host(&open), &format!("{},{}", host(&silent), host(&open)));
    let log = place.log_at(&url).await;
    assert_eq!(append(&log, "a").await.unwrap(), Position(1));
    open.cut();
    silent.open();
    finally(async || {
        append(&log, "b").await.or_else(|error| match error {
            AppendError::Conflict { .. } => Ok(Position(2)),
            error => Err(error),
        })
    })
    .await;
    assert_eq!(finally(async || log.head().await).await, Position(2));
}
