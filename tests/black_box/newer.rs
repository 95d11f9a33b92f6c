//! The log holds an event of a newer version, as after going back to an older one: what was known before it is answered,
//! whatever needs it is not, and somebody is told.

use std::borrow::Cow;

use chopmark_huawei::callback::FreezeStatus;
use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Expected, LogMetrics, NewEvent, Position, Revision, StreamName};
use chopmark_simulator::{Message, OrderLine};
use uuid::Uuid;

use crate::support::{Home, config, get};

/// Appends what a newer version might to a stream.
async fn append_newer(home: &Home, stream: &str) {
    let path = home.data().join("log.db");
    let log = SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
    let renamed = NewEvent {
        id: Uuid::now_v7(),
        kind: Cow::Borrowed("license_renamed.v9"),
        data: b"{\"name\":\"Example\"}".to_vec(),
        metadata: b"{\"cause\":{\"source\":\"system\"}}".to_vec(),
    };
    let stream = StreamName::new(stream).unwrap();
    let last = log.read_stream(&stream, Revision(0), 100).await.unwrap().pop().unwrap();
    log.append(&stream, Expected::Exact(last.revision), vec![renamed]).await.unwrap();
    log.close().await;
}

fn freeze(instance: &str) -> Message {
    Message::UpdateInstanceStatus { instance: instance.into(), status: FreezeStatus::Freeze }
}

#[tokio::test]
async fn a_server_started_on_an_event_of_a_newer_version_answers_from_before_it() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let (touched, other) = (server.buy().await, server.buy().await);
    let before: Position = Position(server.position().await.parse().unwrap());
    server.stop();
    append_newer(&home, &format!("instance-acme/{touched}")).await;
    // Without a snapshot, as after an update that changed its form.
    std::fs::remove_file(home.data().join("license-index.snapshot")).unwrap();

    let server = home.serve().await;
    for listener in [&server.callbacks, &server.api, &server.metrics] {
        assert_eq!(get(listener, "/readyz", &[]).await.unwrap().status, 200);
    }
    assert_eq!(server.position().await, before.to_string());
    assert_eq!(server.metric("chopmark_projector_stopped").await, 1.0);
    for instance in [&touched, &other] {
        assert_eq!(server.check(instance).await["code"], "VALID");
    }

    assert_eq!(
        server.call(&freeze(&touched)).await["resultCode"],
        "000005",
        "it cannot be decided on what is not known"
    );
    assert_eq!(server.call(&freeze(&other)).await["resultCode"], "000000", "what is durable is acknowledged");
    let bought = server.buy().await;
    assert_eq!(server.check(&other).await["code"], "VALID", "as it was before");
    assert_eq!(server.check(&bought).await["code"], "NOT_FOUND");
    assert_eq!(server.metric("chopmark_reactor_following").await, 0.0);
}

#[tokio::test]
async fn a_running_server_that_meets_an_event_of_a_newer_version_answers_from_before_it() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let (touched, other) = (server.buy().await, server.buy().await);
    append_newer(&home, &format!("instance-acme/{touched}")).await;
    assert_eq!(server.call(&freeze(&other)).await["resultCode"], "000000");
    assert_eq!(server.metric("chopmark_projector_stopped").await, 1.0);
    assert_eq!(server.check(&touched).await["code"], "VALID");
    assert_eq!(get(&server.api, "/readyz", &[]).await.unwrap().status, 200);
    assert_eq!(server.call(&freeze(&touched)).await["resultCode"], "000005");
}

#[tokio::test]
async fn a_catalog_and_tokens_of_a_newer_version_are_no_reason_not_to_answer() {
    let home = Home::new(&config(""));
    let server = home.serve().await;
    let instance = server.buy().await;
    server.stop();
    append_newer(&home, "access").await;
    append_newer(&home, "seller-acme").await;
    let server = home.serve().await;
    assert_eq!(server.check(&instance).await["code"], "VALID");
    assert_eq!(server.look_up("/v1/licenses").await["licenses"][0]["id"], instance.as_str(), "the token is known");
    assert_eq!(server.call(&freeze(&instance)).await["resultCode"], "000000");
    let purchase = server.call(&Message::NewInstance { order: OrderLine::fresh() }).await;
    assert_eq!(purchase["resultCode"], "000005", "the secret of ids is in what cannot be read");
}
