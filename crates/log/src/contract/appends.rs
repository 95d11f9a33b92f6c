//! Promises about appends.

use std::sync::Arc;

use super::{LosesAnswers, Place, begin, event, events, ids, stream, texts, whole_log, whole_stream};
use crate::event_log::{AppendError, EventLog};
use crate::record::{Expected, NewEvent, Revision};

/// An append that expects no stream begins one, at revision 0.
pub async fn a_stream_begins_where_none_is_expected(place: &impl Place) {
    let log = place.open().await;
    let appended = log.append(&stream("a"), Expected::NoStream, vec![event("first")]).await.unwrap();
    assert_eq!(appended.revision, Revision(0));
    assert_eq!(log.head().await.unwrap(), appended.position);
    assert_eq!(texts(&whole_stream(&log, "a").await), ["first"]);
}

/// The next event of a stream has the next revision, and every later event of the log a greater position.
pub async fn revisions_count_up_and_positions_grow(place: &impl Place) {
    let log = place.open().await;
    let mut last = begin(&log, "a", 1).await;
    for round in 1..20 {
        let other = begin(&log, &format!("other {round}"), 2).await;
        assert!(other.position > last.position);
        let next = log.append(&stream("a"), Expected::Exact(last.revision), vec![event("next")]).await.unwrap();
        assert_eq!(next.revision, Revision(round));
        assert!(next.position > other.position);
        last = next;
    }
    let revisions: Vec<_> = whole_stream(&log, "a").await.iter().map(|record| record.revision.0).collect();
    assert_eq!(revisions, (0..20).collect::<Vec<_>>());
}

/// An append whose expectation does not hold is a conflict, which stores nothing and names the right revision or none.
pub async fn a_wrong_expectation_is_a_conflict_and_stores_nothing(place: &impl Place) {
    let log = place.open().await;
    begin(&log, "a", 3).await;
    let before = whole_log(&log, 100).await;
    let wrong = [
        ("a", Expected::NoStream, Some(Revision(2))),
        ("a", Expected::Exact(Revision(0)), Some(Revision(2))),
        ("a", Expected::Exact(Revision(1)), Some(Revision(2))),
        ("a", Expected::Exact(Revision(3)), Some(Revision(2))),
        ("a", Expected::Exact(Revision(u64::MAX)), Some(Revision(2))),
        ("absent", Expected::Exact(Revision(0)), None),
        ("absent", Expected::Exact(Revision(7)), None),
    ];
    for (name, expected, last) in wrong {
        match log.append(&stream(name), expected, events(2)).await {
            Err(AppendError::Conflict { stream, current }) => {
                assert_eq!(stream.as_str(), name);
                assert!(current.is_none() || current == last, "{current:?} is not the current revision of {name}");
            }
            other => unreachable!("{name} {expected:?} must be a conflict, not {other:?}"),
        }
    }
    assert_eq!(whole_log(&log, 100).await, before);
    assert_eq!(whole_stream(&log, "absent").await, []);
}

/// The events of one append stand next to each other, in their order; those of a refused one are nowhere.
pub async fn an_append_of_several_events_is_stored_whole_or_not_at_all(place: &impl Place) {
    let log = place.open().await;
    let mut appends = Vec::new();
    for round in 0..8 {
        let name = stream(&format!("stream {round}"));
        let log = Arc::clone(&log);
        appends.push(tokio::spawn(async move {
            let first = events(5);
            let appended = log.append(&name, Expected::NoStream, first.clone()).await.unwrap();
            let refused = log.append(&name, Expected::NoStream, events(3)).await;
            assert!(matches!(refused, Err(AppendError::Conflict { .. })));
            (first, appended)
        }));
    }
    let mut expected = Vec::new();
    for append in appends {
        expected.push(append.await.unwrap());
    }
    let records = whole_log(&log, 100).await;
    assert_eq!(records.len(), 40);
    for (events, appended) in expected {
        let end = records.iter().position(|record| record.position == appended.position).unwrap() + 1;
        let together = &records[end - 5..end];
        assert_eq!(ids(together), events.iter().map(|event| event.id).collect::<Vec<_>>());
        assert_eq!(together.last().unwrap().revision, appended.revision);
    }
}

