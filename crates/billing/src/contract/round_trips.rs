//! Promises about what is read back.

use std::collections::BTreeMap;

use chopmark_domain::settlement::product::Category;

use super::{Place, at, by_id, changes, everything, ids, samples};
use crate::rows::{AgeRow, PeriodRow};
use crate::store::{Changes, Checkpoint};

/// Views that were just made are at the start, and nothing is in them.
pub async fn new_views_are_at_the_start_and_empty(place: &impl Place) {
    let store = place.open().await;
    assert_eq!(store.checkpoint().await.unwrap(), Checkpoint::default());
    let lines = store.lines(&everything()).await.unwrap();
    assert_eq!((lines.position, lines.value), (Checkpoint::default().position, vec![]));
    assert_eq!(store.line(&samples::seller(), "line 1").await.unwrap().value, None);
    assert_eq!(store.periods(&samples::seller()).await.unwrap().value, []);
    assert_eq!(store.ages(&samples::seller(), None).await.unwrap().value, []);
    assert_eq!(store.closed(&samples::seller()).await.unwrap().value, []);
    assert_eq!(store.adjustments(&samples::seller()).await.unwrap().value, []);
    assert_eq!(store.bills(&samples::seller(), None).await.unwrap().value, []);
    assert_eq!(store.documents(&[samples::document("case", "one")]).await.unwrap(), BTreeMap::new());
}

/// Lines are read back equal: every field, every digit, every letter.
pub async fn lines_are_read_back_to_the_last_digit(place: &impl Place) {
    let store = place.open().await;
    let (full, bare) = (samples::full_line(AWKWARD_ID), samples::bare_line("bare"));
    let lines = by_id([full.clone(), bare.clone()]);
    store.commit(&Checkpoint::default(), &Changes { checkpoint: at(1), lines, ..Changes::default() }).await.unwrap();
    let read = store.lines(&everything()).await.unwrap();
    assert_eq!(read.position, at(1).position);
    assert_eq!(read.value, [bare.clone(), full.clone()]);
    // Equal numbers may have other digits behind the point, and a bill shows them.
    assert_eq!(serde_json::to_string(&read.value).unwrap(), serde_json::to_string(&[bare, full.clone()]).unwrap());
    assert_eq!(store.line(&samples::seller(), AWKWARD_ID).await.unwrap().value, Some(full));
}

/// What an operator may call an adjustment.
const AWKWARD_ID: &str = "调整/202405/'é\" %_\\ \u{1F9FE}";

/// So is everything else.
pub async fn every_other_row_is_read_back_as_it_was_written(place: &impl Place) {
    let store = place.open().await;
    let written = changes(3);
    store.commit(&Checkpoint::default(), &written).await.unwrap();
    let seller = samples::seller();
    let periods = store.periods(&seller).await.unwrap();
    assert_eq!(periods.position, at(3).position);
    assert_eq!(periods.value, [written.periods[1].clone(), written.periods[0].clone()]);
    let ages = store.ages(&seller, None).await.unwrap();
    assert_eq!(ages.position, at(3).position);
    assert_eq!(ages.value, [written.ages[1].clone(), written.ages[0].clone()]);
    let closed = store.closed(&seller).await.unwrap();
    assert_eq!((closed.position, closed.value), (at(3).position, written.closed));
    let adjustments = store.adjustments(&seller).await.unwrap();
    assert_eq!((adjustments.position, adjustments.value), (at(3).position, written.adjustments));
    let bills = store.bills(&seller, None).await.unwrap();
    assert_eq!((bills.position, bills.value), (at(3).position, written.bills));
    let rows = store.bill_rows(&samples::identity("202405", Category::Generic), 0, 100).await.unwrap();
    assert_eq!(rows, written.bill_rows);
}

