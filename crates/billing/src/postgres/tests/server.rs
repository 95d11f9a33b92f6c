//! The server: its connections, its schema, its certificate.

use std::sync::Arc;
use std::time::Duration;

use chopmark_postgres::testing::Server;
use secrecy::SecretString;

use crate::contract::{Place, at, changes, everything, samples};
use crate::postgres::testing::PostgresPlace;
use crate::postgres::{PostgresBilling, PostgresOptions};
use crate::schema::VERSION;
use crate::store::{BillingStore, Checkpoint, StoreError};

async fn server(files: Vec<(&'static str, String)>, settings: Vec<String>) -> Server {
    let start = move || {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        Server::start(&files, &settings.iter().map(String::as_str).collect::<Vec<_>>())
    };
    tokio::task::spawn_blocking(start).await.unwrap().unwrap()
}

#[tokio::test]
async fn views_of_another_version_are_refused_until_they_are_built_anew() {
    let place = PostgresPlace::new().await;
    drop(place.views().await);
    let client = place.client().await;
    client
        .batch_execute("UPDATE views_version SET version = 99; DROP TABLE bills; DROP INDEX bill_rows_by_order")
        .await
        .unwrap();
    let refused = PostgresBilling::connect(&place.url(), place.options()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Version { found: 99, wanted: VERSION }), "{refused}");
    let anew = PostgresBilling::connect_anew(&place.url(), place.options()).await.unwrap();
    assert_eq!(anew.checkpoint().await.unwrap(), Checkpoint::default());
    anew.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    drop(place.views().await);
}

