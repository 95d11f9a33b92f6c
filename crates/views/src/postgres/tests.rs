//! What only a store that several share, on a server that may be away, can do.

use std::sync::Arc;
use std::time::Duration;

use chopmark_postgres::testing::{Server, TestSchema};
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Postgres;
use crate::contract::{Place, at, deployment, pairs, seconds, sighting, store_contract};
use crate::noted::{BREAK, GONE_AFTER};
use crate::seen::Bounds;
use crate::store::Store;
use crate::testing::SharedStore;
use crate::{Seen, Sighting, ViewsError, ViewsMetrics};

impl Place for SharedStore {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.store())
    }
}

store_contract!(SharedStore::new);

/// A process that keeps watch, and has said so.
async fn watching(place: &SharedStore) -> Seen {
    let seen = place.open();
    seen.keep_watch();
    seen.flush().await;
    seen
}

/// Ends a process as a kill does: nothing is written any more, and nobody is told.
fn kill(seen: Seen) {
    std::mem::forget(seen);
}

async fn place() -> SharedStore {
    tokio::task::spawn_blocking(SharedStore::new).await.unwrap()
}

/// How long before `at(0)`, in whole minutes.
fn minutes_ago(at_last: DateTime<Utc>) -> i64 {
    (at(0) - at_last).num_minutes()
}

#[tokio::test]
async fn others_know_how_far_each_has_written() {
    let place = place().await;
    let (one, worker) = (watching(&place).await, place.open());
    let through = async |seen: &Seen| minutes_ago(seen.noted(at(0)).await.unwrap().through);
    assert_eq!(through(&worker).await, 0);
    place.lets_pass(600).await;
    assert_eq!(through(&worker).await, 10, "it may have seen somebody since");
    assert_eq!(through(&one).await, 0, "what it saw itself, it knows");
    let other = watching(&place).await;
    assert_eq!((through(&worker).await, through(&other).await, through(&one).await), (10, 10, 0));
    one.flush().await;
    assert_eq!(through(&worker).await, 0, "it has written");
    place.lets_pass(600).await;
    one.close().await;
    assert_eq!((through(&worker).await, through(&other).await), (10, 0), "who has said farewell saw no more");
    other.close().await;
    place.lets_pass(3_000).await;
    let noted = worker.noted(at(0)).await.unwrap();
    assert_eq!(
        (minutes_ago(noted.through), minutes_ago(noted.watched.unwrap().until)),
        (0, 50),
        "nobody is there to see"
    );
}

#[tokio::test]
async fn who_only_looks_is_nobody_s_watcher() {
    let place = place().await;
    let (looking, watching) = (place.open(), watching(&place).await);
    looking.saw(sighting("l-1", "m-1", 1));
    looking.flush().await;
    place.lets_pass(120).await;
    watching.flush().await;
    looking.close().await;
    assert_eq!(minutes_ago(place.open().noted(at(0)).await.unwrap().through), 0);
}

#[tokio::test]
async fn a_process_that_is_silent_for_long_is_taken_for_dead_and_what_it_saw_for_lost() {
    let place = place().await;
    let (dead, worker) = (watching(&place).await, place.open());
    kill(dead);
    let gone_after = u32::try_from(GONE_AFTER.as_secs()).unwrap();
    place.lets_pass(gone_after - 60).await;
    let noted = worker.noted(at(0)).await.unwrap();
    assert_eq!((minutes_ago(noted.through), noted.lost), (59, None), "it may only be late");
    place.lets_pass(180).await;
    let is_buried = async |when: &str| {
        let noted = worker.noted(at(0)).await.unwrap();
        assert_eq!(noted.lost.map(minutes_ago), Some(2), "{when}");
        noted.through
    };
    is_buried("nobody has cleared it away yet").await;
    let survivor = watching(&place).await;
    assert_eq!(minutes_ago(is_buried("it is cleared away").await), 0);
    drop(survivor);
}

#[tokio::test]
async fn a_time_without_anybody_to_see_is_a_break() {
    let place = place().await;
    let (one, worker) = (watching(&place).await, place.open());
    let watched_for = async || minutes_ago(worker.noted(at(0)).await.unwrap().watched.unwrap().since);
    place.lets_pass(3_600).await;
    assert_eq!(watched_for().await, 60);
    let other = watching(&place).await;
    assert_eq!(watched_for().await, 0, "for an hour nobody wrote");
    place.lets_pass(u32::try_from(BREAK.as_secs()).unwrap() - 20).await;
    one.close().await;
    assert_eq!(watched_for().await, 1, "a short time is none");
    drop(other);
}