/// Documents and the checkpoint's texts are opaque, and come back letter by letter.
pub async fn documents_are_read_back_letter_by_letter(place: &impl Place) {
    let store = place.open().await;
    let texts =
        ["", "{ \"b\": 1.50,\n\"a\": \"\\u0000\", \"a\": 2 }", "\"结算 \u{1F9FE} ％\"", &"long ".repeat(100_000)];
    let named = |(n, text): (usize, &&str)| (samples::document("case", &format!("{n} {text:.10}")), (*text).to_owned());
    let documents: BTreeMap<_, _> = texts.iter().enumerate().map(named).collect();
    let checkpoint = Checkpoint { work: "工作 ' \"".into(), log: "日志 {}".into(), ..at(9) };
    let written = documents.iter().map(|(key, text)| (key.clone(), Some(text.clone()))).collect();
    let changes = Changes { checkpoint: checkpoint.clone(), documents: written, ..Changes::default() };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    let mut keys: Vec<_> = documents.keys().cloned().collect();
    keys.push(samples::document("case", "not there"));
    keys.push(samples::document("line", "0 "));
    assert_eq!(store.documents(&keys).await.unwrap(), documents);
    assert_eq!(store.checkpoint().await.unwrap(), checkpoint);
    store.commit(&checkpoint, &Changes { checkpoint: at(10), ..Changes::default() }).await.unwrap();
}

/// Names are compared byte by byte: neither case nor blanks nor the way an accent is written makes two names one.
pub async fn texts_that_look_alike_stay_apart(place: &impl Place) {
    let store = place.open().await;
    let names = ["line", "LINE", "line ", "\u{e9}", "e\u{301}", "ﬁ", "fi", "1", "01", "1.0"];
    let lines = by_id(names.map(samples::bare_line));
    let documents = names.map(|name| (samples::document("case", name), Some(name.to_owned()))).into();
    let changes = Changes { checkpoint: at(1), lines, documents, ..Changes::default() };
    store.commit(&Checkpoint::default(), &changes).await.unwrap();
    let mut sorted = names.map(str::to_owned);
    sorted.sort();
    assert_eq!(ids(&store, &everything()).await, sorted);
    let keys = names.map(|name| samples::document("case", name));
    let found = store.documents(&keys).await.unwrap();
    assert_eq!(found.len(), names.len());
    assert!(found.iter().all(|(key, document)| key.name == *document));
}

/// A row with the key of another replaces it whole.
pub async fn what_is_written_again_takes_the_place_of_what_was_there(place: &impl Place) {
    let store = place.open().await;
    let first = changes(1);
    store.commit(&Checkpoint::default(), &first).await.unwrap();
    let mut second = changes(2);
    second.lines = by_id([samples::bare_line("line 1"), samples::full_line("line 2")]);
    second.documents = first.documents.keys().map(|key| (key.clone(), Some("2".to_owned()))).collect();
    second.periods = first.periods.iter().map(|row| PeriodRow { lines: 9, ..row.clone() }).collect();
    second.ages = first.ages.iter().map(|row| AgeRow { lines: 9, ..row.clone() }).collect();
    second.adjustments[0].adjustment.note.clear();
    second.bills[0].judgements.clear();
    second.bill_rows[0].row.invoice_no = None;
    store.commit(&first.checkpoint, &second).await.unwrap();
    let seller = samples::seller();
    let lines: Vec<_> = second.lines.into_values().flatten().collect();
    assert_eq!(store.lines(&everything()).await.unwrap().value, lines);
    let documents = store.documents(&first.documents.into_keys().collect::<Vec<_>>()).await.unwrap();
    assert!(documents.values().all(|document| document == "2") && documents.len() == 1);
    let periods = store.periods(&seller).await.unwrap().value;
    assert!(periods.iter().all(|row| row.lines == 9) && periods.len() == 2);
    let ages = store.ages(&seller, None).await.unwrap().value;
    assert!(ages.iter().all(|row| row.lines == 9) && ages.len() == 2);
    assert_eq!(store.adjustments(&seller).await.unwrap().value, second.adjustments);
    assert_eq!(store.bills(&seller, None).await.unwrap().value, second.bills);
    let rows = store.bill_rows(&samples::identity("202405", Category::Generic), 0, 100).await.unwrap();
    assert_eq!(rows, second.bill_rows);
}
