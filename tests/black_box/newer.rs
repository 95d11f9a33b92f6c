//! The log holds an event of a newer version, as after going back to an older one: what was known before it is answered,
//! whatever needs it is not, and somebody is told.

use chopmark_huawei::callback::FreezeStatus;
use chopmark_log::Position;
use chopmark_simulator::{Message, OrderLine};

use crate::support::{Home, append_newer, config, get};

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

#[tokio::test]
async fn nothing_is_applied_where_one_seller_s_catalog_cannot_be_read() {
    let home = Home::new(&config(""));
    home.serve().await.stop();
    append_newer(&home, "seller-other").await;
    let changed = config("").replace("name = \"Example\"", "name = \"Another\"");
    std::fs::write(home.folder.path().join("chopmark.toml"), &changed).unwrap();
    let applied = home.run(&["apply"]);
    let said = String::from_utf8_lossy(&applied.stderr);
    assert_eq!(applied.status.code(), Some(3), "{said}");
    assert!(said.contains("seller other"), "{said}");
    // Without the seller that cannot be read, the other still differs: nothing was written for it before.
    let (first, rest) = changed.split_once("\n[[seller]]\nid = \"other\"").unwrap();
    let alone = format!("{first}\n{}", &rest[rest.find("[[product]]").unwrap()..]);
    std::fs::write(home.folder.path().join("chopmark.toml"), alone).unwrap();
    assert_eq!(home.run(&["apply", "--dry-run"]).status.code(), Some(1));
    assert!(home.ok(&["apply"]).contains("\"Example\" → \"Another\""));
}
