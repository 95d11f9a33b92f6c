//! (c) Checks over HTTP, against a bare route, steady and first ones; (d) rebuilding and resuming the index; (e) its memory.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use actix_web::web::{Bytes, Data, ServiceConfig, post};
use actix_web::{HttpResponse, http::header::CONTENT_TYPE};
use anyhow::Context;
use chopmark_commands::{Commands, SystemClock};
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::license;
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, LogMetrics, Position};
use chopmark_projector::{LicenseIndex, rebuild};
use chopmark_query::{LimitSettings, Parts, Query, QueryMetrics};
use chopmark_signing::{IssuerSettings, KeyRing, LeaseIssuer, SigningMetrics};
use chopmark_simulator::http::Request;
use chopmark_views::{Seen, ViewsMetrics};
use prometheus::Registry;

use super::figure::{Figure, Round, micros};
use super::load::{send_all, send_paced};
use super::population::Population;
use super::resident::resident_bytes;
use super::served::Served;
use crate::cli::bench::Measurement;

const CONNECTIONS: usize = 64;
/// Requests of one round.
const REQUESTS: usize = 60_000;
/// Requests of one round of first checks.
const FIRST_REQUESTS: usize = 20_000;
/// Room for the answers of a round.
const ANSWERS_BYTES: u64 = 256 * 1024 * 1024;
/// Records read at a time, as in a rebuild.
const PAGE: usize = 2_048;

/// Fills a log with licenses and measures all three on it.
pub(crate) async fn measure(folder: &Path, licenses: usize, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let log =
        Arc::new(SqliteLog::open(&folder.join("checks.db"), SqliteOptions::default(), LogMetrics::unregistered())?);
    let population = Population::create(&log, licenses).await?;
    let before = resident_bytes();
    let (index, rebuilt) = rebuilding(&log, rounds).await?;
    let resident = resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
    let checking = Checking::new(folder, &log, index.clone())?;
    let [steady, half] = checking.steady(&population, rounds).await?;
    let first = checking.first(&population, rounds).await?;
    let resumed = resuming(folder, &index, rounds)?;
    log.close().await;
    Ok(vec![steady, half, first, rebuilt, resumed, memory(&index, resident)])
}

/// What checks are answered from.
struct Checking {
    index: LicenseIndex,
    commands: Commands,
    journal: Journal,
    seen: Seen,
}

impl Checking {
    fn new(folder: &Path, log: &Arc<SqliteLog>, index: LicenseIndex) -> anyhow::Result<Self> {
        let log: Arc<dyn EventLog> = log.clone();
        let journal = Journal::open(&folder.join("checks.journal"), JournalOptions::default())?;
        let seen = Seen::open(&folder.join("checks.views"), ViewsMetrics::unregistered())?;
        Ok(Self { index, commands: Commands::new(log, Arc::new(SystemClock)), journal, seen })
    }

    /// A server that remembers so many leases.
    fn serve(&self, cached_leases: usize) -> anyhow::Result<Served> {
        let settings = IssuerSettings { name: "chopmark".into(), cached_leases };
        let keys = KeyRing::generate([rand::random(), rand::random()])?;
        let leases = LeaseIssuer::new(keys, settings, rand::random(), SigningMetrics::unregistered());
        let query = Query::new(Parts {
            index: self.index.clone(),
            commands: self.commands.clone(),
            journal: Some(self.journal.clone()),
            orders_at_risk: Arc::new(Vec::new),
            errands_at_risk: Arc::new(Vec::new),
            leases: Arc::new(leases),
            seen: self.seen.clone(),
            metrics: QueryMetrics::register(&Registry::new())?,
        });
        // A small population is asked about more often than any customer's software asks.
        let limits = LimitSettings { license_burst: 10_000_000, ..LimitSettings::default() };
        let query = Data::new(query.with_limits(limits).with_steady_answers(ANSWERS_BYTES));
        Served::start(move |config| chopmark_query::configure(config, query.clone()))
    }