#[tokio::test]
async fn what_found_no_room_is_lost_for_all() {
    let place = place().await;
    let bounds = Bounds { much: 1_000, most: 1, every: Duration::from_hours(1) };
    let full = Seen::over(Place::open(&place), bounds, ViewsMetrics::unregistered()).unwrap();
    full.keep_watch();
    full.flush().await;
    let other = place.open();
    full.saw(sighting("l-1", "m-1", 1));
    full.saw(sighting("l-1", "m-2", 1));
    full.flush().await;
    let lost = other.noted(at(0)).await.unwrap().lost.unwrap();
    assert_eq!(minutes_ago(lost), 0);
    place.lets_pass(300).await;
    full.flush().await;
    assert_eq!(other.noted(at(0)).await.unwrap().lost.map(minutes_ago), Some(5), "it is said once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_delays_no_sighting_and_is_taken_up_again() {
    let server = tokio::task::spawn_blocking(|| Server::start(&[], &[]).unwrap()).await.unwrap();
    let server = Arc::new(server);
    let control = async |doing: fn(&Server) -> Result<(), String>| {
        let server = Arc::clone(&server);
        tokio::task::spawn_blocking(move || doing(&server)).await.unwrap().unwrap();
    };
    let place = SharedStore::at(server.url());
    control(Server::stop).await;
    let metrics = ViewsMetrics::unregistered();
    let bounds = Bounds { much: 1_000, most: 10, every: Duration::from_hours(1) };
    let seen = Seen::over(Place::open(&place), bounds, metrics.clone()).unwrap();
    seen.keep_watch();
    // What is in the writer's hand would need room of its own.
    seen.flush().await;
    for number in 0..15 {
        seen.saw(Sighting { holder: &format!("m-{number}"), ..sighting("l-1", "", 1) });
    }
    seen.saw(sighting("l-1", "m-3", 9));
    seen.flush().await;
    assert!(metrics.write_failures.get() >= 1);
    assert_eq!((metrics.waiting.get(), metrics.dropped.get()), (10, 5), "memory is bounded");
    let unread = seen.last_seen("acme", "l-1").await.unwrap_err();
    assert!(matches!(unread, ViewsError::Postgres { .. }), "{unread}");
    seen.noted(at(0)).await.unwrap_err();
    control(Server::start_again).await;
    seen.flush().await;
    assert_eq!(metrics.waiting.get(), 0, "it is taken up again by itself");
    assert_eq!(seconds(&seen, "l-1").await["m-3"], 9);
    assert!(seen.noted(at(0)).await.unwrap().lost.is_some());
    control(Server::restart).await;
    seen.saw(sighting("l-1", "m-3", 10));
    seen.flush().await;
    // The connection that was cut is noticed at the latest now.
    seen.flush().await;
    assert_eq!(seconds(&place.open(), "l-1").await["m-3"], 10);
    control(Server::stop).await;
    seen.saw(sighting("l-1", "m-3", 11));
    seen.close().await;
    assert_eq!(metrics.dropped.get(), 6, "what cannot be written at the end is counted");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let schema = tokio::task::spawn_blocking(TestSchema::new).await.unwrap();
    let connect = || {
        let store = Postgres::connect_later(&SecretString::from(schema.url()), schema.name()).unwrap();
        Seen::over(Arc::new(store), Bounds::default(), ViewsMetrics::unregistered()).unwrap()
    };
    connect().noted(at(0)).await.unwrap();
    schema.client().await.unwrap().batch_execute("UPDATE watch SET version = 99").await.unwrap();
    let newer = connect().noted(at(0)).await.unwrap_err();
    assert!(matches!(newer, ViewsError::NewerTables { found: 99, known: 1, .. }), "{newer}");
    assert!(newer.to_string().contains("run the newer program"), "{newer}");
}

#[tokio::test]
async fn tables_that_are_gone_are_made_anew_without_a_restart() {
    let schema = tokio::task::spawn_blocking(TestSchema::new).await.unwrap();
    let store = Postgres::connect_later(&SecretString::from(schema.url()), schema.name()).unwrap();
    let seen = Seen::over(Arc::new(store), Bounds::default(), ViewsMetrics::unregistered()).unwrap();
    seen.keep_watch();
    seen.saw(sighting("l-1", "m-1", 1));
    seen.flush().await;
    schema.client().await.unwrap().batch_execute(&format!("DROP SCHEMA {} CASCADE", schema.name())).await.unwrap();
    seen.saw(sighting("l-1", "m-2", 2));
    seen.flush().await;
    seen.flush().await;
    assert_eq!(seconds(&seen, "l-1").await, pairs([("m-2", 2)]));
    assert_eq!(minutes_ago(seen.noted(at(0)).await.unwrap().through), 0);
}

#[tokio::test]
async fn processes_that_begin_at_once_make_the_tables_once() {
    let place = place().await;
    let begin = (0..8).map(|_| {
        let seen = place.open();
        tokio::spawn(async move { seen.noted(at(0)).await.map(|noted| noted.kept_since) })
    });
    let begin: Vec<_> = begin.collect();
    let mut begun = vec![];
    for one in begin {
        begun.push(one.await.unwrap().unwrap());
    }
    assert!(begun.iter().all(|at| *at == begun[0]), "{begun:?}");
}

#[test]
fn a_url_that_cannot_be_right_is_told_at_once_without_its_password() {
    for url in ["postgres://a:secret@h:port/c", "postgres://a:secret@h/c?sslmode=maybe"] {
        let told = Seen::connect_later(&url.into(), ViewsMetrics::unregistered()).unwrap_err().to_string();
        assert!(told.contains("not understood") && !told.contains("secret"), "{told}");
    }
}

#[tokio::test]
async fn a_poisoned_text_holds_up_nobody() {
    let place = place().await;
    let seen = place.open();
    seen.saw_deployment_hour(deployment("e-1", Some("a\0b"), 1));
    seen.saw(sighting("l\0", "m-1", 3));
    seen.flush().await;
    assert_eq!(seconds(&place.open(), "l\0").await, pairs([("m-1", 3)]));
    let told = place.open().hour("acme", at(0)).await.unwrap();
    assert_eq!(told[0].charging_mode.as_deref(), Some("a\u{fffd}b"));
}
