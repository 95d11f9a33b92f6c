//! Promises that hold when many do things at once.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Place, begin, check_page, event, events, ids, stream, whole_log, whole_stream};
use crate::event_log::AppendError;
use crate::follower::Follower;
use crate::record::{Expected, Position, Record, Revision};

const RACERS: usize = 64;

/// Of appends to the same place exactly one is stored; the others are told so.
pub async fn racing_appends_have_one_winner_for_each_revision(place: &impl Place) {
    let log = place.open().await;
    for round in 0..10 {
        let expected = if round == 0 { Expected::NoStream } else { Expected::Exact(Revision(round - 1)) };
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| {
                let log = Arc::clone(&log);
                let event = event(&format!("round {round}, racer {racer}"));
                tokio::spawn(async move { (event.id, log.append(&stream("a"), expected, vec![event]).await) })
            })
            .collect();
        let mut winners = Vec::new();
        for racer in racers {
            match racer.await.unwrap() {
                (id, Ok(appended)) => {
                    assert_eq!(appended.revision, Revision(round));
                    winners.push(id);
                }
                (_, Err(error)) => assert!(matches!(error, AppendError::Conflict { .. }), "{error:?}"),
            }
        }
        let stored = log.read_stream(&stream("a"), Revision(round), 10).await.unwrap();
        assert_eq!(ids(&stored), winners, "one winner in round {round}, and it is stored");
    }
}

/// The same append, sent many times at once, is stored once and has one answer.
pub async fn racing_repeats_of_one_append_store_it_once(place: &impl Place) {
    let log = place.open().await;
    let mine = events(3);
    let racers: Vec<_> = (0..RACERS)
        .map(|_| {
            let (log, mine) = (Arc::clone(&log), mine.clone());
            tokio::spawn(async move { log.append(&stream("a"), Expected::NoStream, mine).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.unwrap());
    }
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    assert_eq!(ids(&whole_stream(&log, "a").await), mine.iter().map(|event| event.id).collect::<Vec<_>>());
}

/// Whoever follows a log while many append sees every event once, in the order of the log, and streams without gaps.
pub async fn a_follower_misses_nothing_while_others_append(place: &impl Place) {
    const EACH: u64 = 25;
    let log = place.open().await;
    let (tell_end, end) = watch::channel(None);
    let followers: Vec<_> = [1, 7, 1000]
        .into_iter()
        .map(|limit| {
            let follower = Follower::new(Arc::clone(&log), Position::START);
            tokio::spawn(follow(follower, limit, end.clone()))
        })
        .collect();
    let writers: Vec<_> = (0..RACERS)
        .map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let name = stream(&format!("stream {writer}"));
                for round in 0..EACH {
                    let expected = if round == 0 { Expected::NoStream } else { Expected::Exact(Revision(round - 1)) };
                    log.append(&name, expected, vec![event("more")]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    tell_end.send_replace(Some(log.head().await.unwrap()));
    let all = whole_log(&log, 1000).await;
    for follower in followers {
        assert_eq!(follower.await.unwrap(), all);
    }
}

/// What a follower sees until it has reached the end, once that is told.
async fn follow(mut follower: Follower, limit: usize, mut end: watch::Receiver<Option<Position>>) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let before = follower.position();
        if end.borrow_and_update().is_some_and(|end| before >= end) {
            return records;
        }
        tokio::select! {
            page = follower.next(limit) => {
                let page = page.unwrap();
                check_page(&page, before);
                assert_eq!(follower.position(), page.reached);
                records.extend(page.records);
            }
            told = end.changed() => told.unwrap(),
        }
    }
}

/// A follower's first page at the head comes even if it is empty; the next one comes when there is something.
pub async fn a_follower_tells_that_it_has_caught_up_and_then_waits(place: &impl Place) {
    let log = place.open().await;
    let mut follower = Follower::new(Arc::clone(&log), Position::START);
    let page = follower.next(10).await.unwrap();
    assert!(page.records.is_empty() && page.at_head);
    let waiting = tokio::spawn(async move { follower.next(10).await.unwrap() });
    let appended = begin(&log, "a", 1).await;
    assert_eq!(waiting.await.unwrap().records[0].position, appended.position);
}

/// Whoever waits for an event after the head is woken by the append of one, and not made to wait for one that is there.
pub async fn changed_wakes_who_waits_for_it(place: &impl Place) {
    let log = place.open().await;
    let first = begin(&log, "a", 1).await.position;
    log.changed(Position::START).await.unwrap();
    let waiting = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            while log.head().await.unwrap() == first {
                log.changed(first).await.unwrap();
            }
        })
    };
    tokio::task::yield_now().await;
    begin(&log, "b", 1).await;
    waiting.await.unwrap();
}