    /// Checks whose lease was signed before, as fast as they go and at half that pace.
    async fn steady(&self, population: &Population, rounds: usize) -> anyhow::Result<[Figure; 2]> {
        let ours = self.serve(self.index.len().max(REQUESTS))?;
        let requests = |host: &str| Arc::new(population.ids(REQUESTS).map(|id| check(host, id)).collect::<Vec<_>>());
        let ours_requests = requests(&ours.url.authority());
        let answer = answer_to(&ours, &ours_requests).await?;
        let base = Served::bare(move |config| constant_route(config, answer.clone()))?;
        let base_requests = requests(&base.url.authority());
        // Every lease is signed once before anything is measured.
        send_all(&ours.url, ours_requests.clone(), CONNECTIONS, valid).await?;
        let (mut full, mut half) = (vec![], vec![]);
        for _ in 0..rounds {
            let checked = send_all(&ours.url, ours_requests.clone(), CONNECTIONS, valid).await?;
            let constant = send_all(&base.url, base_requests.clone(), CONNECTIONS, valid).await?;
            let pace = checked.per_second / 2.0;
            let paced = send_paced(&ours.url, ours_requests.clone(), CONNECTIONS, pace, valid).await?;
            let base_paced = send_paced(&base.url, base_requests.clone(), CONNECTIONS, pace, valid).await?;
            full.push((checked, constant));
            half.push((paced, base_paced));
        }
        ours.stop().await;
        base.stop().await;
        let figure = |name, what, baseline_is, measured: &[_]| {
            Figure::of_rounds(Measurement::Checks, name, what, baseline_is, "a second", measured)
        };
        Ok([
            figure(
                "checks",
                "license checks over HTTP, each with its lease, with all licenses in the index, 64 connections",
                "a bare actix-web route that reads the body and returns a constant of the same size",
                &full,
            ),
            figure("checks_half", "the same at half that pace", "the bare route at the same pace", &half),
        ])
    }

    /// Checks whose lease must be signed.
    async fn first(&self, population: &Population, rounds: usize) -> anyhow::Result<Figure> {
        let mut measured = vec![];
        for _ in 0..rounds {
            // A server of its own each time: it has signed nothing yet.
            let ours = self.serve(REQUESTS)?;
            let host = ours.url.authority();
            let requests = Arc::new(population.ids(FIRST_REQUESTS).map(|id| check(&host, id)).collect::<Vec<_>>());
            let checked = send_all(&ours.url, requests, CONNECTIONS, valid).await?;
            ours.stop().await;
            measured.push((checked, signing()?));
        }
        Ok(Figure::of_rounds(
            Measurement::Checks,
            "first_checks",
            "license checks whose lease is signed for the first time, 64 connections",
            "Ed25519 signatures of a lease's size on one core, and nothing else",
            "a second",
            &measured,
        ))
    }
}

/// Signs as many texts of a lease's size as there are first checks in a round.
fn signing() -> anyhow::Result<Round> {
    let keys = KeyRing::generate([rand::random(), rand::random()])?;
    let text = [b'x'; 600];
    let started = Instant::now();
    for _ in 0..FIRST_REQUESTS {
        std::hint::black_box(keys.signing().sign(std::hint::black_box(&text)));
    }
    Ok(Round::new(u64::try_from(FIRST_REQUESTS)?, started.elapsed().as_secs_f64(), micros()))
}

