//! The suite notices a log that breaks its promises: each fault is planted in a good engine, and a promise fails.

mod broken;

use self::broken::{BrokenPlace, Fault};
use super::*;

/// Whether a promise fails on an engine with a fault.
async fn fails(promise: impl Future<Output = ()> + Send + 'static) -> bool {
    tokio::spawn(promise).await.is_err_and(|error| error.is_panic())
}

/// Runs each promise on an engine with the fault that it must notice; returns the faults that nobody noticed.
macro_rules! unnoticed {
    ($($fault:ident is noticed by $promise:ident)+) => {{
        let watched = [$((
            concat!(stringify!($fault), " by ", stringify!($promise)),
            tokio::spawn(fails(async {
                $promise(&BrokenPlace::new(Fault::$fault)).await;
            })),
        )),+];
        let mut unnoticed = Vec::new();
        for (fault, is_noticed) in watched {
            if !is_noticed.await.unwrap() {
                unnoticed.push(fault);
            }
        }
        unnoticed
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_noticed() {
    let unnoticed = unnoticed! {
        SkipsARecord is noticed by the_log_is_read_in_order_and_without_gaps
        ShowsLaterEventsFirst is noticed by a_follower_misses_nothing_while_others_append
        TellsTooEarlyOfTheHead is noticed by the_log_is_read_in_order_and_without_gaps
        ReadsAStreamFromTheNextRevision is noticed by a_stream_is_read_from_a_revision_up_to_a_limit
        ChangesAByte is noticed by records_are_read_back_as_they_were_written
        TakesTimeBack is noticed by recorded_at_never_goes_back
        AnswersConflictsWithYes is noticed by racing_appends_have_one_winner_for_each_revision
        AnswersConflictsWithYes is noticed by other_events_at_the_same_place_are_a_conflict
        StoresDespiteConflict is noticed by a_wrong_expectation_is_a_conflict_and_stores_nothing
        StoresARepeatOnceMore is noticed by an_append_repeated_is_answered_as_the_first_time
        StoresARepeatOnceMore is noticed by racing_repeats_of_one_append_store_it_once
        StoresARepeatOnceMore is noticed by a_lost_answer_is_settled_by_appending_again
        StoresHalfAnAppend is noticed by an_append_of_several_events_is_stored_whole_or_not_at_all
        AcknowledgesBeforeItStores is noticed by closing_finishes_what_is_under_way
        ForgetsWhenReopened is noticed by what_was_acknowledged_is_there_after_reopening
        ImportsAtTheTimeOfNow is noticed by an_import_keeps_everything_but_positions
        ImportsOnceMore is noticed by an_import_that_was_interrupted_is_begun_again
        ImportsNothingAndSaysYes is noticed by an_import_whose_place_is_taken_is_a_conflict
        ImportsNothingAndSaysYes is noticed by an_import_out_of_turn_is_a_conflict
        ImportsNothingAndSaysYes is noticed by an_import_never_takes_time_back
        LetsTwoLead is noticed by one_leads_at_a_time
        StaysOpen is noticed by after_closing_everything_fails
    };
    assert_eq!(unnoticed, [""; 0]);
}

#[test]
fn a_repeat_that_is_stored_once_more_is_noticed_by_the_list() {
    let agreeing = std::thread::spawn(|| agrees_with_a_list(|| BrokenPlace::new(Fault::StoresARepeatOnceMore)));
    assert!(agreeing.join().is_err(), "nobody noticed");
}