#[tokio::test]
async fn views_of_others_and_rights_stay_when_views_of_this_version_are_built_anew() {
    let place = PostgresPlace::new().await;
    place.views().await.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    let client = place.client().await;
    let grant = "CREATE VIEW of_finance AS SELECT period, sum(net) FROM settlement_lines GROUP BY period; GRANT SELECT ON bills TO PUBLIC";
    client.batch_execute(grant).await.unwrap();
    let anew = PostgresBilling::connect_anew(&place.url(), place.options()).await.unwrap();
    assert_eq!(anew.lines(&everything()).await.unwrap().value, []);
    assert!(client.query("SELECT * FROM of_finance", &[]).await.unwrap().is_empty());
    let may_read =
        "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC' AND table_schema = $1";
    assert_eq!(client.query_one(may_read, &[&place.schema()]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_may_be_begun_by_many_at_once() {
    let place = Arc::new(PostgresPlace::new().await);
    let mut openings = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let place = Arc::clone(&place);
        openings.spawn(async move { place.views().await.checkpoint().await.unwrap() });
    }
    assert!(openings.join_all().await.iter().all(|checkpoint| *checkpoint == Checkpoint::default()));
}

#[tokio::test]
async fn who_may_not_create_schemas_uses_the_one_that_was_made_for_them() {
    let place = PostgresPlace::new().await;
    let client = place.client().await;
    let (schema, role) = (place.schema(), format!("role_of_{}", place.schema()));
    let made = format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'; CREATE SCHEMA {schema} AUTHORIZATION {role}");
    client.batch_execute(&made).await.unwrap();
    let theirs =
        secrecy::ExposeSecret::expose_secret(&place.url()).replacen("postgres@", &format!("{role}:secret@"), 1);
    let views = PostgresBilling::connect(&theirs.as_str().into(), place.options()).await.unwrap();
    views.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    let elsewhere = PostgresOptions { schema: format!("{schema}_2"), ..place.options().clone() };
    let refused = PostgresBilling::connect(&theirs.as_str().into(), &elsewhere).await.unwrap_err().to_string();
    assert!(refused.contains("permission denied"), "{refused}");
    drop(views);
    client.batch_execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_server_it_goes_on_where_it_was() {
    let server = Arc::new(server(vec![], vec![]).await);
    let place = PostgresPlace::at(server.url());
    let views = place.open().await;
    views.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || server.restart()
    })
    .await
    .unwrap()
    .unwrap();
    assert_eq!(views.checkpoint().await.unwrap(), at(1));
    views.commit(&at(1), &changes(2)).await.unwrap();
    assert_eq!(views.lines(&everything()).await.unwrap().value.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_reached_yet_is_reached_when_it_is_there() {
    let server = Arc::new(server(vec![], vec![]).await);
    let place = PostgresPlace::at(server.url());
    let command = async |command: fn(&Server) -> Result<(), String>| {
        let server = Arc::clone(&server);
        tokio::task::spawn_blocking(move || command(&server)).await.unwrap().unwrap();
    };
    command(Server::stop).await;
    let views = PostgresBilling::connect_later(&place.url(), place.options()).unwrap();
    for _ in 0..2 {
        let refused = views.checkpoint().await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused}");
    }
    command(Server::start_again).await;
    assert!(PostgresBilling::connect_to_kept(&place.url(), place.options()).await.unwrap().is_none());
    views.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    let kept = PostgresBilling::connect_to_kept(&place.url(), place.options()).await.unwrap().unwrap();
    assert_eq!(kept.checkpoint().await.unwrap(), at(1));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_such() {
    let options = PostgresOptions { connect_timeout: Duration::from_secs(2), ..PostgresOptions::default() };
    let refused = PostgresBilling::connect(&"postgres://a:secret@127.0.0.1:1/b".into(), &options).await.unwrap_err();
    let told = refused.to_string();
    assert!(matches!(refused, StoreError::Unavailable { .. }) && !told.contains("secret"), "{told}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up() {
    let place = PostgresPlace::new().await;
    drop(place.views().await);
    let client = place.client().await;
    client.batch_execute("BEGIN; LOCK TABLE settlement_lines").await.unwrap();
    let options = PostgresOptions { statement_timeout: Duration::from_millis(200), ..place.options().clone() };
    let views = PostgresBilling::connect(&place.url(), &options).await.unwrap();
    let told = views.line(&samples::seller(), "line 1").await.unwrap_err().to_string();
    assert!(told.contains("statement timeout"), "{told}");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(views.line(&samples::seller(), "line 1").await.unwrap().value, None);
}

#[tokio::test]
async fn text_that_a_column_cannot_hold_is_whole_in_the_document() {
    let place = PostgresPlace::new().await;
    let views = place.views().await;
    let written = changes(1);
    assert!(written.adjustments[0].adjustment.note.contains('\0'));
    views.commit(&Checkpoint::default(), &written).await.unwrap();
    assert_eq!(views.adjustments(&samples::seller()).await.unwrap().value, written.adjustments);
    let row = place.client().await.query_one("SELECT note FROM settlement_adjustments", &[]).await.unwrap();
    assert!(row.get::<_, String>(0).contains('\u{fffd}'));
}

#[tokio::test]
async fn with_sslmode_require_the_server_proves_its_name() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.pem();
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, &certificate).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let files = vec![("server.crt", certificate), ("server.key", certified.signing_key.serialize_pem())];
    let port_setting = format!("port={port}");
    let settings = [
        "listen_addresses=127.0.0.1",
        &port_setting,
        "ssl=on",
        "ssl_cert_file=../server.crt",
        "ssl_key_file=../server.key",
    ];
    let _server = server(files, settings.map(str::to_owned).into()).await;
    let url =
        |host: &str, query: &str| SecretString::from(format!("postgres://postgres@{host}:{port}/postgres?{query}"));
    let trusting = format!("sslmode=require&sslrootcert={}", trusted.display());
    let options = PostgresOptions::default();

    let views = PostgresBilling::connect(&url("localhost", &trusting), &options).await.unwrap();
    views.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    PostgresBilling::connect(&url("localhost", "sslmode=disable"), &options).await.unwrap();
    for (host, query) in [("localhost", "sslmode=require"), ("127.0.0.1", &trusting)] {
        let refused = PostgresBilling::connect(&url(host, query), &options).await.unwrap_err().to_string();
        assert!(refused.contains("certificate"), "{host} {query}: {refused}");
    }
}
