mod away;
mod kept;
mod leaders;
mod lost;
mod nodes;

mod contract {
    crate::event_log_contract!(crate::postgres::testing::PostgresPlace::new);
    crate::engine_contract!(crate::postgres::testing::PostgresPlace::new);
}

use std::time::Duration;

use chopmark_postgres::testing::Server;

use crate::record::StreamName;

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// A server of one's own.
async fn server() -> Server {
    tokio::task::spawn_blocking(|| Server::start(&[], &[])).await.unwrap().unwrap()
}

/// Tries until it succeeds; gives up after a generous while.
async fn finally<T, E: std::fmt::Display>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    for _ in 0..600 {
        match attempt().await {
            Ok(value) => return value,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    attempt().await.unwrap_or_else(|error| unreachable!("it never succeeds: {error}"))
}
