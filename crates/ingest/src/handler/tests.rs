//! How long a callback takes at most, by a clock that stands still until all wait for it.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;

use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::{App, web};
use async_trait::async_trait;
use chopmark_commands::{Commands, SystemClock};
use chopmark_domain::ids::SellerId;
use chopmark_huawei::keys::{InterfaceType, KeyRing};
use chopmark_huawei::signature::request_signature;
use chopmark_journal::{Journal, JournalOptions};
use chopmark_log::{
    AppendError, Appended, EventLog, Expected, NewEvent, Page, Position, ReadError, Record, Revision, StreamName,
};
use chrono::Utc;
use prometheus::Registry;
use tokio::time::{Duration, Instant};

use crate::{AppInfos, Ingest, IngestMetrics, Limits, SellerDoor, configure};

const KEY: &str = "an-access-key-of-a-test";

/// A log that takes every question and answers none.
struct Silent;

#[async_trait]
impl EventLog for Silent {
    async fn append(&self, _: &StreamName, _: Expected, _: Vec<NewEvent>) -> Result<Appended, AppendError> {
        pending().await
    }

    async fn read_stream(&self, _: &StreamName, _: Revision, _: usize) -> Result<Vec<Record>, ReadError> {
        pending().await
    }

    async fn read_all(&self, _: Position, _: usize) -> Result<Page, ReadError> {
        pending().await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        pending().await
    }

    async fn changed(&self, _: Position) -> Result<(), ReadError> {
        pending().await
    }
}

fn ingest_over_silence(folder: &std::path::Path) -> Ingest {
    let door =
        SellerDoor { keys: KeyRing::new(vec![(InterfaceType::Base, KEY.into())]), app_infos: AppInfos::default() };
    Ingest::new(
        HashMap::from([(SellerId::parse("acme").unwrap(), door)]),
        Commands::new(Arc::new(Silent), Arc::new(SystemClock)),
        Journal::open(&folder.join("journal.db"), JournalOptions::default()).unwrap(),
        None,
        IngestMetrics::register(&Registry::new()).unwrap(),
        Limits::default(),
    )
}

/// A purchase, signed now.
fn purchase() -> TestRequest {
    let body = r#"{"activity":"newInstance","businessId":"b-1","orderId":"CS2411251234ABCDE","orderLineId":"CS2411251234ABCDE-000001"}"#;
    let timestamp = Utc::now().timestamp_millis().to_string();
    let signature: String = request_signature(KEY.as_bytes(), "nonce-1", &timestamp, body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let uri = format!("/callbacks/acme?signature={signature}&timestamp={timestamp}&nonce=nonce-1");
    TestRequest::post().uri(&uri).insert_header(("Content-Type", "application/json")).set_payload(body)
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_answer_is_answered_for_after_four_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let ingest = web::Data::new(ingest_over_silence(folder.path()));
    let app = init_service(App::new().configure(|config| configure(config, ingest.clone()))).await;
    let asked_at = Instant::now();
    let answer = call_and_read_body(&app, purchase().to_request()).await;
    let answer = String::from_utf8(answer.to_vec()).unwrap();
    assert!(answer.contains(r#""resultCode":"000005""#), "{answer}");
    let took = asked_at.elapsed();
    // A second before the marketplace hangs up, and not at once: a log that is slow for a moment is waited for.
    assert!((Duration::from_secs(4)..Duration::from_millis(4_100)).contains(&took), "{took:?}");
}
