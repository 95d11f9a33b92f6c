//! The three kinds of lines.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::record::{Position, Record, Revision, StreamName};

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) format: Cow<'a, str>,
    pub(super) version: u32,
    pub(super) exported_at: DateTime<Utc>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer<'a> {
    pub(super) records: u64,
    #[serde(borrow)]
    pub(super) chain: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) sha256: Cow<'a, str>,
}

/// How the last line begins, and no other.
pub(super) const TRAILER_BEGINS: &[u8] = b"{\"records\":";

/// A record's line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    id: Uuid,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    revision: u64,
    position: u64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    recorded_at: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    data_base64: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    metadata_base64: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        let (data, data_base64) = bytes(&record.data);
        let (metadata, metadata_base64) = bytes(&record.metadata);
        Self {
            id: record.id,
            stream: record.stream.as_str().into(),
            revision: record.revision.0,
            position: record.position.0,
            kind: record.kind.as_str().into(),
            recorded_at: record.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true).into(),
            data,
            data_base64,
            metadata,
            metadata_base64,
        }
    }

    pub(super) fn to_record(&self) -> Result<Record, String> {
        Ok(Record {
            id: self.id,
            stream: StreamName::new(&self.stream).map_err(|error| error.to_string())?,
            revision: Revision(self.revision),
            position: Position(self.position),
            kind: self.kind.clone().into_owned(),
            data: content("data", self.data, self.data_base64.as_deref())?,
            metadata: content("metadata", self.metadata, self.metadata_base64.as_deref())?,
            recorded_at: time(&self.recorded_at)?,
        })
    }
}

/// Bytes as JSON where that keeps every one of them, else in base64.
fn bytes(bytes: &[u8]) -> (Option<&RawValue>, Option<Cow<'_, str>>) {
    match as_they_are(bytes) {
        Some(json) => (Some(json), None),
        None => (None, Some(STANDARD.encode(bytes).into())),
    }
}

/// JSON that comes back from a line as it went in: in one line, nothing around it, and not the `null` that would be read
/// as absent.
fn as_they_are(bytes: &[u8]) -> Option<&RawValue> {
    let json: &RawValue = serde_json::from_slice(bytes).ok()?;
    let is_kept = json.get().as_bytes() == bytes && json.get() != "null";
    (is_kept && !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r'))).then_some(json)
}

fn content(name: &str, json: Option<&RawValue>, base64: Option<&str>) -> Result<Vec<u8>, String> {
    match (json, base64) {
        (Some(json), None) => Ok(json.get().as_bytes().to_vec()),
        (None, Some(base64)) => STANDARD.decode(base64).map_err(|error| format!("{name}_base64: {error}")),
        _ => Err(format!("one of {name} and {name}_base64 must be there")),
    }
}

/// A time in microseconds: a finer one would not be kept.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|error| format!("recorded_at: {error}"))?.to_utc();
    if time == time.trunc_subsecs(6) { Ok(time) } else { Err("recorded_at is finer than microseconds".into()) }
}
