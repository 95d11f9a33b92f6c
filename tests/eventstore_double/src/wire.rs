//! From the protocol's words to the double's and back.

use std::collections::HashMap;

use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::protocol::event_store::client::streams::read_resp::{Content, ReadEvent, read_event};
use crate::protocol::event_store::client::streams::{ReadResp, read_resp};
use crate::protocol::event_store::client::{StreamIdentifier, Uuid as WireUuid, uuid as wire_uuid};
use crate::store::{NotRead, Proposed, Stored};

/// The most bytes of one append: what servers take unless they are told otherwise.
pub(crate) const APPEND_BYTES_MAX: usize = 1024 * 1024;

pub(crate) fn id_of(wire: Option<WireUuid>) -> Result<Uuid, String> {
    match wire.and_then(|wire| wire.value) {
        Some(wire_uuid::Value::String(text)) => text.parse().map_err(|error| format!("{text:?} is no id: {error}")),
        Some(wire_uuid::Value::Structured(parts)) => {
            let [most, least] = [parts.most_significant_bits, parts.least_significant_bits].map(i64::cast_unsigned);
            Ok(Uuid::from_u64_pair(most, least))
        }
        None => Err("an id is missing".into()),
    }
}

pub(crate) fn wire_id(id: Uuid, as_text: bool) -> WireUuid {
    let value = if as_text {
        wire_uuid::Value::String(id.to_string())
    } else {
        let (most, least) = id.as_u64_pair();
        wire_uuid::Value::Structured(wire_uuid::Structured {
            most_significant_bits: most.cast_signed(),
            least_significant_bits: least.cast_signed(),
        })
    };
    WireUuid { value: Some(value) }
}

pub(crate) fn stream_of(wire: Option<StreamIdentifier>) -> Result<String, String> {
    let name = wire.ok_or("the stream is missing")?.stream_name;
    String::from_utf8(name).map_err(|_| "the stream's name is no text".into())
}

pub(crate) fn wire_stream(name: &str) -> StreamIdentifier {
    StreamIdentifier { stream_name: name.as_bytes().to_vec() }
}

/// An event as it was proposed, or what the server has against it.
pub(crate) fn proposed(
    id: Option<WireUuid>,
    described: &HashMap<String, String>,
    data: Vec<u8>,
    metadata: Vec<u8>,
) -> Result<Proposed, String> {
    let described =
        |key: &str| described.get(key).ok_or_else(|| format!("Required Metadata Property '{key}' is missing"));
    let id = id_of(id)?;
    if id.is_nil() {
        return Err("Empty eventId provided.".into());
    }
    let is_json = described("content-type")? == "application/json";
    Ok(Proposed { id, kind: described("type")?.clone(), is_json, data, metadata })
}

pub(crate) fn size_of(events: &[Proposed]) -> usize {
    events.iter().map(|event| event.kind.len() + event.data.len() + event.metadata.len()).sum()
}

pub(crate) fn wire_event(event: Stored, id_as_text: bool) -> ReadResp {
    let content_type = if event.is_json { "application/json" } else { "application/octet-stream" };
    let described =
        [("type", event.kind), ("content-type", content_type.into()), ("created", event.created.to_string())];
    let recorded = read_event::RecordedEvent {
        id: Some(wire_id(event.id, id_as_text)),
        stream_identifier: Some(wire_stream(&event.stream)),
        stream_revision: event.revision,
        prepare_position: event.position,
        commit_position: event.position,
        metadata: described.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        custom_metadata: event.metadata,
        data: event.data,
    };
    let position = Some(read_event::Position::CommitPosition(event.position));
    content(Content::Event(ReadEvent { event: Some(recorded), link: None, position }))
}

pub(crate) fn content(content: read_resp::Content) -> ReadResp {
    ReadResp { content: Some(content) }
}

fn exception(code: Code, message: String, details: &[(&'static str, &str)]) -> Status {
    let mut metadata = MetadataMap::new();
    for (key, value) in details {
        if let Ok(value) = MetadataValue::try_from(*value) {
            metadata.insert(*key, value);
        }
    }
    Status::with_metadata(code, message, metadata)
}

pub(crate) fn not_leader((host, port): &(String, u16)) -> Status {
    let details = [
        ("exception", "not-leader"),
        ("leader-endpoint-host", host.as_str()),
        ("leader-endpoint-port", &port.to_string()),
    ];
    exception(Code::NotFound, "Leader info available".into(), &details)
}

pub(crate) fn not_ready() -> Status {
    Status::unavailable("Server Is Not Ready")
}

pub(crate) fn access_denied() -> Status {
    exception(Code::PermissionDenied, "Access Denied".into(), &[("exception", "access-denied")])
}

pub(crate) fn too_large() -> Status {
    exception(
        Code::InvalidArgument,
        format!("Maximum Append Size of {APPEND_BYTES_MAX} Exceeded."),
        &[("exception", "maximum-append-size-exceeded"), ("maximum-append-size", &APPEND_BYTES_MAX.to_string())],
    )
}

pub(crate) fn timed_out() -> Status {
    Status::aborted("Operation timed out: Commit phase timeout.")
}

impl From<NotRead> for Status {
    fn from(error: NotRead) -> Self {
        match error {
            NotRead::InvalidPosition => Self::invalid_argument("Trying to read from an invalid position."),
            NotRead::Failed(reason) => Self::unknown(reason),
        }
    }
}
