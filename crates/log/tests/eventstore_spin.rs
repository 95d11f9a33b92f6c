//! A process with one subscription, which the server ends well again and again. The client spins then, and does not yield;
//! its thread must get out of it, not be left behind with a core of its own. It is a process of its own, so that the threads
//! in it can be counted.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use chopmark_eventstore_double::{Double, Options};
use chopmark_log::contract::event;
use chopmark_log::eventstore::{EventstoreLog, LeaseTimes};
use chopmark_log::{EventLog, Expected, Follower, LogMetrics, Position, StreamName};
use secrecy::SecretString;

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the server serves one subscription.
async fn is_served(double: &Double) {
    let served = async {
        while double.subscriptions() != 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, served).await.expect("it is begun");
}

/// How many threads of this process follow a subscription.
fn subscribed() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("log-subscriptio")).count()
}

#[tokio::test]
async fn a_subscription_that_ends_well_leaves_no_spinning_thread_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (listen, data) = ("127.0.0.1:0".parse().unwrap(), folder.path().join("double.db"));
    let double = Double::start(Options { listen, data, user: None }).unwrap();
    let url = SecretString::from(double.url());
    let connect = || EventstoreLog::connect(&url, LeaseTimes::default(), LogMetrics::unregistered()).unwrap();
    let log: Arc<dyn EventLog> = Arc::new(connect());
    let mut follower = Follower::new(Arc::clone(&log), Position::START);
    assert!(follower.next(10).await.unwrap().at_head);
    log.changed(Position::START).await.expect("whoever waits begins a subscription");
    is_served(&double).await;
    for n in 0..4 {
        double.tell("end-subscriptions").unwrap();
        let name = StreamName::new(&format!("stream {n}")).unwrap();
        log.append(&name, Expected::NoStream, vec![event("news")]).await.unwrap();
        let page = tokio::time::timeout(PATIENCE, follower.next(10)).await.expect("it is heard of").unwrap();
        assert_eq!(page.records.len(), 1);
        // Until there is one again, which the next round ends.
        is_served(&double).await;
        assert_eq!(subscribed(), 1);
    }
}
