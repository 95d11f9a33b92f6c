//! Promises about reads.

use chrono::{DateTime, SubsecRound};
use uuid::Uuid;

use super::{Place, begin, check_page, event, ids, stream, texts, whole_log, whole_stream};
use crate::record::{Expected, NewEvent, Position, Revision, STREAM_NAME_MAX};

/// Names, kinds, ids and bytes come back as they went in, by stream and by position.
pub async fn records_are_read_back_as_they_were_written(place: &impl Place) {
    let log = place.open().await;
    let longest = "é".repeat(STREAM_NAME_MAX / 2);
    let names = ["a", "instance-acme/0b9c7a1e", "code-华为/授权码 '\"%_\\;--", "🜚", &longest];
    let all_bytes: Vec<u8> = (0..=255).collect();
    for name in names {
        let written: Vec<_> = [
            (&all_bytes, &b""[..]),
            (&Vec::new(), &all_bytes),
            (&vec![0; 100_000], b"{}"),
            (&"{\"name\":\"北京\"}".into(), b"\xff\xfe"),
        ]
        .into_iter()
        .enumerate()
        .map(|(n, (data, metadata))| NewEvent {
            id: if n == 0 { Uuid::nil() } else { Uuid::now_v7() },
            kind: format!("kind-é.v{n}").into(),
            data: data.clone(),
            metadata: metadata.to_vec(),
        })
        .collect();
        log.append(&stream(name), Expected::NoStream, written.clone()).await.unwrap();
        let records = whole_stream(&log, name).await;
        assert_eq!(records.len(), written.len());
        for (record, event) in records.iter().zip(&written) {
            assert_eq!(record.stream.as_str(), name);
            assert_eq!((record.id, record.kind.as_str()), (event.id, &*event.kind));
            assert_eq!((&record.data, &record.metadata), (&event.data, &event.metadata));
            assert_eq!(record.recorded_at, record.recorded_at.trunc_subsecs(6), "whole microseconds");
        }
        let by_position = whole_log(&log, 100).await;
        assert_eq!(by_position[by_position.len() - written.len()..], records);
    }
}

/// Names that differ only a little are different streams, and one that has no events has no records.
pub async fn a_stream_that_does_not_exist_has_no_records(place: &impl Place) {
    let log = place.open().await;
    assert_eq!(whole_stream(&log, "a").await, []);
    begin(&log, "a", 1).await;
    for name in ["A", "a ", " a", "á", "aa", "%", "_"] {
        assert_eq!(whole_stream(&log, name).await, [], "{name:?}");
    }
}

/// A read of a stream begins at its revision and has all records there are, up to its limit.
pub async fn a_stream_is_read_from_a_revision_up_to_a_limit(place: &impl Place) {
    let log = place.open().await;
    begin(&log, "before", 3).await;
    begin(&log, "a", 10).await;
    begin(&log, "after", 3).await;
    let all = ids(&whole_stream(&log, "a").await);
    for from in 0..12 {
        for limit in [0, 1, 3, 10, 11, usize::MAX] {
            let records = log.read_stream(&stream("a"), Revision(from as u64), limit).await.unwrap();
            let expected: Vec<_> = all.iter().copied().skip(from).take(limit).collect();
            assert_eq!(ids(&records), expected, "from {from}, at most {limit}");
        }
    }
    assert_eq!(log.read_stream(&stream("a"), Revision(u64::MAX), 1).await.unwrap(), []);
}

/// Pages of any size lead through the same records in the same order.
pub async fn the_log_is_read_in_order_and_without_gaps(place: &impl Place) {
    let log = place.open().await;
    let mut written = Vec::new();
    for round in 0..10 {
        for name in ["a", "b", "c"] {
            let expected = if round == 0 { Expected::NoStream } else { Expected::Exact(Revision(round - 1)) };
            let text = format!("{name} {round}");
            log.append(&stream(name), expected, vec![event(&text)]).await.unwrap();
            written.push(text);
        }
    }
    for limit in [1, 2, 7, 30, 31, 1000] {
        let records = whole_log(&log, limit).await;
        assert_eq!(texts(&records), written, "in pages of {limit}");
    }
    for record in whole_log(&log, 1000).await {
        let page = log.read_all(record.position, 1000).await.unwrap();
        assert!(page.records.iter().all(|later| later.position > record.position));
    }
}

/// An empty log has its head at the start; at and after the head there is an empty page.
pub async fn after_the_head_there_is_nothing(place: &impl Place) {
    let log = place.open().await;
    assert_eq!(log.head().await.unwrap(), Position::START);
    let page = log.read_all(Position::START, 10).await.unwrap();
    assert!(page.records.is_empty() && page.at_head);
    let last = begin(&log, "a", 3).await.position;
    assert_eq!(log.head().await.unwrap(), last);
    for after in [last, Position(last.0 + 1000)] {
        let page = log.read_all(after, 10).await.unwrap();
        assert!(page.records.is_empty() && page.at_head);
        check_page(&page, after);
    }
}

/// Along the log, and over reopening, time stands still or goes on.
pub async fn recorded_at_never_goes_back(place: &impl Place) {
    for round in 0..3 {
        let log = place.open().await;
        for n in 0..20 {
            begin(&log, &format!("stream {round} {n}"), 2).await;
        }
    }
    let log = place.open().await;
    let mut last = DateTime::UNIX_EPOCH;
    for record in whole_log(&log, 1000).await {
        assert!(record.recorded_at >= last);
        last = record.recorded_at;
    }
}