/// There is no append without events.
pub async fn an_append_without_events_is_invalid(place: &impl Place) {
    let log = place.open().await;
    let answer = log.append(&stream("a"), Expected::NoStream, Vec::new()).await;
    assert!(matches!(answer, Err(AppendError::Invalid { .. })), "{answer:?}");
}

/// An append of the same events at the same place is answered as the first time, whatever came after it, and stores
/// nothing.
pub async fn an_append_repeated_is_answered_as_the_first_time(place: &impl Place) {
    let log = place.open().await;
    let (first, second) = (events(2), events(3));
    let name = stream("a");
    let at_first = log.append(&name, Expected::NoStream, first.clone()).await.unwrap();
    assert_eq!(log.append(&name, Expected::NoStream, first.clone()).await.unwrap(), at_first);
    begin(&log, "between", 1).await;
    let at_second = log.append(&name, Expected::Exact(Revision(1)), second.clone()).await.unwrap();
    let before = whole_log(&log, 100).await;
    assert_eq!(log.append(&name, Expected::NoStream, first.clone()).await.unwrap(), at_first);
    assert_eq!(log.append(&name, Expected::Exact(Revision(1)), second.clone()).await.unwrap(), at_second);
    drop(log);
    let log = place.open().await;
    assert_eq!(log.append(&name, Expected::NoStream, first).await.unwrap(), at_first);
    assert_eq!(log.append(&name, Expected::Exact(Revision(1)), second).await.unwrap(), at_second);
    assert_eq!(whole_log(&log, 100).await, before);
}

/// Events of which only some are those stored at that place are other events.
pub async fn other_events_at_the_same_place_are_a_conflict(place: &impl Place) {
    let log = place.open().await;
    let name = stream("a");
    let stored = events(3);
    log.append(&name, Expected::NoStream, stored.clone()).await.unwrap();
    let new = event("new");
    let other: [(Expected, Vec<NewEvent>); 5] = [
        (Expected::NoStream, vec![new.clone()]),
        (Expected::NoStream, vec![stored[0].clone(), new.clone()]),
        (Expected::NoStream, [stored.clone(), vec![new]].concat()),
        (Expected::NoStream, vec![stored[1].clone(), stored[0].clone()]),
        (Expected::Exact(Revision(0)), stored.clone()),
    ];
    for (expected, events) in other {
        let answer = log.append(&name, expected, events).await;
        assert!(matches!(answer, Err(AppendError::Conflict { .. })), "{answer:?}");
    }
    assert_eq!(whole_stream(&log, "a").await.len(), 3);
}

/// Whoever lost an answer appends again, and learns where the events stand, or that others were first.
pub async fn a_lost_answer_is_settled_by_appending_again(place: &impl Place) {
    let inner = place.open().await;
    let log = LosesAnswers::new(Arc::clone(&inner));
    let name = stream("a");
    let mine = events(2);
    log.lose_next(2);
    for _ in 0..2 {
        let lost = log.append(&name, Expected::NoStream, mine.clone()).await;
        assert!(matches!(lost, Err(AppendError::Unknown { .. })));
    }
    assert_eq!(log.append(&name, Expected::NoStream, mine.clone()).await.unwrap().revision, Revision(1));
    log.lose_next(1);
    let late = events(1);
    assert!(log.append(&name, Expected::NoStream, late.clone()).await.is_err());
    let answer = log.append(&name, Expected::NoStream, late).await;
    assert!(matches!(answer, Err(AppendError::Conflict { .. })), "{answer:?}");
    assert_eq!(whole_stream(&inner, "a").await.len(), 2);
}

/// Nothing that was acknowledged goes, and nothing comes twice, when a log is closed and opened again.
pub async fn what_was_acknowledged_is_there_after_reopening(place: &impl Place) {
    let mut before = Vec::new();
    for round in 0..4 {
        let log = place.open().await;
        assert_eq!(whole_log(&log, 3).await, before);
        begin(&log, &format!("stream {round}"), 5).await;
        before = whole_log(&log, 100).await;
        assert_eq!(before.len(), 5 * (round + 1));
        assert_eq!(log.head().await.unwrap(), before.last().unwrap().position);
    }
}
