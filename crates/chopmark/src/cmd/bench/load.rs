//! The load: keep-alive connections that send prebuilt requests as fast as they are answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
    send(url, requests, connections, None, good).await
}

/// The same at an even pace, so many a second. The time of a request begins when it was due, so one that had to wait for
/// others counts its waiting.
///
/// # Errors
/// As [`send_all`].
pub(crate) async fn send_paced(
    url: &Url,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    per_second: f64,
    good: fn(u16, &[u8]) -> bool,
) -> anyhow::Result<Round> {
    send(url, requests, connections, Some(per_second), good).await
}

async fn send(
    url: &Url,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    per_second: Option<f64>,
    good: fn(u16, &[u8]) -> bool,
) -> anyhow::Result<Round> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for first in 0..connections {
        let (requests, url) = (requests.clone(), url.clone());
        #[expect(clippy::cast_precision_loss, reason = "places of some 60,000 requests")]
        tasks.spawn(async move {
            let mut connection = Connection::to(&url);
            let mut times = micros();
            for (place, request) in requests.iter().enumerate().skip(first).step_by(connections) {
                let due = per_second.map(|per_second| started + Duration::from_secs_f64(place as f64 / per_second));
                if let Some(due) = due {
                    tokio::time::sleep_until(due.into()).await;
                }
                let answer = connection.send(request).await?;
                ensure!(
                    good(answer.status, answer.body),
                    "unexpected answer {}: {}",
                    answer.status,
                    String::from_utf8_lossy(answer.body)
                );
                record(&mut times, due.map_or(answer.elapsed, |due| due.elapsed()));
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
