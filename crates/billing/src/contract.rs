//! The promises of [`BillingStore`], as tests that every engine runs.
//!
//! An engine brings a [`Place`] and calls [`billing_store_contract!`](crate::billing_store_contract) in its tests; each
//! promise becomes one test.

#![expect(clippy::unwrap_used, reason = "a broken promise panics: that is how a test fails")]

mod commits;
mod concurrency;
mod pages;
mod round_trips;
pub mod samples;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chopmark_log::Position;

pub use self::commits::*;
pub use self::concurrency::*;
pub use self::pages::*;
pub use self::round_trips::*;
use crate::rows::LineRow;
use crate::store::{BillingStore, Changes, Checkpoint, LineQuery};

/// Where views are kept. They are empty when it is made.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the views, beside those that are open.
    async fn open(&self) -> Arc<dyn BillingStore>;
}

/// Makes a test of each promise. Takes an async function that makes a new [`Place`](crate::contract::Place).
#[macro_export]
macro_rules! billing_store_contract {
    ($make:expr) => {
        $crate::billing_store_contract! { $make;
            new_views_are_at_the_start_and_empty
            lines_are_read_back_to_the_last_digit
            every_other_row_is_read_back_as_it_was_written
            documents_are_read_back_letter_by_letter
            texts_that_look_alike_stay_apart
            what_is_written_again_takes_the_place_of_what_was_there
            what_is_taken_away_is_gone_and_nothing_else
            the_last_word_of_a_transaction_holds
            a_period_without_lines_is_taken_away
            an_age_without_lines_is_taken_away
            rows_of_a_cleared_bill_are_gone_before_new_ones_come
            sellers_are_walls
            a_commit_moves_the_checkpoint_with_everything
            a_commit_from_elsewhere_writes_nothing
            a_lost_answer_is_told_by_the_checkpoint
            clearing_takes_everything_away
            a_big_commit_is_whole
            each_filter_finds_what_a_person_would_pick
            pages_have_no_gaps_and_no_doubles
            documents_come_in_the_order_of_their_names
            rows_of_a_bill_come_in_the_order_of_the_file
            orders_are_found_with_all_their_lines_and_rows
            periods_and_bills_come_in_the_order_of_the_console
            ages_come_from_a_period_on_in_their_order
            readers_see_whole_transactions
            of_racing_commits_one_wins
            two_openings_share_one_state
        }
    };
    ($make:expr; $($promise:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::contract::$promise(&($make)().await).await;
        })+
    };
}

/// A checkpoint at a position.
#[must_use]
pub fn at(position: u64) -> Checkpoint {
    Checkpoint { position: Position(position), work: format!("work at {position}"), log: "log of the contract".into() }
}

/// One change of everything, at a position.
#[must_use]
pub fn changes(position: u64) -> Changes {
    let lines = [samples::full_line("line 1"), samples::bare_line("line 2")];
    Changes {
        checkpoint: at(position),
        documents: BTreeMap::from([(samples::document("case", "one"), Some("{\"a\": 1}".into()))]),
        lines: by_id(lines),
        periods: vec![samples::period(Some("202405"), 2), samples::period(None, 1)],
        ages: vec![samples::age("202405", Some("2024-05-31"), 2), samples::age("202405", None, 1)],
        closed: vec![samples::closed("202404")],
        adjustments: vec![samples::adjustment("202405", "ticket 7")],
        bills: vec![samples::bill("202405")],
        cleared_bills: vec![],
        bill_rows: vec![samples::full_row("202405", 2), samples::bare_row("202405", 3)],
    }
}

/// Lines as a transaction takes them.
#[must_use]
pub fn by_id(
    lines: impl IntoIterator<Item = LineRow>,
) -> BTreeMap<(chopmark_domain::ids::SellerId, String), Option<LineRow>> {
    let keyed = |row: LineRow| ((row.seller.clone(), row.line().line_id.clone()), Some(row));
    lines.into_iter().map(keyed).collect()
}

/// All lines of the samples' seller, at most 10,000.
#[must_use]
pub fn everything() -> LineQuery {
    LineQuery::every(samples::seller(), 10_000)
}

async fn ids(store: &Arc<dyn BillingStore>, query: &LineQuery) -> Vec<String> {
    store.lines(query).await.unwrap().value.iter().map(|row| row.line().line_id.clone()).collect()
}
