//! What is kept, and who may keep it.

use super::stream;
use crate::contract::event;
use crate::event_log::{AppendError, EventLog, ReadError};
use crate::metrics::LogMetrics;
use crate::postgres::testing::PostgresPlace;
use crate::postgres::{ConnectError, PostgresLog, PostgresOptions};
use crate::record::{Expected, NewEvent, Position, Revision};

#[tokio::test]
async fn a_log_of_another_format_is_refused_with_its_mend() {
    let place = PostgresPlace::new();
    let log = place.log().await;
    log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap();
    place.client().await.batch_execute("UPDATE format SET version = 2").await.unwrap();
    let refused = PostgresLog::connect(&place.url().into(), &place.options(), LogMetrics::unregistered()).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, ConnectError::Format { found: 2, .. }), "{refused}");
    assert!(refused.to_string().contains("run the version of it that made the log"), "{refused}");
}

#[tokio::test]
async fn a_log_is_not_made_among_tables_of_others() {
    let place = PostgresPlace::new();
    let client = place.client().await;
    client
        .batch_execute(&format!("CREATE SCHEMA {0}; CREATE TABLE {0}.events (id int)", place.schema()))
        .await
        .unwrap();
    let log = place.log().await;
    let refused = log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap_err();
    assert!(matches!(refused, AppendError::Unavailable { .. }), "{refused}");
    assert!(refused.to_string().contains("already exists"), "{refused}");
}

#[tokio::test]
async fn a_database_that_cannot_keep_every_text_is_refused_with_its_mend() {
    let place = PostgresPlace::new();
    let name = place.schema().to_owned();
    let client = place.client().await;
    let create = format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    client.batch_execute(&create).await.unwrap();
    let (server, _) = place.url().rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    let refused = PostgresLog::connect(&url.into(), &place.options(), LogMetrics::unregistered()).await.unwrap_err();
    client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    assert!(matches!(&refused, ConnectError::Encoding { encoding } if encoding == "LATIN1"), "{refused}");
    assert!(refused.to_string().contains("CREATE DATABASE"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_right_is_told_at_once_and_without_the_password() {
    let connect = async |url: &str, schema: &str| {
        let options = PostgresOptions { schema: schema.into(), ..PostgresOptions::default() };
        PostgresLog::connect(&url.into(), &options, LogMetrics::unregistered()).await.unwrap_err().to_string()
    };
    let url = connect("postgres://a:secret@h/c?colour=red", "log").await;
    assert!(url.contains("not understood") && !url.contains("secret"), "{url}");
    let authorities = connect("postgres://a:secret@h/c?sslmode=require&sslrootcert=/nowhere.pem", "log").await;
    assert!(authorities.contains("/nowhere.pem") && !authorities.contains("secret"), "{authorities}");
    let schema = connect("postgres://a:secret@h/c", "a;b").await;
    assert!(schema.contains("no name for a schema"), "{schema}");
}

#[tokio::test]
async fn who_may_not_create_schemas_uses_the_one_that_was_made_for_them() {
    let place = PostgresPlace::new();
    let client = place.client().await;
    let (schema, role) = (place.schema(), format!("role_of_{}", place.schema()));
    let made = format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'; CREATE SCHEMA {schema} AUTHORIZATION {role}");
    client.batch_execute(&made).await.unwrap();
    let log = place.log_at(&place.url().replacen("postgres@", &format!("{role}:secret@"), 1)).await;
    log.append(&stream("a"), Expected::NoStream, vec![event("")]).await.unwrap();
    assert_eq!(log.head().await.unwrap(), Position(1));
    drop(log);
    place.end_all_sessions().await;
    client.batch_execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await.unwrap();
}

#[tokio::test]
async fn every_damage_to_a_record_is_noticed_when_it_is_read() {
    let place = PostgresPlace::new();
    let log = place.log().await;
    let events = vec![NewEvent { data: vec![0, 1, 2], ..event("") }, event("second"), event("third")];
    log.append(&stream("a"), Expected::NoStream, events).await.unwrap();
    let client = place.client().await;
    let damages = [
        "stream = 'b'",
        "stream = ''",
        "revision = 5",
        "revision = -1",
        "position = 7",
        "id = gen_random_uuid()",
        "kind = 'said.v2'",
        "recorded_at = recorded_at + 1",
        "recorded_at = 9223372036854775807",
        "checksum = checksum # 1",
        "metadata = '\\x7b7d00'",
        "data = set_byte(data, 1, 3)",
        "data = ''",
    ];
    for damage in damages {
        client.batch_execute("CREATE TEMP TABLE before AS TABLE events").await.unwrap();
        client.batch_execute(&format!("UPDATE events SET {damage} WHERE position = 2")).await.unwrap();
        let told = log.read_all(Position::START, 10).await.unwrap_err();
        assert!(matches!(told, ReadError::Damaged { .. }), "{damage}: {told}");
        client.batch_execute("TRUNCATE events; INSERT INTO events TABLE before; DROP TABLE before").await.unwrap();
    }
    assert_eq!(log.read_all(Position::START, 10).await.unwrap().records.len(), 3);
}

#[tokio::test]
async fn a_record_that_is_gone_is_missed() {
    let place = PostgresPlace::new();
    let log = place.log().await;
    log.append(&stream("a"), Expected::NoStream, vec![event("1"), event("2"), event("3")]).await.unwrap();
    place.client().await.batch_execute("DELETE FROM events WHERE position = 2").await.unwrap();
    let told = log.read_all(Position::START, 10).await.unwrap_err();
    assert!(matches!(told, ReadError::Damaged { position: Position(2), .. }), "{told}");
    let told = log.read_stream(&stream("a"), Revision(0), 10).await.unwrap_err();
    assert!(matches!(told, ReadError::Damaged { .. }), "{told}");
}

#[tokio::test]
async fn events_that_break_a_limit_are_refused_before_they_are_sent() {
    let log = PostgresPlace::new().log().await;
    let odd = NewEvent { kind: "nul\0.v1".into(), ..event("") };
    let large = NewEvent { data: vec![0; 8 << 20], ..event("") };
    for events in [vec![], vec![event(""), odd], vec![large; 9], vec![event(""); crate::sqlite::EVENTS_MAX + 1]] {
        let refused = log.append(&stream("a"), Expected::NoStream, events).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(log.head().await.unwrap(), Position::START);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_large_records_ends_early_and_leads_on() {
    let log = PostgresPlace::new().log().await;
    for n in 0..10 {
        let large = NewEvent { data: vec![n; 5 << 20], ..event("") };
        log.append(&stream(&format!("stream {n}")), Expected::NoStream, vec![large]).await.unwrap();
    }
    let first = log.read_all(Position::START, 100).await.unwrap();
    assert!((1..10).contains(&first.records.len()) && !first.at_head, "{}", first.records.len());
    let second = log.read_all(first.reached, 100).await.unwrap();
    assert_eq!((second.reached, second.at_head), (Position(10), true));
}
