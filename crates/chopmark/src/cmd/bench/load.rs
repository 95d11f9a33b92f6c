//! The load: keep-alive connections that send prebuilt requests as fast as they are answered.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use chopmark_simulator::Url;
use chopmark_simulator::http::Connection;
use tokio::task::JoinSet;

use super::figure::{Round, micros, record};

/// Sends every request once, shared out over some connections.
///
/// # Errors
/// A connection breaks, or an answer is not what `good` takes.
pub(crate) async fn send_all(
    url: &Url,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    good: fn(u16, &[u8]) -> bool,
) -> anyhow::Result<Round> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for first in 0..connections {
        let (requests, url) = (requests.clone(), url.clone());
        tasks.spawn(async move {
            let mut connection = Connection::to(&url);
            let mut times = micros();
            for request in requests.iter().skip(first).step_by(connections) {
                let answer = connection.send(request).await?;
                ensure!(
                    good(answer.status, answer.body),
                    "unexpected answer {}: {}",
                    answer.status,
                    String::from_utf8_lossy(answer.body)
                );
                record(&mut times, answer.elapsed);
            }
            anyhow::Ok(times)
        });
    }
    let mut times = micros();
    while let Some(done) = tasks.join_next().await {
        times.add(&done??)?;
    }
    Ok(Round::new(times.len(), started.elapsed().as_secs_f64(), times))
}
