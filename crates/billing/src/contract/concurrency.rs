//! Promises about what happens at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chopmark_log::Position;

use super::{Place, at, by_id, changes, everything, ids, samples};
use crate::store::{BillingStore, Changes, Checkpoint, StoreError};

/// Readers beside a writer see the lines of the position that they are told, all of them and no others.
pub async fn readers_see_whole_transactions(place: &impl Place) {
    let writer = place.open().await;
    let reads = [0, 1].map(|_| Arc::new(AtomicUsize::new(0)));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = vec![];
    for reads in reads.clone() {
        readers.push(tokio::spawn(read_until(place.open().await, Arc::clone(&is_over), reads)));
    }
    let mut expected = Checkpoint::default();
    let has_read_enough = |reads: &Arc<AtomicUsize>| reads.load(Ordering::SeqCst) >= READS;
    // A reader that failed reads no more.
    while !reads.iter().all(has_read_enough) && !readers.iter().any(tokio::task::JoinHandle::is_finished) {
        let round = expected.position.0 + 1;
        let line = |n: usize| {
            let mut line = samples::bare_line(&format!("{n:03}"));
            line.case = round.to_string();
            line
        };
        let lines = by_id((0..LINES).map(line));
        writer.commit(&expected, &Changes { checkpoint: at(round), lines, ..Changes::default() }).await.unwrap();
        expected = at(round);
    }
    writer.clear().await.unwrap();
    is_over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}

/// Lines of each transaction.
const LINES: usize = 50;

/// How often a reader reads beside the writer.
const READS: usize = 30;

/// Reads on and on.
async fn read_until(store: Arc<dyn BillingStore>, is_over: Arc<AtomicBool>, reads: Arc<AtomicUsize>) {
    while !is_over.load(Ordering::SeqCst) {
        let read = store.lines(&everything()).await.unwrap();
        let wanted = if read.position == Position::START { 0 } else { LINES };
        assert_eq!(read.value.len(), wanted, "all lines or none");
        let of_position = read.position.0.to_string();
        assert!(read.value.iter().all(|row| row.case == of_position), "all lines of one position");
        reads.fetch_add(1, Ordering::SeqCst);
    }
}

/// Of several that go on from one checkpoint, one does; the others are told so.
pub async fn of_racing_commits_one_wins(place: &impl Place) {
    let mut expected = Checkpoint::default();
    for round in 1..=5 {
        let mut racers = vec![];
        for racer in 0..4 {
            let (store, expected) = (place.open().await, expected.clone());
            racers.push(tokio::spawn(async move {
                let checkpoint = Checkpoint { work: format!("of racer {racer}"), ..at(round) };
                let lines = by_id([samples::bare_line(&format!("{round} of racer {racer}"))]);
                let committed = store.commit(&expected, &Changes { checkpoint, lines, ..Changes::default() }).await;
                assert!(matches!(committed, Ok(()) | Err(StoreError::Moved)), "{committed:?}");
                committed.is_ok()
            }));
        }
        let mut winners = 0;
        for racer in racers {
            winners += usize::from(racer.await.unwrap());
        }
        assert_eq!(winners, 1);
        let store = place.open().await;
        expected = store.checkpoint().await.unwrap();
        let lines = ids(&store, &everything()).await;
        assert_eq!(lines.len(), usize::try_from(round).unwrap());
        assert_eq!(lines.last().cloned(), Some(format!("{round} {}", expected.work)));
    }
}

/// What one process wrote, another one reads and goes on from.
pub async fn two_openings_share_one_state(place: &impl Place) {
    let (one, other) = (place.open().await, place.open().await);
    one.commit(&Checkpoint::default(), &changes(1)).await.unwrap();
    assert_eq!(other.checkpoint().await.unwrap(), at(1));
    assert!(matches!(other.commit(&Checkpoint::default(), &changes(2)).await, Err(StoreError::Moved)));
    other.commit(&at(1), &changes(2)).await.unwrap();
    assert_eq!(one.lines(&everything()).await.unwrap().position, at(2).position);
}
