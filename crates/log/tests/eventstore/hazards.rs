//! The ways of the client, each with its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chopmark_log::contract::event;
use chopmark_log::eventstore::{ConnectError, EventstoreLog, LeaseTimes};
use chopmark_log::{AppendError, EventLog, Expected, LogMetrics, Position, Revision};
use secrecy::SecretString;

use crate::places::{DoublePlace, connect, start, stream, until, url_of};

/// Appends one event to a new stream.
async fn begin(log: &EventstoreLog, name: &str) -> Result<chopmark_log::Appended, AppendError> {
    log.append(&stream(name), Expected::NoStream, vec![event("hello")]).await
}

/// Hazard 1: an append by the plain call waits for Nagle's algorithm, 40 ms each. Fifty in a row would take two seconds.
#[tokio::test]
async fn appends_in_a_row_do_not_wait_for_small_packets() {
    let place = DoublePlace::new();
    place.tell("lazy-acks on");
    let log = place.log();
    begin(&log, "first").await.unwrap();
    let mut times = Vec::new();
    for n in 0..50 {
        let begun = Instant::now();
        begin(&log, &format!("stream {n}")).await.unwrap();
        times.push(begun.elapsed());
    }
    times.sort();
    // The fastest of fifty: whatever else the machine does, one of them is undisturbed, and Nagle disturbs each.
    assert!(times[0] < Duration::from_millis(35), "{times:?}");
}

/// Hazard 2: the first append that is refused ends its session, with all that is under way in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_hurts_nobody_else() {
    let place = DoublePlace::new();
    let log = place.log();
    begin(&log, "taken").await.unwrap();
    let appends: Vec<_> = (0..200)
        .map(|n| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let name = if n % 2 == 0 { "taken".to_owned() } else { format!("stream {n}") };
                (n, begin(&log, &name).await)
            })
        })
        .collect();
    for append in appends {
        match append.await.unwrap() {
            (n, Ok(appended)) => assert_eq!((n % 2, appended.revision), (1, Revision(0))),
            (n, Err(AppendError::Conflict { .. })) => assert_eq!(n % 2, 0),
            (n, Err(error)) => unreachable!("append {n}: {error}"),
        }
    }
}

/// Hazard 3: a client whose first connection fails never connects.
#[tokio::test]
async fn a_server_that_comes_later_is_found() {
    let place = DoublePlace::new();
    place.double().stop();
    let log = place.log();
    let refused = begin(&log, "a").await;
    assert!(matches!(refused, Err(AppendError::Unavailable { .. })), "nothing was sent: {refused:?}");
    assert!(log.head().await.is_err());
    place.double().start_again().unwrap();
    until("an append", async || begin(&log, "a").await.is_ok()).await;
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().records.len(), 1);
}

/// Hazard 3: the same where the server is there, but not ready.
#[tokio::test]
async fn a_server_that_is_not_ready_is_waited_for() {
    let place = DoublePlace::new();
    place.tell("not-ready on");
    let log = place.log();
    let refused = begin(&log, "a").await;
    assert!(matches!(refused, Err(AppendError::Unavailable { .. })), "{refused:?}");
    place.tell("not-ready off");
    until("an append", async || begin(&log, "a").await.is_ok()).await;
}

/// Hazard 5: the client chooses the TLS provider of the process. That it was not first is an error and no panic is shown by
/// a process of its own: `eventstore_provider.rs`. Here it may be first, or another test was.
#[test]
fn many_logs_share_the_provider() {
    let place = DoublePlace::new();
    let _logs = [place.log(), place.log()];
    assert!(rustls::crypto::CryptoProvider::get_default().is_some());
}

/// Hazard 5: a bad certificate is an error before the client sees it.
#[test]
fn a_bad_certificate_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let url = SecretString::from(format!("esdb://u:secret@one:2113?tlsCaFile={}", file.display()));
    let error = EventstoreLog::connect(&url, LeaseTimes::default(), LogMetrics::unregistered()).unwrap_err();
    assert!(matches!(error, ConnectError::Certificates { .. }), "{error}");
    assert!(!error.to_string().contains("secret"));
}

/// Hazard 6: a client never looks for another node by itself when its own is gone.
#[tokio::test]
async fn when_the_leader_is_gone_the_next_one_is_found() {
    let place = DoublePlace::new();
    let other = place.another_node();
    let (first, second) = (place.double().address(), other.address());
    other.tell(&format!("not-leader {first}")).unwrap();
    let log = connect(&format!("esdb://{first},{second}?tls=false&discoveryInterval=5"));
    begin(&log, "a").await.unwrap();
    place.double().stop();
    other.tell("leader").unwrap();
    until("an append", async || begin(&log, "b").await.is_ok()).await;
    let page = log.read_all(Position::START, 10).await.unwrap();
    assert_eq!(page.records.iter().map(|record| record.stream.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

/// Hazard 6: whoever asks the wrong node is sent to the leader, and nobody notices.
#[tokio::test]
async fn a_node_that_does_not_lead_is_left_for_the_one_that_does() {
    let place = DoublePlace::new();
    let leader = place.another_node();
    let log = place.log();
    begin(&log, "a").await.unwrap();
    place.tell(&format!("not-leader {}", leader.address()));
    begin(&log, "b").await.unwrap();
    assert_eq!(log.read_stream(&stream("b"), Revision(0), 10).await.unwrap().len(), 1);
}

/// User and password go with every call, decoded.
#[tokio::test]
async fn credentials_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let double = start(folder.path().join("double.db"), Some("chop@mark:p:ss"));
    let right = url_of(&double).replace("chop@mark:p:ss@", "chop%40mark:p%3Ass@");
    let log = connect(&right);
    begin(&log, "a").await.unwrap();
    assert_eq!(log.read_stream(&stream("a"), Revision(0), 10).await.unwrap().len(), 1);
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().records.len(), 1);
    let log = connect(&right.replace("p%3Ass", "wrong"));
    let refused = begin(&log, "b").await.unwrap_err();
    assert!(matches!(refused, AppendError::Unavailable { .. }), "{refused:?}");
    let refused = log.head().await.unwrap_err().to_string();
    assert!(refused.contains("denies access") && !refused.contains("wrong"), "{refused}");
}
