//! How fast the engine is against the double: `cargo test -p chopmark-log --test eventstore -- --ignored --nocapture speed`.

use std::time::{Duration, Instant};

use chopmark_log::contract::event;
use chopmark_log::{EventLog, Expected, Revision};
use eventstore::{BatchAppendOptions, EventData, ExpectedRevision};
use uuid::Uuid;

use crate::places::{DoublePlace, stream};

/// One read after another, with nothing else on the line, from a system that acknowledges packets as it sees fit and from one
/// that does so at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures, and judges nothing"]
async fn speed_of_reads() {
    let place = DoublePlace::new();
    let log = place.log();
    log.append(&stream("a"), Expected::NoStream, vec![event("hello")]).await.unwrap();
    for acks in ["on", "off"] {
        place.tell(&format!("lazy-acks {acks}"));
        let mut times = Vec::new();
        for _ in 0..50 {
            let sent = Instant::now();
            log.read_stream(&stream("a"), Revision(0), 10).await.unwrap();
            times.push(sent.elapsed());
        }
        times.sort();
        eprintln!("a read, lazy acks {acks}: p50 {:?}", times[25]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures, and judges nothing"]
async fn speed_of_appends() {
    let place = DoublePlace::new();
    let log = place.log();
    for in_flight in [1, 16, 64] {
        measure("the engine", in_flight, async |name: String| {
            log.append(&stream(&name), Expected::NoStream, vec![event(&"x".repeat(1000))]).await.unwrap();
        })
        .await;
    }
}

/// The client as its documentation shows it, to compare with: one session of appends for all.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures, and judges nothing"]
async fn speed_of_the_bare_client() {
    let place = DoublePlace::new();
    // Which chooses the TLS provider, as only the first client of a process may.
    let _log = place.log();
    let client = eventstore::Client::new(place.url().parse().unwrap()).unwrap();
    let session = client.batch_append(&BatchAppendOptions::default()).await.unwrap();
    for in_flight in [1, 16, 64] {
        measure("the bare client", in_flight, async |name: String| {
            let event = EventData::binary("said.v1", "x".repeat(1000).into()).id(Uuid::now_v7());
            session.append_to_stream(name, ExpectedRevision::NoStream, vec![event]).await.unwrap();
        })
        .await;
    }
}

async fn measure(who: &str, in_flight: usize, append: impl AsyncFn(String)) {
    let begun = Instant::now();
    let (append, word) = (&append, Uuid::now_v7().simple().to_string());
    let tasks = (0..in_flight).map(|task| {
        let word = word.clone();
        async move {
            let mut times = Vec::new();
            while begun.elapsed() < Duration::from_secs(3) {
                let sent = Instant::now();
                append(format!("{word}-{task}-{}", times.len())).await;
                times.push(sent.elapsed());
            }
            times
        }
    });
    let mut times: Vec<Duration> = futures_util::future::join_all(tasks).await.concat();
    times.sort();
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    let [p50, p99] = [50, 99].map(|percent| times[times.len() * percent / 100]);
    eprintln!("{who}, {in_flight} in flight: {rate:.0}/s, p50 {p50:?}, p99 {p99:?}");
}