fn check(host: &str, id: &str) -> Vec<u8> {
    let body = format!(r#"{{"license":"{id}","product":"bench-sku","nonce":"0123456789abcdef","version":"2.1.0"}}"#);
    let headers = [("Content-Type", "application/json")];
    Request { method: "POST", host, target: "/v1/checks", headers: &headers, body: body.as_bytes() }.to_bytes()
}

async fn answer_to(server: &Served, requests: &[Vec<u8>]) -> anyhow::Result<Bytes> {
    let request = requests.first().context("no license to check")?;
    let mut connection = chopmark_simulator::http::Connection::to(&server.url);
    Ok(Bytes::copy_from_slice(connection.send(request).await?.body))
}

fn constant_route(config: &mut ServiceConfig, answer: Bytes) {
    config.app_data(Data::new(answer)).route("/v1/checks", post().to(constant));
}

async fn constant(_body: Bytes, answer: Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(answer.get_ref().clone())
}

fn valid(status: u16, body: &[u8]) -> bool {
    status == 200 && body.starts_with(br#"{"valid":true"#)
}

/// Rebuilds the index from the log, and reads and decodes the same records without it, in turn.
async fn rebuilding(log: &Arc<SqliteLog>, rounds: usize) -> anyhow::Result<(LicenseIndex, Figure)> {
    let mut measured = vec![];
    let mut rebuilt = None;
    for _ in 0..rounds {
        let (events, seconds) = read_and_decode(log.as_ref()).await?;
        let started = Instant::now();
        // The index of the round before is gone by now, so memory holds one at a time.
        drop(rebuilt.take());
        rebuilt = Some(rebuild(log.clone(), None, |_| ()).await?);
        let ours = Round::new(events, started.elapsed().as_secs_f64(), micros());
        measured.push((ours, Round::new(events, seconds, micros())));
    }
    let index = rebuilt.context("no round was asked for")?;
    let figure = Figure::of_rounds(
        Measurement::Rebuild,
        "rebuild",
        "rebuilding the license index from the log",
        "only reading and JSON-decoding the same records",
        "events a second",
        &measured,
    );
    Ok((index, figure))
}

/// Reads ahead while decoding, as a rebuild does.
async fn read_and_decode(log: &dyn EventLog) -> anyhow::Result<(u64, f64)> {
    let started = Instant::now();
    let mut events = 0;
    let mut page = log.read_all(Position::START, PAGE).await?;
    loop {
        let decoding = async {
            for record in page.records.iter().filter(|record| record.stream.as_str().starts_with("instance-")) {
                std::hint::black_box(license::Event::decode(&record.kind, &record.data)?);
                events += 1;
            }
            anyhow::Ok(())
        };
        let (next, decoded) = tokio::join!(log.read_all(page.reached, PAGE), decoding);
        decoded?;
        if page.at_head {
            return Ok((events, started.elapsed().as_secs_f64()));
        }
        page = next?;
    }
}

/// Resumes the index from its snapshot, and only reads the same file, in turn.
fn resuming(folder: &Path, index: &LicenseIndex, rounds: usize) -> anyhow::Result<Figure> {
    let path = folder.join("checks.snapshot");
    index.save(&path)?;
    let licenses = u64::try_from(index.len())?;
    let mut measured = vec![];
    for _ in 0..rounds {
        let started = Instant::now();
        std::hint::black_box(std::fs::read(&path)?);
        let base = Round::new(licenses, started.elapsed().as_secs_f64(), micros());
        let started = Instant::now();
        let resumed = LicenseIndex::load(&path)?.context("the snapshot cannot be used")?;
        let ours = Round::new(licenses, started.elapsed().as_secs_f64(), micros());
        anyhow::ensure!(resumed.len() == index.len(), "the snapshot has other licenses");
        measured.push((ours, base));
    }
    Ok(Figure::of_rounds(
        Measurement::Rebuild,
        "resume",
        "resuming the license index from its snapshot",
        "only reading the same file",
        "licenses a second",
        &measured,
    ))
}

fn memory(index: &LicenseIndex, resident: Option<u64>) -> Figure {
    #[expect(clippy::cast_precision_loss, reason = "bytes of this machine's memory")]
    let per_license = |bytes: u64| bytes as f64 / (index.len().max(1) as f64);
    let counted = u64::try_from(index.memory_bytes()).unwrap_or(u64::MAX);
    Figure {
        measurement: Measurement::Memory,
        name: "memory".into(),
        what: "memory of the license index".into(),
        baseline_is: "the greater of what the process grew by while rebuilding and what the index counts itself".into(),
        unit: "bytes per license",
        measured: per_license(resident.unwrap_or_default().max(counted)),
        baseline: None,
        ratio: None,
        p99_ms: None,
        baseline_p99_ms: None,
        rounds: 1,
    }
}
