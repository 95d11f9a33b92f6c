//! Records of another log, taken over in their order.

use super::{EventstoreLog, form};
use crate::event_log::{AppendError, ReadError};
use crate::limits::{self, EVENTS_MAX};
use crate::record::{Expected, NewEvent, Position, Record, Revision};

/// The most bytes of records that are appended together: below what servers take at once.
const BYTES_MAX: usize = 512 * 1024;

impl EventstoreLog {
    /// Takes records over, neighbours of one stream together.
    pub(super) async fn take_over(&self, records: &[Record]) -> Result<Position, AppendError> {
        let last_record = self
            .read(|shared| async move { shared.reader.last_record().await })
            .await
            .map_err(|error| unavailable(&error))?;
        let mut last_time = last_record.map(|record| record.recorded_at);
        let mut last = Position::START;
        for together in neighbours(records) {
            for record in together {
                check(record)?;
                if last_time.is_some_and(|time| record.recorded_at < time) && !self.has(record).await? {
                    let at = record.recorded_at.to_rfc3339();
                    let reason = format!("event {} was recorded {at}, before what the log ends with", record.id);
                    return Err(AppendError::Invalid { reason });
                }
                last_time = last_time.max(Some(record.recorded_at));
            }
            let (Some(first), events) = (together.first(), together.iter().map(form::imported_to_server).collect())
            else {
                continue;
            };
            let expected =
                first.revision.0.checked_sub(1).map_or(Expected::NoStream, |before| Expected::Exact(Revision(before)));
            last = self.settle(&first.stream, expected, events).await?.position;
        }
        Ok(last)
    }

    /// Whether a record is in its place already. Another one there is a conflict.
    async fn has(&self, record: &Record) -> Result<bool, AppendError> {
        let (stream, revision) = (record.stream.clone(), record.revision);
        let read = self.read(|shared| async move { shared.reader.stream(&stream, revision, 1).await });
        match read.await.map_err(|error| unavailable(&error))?.first() {
            Some(found) if found.id == record.id => Ok(true),
            Some(_) => Err(AppendError::Conflict { stream: record.stream.clone(), current: None }),
            None => Ok(false),
        }
    }
}

fn unavailable(error: &ReadError) -> AppendError {
    AppendError::Unavailable { reason: error.to_string() }
}

/// What an append would refuse, an import refuses.
fn check(record: &Record) -> Result<(), AppendError> {
    let event = NewEvent {
        id: record.id,
        kind: record.kind.clone().into(),
        data: record.data.clone(),
        metadata: record.metadata.clone(),
    };
    let event = [event];
    limits::check(&event)?;
    form::check(&record.stream, &event)
}

/// Runs of records that follow one another in one stream, each within the limits of an append.
fn neighbours(records: &[Record]) -> impl Iterator<Item = &[Record]> {
    let mut bytes = 0;
    let mut count = 0;
    records.chunk_by(move |one, next| {
        bytes += one.data.len() + one.metadata.len() * 4 / 3;
        count += 1;
        let follows = one.stream == next.stream && one.revision.0 + 1 == next.revision.0;
        let has_room = count < EVENTS_MAX && bytes + next.data.len() + next.metadata.len() * 4 / 3 < BYTES_MAX;
        if !(follows && has_room) {
            (bytes, count) = (0, 0);
        }
        follows && has_room
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::record::StreamName;

    fn record(stream: &str, revision: u64, bytes: usize) -> Record {
        Record {
            id: Uuid::now_v7(),
            stream: StreamName::new(stream).unwrap(),
            revision: Revision(revision),
            position: Position::START,
            kind: "said.v1".into(),
            data: vec![0; bytes],
            metadata: Vec::new(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_neighbours_of_one_stream_go_together_and_not_too_many() {
        let mut records =
            vec![record("a", 0, 1), record("a", 1, 1), record("b", 0, 1), record("a", 2, 1), record("a", 4, 1)];
        records.extend([record("c", 0, 400_000), record("c", 1, 100_000), record("c", 2, 100_000)]);
        records.extend((0..1001).map(|revision| record("d", revision, 0)));
        let sizes: Vec<_> = neighbours(&records).map(<[Record]>::len).collect();
        assert_eq!(sizes, [2, 1, 1, 1, 2, 1, 1000, 1]);
    }
}
