//! Callbacks over a log elsewhere, as an ingest node answers them, beside its driver appending the same events.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::eventstore::{EventstoreLog, LeaseTimes};
use chopmark_log::postgres::{PostgresLog, PostgresOptions};
use chopmark_log::{Engine, LogMetrics, Position, Record};
use secrecy::SecretString;
use uuid::Uuid;

use super::super::figure::{Figure, Round};
use super::super::load::send_all;
use super::bare::Bare;
use super::{CONNECTIONS, REQUESTS, accepted, serve, signed};
use crate::cli::bench::Measurement;

/// The name of a figure, and what its baseline is.
type Described = (&'static str, &'static str);

/// A log elsewhere, by its URL.
pub(crate) enum Remote<'u> {
    /// A PostgreSQL: a schema of its own is made there, and goes afterwards.
    Postgres(&'u SecretString),
    /// An EventStoreDB or KurrentDB: what is appended stays there.
    Eventstore(&'u SecretString),
}

impl Remote<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Eventstore(_) => "eventstore",
        }
    }
}

/// Measures rounds of all in turn; a figure for each way in which the driver appends.
pub(crate) async fn measure(remote: &Remote<'_>, folder: &Path, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let schema = format!("chopmark_bench_{}", Uuid::now_v7().simple());
    let log = open(remote, &schema).await?;
    let measured = measure_over(remote, &log, &schema, folder, rounds).await;
    log.close().await;
    if let Remote::Postgres(url) = remote {
        Bare::take_away(url, &schema).await?;
    }
    let what = format!("signed purchases over HTTP, verified, durable in {}, 64 connections", remote.name());
    let figure = |((name, baseline_is), rounds): (Described, Vec<_>)| {
        Figure::of_rounds(Measurement::Callbacks, name, &*what, baseline_is, "a second", &rounds)
    };
    Ok(measured?.into_iter().map(figure).collect())
}

async fn open(remote: &Remote<'_>, schema: &str) -> anyhow::Result<Arc<dyn Engine>> {
    let metrics = LogMetrics::unregistered();
    Ok(match remote {
        Remote::Postgres(url) => {
            let options = PostgresOptions { schema: schema.into(), ..PostgresOptions::default() };
            Arc::new(PostgresLog::connect(url, &options, metrics).await?)
        }
        Remote::Eventstore(url) => Arc::new(EventstoreLog::connect(url, LeaseTimes::default(), metrics)?),
    })
}

async fn measure_over(
    remote: &Remote<'_>,
    log: &Arc<dyn Engine>,
    schema: &str,
    folder: &Path,
    rounds: usize,
) -> anyhow::Result<Vec<(Described, Vec<(Round, Round)>)>> {
    let journal =
        Journal::open(&folder.join(format!("callbacks-{}.journal", remote.name())), JournalOptions::default())?;
    let before = log.head().await?;
    let ours = serve(log.clone(), None, journal)?;
    // The first purchases make the seller's secret and warm everything up, and say what a purchase appends.
    send_all(&ours.url, signed(&ours, CONNECTIONS)?, CONNECTIONS, accepted).await?;
    let like = last_after(log.as_ref(), before).await?;
    let bare = match remote {
        Remote::Postgres(url) => vec![Bare::postgres(url, schema, CONNECTIONS, like).await?],
        Remote::Eventstore(url) => Bare::eventstore(url, like).await?.into(),
    };
    let mut measured: Vec<_> = bare.iter().map(|bare| (bare.described(), vec![])).collect();
    for _ in 0..rounds {
        let with_chopmark = send_all(&ours.url, signed(&ours, REQUESTS)?, CONNECTIONS, accepted).await?;
        for (bare, (_, rounds)) in bare.iter().zip(&mut measured) {
            rounds.push((with_chopmark.clone(), bare.append_all(REQUESTS as u64, CONNECTIONS).await?));
        }
    }
    ours.stop().await;
    Ok(measured)
}

/// The last event of the log.
async fn last_after(log: &dyn Engine, after: Position) -> anyhow::Result<Record> {
    let mut page = log.read_all(after, CONNECTIONS * 2).await?;
    page.records.pop().context("the purchases are in the log")
}
