//! Leaders that are cut off.

use std::time::Duration;

use chopmark_postgres::testing::Proxy;

use crate::engine::Engine;
use crate::postgres::testing::PostgresPlace;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_session_ended_is_told_and_followed() {
    let place = PostgresPlace::new();
    let (one, two) = (place.log().await, place.log().await);
    let leadership = one.lead().await;
    let waiting = tokio::spawn(async move { two.lead().await });
    let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = \
               (hashtextextended('chopmark leads in ' || $1, 0) & 4294967295)::oid";
    assert_eq!(place.client().await.query(end, &[&place.schema()]).await.unwrap().len(), 1);
    tokio::time::timeout(PATIENCE, leadership.lost()).await.unwrap();
    let next = tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    drop(leadership);
    assert!(tokio::time::timeout(Duration::from_millis(200), next.lost()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_who_hears_nothing_stops_before_another_begins() {
    let place = PostgresPlace::new();
    let proxy = Proxy::to(place.url()).await.unwrap();
    let (cut_off, other) = (place.log_at(&proxy.url()).await, place.log().await);
    let leadership = cut_off.lead().await;
    proxy.stall();
    tokio::select! {
        biased;
        _ = other.lead() => unreachable!("two lead"),
        () = leadership.lost() => {}
    }
    tokio::time::timeout(PATIENCE, other.lead()).await.unwrap();
}
