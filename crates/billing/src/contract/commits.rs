//! Promises about what a commit does.

use std::collections::BTreeMap;
use std::sync::Arc;

use chopmark_domain::settlement::product::Category;

use super::{Place, at, by_id, changes, everything, ids, samples};
use crate::rows::PeriodRow;
use crate::store::{BillingStore, Changes, Checkpoint, LineQuery, StoreError};

async fn begin(place: &impl Place, changes: &Changes) -> Arc<dyn BillingStore> {
    let store = place.open().await;
    store.commit(&Checkpoint::default(), changes).await.unwrap();
    store
}

/// Lines and documents are taken away by their keys; one that is not there is gone already.
pub async fn what_is_taken_away_is_gone_and_nothing_else(place: &impl Place) {
    let mut first = changes(1);
    first.documents.insert(samples::document("case", "two"), Some("2".into()));
    let store = begin(place, &first).await;
    let gone = ["line 1", "never there"].map(|id| ((samples::seller(), id.to_owned()), None));
    let documents = [(samples::document("case", "one"), None), (samples::document("other", "two"), None)];
    let changes = Changes { checkpoint: at(2), lines: gone.into(), documents: documents.into(), ..Changes::default() };
    store.commit(&at(1), &changes).await.unwrap();
    assert_eq!(ids(&store, &everything()).await, ["line 2"]);
    let keys = [samples::document("case", "one"), samples::document("case", "two")];
    assert_eq!(store.documents(&keys).await.unwrap().into_keys().collect::<Vec<_>>(), keys[1..]);
}

/// Where one transaction says a thing twice, the last word holds.
pub async fn the_last_word_of_a_transaction_holds(place: &impl Place) {
    let mut twice = changes(1);
    twice.periods = vec![samples::period(None, 1), samples::period(None, 0), samples::period(None, 5)];
    twice.bill_rows = vec![samples::full_row("202405", 2), samples::bare_row("202405", 2)];
    twice.bills = vec![samples::bill("202405"), samples::bill("202405")];
    twice.bills[1].imported.revision = 3;
    let store = begin(place, &twice).await;
    let seller = samples::seller();
    assert_eq!(store.periods(&seller).await.unwrap().value, twice.periods[2..]);
    assert_eq!(store.bills(&seller, None).await.unwrap().value, twice.bills[1..]);
    let rows = store.bill_rows(&samples::identity("202405", Category::Generic), 0, 100).await.unwrap();
    assert_eq!(rows, twice.bill_rows[1..]);
}

/// A period without lines is no row.
pub async fn a_period_without_lines_is_taken_away(place: &impl Place) {
    let store = begin(place, &changes(1)).await;
    let periods = vec![samples::period(None, 0), samples::period(Some("209901"), 0)];
    store.commit(&at(1), &Changes { checkpoint: at(2), periods, ..Changes::default() }).await.unwrap();
    assert_eq!(store.periods(&samples::seller()).await.unwrap().value, [samples::period(Some("202405"), 2)]);
}

/// Nor is an age.
pub async fn an_age_without_lines_is_taken_away(place: &impl Place) {
    let store = begin(place, &changes(1)).await;
    let ages = vec![samples::age("202405", None, 0), samples::age("209901", Some("2099-01-01"), 0)];
    store.commit(&at(1), &Changes { checkpoint: at(2), ages, ..Changes::default() }).await.unwrap();
    let left = store.ages(&samples::seller(), None).await.unwrap().value;
    assert_eq!(left, [samples::age("202405", Some("2024-05-31"), 2)]);
    assert_eq!(store.ages(&samples::other_seller(), None).await.unwrap().value, []);
}

/// A new import takes the rows of the last one away, and those of no other bill.
pub async fn rows_of_a_cleared_bill_are_gone_before_new_ones_come(place: &impl Place) {
    let mut first = changes(1);
    first.bill_rows.push(samples::bare_row("202406", 2));
    let store = begin(place, &first).await;
    let changes = Changes {
        checkpoint: at(2),
        cleared_bills: vec![
            samples::identity("202405", Category::Generic),
            samples::identity("209901", Category::Selected),
        ],
        bill_rows: vec![samples::bare_row("202405", 2)],
        ..Changes::default()
    };
    store.commit(&at(1), &changes).await.unwrap();
    for (period, left) in [("202405", changes.bill_rows), ("202406", vec![samples::bare_row("202406", 2)])] {
        assert_eq!(store.bill_rows(&samples::identity(period, Category::Generic), 0, 100).await.unwrap(), left);
    }
}

