//! The promises of [`EventLog`] and of [`Engine`](crate::Engine), as tests that every engine runs.
//!
//! An engine brings a [`Place`] and calls [`event_log_contract!`](crate::event_log_contract) in its tests, and
//! [`engine_contract!`](crate::engine_contract) with an [`EnginePlace`]; each promise becomes one test. The promises ask for
//! no more than the traits say: positions may have gaps, pages may be short, a conflict need not name the current revision.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a broken promise panics: that is how a test fails")]

mod appends;
mod concurrency;
mod engines;
mod faults;
mod model;
mod reads;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::event_log::EventLog;
use crate::record::{Appended, Expected, NewEvent, Page, Position, Record, Revision, StreamName};

pub use self::appends::*;
pub use self::concurrency::*;
pub use self::engines::*;
pub use self::faults::LosesAnswers;
pub use self::model::agrees_with_a_list;
pub use self::reads::*;

/// Where a log is kept. It is empty when it is made, and goes when it is dropped.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the log. What was opened before has been dropped.
    async fn open(&self) -> Arc<dyn EventLog>;
}

/// Makes a test of each promise. Takes a function or closure that makes a new [`Place`](crate::contract::Place).
#[macro_export]
macro_rules! event_log_contract {
    ($make:expr) => {
        $crate::event_log_contract! { $make;
            a_stream_begins_where_none_is_expected
            revisions_count_up_and_positions_grow
            a_wrong_expectation_is_a_conflict_and_stores_nothing
            an_append_of_several_events_is_stored_whole_or_not_at_all
            an_append_without_events_is_invalid
            an_append_repeated_is_answered_as_the_first_time
            other_events_at_the_same_place_are_a_conflict
            a_lost_answer_is_settled_by_appending_again
            what_was_acknowledged_is_there_after_reopening
            records_are_read_back_as_they_were_written
            a_stream_that_does_not_exist_has_no_records
            a_stream_is_read_from_a_revision_up_to_a_limit
            the_log_is_read_in_order_and_without_gaps
            after_the_head_there_is_nothing
            recorded_at_never_goes_back
            racing_appends_have_one_winner_for_each_revision
            racing_repeats_of_one_append_store_it_once
            a_follower_misses_nothing_while_others_append
            a_follower_tells_that_it_has_caught_up_and_then_waits
            changed_wakes_who_waits_for_it
        }
        #[test]
        fn agrees_with_a_list() {
            $crate::contract::agrees_with_a_list($make);
        }
    };
    ($make:expr; $($promise:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::contract::$promise(&($make)()).await;
        })+
    };
}

/// An event that says `text`.
#[must_use]
pub fn event(text: &str) -> NewEvent {
    NewEvent { id: Uuid::now_v7(), kind: "said.v1".into(), data: text.into(), metadata: b"{}".to_vec() }
}

fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|n| event(&format!("event {n}"))).collect()
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// Appends events to a stream that is not there yet.
async fn begin(log: &Arc<dyn EventLog>, name: &str, count: usize) -> Appended {
    log.append(&stream(name), Expected::NoStream, events(count)).await.unwrap()
}

async fn whole_stream(log: &Arc<dyn EventLog>, name: &str) -> Vec<Record> {
    log.read_stream(&stream(name), Revision(0), usize::MAX).await.unwrap()
}

/// All records, read in pages of about `limit`. Checks what holds for every page.
async fn whole_log(log: &Arc<dyn EventLog>, limit: usize) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut after = Position::START;
    loop {
        let page = log.read_all(after, limit).await.unwrap();
        check_page(&page, after);
        assert!(page.at_head || page.reached > after, "a page that is not the last one leads on");
        after = page.reached;
        records.extend(page.records);
        if page.at_head {
            return records;
        }
    }
}

fn check_page(page: &Page, after: Position) {
    let mut last = after;
    for record in &page.records {
        assert!(record.position > last, "positions grow");
        last = record.position;
    }
    assert!(page.reached >= last, "a page has reached its own records");
}

fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| std::str::from_utf8(&record.data).unwrap()).collect()
}

fn ids(records: &[Record]) -> Vec<Uuid> {
    records.iter().map(|record| record.id).collect()
}
