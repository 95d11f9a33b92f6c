//! (b) Signed purchases over HTTP, durable, against the same path with the append left out.

mod bare;
mod remote;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chopmark_commands::{Commands, SystemClock};
use chopmark_domain::ids::SellerId;
use chopmark_huawei::keys::{InterfaceType, KeyRing};
use chopmark_ingest::{AppInfos, Ingest, IngestMetrics, Limits, SellerDoor};
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::progress::Progress;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{
    AppendError, Appended, EventLog, Expected, LogMetrics, NewEvent, Page, Position, ReadError, Record, Revision,
    StreamName,
};
use chopmark_projector::{LicenseIndex, Projector, ProjectorMetrics};
use chopmark_simulator::marketplace::{Keys, Marketplace, Style};
use chopmark_simulator::{Message, OrderLine};
use chrono::Utc;
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use super::figure::Figure;
use super::load::send_all;
use super::served::Served;
use crate::cli::bench::Measurement;
pub(super) use remote::{Remote, measure as measure_remote};

const SELLER: &str = "bench";
const KEY: &str = "bench-access-key-0001";
/// Requests of one round. Signed just before, since a signature is good for a minute.
const REQUESTS: usize = 30_000;
const CONNECTIONS: usize = 64;

/// Measures rounds of both in turn, over the embedded log.
pub(crate) async fn measure(folder: &Path, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let registry = Registry::new();
    let log =
        Arc::new(SqliteLog::open(&folder.join("callbacks.db"), SqliteOptions::default(), LogMetrics::unregistered())?);
    let index = LicenseIndex::new();
    let projector = Projector::new(
        log.clone(),
        index.clone(),
        folder.join("callbacks.snapshot"),
        ProjectorMetrics::register(&registry)?,
    );
    let stop = CancellationToken::new();
    let following = tokio::spawn(projector.run(stop.clone()));
    let journal = Journal::open(&folder.join("callbacks.journal"), JournalOptions::default())?;

    let ours = serve(log.clone(), Some(index.progress()), journal.clone())?;
    let base = serve(Arc::new(NoLog::default()), None, journal)?;
    let mut measured = vec![];
    for _ in 0..rounds {
        let with_append = send_all(&ours.url, signed(&ours, REQUESTS)?, CONNECTIONS, accepted).await?;
        let without = send_all(&base.url, signed(&base, REQUESTS)?, CONNECTIONS, accepted).await?;
        measured.push((with_append, without));
    }
    ours.stop().await;
    base.stop().await;
    stop.cancel();
    following.await?;
    log.close().await;
    Ok(vec![Figure::of_rounds(
        Measurement::Callbacks,
        "callbacks_64",
        "signed purchases over HTTP, verified, durable, visible to checks, 64 connections",
        "the same path with the append left out",
        "a second",
        &measured,
    )])
}

fn serve(log: Arc<dyn EventLog>, index: Option<Progress>, journal: Journal) -> anyhow::Result<Served> {
    let door =
        SellerDoor { keys: KeyRing::new(vec![(InterfaceType::Base, KEY.into())]), app_infos: AppInfos::default() };
    let ingest = actix_web::web::Data::new(Ingest::new(
        HashMap::from([(SellerId::parse(SELLER)?, door)]),
        Commands::new(log, Arc::new(SystemClock)),
        journal,
        index,
        IngestMetrics::register(&Registry::new())?,
        Limits::default(),
    ));
    Served::start(move |config| chopmark_ingest::configure(config, ingest.clone()))
}

/// Purchases of new orders, signed now.
fn signed(server: &Served, count: usize) -> anyhow::Result<Arc<Vec<Vec<u8>>>> {
    let marketplace = Marketplace::new(&server.url, SELLER, Keys::base(KEY.into()), None);
    let purchase = |_| {
        let message = Message::NewInstance { order: OrderLine::fresh() };
        Ok(marketplace.sign(&message, Style::default(), Utc::now())?.request)
    };
    Ok(Arc::new((0..count).map(purchase).collect::<anyhow::Result<_>>()?))
}

fn accepted(status: u16, body: &[u8]) -> bool {
    status == 200 && body.starts_with(br#"{"resultCode":"000000""#)
}

/// The baseline's log: takes everything at once and keeps nothing.
#[derive(Default)]
struct NoLog(AtomicU64);

#[async_trait]
impl EventLog for NoLog {
    async fn append(&self, _: &StreamName, _: Expected, _: Vec<NewEvent>) -> Result<Appended, AppendError> {
        let position = Position(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(Appended { revision: Revision(0), position })
    }

    async fn read_stream(&self, _: &StreamName, _: Revision, _: usize) -> Result<Vec<Record>, ReadError> {
        Ok(vec![])
    }

    async fn read_all(&self, after: Position, _: usize) -> Result<Page, ReadError> {
        Ok(Page { records: vec![], reached: after, at_head: true })
    }

    async fn head(&self) -> Result<Position, ReadError> {
        Ok(Position(self.0.load(Ordering::Relaxed)))
    }

    async fn changed(&self, _: Position) -> Result<(), ReadError> {
        Ok(())
    }
}
