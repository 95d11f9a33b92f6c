//! Records as the server keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use eventstore::{EventData, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::event_log::{AppendError, ReadError};
use crate::record::{NewEvent, Position, Record, Revision, StreamName};

/// With what the server's own kinds and streams begin.
const SYSTEM: char = '$';
/// With what kinds of this engine begin, which are no records of the log.
const OWN: char = '#';
/// Which kinds are records of the log, for the server to sort out.
pub(super) const RECORDS_REGEX: &str = "^[^$#]";

/// What stands for the nil id, which the server does not take.
const STAND_IN: Uuid = Uuid::from_u128(0x5f1c_7a0e_9d0b_8e1a_8c3d_6e69_6c00_0000);

/// With what the metadata of imported records begins.
const IMPORTED: &str = "{\"$chopmark.imported\":";

/// Metadata of a record that comes from another log.
#[derive(Serialize, Deserialize)]
struct Wrapped {
    #[serde(rename = "$chopmark.imported")]
    imported: Imported,
    metadata_base64: String,
}

#[derive(Serialize, Deserialize)]
struct Imported {
    recorded_at: DateTime<Utc>,
}

/// Whether an event of that kind is a record of the log.
pub(super) fn is_record(kind: &str) -> bool {
    !kind.starts_with([SYSTEM, OWN])
}

/// Refuses what the server would take for its own.
pub(super) fn check(stream: &StreamName, events: &[NewEvent]) -> Result<(), AppendError> {
    let invalid = |reason| Err(AppendError::Invalid { reason });
    if is_of_server(stream) {
        return invalid(format!("stream {stream} would be the server's: it begins with {SYSTEM}"));
    }
    for NewEvent { id, kind, metadata, .. } in events {
        if kind.is_empty() || !is_record(kind) {
            return invalid(format!(
                "event {id} is of kind {kind:?}: kinds are not empty, and begin with neither $ nor #"
            ));
        }
        if *id == STAND_IN || metadata.starts_with(IMPORTED.as_bytes()) {
            return invalid(format!("event {id} has an id or metadata that are kept for other uses"));
        }
    }
    Ok(())
}

/// Whether a stream is one of the server's. To the log there is none such.
pub(super) fn is_of_server(stream: &StreamName) -> bool {
    stream.as_str().starts_with(SYSTEM)
}

/// An event for the server. JSON is said to be JSON, so that the server's own console shows it.
pub(super) fn to_server(event: NewEvent) -> EventData {
    let json: Option<EventData> = serde_json::from_slice::<&RawValue>(&event.data)
        .ok()
        .filter(|json| json.get().len() == event.data.len())
        .and_then(|json| EventData::json(&event.kind, &json).ok());
    let data = json.unwrap_or_else(|| EventData::binary(&event.kind, event.data.into()));
    let id = if event.id.is_nil() { STAND_IN } else { event.id };
    data.id(id).metadata(event.metadata.into())
}

/// A record of another log for the server, with the time when that one took it.
pub(super) fn imported_to_server(record: &Record) -> EventData {
    let wrapped = Wrapped {
        imported: Imported { recorded_at: record.recorded_at },
        metadata_base64: STANDARD.encode(&record.metadata),
    };
    let event =
        |metadata| NewEvent { id: record.id, kind: record.kind.clone().into(), data: record.data.clone(), metadata };
    let plain = to_server(event(Vec::new()));
    // Two texts and a time always make JSON.
    plain.clone().metadata_as_json(&wrapped).unwrap_or(plain)
}

/// A record as the server tells it.
pub(super) fn from_server(event: RecordedEvent) -> Result<Record, ReadError> {
    let position = Position(event.position.commit);
    let damaged = |reason: String| ReadError::Damaged { position, reason };
    if position.0 == u64::MAX {
        let reason = "the server does not tell positions of the events of a stream: 22.10 or later is needed".into();
        return Err(ReadError::Unavailable { reason });
    }
    let (recorded_at, metadata) = match unwrapped(&event.custom_metadata) {
        Some((recorded_at, metadata)) => (recorded_at, metadata),
        None => {
            let ticks = event.metadata.get("created").and_then(|ticks| ticks.parse::<i64>().ok());
            let created = ticks.and_then(|ticks| DateTime::from_timestamp_micros(ticks / 10));
            (created.ok_or_else(|| damaged("the time is missing".into()))?, event.custom_metadata.to_vec())
        }
    };
    Ok(Record {
        id: if event.id == STAND_IN { Uuid::nil() } else { event.id },
        stream: StreamName::new(&event.stream_id).map_err(|error| damaged(error.to_string()))?,
        revision: Revision(event.revision),
        position,
        kind: event.event_type,
        data: event.data.to_vec(),
        metadata,
        recorded_at,
    })
}

/// Time and metadata of a record that was imported.
fn unwrapped(metadata: &[u8]) -> Option<(DateTime<Utc>, Vec<u8>)> {
    if !metadata.starts_with(IMPORTED.as_bytes()) {
        return None;
    }
    let wrapped: Wrapped = serde_json::from_slice(metadata).ok()?;
    Some((wrapped.imported.recorded_at, STANDARD.decode(wrapped.metadata_base64).ok()?))
}