/// What is a seller's is read, replaced and taken away for no other.
pub async fn sellers_are_walls(place: &impl Place) {
    let (ours, theirs) = (samples::seller(), samples::other_seller());
    let mut both = changes(1);
    let their_line = crate::rows::LineRow { seller: theirs.clone(), ..samples::full_line("line 1") };
    both.lines.extend(by_id([their_line.clone()]));
    both.periods.push(PeriodRow { seller: theirs.clone(), ..samples::period(None, 4) });
    let store = begin(place, &both).await;
    assert_eq!(ids(&store, &everything()).await, ["line 1", "line 2"]);
    let gone = BTreeMap::from([((ours.clone(), "line 1".to_owned()), None)]);
    let periods = vec![samples::period(None, 0)];
    store.commit(&at(1), &Changes { checkpoint: at(2), lines: gone, periods, ..Changes::default() }).await.unwrap();
    let query = LineQuery { seller: theirs.clone(), ..everything() };
    assert_eq!(store.lines(&query).await.unwrap().value, [their_line]);
    assert_eq!(store.periods(&theirs).await.unwrap().value.len(), 1);
    assert_eq!(store.line(&ours, "line 1").await.unwrap().value, None);
    assert_eq!(store.bills(&theirs, None).await.unwrap().value, []);
    assert_eq!(store.lines_of_orders(&theirs, &[samples::order("CS-订单 1")]).await.unwrap().len(), 1);
    assert_eq!(store.rows_of_orders(&theirs, &[samples::order("CS-订单 1")]).await.unwrap(), []);
}

/// The checkpoint moves with the rows, from any to any.
pub async fn a_commit_moves_the_checkpoint_with_everything(place: &impl Place) {
    let store = begin(place, &changes(5)).await;
    assert_eq!(store.checkpoint().await.unwrap(), at(5));
    // Work that is done may move nothing but itself.
    let done = Checkpoint { work: String::new(), ..at(5) };
    store.commit(&at(5), &Changes { checkpoint: done.clone(), ..Changes::default() }).await.unwrap();
    assert_eq!(store.checkpoint().await.unwrap(), done);
    assert_eq!(ids(&store, &everything()).await, ["line 1", "line 2"]);
}

/// Who believes the views elsewhere writes nothing: not by position, nor by work, nor by log.
pub async fn a_commit_from_elsewhere_writes_nothing(place: &impl Place) {
    let store = begin(place, &changes(5)).await;
    let elsewhere = [
        Checkpoint::default(),
        at(4),
        Checkpoint { work: "other".into(), ..at(5) },
        Checkpoint { log: "another log".into(), ..at(5) },
    ];
    for expected in elsewhere {
        let mut other = changes(6);
        other.lines = by_id([samples::bare_line("line 3")]);
        other.cleared_bills = vec![samples::identity("202405", Category::Generic)];
        let refused = store.commit(&expected, &other).await;
        assert!(matches!(refused, Err(StoreError::Moved)), "{expected:?}: {refused:?}");
    }
    assert_eq!(store.checkpoint().await.unwrap(), at(5));
    assert_eq!(ids(&store, &everything()).await, ["line 1", "line 2"]);
    let rows = store.bill_rows(&samples::identity("202405", Category::Generic), 0, 100).await.unwrap();
    assert_eq!(rows.len(), 2);
}

/// Whoever lost the answer of a commit asks for the checkpoint; the same commit again is refused, not done twice.
pub async fn a_lost_answer_is_told_by_the_checkpoint(place: &impl Place) {
    let store = begin(place, &changes(5)).await;
    assert_eq!(place.open().await.checkpoint().await.unwrap(), at(5));
    let again = store.commit(&Checkpoint::default(), &changes(5)).await;
    assert!(matches!(again, Err(StoreError::Moved)), "{again:?}");
    assert_eq!(store.checkpoint().await.unwrap(), at(5));
}

/// Cleared views are as new ones, and take up from the start.
pub async fn clearing_takes_everything_away(place: &impl Place) {
    let store = begin(place, &changes(5)).await;
    store.clear().await.unwrap();
    super::new_views_are_at_the_start_and_empty(place).await;
    let rows = store.bill_rows(&samples::identity("202405", Category::Generic), 0, 100).await.unwrap();
    assert_eq!(rows, []);
    assert!(matches!(store.commit(&at(5), &changes(6)).await, Err(StoreError::Moved)));
    store.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    assert_eq!(store.checkpoint().await.unwrap(), at(1));
}

/// A commit of thousands of rows is there whole, and each row as it was written.
pub async fn a_big_commit_is_whole(place: &impl Place) {
    let store = place.open().await;
    let lines = by_id((0..5_000).map(|n| samples::full_line(&format!("line {n:05}"))));
    let bill_rows: Vec<_> = (2..3_002).map(|n| samples::full_row("202405", n)).collect();
    let documents = (0..3_000).map(|n| (samples::document("case", &format!("{n:05}")), Some(format!("[{n}]"))));
    let documents: BTreeMap<_, _> = documents.collect();
    let changes = Changes {
        checkpoint: at(1),
        lines: lines.clone(),
        bill_rows: bill_rows.clone(),
        documents: documents.clone(),
        ..Changes::default()
    };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    let read = store.lines(&everything()).await.unwrap().value;
    assert!(read.iter().eq(lines.values().flatten()));
    let identity = samples::identity("202405", Category::Generic);
    assert!(store.bill_rows(&identity, 0, 10_000).await.unwrap() == bill_rows);
    let keys: Vec<_> = documents.keys().cloned().collect();
    assert_eq!(store.documents(&keys).await.unwrap().len(), 3_000);
    let gone = lines.into_keys().map(|key| (key, None)).collect();
    store.commit(&at(1), &Changes { checkpoint: at(2), lines: gone, ..Changes::default() }).await.unwrap();
    assert_eq!(ids(&store, &everything()).await, [""; 0]);
}
