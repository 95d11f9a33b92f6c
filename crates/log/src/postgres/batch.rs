//! One transaction, of one statement, for all appends that wait.

use std::collections::HashMap;

use chopmark_postgres::PostgresError;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use super::link::Linked;
use super::row::{checksum_of_event, whole};
use crate::batch::{self, Committed, Wish};
use crate::event_log::AppendError;
use crate::metrics::Success;
use crate::record::{Appended, Position, Revision, StreamName};

/// Calls the function that does it: create.sql.
pub(super) const APPEND: &str = "SELECT head, is_stored, lasts, again, ends \
                                 FROM {schema}.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// No wish was fulfilled, or it is not known.
pub(super) type Failed = batch::Failed<String>;

impl Failed {
    /// What an error of a statement that commits by itself leaves behind. Where the server says that it refused, it has
    /// rolled back. Where it ends the connection, or nobody says anything, it may have committed before.
    pub(super) fn of(error: &PostgresError) -> Self {
        let reason = error.to_string();
        if error.is_refusal() { Self::NotStored(reason) } else { Self::Unknown(reason) }
    }
}

/// Fulfils the wishes whose expectation holds, all in one transaction. `now` is in microseconds since 1970.
pub(super) async fn commit(linked: &Linked, wishes: &[Wish<'_>], now: i64) -> Result<Committed, PostgresError> {
    let row = Parameters::of(wishes).call(linked, &linked.statements.append, now).await?;
    Ok(Answer::of(&row)?.to_committed(wishes))
}

/// The function's parameters, in columns.
#[derive(Default)]
struct Parameters<'a> {
    streams: Vec<&'a str>,
    firsts: Vec<i64>,
    counts: Vec<i32>,
    earlier: Vec<i32>,
    event_wishes: Vec<i32>,
    event_streams: Vec<&'a str>,
    revisions: Vec<i64>,
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    contents: Vec<i64>,
    metadatas: Vec<&'a [u8]>,
    datas: Vec<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    fn of(wishes: &[Wish<'a>]) -> Self {
        let mut parameters = Self::default();
        let mut latest: HashMap<&StreamName, i32> = HashMap::new();
        for (number, wish) in (1..).zip(wishes) {
            parameters.streams.push(wish.stream.as_str());
            parameters.firsts.push(whole(wish.first()));
            parameters.counts.push(i32::try_from(wish.events.len()).unwrap_or(i32::MAX));
            parameters.earlier.push(latest.insert(wish.stream, number).unwrap_or(0));
            parameters.add_events(number, wish);
        }
        parameters
    }

    fn add_events(&mut self, number: i32, wish: &Wish<'a>) {
        let mut revision = whole(wish.first());
        for event in wish.events {
            self.event_wishes.push(number);
            self.event_streams.push(wish.stream.as_str());
            self.revisions.push(revision);
            self.ids.push(event.id);
            self.kinds.push(&event.kind);
            self.contents.push(checksum_of_event(wish.stream, revision, event));
            self.metadatas.push(&event.metadata);
            self.datas.push(&event.data);
            revision = revision.saturating_add(1);
        }
    }

    async fn call(&self, linked: &Linked, statement: &Statement, now: i64) -> Result<Row, tokio_postgres::Error> {
        let parameters: [&(dyn ToSql + Sync); 13] = [
            &now,
            &self.streams,
            &self.firsts,
            &self.counts,
            &self.earlier,
            &self.event_wishes,
            &self.event_streams,
            &self.revisions,
            &self.ids,
            &self.kinds,
            &self.contents,
            &self.metadatas,
            &self.datas,
        ];
        linked.connection.query_one(statement, &parameters).await
    }
}

/// What the function tells.
struct Answer {
    head: i64,
    is_stored: Vec<bool>,
    lasts: Vec<i64>,
    /// Of wishes that were stored before, by their number, the position of the last event.
    again: HashMap<i32, i64>,
}

impl Answer {
    fn of(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let (again, ends): (Vec<i32>, Vec<i64>) = (row.try_get(3)?, row.try_get(4)?);
        let again = again.into_iter().zip(ends).collect();
        Ok(Self { head: row.try_get(0)?, is_stored: row.try_get(1)?, lasts: row.try_get(2)?, again })
    }

    fn to_committed(&self, wishes: &[Wish<'_>]) -> Committed {
        let before = unsigned(self.head);
        let mut head = before;
        let told = wishes.iter().zip(&self.is_stored).zip(&self.lasts);
        let outcomes = (1..).zip(told).map(|(number, ((wish, is_stored), last))| {
            let count = wish.events.len() as u64;
            if *is_stored {
                head += count;
                let appended = Appended { revision: Revision(unsigned(*last)), position: Position(head) };
                return Ok((appended, Success::Stored));
            }
            match self.again.get(&number) {
                Some(position) => {
                    let revision = Revision(wish.first().saturating_add(count).saturating_sub(1));
                    Ok((Appended { revision, position: Position(unsigned(*position)) }, Success::Repeated))
                }
                None => Err(AppendError::Conflict {
                    stream: wish.stream.clone(),
                    current: u64::try_from(*last).ok().map(Revision),
                }),
            }
        });
        let outcomes = outcomes.collect();
        Committed { outcomes, events: head - before, head: Position(head) }
    }
}

/// A number that is never below zero.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
