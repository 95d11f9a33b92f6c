//! JSON read strictly, since what is read must be exactly what was signed: no key twice at any level, bounded depth.
//! Keys keep their order and numbers their spelling.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt::{self, Write};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Objects and arrays may stand this deep in each other. The marketplace's own bodies need three.
const MAX_DEPTH: usize = 16;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it was spelled.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Object),
}

/// A JSON object: its members in the order in which they came, no key twice.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Object(Vec<(String, Json)>);

/// Why bytes are not JSON that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not JSON in UTF-8.
    Syntax,
    /// A key stands twice in one object.
    DuplicateKey,
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl Json {
    /// Reads a whole text.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(text).map_err(|_| JsonError::Syntax)?;
        let raw = serde_json::from_str::<&RawValue>(text).map_err(|_| JsonError::Syntax)?;
        read(raw, 0)
    }

    /// A text or a number, as text: the marketplace sends either where its tables say String.
    pub(crate) fn as_scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

impl Object {
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        self.0.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The same object with only some of its members.
    pub(crate) fn filtered(&self, keep: impl Fn(&str, &Json) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, value)| keep(key, value)).cloned().collect())
    }

    /// Puts the members in the order of their keys.
    pub(crate) fn sort_by(&mut self, order: impl Fn(&str, &str) -> Ordering) {
        self.0.sort_by(|(one, _), (other, _)| order(one, other));
    }
}

impl FromIterator<(String, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

/// The members of one object, their values not yet read.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Reads a value whose syntax was checked, except for what only reading it shows.
fn read(raw: &RawValue, depth: usize) -> Result<Json, JsonError> {
    let text = raw.get();
    if depth > MAX_DEPTH {
        return Err(JsonError::TooDeep);
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = parsed(text)?;
            let mut seen = HashSet::with_capacity(members.len());
            if !members.iter().all(|(key, _)| seen.insert(key.as_str())) {
                return Err(JsonError::DuplicateKey);
            }
            let members = members.iter().map(|(key, value)| Ok((key.clone(), read(value, depth + 1)?)));
            Ok(Json::Object(Object(members.collect::<Result<_, _>>()?)))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = parsed(text)?;
            Ok(Json::Array(items.into_iter().map(|item| read(item, depth + 1)).collect::<Result<_, _>>()?))
        }
        Some(b'"') => Ok(Json::Text(parsed(text)?)),
        Some(b't' | b'f') => Ok(Json::Bool(parsed(text)?)),
        Some(b'n') => Ok(Json::Null),
        _ => Ok(Json::Number(text.into())),
    }
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonError> {
    serde_json::from_str(text).map_err(|_| JsonError::Syntax)
}

/// Written as Jackson does by default, since the marketplace signs what Jackson wrote: no blanks, non-ASCII and `/` as
/// they are, control characters in upper-case hexadecimal.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => write_text(f, text),
            Self::Array(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_char(']')
            }
            Self::Object(object) => write!(f, "{object}"),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        for (index, (key, value)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            write_text(f, key)?;
            write!(f, ":{value}")?;
        }
        f.write_char('}')
    }
}

fn write_text(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for char in text.chars() {
        match char {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            '\0'..='\u{1f}' => write!(out, "\\u{:04X}", u32::from(char))?,
            _ => out.write_char(char)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(text: &str) -> Object {
        match Json::parse(text.as_bytes()) {
            Ok(Json::Object(object)) => object,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn keys_keep_their_order_and_scalars_their_spelling() {
        let object = object(r#" {"b":1.50, "a":"1", "c":true, "d":[{}], "e":null} "#);
        assert_eq!(object.to_string(), r#"{"b":1.50,"a":"1","c":true,"d":[{}],"e":null}"#);
        let scalar = |key| object.get(key).and_then(Json::as_scalar);
        assert_eq!(
            [scalar("a"), scalar("b"), scalar("c"), scalar("d"), scalar("z")],
            [Some("1"), Some("1.50"), None, None, None]
        );
    }

    #[test]
    fn a_key_may_stand_once_in_an_object() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"a":1,"a":2}}]"#, r#"{"":null,"":null}"#] {
            assert_eq!(Json::parse(text.as_bytes()), Err(JsonError::DuplicateKey), "{text}");
        }
        assert!(Json::parse(br#"{"a":{"a":[{"a":1},{"a":2}]}}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(nested(MAX_DEPTH + 1).as_bytes()).is_ok());
        assert_eq!(Json::parse(nested(MAX_DEPTH + 2).as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(Json::parse(nested(100_000).as_bytes()), Err(JsonError::TooDeep));
    }

    #[test]
    fn anything_that_is_not_json_is_refused() {
        let texts: [&[u8]; 14] = [
            b"",
            b" ",
            b"{",
            b"{}{}",
            b"{'a':1}",
            b"{\"a\":1,}",
            b"[01]",
            b"[1.]",
            b"[+1]",
            b"[NaN]",
            b"\"\\ud800\"",
            b"\"\n\"",
            b"\"\xff\"",
            b"\xef\xbb\xbf{}",
        ];
        for text in texts {
            assert_eq!(Json::parse(text), Err(JsonError::Syntax), "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Json::parse(&bytes);
        }

        #[test]
        fn what_is_written_reads_back(key: String, text: String, number: f64, flag: bool) {
            prop_assume!(number.is_finite());
            let value = Json::Object(Object(vec![(key, Json::Array(vec![
                Json::Text(text), Json::Number(serde_json::json!(number).to_string()), Json::Bool(flag), Json::Null,
            ]))]));
            prop_assert_eq!(Json::parse(value.to_string().as_bytes()), Ok(value));
        }
    }
}
