//! The baselines of a log elsewhere: its driver appends the same events, without Chopmark.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context;
use chopmark_log::Record;
use eventstore::{AppendToStreamOptions, BatchAppendClient, BatchAppendOptions, EventData, ExpectedRevision};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::super::figure::{Round, micros, record};

/// A driver and what it appends.
#[derive(Clone)]
pub(super) struct Bare {
    driver: Driver,
    /// What a purchase appends. Stream and id are new each time.
    like: Arc<Record>,
}

#[derive(Clone)]
enum Driver {
    /// One connection for each writer; each event is a transaction.
    Postgres(Arc<Vec<(Client, Statement)>>),
    /// One connection for all writers; each append is a call.
    Eventstore(Arc<eventstore::Client>),
    /// One call for all appends of all writers.
    EventstoreSession(Arc<BatchAppendClient>),
}

impl Bare {
    /// Connects as often as there are writers, and makes a table with the columns and indices of our own.
    pub(super) async fn postgres(
        url: &SecretString,
        schema: &str,
        writers: usize,
        like: Record,
    ) -> anyhow::Result<Self> {
        let mut connections = vec![];
        for writer in 0..writers {
            let (client, connection) = tokio_postgres::connect(url.expose_secret(), NoTls).await?;
            // It ends with the client.
            tokio::spawn(connection);
            if writer == 0 {
                client.batch_execute(&table(schema)).await?;
            }
            let insert = format!(
                "INSERT INTO {schema}.bare (stream, revision, id, kind, recorded_at, metadata, data) \
                 VALUES ($1, 0, $2, $3, now(), $4, $5) RETURNING position"
            );
            let insert = client.prepare(&insert).await?;
            connections.push((client, insert));
        }
        Ok(Self { driver: Driver::Postgres(Arc::new(connections)), like: Arc::new(like) })
    }

    /// Takes a schema away with everything in it.
    pub(super) async fn take_away(url: &SecretString, schema: &str) -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(url.expose_secret(), NoTls).await?;
        tokio::spawn(connection);
        Ok(client.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await?)
    }

    /// Connects once, as its driver is meant to be used, and appends in both ways that it knows: in calls of their own, and
    /// in one session, where many appends make one packet.
    pub(super) async fn eventstore(url: &SecretString, like: Record) -> anyhow::Result<[Self; 2]> {
        let client = eventstore::Client::new(url.expose_secret().parse()?)?;
        let session = client.batch_append(&BatchAppendOptions::default()).await?;
        let like = Arc::new(like);
        let over = |driver| Self { driver, like: like.clone() };
        Ok([over(Driver::Eventstore(Arc::new(client))), over(Driver::EventstoreSession(Arc::new(session)))])
    }

    /// The name of the figure that has this baseline, and what the baseline is.
    pub(super) const fn described(&self) -> (&'static str, &'static str) {
        match self.driver {
            Driver::Postgres(_) => ("callbacks_postgres_64", "its driver committing the same events, 64 at a time"),
            Driver::Eventstore(_) => ("callbacks_eventstore_64", "its driver appending the same events, 64 at a time"),
            Driver::EventstoreSession(_) => {
                ("callbacks_eventstore_session_64", "the same in one session of the driver, 64 under way")
            }
        }
    }

    /// Lets writers append so many events in all, each its next one when the last is acknowledged.
    pub(super) async fn append_all(&self, events: u64, writers: usize) -> anyhow::Result<Round> {
        let left = Arc::new(AtomicU64::new(events));
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for writer in 0..writers {
            let (bare, left) = (self.clone(), left.clone());
            tasks.spawn(async move {
                let mut times = micros();
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let begun = Instant::now();
                    bare.append(writer).await?;
                    record(&mut times, begun.elapsed());
                }
                anyhow::Ok(times)
            });
        }
        let mut times = micros();
        while let Some(done) = tasks.join_next().await {
            times.add(&done??)?;
        }
        Ok(Round::new(times.len(), started.elapsed().as_secs_f64(), times))
    }

    async fn append(&self, writer: usize) -> anyhow::Result<()> {
        let (id, like) = (Uuid::now_v7(), &self.like);
        // As those of instances are: in no order, so that the log's index of names has as much to do.
        let stream = format!("bare-{}", Uuid::new_v4());
        match &self.driver {
            Driver::Postgres(connections) => {
                let (client, insert) = connections.get(writer).context("a connection for each writer")?;
                let row = client.query_one(insert, &[&stream, &id, &like.kind, &like.metadata, &like.data]).await?;
                row.try_get::<_, i64>(0)?;
            }
            Driver::Eventstore(client) => {
                let options = AppendToStreamOptions::default().expected_revision(ExpectedRevision::NoStream);
                client.append_to_stream(stream, &options, like_event(like, id)).await?;
            }
            Driver::EventstoreSession(session) => {
                session.append_to_stream(&stream, ExpectedRevision::NoStream, vec![like_event(like, id)]).await?;
            }
        }
        Ok(())
    }
}

fn like_event(like: &Record, id: Uuid) -> EventData {
    EventData::binary(&*like.kind, like.data.clone().into()).id(id).metadata(like.metadata.clone().into())
}

fn table(schema: &str) -> String {
    format!(
        "CREATE TABLE {schema}.bare (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, \
         revision bigint NOT NULL, id uuid NOT NULL, kind text NOT NULL, recorded_at timestamptz NOT NULL, \
         metadata bytea NOT NULL, data bytea NOT NULL, UNIQUE (stream, revision))"
    )
}
