//! JSON as answers carry it: unknown values absent, times in RFC 3339 with `Z`, positions as text.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use chopmark_domain::rfc3339::{Fraction, Rfc3339};
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

/// The header that carries the position an answer was computed at, beside the member `position` of its body.
pub const POSITION_HEADER: HeaderName = HeaderName::from_static("chopmark-position");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Most answers to checks fit into this, lease and all, so that writing one allocates once.
pub(crate) const TYPICAL_BYTES: usize = 1_536;

/// Writes an answer of ours.
pub(crate) fn to_bytes<T: Serialize>(answer: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(TYPICAL_BYTES);
    // Writing to memory fails only for maps with non-string keys and failing Serialize implementations: answers are
    // structs of plain values.
    #[expect(clippy::expect_used, reason = "answers are structs of plain values, see above")]
    serde_json::to_writer(&mut bytes, answer).expect("plain data serialises");
    bytes
}

/// 200 with an answer.
pub(crate) fn response<T: Serialize>(answer: &T) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(to_bytes(answer))
}

/// 200 with an answer that was computed at a position.
pub(crate) fn response_at<T: Serialize>(answer: &T, position: Position) -> HttpResponse {
    written_at(to_bytes(answer), position)
}

/// An answer in JSON, with the position that it was computed at. The API sends it, and the console reads it: so the two
/// never say different things.
pub(crate) type Written = (Vec<u8>, Position);

/// 200 with an answer that was written and was computed at a position.
pub(crate) fn written_at(body: Vec<u8>, position: Position) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((POSITION_HEADER, position_value(position)))
        .body(body)
}

/// A position as a header has it. Made from a text it takes one block of memory, made from a number three.
fn position_value(position: Position) -> HeaderValue {
    let mut digits = itoa::Buffer::new();
    #[expect(clippy::expect_used, reason = "digits may stand in a header")]
    HeaderValue::from_str(digits.format(position.0)).expect("digits")
}

/// A time: RFC 3339, UTC, with a fraction only where there is one, and cut to milliseconds, which is as much as people
/// and their programs need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Rfc3339::new(self.0, Fraction::MillisAsNeeded).as_str())
    }
}

/// A time as exact as it is known: that of an event can be handed back, to see what was known with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExactTime(pub(crate) DateTime<Utc>);

impl Serialize for ExactTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Rfc3339::new(self.0, Fraction::AsNeeded).as_str())
    }
}

/// A time by our own clock: milliseconds are as much as it means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockTime(pub(crate) DateTime<Utc>);

impl Serialize for ClockTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Rfc3339::new(self.0, Fraction::Millis).as_str())
    }
}

/// A position as clients see it: a text to hand back, not a number to reckon with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PositionText(pub(crate) Position);

impl Serialize for PositionText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_to_the_millisecond_and_those_of_events_exactly() {
        let at: DateTime<Utc> = "2026-11-24T10:00:00.123456789Z".parse().unwrap();
        let even: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let written = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(written(to_bytes(&Time(at))), r#""2026-11-24T10:00:00.123Z""#);
        assert_eq!(written(to_bytes(&Time(even))), r#""2026-11-24T10:00:00Z""#);
        assert_eq!(written(to_bytes(&ExactTime(at))), r#""2026-11-24T10:00:00.123456789Z""#);
        assert_eq!(written(to_bytes(&ClockTime(even))), r#""2026-11-24T10:00:00.000Z""#);
    }
}
