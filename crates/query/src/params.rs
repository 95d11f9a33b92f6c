//! Query parameters of the token routes: named in every complaint, empty means absent.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::web;
use chopmark_domain::ids::SellerId;
use chopmark_log::Position;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::problem::Problem;

/// Entries of a page where the caller names no limit.
const LIMIT: usize = 100;
/// The most entries of a page.
const LIMIT_MAX: usize = 1_000;

/// Whose license is meant by the id in a path.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    /// Whose license, where two sellers have one of this id.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._-]*$")]
    seller: Option<String>,
}

impl Whose {
    /// The seller that a query string names.
    pub(crate) fn read(query: &str) -> Result<Option<SellerId>, Problem> {
        let Self { seller } = read(query)?;
        given("seller", seller.as_deref(), SellerId::parse)
    }
}

/// Reads a query string into a struct of optional texts. Unknown and repeated parameters are refused: a filter that
/// was misspelt must not answer with everything.
pub(crate) fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let web::Query(params) = web::Query::from_query(query)
        .map_err(|error| Problem::malformed(format!("the parameters are not those of this path: {error}")))?;
    Ok(params)
}

/// A parameter of a type of ours.
pub(crate) fn given<T, E: Display>(
    name: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match parse(text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(Problem::malformed(format!("parameter `{name}`: {error}"))),
        },
    }
}

/// `true` or `false`.
pub(crate) fn flag(name: &str, text: Option<&str>) -> Result<Option<bool>, Problem> {
    given(name, text, |text| bool::from_str(text).map_err(|_| "say true or false"))
}

/// How many entries a page has.
pub(crate) fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let limit = given("limit", text, |text| match usize::from_str(text) {
        Ok(limit @ 1..=LIMIT_MAX) => Ok(limit),
        _ => Err(format!("give a number from 1 to {LIMIT_MAX}")),
    })?;
    Ok(limit.unwrap_or(LIMIT))
}

/// A time as RFC 3339 writes it. A `+` that was not escaped arrives as a blank.
pub(crate) fn time(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let time = DateTime::parse_from_rfc3339(&text.trim().replace(' ', "+"));
    time.map(DateTime::into).map_err(|_| "say a time as RFC 3339 does, like 2026-11-24T12:00:00Z")
}

/// Reads a body that is a JSON object into a struct.
pub(crate) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    // Left alone, a struct could be written as an array too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::malformed("send a JSON object"));
    }
    serde_json::from_slice(body).map_err(|error| Problem::malformed(format!("the body is not as wanted: {error}")))
}

/// A position as an answer wrote it.
pub(crate) fn position(text: &str) -> Option<Position> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok().map(Position)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_back_as_written() {
        for position_written in [Position::START, Position(17), Position(u64::MAX)] {
            assert_eq!(position(&position_written.to_string()), Some(position_written));
        }
        for text in ["", "-1", "+1", " 1", "0x1", "18446744073709551616"] {
            assert_eq!(position(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_with_any_offset_escaped_or_not() {
        for text in ["2026-11-24T12:00:00Z", "2026-11-24T20:00:00+08:00", "2026-11-24T20:00:00 08:00"] {
            assert_eq!(time(text).unwrap().to_rfc3339(), "2026-11-24T12:00:00+00:00", "{text}");
        }
        assert_eq!(time("2026-11-24T12:00:00.123456Z").unwrap().timestamp_subsec_micros(), 123_456);
        for text in ["", "2026-11-24", "12:00", "yesterday", "1700000000"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bodies_are_objects() {
        let read = |body: &str| object::<std::collections::BTreeMap<String, u8>>(body.as_bytes()).is_ok();
        assert!(read(" \n{\"a\":1}"));
        for body in ["", "[]", "1", "null", "{", "{\"a\":\"b\"}", "{} {}"] {
            assert!(!read(body), "{body}");
        }
    }

    #[test]
    fn limits_have_bounds() {
        assert_eq!(limit(None).unwrap(), 100);
        assert_eq!(limit(Some("")).unwrap(), 100);
        assert_eq!(limit(Some("1000")).unwrap(), 1_000);
        for text in ["0", "1001", "-1", "many"] {
            assert!(limit(Some(text)).unwrap_err().to_string().contains("`limit`"), "{text}");
        }
    }

    #[test]
    fn flags_are_spelt_out() {
        assert_eq!(flag("test", Some("true")).unwrap(), Some(true));
        assert_eq!(flag("test", Some("false")).unwrap(), Some(false));
        assert_eq!(flag("test", Some("")).unwrap(), None);
        assert!(flag("test", Some("1")).is_err());
    }
}
